/*
 * merge_samples.c: the samples of a merge: found by locations and labels,
 * summed as checked 64-bit integers or, where profiles are weighed, in 128-bit
 * fixed point that is rounded once at the end.
 *
 * Samples are taken in blocks: all are looked up a little before they are
 * compared, so that what memory has to fetch for one comes while others are at
 * work. A large sum does not fit into caches, and waiting is most of the cost.
 */
#include "profile/merge.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"

static bool
is_zero(const struct pf_merge *m, size_t sample)
{
	const struct pf_profile *p = m->source.p;

	for (size_t t = 0; t < m->sum->type_count; t++) {
		if (p->values[sample * p->type_count + m->source.columns[t]])
			return false;
	}
	return true;
}

/* Notes the locations of a sample that are not known yet. */
static int
want_frames(struct pf_merge *m, size_t sample, struct pf_error *err)
{
	const struct merge_source *s = &m->source;
	const uint32_t *frame = s->p->frames + s->p->frame_starts[sample];
	const uint32_t *end = s->p->frames + s->p->frame_starts[sample + 1];
	int rc = 0;

	for (; !rc && frame < end; frame++) {
		if (s->locations[*frame] == PF_NONE)
			rc = pf_merge_want_location(m, *frame, err);
	}
	return rc;
}

static int
map_frames(struct pf_merge *m, struct merge_row *row, struct pf_error *err)
{
	struct merge_source *s = &m->source;
	const uint32_t *from = s->p->frames + s->p->frame_starts[row->sample];
	uint32_t *to;
	int rc;

	row->first_frame = s->frame_count;
	row->frame_count =
	    (size_t)(s->p->frame_starts[row->sample + 1] - s->p->frame_starts[row->sample]);
	rc = PF_GROW(s->frames, s->frame_capacity, s->frame_count + row->frame_count + 1, err);
	if (rc)
		return rc;
	to = s->frames + s->frame_count;
	for (size_t i = 0; i < row->frame_count; i++)
		to[i] = s->locations[from[i]];
	s->frame_count += row->frame_count;
	return 0;
}

static bool
label_is_dropped(const struct pf_merge *m, const struct pf_label *label)
{
	const char *key = pf_profile_string(m->source.p, label->key);

	if (m->options.drop_all_labels)
		return true;
	for (size_t i = 0; i < m->options.drop_label_count; i++) {
		if (strcmp(m->options.drop_labels[i], key) == 0)
			return true;
	}
	return false;
}

static int
add_label(struct pf_merge *m, const struct pf_label *label, struct pf_error *err)
{
	struct merge_source *s = &m->source;
	int rc = PF_GROW(s->labels, s->label_capacity, s->label_count + 1, err);

	if (!rc)
		s->labels[s->label_count++] = *label;
	return rc;
}

/* In any one order, so that samples can be compared. */
static int
compare_labels(const void *a, const void *b)
{
	const struct pf_label *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	if (x->string != y->string)
		return x->string < y->string ? -1 : 1;
	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return (x->unit > y->unit) - (x->unit < y->unit);
}

static void
sort_labels(struct pf_label *labels, size_t count)
{
	size_t i = 1;

	while (i < count && compare_labels(&labels[i - 1], &labels[i]) <= 0)
		i++;
	if (i < count)
		qsort(labels, count, sizeof *labels, compare_labels);
}

static int
map_label(struct pf_merge *m, const struct pf_label *from, struct pf_error *err)
{
	struct pf_label label = {.number = from->number};
	int rc;

	if (label_is_dropped(m, from))
		return 0;
	rc = pf_merge_string(m, from->key, &label.key, err);
	if (!rc)
		rc = pf_merge_string(m, from->string, &label.string, err);
	if (!rc)
		rc = pf_merge_string(m, from->unit, &label.unit, err);
	return rc ? rc : add_label(m, &label, err);
}

static int
add_base_label(struct pf_merge *m, struct pf_error *err)
{
	struct pf_label label = {0};
	int rc = pf_strings_add(
	    &m->sum->strings, PF_BASE_LABEL, sizeof PF_BASE_LABEL - 1, &label.key, err);

	if (!rc)
		rc = pf_strings_add(
		    &m->sum->strings, PF_BASE_VALUE, sizeof PF_BASE_VALUE - 1, &label.string, err);
	return rc ? rc : add_label(m, &label, err);
}

static int
map_labels(struct pf_merge *m, struct merge_row *row, struct pf_error *err)
{
	const struct pf_profile *p = m->source.p;
	uint64_t i = p->label_starts[row->sample], end = p->label_starts[row->sample + 1];
	int rc = PF_GROW(m->source.labels, m->source.label_capacity, 1, err);

	row->first_label = m->source.label_count;
	for (; !rc && i < end; i++)
		rc = map_label(m, &p->labels[i], err);
	if (!rc && m->source.base && m->options.label_base)
		rc = add_base_label(m, err);
	row->label_count = m->source.label_count - row->first_label;
	if (!rc && row->label_count > 1)
		sort_labels(m->source.labels + row->first_label, row->label_count);
	return rc;
}

static uint32_t
row_hash(const struct merge_source *s, const struct merge_row *row)
{
	const struct pf_label *labels = s->labels + row->first_label;
	uint64_t hash =
	    pf_hash_bytes(s->frames + row->first_frame, row->frame_count * sizeof *s->frames);

	for (size_t i = 0; i < row->label_count; i++) {
		hash = pf_hash_step(hash, (uint64_t)labels[i].string << 32 | labels[i].key);
		hash = pf_hash_step(hash ^ labels[i].unit, (uint64_t)labels[i].number);
	}
	return pf_hash_u64(hash);
}

static bool
same_label(const struct pf_label *a, const struct pf_label *b)
{
	return a->key == b->key && a->string == b->string && a->number == b->number &&
	       a->unit == b->unit;
}

static bool
same_sample(const struct pf_profile *sum, uint32_t i, const struct merge_source *s,
    const struct merge_row *row)
{
	const struct pf_label *ours = sum->labels + sum->label_starts[i];
	const struct pf_label *theirs = s->labels + row->first_label;

	if (sum->frame_starts[i + 1] - sum->frame_starts[i] != row->frame_count ||
	    sum->label_starts[i + 1] - sum->label_starts[i] != row->label_count ||
	    memcmp(sum->frames + sum->frame_starts[i], s->frames + row->first_frame,
		row->frame_count * sizeof *s->frames) != 0)
		return false;
	for (size_t j = 0; j < row->label_count; j++) {
		if (!same_label(&ours[j], &theirs[j]))
			return false;
	}
	return true;
}

static int
grow_values(struct pf_merge *m, struct pf_error *err)
{
	struct pf_profile *sum = m->sum;
	size_t first = sum->sample_count * sum->type_count, n = sum->type_count;
	int rc;

	if (m->options.scale_by_duration) {
		rc = PF_GROW(m->scaled, m->scaled_capacity, first + n, err);
		if (!rc)
			memset(m->scaled + first, 0, n * sizeof *m->scaled);
	} else {
		rc = PF_GROW(sum->values, sum->value_capacity, first + n, err);
		if (!rc)
			memset(sum->values + first, 0, n * sizeof *sum->values);
	}
	return rc;
}

static int
append_sample(
    struct pf_merge *m, const struct merge_row *row, uint32_t *merged, struct pf_error *err)
{
	const struct merge_source *s = &m->source;
	struct pf_profile *sum = m->sum;
	size_t n = sum->sample_count, frames = row->frame_count, labels = row->label_count;
	int rc;

	if (n >= PF_NONE - 1)
		return pf_error_set(err, PF_ENOMEM, "more than %zu distinct samples", n);
	rc = PF_GROW(sum->frames, sum->frame_capacity, sum->frame_count + frames + 1, err);
	if (!rc)
		rc = PF_GROW(sum->labels, sum->label_capacity, sum->label_count + labels + 1, err);
	if (!rc)
		rc = PF_GROW(sum->frame_starts, sum->frame_starts_capacity, n + 2, err);
	if (!rc)
		rc = PF_GROW(sum->label_starts, sum->label_starts_capacity, n + 2, err);
	if (!rc)
		rc = grow_values(m, err);
	if (!rc)
		rc = pf_index_add(&m->sample_index, row->hash, (uint32_t)n, err);
	if (rc)
		return rc;
	memcpy(sum->frames + sum->frame_count, s->frames + row->first_frame,
	    frames * sizeof *s->frames);
	for (size_t i = 0; i < labels; i++)
		sum->labels[sum->label_count + i] = s->labels[row->first_label + i];
	sum->frame_starts[n + 1] = sum->frame_count += frames;
	sum->label_starts[n + 1] = sum->label_count += labels;
	*merged = (uint32_t)n;
	sum->sample_count++;
	return 0;
}

static int
find_sample(struct pf_merge *m, const struct merge_row *row, uint32_t *merged, struct pf_error *err)
{
	size_t at = 0;

	for (uint32_t i = pf_index_first(&m->sample_index, row->hash, &at); i != PF_NONE;
	    i = pf_index_next(&m->sample_index, row->hash, &at)) {
		if (same_sample(m->sum, i, &m->source, row)) {
			*merged = i;
			return 0;
		}
	}
	return append_sample(m, row, merged, err);
}

/* Adds or subtracts one value; false when the sum does not fit. */
static bool
add_value(struct pf_merge *m, size_t at, int64_t value)
{
	if (m->options.scale_by_duration) {
		uint64_t duration = (uint64_t)m->source.p->duration_nanos;
		pf_int128 term = pf_fixed_quotient(value, duration), *sum = &m->scaled[at];
		return !__builtin_add_overflow(*sum, m->source.base ? -term : term, sum);
	}
	if (m->source.base)
		return !__builtin_sub_overflow(m->sum->values[at], value, &m->sum->values[at]);
	return !__builtin_add_overflow(m->sum->values[at], value, &m->sum->values[at]);
}

static int
merge_row(struct pf_merge *m, const struct merge_row *row, struct pf_error *err)
{
	const struct pf_profile *p = m->source.p;
	size_t n = m->sum->type_count;
	uint32_t merged = 0;
	int rc = find_sample(m, row, &merged, err);

	for (size_t t = 0; !rc && t < n; t++) {
		int64_t value = p->values[row->sample * p->type_count + m->source.columns[t]];
		if (!add_value(m, merged * n + t, value))
			rc = pf_error_set(err, PF_EINPUT,
			    "%s: sample %" PRIu64 ": the sum of %s exceeds 64 bits", m->source.name,
			    m->source.sample_count - p->sample_count + row->sample,
			    pf_profile_type_name(m->sum, t));
	}
	m->term_count++;
	return rc;
}

/* The sample of the sum that a row will be compared with first, or PF_NONE. */
static uint32_t
candidate(const struct pf_merge *m, const struct merge_row *row)
{
	size_t at = 0;

	return pf_index_first(&m->sample_index, row->hash, &at);
}

/* Asks for the memory that merge_row() will read: where the candidate's frames are, then those. */
static void
fetch_starts(const struct pf_merge *m, const struct merge_row *row)
{
	uint32_t i = candidate(m, row);

	if (i == PF_NONE)
		return;
	__builtin_prefetch(&m->sum->frame_starts[i]);
	__builtin_prefetch(&m->sum->label_starts[i]);
}

static void
fetch_sample(const struct pf_merge *m, const struct merge_row *row)
{
	const struct pf_profile *sum = m->sum;
	uint32_t i = candidate(m, row);

	if (i == PF_NONE)
		return;
	__builtin_prefetch(&sum->frames[sum->frame_starts[i]]);
	__builtin_prefetch(&sum->frames[sum->frame_starts[i + 1]]);
	if (m->options.scale_by_duration)
		__builtin_prefetch(&m->scaled[i * sum->type_count]);
	else
		__builtin_prefetch(&sum->values[i * sum->type_count]);
}

/* The samples at hand in terms of the sum. */
static int
map_rows(struct pf_merge *m, struct pf_error *err)
{
	struct merge_source *s = &m->source;
	int rc = pf_merge_resolve(m, err);

	for (size_t i = 0; !rc && i < s->row_count; i++) {
		struct merge_row *row = &s->rows[i];
		rc = map_frames(m, row, err);
		if (!rc)
			rc = map_labels(m, row, err);
		if (rc)
			break;
		row->hash = row_hash(s, row);
		pf_index_fetch(&m->sample_index, row->hash);
	}
	return rc;
}

/* Adds the samples at hand. */
static int
merge_block(struct pf_merge *m, struct pf_error *err)
{
	struct merge_source *s = &m->source;
	int rc = map_rows(m, err);

	for (size_t i = 0; !rc && i < s->row_count; i++)
		fetch_starts(m, &s->rows[i]);
	for (size_t i = 0; !rc && i < s->row_count; i++)
		fetch_sample(m, &s->rows[i]);
	for (size_t i = 0; !rc && i < s->row_count; i++)
		rc = merge_row(m, &s->rows[i], err);
	s->row_count = s->frame_count = s->label_count = 0;
	return rc;
}

int
pf_merge_samples(struct pf_merge *m, struct pf_error *err)
{
	struct merge_source *s = &m->source;
	int rc = 0;

	s->row_count = s->frame_count = s->label_count = 0;
	s->sample_count += s->p->sample_count;
	m->sample_count += s->p->sample_count;
	for (size_t i = 0; !rc && i < s->p->sample_count; i++) {
		if (is_zero(m, i) || !pf_label_filters_match(&m->filters, s->p, i))
			continue;
		s->rows[s->row_count++].sample = i;
		rc = want_frames(m, i, err);
		if (!rc && s->row_count == MERGE_BLOCK)
			rc = merge_block(m, err);
	}
	return rc ? rc : merge_block(m, err);
}
