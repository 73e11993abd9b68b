/*
 * elf.c: one mapped ELF file; see binary_private.h.
 *
 * libelf works on a private mapping (elf_memory), so nothing is written back
 * and the file descriptor is closed at once. Offsets of sections are checked
 * here before libelf may follow them.
 */
#include "symbol/binary_private.h"

#include <errno.h>
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

	fd = open(path, O_RDONLY | O_CLOEXEC);
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
		image = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
		if (image == MAP_FAILED) {
			rc = pf_error_errno(err, "cannot map the binary", path);
		} else {
			file->image = image;
			file->size = (size_t)st.st_size;
		}
	}
	close(fd);
	return rc;
}

static int
check_header(const struct pf_elf *file, const char *path, struct pf_error *err)
{
	const uint8_t *ident = file->image;
	Elf64_Ehdr header;

	if (memcmp(ident, ELFMAG, SELFMAG) != 0)
		return pf_error_set(err, PF_EINPUT,
		    "%s is not an ELF file; name the executable or shared object that was profiled",
		    path);
	if (ident[EI_CLASS] != ELFCLASS64 || ident[EI_DATA] != ELFDATA2LSB)
		return pf_error_set(err, PF_EINPUT,
		    "%s is not a 64-bit little-endian ELF file; only those are supported", path);
	memcpy(&header, file->image, sizeof header);
	if (header.e_machine != EM_X86_64 && header.e_machine != EM_AARCH64)
		return pf_error_set(err, PF_EINPUT,
		    "%s was built for ELF machine %u; only x86-64 (62) and AArch64 (183) are "
		    "supported",
		    path, header.e_machine);
	if (header.e_type != ET_EXEC && header.e_type != ET_DYN)
		return pf_error_set(err, PF_EINPUT,
		    "%s is ELF type %u, neither an executable nor a shared object; name the linked "
		    "binary",
		    path, header.e_type);
	return 0;
}

int
pf_elf_open(struct pf_elf *file, const char *path, struct pf_error *err)
{
	int rc;

	*file = (struct pf_elf){0};
	rc = pf_copy_string(&file->path, path, err);
	if (!rc)
		rc = map_file(file, path, err);
	if (!rc)
		rc = check_header(file, path, err);
	if (!rc) {
		elf_version(EV_CURRENT);
		errno = 0;
		file->elf = elf_memory((char *)file->image, file->size);
		if (!file->elf && errno == ENOMEM)
			rc = pf_error_nomem(err);
		else if (!file->elf)
			rc = pf_error_set(err, PF_EINPUT,
			    "%s is a damaged ELF file: %s; build or copy it again", path,
			    elf_errmsg(-1));
	}
	if (rc)
		pf_elf_release(file);
	return rc;
}

void
pf_elf_release(struct pf_elf *file)
{
	if (file->elf)
		elf_end(file->elf);
	if (file->image)
		munmap(file->image, file->size);
	free(file->path);
	*file = (struct pf_elf){0};
}

uint16_t
pf_elf_machine(const struct pf_elf *file)
{
	Elf64_Ehdr header;

	memcpy(&header, file->image, sizeof header);
	return header.e_machine;
}

bool
pf_elf_section_bytes(const struct pf_elf *file, const GElf_Shdr *header)
{
	return header->sh_type != SHT_NOBITS && header->sh_offset <= file->size &&
	       header->sh_size <= file->size - header->sh_offset;
}

Elf_Scn *
pf_elf_section(const struct pf_elf *file, const char *name)
{
	GElf_Shdr header;
	const char *found;
	size_t names;

	if (elf_getshdrstrndx(file->elf, &names) != 0)
		return NULL;
	for (Elf_Scn *s = elf_nextscn(file->elf, NULL); s; s = elf_nextscn(file->elf, s)) {
		if (!gelf_getshdr(s, &header) || !pf_elf_section_bytes(file, &header))
			continue;
		found = elf_strptr(file->elf, names, header.sh_name);
		if (found && strcmp(found, name) == 0)
			return s;
	}
	return NULL;
}

Elf_Scn *
pf_elf_debug_section(const struct pf_elf *file, const char *name)
{
	char full[40];
	Elf_Scn *section;

	snprintf(full, sizeof full, ".debug_%s", name);
	section = pf_elf_section(file, full);
	if (section)
		return section;
	snprintf(full, sizeof full, ".zdebug_%s", name);
	return pf_elf_section(file, full);
}

/* Looks for the GNU build id among the notes of one section or segment. */
static bool
find_build_id(const uint8_t *notes, size_t size, size_t align, char *hex, size_t hex_size)
{
	size_t at = 0, pad = align == 8 ? 7 : 3;
	Elf64_Nhdr note;

	while (size - at >= sizeof note) {
		memcpy(&note, notes + at, sizeof note);
		at += sizeof note;
		size_t name = ((size_t)note.n_namesz + pad) & ~pad;
		size_t desc = ((size_t)note.n_descsz + pad) & ~pad;
		if (name > size - at || note.n_descsz > size - at - name)
			return false;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
		    memcmp(notes + at, "GNU", 4) == 0 && note.n_descsz > 0 &&
		    (size_t)note.n_descsz * 2 < hex_size) {
			for (size_t i = 0; i < note.n_descsz; i++) {
				hex[2 * i] = "0123456789abcdef"[notes[at + name + i] >> 4];
				hex[2 * i + 1] = "0123456789abcdef"[notes[at + name + i] & 15];
			}
			hex[2 * (size_t)note.n_descsz] = '\0';
			return true;
		}
		if (desc > size - at - name)
			return false;
		at += name + desc;
	}
	return false;
}

void
pf_elf_build_id(const struct pf_elf *file, char *hex, size_t size)
{
	GElf_Phdr segment;
	GElf_Shdr section;
	size_t count;

	hex[0] = '\0';
	/* Sections first: in a separate debug file the segments' notes may hold no bytes. */
	for (Elf_Scn *s = elf_nextscn(file->elf, NULL); s; s = elf_nextscn(file->elf, s)) {
		if (gelf_getshdr(s, &section) && section.sh_type == SHT_NOTE &&
		    pf_elf_section_bytes(file, &section) &&
		    find_build_id(file->image + section.sh_offset, section.sh_size,
			section.sh_addralign, hex, size))
			return;
	}
	if (elf_getphdrnum(file->elf, &count) != 0)
		return;
	for (size_t i = 0; i < count; i++) {
		if (gelf_getphdr(file->elf, (int)i, &segment) && segment.p_type == PT_NOTE &&
		    segment.p_offset <= file->size &&
		    segment.p_filesz <= file->size - segment.p_offset &&
		    find_build_id(file->image + segment.p_offset, segment.p_filesz, segment.p_align,
			hex, size))
			return;
	}
}
