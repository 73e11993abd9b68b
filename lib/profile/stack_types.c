/* stack_types.c: see stack_types.h. */
#include "profile/stack_types.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "profile/steps.h"

static const char *
name_of(const struct pf_stacks *s, size_t type)
{
	return pf_strings_get(&s->strings, s->types[type].type);
}

static const char *
unit_of(const struct pf_stacks *s, size_t type)
{
	return pf_strings_get(&s->strings, s->types[type].unit);
}

static int
copy_type(struct pf_stacks *s, struct pf_value_type *copy, const struct pf_profile *p, size_t type,
    struct pf_error *err)
{
	const char *name = pf_profile_type_name(p, type), *unit = pf_profile_type_unit(p, type);
	int rc = pf_strings_add(&s->strings, name, strlen(name), &copy->type, err);

	return rc ? rc : pf_strings_add(&s->strings, unit, strlen(unit), &copy->unit, err);
}

/* Those of the first profile, room for the root's values included. */
static int
take_types(struct pf_stacks *s, const struct pf_profile *p, struct pf_error *err)
{
	size_t n = p->type_count;
	int rc;

	free(s->types);
	rc = PF_CALLOC(s->types, n, err);
	if (!rc)
		rc = PF_GROW(s->values, s->value_capacity, n, err);
	for (size_t i = 0; !rc && i < n; i++) {
		s->values[i] = 0;
		rc = copy_type(s, &s->types[i], p, i, err);
	}
	if (!rc)
		s->type_count = n;
	return rc;
}

static size_t
find_steps(const struct pf_stacks *s)
{
	size_t i = 0;

	while (i < s->type_count && !pf_type_is_steps(name_of(s, i), unit_of(s, i)))
		i++;
	return i;
}

/* The type at `at`, or the one behind it where that is steps. */
static size_t
but_steps(size_t at, size_t steps)
{
	return at + (at == steps);
}

/* Pairs all types but steps, each with the one in the same place. False if they differ. */
static bool
pair_types(uint32_t *columns, const struct pf_stacks *s, size_t our_steps,
    const struct pf_profile *p, size_t their_steps)
{
	size_t i = but_steps(0, our_steps), j = but_steps(0, their_steps);

	while (i < s->type_count && j < p->type_count &&
	       strcmp(name_of(s, i), pf_profile_type_name(p, j)) == 0 &&
	       strcmp(unit_of(s, i), pf_profile_type_unit(p, j)) == 0) {
		columns[i] = (uint32_t)j;
		i = but_steps(i + 1, our_steps);
		j = but_steps(j + 1, their_steps);
	}
	return i >= s->type_count && j >= p->type_count; /* beyond it where there are no steps */
}

/* Steps as the last type of a sum that had none: zero so far. */
static int
add_steps(struct pf_stacks *s, const struct pf_profile *p, size_t steps, struct pf_error *err)
{
	size_t n = s->type_count;
	struct pf_value_type *types;
	int rc = PF_CALLOC(types, n + 1, err);

	if (rc)
		return rc;
	memcpy(types, s->types, n * sizeof *types);
	free(s->types);
	s->types = types;
	rc = copy_type(s, &types[n], p, steps, err);
	if (!rc)
		rc = PF_GROW(s->values, s->value_capacity, s->node_count * (n + 1), err);
	if (rc)
		return rc;
	for (size_t i = s->node_count; i-- > 0;) {
		memmove(&s->values[i * (n + 1)], &s->values[i * n], n * sizeof *s->values);
		s->values[i * (n + 1) + n] = 0;
	}
	s->type_count++;
	return 0;
}

static int
match(uint32_t *columns, struct pf_stacks *s, const struct pf_profile *p, const char *name,
    struct pf_error *err)
{
	size_t ours = find_steps(s), theirs = pf_profile_find_steps(p);
	bool we_have = ours < s->type_count, they_have = theirs < p->type_count;

	if (!pair_types(columns, s, ours, p, theirs) ||
	    (we_have != they_have && !pf_profile_has_samples(p)))
		return pf_error_set(err, PF_EINPUT,
		    "%s: other sample types (%s/%s, …) than the profiles before it (%s/%s, …)",
		    name, pf_profile_type_name(p, 0), pf_profile_type_unit(p, 0), name_of(s, 0),
		    unit_of(s, 0));
	if (we_have || they_have)
		columns[ours] = they_have ? (uint32_t)theirs : PF_NONE;
	return they_have && !we_have ? add_steps(s, p, theirs, err) : 0;
}

int
pf_stack_types_match(uint32_t **columns, struct pf_stacks *s, const struct pf_profile *p,
    const char *name, struct pf_error *err)
{
	int rc = s->type_count ? 0 : take_types(s, p, err);

	*columns = NULL;
	if (!rc)
		rc = PF_CALLOC(*columns, s->type_count + 1, err); /* steps may come as one more */
	return rc ? rc : match(*columns, s, p, name, err);
}
