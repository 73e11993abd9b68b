/*
 * standing.c: goroutines at locks that no finding tells of. Go says how long each has waited only in minutes, and counts
 * from the first collection that saw it: in a young deadlock nothing tells it from a lock that is busy at each look.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tuner/detect.h"
#include "tuner/locks.h"

enum { LEAST_LOOKS = 3, LEAST_STANDING = 2 };

struct standing {
	size_t looks;
	double least, most;
	const char *where; /* in each of them; NULL: before the first */
};

/* One more look; false where fewer stand, or elsewhere. */
static int
add_look(struct standing *s, const struct pf_evidence_profile *ep, bool *same, struct pf_error *err)
{
	uint32_t column = pf_evidence_column(ep, pf_count_columns);
	struct pf_sites sites;
	int rc;

	*same = false;
	if (column == PF_NONE)
		return 0;
	rc = pf_sites_of(&sites, ep, column, pf_stack_waits_at_lock, err);
	if (!rc && sites.total >= LEAST_STANDING) {
		const char *where = pf_site_name(ep, sites.items[0].name);

		*same = !s->where || strcmp(s->where, where) == 0;
		s->where = where;
		s->least = s->looks ? fmin(s->least, sites.total) : sites.total;
		s->most = fmax(s->most, sites.total);
		s->looks++;
	}
	pf_sites_release(&sites);
	return rc;
}

int
pf_write_standing(const struct pf_evidence *e, struct pf_buffer *out, struct pf_error *err)
{
	struct standing s = {0};
	char count[64];
	bool same = true;
	int rc = 0;

	for (size_t i = 0; !rc && same && i < e->profile_count; i++) {
		const struct pf_evidence_profile *ep = &e->profiles[i];

		if (pf_evidence_is_look(ep, PF_PROFILE_GOROUTINE))
			rc = add_look(&s, ep, &same, err);
	}
	if (rc || !same || s.looks < LEAST_LOOKS)
		return rc;
	snprintf(count, sizeof count, s.most > s.least ? "%.0f to %.0f" : "%.0f", s.least, s.most);
	pf_buffer_printf(out,
	    "In each of %zu looks %s goroutines stood at locks, most of them in %s: whether they "
	    "wait for each "
	    "other, or for a lock that is busy, was not judged. Go tells how long each has waited "
	    "from a minute after a "
	    "collection saw it: look again in two minutes; of a busy lock a mutex profile tells "
	    "(runtime.SetMutexProfileFraction).",
	    s.looks, count, s.where);
	return 0;
}
