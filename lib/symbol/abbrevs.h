/*
 * abbrevs.h: tables of abbreviations: which attributes an entry of a code has.
 */
#ifndef PF_SYMBOL_ABBREVS_H
#define PF_SYMBOL_ABBREVS_H

#include <stdbool.h>

#include "core/index.h"
#include "symbol/bytes.h"

struct pf_cursor;

/* The attributes that somebody here asks for. */
enum pf_attribute {
	PF_ATTRIBUTE_LOW,
	PF_ATTRIBUTE_HIGH,
	PF_ATTRIBUTE_RANGES,
	PF_ATTRIBUTE_ORIGIN, /* abstract origin or specification */
	PF_ATTRIBUTE_CALL_FILE,
	PF_ATTRIBUTE_CALL_LINE,
	PF_ATTRIBUTE_CALL_DISCRIMINATOR,
	PF_ATTRIBUTE_NAME,
	PF_ATTRIBUTE_LINKAGE_NAME,
	PF_ATTRIBUTE_DECL_LINE,
	PF_ATTRIBUTE_SIBLING,
	PF_ATTRIBUTE_LINES, /* offset of the line table */
	PF_ATTRIBUTE_DIRECTORY,
	PF_ATTRIBUTE_DWO_NAME,
	PF_ATTRIBUTE_DWO_ID,
	PF_ATTRIBUTE_STR_OFFSETS_BASE,
	PF_ATTRIBUTE_ADDR_BASE,
	PF_ATTRIBUTE_RNGLISTS_BASE,
	PF_ATTRIBUTE_RANGES_BASE,
	PF_ATTRIBUTE_LANGUAGE,
	PF_ATTRIBUTES /* any other */
};

struct pf_abbrev_attribute {
	uint8_t which; /* enum pf_attribute */
	uint16_t form;
	uint32_t constant; /* of DW_FORM_implicit_const: where in the table's constants */
};

/* What an entry that starts with `code` looks like. */
struct pf_abbrev {
	uint64_t code;
	uint32_t first, count; /* in the table's attributes */
	uint32_t fixed;        /* bytes of all attributes in the 32-bit format; 0: they vary */
	uint16_t tag;
	bool children;
	bool has_code; /* has a low address or ranges */
};

/* A zeroed struct is an empty table. */
struct pf_abbrevs {
	struct pf_abbrev *items;
	size_t count, capacity;
	struct pf_abbrev_attribute *attributes;
	size_t attribute_count, attribute_capacity;
	int64_t *constants;
	size_t constant_count, constant_capacity;
	bool dense;            /* code i + 1 is items[i] */
	struct pf_index index; /* by code, unless dense */
};

/*
 * Reads the table at an offset of .debug_abbrev, up to its end or, with `only`
 * other than 0, until that code was read. *size is how many bytes that took,
 * also after a failure. PF_EINPUT with the offset; PF_ENOMEM.
 */
int pf_abbrevs_read(struct pf_abbrevs *table, struct pf_bytes section, uint64_t offset,
    uint64_t only, uint64_t *size, struct pf_error *err);
/* Forgets the content and keeps the memory. */
void pf_abbrevs_clear(struct pf_abbrevs *table);
void pf_abbrevs_release(struct pf_abbrevs *table);

/* The abbreviation of a code, or NULL. */
const struct pf_abbrev *pf_abbrevs_find(const struct pf_abbrevs *table, uint64_t code);

#endif
