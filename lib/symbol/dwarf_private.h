/*
 * dwarf_private.h: units, their functions and line tables, of an open binary.
 *
 * Debug information comes in files: the binary itself or the separate one that
 * belongs to it, the supplementary one that dwz shares between binaries, and the
 * .dwo files of split DWARF. Each has sections, units and tables of abbreviations.
 *
 * What stays in memory of a unit that was hit is small: where its functions lie,
 * and marks into its line program. One function's scopes at a time are read from
 * its entries, and one stretch of a line program.
 *
 * The file is untrusted. An entry costs what its bytes cost, but a damaged file
 * may name the same bytes over and over, so all reading is paid from an allowance
 * (pf_dwarf_spend): a multiple of the file's size, and a little for each question.
 */
#ifndef PF_SYMBOL_DWARF_PRIVATE_H
#define PF_SYMBOL_DWARF_PRIVATE_H

#include <stdbool.h>

#include "core/index.h"
#include "symbol/abbrevs.h"
#include "symbol/dwarf.h"
#include "symbol/elf.h"
#include "symbol/lines.h"
#include "symbol/ranges.h"

struct pf_binary;

enum pf_section {
	PF_SECTION_INFO,
	PF_SECTION_ABBREV,
	PF_SECTION_LINE,
	PF_SECTION_LINE_STR,
	PF_SECTION_STR,
	PF_SECTION_STR_OFFSETS,
	PF_SECTION_ADDR,
	PF_SECTION_RANGES,
	PF_SECTION_RNGLISTS,
	PF_SECTIONS
};

/* A table of abbreviations by its offset; units may share one. */
struct pf_abbrev_table {
	uint64_t offset;
	struct pf_abbrevs abbrevs;
};

/* One file with debug information. */
struct pf_debug_file {
	struct pf_bytes sections[PF_SECTIONS];
	uint8_t
	    *owned[PF_SECTIONS]; /* inflated copies; NULL: the section is in the file's mapping */
	struct pf_unit *units;   /* by offset */
	size_t unit_count, unit_capacity;
	struct pf_abbrev_table *tables;
	size_t table_count, table_capacity;
	struct pf_index table_index; /* by offset */
	uint32_t number;             /* 0 the main file, 1 the supplementary one, then .dwo files */
	struct pf_elf elf;           /* owned mapping; empty where somebody else has it */
};

struct pf_unit {
	struct pf_debug_file *file;
	uint64_t offset, first,
	    end; /* in .debug_info: header, root entry, one past the last byte */
	uint64_t abbrev_offset;
	uint64_t low; /* what its range lists start from */
	uint64_t str_offsets_base, addr_base, rnglists_base, ranges_base;
	uint64_t line_offset; /* of its line table; UINT64_MAX: none */
	uint64_t dwo_id;
	const char *directory, *dwo_name; /* in a section; NULL */
	struct pf_unit *tree; /* whose entries describe the code: itself or its .dwo file's unit */
	struct pf_ranges functions; /* address to place in `entries` */
	uint32_t *entries;          /* functions' entries, from `tree`'s offset */
	size_t entry_count, entry_capacity;
	uint32_t table; /* of lines; PF_NONE: none */
	int code;       /* of the failed load; 0 */
	uint16_t version;
	uint8_t kind; /* DW_UT_… */
	bool wide;    /* the 64-bit format */
	bool split;   /* lies in a .dwo file */
	bool loaded;
};

/* A function as it was declared; scopes of all its copies share it. */
struct pf_dwarf_function {
	uint64_t offset;  /* of the entry asked first, in the .debug_info of… */
	uint32_t file;    /* …the file of this number */
	const char *name; /* linkage name, else plain name; NULL: none */
	uint32_t line;    /* of the declaration; 0: unknown */
	bool linkage;     /* whether `name` is a linkage name */
};

/* A function or an inlined copy of one, with the place it was inlined at. */
struct pf_scope {
	uint64_t origin;   /* offset of the entry to ask for the function */
	uint32_t parent;   /* scope; PF_NONE for a function that stands by itself */
	uint32_t function; /* PF_NONE until somebody asked */
	uint32_t call_file, call_line, call_discriminator;
	bool supplementary; /* origin is in that file */
};

/* The scopes of a function. */
struct pf_scopes {
	const struct pf_unit *unit; /* NULL: of none */
	uint32_t entry;             /* in the unit's entries */
	struct pf_scope *items;
	size_t count, capacity;
	struct pf_ranges ranges; /* address to scope */
	unsigned questions;      /* asked so far */
	bool flat;               /* ranges are sorted and cut */
	size_t size;             /* bytes it had when it was read */
};

/* Functions that were asked for lately are kept, up to a total size: each has one place it can be in. */
#define PF_SCOPES_SLOTS 512

/* A line table by its offset in .debug_line; units may share one. */
struct pf_unit_table {
	uint64_t offset;
	struct pf_line_table lines;
};

/* Addresses from the last one asked for on that lie in its innermost scope: only their lines differ. */
struct pf_chain_stretch {
	const struct pf_inline_chain *chain; /* that was asked for */
	uint64_t number, from, until;
	struct pf_unit *unit;
};

struct pf_dwarf {
	struct pf_binary *binary;
	struct pf_debug_file main, supplementary;
	struct pf_debug_file **splits; /* owned, each */
	size_t split_count, split_capacity;
	size_t missing_splits;        /* .dwo files that were not found */
	struct pf_ranges unit_ranges; /* address to UINT32_MAX - 1 - unit: the first unit wins */
	struct pf_unit_table *tables;
	size_t table_count, table_capacity;
	struct pf_index table_index;
	struct pf_line_window window;
	struct pf_chain_stretch stretch;
	struct pf_dwarf_function *functions;
	size_t function_count, function_capacity;
	struct pf_index function_index;
	struct pf_scopes slots[PF_SCOPES_SLOTS];
	size_t slots_size; /* bytes that hang on them */
	uint32_t
	    *levels; /* scratch of the walk over a function: the scope that each level lies in */
	size_t level_capacity;
	uint64_t allowance;       /* bytes that may still be read */
	uint64_t scope_allowance; /* the same of scopes of names */
	char **scoped;            /* owned, each: names with their scopes */
	size_t scoped_count, scoped_capacity;
	uint64_t touched; /* bytes of units loaded since the mappings were trimmed */
};

/* Takes bytes from the allowance; false once it is used up. */
bool pf_dwarf_spend(struct pf_dwarf *dwarf, uint64_t bytes);
/* PF_EINPUT for a file that makes us read the same bytes without end. */
int pf_dwarf_spent(struct pf_error *err);

/*
 * debug_file.c: finds the sections of an open ELF file (".debug_info", or
 * ".debug_info.dwo"…) and inflates the compressed ones. PF_EINPUT with the reason.
 */
int pf_debug_file_init(
    struct pf_debug_file *file, const struct pf_elf *elf, bool split, struct pf_error *err);
void pf_debug_file_release(struct pf_debug_file *file);
/* The table of abbreviations of a unit, read if it is new; PF_EINPUT, PF_ENOMEM. */
int pf_debug_file_abbrevs(struct pf_dwarf *dwarf, const struct pf_unit *unit,
    const struct pf_abbrevs **table, struct pf_error *err);
/* The same if it was read before, else NULL. */
const struct pf_abbrevs *pf_debug_file_known_abbrevs(
    const struct pf_debug_file *file, uint64_t offset);
/* The unit that an offset of .debug_info lies in, or NULL. */
struct pf_unit *pf_debug_file_unit(const struct pf_debug_file *file, uint64_t offset);

/*
 * units.c: reads the headers and root entries of all units of a file; with
 * `ranges` also which code of dwarf->binary each covers. Units that cannot be
 * read are left out. PF_ENOMEM.
 */
int pf_units_scan(
    struct pf_dwarf *dwarf, struct pf_debug_file *file, bool ranges, struct pf_error *err);
/* dwarf.c: finds the units of the files whose sections are there. PF_EINPUT, PF_ENOMEM. */
int pf_dwarf_scan(struct pf_dwarf *dwarf, struct pf_error *err);

/* dwarf.c: adds the code that a unit's line table covers, for units that do not say themselves. PF_ENOMEM. */
int pf_lines_ranges(
    struct pf_dwarf *dwarf, const struct pf_unit *unit, uint32_t rank, struct pf_error *err);

/* dwarf.c: what was found at open is brought to the unit for questions: lines, functions, a .dwo file. */
int pf_unit_load(struct pf_dwarf *dwarf, struct pf_unit *unit, struct pf_error *err);

/* The row of the unit's line table that covers an address, until the next call, or NULL. */
int pf_unit_row(struct pf_dwarf *dwarf, const struct pf_unit *unit, uint64_t address,
    const struct pf_line_row **row, struct pf_error *err);
/* The path of a file of the unit's line table, or NULL; see pf_line_table_path(). */
int pf_unit_path(struct pf_dwarf *dwarf, const struct pf_unit *unit, uint32_t file,
    const char **path, struct pf_error *err);

/* split.c: lets unit->tree be the unit of its .dwo file, if that is there. PF_ENOMEM. */
int pf_split_find(struct pf_dwarf *dwarf, struct pf_unit *unit, struct pf_error *err);

/* functions.c: fills unit->functions from unit->tree's entries. */
int pf_functions_read(struct pf_dwarf *dwarf, struct pf_unit *unit, struct pf_error *err);
/* The function a scope of a unit is a copy of, as a place in dwarf->functions: scope->function. */
int pf_function_of(struct pf_dwarf *dwarf, const struct pf_unit *unit, struct pf_scope *scope,
    struct pf_error *err);

/*
 * The same of an entry: follows those that declare a function. One that cannot be read ends the search. `nesting`: how
 * many functions that lie in each other were asked for already.
 */
int pf_function_describe(struct pf_dwarf *dwarf, const struct pf_unit *unit, uint64_t offset,
    unsigned nesting, struct pf_dwarf_function *function, struct pf_error *err);
/*
 * scope_names.c: puts the scope of the entry before its name, where it has one and is C++'s: "wait" becomes
 * "std::condition_variable::wait". What can't be read has none. PF_ENOMEM.
 */
int pf_scope_name(struct pf_dwarf *dwarf, const struct pf_unit *unit, uint64_t offset,
    unsigned nesting, const char **name, struct pf_error *err);

/* scopes.c: the scopes of one of the unit's functions, good until the next call. */
int pf_scopes_read(struct pf_dwarf *dwarf, const struct pf_unit *unit, uint32_t entry,
    struct pf_scopes **scopes, struct pf_error *err);
/* The innermost scope at an address, or PF_NONE; lowers *until to where that may change. PF_ENOMEM. */
int pf_scopes_find(struct pf_scopes *scopes, uint64_t address, uint32_t *scope, uint64_t *until,
    struct pf_error *err);
void pf_scopes_release(struct pf_scopes *scopes);

#endif
