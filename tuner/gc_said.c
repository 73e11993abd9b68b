/* gc_said.c: see gc_said.h. */
#include "tuner/gc_said.h"

#include <math.h>

#include "tuner/detect.h"

void
pf_gc_say_cost(struct pf_findings *f, const struct pf_gc_cost *c)
{
	pf_add_estimate(f, "gc_cpu_share", c->share, c->low, c->high, "share");
	pf_add_number(f, "gc_assist_share", c->assist, "share");
	pf_add_number(f, "gc_share_with_idle_marking", c->with_idle, "share");
	pf_findings_last(f)->summary = pf_say(f, "Measured by %s.", c->source);
	if (!c->of_used)
		pf_add_caveat(f, PF_CONFIDENCE_LOW,
		    pf_say(f, "gctrace does not say how much CPU the rest of the program uses: the "
			      "share is of the CPUs that "
			      "there are, and greater of what is used. A CPU profile tells."));
	if (c->samples < PF_FEW_SAMPLES)
		pf_add_caveat(f, PF_UNSURE,
		    pf_say(f, "The CPU profile has %.0f sample%s; shares need a few hundred.",
			c->samples, c->samples == 1 ? "" : "s"));
}

void
pf_gc_say_heap(struct pf_findings *f, const struct pf_go_heap *h)
{
	pf_add_number(f, "live_heap", h->live, "bytes");
	if (isfinite(h->goal))
		pf_add_number(f, "heap_goal", h->goal, "bytes");
	if (isfinite(h->limit))
		pf_add_number(f, "gomemlimit", h->limit, "bytes");
	if (isfinite(h->gogc))
		pf_add_number(f, h->gogc_assumed ? "gogc_assumed" : "gogc", h->gogc, "percent");
	pf_add_number(f, "between_cycles", h->interval, "seconds");
	pf_add_number(f, "cpu_of_a_cycle", h->cycle_cpu, "seconds");
}

/* What weakens all that rests on the heap's figures. */
void
pf_gc_doubt_heap(struct pf_findings *f, const struct pf_go_heap *h, enum pf_confidence most)
{
	if (h->growing)
		pf_add_caveat(f, PF_CONFIDENCE_LOW,
		    pf_say(f, "What is live still grew when the gctrace ended, and is judged as it "
			      "was then: take one that goes on when the service is warm."));
	if (h->limited_assumed)
		pf_add_caveat(f, most,
		    pf_say(f, "That a memory limit makes the heap's goals is told by the goals "
			      "only, which do not follow from what is live; a GOGC below 100, and "
			      "what sets it while the service runs, look the same. Its /metrics "
			      "(--service fetches "
			      "them) or --pid tell GOMEMLIMIT."));
}

void
pf_gc_doubt_live(struct pf_findings *f, const struct pf_go_heap *h, enum pf_confidence most)
{
	if (h->live_guessed)
		pf_add_caveat(f, most,
		    pf_say(f,
			"Under a memory limit the heap's goal does not tell what is live, and what "
			"is allocated, much of which may be garbage, is taken for it: more memory "
			"may save far less. A heap profile tells."));
}

/* What the advice rests on where nothing says GOGC. */
void
pf_gc_doubt_gogc(struct pf_findings *f, const struct pf_go_heap *h, enum pf_confidence most)
{
	if (h->gogc_default)
		pf_add_caveat(f, most,
		    pf_say(f,
			"The environment has no GOGC, and Go's default of 100 is assumed; where "
			"the program sets another itself (debug.SetGCPercent), so are the "
			"settings and savings here: its /metrics (go_gc_gogc_percent; --service "
			"fetches them) or a gctrace with --stats tell."));
	else if (h->gogc_assumed || h->gogc_rough)
		pf_add_caveat(f, most,
		    pf_say(f,
			"%s: give --pid of the service, its /metrics (go_gc_gogc_percent; "
			"--service "
			"fetches "
			"them) or %s with --stats.",
			h->gogc_assumed
			    ? "Nothing given tells what GOGC is, and Go's default of 100 is "
			      "assumed; where it is another, so are the settings and savings here"
			    : "GOGC was read off the heap's goals, which gctrace cuts to whole "
			      "megabytes, and this heap is small",
			h->gogc_assumed ? "a gctrace" : "a gctrace of a greater heap"));
}

/* Back to what it is today, where that is known. */
uint32_t
pf_gc_undo_gogc(struct pf_findings *f, const struct pf_go_heap *h)
{
	if (h->gogc_assumed)
		return pf_say(f, "GOGC as it is today; unset it where it is not set");
	if (h->gogc_rough)
		return pf_say(f, "GOGC as it is today (about %.0f)", h->gogc);
	if (h->gogc == 100)
		return pf_say(f, "unset GOGC");
	return isfinite(h->gogc) ? pf_say(f, "GOGC=%.0f", h->gogc) : pf_say(f, "GOGC=off");
}

void
pf_gc_advise_on(struct pf_findings *f, uint32_t action)
{
	pf_add_advice(f,
	    (struct pf_advice){.action = action,
		.setting = pf_say(f, "GOGC=100"),
		.how = pf_say(f, "in the environment of the service, or debug.SetGCPercent(100)"),
		.versions = pf_say(f, "every Go"),
		.risk = pf_say(f, "The collector takes CPU time again: measure."),
		.undo = pf_say(f, "GOGC=off")});
}
