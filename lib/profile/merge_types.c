/*
 * merge_types.c: the sample types that all profiles of a merge share.
 *
 * Types are matched by name and unit, the k-th of a kind with the k-th. The
 * sum's columns only ever get fewer: what a profile lacks is dropped, values
 * included, so that the outcome is the intersection whatever the order.
 */
#include "profile/merge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"

static int
leave_out(struct pf_merge *m, const char *type, const char *unit, struct pf_error *err)
{
	char name[256];
	uint32_t id;
	int size = snprintf(name, sizeof name, "%s/%s", type, unit);

	if ((size_t)size >= sizeof name)
		size = sizeof name - 1;
	return pf_strings_add(&m->left_out, name, (size_t)size, &id, err);
}

/* The sum begins with all types of its first profile. */
static int
take_types(struct pf_merge *m, struct pf_error *err)
{
	const struct pf_profile *p = m->source.p;
	struct pf_profile *sum = m->sum;
	int rc = PF_GROW(sum->types, sum->type_capacity, p->type_count, err);

	if (!rc)
		rc = PF_GROW(m->positions, m->position_capacity, p->type_count, err);
	for (size_t i = 0; !rc && i < p->type_count; i++) {
		m->positions[i] = 0;
		rc = pf_merge_string(m, p->types[i].type, &sum->types[i].type, err);
		if (!rc)
			rc = pf_merge_string(m, p->types[i].unit, &sum->types[i].unit, err);
	}
	if (!rc) {
		sum->type_count = p->type_count;
		m->has_types = true;
	}
	return rc;
}

static bool
same_type(const struct pf_merge *m, size_t ours, size_t theirs)
{
	const struct pf_value_type *a = &m->sum->types[ours], *b = &m->source.p->types[theirs];

	return strcmp(pf_profile_string(m->sum, a->type),
		   pf_profile_string(m->source.p, b->type)) == 0 &&
	       strcmp(pf_profile_string(m->sum, a->unit),
		   pf_profile_string(m->source.p, b->unit)) == 0;
}

/* The source's type for one of the sum that no earlier column has taken; PF_NONE if there is none. */
static uint32_t
find_type(const struct pf_merge *m, size_t ours, size_t taken_count)
{
	for (size_t theirs = 0; theirs < m->source.p->type_count; theirs++) {
		bool taken = false;

		for (size_t i = 0; i < taken_count; i++)
			taken |= m->source.columns[i] == theirs;
		if (!taken && same_type(m, ours, theirs))
			return (uint32_t)theirs;
	}
	return PF_NONE;
}

/* Values from rows of `from` columns to rows of the kept ones, in place. */
static void
narrow_values(struct pf_merge *m, const uint32_t *kept, size_t count, size_t from)
{
	for (size_t row = 0; row < m->sum->sample_count; row++) {
		for (size_t i = 0; i < count; i++) {
			if (m->options.scale_by_duration)
				m->scaled[row * count + i] = m->scaled[row * from + kept[i]];
			else
				m->sum->values[row * count + i] =
				    m->sum->values[row * from + kept[i]];
		}
	}
}

/* Drops the types that the source lacks; source.columns says where the others are. */
static int
narrow(struct pf_merge *m, uint32_t *kept, struct pf_error *err)
{
	struct pf_profile *sum = m->sum;
	size_t from = sum->type_count, count = 0;
	int rc = 0;

	for (size_t i = 0; !rc && i < from; i++) {
		uint32_t column = find_type(m, i, count);
		if (column == PF_NONE) {
			rc = leave_out(
			    m, pf_profile_type_name(sum, i), pf_profile_type_unit(sum, i), err);
			continue;
		}
		m->source.columns[count] = column;
		kept[count++] = (uint32_t)i;
	}
	if (rc || count == from)
		return rc;
	narrow_values(m, kept, count, from);
	for (size_t i = 0; i < count; i++) {
		sum->types[i] = sum->types[kept[i]];
		m->positions[i] = m->positions[kept[i]];
	}
	sum->type_count = count;
	return 0;
}

/* Names what the source has and the sum does not. */
static int
note_missing(struct pf_merge *m, struct pf_error *err)
{
	const struct pf_profile *p = m->source.p;
	int rc = 0;

	for (size_t theirs = 0; !rc && theirs < p->type_count; theirs++) {
		bool taken = false;
		for (size_t i = 0; i < m->sum->type_count; i++)
			taken |= m->source.columns[i] == theirs;
		if (!taken)
			rc = leave_out(m, pf_profile_type_name(p, theirs),
			    pf_profile_type_unit(p, theirs), err);
	}
	return rc;
}

static int
nothing_in_common(const struct pf_merge *m, struct pf_error *err)
{
	const struct pf_profile *p = m->source.p;

	return pf_error_set(err, PF_EINPUT,
	    "%s: its sample types (%s/%s%s) have none in common with the profiles before it, which "
	    "leaves nothing to merge; merge profiles of one kind",
	    m->source.name, pf_profile_type_name(p, 0), pf_profile_type_unit(p, 0),
	    p->type_count > 1 ? ", …" : "");
}

int
pf_merge_types(struct pf_merge *m, struct pf_error *err)
{
	struct merge_source *s = &m->source;
	uint32_t *kept;
	int rc = 0;

	if (s->p->type_count == 0)
		return 0; /* then it has no samples either */
	if (!m->has_types)
		rc = take_types(m, err);
	if (!rc)
		rc = PF_GROW(s->columns, s->column_capacity, m->sum->type_count, err);
	if (rc)
		return rc;
	rc = PF_CALLOC(kept, m->sum->type_count, err);
	if (!rc)
		rc = narrow(m, kept, err);
	if (!rc)
		rc = note_missing(m, err);
	free(kept);
	if (!rc && m->sum->type_count == 0)
		rc = nothing_in_common(m, err);
	for (size_t i = 0; !rc && i < m->sum->type_count; i++)
		m->positions[i] += s->columns[i];
	return rc;
}

/* Whether column a comes before column b in the result. */
static bool
before(const struct pf_merge *m, uint32_t a, uint32_t b)
{
	const struct pf_profile *sum = m->sum;
	int order;

	if (m->positions[a] != m->positions[b])
		return m->positions[a] < m->positions[b];
	order = strcmp(pf_profile_type_name(sum, a), pf_profile_type_name(sum, b));
	if (!order)
		order = strcmp(pf_profile_type_unit(sum, a), pf_profile_type_unit(sum, b));
	return order ? order < 0 : a < b;
}

static void
insert_in_order(const struct pf_merge *m, uint32_t *order, size_t i)
{
	for (order[i] = (uint32_t)i; i > 0 && before(m, order[i], order[i - 1]); i--) {
		uint32_t swapped = order[i];
		order[i] = order[i - 1];
		order[i - 1] = swapped;
	}
}

static void
reorder_row(struct pf_merge *m, const uint32_t *order, size_t row, pf_int128 *scratch)
{
	size_t n = m->sum->type_count;

	for (size_t i = 0; i < n; i++)
		scratch[i] = m->options.scale_by_duration ? m->scaled[row * n + order[i]]
							  : m->sum->values[row * n + order[i]];
	for (size_t i = 0; i < n; i++) {
		if (m->options.scale_by_duration)
			m->scaled[row * n + i] = scratch[i];
		else
			m->sum->values[row * n + i] = (int64_t)scratch[i];
	}
}

int
pf_merge_order_types(struct pf_merge *m, struct pf_error *err)
{
	struct pf_profile *sum = m->sum;
	struct pf_value_type *types = NULL;
	pf_int128 *scratch = NULL;
	uint32_t *order;
	bool moved = false;
	int rc = PF_CALLOC(order, sum->type_count, err);

	if (!rc)
		rc = PF_CALLOC(types, sum->type_count, err);
	if (!rc)
		rc = PF_CALLOC(scratch, sum->type_count, err);
	for (size_t i = 0; !rc && i < sum->type_count; i++)
		insert_in_order(m, order, i);
	for (size_t i = 0; !rc && i < sum->type_count; i++) {
		moved |= order[i] != i;
		types[i] = sum->types[order[i]];
	}
	if (!rc && moved) {
		memcpy(sum->types, types, sum->type_count * sizeof *types);
		for (size_t row = 0; row < sum->sample_count; row++)
			reorder_row(m, order, row, scratch);
	}
	free(scratch);
	free(types);
	free(order);
	return rc;
}
