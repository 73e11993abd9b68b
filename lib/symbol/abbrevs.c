/*
 * abbrevs.c: see abbrevs.h. Format: DWARF 5, section 7.5.3.
 *
 * Compilers number codes from 1 without gaps, so a code is a place in an array;
 * tables that don't do so get an index. Of two abbreviations with one code the
 * first counts.
 */
#include "symbol/abbrevs.h"

#include <stdlib.h>

#include "core/error.h"
#include "core/memory.h"
#include "symbol/dwarf_constants.h"
#include "symbol/dwarf_cursor.h"

/* The size of a form that is the same in every unit of the 32-bit format; -1: it varies. */
static int
fixed_size(uint64_t form)
{
	switch (form) {
	case DW_FORM_flag_present:
	case DW_FORM_implicit_const:
		return 0;
	case DW_FORM_data1:
	case DW_FORM_ref1:
	case DW_FORM_flag:
	case DW_FORM_strx1:
	case DW_FORM_addrx1:
		return 1;
	case DW_FORM_data2:
	case DW_FORM_ref2:
	case DW_FORM_strx2:
	case DW_FORM_addrx2:
		return 2;
	case DW_FORM_strx3:
	case DW_FORM_addrx3:
		return 3;
	case DW_FORM_data4:
	case DW_FORM_ref4:
	case DW_FORM_strx4:
	case DW_FORM_addrx4:
	case DW_FORM_ref_sup4:
	case DW_FORM_strp:
	case DW_FORM_line_strp:
	case DW_FORM_sec_offset:
	case DW_FORM_strp_sup:
	case DW_FORM_GNU_ref_alt:
	case DW_FORM_GNU_strp_alt:
		return 4;
	case DW_FORM_addr:
	case DW_FORM_data8:
	case DW_FORM_ref8:
	case DW_FORM_ref_sig8:
	case DW_FORM_ref_sup8:
		return 8;
	case DW_FORM_data16:
		return 16;
	default:
		return -1; /* ref_addr too: in DWARF 2 it is an address */
	}
}

static enum pf_attribute
which(uint64_t name)
{
	switch (name) {
	case DW_AT_low_pc:
		return PF_ATTRIBUTE_LOW;
	case DW_AT_high_pc:
		return PF_ATTRIBUTE_HIGH;
	case DW_AT_ranges:
		return PF_ATTRIBUTE_RANGES;
	case DW_AT_abstract_origin:
	case DW_AT_specification:
		return PF_ATTRIBUTE_ORIGIN;
	case DW_AT_call_file:
		return PF_ATTRIBUTE_CALL_FILE;
	case DW_AT_call_line:
		return PF_ATTRIBUTE_CALL_LINE;
	case DW_AT_GNU_discriminator:
		return PF_ATTRIBUTE_CALL_DISCRIMINATOR;
	case DW_AT_name:
		return PF_ATTRIBUTE_NAME;
	case DW_AT_linkage_name:
	case DW_AT_MIPS_linkage_name:
		return PF_ATTRIBUTE_LINKAGE_NAME;
	case DW_AT_decl_line:
		return PF_ATTRIBUTE_DECL_LINE;
	case DW_AT_sibling:
		return PF_ATTRIBUTE_SIBLING;
	case DW_AT_stmt_list:
		return PF_ATTRIBUTE_LINES;
	case DW_AT_comp_dir:
		return PF_ATTRIBUTE_DIRECTORY;
	case DW_AT_dwo_name:
	case DW_AT_GNU_dwo_name:
		return PF_ATTRIBUTE_DWO_NAME;
	case DW_AT_GNU_dwo_id:
		return PF_ATTRIBUTE_DWO_ID;
	case DW_AT_str_offsets_base:
		return PF_ATTRIBUTE_STR_OFFSETS_BASE;
	case DW_AT_addr_base:
	case DW_AT_GNU_addr_base:
		return PF_ATTRIBUTE_ADDR_BASE;
	case DW_AT_rnglists_base:
		return PF_ATTRIBUTE_RNGLISTS_BASE;
	case DW_AT_GNU_ranges_base:
		return PF_ATTRIBUTE_RANGES_BASE;
	case DW_AT_language:
		return PF_ATTRIBUTE_LANGUAGE;
	default:
		return PF_ATTRIBUTES;
	}
}

static int
add_attribute(
    struct pf_abbrevs *t, uint64_t name, uint64_t form, int64_t constant, struct pf_error *err)
{
	/* Forms that do not fit belong to nobody we know: the reader refuses them. */
	struct pf_abbrev_attribute a = {.which = (uint8_t)which(name),
	    .form = form <= UINT16_MAX ? (uint16_t)form : UINT16_MAX,
	    .constant = (uint32_t)t->constant_count};

	if (PF_GROW(t->attributes, t->attribute_capacity, t->attribute_count + 1, err))
		return PF_ENOMEM;
	t->attributes[t->attribute_count++] = a;
	if (form != DW_FORM_implicit_const)
		return 0;
	if (PF_GROW(t->constants, t->constant_capacity, t->constant_count + 1, err))
		return PF_ENOMEM;
	t->constants[t->constant_count++] = constant;
	return 0;
}

/* Reads one abbreviation behind its code. */
static int
read_one(struct pf_abbrevs *t, struct pf_cursor *c, uint64_t code, struct pf_error *err)
{
	uint64_t tag = pf_cursor_varint(c), name, form;
	struct pf_abbrev a = {.code = code,
	    .first = (uint32_t)t->attribute_count,
	    .tag = tag <= UINT16_MAX ? (uint16_t)tag : 0,
	    .children = pf_dwarf_u8(c) != 0};
	uint64_t fixed = 0;
	bool varies = false;
	int rc = 0;

	while (!rc && !c->failure) {
		name = pf_cursor_varint(c);
		form = pf_cursor_varint(c);
		if (name == 0 && form == 0)
			break;
		rc = add_attribute(
		    t, name, form, form == DW_FORM_implicit_const ? pf_dwarf_sleb(c) : 0, err);
		a.has_code |= name == DW_AT_low_pc || name == DW_AT_ranges;
		int size = fixed_size(form);
		varies |= size < 0;
		fixed += size > 0 ? (uint64_t)size : 0;
	}
	if (rc || c->failure)
		return rc;
	if (t->attribute_count >= PF_NONE || t->count >= PF_NONE)
		return pf_error_nomem(err);
	a.count = (uint32_t)t->attribute_count - a.first;
	a.fixed = varies || fixed > UINT16_MAX ? 0 : (uint32_t)fixed;
	if (PF_GROW(t->items, t->capacity, t->count + 1, err))
		return PF_ENOMEM;
	t->dense &= code == t->count + 1;
	t->items[t->count++] = a;
	return 0;
}

static int
build_index(struct pf_abbrevs *t, struct pf_error *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < t->count; i++)
		rc = pf_index_add(&t->index, pf_hash_u64(t->items[i].code), (uint32_t)i, err);
	return rc;
}

int
pf_abbrevs_read(struct pf_abbrevs *table, struct pf_bytes section, uint64_t offset, uint64_t only,
    uint64_t *size, struct pf_error *err)
{
	struct pf_cursor c;
	uint64_t code;
	int rc = 0;

	table->dense = true;
	pf_cursor_init(&c, ".debug_abbrev", section.at, section.size);
	pf_cursor_skip(&c, offset);
	while (!rc && (code = pf_cursor_varint(&c)) != 0) {
		rc = read_one(table, &c, code, err);
		if (code == only)
			break;
	}
	*size = pf_cursor_offset(&c) - (offset < section.size ? offset : section.size);
	if (!rc)
		rc = pf_cursor_check(&c, err);
	if (!rc && !table->dense)
		rc = build_index(table, err);
	return rc;
}

void
pf_abbrevs_clear(struct pf_abbrevs *table)
{
	table->count = table->attribute_count = table->constant_count = 0;
	pf_index_release(&table->index);
}

void
pf_abbrevs_release(struct pf_abbrevs *table)
{
	free(table->items);
	free(table->attributes);
	free(table->constants);
	pf_index_release(&table->index);
	*table = (struct pf_abbrevs){0};
}

const struct pf_abbrev *
pf_abbrevs_find(const struct pf_abbrevs *table, uint64_t code)
{
	size_t at = 0;

	if (table->dense)
		return code - 1 < table->count ? &table->items[code - 1] : NULL;
	for (uint32_t i = pf_index_first(&table->index, pf_hash_u64(code), &at); i != PF_NONE;
	    i = pf_index_next(&table->index, pf_hash_u64(code), &at)) {
		if (table->items[i].code == code)
			return &table->items[i];
	}
	return NULL;
}
