/*
 * merge_settle.c: the end of a merge for its samples: weighed sums are rounded,
 * and what came to nothing is dropped.
 */
#include "profile/merge.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"

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
