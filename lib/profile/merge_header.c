/*
 * merge_header.c: the fields of a merged profile that are not tables.
 *
 * Each is combined so that order does not matter: sums, extremes, sets, and for
 * what can only be one thing (the default type, frame filters, the period's
 * type) the common value or none.
 */
#include "profile/merge.h"

#include <string.h>

#include "core/error.h"
#include "core/memory.h"

enum { MOST_COMMENTS = 64 };

static int
check_duration(struct pf_merge *m, struct pf_error *err)
{
	int64_t duration = m->source.p->duration_nanos;

	if (!m->options.scale_by_duration)
		return 0;
	if (duration <= 0)
		return pf_error_set(err, PF_EINPUT,
		    "%s: the profile says no duration, so it cannot be weighed by it; leave it out "
		    "or merge without --scale-by",
		    m->source.name);
	if (__builtin_add_overflow(m->duration_sum, (uint64_t)duration, &m->duration_sum) ||
	    m->duration_sum > INT64_MAX)
		return pf_error_set(
		    err, PF_EINPUT, "%s: the sum of durations exceeds 64 bits", m->source.name);
	return 0;
}

/* Keeps a string that all profiles that have one agree on. */
static int
agree(struct pf_merge *m, uint32_t theirs, uint32_t *ours, bool *differs, const char *what,
    struct pf_error *err)
{
	uint32_t merged;
	int rc;

	if (!theirs || *differs)
		return 0;
	rc = pf_merge_string(m, theirs, &merged, err);
	if (rc)
		return rc;
	if (*ours && *ours != merged) {
		*differs = true;
		if (what)
			pf_merge_warn(m,
			    "%s: its %s differ from those of profiles before it; the result has "
			    "none",
			    m->source.name, what);
	}
	*ours = *differs ? 0 : merged;
	return 0;
}

/* The type that this profile would show if not asked for another. */
static uint32_t
default_type(const struct pf_profile *p)
{
	if (p->default_type)
		return p->default_type;
	return p->type_count ? p->types[p->type_count - 1].type : 0;
}

/* The place of a new comment: behind the others or, where there are enough, in place of the last by name. */
static size_t
comment_place(struct pf_merge *m, const char *comment)
{
	const struct pf_profile *sum = m->sum;
	size_t last = 0;

	if (sum->comment_count < MOST_COMMENTS)
		return sum->comment_count;
	m->comments_left_out = true;
	for (size_t i = 1; i < sum->comment_count; i++) {
		if (strcmp(pf_profile_string(sum, sum->comments[i]),
			pf_profile_string(sum, sum->comments[last])) > 0)
			last = i;
	}
	return strcmp(comment, pf_profile_string(sum, sum->comments[last])) < 0 ? last : SIZE_MAX;
}

static int
merge_comment(struct pf_merge *m, uint32_t string, struct pf_error *err)
{
	struct pf_profile *sum = m->sum;
	uint32_t comment;
	size_t place;
	int rc = pf_merge_string(m, string, &comment, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < sum->comment_count; i++) {
		if (sum->comments[i] == comment)
			return 0;
	}
	place = comment_place(m, pf_profile_string(sum, comment));
	if (place == SIZE_MAX)
		return 0;
	rc = PF_GROW(sum->comments, sum->comment_capacity, place + 1, err);
	if (rc)
		return rc;
	sum->comments[place] = comment;
	if (place == sum->comment_count)
		sum->comment_count++;
	return 0;
}

/* The union of all comments, up to a number: some writers put figures of the run into them. */
static int
merge_comments(struct pf_merge *m, struct pf_error *err)
{
	const struct pf_profile *p = m->source.p;
	int rc = 0;

	for (size_t i = 0; !rc && i < p->comment_count; i++)
		rc = merge_comment(m, p->comments[i], err);
	return rc;
}

static int
merge_period(struct pf_merge *m, struct pf_error *err)
{
	const struct pf_profile *p = m->source.p;
	struct pf_value_type type = {0}, *ours = &m->sum->period_type;
	int rc = pf_merge_string(m, p->period_type.type, &type.type, err);

	if (!rc)
		rc = pf_merge_string(m, p->period_type.unit, &type.unit, err);
	if (rc)
		return rc;
	if (p->period > m->sum->period)
		m->sum->period = p->period;
	if (!type.type && !type.unit)
		return 0;
	if (!ours->type && !ours->unit)
		*ours = type;
	if ((ours->type != type.type || ours->unit != type.unit) && !m->period_differs) {
		m->period_differs = true;
		pf_merge_warn(m,
		    "%s: its period is %s/%s, that of profiles before it %s/%s; the result has "
		    "none",
		    m->source.name, pf_profile_string(p, p->period_type.type),
		    pf_profile_string(p, p->period_type.unit),
		    pf_profile_string(m->sum, ours->type), pf_profile_string(m->sum, ours->unit));
	}
	return 0;
}

static void
merge_times(struct pf_merge *m)
{
	const struct pf_profile *p = m->source.p;
	struct pf_profile *sum = m->sum;

	if (p->time_nanos && (!sum->time_nanos || p->time_nanos < sum->time_nanos))
		sum->time_nanos = p->time_nanos;
	if (p->duration_nanos > 0 &&
	    __builtin_add_overflow(sum->duration_nanos, p->duration_nanos, &sum->duration_nanos))
		sum->duration_nanos = INT64_MAX;
}

/* Of several documentation pages the first by name: any would do, but always the same. */
static int
merge_doc_url(struct pf_merge *m, struct pf_error *err)
{
	struct pf_profile *sum = m->sum;
	uint32_t merged;
	int rc = pf_merge_string(m, m->source.p->doc_url, &merged, err);

	if (!rc && merged &&
	    (!sum->doc_url ||
		strcmp(pf_profile_string(sum, merged), pf_profile_string(sum, sum->doc_url)) < 0))
		sum->doc_url = merged;
	return rc;
}

int
pf_merge_header(struct pf_merge *m, struct pf_error *err)
{
	const struct pf_profile *p = m->source.p;
	struct pf_profile *sum = m->sum;
	int rc = check_duration(m, err);

	if (rc || m->source.base)
		return rc;
	merge_times(m);
	rc = agree(m, default_type(p), &sum->default_type, &m->default_differs, NULL, err);
	if (!rc)
		rc = agree(m, p->drop_frames, &sum->drop_frames, &m->drop_differs,
		    "frames to drop (drop_frames)", err);
	if (!rc)
		rc = agree(m, p->keep_frames, &sum->keep_frames, &m->keep_differs,
		    "frames to keep (keep_frames)", err);
	if (!rc)
		rc = merge_period(m, err);
	if (!rc)
		rc = merge_doc_url(m, err);
	return rc ? rc : merge_comments(m, err);
}

void
pf_merge_settle_header(struct pf_merge *m)
{
	struct pf_profile *sum = m->sum;
	bool survives = false;

	for (size_t i = 0; i < sum->type_count; i++)
		survives |= sum->types[i].type == sum->default_type;
	if (!survives)
		sum->default_type = 0;
	if (m->comments_left_out)
		pf_merge_warn(m, "of the profiles' comments the first %d are kept", MOST_COMMENTS);
	if (m->period_differs) {
		sum->period_type = (struct pf_value_type){0};
		sum->period = 0;
	}
}
