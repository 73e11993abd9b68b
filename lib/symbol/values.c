/*
 * values.c: what attributes stand for: strings, addresses, ranges of code; see
 * entries.h. Formats: DWARF 5, sections 2.17.3, 7.25 to 7.28.
 */
#include "symbol/entries.h"

#include "core/error.h"
#include "symbol/binary.h"
#include "symbol/dwarf_constants.h"

/* The i-th number of `size` bytes in a table behind `base`; false where there is none. */
static bool
table_entry(struct pf_bytes section, uint64_t base, uint64_t i, size_t size, uint64_t *number)
{
	if (base > section.size || i >= (section.size - base) / size)
		return false;
	*number = 0;
	for (size_t k = size; k-- > 0;)
		*number = *number << 8 | section.at[base + i * size + k];
	return true;
}

const char *
pf_value_string(
    const struct pf_dwarf *dwarf, const struct pf_unit *unit, const struct pf_value *value)
{
	const struct pf_bytes *sections = unit->file->sections;
	uint64_t offset;

	switch (value->kind) {
	case PF_VALUE_TEXT:
		return pf_bytes_string(sections[PF_SECTION_INFO], value->number);
	case PF_VALUE_STR:
		return pf_bytes_string(sections[PF_SECTION_STR], value->number);
	case PF_VALUE_LINE_STR:
		return pf_bytes_string(sections[PF_SECTION_LINE_STR], value->number);
	case PF_VALUE_STR_INDEX:
		if (!table_entry(sections[PF_SECTION_STR_OFFSETS], unit->str_offsets_base,
			value->number, unit->wide ? 8 : 4, &offset))
			return NULL;
		return pf_bytes_string(sections[PF_SECTION_STR], offset);
	case PF_VALUE_SUPPLEMENTARY_STR:
		return pf_bytes_string(
		    dwarf->supplementary.sections[PF_SECTION_STR], value->number);
	default:
		return NULL;
	}
}

static bool
address_at(const struct pf_dwarf *dwarf, const struct pf_unit *unit, uint64_t i, uint64_t *address)
{
	return table_entry(dwarf->main.sections[PF_SECTION_ADDR], unit->addr_base, i, 8, address);
}

bool
pf_value_address(const struct pf_dwarf *dwarf, const struct pf_unit *unit,
    const struct pf_value *value, uint64_t *address)
{
	if (value->kind == PF_VALUE_ADDRESS_INDEX)
		return address_at(dwarf, unit, value->number, address);
	*address = value->number;
	return value->kind == PF_VALUE_ADDRESS;
}

/* Where ranges go, and which count. */
struct sink {
	struct pf_dwarf *dwarf;
	const struct pf_unit *unit;
	const struct pf_binary *binary; /* NULL: any code */
	struct pf_ranges *ranges;
	uint32_t rank;
};

/* Code that the linker dropped has ranges at 0 or where no code is. */
static int
keep(const struct sink *s, uint64_t low, uint64_t high, struct pf_error *err)
{
	if (low == 0 || (s->binary && !pf_binary_executable(s->binary, low)))
		return 0;
	return pf_ranges_add(s->ranges, low, high, s->rank, err);
}

/* DWARF 2 to 4: pairs of offsets from a base, up to a pair of zeros. */
static int
read_old_list(const struct sink *s, struct pf_cursor *c, struct pf_error *err)
{
	uint64_t base = s->unit->low, low, high;
	int rc = 0;

	while (!rc && pf_cursor_more(c)) {
		low = pf_dwarf_u64(c);
		high = pf_dwarf_u64(c);
		if (low == 0 && high == 0)
			break;
		if (low == UINT64_MAX)
			base = high;
		else
			rc = keep(s, base + low, base + high, err);
	}
	return rc;
}

/* One entry of a DWARF 5 list: a range, or low = high where it is none. */
static void
read_entry(const struct sink *s, struct pf_cursor *c, uint8_t kind, uint64_t *base, uint64_t *low,
    uint64_t *high)
{
	uint64_t first = 0;
	bool known = true;

	*low = *high = 0;
	switch (kind) {
	case DW_RLE_base_addressx:
		*base = 0;
		address_at(s->dwarf, s->unit, pf_cursor_varint(c), base);
		return;
	case DW_RLE_base_address:
		*base = pf_dwarf_u64(c);
		return;
	case DW_RLE_startx_endx:
		known = address_at(s->dwarf, s->unit, pf_cursor_varint(c), &first);
		known &= address_at(s->dwarf, s->unit, pf_cursor_varint(c), high);
		break;
	case DW_RLE_startx_length:
		known = address_at(s->dwarf, s->unit, pf_cursor_varint(c), &first);
		*high = first + pf_cursor_varint(c);
		break;
	case DW_RLE_offset_pair:
		first = *base + pf_cursor_varint(c);
		*high = *base + pf_cursor_varint(c);
		break;
	case DW_RLE_start_end:
		first = pf_dwarf_u64(c);
		*high = pf_dwarf_u64(c);
		break;
	case DW_RLE_start_length:
		first = pf_dwarf_u64(c);
		*high = first + pf_cursor_varint(c);
		break;
	default:
		pf_cursor_fail(c, "an unknown entry in a range list");
		return;
	}
	*low = known ? first : 0;
}

static int
read_list(const struct sink *s, struct pf_cursor *c, struct pf_error *err)
{
	uint64_t base = s->unit->low, low, high;
	int rc = 0;

	while (!rc && pf_cursor_more(c)) {
		uint8_t kind = pf_dwarf_u8(c);
		if (kind == DW_RLE_end_of_list)
			break;
		read_entry(s, c, kind, &base, &low, &high);
		rc = keep(s, low, high, err);
	}
	return rc;
}

/* The section and the place in it of a range list. */
static bool
find_list(const struct pf_unit *unit, const struct pf_value *value, struct pf_bytes *section,
    uint64_t *offset)
{
	const struct pf_bytes *sections = unit->file->sections;
	uint64_t relative;

	*section = sections[unit->version >= 5 ? PF_SECTION_RNGLISTS : PF_SECTION_RANGES];
	if (value->kind == PF_VALUE_LIST) {
		if (!table_entry(*section, unit->rnglists_base, value->number, unit->wide ? 8 : 4,
			&relative))
			return false;
		*offset = unit->rnglists_base + relative;
		return true;
	}
	*offset = value->number + (unit->split ? unit->ranges_base : 0);
	return value->kind == PF_VALUE_OFFSET || value->kind == PF_VALUE_NUMBER;
}

static int
add_list(const struct sink *s, const struct pf_value *value, struct pf_error *err)
{
	const struct pf_unit *unit = s->unit;
	struct pf_bytes section;
	struct pf_cursor c;
	uint64_t offset;
	int rc;

	if (!find_list(unit, value, &section, &offset))
		return 0;
	/* Before DWARF 5, lists of split units stand in the binary. */
	if (unit->split && unit->version < 5)
		section = s->dwarf->main.sections[PF_SECTION_RANGES];
	if (offset >= section.size)
		return 0;
	pf_cursor_init(&c, ".debug_ranges", section.at, section.size);
	pf_cursor_skip(&c, offset);
	rc = unit->version >= 5 ? read_list(s, &c, err) : read_old_list(s, &c, err);
	if (!rc && !pf_dwarf_spend(s->dwarf, pf_cursor_offset(&c) - offset))
		rc = pf_dwarf_spent(err);
	return rc;
}

int
pf_attributes_ranges(struct pf_dwarf *dwarf, const struct pf_unit *unit,
    const struct pf_attributes *a, const struct pf_binary *binary, struct pf_ranges *ranges,
    uint32_t rank, struct pf_error *err)
{
	struct sink s = {
	    .dwarf = dwarf, .unit = unit, .binary = binary, .ranges = ranges, .rank = rank};
	const struct pf_value *end = &a->values[PF_ATTRIBUTE_HIGH];
	uint64_t low, high;

	if (pf_attributes_have(a, PF_ATTRIBUTE_LOW) && pf_attributes_have(a, PF_ATTRIBUTE_HIGH)) {
		if (!pf_value_address(dwarf, unit, &a->values[PF_ATTRIBUTE_LOW], &low))
			return 0;
		if (end->kind == PF_VALUE_NUMBER)
			high = end->number > UINT64_MAX - low ? 0 : low + end->number;
		else if (!pf_value_address(dwarf, unit, end, &high))
			return 0;
		return keep(&s, low, high, err);
	}
	if (!pf_attributes_have(a, PF_ATTRIBUTE_RANGES))
		return 0;
	return add_list(&s, &a->values[PF_ATTRIBUTE_RANGES], err);
}
