/*
 * detect_gc_off.c: a collector that never runs: GOGC=off, and no memory limit to start it.
 *
 * The goal says so: where a limit is set it is finite, whatever GOGC is. All that is ever allocated stays then
 * until the machine, or the container, has no more. Where there are cycles all the same the program asks for them.
 */
#include "tuner/detect.h"

#include <math.h>

#include "tuner/gc_said.h"

enum { LEAST_LIMIT = 64 << 20 };

/* Whether the goals say that no cycle ever starts by itself; without them, whether the environment does. */
static bool
is_off(const struct pf_evidence *e, const struct pf_go_heap *h)
{
	if (h->goal == INFINITY)
		return true;
	return isnan(h->goal) && h->gogc == INFINITY && e->has_environment && !*e->gomemlimit &&
	       !isfinite(h->limit);
}

static double
in_use(const struct pf_evidence *e)
{
	const struct pf_evidence_stats *now = pf_evidence_stats_last(e, PF_STATS_GO, NULL);

	return now ? now->go.heap_alloc : NAN;
}

static void
advise(const struct pf_evidence *e, struct pf_findings *f)
{
	double rss = fmax(pf_evidence_rss(e), in_use(e)),
	       limit = fmax(LEAST_LIMIT, 2 * (isnan(rss) ? 0 : rss));

	pf_add_advice(f,
	    (struct pf_advice){
		.action = pf_say(f,
		    "Let it collect: a memory limit, with GOGC=off as it is, starts the collector "
		    "only near it%s.",
		    isnan(rss) ? "" : " (this one is twice what the process takes now)"),
		.setting =
		    isnan(rss) ? 0 : pf_say(f, "GOMEMLIMIT=%.0fMiB", ceil(limit / (1 << 20))),
		.how = pf_say(f, "GOMEMLIMIT in the environment, or debug.SetMemoryLimit()"),
		.versions = pf_say(f, "Go 1.19 and later"),
		.risk = pf_say(f, "Once what is live comes near it the collector runs all the "
				  "time: leave it room."),
		.undo = pf_say(f, "unset GOMEMLIMIT")});
	pf_gc_advise_on(f, pf_say(f, "Or take GOGC=off away."));
	pf_add_measurement(f, "cpu", "share",
	    pf_say(f, "profuse bench --before CMD --after CMD --after-env GOMEMLIMIT=…: cycles "
		      "cost CPU"));
}

int
pf_detect_gc_off(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	struct pf_go_heap h;
	int rc;

	/* Under a container's limit it is pf_detect_gc_settings() that says it. */
	if (!pf_evidence_is_go(e) || isfinite(e->memory_limit))
		return 0;
	rc = pf_go_heap(e, &h, err);
	if (rc || !is_off(e, &h) || isfinite(h.interval))
		return rc;
	pf_findings_add(f, "gc-settings", PF_SEVERITY_MEDIUM, PF_CONFIDENCE_MEDIUM,
	    pf_say(f, "GOGC is off and no memory limit is set: the heap grows until the machine "
		      "has no more memory"));
	pf_add_number(f, "heap_in_use", in_use(e), "bytes");
	if (isnan(h.goal))
		pf_add_caveat(f, PF_CONFIDENCE_LOW,
		    pf_say(f, "The environment says so: the program may set a limit itself. "
			      "/debug/pprof/heap?debug=1 or /metrics (--service fetches them) "
			      "tell."));
	advise(e, f);
	return pf_findings_check(f, err);
}
