/* exports.c: see exports.h. Reads the dynamic symbols, which are loaded with the image and all that the vdso has. */
#include "collect/agent/exports.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "collect/agent/host.h"

enum { MOST_SEGMENTS = 16, MOST_ENTRIES = 64, MOST_SYMBOLS = 256 };

struct table {
	uint64_t bias, symbols, strings, strings_size;
};

/* An entry of the dynamic section: of libraries the loader has added the bias already, of the vdso not. */
static uint64_t
in_memory(const struct table *t, const Elf64_Dyn *d)
{
	return d->d_un.d_ptr < t->bias ? t->bias + d->d_un.d_ptr : d->d_un.d_ptr;
}

static bool
dynamic(struct table *t, uint64_t base)
{
	Elf64_Ehdr header;
	Elf64_Phdr p;
	Elf64_Dyn d;
	uint64_t at = 0;

	if (!pf_host_read_all(&header, base, sizeof header) || header.e_phnum > MOST_SEGMENTS)
		return false;
	for (int i = 0; i < header.e_phnum; i++) {
		if (!pf_host_read_all(&p, base + header.e_phoff + (uint64_t)i * sizeof p, sizeof p))
			return false;
		if (p.p_type == PT_LOAD && p.p_offset == 0)
			t->bias = base - p.p_vaddr;
		else if (p.p_type == PT_DYNAMIC)
			at = p.p_vaddr;
	}
	for (int i = 0; at && i < MOST_ENTRIES; i++) {
		if (!pf_host_read_all(&d, t->bias + at + (uint64_t)i * sizeof d, sizeof d))
			return false;
		if (d.d_tag == DT_NULL)
			break;
		if (d.d_tag == DT_SYMTAB)
			t->symbols = in_memory(t, &d);
		else if (d.d_tag == DT_STRTAB)
			t->strings = in_memory(t, &d);
		else if (d.d_tag == DT_STRSZ)
			t->strings_size = d.d_un.d_val;
	}
	return t->symbols && t->strings > t->symbols;
}

uint64_t
pf_export_name(uint64_t base, uint64_t pc, char *name, size_t size)
{
	struct table t = {0};
	uint64_t found = 0, count;
	Elf64_Sym symbol;
	size_t n;

	if (!dynamic(&t, base))
		return 0;
	/* Strings follow the symbols in these images, which have no other count. */
	count = (t.strings - t.symbols) / sizeof symbol;
	for (uint64_t i = 1; i < count && i < MOST_SYMBOLS; i++) {
		if (!pf_host_read_all(&symbol, t.symbols + i * sizeof symbol, sizeof symbol))
			break;
		uint64_t start = t.bias + symbol.st_value;
		if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || pc < start ||
		    pc - start >= symbol.st_size || symbol.st_name >= t.strings_size)
			continue;
		n = pf_host_read(name, t.strings + symbol.st_name, size - 1);
		name[n] = '\0';
		if (*name)
			found = start;
		if (!strncmp(name, "__vdso_", 7))
			break; /* rather than its weak alias */
	}
	return found;
}

bool
pf_is_agent(const struct pf_mapping *mapping)
{
	uint64_t here = (uintptr_t)pf_is_agent;

	return !mapping->main && here >= mapping->start && here < mapping->limit;
}
