/*
 * detect_gc.c: what Go's collector takes, and which settings would change that.
 *
 * Cycles per second = allocation rate / ((live + roots)·GOGC/100), each costing
 * CPU in proportion to live + roots: the collector's CPU falls with 1/GOGC. The
 * heap's height is live·(1 + GOGC/100). Measured against that, a two-point fit
 * was 13 % low at half and 2 % high at eight times the GOGC that it was fitted
 * at; the intervals here are 15 % of the change, plus the sampling error.
 */
#include "tuner/detect.h"

#include <math.h>

#include "tuner/sites.h"

#define PRESSURE 0.15 /* of CPU time */
#define MUCH_PRESSURE 0.25
#define WORTH_TUNING 0.05
#define ASSIST 0.05
#define MODEL_ERROR 0.15
/*
 * From so many collections a second on, what they cost beside marking and sweeping tells: scheduling,
 * preempting, caches that are cold after each. Up to so much of what is predicted comes on top.
 */
#define FREQUENT 30
#define ON_TOP 0.5
#define HEADROOM 0.9 /* of a container's limit, for GOMEMLIMIT */

enum { LEAST_GOGC = 50, MOST_GOGC = 500 };

static void
add_cost(struct pf_findings *f, const struct pf_gc_cost *c)
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

static void
add_heap(struct pf_findings *f, const struct pf_go_heap *h)
{
	pf_add_number(f, "live_heap", h->live, "bytes");
	pf_add_number(f, "heap_goal", h->goal, "bytes");
	if (isfinite(h->gogc))
		pf_add_number(f, h->gogc_assumed ? "gogc_assumed" : "gogc", h->gogc, "percent");
	pf_add_number(f, "seconds_between_cycles", h->interval, "seconds");
	pf_add_number(f, "cpu_of_a_cycle", h->cycle_cpu, "seconds");
}

/* What the advice rests on where nothing says GOGC. */
static void
doubt_gogc(struct pf_findings *f, const struct pf_go_heap *h, enum pf_confidence most)
{
	if (!h->gogc_assumed && !h->gogc_rough)
		return;
	pf_add_caveat(f, most,
	    pf_say(f,
		"%s: give --pid of the service, its /metrics (go_gc_gogc_percent; --service "
		"fetches "
		"them) or %s with --stats.",
		h->gogc_assumed
		    ? "Nothing given tells what GOGC is, and Go's default of 100 is "
		      "assumed; where it is another, so are the settings and savings here"
		    : "GOGC was read off the heap's goals, which gctrace cuts to whole "
		      "megabytes, and this heap is small",
		h->gogc_assumed ? "a gctrace" : "a gctrace of a greater heap"));
}

static bool
collects(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	(void)ep;
	return (s->traits & PF_CODE_GC) && !(s->traits & PF_CODE_GC_IDLE);
}

/* Where the memory comes from that the collector has to clear away: what allocates most. */
static int
show_allocators(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	static const char *const allocated[] = {"alloc_space", NULL};
	const struct pf_evidence_profile *ep = pf_evidence_last(e, PF_PROFILE_ALLOCS);
	uint32_t column = PF_NONE;
	struct pf_sites sites;
	int rc;

	if (!ep)
		ep = pf_evidence_last(e, PF_PROFILE_HEAP);
	if (ep)
		column = pf_evidence_column(ep, allocated);
	if (column != PF_NONE) {
		rc = pf_sites_of(&sites, ep, column, NULL, err);
		if (!rc)
			rc = pf_show_sites(f, ep, &sites, 3, "bytes", err);
	} else {
		ep = pf_cpu_profile(e, &column);
		if (!ep)
			return 0;
		rc = pf_sites_of(&sites, ep, column, pf_allocates, err);
		if (!rc)
			rc = pf_show_sites(f, ep, &sites, 3, "share_of_allocation", err);
	}
	pf_sites_release(&sites);
	return rc;
}

static int
show_collector(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	uint32_t column;
	const struct pf_evidence_profile *ep = pf_cpu_profile(e, &column);
	struct pf_sites sites;
	double used;
	int rc;

	if (!ep)
		return 0;
	rc = pf_cpu_used(ep, column, &used, err);
	if (rc)
		return rc;
	rc = pf_sites_of(&sites, ep, column, collects, err);
	if (!rc && sites.count)
		rc = pf_show_stack(f, ep, sites.items[0].sample, sites.total, sites.total / used,
		    "share_of_cpu", err);
	pf_sites_release(&sites);
	return rc;
}

/* Back to what it is today, where that is known. */
static uint32_t
undo_gogc(struct pf_findings *f, const struct pf_go_heap *h)
{
	if (h->gogc_assumed)
		return pf_say(f, "GOGC as it is today; unset it where it is not set");
	if (h->gogc_rough)
		return pf_say(f, "GOGC as it is today (about %.0f)", h->gogc);
	if (h->gogc == 100)
		return pf_say(f, "unset GOGC");
	return isfinite(h->gogc) ? pf_say(f, "GOGC=%.0f", h->gogc) : pf_say(f, "GOGC=off");
}

int
pf_detect_gc_pressure(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	struct pf_gc_cost c;
	struct pf_go_heap h;
	struct pf_finding *finding;
	char text[PF_AMOUNT_ROOM];
	int rc = pf_gc_cost(e, &c, err);

	if (rc || !c.source || !(c.share >= PRESSURE || c.assist >= ASSIST) || c.low < PRESSURE / 3)
		return rc;
	rc = pf_go_heap(e, &h, err);
	if (rc)
		return rc;
	finding = pf_findings_add(f, "gc-pressure",
	    c.share >= MUCH_PRESSURE ? PF_SEVERITY_HIGH : PF_SEVERITY_MEDIUM, PF_CONFIDENCE_HIGH,
	    pf_say(f, "Garbage collection takes %s of the CPU time%s",
		pf_amount(text, c.share, "share"),
		c.assist >= ASSIST ? ", and allocations have to help it" : ""));
	finding->cpu_saved = c.share / 2;
	add_cost(f, &c);
	add_heap(f, &h);
	/* The pressure itself is measured, but what is to be set, and what that brings, is not. */
	doubt_gogc(f, &h, h.gogc_assumed ? PF_CONFIDENCE_MEDIUM : PF_CONFIDENCE_HIGH);
	pf_add_advice(
	    f, (struct pf_advice){.action = pf_say(f, "Allocate less where most is allocated (the "
						      "stacks below): every byte less is a "
						      "cycle later."),
		   .how = pf_say(f, "profuse show top ALLOCS.pb.gz --sample-type alloc_space")});
	pf_add_advice(f,
	    (struct pf_advice){
		.action = pf_say(f, "Or give the heap more room, where there is memory for it%s.",
		    h.gogc_assumed ? ": twice today's GOGC, which is taken for 100" : ""),
		.setting = pf_say(f, "GOGC=%.0f", 2 * (isfinite(h.gogc) ? h.gogc : 100)),
		.how = pf_say(f, "in the environment of the service, or debug.SetGCPercent(%.0f)",
		    2 * (isfinite(h.gogc) ? h.gogc : 100)),
		.versions = pf_say(f, "every Go"),
		.risk =
		    pf_say(f, "The heap grows by as much as is live; set GOMEMLIMIT beside it."),
		.undo = undo_gogc(f, &h)});
	pf_add_prediction(f, "cpu", "share", 1, 1 - c.share / 2,
	    1 - c.share / 2 * (1 + MODEL_ERROR), 1 - c.share / 2 * (1 - MODEL_ERROR),
	    pf_say(f, "the collector's CPU time falls with 1/GOGC, or with what is allocated%s",
		h.gogc_assumed ? ": at twice today's GOGC, or half the bytes" : ""));
	rc = show_allocators(e, f, err);
	return rc ? rc : show_collector(e, f, err);
}

static void
add_limit_advice(const struct pf_evidence *e, struct pf_findings *f)
{
	double bytes = floor(e->memory_limit * HEADROOM / (1 << 20));

	pf_add_advice(f,
	    (struct pf_advice){
		.action = pf_say(f,
		    "Tell the runtime of the container's limit, less a tenth for what it does not "
		    "count."),
		.setting = pf_say(f, "GOMEMLIMIT=%.0fMiB", bytes),
		.how = pf_say(f, "in the environment, or debug.SetMemoryLimit(%.0f<<20)", bytes),
		.versions = pf_say(f, "Go 1.19 and later"),
		.risk = pf_say(f, "It is a soft limit: near it the collector may take half of the "
				  "CPU time. Never with "
				  "GOGC=off where others share the machine."),
		.undo = *e->gomemlimit ? pf_say(f, "GOMEMLIMIT=%s", e->gomemlimit)
				       : pf_say(f, "unset GOMEMLIMIT")});
}

static void
recommend_gogc(const struct pf_evidence *e, struct pf_findings *f, const struct pf_gc_cost *c,
    const struct pf_go_heap *h, double gogc)
{
	/* What the process pays for includes marking in idle time; without a spare CPU there is less of it. */
	double all = isnan(c->with_idle) ? c->share : c->with_idle, fewer = 1 - h->gogc / gogc;
	double saved = all * fewer, grown = h->live * (gogc - h->gogc) / 100;
	double error = MODEL_ERROR * saved + (c->high - c->low) / 2 * fewer;
	double on_top = h->interval < 1.0 / FREQUENT ? ON_TOP * saved : 0;
	double least = c->share * fewer * (1 - MODEL_ERROR) - (c->high - c->low) / 2 * fewer;
	double before = h->goal + h->overhead, after = before + grown;
	char cpu[PF_AMOUNT_ROOM], memory[PF_AMOUNT_ROOM];
	struct pf_finding *finding = pf_findings_add(f, "gc-settings",
	    saved >= 0.1    ? PF_SEVERITY_HIGH
	    : saved >= 0.04 ? PF_SEVERITY_MEDIUM
			    : PF_SEVERITY_LOW,
	    PF_CONFIDENCE_MEDIUM,
	    pf_say(f, "GOGC=%.0f would save about %s of the CPU time for %s more memory", gogc,
		pf_amount(cpu, saved, "share"), pf_amount(memory, grown, "bytes")));

	finding->cpu_saved = saved;
	finding->bytes_saved = -grown;
	add_cost(f, c);
	add_heap(f, h);
	doubt_gogc(f, h, PF_CONFIDENCE_LOW);
	if (on_top > 0)
		pf_add_caveat(f, PF_CONFIDENCE_MEDIUM,
		    pf_say(f,
			"It collects %.0f times a second, and each time costs more than marking "
			"and "
			"sweeping, which is all that a profile shows of it: the saving may be half "
			"as "
			"great again. profuse bench measures it.",
			1 / h->interval));
	if (isfinite(e->memory_limit))
		pf_add_number(f, "memory_limit", e->memory_limit, "bytes");
	pf_add_advice(
	    f, (struct pf_advice){
		   .action = pf_say(f, "Let the heap grow further before the next cycle."),
		   .setting = pf_say(f, "GOGC=%.0f", gogc),
		   .how = pf_say(
		       f, "in the environment of the service, or debug.SetGCPercent(%.0f)", gogc),
		   .versions = pf_say(f, "every Go"),
		   .risk = pf_say(f, "The heap's height is in proportion to what is live: a burst "
				     "of live data grows it by "
				     "that much more."),
		   .undo = undo_gogc(f, h)});
	if (isfinite(e->memory_limit))
		add_limit_advice(e, f);
	pf_add_prediction(f, "cpu", "share", 1, 1 - saved, 1 - saved - error - on_top,
	    1 - fmin(least, saved - error),
	    pf_say(f,
		"GC CPU falls with 1/GOGC: %.0f/%.0f of today's remains, of marking in idle time "
		"too",
		h->gogc, gogc));
	/* A program may end, or be looked at, before its heap is at the goal; the least that is not heap is 4 MiB. */
	pf_add_prediction(f, "rss_peak", "bytes", before, after,
	    after - 0.2 * grown - (h->overhead_guessed ? h->overhead - (4 << 20) : 0),
	    after + 0.2 * grown, pf_say(f, "live heap x (1 + GOGC/100) + what is not heap"));
	pf_add_measurement(f, "p99", "seconds",
	    pf_say(f,
		"profuse bench --before CMD --after CMD --after-env GOGC=%.0f --load URL --rate N",
		gogc));
}

/* The heap's goal and what is not heap already meet the limit: the kernel would end the service. */
static void
warn_of_limit(const struct pf_evidence *e, struct pf_findings *f, const struct pf_go_heap *h)
{
	char goal[PF_AMOUNT_ROOM], limit[PF_AMOUNT_ROOM];

	pf_findings_add(f, "gc-settings", PF_SEVERITY_HIGH, PF_CONFIDENCE_MEDIUM,
	    pf_say(f,
		"The heap may grow to %s under a container limit of %s, and the runtime does not "
		"know the "
		"limit",
		pf_amount(goal, h->goal + h->overhead, "bytes"),
		pf_amount(limit, e->memory_limit, "bytes")));
	add_heap(f, h);
	pf_add_number(f, "memory_limit", e->memory_limit, "bytes");
	add_limit_advice(e, f);
	pf_add_prediction(f, "rss_peak", "bytes", h->goal + h->overhead, HEADROOM * e->memory_limit,
	    HEADROOM * e->memory_limit * 0.9, e->memory_limit,
	    pf_say(f, "the runtime collects more often as it nears GOMEMLIMIT"));
	pf_add_measurement(f, "cpu", "share",
	    pf_say(f, "profuse bench --before CMD --after CMD --after-env GOMEMLIMIT=…: more "
		      "cycles cost CPU"));
}

int
pf_detect_gc_settings(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	struct pf_gc_cost c;
	struct pf_go_heap h;
	double room, gogc;
	int rc;

	if (!pf_evidence_is_go(e))
		return 0;
	rc = pf_gc_cost(e, &c, err);
	if (!rc)
		rc = pf_go_heap(e, &h, err);
	if (rc || isnan(h.live) || isnan(h.goal) || !(h.live > 0))
		return rc;
	if (isfinite(e->memory_limit) && !(h.limit <= e->memory_limit) &&
	    h.goal + h.overhead > 0.95 * e->memory_limit) {
		warn_of_limit(e, f, &h);
		return pf_findings_check(f, err);
	}
	if (!c.source || c.low < WORTH_TUNING || !isfinite(h.gogc) || h.gogc <= 0)
		return 0;
	/* Without a limit: double what there is, for doubling is what the model was checked with. */
	gogc = 2 * h.gogc;
	if (isfinite(e->memory_limit)) {
		room = HEADROOM * e->memory_limit - h.overhead;
		gogc = floor((room / h.live - 1) * 10) * 10; /* in steps of 10 */
	}
	gogc = fmin(fmax(gogc, LEAST_GOGC), fmax(MOST_GOGC, h.gogc));
	if (gogc >= 1.25 * h.gogc)
		recommend_gogc(e, f, &c, &h, gogc);
	return pf_findings_check(f, err);
}
