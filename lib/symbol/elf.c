/*
 * elf.c: see elf.h. Headers are copied out before use: a damaged file may have
 * them at any alignment.
 */
#include "symbol/elf.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/memory.h"

static int
map_file(struct pf_elf *file, const char *path, struct pf_error *err)
{
	struct stat st;
	void *image;
	int fd, rc = 0;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not make us wait */
	if (fd < 0)
		return pf_error_errno(err, "cannot open the binary", path);
	if (fstat(fd, &st) != 0) {
		rc = pf_error_errno(err, "cannot read the binary", path);
	} else if (!S_ISREG(st.st_mode)) {
		rc = pf_error_set(err, PF_EIO,
		    "cannot read the binary %s: it is not a regular file; name the executable "
		    "itself",
		    path);
	} else if ((uint64_t)st.st_size < sizeof(Elf64_Ehdr)) {
		rc = pf_error_set(err, PF_EINPUT,
		    "%s is not an ELF file: it has only %lld bytes; name the executable that was "
		    "profiled",
		    path, (long long)st.st_size);
	} else {
		image = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (image == MAP_FAILED) {
			rc = pf_error_errno(err, "cannot map the binary", path);
		} else {
			file->image = image;
			file->size = (size_t)st.st_size;
			file->mapped = true;
		}
	}
	close(fd);
	return rc;
}

static int
check_header(const struct pf_elf *file, const Elf64_Ehdr *header, enum pf_elf_kind kind,
    struct pf_error *err)
{
	const uint8_t *ident = header->e_ident;
	const char *path = file->path;

	if (memcmp(ident, ELFMAG, SELFMAG) != 0)
		return pf_error_set(err, PF_EINPUT,
		    "%s is not an ELF file; name the executable or shared object that was profiled",
		    path);
	if (ident[EI_CLASS] != ELFCLASS64 || ident[EI_DATA] != ELFDATA2LSB)
		return pf_error_set(err, PF_EINPUT,
		    "%s is not a 64-bit little-endian ELF file; only those are supported", path);
	if (header->e_machine != EM_X86_64 && header->e_machine != EM_AARCH64)
		return pf_error_set(err, PF_EINPUT,
		    "%s was built for ELF machine %u; only x86-64 (62) and AArch64 (183) are "
		    "supported",
		    path, header->e_machine);
	if (header->e_type != ET_EXEC && header->e_type != ET_DYN &&
	    !(kind == PF_ELF_ANY && header->e_type == ET_REL))
		return pf_error_set(err, PF_EINPUT,
		    "%s is ELF type %u, neither an executable nor a shared object; name the linked "
		    "binary",
		    path, header->e_type);
	return 0;
}

/* How many entries of `size` bytes a table at this offset has room for, at most `count`. */
static size_t
room_for(const struct pf_elf *file, uint64_t offset, uint64_t count, size_t size)
{
	size_t room;

	if (offset == 0 || offset >= file->size)
		return 0;
	room = (file->size - (size_t)offset) / size;
	return count < room ? (size_t)count : room;
}

/* Numbers that do not fit the header stand in section 0. */
static void
find_tables(struct pf_elf *file, const Elf64_Ehdr *header)
{
	uint64_t sections = header->e_shnum, segments = header->e_phnum;
	uint32_t names = header->e_shstrndx;
	Elf64_Shdr first, s;

	if (header->e_shentsize == sizeof(Elf64_Shdr) &&
	    room_for(file, header->e_shoff, 1, sizeof first)) {
		memcpy(&first, file->image + header->e_shoff, sizeof first);
		if (sections == 0)
			sections = first.sh_size;
		if (names == SHN_XINDEX)
			names = first.sh_link;
		if (segments == PN_XNUM)
			segments = first.sh_info;
		file->sections = header->e_shoff;
		file->section_count = room_for(file, header->e_shoff, sections, sizeof(Elf64_Shdr));
	}
	if (header->e_phentsize == sizeof(Elf64_Phdr)) {
		file->segments = header->e_phoff;
		file->segment_count = room_for(file, header->e_phoff, segments, sizeof(Elf64_Phdr));
	}
	if (pf_elf_section(file, names, &s))
		file->section_names = pf_elf_bytes(file, &s);
}

int
pf_elf_open(struct pf_elf *file, const char *path, enum pf_elf_kind kind, struct pf_error *err)
{
	Elf64_Ehdr header;
	int rc;

	*file = (struct pf_elf){0};
	rc = pf_copy_string(&file->path, path, err);
	if (!rc)
		rc = map_file(file, path, err);
	if (!rc) {
		memcpy(&header, file->image, sizeof header);
		rc = check_header(file, &header, kind, err);
	}
	if (rc) {
		pf_elf_release(file);
		return rc;
	}
	file->machine = header.e_machine;
	file->type = header.e_type;
	find_tables(file, &header);
	return 0;
}

void
pf_elf_release(struct pf_elf *file)
{
	if (file->mapped)
		munmap((void *)(uintptr_t)file->image, file->size);
	free(file->path);
	*file = (struct pf_elf){0};
}

void
pf_elf_trim(const struct pf_elf *file)
{
	if (file->mapped)
		(void)madvise((void *)(uintptr_t)file->image, file->size, MADV_DONTNEED);
}

bool
pf_elf_section(const struct pf_elf *file, size_t i, Elf64_Shdr *header)
{
	if (i >= file->section_count)
		return false;
	memcpy(header, file->image + file->sections + i * sizeof *header, sizeof *header);
	return true;
}

bool
pf_elf_segment(const struct pf_elf *file, size_t i, Elf64_Phdr *header)
{
	if (i >= file->segment_count)
		return false;
	memcpy(header, file->image + file->segments + i * sizeof *header, sizeof *header);
	return true;
}

static struct pf_bytes
slice(const struct pf_elf *file, uint64_t offset, uint64_t size)
{
	if (size == 0 || offset > file->size || size > file->size - offset)
		return (struct pf_bytes){0};
	return (struct pf_bytes){.at = file->image + offset, .size = (size_t)size};
}

struct pf_bytes
pf_elf_bytes(const struct pf_elf *file, const Elf64_Shdr *header)
{
	if (header->sh_type == SHT_NOBITS || header->sh_type == SHT_NULL)
		return (struct pf_bytes){0};
	return slice(file, header->sh_offset, header->sh_size);
}

const char *
pf_elf_section_name(const struct pf_elf *file, const Elf64_Shdr *header)
{
	const char *name = pf_bytes_string(file->section_names, header->sh_name);

	return name ? name : "";
}

bool
pf_elf_named(const struct pf_elf *file, const char *name, Elf64_Shdr *header)
{
	for (size_t i = 1; pf_elf_section(file, i, header); i++) {
		if (strcmp(pf_elf_section_name(file, header), name) == 0 &&
		    pf_elf_bytes(file, header).at)
			return true;
	}
	return false;
}

bool
pf_elf_typed(const struct pf_elf *file, uint32_t type, Elf64_Shdr *header)
{
	for (size_t i = 1; pf_elf_section(file, i, header); i++) {
		if (header->sh_type == type && pf_elf_bytes(file, header).at)
			return true;
	}
	return false;
}

bool
pf_elf_has_debug(const struct pf_elf *file, const char *name)
{
	char full[40];
	Elf64_Shdr header;

	snprintf(full, sizeof full, ".debug_%s", name);
	if (pf_elf_named(file, full, &header))
		return true;
	snprintf(full, sizeof full, ".zdebug_%s", name);
	return pf_elf_named(file, full, &header);
}

void
pf_elf_hex(char *hex, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		hex[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
		hex[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
	}
	hex[2 * size] = '\0';
}

/* Looks for the GNU build id among the notes of one section or segment. */
static bool
find_build_id(struct pf_bytes notes, uint64_t align, char *hex, size_t hex_size)
{
	size_t at = 0, pad = align == 8 ? 7 : 3;
	Elf64_Nhdr note;

	while (notes.size - at >= sizeof note) {
		memcpy(&note, notes.at + at, sizeof note);
		at += sizeof note;
		size_t name = ((size_t)note.n_namesz + pad) & ~pad;
		size_t desc = ((size_t)note.n_descsz + pad) & ~pad;
		if (name > notes.size - at || note.n_descsz > notes.size - at - name)
			return false;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
		    memcmp(notes.at + at, "GNU", 4) == 0 && note.n_descsz > 0 &&
		    (size_t)note.n_descsz * 2 < hex_size) {
			pf_elf_hex(hex, notes.at + at + name, note.n_descsz);
			return true;
		}
		if (desc > notes.size - at - name)
			return false;
		at += name + desc;
	}
	return false;
}

void
pf_elf_build_id(const struct pf_elf *file, char *hex, size_t size)
{
	Elf64_Phdr segment;
	Elf64_Shdr section;

	hex[0] = '\0';
	/* Sections first: in a separate debug file the segments' notes may hold no bytes. */
	for (size_t i = 1; pf_elf_section(file, i, &section); i++) {
		if (section.sh_type == SHT_NOTE &&
		    find_build_id(pf_elf_bytes(file, &section), section.sh_addralign, hex, size))
			return;
	}
	for (size_t i = 0; pf_elf_segment(file, i, &segment); i++) {
		if (segment.p_type == PT_NOTE &&
		    find_build_id(slice(file, segment.p_offset, segment.p_filesz), segment.p_align,
			hex, size))
			return;
	}
}
