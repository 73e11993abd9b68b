/*
 * merge_samples.c: the samples of a merge: found by locations and labels,
 * summed as checked 64-bit integers or, where profiles are weighed, in 128-bit
 * fixed point that is rounded once at the end.
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

static int
map_frames(struct pf_merge *m, size_t sample, struct pf_error *err)
{
	struct merge_source *s = &m->source;
	uint64_t first = s->p->frame_starts[sample];
	int rc;

	s->frame_count = (size_t)(s->p->frame_starts[sample + 1] - first);
	rc = PF_GROW(s->frames, s->frame_capacity, s->frame_count + 1, err);
	for (size_t i = 0; !rc && i < s->frame_count; i++) {
		uint32_t location = s->p->frames[first + i];
		s->frames[i] = s->locations[location];
		if (s->frames[i] == PF_NONE)
			rc = pf_merge_location(m, location, &s->frames[i], err);
	}
	return rc;
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

static bool
label_before(const struct pf_label *a, const struct pf_label *b)
{
	if (a->key != b->key)
		return a->key < b->key;
	if (a->string != b->string)
		return a->string < b->string;
	return a->number != b->number ? a->number < b->number : a->unit < b->unit;
}

/* Puts a label into its place among those before it: samples have few. */
static int
insert_label(struct pf_merge *m, const struct pf_label *label, struct pf_error *err)
{
	struct merge_source *s = &m->source;
	size_t i;
	int rc = PF_GROW(s->labels, s->label_capacity, s->label_count + 1, err);

	if (rc)
		return rc;
	for (i = s->label_count++; i > 0 && label_before(label, &s->labels[i - 1]); i--)
		s->labels[i] = s->labels[i - 1];
	s->labels[i] = *label;
	return 0;
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
	return rc ? rc : insert_label(m, &label, err);
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
	return rc ? rc : insert_label(m, &label, err);
}

static int
map_labels(struct pf_merge *m, size_t sample, struct pf_error *err)
{
	const struct pf_profile *p = m->source.p;
	int rc = 0;

	m->source.label_count = 0;
	for (uint64_t i = p->label_starts[sample]; !rc && i < p->label_starts[sample + 1]; i++)
		rc = map_label(m, &p->labels[i], err);
	if (!rc && m->source.base && m->options.label_base)
		rc = add_base_label(m, err);
	return rc;
}

static uint32_t
sample_hash(const struct merge_source *s)
{
	uint32_t hash = pf_hash_bytes(s->frames, s->frame_count * sizeof *s->frames);

	for (size_t i = 0; i < s->label_count; i++) {
		const struct pf_label *l = &s->labels[i];
		hash = pf_hash_pair((uint64_t)hash << 32 | l->key,
		    ((uint64_t)l->string << 32 | l->unit) + (uint64_t)l->number);
	}
	return hash;
}

static bool
same_sample(const struct pf_profile *sum, uint32_t i, const struct merge_source *s)
{
	const struct pf_label *labels = sum->labels + sum->label_starts[i];

	if (sum->frame_starts[i + 1] - sum->frame_starts[i] != s->frame_count ||
	    sum->label_starts[i + 1] - sum->label_starts[i] != s->label_count ||
	    memcmp(sum->frames + sum->frame_starts[i], s->frames,
		s->frame_count * sizeof *s->frames) != 0)
		return false;
	for (size_t j = 0; j < s->label_count; j++) {
		if (labels[j].key != s->labels[j].key || labels[j].string != s->labels[j].string ||
		    labels[j].number != s->labels[j].number || labels[j].unit != s->labels[j].unit)
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
append_sample(struct pf_merge *m, uint32_t hash, uint32_t *merged, struct pf_error *err)
{
	const struct merge_source *s = &m->source;
	struct pf_profile *sum = m->sum;
	size_t n = sum->sample_count;
	int rc;

	if (n >= PF_NONE - 1)
		return pf_error_set(err, PF_ENOMEM, "more than %zu distinct samples", n);
	rc = PF_GROW(sum->frames, sum->frame_capacity, sum->frame_count + s->frame_count + 1, err);
	if (!rc)
		rc = PF_GROW(
		    sum->labels, sum->label_capacity, sum->label_count + s->label_count + 1, err);
	if (!rc)
		rc = PF_GROW(sum->frame_starts, sum->frame_starts_capacity, n + 2, err);
	if (!rc)
		rc = PF_GROW(sum->label_starts, sum->label_starts_capacity, n + 2, err);
	if (!rc)
		rc = grow_values(m, err);
	if (!rc)
		rc = pf_index_add(&m->sample_index, hash, (uint32_t)n, err);
	if (rc)
		return rc;
	memcpy(sum->frames + sum->frame_count, s->frames, s->frame_count * sizeof *s->frames);
	for (size_t i = 0; i < s->label_count; i++)
		sum->labels[sum->label_count + i] = s->labels[i];
	sum->frame_starts[n + 1] = sum->frame_count += s->frame_count;
	sum->label_starts[n + 1] = sum->label_count += s->label_count;
	*merged = (uint32_t)n;
	sum->sample_count++;
	return 0;
}

static int
find_sample(struct pf_merge *m, uint32_t *merged, struct pf_error *err)
{
	uint32_t hash = sample_hash(&m->source);
	size_t at = 0;

	for (uint32_t i = pf_index_first(&m->sample_index, hash, &at); i != PF_NONE;
	    i = pf_index_next(&m->sample_index, hash, &at)) {
		if (same_sample(m->sum, i, &m->source)) {
			*merged = i;
			return 0;
		}
	}
	return append_sample(m, hash, merged, err);
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

int
pf_merge_sample(struct pf_merge *m, size_t sample, struct pf_error *err)
{
	const struct pf_profile *p = m->source.p;
	size_t n = m->sum->type_count;
	uint32_t merged = 0;
	int rc;

	if (is_zero(m, sample) || !pf_label_filters_match(&m->filters, p, sample))
		return 0;
	rc = map_frames(m, sample, err);
	if (!rc)
		rc = map_labels(m, sample, err);
	if (!rc)
		rc = find_sample(m, &merged, err);
	for (size_t t = 0; !rc && t < n; t++) {
		int64_t value = p->values[sample * p->type_count + m->source.columns[t]];
		if (!add_value(m, merged * n + t, value))
			rc = pf_error_set(err, PF_EINPUT,
			    "%s: sample %zu: the sum of %s exceeds 64 bits", m->source.name, sample,
			    pf_profile_type_name(m->sum, t));
	}
	m->term_count++;
	return rc;
}

/*
 * A scaled sum as a value. Where profiles were subtracted, what is left of two
 * equal halves by rounding (at most half a unit per term) is nothing.
 */
static int
settle_value(struct pf_merge *m, size_t at, struct pf_error *err)
{
	pf_int128 number = m->scaled[at];

	if (m->added_count != m->profile_count && number <= (pf_int128)m->term_count &&
	    number >= -(pf_int128)m->term_count)
		number = 0;
	if (pf_fixed_round(number, m->duration_sum, m->profile_count, &m->sum->values[at]))
		return 0;
	return pf_error_set(err, PF_EINPUT, "the weighed sum of %s exceeds 64 bits",
	    pf_profile_type_name(m->sum, at % m->sum->type_count));
}

static int
settle_values(struct pf_merge *m, struct pf_error *err)
{
	struct pf_profile *sum = m->sum;
	size_t count = sum->sample_count * sum->type_count;
	int rc = PF_GROW(sum->values, sum->value_capacity, count, err);

	for (size_t i = 0; !rc && i < count; i++)
		rc = settle_value(m, i, err);
	free(m->scaled);
	m->scaled = NULL;
	return rc;
}

static void
keep_sample(struct pf_profile *sum, size_t from, size_t to)
{
	uint64_t frame = sum->frame_starts[to], label = sum->label_starts[to];
	uint64_t frames = sum->frame_starts[from + 1] - sum->frame_starts[from];
	uint64_t labels = sum->label_starts[from + 1] - sum->label_starts[from];

	if (from == to)
		return;
	memmove(sum->frames + frame, sum->frames + sum->frame_starts[from],
	    frames * sizeof *sum->frames);
	memmove(sum->labels + label, sum->labels + sum->label_starts[from],
	    labels * sizeof *sum->labels);
	memmove(sum->values + to * sum->type_count, sum->values + from * sum->type_count,
	    sum->type_count * sizeof *sum->values);
	sum->frame_starts[to + 1] = frame + frames;
	sum->label_starts[to + 1] = label + labels;
}

static bool
row_is_zero(const struct pf_profile *sum, size_t sample)
{
	for (size_t t = 0; t < sum->type_count; t++) {
		if (sum->values[sample * sum->type_count + t])
			return false;
	}
	return true;
}

int
pf_merge_settle_samples(struct pf_merge *m, struct pf_error *err)
{
	struct pf_profile *sum = m->sum;
	size_t kept = 0;
	int rc = m->options.scale_by_duration ? settle_values(m, err) : 0;

	if (rc)
		return rc;
	for (size_t i = 0; i < sum->sample_count; i++) {
		if (!row_is_zero(sum, i))
			keep_sample(sum, i, kept++);
	}
	sum->sample_count = kept;
	sum->frame_count = (size_t)sum->frame_starts[kept];
	sum->label_count = (size_t)sum->label_starts[kept];
	return 0;
}
