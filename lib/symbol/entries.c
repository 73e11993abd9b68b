/* entries.c: see entries.h. Formats: DWARF 5, sections 7.5.4 to 7.5.6. */
#include "symbol/entries.h"

#include "core/error.h"
#include "symbol/dwarf_constants.h"

int
pf_entries_init(struct pf_entries *e, struct pf_dwarf *dwarf, const struct pf_unit *unit,
    uint64_t offset, struct pf_error *err)
{
	struct pf_bytes info = unit->file->sections[PF_SECTION_INFO];

	*e = (struct pf_entries){.dwarf = dwarf, .unit = unit, .from = offset};
	if (offset < unit->first || offset >= unit->end)
		return pf_error_set(err, PF_EINPUT,
		    ".debug_info: a reference leads to offset 0x%llx, out of the unit at 0x%llx",
		    (unsigned long long)offset, (unsigned long long)unit->offset);
	pf_cursor_init(&e->cursor, ".debug_info", info.at, (size_t)unit->end);
	pf_cursor_skip(&e->cursor, offset);
	return pf_debug_file_abbrevs(dwarf, unit, &e->abbrevs, err);
}

const struct pf_abbrev *
pf_entries_next(struct pf_entries *e)
{
	uint64_t code = pf_cursor_varint(&e->cursor);
	const struct pf_abbrev *abbrev;

	if (code == 0)
		return NULL;
	abbrev = pf_abbrevs_find(e->abbrevs, code);
	if (!abbrev)
		pf_cursor_fail(&e->cursor, "an entry whose abbreviation is missing");
	return abbrev;
}

int
pf_entries_finish(struct pf_entries *e, struct pf_error *err)
{
	uint64_t read = pf_entries_offset(e) - e->from;

	if (!pf_dwarf_spend(e->dwarf, read + 1))
		return pf_dwarf_spent(err);
	return pf_cursor_check(&e->cursor, err);
}

static struct pf_value
block(struct pf_cursor *c, uint64_t size)
{
	pf_cursor_skip(c, size);
	return (struct pf_value){.kind = PF_VALUE_OTHER};
}

static struct pf_value
value(enum pf_value_kind kind, uint64_t number)
{
	return (struct pf_value){.kind = kind, .number = number};
}

static uint64_t
read_u24(struct pf_cursor *c)
{
	uint64_t low = pf_dwarf_u16(c);

	return low | (uint64_t)pf_dwarf_u8(c) << 16;
}

/* Forms that stand for a place elsewhere: strings, addresses and entries. */
static struct pf_value
read_place(struct pf_cursor *c, const struct pf_unit *unit, uint64_t form)
{
	switch (form) {
	case DW_FORM_strx1:
		return value(PF_VALUE_STR_INDEX, pf_dwarf_u8(c));
	case DW_FORM_strx2:
		return value(PF_VALUE_STR_INDEX, pf_dwarf_u16(c));
	case DW_FORM_strx3:
		return value(PF_VALUE_STR_INDEX, read_u24(c));
	case DW_FORM_strx4:
		return value(PF_VALUE_STR_INDEX, pf_dwarf_u32(c));
	case DW_FORM_strx:
	case DW_FORM_GNU_str_index:
		return value(PF_VALUE_STR_INDEX, pf_cursor_varint(c));
	case DW_FORM_addrx1:
		return value(PF_VALUE_ADDRESS_INDEX, pf_dwarf_u8(c));
	case DW_FORM_addrx2:
		return value(PF_VALUE_ADDRESS_INDEX, pf_dwarf_u16(c));
	case DW_FORM_addrx3:
		return value(PF_VALUE_ADDRESS_INDEX, read_u24(c));
	case DW_FORM_addrx4:
		return value(PF_VALUE_ADDRESS_INDEX, pf_dwarf_u32(c));
	case DW_FORM_addrx:
	case DW_FORM_GNU_addr_index:
		return value(PF_VALUE_ADDRESS_INDEX, pf_cursor_varint(c));
	case DW_FORM_strp_sup:
	case DW_FORM_GNU_strp_alt:
		return value(PF_VALUE_SUPPLEMENTARY_STR, pf_dwarf_offset(c, unit->wide));
	case DW_FORM_GNU_ref_alt:
		return value(PF_VALUE_SUPPLEMENTARY_REFERENCE, pf_dwarf_offset(c, unit->wide));
	case DW_FORM_ref_sup4:
		return value(PF_VALUE_SUPPLEMENTARY_REFERENCE, pf_dwarf_u32(c));
	case DW_FORM_ref_sup8:
		return value(PF_VALUE_SUPPLEMENTARY_REFERENCE, pf_dwarf_u64(c));
	case DW_FORM_ref_addr:
		return value(PF_VALUE_REFERENCE,
		    unit->version == 2 ? pf_dwarf_u64(c) : pf_dwarf_offset(c, unit->wide));
	case DW_FORM_ref1:
		return value(PF_VALUE_REFERENCE, unit->offset + pf_dwarf_u8(c));
	case DW_FORM_ref2:
		return value(PF_VALUE_REFERENCE, unit->offset + pf_dwarf_u16(c));
	case DW_FORM_ref4:
		return value(PF_VALUE_REFERENCE, unit->offset + pf_dwarf_u32(c));
	case DW_FORM_ref8:
		return value(PF_VALUE_REFERENCE, unit->offset + pf_dwarf_u64(c));
	case DW_FORM_ref_udata:
		return value(PF_VALUE_REFERENCE, unit->offset + pf_cursor_varint(c));
	case DW_FORM_ref_sig8:
		return block(c, 8);
	default:
		pf_cursor_fail(c, "an attribute of an unknown form");
		return value(PF_VALUE_OTHER, 0);
	}
}

static inline struct pf_value
read_value(struct pf_cursor *c, const struct pf_unit *unit, uint64_t form, int64_t constant)
{
	for (int indirections = 0; form == DW_FORM_indirect && indirections < 4; indirections++)
		form = pf_cursor_varint(c);
	switch (form) {
	case DW_FORM_addr:
		return value(PF_VALUE_ADDRESS, pf_dwarf_u64(c));
	case DW_FORM_data1:
	case DW_FORM_flag:
		return value(PF_VALUE_NUMBER, pf_dwarf_u8(c));
	case DW_FORM_data2:
		return value(PF_VALUE_NUMBER, pf_dwarf_u16(c));
	case DW_FORM_data4:
		return value(PF_VALUE_NUMBER, pf_dwarf_u32(c));
	case DW_FORM_data8:
		return value(PF_VALUE_NUMBER, pf_dwarf_u64(c));
	case DW_FORM_udata:
		return value(PF_VALUE_NUMBER, pf_cursor_varint(c));
	case DW_FORM_sdata:
		return value(PF_VALUE_NUMBER, (uint64_t)pf_dwarf_sleb(c));
	case DW_FORM_implicit_const:
		return value(PF_VALUE_NUMBER, (uint64_t)constant);
	case DW_FORM_flag_present:
		return value(PF_VALUE_NUMBER, 1);
	case DW_FORM_data16:
		return block(c, 16);
	case DW_FORM_block1:
		return block(c, pf_dwarf_u8(c));
	case DW_FORM_block2:
		return block(c, pf_dwarf_u16(c));
	case DW_FORM_block4:
		return block(c, pf_dwarf_u32(c));
	case DW_FORM_block:
	case DW_FORM_exprloc:
		return block(c, pf_cursor_varint(c));
	case DW_FORM_sec_offset:
		return value(PF_VALUE_OFFSET, pf_dwarf_offset(c, unit->wide));
	case DW_FORM_loclistx:
	case DW_FORM_rnglistx:
		return value(PF_VALUE_LIST, pf_cursor_varint(c));
	case DW_FORM_string: {
		uint64_t at = pf_cursor_offset(c);
		pf_dwarf_string(c);
		return value(PF_VALUE_TEXT, at);
	}
	case DW_FORM_strp:
		return value(PF_VALUE_STR, pf_dwarf_offset(c, unit->wide));
	case DW_FORM_line_strp:
		return value(PF_VALUE_LINE_STR, pf_dwarf_offset(c, unit->wide));
	default:
		return read_place(c, unit, form);
	}
}

static struct pf_value
read_attribute(struct pf_entries *e, const struct pf_abbrev_attribute *a)
{
	int64_t constant =
	    a->form == DW_FORM_implicit_const ? e->abbrevs->constants[a->constant] : 0;

	return read_value(&e->cursor, e->unit, a->form, constant);
}

/*
 * The forms that most attributes of functions have, in a few instructions; false
 * for any other, and where not enough bytes are left.
 */
static inline bool
read_common(struct pf_cursor *c, const struct pf_unit *unit, uint16_t form, struct pf_value *v)
{
	const uint8_t *at = c->at;

	if (c->end - at < 4)
		return false;
	switch (form) {
	case DW_FORM_data1:
		*v = (struct pf_value){PF_VALUE_NUMBER, at[0]};
		c->at = at + 1;
		return true;
	case DW_FORM_data2:
		*v = (struct pf_value){PF_VALUE_NUMBER, (uint64_t)(at[0] | at[1] << 8)};
		c->at = at + 2;
		return true;
	case DW_FORM_data4:
		*v = (struct pf_value){PF_VALUE_NUMBER, pf_dwarf_u32(c)};
		return true;
	case DW_FORM_ref4:
		*v = (struct pf_value){PF_VALUE_REFERENCE, unit->offset + pf_dwarf_u32(c)};
		return true;
	case DW_FORM_addrx:
		*v = (struct pf_value){PF_VALUE_ADDRESS_INDEX, pf_cursor_varint(c)};
		return true;
	case DW_FORM_rnglistx:
		*v = (struct pf_value){PF_VALUE_LIST, pf_cursor_varint(c)};
		return true;
	default:
		return false;
	}
}

void
pf_entries_attributes(
    struct pf_entries *e, const struct pf_abbrev *abbrev, struct pf_attributes *attributes)
{
	const struct pf_abbrev_attribute *a = e->abbrevs->attributes;
	uint32_t present = 0;

	for (uint32_t i = abbrev->first; i < abbrev->first + abbrev->count; i++) {
		struct pf_value v;
		if (!read_common(&e->cursor, e->unit, a[i].form, &v))
			v = read_attribute(e, &a[i]);
		if (a[i].which != PF_ATTRIBUTES && !(present >> a[i].which & 1)) {
			attributes->values[a[i].which] = v;
			present |= 1u << a[i].which;
		}
	}
	attributes->present = e->cursor.failure ? 0 : present;
}

void
pf_entries_skip(struct pf_entries *e, const struct pf_abbrev *abbrev)
{
	if (abbrev->fixed && !e->unit->wide) {
		pf_cursor_skip(&e->cursor, abbrev->fixed);
		return;
	}
	for (uint32_t i = 0; i < abbrev->count; i++)
		read_attribute(e, &e->abbrevs->attributes[abbrev->first + i]);
}
