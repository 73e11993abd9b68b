/*
 * merge_types.c: the sample types that all profiles of a merge share.
 *
 * Types are matched by name and unit, the k-th of a kind with the k-th. What a
 * profile lacks is dropped from the sum, values included, so that the outcome is
 * the intersection whatever the order: with one exception, steps (steps.h). A
 * profile with samples and no steps counts as one with zero of them, so a sum of
 * such profiles gets the type with the first that has it.
 */
#include "profile/merge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "profile/steps.h"

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

/* What the values of so many types take in a record. */
static size_t
words_of_values(const struct pf_merge *m, size_t types)
{
	return m->options.scale_by_duration ? 2 * types : types;
}

/* The sum begins with all types of its first profile. */
static int
take_types(struct pf_merge *m, struct pf_error *err)
{
	const struct pf_profile *p = m->source.p;
	struct pf_profile *sum = m->sum;
	int rc = PF_GROW(sum->types, sum->type_capacity, p->type_count, err);

	if (!rc)
		rc = PF_GROW(m->columns, m->column_capacity, p->type_count, err);
	for (size_t i = 0; !rc && i < p->type_count; i++) {
		m->columns[i] = (struct merge_column){.everywhere = true};
		rc = pf_merge_string(m, p->types[i].type, &sum->types[i].type, err);
		if (!rc)
			rc = pf_merge_string(m, p->types[i].unit, &sum->types[i].unit, err);
	}
	if (!rc) {
		sum->type_count = p->type_count;
		sum->packed->value_room = words_of_values(m, p->type_count);
		m->has_types = true;
	}
	return rc;
}

/*
 * Adds the source's steps to the types of a sum whose profiles have none of them. They all
 * had samples if the sum has. Once a merge at most: a profile that makes the sum
 * lose its steps makes it lose its samples too, and neither comes back.
 */
static int
take_steps(struct pf_merge *m, struct pf_error *err)
{
	const struct pf_profile *p = m->source.p;
	struct pf_profile *sum = m->sum;
	size_t theirs = pf_profile_find_steps(p), ours = sum->type_count;
	struct pf_value_type *steps;
	int rc;

	if (theirs == p->type_count || pf_profile_find_steps(sum) < ours ||
	    !pf_profile_has_samples(sum))
		return 0;
	rc = PF_GROW(sum->types, sum->type_capacity, ours + 1, err);
	if (!rc)
		rc = PF_GROW(m->columns, m->column_capacity, ours + 1, err);
	if (rc)
		return rc;
	steps = &sum->types[ours];
	rc = pf_merge_string(m, p->types[theirs].type, &steps->type, err);
	if (!rc)
		rc = pf_merge_string(m, p->types[theirs].unit, &steps->unit, err);
	if (!rc)
		rc = pf_merge_widen_samples(
		    m, words_of_values(m, ours), words_of_values(m, ours + 1), err);
	if (!rc) {
		m->columns[ours] = (struct merge_column){.positions = m->behind};
		sum->type_count++;
	}
	return rc;
}

/* A sample type's name and unit, and which of its profile's it is. */
struct named_type {
	const char *type, *unit;
	uint32_t column;
};

static int
compare_names(const struct named_type *a, const struct named_type *b)
{
	int order = strcmp(a->type, b->type);

	return order ? order : strcmp(a->unit, b->unit);
}

static int
compare_named(const void *a, const void *b)
{
	const struct named_type *x = a, *y = b;
	int order = compare_names(x, y);

	return order ? order : (x->column > y->column) - (x->column < y->column);
}

static void
list_types(const struct pf_profile *p, struct named_type *list)
{
	for (size_t i = 0; i < p->type_count; i++)
		list[i] = (struct named_type){
		    pf_profile_type_name(p, i), pf_profile_type_unit(p, i), (uint32_t)i};
	qsort(list, p->type_count, sizeof *list, compare_named);
}

/* Which of their types each of ours is, and which of ours each of theirs; PF_NONE: none. */
static void
pair_types(const struct named_type *ours, size_t our_count, uint32_t *to_theirs,
    const struct named_type *theirs, size_t their_count, uint32_t *to_ours)
{
	size_t i = 0, j = 0;

	memset(to_theirs, 0xff, our_count * sizeof *to_theirs);
	memset(to_ours, 0xff, their_count * sizeof *to_ours);
	while (i < our_count && j < their_count) {
		int order = compare_names(&ours[i], &theirs[j]);
		if (order == 0) {
			to_theirs[ours[i].column] = theirs[j].column;
			to_ours[theirs[j].column] = ours[i].column;
		}
		i += order <= 0;
		j += order >= 0;
	}
}

static int
match_types(const struct pf_merge *m, uint32_t *to_theirs, uint32_t *to_ours, struct pf_error *err)
{
	size_t ours = m->sum->type_count, theirs = m->source.p->type_count;
	struct named_type *list;
	int rc = PF_CALLOC(list, ours + theirs, err);

	if (rc)
		return rc;
	list_types(m->sum, list);
	list_types(m->source.p, list + ours);
	pair_types(list, ours, to_theirs, list + ours, theirs, to_ours);
	free(list);
	return 0;
}

/* Brings values of all samples into another order, of all of them or of fewer: the i-th is the one that was order[i]. */
static void
rearrange(struct pf_merge *m, const uint32_t *order, size_t count, pf_int128 *scratch)
{
	struct pf_packed_samples *s = m->sum->packed;

	for (size_t at = 0; at < s->size; at = pf_packed_samples_next(s, at)) {
		int64_t *record = s->words + at;
		for (size_t i = 0; i < count; i++)
			scratch[i] = m->options.scale_by_duration
					 ? pf_merge_scaled(record, order[i])
					 : record[order[i]];
		for (size_t i = 0; i < count; i++) {
			if (m->options.scale_by_duration)
				pf_merge_set_scaled(record, i, scratch[i]);
			else
				record[i] = (int64_t)scratch[i];
		}
	}
}

/* The column of the sum's steps if the source took none, else SIZE_MAX. */
static size_t
zero_steps(const struct pf_merge *m)
{
	const struct pf_profile *p = m->source.p;

	return pf_profile_has_samples(p) && pf_profile_find_steps(p) == p->type_count
		   ? pf_profile_find_steps(m->sum)
		   : SIZE_MAX;
}

/* Drops the types that the source lacks, according to to_theirs, which then is of those that are left. */
static int
narrow(struct pf_merge *m, uint32_t *to_theirs, struct pf_error *err)
{
	struct pf_profile *sum = m->sum;
	size_t from = sum->type_count, count = 0;
	size_t steps = zero_steps(m);
	pf_int128 *scratch = NULL;
	uint32_t *kept;
	int rc = PF_CALLOC(kept, from, err);

	if (!rc)
		rc = PF_CALLOC(scratch, from, err);
	for (size_t i = 0; !rc && i < from; i++) {
		if (to_theirs[i] == PF_NONE && i != steps) {
			rc = leave_out(
			    m, pf_profile_type_name(sum, i), pf_profile_type_unit(sum, i), err);
			continue;
		}
		to_theirs[count] = to_theirs[i];
		kept[count++] = (uint32_t)i;
	}
	if (!rc && count < from) {
		rearrange(m, kept, count, scratch);
		for (size_t i = 0; i < count; i++) {
			sum->types[i] = sum->types[kept[i]];
			m->columns[i] = m->columns[kept[i]];
		}
		sum->type_count = count;
	}
	free(scratch);
	free(kept);
	return rc;
}

/* Notes which types of the sum the source has, and where. */
static void
pair(struct pf_merge *m, const uint32_t *to_theirs)
{
	size_t count = m->source.p->type_count;

	m->source.pair_count = 0;
	for (uint32_t i = 0; i < m->sum->type_count; i++) {
		struct merge_column *column = &m->columns[i];
		if (to_theirs[i] == PF_NONE) {
			column->everywhere = false;
			column->positions += count;
			continue;
		}
		column->positions += to_theirs[i];
		m->source.pairs[m->source.pair_count++] = (struct merge_pair){i, to_theirs[i]};
	}
	m->behind += count;
}

/* Names what the source has and the sum does not. */
static int
note_missing(struct pf_merge *m, const uint32_t *to_ours, struct pf_error *err)
{
	const struct pf_profile *p = m->source.p;
	int rc = 0;

	for (size_t i = 0; !rc && i < p->type_count; i++) {
		if (to_ours[i] == PF_NONE)
			rc = leave_out(
			    m, pf_profile_type_name(p, i), pf_profile_type_unit(p, i), err);
	}
	return rc;
}

/* That something was left is not enough: it may be steps, of which some have none. */
static int
check_common(const struct pf_merge *m, struct pf_error *err)
{
	const struct pf_profile *p = m->source.p;

	for (size_t i = 0; i < m->sum->type_count; i++) {
		if (m->columns[i].everywhere)
			return 0;
	}
	return pf_error_set(err, PF_EINPUT,
	    "%s: its sample types (%s/%s%s) have none in common with the profiles before it, which "
	    "leaves nothing to merge; merge profiles of one kind",
	    m->source.name, pf_profile_type_name(p, 0), pf_profile_type_unit(p, 0),
	    p->type_count > 1 ? ", …" : "");
}

static int
intersect(struct pf_merge *m, struct pf_error *err)
{
	size_t ours = m->sum->type_count, theirs = m->source.p->type_count;
	uint32_t *matches;
	int rc = PF_CALLOC(matches, ours + theirs, err);

	if (!rc)
		rc = match_types(m, matches, matches + ours, err);
	if (!rc)
		rc = narrow(m, matches, err);
	if (!rc)
		rc = note_missing(m, matches + ours, err);
	if (!rc)
		pair(m, matches);
	free(matches);
	return rc;
}

int
pf_merge_types(struct pf_merge *m, struct pf_error *err)
{
	struct merge_source *s = &m->source;
	int rc;

	s->pair_count = 0;
	if (s->p->type_count == 0)
		return 0; /* then it has no samples either */
	rc = m->has_types ? take_steps(m, err) : take_types(m, err);
	if (!rc)
		rc = PF_GROW(s->pairs, s->pair_capacity, m->sum->type_count, err);
	if (!rc)
		rc = intersect(m, err);
	return rc ? rc : check_common(m, err);
}

/* The order of columns in the result. */
static int
compare_columns(const void *a, const void *b, void *data)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	const struct pf_merge *m = data;
	int order;

	if (m->columns[x].positions != m->columns[y].positions)
		return m->columns[x].positions < m->columns[y].positions ? -1 : 1;
	order = strcmp(pf_profile_type_name(m->sum, x), pf_profile_type_name(m->sum, y));
	if (!order)
		order = strcmp(pf_profile_type_unit(m->sum, x), pf_profile_type_unit(m->sum, y));
	return order ? order : (x > y) - (x < y);
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
		order[i] = (uint32_t)i;
	if (!rc)
		qsort_r(order, sum->type_count, sizeof *order, compare_columns, m);
	for (size_t i = 0; !rc && i < sum->type_count; i++) {
		moved |= order[i] != i;
		types[i] = sum->types[order[i]];
	}
	if (!rc && moved) {
		memcpy(sum->types, types, sum->type_count * sizeof *types);
		rearrange(m, order, sum->type_count, scratch);
	}
	free(scratch);
	free(types);
	free(order);
	return rc;
}
