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
#include "profile/order_samples.h"

static bool
is_zero(const struct pf_merge *m, size_t sample)
{
	const struct merge_source *s = &m->source;

	for (size_t i = 0; i < s->pair_count; i++) {
		if (s->p->values[sample * s->p->type_count + s->pairs[i].theirs])
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
		if (!s->ids[*frame].size)
			rc = pf_merge_want_location(m, *frame, err);
	}
	return rc;
}

/* Varints of a run besides its frames: their size, which is written last, before them, and the label set. */
enum { MOST_VARINT = 5, MOST_FRAMES = 1 << 28 };

static void
put_varint(uint8_t *bytes, size_t *size, uint32_t value)
{
	for (; value >= 0x80; value >>= 7)
		bytes[(*size)++] = (uint8_t)(value | 0x80);
	bytes[(*size)++] = (uint8_t)value;
}

/* Frames in terms of the sum; the run is complete but for its labels. */
static int
map_frames(struct pf_merge *m, struct merge_row *row, struct pf_error *err)
{
	struct merge_source *s = &m->source;
	const uint32_t *from = s->p->frames + s->p->frame_starts[row->sample];
	uint8_t size[MOST_VARINT], *frames, *to;
	size_t n = 0;
	int rc;

	row->frame_count =
	    (size_t)(s->p->frame_starts[row->sample + 1] - s->p->frame_starts[row->sample]);
	if (row->frame_count > MOST_FRAMES)
		return pf_error_set(
		    err, PF_ENOMEM, "%s: a sample of %zu locations", s->name, row->frame_count);
	rc = PF_GROW(s->runs, s->run_capacity,
	    s->run_size + 2 * MOST_VARINT + (row->frame_count + 1) * PF_PACKED_ID_ROOM, err);
	if (rc)
		return rc;
	frames = to = s->runs + s->run_size + MOST_VARINT;
	for (size_t i = 0; i < row->frame_count; i++)
		to = pf_packed_id_put(to, &s->ids[from[i]]);
	s->run_size = (size_t)(to - s->runs);
	put_varint(size, &n, (uint32_t)(to - frames));
	memcpy(frames - n, size, n);
	row->run = (size_t)(frames - n - s->runs);
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
static void
sort_labels(struct pf_label *labels, size_t count)
{
	size_t i = 1;

	while (i < count && pf_compare_labels(&labels[i - 1], &labels[i]) <= 0)
		i++;
	if (i < count)
		qsort(labels, count, sizeof *labels, pf_compare_labels);
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

/* The labels of a sample end its run. */
static int
map_labels(struct pf_merge *m, struct merge_row *row, struct pf_error *err)
{
	const struct pf_profile *p = m->source.p;
	struct merge_source *s = &m->source;
	uint64_t i = p->label_starts[row->sample], end = p->label_starts[row->sample + 1];
	uint32_t set = 0;
	int rc = 0;

	s->label_count = 0;
	for (; !rc && i < end; i++)
		rc = map_label(m, &p->labels[i], err);
	if (!rc && s->base && m->options.label_base)
		rc = add_base_label(m, err);
	if (!rc && s->label_count) {
		sort_labels(s->labels, s->label_count);
		rc = pf_packed_samples_label_set(
		    m->sum->packed, &m->label_set_index, s->labels, s->label_count, &set, err);
	}
	put_varint(s->runs, &s->run_size, set);
	row->run_size = s->run_size - row->run;
	return rc;
}

/* A run says where it ends: one that begins with the same bytes is the same. */
static bool
same_sample(const struct pf_packed_samples *sum, uint32_t record, const uint8_t *run, size_t size)
{
	size_t words = sum->size - record - sum->value_room;

	return words * sizeof *sum->words >= size &&
	       memcmp(pf_packed_run(sum, sum->words + record), run, size) == 0;
}

static int
append_sample(
    struct pf_merge *m, const struct merge_row *row, uint32_t *record, struct pf_error *err)
{
	int rc = pf_index_reserve(&m->sample_index, err);

	if (!rc)
		rc = pf_packed_samples_add(m->sum->packed, m->source.runs + row->run, row->run_size,
		    row->frame_count, record, err);
	if (!rc)
		rc = pf_index_add(&m->sample_index, row->hash, *record, err);
	m->sum->sample_count += !rc;
	return rc;
}

static int
find_sample(struct pf_merge *m, const struct merge_row *row, uint32_t *record, struct pf_error *err)
{
	const uint8_t *run = m->source.runs + row->run;
	size_t at = 0;

	for (uint32_t i = pf_index_first(&m->sample_index, row->hash, &at); i != PF_NONE;
	    i = pf_index_next(&m->sample_index, row->hash, &at)) {
		if (same_sample(m->sum->packed, i, run, row->run_size)) {
			*record = i;
			return 0;
		}
	}
	return append_sample(m, row, record, err);
}

int
pf_merge_widen_samples(struct pf_merge *m, size_t used, size_t room, struct pf_error *err)
{
	const struct pf_packed_samples *s = m->sum->packed;
	int rc = pf_packed_samples_widen(m->sum->packed, used, room, err);

	pf_index_clear(&m->sample_index);
	for (size_t at = 0; !rc && at < s->size; at = pf_packed_samples_next(s, at)) {
		const uint8_t *run = pf_packed_run(s, s->words + at);
		uint32_t hash = pf_hash_bytes(run, pf_packed_run_size(s, s->words + at));
		rc = pf_index_add(&m->sample_index, hash, (uint32_t)at, err);
	}
	return rc;
}

/* Adds or subtracts one value; false when the sum does not fit. */
static bool
add_value(struct pf_merge *m, int64_t *record, size_t type, int64_t value)
{
	if (m->options.scale_by_duration) {
		uint64_t duration = (uint64_t)m->source.p->duration_nanos;
		pf_int128 term = pf_fixed_quotient(value, duration);
		pf_int128 sum = pf_merge_scaled(record, type);
		bool fits = !__builtin_add_overflow(sum, m->source.base ? -term : term, &sum);
		pf_merge_set_scaled(record, type, sum);
		return fits;
	}
	if (m->source.base)
		return !__builtin_sub_overflow(record[type], value, &record[type]);
	return !__builtin_add_overflow(record[type], value, &record[type]);
}

static int
merge_row(struct pf_merge *m, const struct merge_row *row, struct pf_error *err)
{
	const struct pf_profile *p = m->source.p;
	const int64_t *values = p->values + row->sample * p->type_count;
	uint32_t at = 0;
	int rc = find_sample(m, row, &at, err);

	for (size_t i = 0; !rc && i < m->source.pair_count; i++) {
		const struct merge_pair *pair = &m->source.pairs[i];
		int64_t *record = m->sum->packed->words + at;
		if (!add_value(m, record, pair->ours, values[pair->theirs]))
			rc = pf_error_set(err, PF_EINPUT,
			    "%s: sample %" PRIu64 ": the sum of %s exceeds 64 bits", m->source.name,
			    m->source.sample_count - p->sample_count + row->sample,
			    pf_profile_type_name(m->sum, pair->ours));
	}
	m->term_count++;
	return rc;
}

/* Asks for the memory that merge_row() will read: the record that a row will be compared with first. */
static void
fetch_record(const struct pf_merge *m, const struct merge_row *row)
{
	size_t at = 0;
	uint32_t record = pf_index_first(&m->sample_index, row->hash, &at);

	if (record != PF_NONE)
		pf_packed_samples_fetch(m->sum->packed, record);
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
		row->hash = pf_hash_bytes(s->runs + row->run, row->run_size);
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
		fetch_record(m, &s->rows[i]);
	for (size_t i = 0; !rc && i < s->row_count; i++)
		rc = merge_row(m, &s->rows[i], err);
	s->row_count = s->run_size = 0;
	return rc;
}

int
pf_merge_samples(struct pf_merge *m, struct pf_error *err)
{
	struct merge_source *s = &m->source;
	int rc = 0;

	s->row_count = s->run_size = 0;
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
