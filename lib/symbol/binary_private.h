/*
 * binary_private.h: what the files of lib/symbol share about an open binary.
 *
 * The file is mapped privately for the whole life of the handle; sections are
 * views into it or, where the file keeps them compressed, owned copies.
 * Everything read from it is checked against its size first: the file is
 * untrusted.
 */
#ifndef PF_SYMBOL_BINARY_PRIVATE_H
#define PF_SYMBOL_BINARY_PRIVATE_H

#include <gelf.h>

#include "symbol/binary.h"

struct pf_dwarf;

/* A PT_LOAD segment; only bytes that the file holds count. */
struct pf_segment {
	uint64_t address, offset, size;
	bool executable;
};

/* A pointer in data that the dynamic linker fills in. */
struct pf_relocation {
	uint64_t address; /* where */
	uint64_t value;   /* virtual address as linked that the word will hold */
};

/* One mapped ELF file: the binary itself, or the separate file with its debug information. */
struct pf_elf {
	char *path; /* owned */
	uint8_t *image;
	size_t size;
	Elf *elf;
};

struct pf_binary {
	struct pf_elf main;
	char build_id[2 * 64 + 1]; /* lower-case hex */
	uint16_t machine;          /* EM_X86_64 or EM_AARCH64 */
	struct pf_segment *segments;
	size_t segment_count, segment_capacity;
	struct pf_symbol *symbols;
	size_t symbol_count, symbol_capacity;
	struct pf_relocation *relocations; /* by address */
	size_t relocation_count, relocation_capacity;
	struct pf_elf debug;    /* path NULL: debug information, if any, is in the main file */
	struct pf_dwarf *dwarf; /* NULL: none */
	char no_lines[600];     /* why there are no lines; "" if there are */
};

/* Maps a file and checks that it is a 64-bit little-endian ELF file of a machine we know. */
int pf_elf_open(struct pf_elf *file, const char *path, struct pf_error *err);
void pf_elf_release(struct pf_elf *file);
/* The machine of the header, EM_…. */
uint16_t pf_elf_machine(const struct pf_elf *file);
/* Writes the build id as lower-case hex; "" if there is none. */
void pf_elf_build_id(const struct pf_elf *file, char *hex, size_t size);

/* Whether a section's bytes all lie in the file. */
bool pf_elf_section_bytes(const struct pf_elf *file, const GElf_Shdr *header);
/* A section by name; NULL if missing or without bytes in the file. */
Elf_Scn *pf_elf_section(const struct pf_elf *file, const char *name);
/* The same for ".debug_<name>" or its older compressed form ".zdebug_<name>". */
Elf_Scn *pf_elf_debug_section(const struct pf_elf *file, const char *name);

/* The segment that holds a virtual address, or NULL. */
const struct pf_segment *pf_segment_at(const struct pf_binary *binary, uint64_t address);

/* symbols.c: fills binary->symbols from a file's .symtab, else .dynsym. */
int pf_symbols_load(struct pf_binary *binary, struct pf_error *err);

/* relocations.c: fills binary->relocations with those whose value is known at link time. */
int pf_relocations_load(struct pf_binary *binary, struct pf_error *err);

/*
 * separate.c: finds the file that holds the debug information when the binary
 * was stripped of it, by build id or .gnu_debuglink; leaves binary->debug
 * zeroed if there is none.
 */
int pf_separate_find(struct pf_binary *binary, struct pf_error *err);

#endif
