/*
 * waiting.c: see waiting.h. A service that has run for a month has waited for long, and that says nothing of today.
 * Go's mutex and block profiles have no duration, and the agent's is as long as it has run.
 */
#include "tuner/waiting.h"

#include <stdio.h>

#include <profuse/merge.h>

#include "core/error.h"
#include "tuner/sampling.h"

static bool
is_negative(const struct pf_profile *p)
{
	for (size_t i = 0; i < p->sample_count * p->type_count; i++) {
		if (p->values[i] < 0)
			return true;
	}
	return false;
}

/* *difference is NULL where there is none that means anything. */
static int
subtract(struct pf_profile **difference, const struct pf_profile *then,
    const struct pf_profile *now, struct pf_error *err)
{
	/* It is one process: a binary without a build id is the same in both. */
	struct pf_merge_options o = PF_MERGE_OPTIONS_INIT;
	struct pf_merge *merge = NULL;
	struct pf_error why;
	int rc;

	o.merge_by_filename = true;
	*difference = NULL;
	rc = pf_merge_new(&merge, &o, &why);
	if (!rc)
		rc = pf_merge_add(merge, now, "now", &why);
	if (!rc)
		rc = pf_merge_subtract(merge, then, "then", &why);
	if (!rc)
		rc = pf_merge_finish(merge, difference, &why);
	pf_merge_free(merge);
	if (rc)
		return rc == PF_ENOMEM ? pf_error_nomem(err) : 0;
	if (is_negative(*difference)) {
		pf_profile_free(*difference);
		*difference = NULL;
	}
	return 0;
}

int
pf_evidence_waited(
    struct pf_evidence *e, size_t then, size_t now, double seconds, struct pf_error *err)
{
	struct pf_profile *p;
	char name[512];
	int rc = subtract(&p, e->profiles[then].p, e->profiles[now].p, err);

	if (rc)
		return rc;
	e->profiles[then].kind = PF_PROFILE_OTHER;
	/* Nothing was ever waited, or recorded; or it began anew. */
	if (!p || !e->profiles[now].p->sample_count) {
		pf_profile_free(p);
		return 0;
	}
	e->profiles[now].kind = PF_PROFILE_OTHER;
	if (!p->sample_count) { /* nothing was waited now */
		pf_profile_free(p);
		return 0;
	}
	rc = pf_wait_comments_subtract(p, e->profiles[then].p, e->profiles[now].p, err);
	if (rc) {
		pf_profile_free(p);
		return rc;
	}
	p->duration_nanos = (int64_t)(seconds * 1e9);
	p->time_nanos = e->profiles[now].time_nanos;
	snprintf(name, sizeof name, "%s, of %.0f s", e->profiles[now].name, seconds);
	rc = pf_evidence_add_profile(e, p, name, false, err);
	if (!rc)
		e->profiles[e->profile_count - 1].names_added = e->profiles[now].names_added;
	return rc;
}
