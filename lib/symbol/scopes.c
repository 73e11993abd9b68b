/*
 * scopes.c: one function and what was inlined into it.
 *
 * The function's entries are walked once, in the order of the file, without
 * recursion. A function inside it (gcc nests them) stands by itself: neither it
 * nor what was inlined there belongs to the outer one.
 */
#include "symbol/entries.h"

#include <stdlib.h>

#include "core/error.h"
#include "core/memory.h"
#include "symbol/dwarf_constants.h"

/* A file cannot nest this deep and mean it. */
#define LEVELS_MAX 4096

/* Bytes of scopes that are kept. */
#define KEPT_MAX ((size_t)16 << 20)

/* For so many questions, looking through all ranges costs less than sorting them. */
#define FEW 40

static uint32_t
narrow(const struct pf_attributes *a, enum pf_attribute which)
{
	uint64_t value = pf_attributes_number(a, which, 0);

	return value <= UINT32_MAX ? (uint32_t)value : 0;
}

/* Adds the scope of the entry just met; *inside becomes it, for the entries below. */
static int
add_scope(struct pf_scopes *s, struct pf_entries *e, const struct pf_abbrev *abbrev,
    uint64_t offset, uint32_t *inside, struct pf_error *err)
{
	const struct pf_value *origin;
	struct pf_attributes a;
	struct pf_scope scope = {.origin = offset, .parent = *inside, .function = PF_NONE};

	pf_entries_attributes(e, abbrev, &a);
	origin = &a.values[PF_ATTRIBUTE_ORIGIN];
	/* Copies are known by what they are copies of; a definition is only met once. */
	if (abbrev->tag == DW_TAG_inlined_subroutine &&
	    pf_attributes_have(&a, PF_ATTRIBUTE_ORIGIN) &&
	    (origin->kind == PF_VALUE_REFERENCE ||
		origin->kind == PF_VALUE_SUPPLEMENTARY_REFERENCE)) {
		scope.origin = origin->number;
		scope.supplementary = origin->kind == PF_VALUE_SUPPLEMENTARY_REFERENCE;
	}
	scope.call_file = narrow(&a, PF_ATTRIBUTE_CALL_FILE);
	scope.call_line = narrow(&a, PF_ATTRIBUTE_CALL_LINE);
	scope.call_discriminator = narrow(&a, PF_ATTRIBUTE_CALL_DISCRIMINATOR);
	if (s->count >= PF_NONE - 1 || PF_GROW(s->items, s->capacity, s->count + 1, err))
		return pf_error_nomem(err);
	*inside = (uint32_t)s->count;
	s->items[s->count++] = scope;
	return pf_attributes_ranges(e->dwarf, e->unit, &a, NULL, &s->ranges, *inside, err);
}

/* Looks at one entry; *inside is the scope it lies in, afterwards that of the entries below it. */
static int
visit(struct pf_scopes *s, struct pf_entries *e, const struct pf_abbrev *abbrev, uint64_t offset,
    uint32_t *inside, struct pf_error *err)
{
	bool first = s->count == 0;

	if (first || (abbrev->tag == DW_TAG_inlined_subroutine && *inside != PF_NONE))
		return add_scope(s, e, abbrev, offset, inside, err);
	if (abbrev->tag == DW_TAG_subprogram)
		*inside = PF_NONE;
	pf_entries_skip(e, abbrev);
	return 0;
}

static int
walk(struct pf_scopes *s, struct pf_entries *e, struct pf_error *err)
{
	struct pf_dwarf *d = e->dwarf;
	size_t depth = 0;
	int rc = 0;

	do {
		uint64_t offset = pf_entries_offset(e);
		const struct pf_abbrev *abbrev = pf_entries_next(e);
		uint32_t inside = depth ? d->levels[depth - 1] : PF_NONE;

		if (!abbrev) {
			depth -= depth > 0;
			continue;
		}
		rc = visit(s, e, abbrev, offset, &inside, err);
		if (!rc && abbrev->children) {
			if (depth >= LEVELS_MAX)
				return pf_error_set(err, PF_EINPUT,
				    ".debug_info: entries nest over %d deep at offset 0x%llx",
				    LEVELS_MAX, (unsigned long long)offset);
			rc = PF_GROW(d->levels, d->level_capacity, depth + 1, err);
			if (!rc)
				d->levels[depth++] = inside;
		}
	} while (!rc && depth > 0 && pf_entries_more(e));
	return rc;
}

void
pf_scopes_release(struct pf_scopes *scopes)
{
	free(scopes->items);
	pf_ranges_release(&scopes->ranges);
	*scopes = (struct pf_scopes){0};
}

static size_t
size_of(const struct pf_scopes *s)
{
	return s->capacity * sizeof *s->items + s->ranges.capacity * sizeof *s->ranges.items;
}

static int
read_function(struct pf_scopes *s, struct pf_dwarf *dwarf, const struct pf_unit *unit,
    uint32_t entry, struct pf_error *err)
{
	uint64_t offset = unit->tree->offset + unit->entries[entry];
	struct pf_entries e;
	int rc;

	s->unit = NULL;
	s->count = 0;
	s->ranges.count = 0;
	s->questions = 0;
	s->flat = false;
	rc = pf_entries_init(&e, dwarf, unit->tree, offset, err);
	if (!rc)
		rc = walk(s, &e, err);
	if (!rc)
		rc = pf_entries_finish(&e, err);
	if (rc)
		return rc;
	s->unit = unit;
	s->entry = entry;
	return 0;
}

int
pf_scopes_read(struct pf_dwarf *dwarf, const struct pf_unit *unit, uint32_t entry,
    struct pf_scopes **scopes, struct pf_error *err)
{
	uint32_t hash = pf_hash_pair(unit->offset, entry);
	struct pf_scopes *s = &dwarf->slots[hash % PF_SCOPES_SLOTS];
	int rc = 0;

	*scopes = s;
	if (s->unit == unit && s->entry == entry)
		return 0;
	dwarf->slots_size -= s->size;
	rc = read_function(s, dwarf, unit, entry, err);
	s->size = size_of(s);
	dwarf->slots_size += s->size;
	for (size_t i = 0; i < PF_SCOPES_SLOTS && dwarf->slots_size > KEPT_MAX; i++) {
		struct pf_scopes *other = &dwarf->slots[i];
		if (other == s)
			continue;
		dwarf->slots_size -= other->size;
		pf_scopes_release(other);
	}
	return rc;
}

int
pf_scopes_find(
    struct pf_scopes *s, uint64_t address, uint32_t *scope, uint64_t *until, struct pf_error *err)
{
	int rc = 0;

	if (!s->flat && s->questions++ >= FEW) {
		rc = pf_ranges_flatten(&s->ranges, err);
		s->flat = rc == 0;
	}
	*scope = PF_NONE;
	if (rc)
		return rc;
	if (s->flat) {
		*scope = pf_ranges_piece(&s->ranges, address, until);
		return 0;
	}
	*until = address + 1;
	/* The last one to cover it is the innermost: scopes are in the order of the entries. */
	for (size_t i = s->ranges.count; i-- > 0 && *scope == PF_NONE;) {
		const struct pf_range *r = &s->ranges.items[i];
		if (r->low <= address && address < r->high)
			*scope = r->rank;
	}
	return 0;
}
