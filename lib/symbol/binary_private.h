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

#include "symbol/binary.h"
#include "symbol/elf.h"

struct pf_debug_file;
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
	struct pf_elf debug;    /* image NULL: debug information, if any, is in the main file */
	bool folders_searched;  /* folders that the user named were searched for it */
	struct pf_dwarf *dwarf; /* NULL: none */
	char no_lines[600];     /* why there are no lines; "" if there are */
	void (*note)(void *context, const char *text); /* or NULL */
	void *note_context;
	bool scoped_names;
};

/* The segment that holds a virtual address, or NULL. */
const struct pf_segment *pf_segment_at(const struct pf_binary *binary, uint64_t address);

/* symbols.c: fills binary->symbols from a file's .symtab, else .dynsym. */
int pf_symbols_load(struct pf_binary *binary, struct pf_error *err);

/* relocations.c: fills binary->relocations with those whose value is known at link time. */
int pf_relocations_load(struct pf_binary *binary, struct pf_error *err);

/* Tells the caller's options.note a sentence. */
void pf_binary_note(const struct pf_binary *binary, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * separate.c: finds the file that holds the debug information when the binary
 * was stripped of it; leaves binary->debug zeroed if there is none.
 */
int pf_separate_find(
    struct pf_binary *binary, const struct pf_binary_options *options, struct pf_error *err);
/* The name in .gnu_debuglink, or "": of a file that holds the debug information. */
const char *pf_separate_link(const struct pf_elf *file);
/*
 * Opens the file that holds what dwz took out of `file` to share it, if `file`
 * names one and it is found; else leaves `out` without sections.
 */
int pf_supplementary_find(const struct pf_binary *binary, const struct pf_elf *file,
    struct pf_debug_file *out, struct pf_error *err);

#endif
