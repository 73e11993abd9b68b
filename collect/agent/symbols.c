/* symbols.c: see symbols.h. */
#include "collect/agent/symbols.h"

#include <elf.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect/agent/elf_memory.h"
#include "collect/agent/exports.h"
#include "collect/agent/host.h"
#include "collect/agent/modules.h"

enum { MOST_SEGMENTS = 64, MOST_SECTIONS = 4096, CHUNK = 256, MOST_NOTES = 4096 };

struct file {
	int fd;
	Elf64_Ehdr header;
	Elf64_Phdr segments[MOST_SEGMENTS];
	Elf64_Shdr symbols, strings;
};

static bool
read_at(int fd, void *to, size_t size, uint64_t offset)
{
	return offset <= INT64_MAX && pread(fd, to, size, (off_t)offset) == (ssize_t)size;
}

static bool
read_head(struct file *f)
{
	return read_at(f->fd, &f->header, sizeof f->header, 0) &&
	       !memcmp(f->header.e_ident, ELFMAG, SELFMAG) &&
	       f->header.e_ident[EI_CLASS] == ELFCLASS64 && f->header.e_phnum <= MOST_SEGMENTS &&
	       f->header.e_phentsize == sizeof(Elf64_Phdr) &&
	       read_at(
		   f->fd, f->segments, f->header.e_phnum * sizeof(Elf64_Phdr), f->header.e_phoff);
}

/* Whether the file on disk is the one that runs. */
static bool
same_build(const struct file *f, const char *build_id)
{
	char hex[2 * PF_BUILD_ID_MAX + 1] = "";
	uint8_t notes[MOST_NOTES];

	for (int i = 0; i < f->header.e_phnum && !*hex; i++) {
		const Elf64_Phdr *p = &f->segments[i];
		size_t size = p->p_filesz < sizeof notes ? (size_t)p->p_filesz : sizeof notes;
		if (p->p_type == PT_NOTE && read_at(f->fd, notes, size, p->p_offset))
			pf_elf_build_id(notes, size, hex);
	}
	return !strcmp(hex, build_id);
}

/* The full symbol table, or the dynamic one of a stripped file. */
static bool
find_tables(struct file *f)
{
	Elf64_Shdr section, strings;
	bool found = false;

	if (f->header.e_shentsize != sizeof section || f->header.e_shnum > MOST_SECTIONS)
		return false;
	for (int i = 0; i < f->header.e_shnum; i++) {
		if (!read_at(f->fd, &section, sizeof section,
			f->header.e_shoff + (uint64_t)i * sizeof section))
			return false;
		if ((section.sh_type != SHT_SYMTAB && (found || section.sh_type != SHT_DYNSYM)) ||
		    section.sh_link >= f->header.e_shnum ||
		    !read_at(f->fd, &strings, sizeof strings,
			f->header.e_shoff + section.sh_link * sizeof strings))
			continue;
		f->symbols = section;
		f->strings = strings;
		found = true;
		if (section.sh_type == SHT_SYMTAB)
			break;
	}
	return found;
}

/* Gives its name to every query that lies in the symbol; `queries` are sorted by in_file. */
static void
offer(const struct file *f, const Elf64_Sym *symbol, struct pf_query *queries, size_t count)
{
	uint64_t start = symbol->st_value, end = start + symbol->st_size;
	size_t low = 0, high = count;
	ssize_t n;

	if (ELF64_ST_TYPE(symbol->st_info) != STT_FUNC || symbol->st_shndx == SHN_UNDEF ||
	    symbol->st_name >= f->strings.sh_size)
		return;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (queries[middle].in_file < start)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < count && queries[low].in_file < end; low++) {
		char *name = queries[low].name;
		if (*name)
			continue;
		n = pread(f->fd, name, sizeof queries->name - 1,
		    (off_t)(f->strings.sh_offset + symbol->st_name));
		name[n > 0 ? n : 0] = '\0';
	}
}

static void
scan(const struct file *f, struct pf_query *queries, size_t count)
{
	uint64_t total = f->symbols.sh_size / sizeof(Elf64_Sym);
	Elf64_Sym symbols[CHUNK];

	for (uint64_t i = 0; i < total; i += CHUNK) {
		size_t here = total - i < CHUNK ? (size_t)(total - i) : CHUNK;
		if (!read_at(f->fd, symbols, here * sizeof *symbols,
			f->symbols.sh_offset + i * sizeof *symbols))
			return;
		for (size_t j = 0; j < here; j++)
			offer(f, &symbols[j], queries, count);
	}
}

/* Turns addresses in memory into the file's own. */
static bool
to_file(const struct file *f, const struct pf_mapping *m, struct pf_query *queries, size_t count)
{
	for (int i = 0; i < f->header.e_phnum; i++) {
		const Elf64_Phdr *p = &f->segments[i];
		if (p->p_type != PT_LOAD || !(p->p_flags & PF_X) ||
		    m->offset > p->p_offset + p->p_filesz ||
		    m->offset + (m->limit - m->start) <= p->p_offset)
			continue;
		for (size_t j = 0; j < count; j++)
			queries[j].in_file =
			    queries[j].address - m->start + m->offset - p->p_offset + p->p_vaddr;
		return true;
	}
	return false;
}

/* All queries of one mapping. */
static void
find_in(const struct pf_mapping *m, struct pf_query *queries, size_t count)
{
	struct file f;

	if (m->vdso) {
		for (size_t i = 0; i < count; i++)
			if (!pf_export_name(m->base, queries[i].address, queries[i].name,
				sizeof queries[i].name))
				*queries[i].name = '\0';
		return;
	}
	f.fd = open(m->main ? "/proc/thread-self/exe" : m->file, O_RDONLY | O_CLOEXEC);
	if (f.fd < 0)
		return;
	if (read_head(&f) && same_build(&f, m->build_id) && to_file(&f, m, queries, count) &&
	    find_tables(&f))
		scan(&f, queries, count);
	close(f.fd);
}

static int
by_address(const void *a, const void *b)
{
	uint64_t x = ((const struct pf_query *)a)->address,
		 y = ((const struct pf_query *)b)->address;

	return (x > y) - (x < y);
}

void
pf_symbols_find(struct pf_query *queries, size_t count)
{
	struct pf_modules modules;

	if (count == 0)
		return;
	qsort(queries, count, sizeof *queries, by_address);
	for (size_t i = 0; i < count; i++)
		*queries[i].name = '\0';
	if (pf_modules_init(&modules))
		return;
	for (size_t i = 0, j; i < count; i = j) {
		uint32_t number = pf_modules_find(&modules, queries[i].address, 0);
		j = i + 1;
		while (j < count && number != PF_NO_MAPPING &&
		       queries[j].address < modules.items[number].limit)
			j++;
		if (number != PF_NO_MAPPING)
			find_in(&modules.items[number], queries + i, j - i);
	}
	pf_modules_release(&modules);
}
