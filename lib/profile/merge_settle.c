/*
 * merge_settle.c: the end of a merge for its samples: weighed sums are rounded,
 * and what came to nothing is dropped.
 */
#include "profile/merge.h"

#include "core/error.h"

/*
 * A scaled sum as a value. Where profiles were subtracted, what is left of two
 * equal halves by rounding (at most half a unit per term) is nothing.
 */
static int
settle_value(struct pf_merge *m, int64_t *record, size_t type, struct pf_error *err)
{
	pf_int128 number = pf_merge_scaled(record, type);

	if (m->added_count != m->profile_count && number <= (pf_int128)m->term_count &&
	    number >= -(pf_int128)m->term_count)
		number = 0;
	if (pf_fixed_round(number, m->duration_sum, m->profile_count, &record[type]))
		return 0;
	return pf_error_set(err, PF_EINPUT, "the weighed sum of %s exceeds 64 bits",
	    pf_profile_type_name(m->sum, type));
}

static bool
is_zero(const struct pf_profile *sum, const int64_t *record)
{
	for (size_t t = 0; t < sum->type_count; t++) {
		if (record[t])
			return false;
	}
	return true;
}

int
pf_merge_settle_samples(struct pf_merge *m, struct pf_error *err)
{
	struct pf_profile *sum = m->sum;
	struct pf_packed_samples *s = sum->packed;
	size_t end = 0, kept = 0, next;
	int rc = 0;

	for (size_t at = 0; !rc && at < s->size; at = next) {
		int64_t *record = s->words + at;
		next = pf_packed_samples_next(s, at);
		for (size_t t = 0; !rc && m->options.scale_by_duration && t < sum->type_count; t++)
			rc = settle_value(m, record, t, err);
		if (rc || is_zero(sum, record))
			continue;
		end = pf_packed_samples_keep(s, at, end);
		kept++;
	}
	s->has_dropped = kept < sum->sample_count;
	s->size = end;
	sum->sample_count = kept;
	return rc;
}
