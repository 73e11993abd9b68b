/*
 * elf.h: one mapped 64-bit little-endian ELF file, its headers checked.
 *
 * A reader of our own: what is asked of ELF here are a few dozen lines over
 * bounded tables, every offset of an untrusted file is checked in one place, and
 * running out of memory is told apart from damage. Names that two headers agree
 * on are compared, nothing is ever written to the mapping.
 */
#ifndef PF_SYMBOL_ELF_H
#define PF_SYMBOL_ELF_H

#include <elf.h>
#include <stdbool.h>

#include "symbol/bytes.h"

struct pf_error;

struct pf_elf {
	char *path; /* owned */
	const uint8_t *image;
	size_t size;
	uint16_t machine, type;         /* EM_…, ET_… */
	size_t section_count, sections; /* how many headers, and their offset in the file */
	size_t segment_count, segments; /* the same for program headers */
	struct pf_bytes section_names;  /* .shstrtab */
	bool mapped;                    /* image is a mapping of ours */
};

/* What kinds of file to take; others are refused with a sentence. */
enum pf_elf_kind {
	PF_ELF_LINKED, /* executables and shared objects */
	PF_ELF_ANY,    /* relocatable files too: what holds split debug information */
};

/* Maps a file. On success it is to be released. PF_EIO, PF_EINPUT, PF_ENOMEM. */
int pf_elf_open(struct pf_elf *file, const char *path, enum pf_elf_kind kind, struct pf_error *err);
void pf_elf_release(struct pf_elf *file);
/* Lets the system take back the memory of what was read of the file; it is read again when it is needed. */
void pf_elf_trim(const struct pf_elf *file);

/* The i-th header; false past the last. */
bool pf_elf_section(const struct pf_elf *file, size_t i, Elf64_Shdr *header);
bool pf_elf_segment(const struct pf_elf *file, size_t i, Elf64_Phdr *header);

/* The bytes of a section as they are in the file; {NULL, 0} if it has none, or not all are there. */
struct pf_bytes pf_elf_bytes(const struct pf_elf *file, const Elf64_Shdr *header);

const char *pf_elf_section_name(const struct pf_elf *file, const Elf64_Shdr *header);
/* The first section of this name, or of this type, that has bytes in the file. */
bool pf_elf_named(const struct pf_elf *file, const char *name, Elf64_Shdr *header);
bool pf_elf_typed(const struct pf_elf *file, uint32_t type, Elf64_Shdr *header);
/* Whether there is ".debug_<name>", or its older compressed form ".zdebug_<name>". */
bool pf_elf_has_debug(const struct pf_elf *file, const char *name);

/* Writes the GNU build id as lower-case hex; "" if there is none. */
void pf_elf_build_id(const struct pf_elf *file, char *hex, size_t size);
/* `size` bytes as lower-case hex. */
void pf_elf_hex(char *hex, const uint8_t *bytes, size_t size);

#endif
