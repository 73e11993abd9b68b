/*
 * dwarf_private.h: units, scopes and line tables of an open binary.
 *
 * Everything here is owned by struct pf_dwarf, also while it is being built:
 * libdw leaves by longjmp when memory runs out (see pf_dwarf_guard), and then
 * nothing may hang on a local variable.
 */
#ifndef PF_SYMBOL_DWARF_PRIVATE_H
#define PF_SYMBOL_DWARF_PRIVATE_H

#include <elfutils/libdw.h>
#include <stdbool.h>

#include "core/index.h"
#include "symbol/dwarf.h"
#include "symbol/lines.h"
#include "symbol/ranges.h"

/* A function as it was declared; scopes of all its copies share it. */
struct pf_dwarf_function {
	uint64_t key;     /* address of the DIE that declares it */
	const char *name; /* linkage name, else plain name; NULL: none */
	bool linkage;     /* which of the two */
	uint32_t line;    /* of the declaration; 0: unknown */
};

/* A function or an inlined copy of one, with the place it was inlined at. */
struct pf_scope {
	uint32_t parent; /* scope; PF_NONE for a function that stands by itself */
	uint32_t function;
	uint32_t call_file, call_line, call_discriminator;
};

struct pf_unit {
	Dwarf_Off offset, end, die; /* in .debug_info */
	bool loaded;
	int code; /* of the failed load; 0 */
	const char *directory;
	uint32_t table; /* PF_NONE: none */
	struct pf_scope *scopes;
	size_t scope_count, scope_capacity;
	struct pf_ranges ranges; /* address to scope */
};

/* A line table by its offset in .debug_line; units may share one. */
struct pf_unit_table {
	uint64_t offset;
	struct pf_line_table lines;
};

/* One DIE's attributes that matter here, read in one pass. */
struct pf_die {
	Dwarf_Attribute low, high, origin;
	bool has_low, has_high, has_ranges, has_origin;
	Dwarf_Word call_file, call_line, call_discriminator;
};

/* A level of the walk down a unit's tree. */
struct pf_level {
	Dwarf_Die die;
	uint32_t scope; /* that its children lie in, or PF_NONE */
};

struct pf_dwarf {
	Dwarf *dwarf;
	bool broken; /* out of memory inside libdw: nothing of it may be called but dwarf_end */
	struct pf_bytes info;
	struct pf_line_sections sections;
	struct pf_unit *units;
	size_t unit_count, unit_capacity;
	struct pf_ranges unit_ranges; /* address to UINT32_MAX - 1 - unit: the first unit wins */
	struct pf_unit_table *tables;
	size_t table_count, table_capacity;
	struct pf_index table_index;
	struct pf_dwarf_function *functions;
	size_t function_count, function_capacity;
	struct pf_index function_index;
	struct pf_level *levels; /* scratch of the walk */
	size_t level_capacity;
};

/*
 * The DIE at an offset of .debug_info, or that a reference names. NULL where
 * there is none, and always once memory ran out: libdw 0.188 then returns units
 * whose table of abbreviations is missing, and crashes on their first use.
 */
Dwarf_Die *pf_dwarf_die(struct pf_dwarf *dwarf, Dwarf_Off offset, Dwarf_Die *die);
Dwarf_Die *pf_dwarf_reference(Dwarf_Attribute *attribute, Dwarf_Die *die);

/*
 * Runs `work` so that libdw's running out of memory comes back as PF_ENOMEM
 * instead of ending the process.
 */
int pf_dwarf_guard(struct pf_dwarf *dwarf,
    int (*work)(struct pf_dwarf *, void *, struct pf_error *), void *context, struct pf_error *err);

/* Reads a unit's lines and scopes; the outcome is kept in unit->code. */
int pf_unit_load(struct pf_dwarf *dwarf, struct pf_unit *unit, struct pf_error *err);

/* scopes.c: fills unit->scopes and unit->ranges. Only under the guard. */
int pf_scopes_read(
    struct pf_dwarf *dwarf, struct pf_unit *unit, Dwarf_Die *root, struct pf_error *err);

#endif
