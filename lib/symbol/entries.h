/*
 * entries.h: reading debugging information entries, one after the other.
 *
 * Attributes are read into slots; those that nobody here asks for are stepped
 * over. Values keep the form they were written in until somebody wants an
 * address, a string or a reference.
 */
#ifndef PF_SYMBOL_ENTRIES_H
#define PF_SYMBOL_ENTRIES_H

#include "symbol/dwarf_cursor.h"
#include "symbol/dwarf_private.h"

enum pf_value_kind {
	PF_VALUE_OTHER, /* nothing that is asked for here */
	PF_VALUE_NUMBER,
	PF_VALUE_OFFSET, /* in a section */
	PF_VALUE_LIST,   /* index into a table of range lists */
	PF_VALUE_ADDRESS,
	PF_VALUE_ADDRESS_INDEX,
	PF_VALUE_TEXT, /* number: place in .debug_info */
	PF_VALUE_STR,
	PF_VALUE_LINE_STR,
	PF_VALUE_STR_INDEX,
	PF_VALUE_SUPPLEMENTARY_STR,
	PF_VALUE_REFERENCE, /* number: offset in the same file's .debug_info */
	PF_VALUE_SUPPLEMENTARY_REFERENCE,
};

struct pf_value {
	enum pf_value_kind kind;
	uint64_t number;
};

struct pf_attributes {
	uint32_t present; /* bits of enum pf_attribute */
	struct pf_value values[PF_ATTRIBUTES];
};

static inline bool
pf_attributes_have(const struct pf_attributes *a, enum pf_attribute which)
{
	return a->present >> which & 1;
}

/* A number that an attribute has; `missing` if there is none. */
static inline uint64_t
pf_attributes_number(const struct pf_attributes *a, enum pf_attribute which, uint64_t missing)
{
	const struct pf_value *v = &a->values[which];

	if (!pf_attributes_have(a, which) ||
	    (v->kind != PF_VALUE_NUMBER && v->kind != PF_VALUE_OFFSET))
		return missing;
	return v->number;
}

/* Walks the entries of a unit. */
struct pf_entries {
	struct pf_dwarf *dwarf;
	const struct pf_unit *unit;
	const struct pf_abbrevs *abbrevs;
	struct pf_cursor cursor;
	uint64_t from; /* where the walk began */
};

/*
 * Starts at the entry at this offset of the unit's .debug_info. PF_EINPUT if it
 * lies outside the unit or the abbreviations cannot be read.
 */
int pf_entries_init(struct pf_entries *e, struct pf_dwarf *dwarf, const struct pf_unit *unit,
    uint64_t offset, struct pf_error *err);
/* The next entry's abbreviation, or NULL where the code 0 ends a level, and at the end. */
const struct pf_abbrev *pf_entries_next(struct pf_entries *e);
static inline bool
pf_entries_more(const struct pf_entries *e)
{
	return pf_cursor_more(&e->cursor);
}
/* The offset of what comes next. */
static inline uint64_t
pf_entries_offset(const struct pf_entries *e)
{
	return pf_cursor_offset(&e->cursor);
}
/* Behind pf_entries_next(): reads the entry's attributes, or steps over them. */
void pf_entries_attributes(
    struct pf_entries *e, const struct pf_abbrev *abbrev, struct pf_attributes *attributes);
void pf_entries_skip(struct pf_entries *e, const struct pf_abbrev *abbrev);
/*
 * Ends a walk: pays for what was read. 0, PF_EINPUT for what stopped the cursor
 * or an allowance that is used up.
 */
int pf_entries_finish(struct pf_entries *e, struct pf_error *err);

/* The string of a value, or NULL. */
const char *pf_value_string(
    const struct pf_dwarf *dwarf, const struct pf_unit *unit, const struct pf_value *value);
/* The address of a value; false where it has none. */
bool pf_value_address(const struct pf_dwarf *dwarf, const struct pf_unit *unit,
    const struct pf_value *value, uint64_t *address);

/*
 * Adds the code that attributes describe, as low and high address or as a range
 * list, to `ranges`. What cannot be read covers nothing. With `binary` only what
 * lies in its code. PF_ENOMEM.
 */
int pf_attributes_ranges(struct pf_dwarf *dwarf, const struct pf_unit *unit,
    const struct pf_attributes *a, const struct pf_binary *binary, struct pf_ranges *ranges,
    uint32_t rank, struct pf_error *err);

#endif
