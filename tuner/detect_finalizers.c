/*
 * detect_finalizers.c: a finalizer that doesn't end.
 *
 * One goroutine of Go's runtime runs all finalizers, one after the other (cleanups since Go 1.24 have a few of their
 * own). While one waits none of the others runs, and all that has one stays, with what it refers to. It is told where
 * the same function of the service waits there in each of four snapshots and more.
 */
#include "tuner/detect.h"

#include <math.h>
#include <string.h>

#include "tuner/sites.h"

#define WAITS (PF_CODE_CHANNEL | PF_CODE_LOCK_WAIT | PF_CODE_SLEEP | PF_CODE_OUTSIDE)

static bool
is_in_finalizer(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	static const char *const runners[] = {
	    "runtime.runfinq", "runtime.runFinalizers", "runtime.runCleanups"};
	size_t own = pf_stack_own(s, ep);

	if (!(s->traits & WAITS) || own == s->count)
		return false;
	for (size_t i = own; i < s->count; i++) {
		for (size_t k = 0; k < sizeof runners / sizeof *runners; k++) {
			if (strcmp(pf_site_name(ep, s->names[i]), runners[k]) == 0)
				return true;
		}
	}
	return false;
}

/* Who waits in one in this snapshot, as a sample of it; false: nobody. */
static int
find_in(const struct pf_evidence_profile *ep, const char **function, size_t *sample,
    struct pf_error *err)
{
	struct pf_stack s = {0};
	int rc = 0;

	*function = NULL;
	for (size_t i = 0; !rc && !*function && i < ep->p->sample_count; i++) {
		rc = pf_stack_read(&s, ep, i, err);
		if (!rc && is_in_finalizer(&s, ep)) {
			*function = pf_site_name(ep, s.names[pf_stack_own(&s, ep)]);
			*sample = i;
		}
	}
	pf_stack_release(&s);
	return rc;
}

static int
report(struct pf_findings *f, const struct pf_evidence_profile *ep, size_t sample,
    const char *function, size_t snapshots, double seconds, struct pf_error *err)
{
	char text[PF_AMOUNT_ROOM];
	struct pf_finding *finding =
	    pf_findings_add(f, "goroutine-leak", PF_SEVERITY_HIGH, PF_CONFIDENCE_MEDIUM,
		pf_say(f, "The finalizer %s waits, and no other finalizer runs until it ends",
		    function));

	finding->summary = pf_say(f,
	    "It waited there in each of %zu snapshots%s%s. Go runs finalizers one after the other: "
	    "all that has one stays meanwhile, with what it refers to.",
	    snapshots, seconds > 0 ? " over " : "",
	    seconds > 0 ? pf_amount(text, seconds, "seconds") : "");
	pf_add_number(f, "snapshots", (double)snapshots, "count");
	pf_add_advice(
	    f, (struct pf_advice){
		   .action = pf_say(f,
		       "Let %s do nothing that may wait (a channel, a lock, the network): hand the "
		       "work to a goroutine of its own, and close what is known to end explicitly.",
		       function),
		   .how = pf_say(f, "GET /debug/pprof/goroutine?debug=2 shows how long it has been "
				    "waiting")});
	return pf_show_stack(f, ep, sample, 1, NAN, "goroutines", err);
}

int
pf_detect_finalizers(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	const struct pf_evidence_profile *first =
					     pf_evidence_next_series(e, PF_PROFILE_GOROUTINE, NULL),
					 *last = NULL;
	const char *function = NULL;
	size_t snapshots = 0, sample = 0;
	double seconds;
	int rc = 0;

	for (const struct pf_evidence_profile *ep = first; !rc && ep;
	    ep = pf_evidence_next(e, ep)) {
		const char *now;

		if (!ep->p)
			return 0;
		rc = find_in(ep, &now, &sample, err);
		if (rc || !now || (function && strcmp(now, function) != 0))
			return rc;
		function = now;
		last = ep;
		snapshots++;
	}
	if (rc || snapshots < PF_LEAST_SERIES)
		return rc;
	seconds = pf_evidence_is_timed(e, PF_PROFILE_GOROUTINE)
		      ? (double)(last->time_nanos - first->time_nanos) / 1e9
		      : 0;
	rc = report(f, last, sample, function, snapshots, seconds, err);
	return rc ? rc : pf_findings_check(f, err);
}
