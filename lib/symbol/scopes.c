/*
 * scopes.c: the functions of a unit and what was inlined into them.
 *
 * The unit's DIEs are walked once, in the order of the file, without recursion
 * and without reading a subtree twice: dwarf_siblingof() would skip the whole
 * subtree again at every level, so after a last child the walk goes on behind
 * the zero byte that ended its siblings. Offsets only rise, which is what ends
 * the walk on damaged input.
 */
#include "symbol/dwarf_private.h"

#include <dwarf.h>
#include <errno.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"

#define DW_AT_GNU_DISCRIMINATOR \
	0x2136 /* DW_AT_GNU_discriminator; elfutils 0.188 has no name for it */

/* A file cannot nest this deep and mean it. */
#define LEVELS_MAX 4096

struct walk {
	struct pf_dwarf *dwarf;
	struct pf_unit *unit;
	size_t depth;
	Dwarf_Off last; /* offset of the last DIE visited */
};

static int
bad_die(const struct walk *w, struct pf_error *err)
{
	return pf_error_set(err, PF_EINPUT,
	    ".debug_info: cannot read the entry after offset 0x%llx: %s",
	    (unsigned long long)w->last, dwarf_errmsg(-1));
}

static int
take_attribute(Dwarf_Attribute *attribute, void *context)
{
	struct pf_die *die = context;

	switch (dwarf_whatattr(attribute)) {
	case DW_AT_low_pc:
		die->low = *attribute;
		die->has_low = true;
		break;
	case DW_AT_high_pc:
		die->high = *attribute;
		die->has_high = true;
		break;
	case DW_AT_ranges:
		die->has_ranges = true;
		break;
	case DW_AT_abstract_origin:
	case DW_AT_specification:
		die->origin = *attribute;
		die->has_origin = true;
		break;
	case DW_AT_call_file:
		dwarf_formudata(attribute, &die->call_file);
		break;
	case DW_AT_call_line:
		dwarf_formudata(attribute, &die->call_line);
		break;
	case DW_AT_GNU_DISCRIMINATOR:
		dwarf_formudata(attribute, &die->call_discriminator);
		break;
	default:
		break;
	}
	return DWARF_CB_OK;
}

/* The function that a DIE stands for: a number in dwarf->functions. */
static int
find_function(struct pf_dwarf *d, Dwarf_Die *die, const struct pf_die *attributes, uint32_t *number,
    struct pf_error *err)
{
	struct pf_dwarf_function f = {0};
	Dwarf_Attribute attribute, origin = attributes->origin;
	Dwarf_Die declared = *die;
	Dwarf_Word line;
	size_t at = 0;
	uint32_t hash;

	/* Copies are keyed by what they are copies of; a definition is only met once. */
	if (attributes->has_origin && dwarf_tag(die) == DW_TAG_inlined_subroutine &&
	    !pf_dwarf_reference(&origin, &declared)) {
		if (errno == ENOMEM)
			return pf_error_nomem(err);
		declared = *die;
	}
	f.key = (uint64_t)(uintptr_t)declared.addr;
	hash = pf_hash_u64(f.key);
	for (*number = pf_index_first(&d->function_index, hash, &at); *number != PF_NONE;
	    *number = pf_index_next(&d->function_index, hash, &at)) {
		if (d->functions[*number].key == f.key)
			return 0;
	}
	if (dwarf_attr_integrate(&declared, DW_AT_linkage_name, &attribute) ||
	    dwarf_attr_integrate(&declared, DW_AT_MIPS_linkage_name, &attribute))
		f.name = dwarf_formstring(&attribute);
	f.linkage = f.name != NULL;
	if (!f.name && dwarf_attr_integrate(&declared, DW_AT_name, &attribute))
		f.name = dwarf_formstring(&attribute);
	if (dwarf_attr_integrate(&declared, DW_AT_decl_line, &attribute) &&
	    dwarf_formudata(&attribute, &line) == 0 && line <= UINT32_MAX)
		f.line = (uint32_t)line;
	if (d->function_count >= PF_NONE ||
	    PF_GROW(d->functions, d->function_capacity, d->function_count + 1, err) ||
	    pf_index_add(&d->function_index, hash, (uint32_t)d->function_count, err))
		return PF_ENOMEM;
	*number = (uint32_t)d->function_count;
	d->functions[d->function_count++] = f;
	return 0;
}

static uint32_t
narrow(Dwarf_Word value)
{
	return value <= UINT32_MAX ? (uint32_t)value : 0;
}

/* Notes which addresses a scope covers. Unreadable ranges cover none. */
static int
add_ranges(
    struct pf_unit *unit, Dwarf_Die *die, struct pf_die *a, uint32_t scope, struct pf_error *err)
{
	Dwarf_Addr base, low, high;
	ptrdiff_t at = 0;
	Dwarf_Word length;
	int rc = 0;

	if (a->has_low && a->has_high) {
		if (dwarf_formaddr(&a->low, &low) != 0)
			return 0;
		if (dwarf_formaddr(&a->high, &high) != 0) {
			if (dwarf_formudata(&a->high, &length) != 0 || length > UINT64_MAX - low)
				return 0;
			high = low + length;
		}
		return low ? pf_ranges_add(&unit->ranges, low, high, scope, err) : 0;
	}
	if (!a->has_ranges)
		return 0;
	while (!rc && (at = dwarf_ranges(die, at, &base, &low, &high)) > 0) {
		if (low)
			rc = pf_ranges_add(&unit->ranges, low, high, scope, err);
	}
	return rc;
}

/* Adds a scope for a function or an inlined copy; *inside becomes it, for the DIEs below. */
static int
add_scope(struct walk *w, Dwarf_Die *die, int tag, uint32_t *inside, struct pf_error *err)
{
	struct pf_unit *unit = w->unit;
	struct pf_die a;
	struct pf_scope scope;
	int rc;

	memset(&a, 0, sizeof a);
	if (dwarf_getattrs(die, take_attribute, &a, 0) == -1)
		return bad_die(w, err);
	if (tag == DW_TAG_subprogram && !a.has_low && !a.has_ranges) {
		*inside = PF_NONE; /* a declaration or the abstract instance */
		return 0;
	}
	if (tag == DW_TAG_inlined_subroutine && *inside == PF_NONE)
		return 0;
	scope = (struct pf_scope){.parent = tag == DW_TAG_subprogram ? PF_NONE : *inside,
	    .call_file = narrow(a.call_file),
	    .call_line = narrow(a.call_line),
	    .call_discriminator = narrow(a.call_discriminator)};
	rc = find_function(w->dwarf, die, &a, &scope.function, err);
	if (rc)
		return rc;
	if (unit->scope_count >= PF_NONE - 1 ||
	    PF_GROW(unit->scopes, unit->scope_capacity, unit->scope_count + 1, err))
		return PF_ENOMEM;
	*inside = (uint32_t)unit->scope_count;
	unit->scopes[unit->scope_count++] = scope;
	return add_ranges(unit, die, &a, *inside, err);
}

/* Looks at one DIE; *descend says whether code may lie below it. */
static int
visit(struct walk *w, Dwarf_Die *die, uint32_t *inside, bool *descend, struct pf_error *err)
{
	Dwarf_Off offset = dwarf_dieoffset(die);
	int tag = dwarf_tag(die);

	if (tag == DW_TAG_invalid || offset == (Dwarf_Off)-1)
		return bad_die(w, err);
	if (offset <= w->last)
		return pf_error_set(err, PF_EINPUT,
		    ".debug_info: the entry after offset 0x%llx lies before it",
		    (unsigned long long)w->last);
	w->last = offset;
	switch (tag) {
	case DW_TAG_subprogram:
	case DW_TAG_inlined_subroutine:
		*descend = true;
		return add_scope(w, die, tag, inside, err);
	case DW_TAG_lexical_block:
	case DW_TAG_try_block:
	case DW_TAG_catch_block:
	case DW_TAG_with_stmt:
	case DW_TAG_namespace:
	case DW_TAG_module:
		*descend = true;
		return 0;
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
		/* gcc puts the methods of a function's local class there. */
		*descend = *inside != PF_NONE;
		return 0;
	default:
		*descend = false;
		return 0;
	}
}

/*
 * After dwarf_siblingof() said that `last` has no more siblings: the DIE behind
 * the zero byte(s) at its address. 1: the unit ends there.
 */
static int
leave_level(struct walk *w, Dwarf_Die *last, Dwarf_Die *next, uint32_t *inside)
{
	const struct pf_bytes *info = &w->dwarf->info;
	const uint8_t *at = last->addr;
	bool here = at && at >= info->at && (size_t)(at - info->at) < w->unit->end;
	int rc;

	for (;;) {
		if (--w->depth == 0)
			return 1;
		*inside = w->dwarf->levels[w->depth - 1].scope;
		if (!here) {
			/* A split unit's entries are elsewhere: skip the subtree again. */
			rc = dwarf_siblingof(&w->dwarf->levels[w->depth].die, next);
			if (rc != 1)
				return rc;
			continue;
		}
		at++;
		if ((size_t)(at - info->at) >= w->unit->end)
			return 1;
		if (*at != 0)
			return pf_dwarf_die(w->dwarf, (Dwarf_Off)(at - info->at), next) ? 0 : -1;
	}
}

static int
enter_level(struct walk *w, const Dwarf_Die *die, uint32_t inside, struct pf_error *err)
{
	if (w->depth >= LEVELS_MAX)
		return pf_error_set(err, PF_EINPUT,
		    ".debug_info: entries nest over %d deep at offset 0x%llx", LEVELS_MAX,
		    (unsigned long long)w->last);
	if (PF_GROW(w->dwarf->levels, w->dwarf->level_capacity, w->depth + 1, err))
		return PF_ENOMEM;
	w->dwarf->levels[w->depth++] = (struct pf_level){.die = *die, .scope = inside};
	return 0;
}

int
pf_scopes_read(struct pf_dwarf *dwarf, struct pf_unit *unit, Dwarf_Die *root, struct pf_error *err)
{
	struct walk w = {.dwarf = dwarf, .unit = unit, .last = dwarf_dieoffset(root)};
	Dwarf_Die die, next;
	uint32_t inside = PF_NONE, below;
	bool descend = false;
	int rc, step;

	rc = enter_level(&w, root, PF_NONE, err);
	if (rc)
		return rc;
	step = dwarf_child(root, &die);
	while (step == 0) {
		below = inside;
		rc = visit(&w, &die, &below, &descend, err);
		if (rc)
			return rc;
		if (descend && dwarf_child(&die, &next) == 0) {
			rc = enter_level(&w, &die, below, err);
			if (rc)
				return rc;
			inside = below;
		} else {
			step = dwarf_siblingof(&die, &next);
			if (step == 1)
				step = leave_level(&w, &next, &next, &inside);
		}
		die = next;
	}
	if (step < 0)
		return bad_die(&w, err);
	return pf_ranges_flatten(&unit->ranges, err);
}
