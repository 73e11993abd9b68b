/*
 * units.c: the headers and root entries of all units; see dwarf_private.h.
 *
 * This is the only part whose cost grows with the number of units in a binary
 * and not with what was asked: compilers other than gcc write no table from
 * addresses to units. It reads a unit's header, its root entry and the ranges of
 * its code, and steps over everything else.
 */
#include "symbol/entries.h"

#include <stdlib.h>

#include "core/error.h"
#include "core/memory.h"
#include "symbol/binary.h"
#include "symbol/dwarf_constants.h"

/* Abbreviations are searched this far for the root's; behind it the whole table is read and kept. */
#define NEAR 1024

struct scan {
	struct pf_dwarf *dwarf;
	struct pf_debug_file *file;
	const struct pf_binary *binary; /* NULL: ranges are not asked for */
	struct pf_abbrevs scratch;
};

/* Reads the header at the cursor; false at one that cannot be. */
static bool
read_header(struct pf_unit *unit, struct pf_cursor *c)
{
	uint64_t length;
	uint8_t address_size;

	unit->offset = pf_cursor_offset(c);
	length = pf_cursor_u32(c);
	unit->wide = length == UINT32_MAX;
	if (unit->wide)
		length = pf_cursor_u64(c);
	struct pf_cursor body = pf_cursor_slice(c, length);
	unit->end = pf_cursor_offset(c);
	unit->version = pf_dwarf_u16(&body);
	if (unit->version >= 5) {
		unit->kind = pf_dwarf_u8(&body);
		address_size = pf_dwarf_u8(&body);
		unit->abbrev_offset = pf_dwarf_offset(&body, unit->wide);
		if (unit->kind == DW_UT_skeleton || unit->kind == DW_UT_split_compile)
			unit->dwo_id = pf_cursor_u64(&body);
		else if (unit->kind == DW_UT_type || unit->kind == DW_UT_split_type)
			pf_cursor_skip(&body, 8 + (unit->wide ? 8 : 4));
	} else {
		unit->kind = DW_UT_compile;
		unit->abbrev_offset = pf_dwarf_offset(&body, unit->wide);
		address_size = pf_dwarf_u8(&body);
	}
	unit->first = pf_cursor_offset(&body);
	return !c->failure && !body.failure && unit->version >= 2 && unit->version <= 5 &&
	       address_size == 8;
}

/* The root's attributes that the rest of the unit is read by. Some have defaults in .dwo files. */
static void
take_root(struct pf_unit *unit, const struct pf_dwarf *dwarf, const struct pf_attributes *a)
{
	bool split5 = unit->split && unit->version >= 5;

	unit->str_offsets_base = pf_attributes_number(
	    a, PF_ATTRIBUTE_STR_OFFSETS_BASE, split5 ? (unit->wide ? 16 : 8) : 0);
	unit->rnglists_base = pf_attributes_number(
	    a, PF_ATTRIBUTE_RNGLISTS_BASE, split5 ? (unit->wide ? 20 : 12) : 0);
	unit->addr_base = pf_attributes_number(a, PF_ATTRIBUTE_ADDR_BASE, 0);
	unit->ranges_base = pf_attributes_number(a, PF_ATTRIBUTE_RANGES_BASE, 0);
	unit->line_offset = pf_attributes_number(a, PF_ATTRIBUTE_LINES, UINT64_MAX);
	unit->dwo_id = pf_attributes_number(a, PF_ATTRIBUTE_DWO_ID, unit->dwo_id);
	if (pf_attributes_have(a, PF_ATTRIBUTE_DIRECTORY))
		unit->directory = pf_value_string(dwarf, unit, &a->values[PF_ATTRIBUTE_DIRECTORY]);
	if (pf_attributes_have(a, PF_ATTRIBUTE_DWO_NAME))
		unit->dwo_name = pf_value_string(dwarf, unit, &a->values[PF_ATTRIBUTE_DWO_NAME]);
	if (!pf_attributes_have(a, PF_ATTRIBUTE_LOW) ||
	    !pf_value_address(dwarf, unit, &a->values[PF_ATTRIBUTE_LOW], &unit->low))
		unit->low = 0;
}

/*
 * Starts at the root entry. Mostly its abbreviation is the first of its table,
 * so the table is read only so far.
 */
static const struct pf_abbrev *
open_root(struct scan *s, struct pf_entries *e, const struct pf_unit *unit, int *rc)
{
	struct pf_bytes info = s->file->sections[PF_SECTION_INFO];
	struct pf_bytes abbrev = s->file->sections[PF_SECTION_ABBREV];
	struct pf_cursor peek;
	uint64_t size;

	if (pf_debug_file_known_abbrevs(s->file, unit->abbrev_offset)) {
		*rc = pf_entries_init(e, s->dwarf, unit, unit->first, NULL);
		return *rc ? NULL : pf_entries_next(e);
	}
	pf_abbrevs_clear(&s->scratch);
	pf_cursor_init(&peek, ".debug_info", info.at + unit->first, unit->end - unit->first);
	*rc = pf_abbrevs_read(
	    &s->scratch, abbrev, unit->abbrev_offset, pf_cursor_varint(&peek), &size, NULL);
	if (*rc != PF_ENOMEM && !pf_dwarf_spend(s->dwarf, size))
		*rc = pf_dwarf_spent(NULL);
	else if (*rc == PF_EINPUT)
		return *rc = 0, NULL; /* the unit is left out */
	if (*rc)
		return NULL;
	*e = (struct pf_entries){
	    .dwarf = s->dwarf, .unit = unit, .abbrevs = &s->scratch, .from = unit->first};
	pf_cursor_init(&e->cursor, ".debug_info", info.at, unit->end);
	pf_cursor_skip(&e->cursor, unit->first);
	if (size > NEAR)
		*rc = pf_entries_init(e, s->dwarf, unit, unit->first, NULL);
	return *rc ? NULL : pf_entries_next(e);
}

static int
add_unit(struct scan *s, struct pf_unit unit, struct pf_error *err)
{
	struct pf_dwarf *d = s->dwarf;
	struct pf_debug_file *file = s->file;
	const struct pf_abbrev *abbrev;
	struct pf_attributes a;
	struct pf_entries e;
	size_t before = d->unit_ranges.count;
	uint32_t rank = UINT32_MAX - 1 - (uint32_t)file->unit_count;
	int rc = 0;

	abbrev = open_root(s, &e, &unit, &rc);
	if (rc)
		return rc == PF_ENOMEM ? pf_error_nomem(err) : pf_dwarf_spent(err);
	if (!abbrev)
		return 0;
	pf_entries_attributes(&e, abbrev, &a);
	if (e.cursor.failure)
		return 0;
	take_root(&unit, d, &a);
	if (file->unit_count >= PF_NONE - 1 ||
	    PF_GROW(file->units, file->unit_capacity, file->unit_count + 1, err))
		return pf_error_nomem(err);
	file->units[file->unit_count++] = unit;
	if (!s->binary ||
	    (abbrev->tag != DW_TAG_compile_unit && abbrev->tag != DW_TAG_skeleton_unit))
		return 0;
	rc = pf_attributes_ranges(d, &unit, &a, s->binary, &d->unit_ranges, rank, err);
	if (rc || d->unit_ranges.count > before)
		return rc;
	return pf_lines_ranges(d, &unit, rank, err);
}

int
pf_units_scan(struct pf_dwarf *dwarf, struct pf_debug_file *file, bool ranges, struct pf_error *err)
{
	struct pf_bytes info = file->sections[PF_SECTION_INFO];
	struct scan s = {.dwarf = dwarf, .file = file, .binary = ranges ? dwarf->binary : NULL};
	struct pf_cursor c;
	int rc = 0;

	pf_cursor_init(&c, ".debug_info", info.at, info.size);
	while (!rc && pf_cursor_more(&c)) {
		struct pf_unit unit = {.file = file, .table = PF_NONE, .split = file->number > 1};
		if (read_header(&unit, &c))
			rc = add_unit(&s, unit, err);
	}
	pf_abbrevs_release(&s.scratch);
	return rc;
}
