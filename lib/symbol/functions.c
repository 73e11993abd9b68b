/*
 * functions.c: where the functions of a unit lie, and what they are called.
 *
 * A function's copies name the entry that declares it, which may name another in
 * turn (a definition its specification), also in another unit or file. Such
 * chains are followed a few steps only: damaged ones may be circles.
 */
#include "symbol/entries.h"

#include "core/error.h"
#include "core/memory.h"
#include "symbol/binary_private.h"
#include "symbol/dwarf_constants.h"

#define STEPS_MAX 16

static int
add_function(struct pf_unit *unit, uint64_t offset, struct pf_error *err)
{
	if (PF_GROW(unit->entries, unit->entry_capacity, unit->entry_count + 1, err))
		return PF_ENOMEM;
	unit->entries[unit->entry_count++] = (uint32_t)(offset - unit->tree->offset);
	return 0;
}

int
pf_functions_read(struct pf_dwarf *dwarf, struct pf_unit *unit, struct pf_error *err)
{
	const struct pf_unit *tree = unit->tree;
	const struct pf_abbrev *abbrev;
	struct pf_attributes a;
	struct pf_entries e;
	int rc = pf_entries_init(&e, dwarf, tree, tree->first, err);

	if (rc)
		return rc;
	if (tree->end - tree->offset > UINT32_MAX)
		return pf_error_set(err, PF_EINPUT, "a unit of .debug_info is over 4 GiB");
	while (!rc && pf_entries_more(&e)) {
		uint64_t offset = pf_entries_offset(&e);
		size_t before = unit->functions.count;
		abbrev = pf_entries_next(&e);
		if (!abbrev)
			continue;
		if (abbrev->tag != DW_TAG_subprogram || !abbrev->has_code) {
			pf_entries_skip(&e, abbrev);
			continue;
		}
		pf_entries_attributes(&e, abbrev, &a);
		rc = pf_attributes_ranges(
		    dwarf, tree, &a, NULL, &unit->functions, (uint32_t)unit->entry_count, err);
		if (!rc && unit->functions.count > before)
			rc = add_function(unit, offset, err);
	}
	if (!rc)
		rc = pf_entries_finish(&e, err);
	return rc ? rc : pf_ranges_flatten(&unit->functions, err);
}

/* Reads the entry at an offset of a file; false where there is none. */
static int
read_entry(struct pf_dwarf *dwarf, const struct pf_unit *unit, uint64_t offset,
    struct pf_attributes *a, struct pf_error *err)
{
	const struct pf_abbrev *abbrev;
	struct pf_entries e;
	int rc = pf_entries_init(&e, dwarf, unit, offset, err);

	a->present = 0;
	if (rc)
		return rc;
	abbrev = pf_entries_next(&e);
	if (abbrev)
		pf_entries_attributes(&e, abbrev, a);
	return pf_entries_finish(&e, err);
}

/* Takes what the function still lacks. */
static void
take_names(const struct pf_dwarf *dwarf, const struct pf_unit *unit, const struct pf_attributes *a,
    struct pf_dwarf_function *f, const char **plain)
{
	const char *text;

	if (!f->linkage && pf_attributes_have(a, PF_ATTRIBUTE_LINKAGE_NAME)) {
		text = pf_value_string(dwarf, unit, &a->values[PF_ATTRIBUTE_LINKAGE_NAME]);
		f->name = text;
		f->linkage = text != NULL;
	}
	if (!*plain && pf_attributes_have(a, PF_ATTRIBUTE_NAME))
		*plain = pf_value_string(dwarf, unit, &a->values[PF_ATTRIBUTE_NAME]);
	if (!f->line) {
		uint64_t line = pf_attributes_number(a, PF_ATTRIBUTE_DECL_LINE, 0);
		f->line = line <= UINT32_MAX ? (uint32_t)line : 0;
	}
}

int
pf_function_describe(struct pf_dwarf *dwarf, const struct pf_unit *unit, uint64_t offset,
    unsigned nesting, struct pf_dwarf_function *f, struct pf_error *err)
{
	const struct pf_unit *last_unit = NULL;
	const struct pf_value *origin;
	const char *plain = NULL;
	uint64_t last = 0;
	struct pf_attributes a;

	for (int step = 0; step < STEPS_MAX && unit; step++) {
		int rc = read_entry(dwarf, unit, offset, &a, err);
		if (rc == PF_ENOMEM)
			return rc;
		if (rc)
			break;
		take_names(dwarf, unit, &a, f, &plain);
		last_unit = unit;
		last = offset;
		if (!pf_attributes_have(&a, PF_ATTRIBUTE_ORIGIN))
			break;
		origin = &a.values[PF_ATTRIBUTE_ORIGIN];
		offset = origin->number;
		if (origin->kind == PF_VALUE_SUPPLEMENTARY_REFERENCE)
			unit = pf_debug_file_unit(&dwarf->supplementary, offset);
		else if (origin->kind == PF_VALUE_REFERENCE)
			unit = pf_debug_file_unit(unit->file, offset);
		else
			break;
	}
	if (f->linkage)
		return 0;
	f->name = plain;
	return plain && dwarf->binary->scoped_names
		   ? pf_scope_name(dwarf, last_unit, last, nesting, &f->name, err)
		   : 0;
}

int
pf_function_of(struct pf_dwarf *dwarf, const struct pf_unit *unit, struct pf_scope *scope,
    struct pf_error *err)
{
	const struct pf_debug_file *file =
	    scope->supplementary ? &dwarf->supplementary : unit->tree->file;
	struct pf_dwarf_function f = {.offset = scope->origin, .file = file->number};
	uint32_t hash = pf_hash_pair(f.offset, f.file);
	size_t at = 0;
	int rc;

	if (scope->function != PF_NONE)
		return 0;
	for (uint32_t i = pf_index_first(&dwarf->function_index, hash, &at); i != PF_NONE;
	    i = pf_index_next(&dwarf->function_index, hash, &at)) {
		if (dwarf->functions[i].offset == f.offset && dwarf->functions[i].file == f.file) {
			scope->function = i;
			return 0;
		}
	}
	rc = pf_function_describe(dwarf, pf_debug_file_unit(file, f.offset), f.offset, 0, &f, err);
	if (!rc && dwarf->function_count >= PF_NONE)
		rc = pf_error_nomem(err);
	if (!rc)
		rc = PF_GROW(
		    dwarf->functions, dwarf->function_capacity, dwarf->function_count + 1, err);
	if (!rc)
		rc = pf_index_add(
		    &dwarf->function_index, hash, (uint32_t)dwarf->function_count, err);
	if (rc)
		return rc;
	scope->function = (uint32_t)dwarf->function_count;
	dwarf->functions[dwarf->function_count++] = f;
	return 0;
}
