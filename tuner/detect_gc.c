/*
 * detect_gc.c: what Go's collector takes, and which settings would change that.
 *
 * Cycles per second = allocation rate / (goal - live), each costing CPU in proportion
 * to live + roots: where GOGC makes the goal, the collector's CPU falls with 1/GOGC, and
 * the heap's height is live·(1 + GOGC/100). Where the memory limit makes it, only more of
 * that helps. Measured against that, a two-point fit
 * was 13 % low at half and 2 % high at eight times the GOGC that it was fitted
 * at; the intervals here are 15 % of the change, plus the sampling error.
 */
#include "tuner/detect.h"

#include <math.h>

#include "tuner/gc_said.h"

#define PRESSURE 0.15 /* of CPU time */
#define MUCH_PRESSURE 0.25
#define WORTH_TUNING 0.05
#define ASSIST 0.05
#define MODEL_ERROR 0.15
/*
 * From so many collections a second on, what they cost beside marking and sweeping tells: scheduling,
 * preempting, caches that are cold after each. Up to so much of what is predicted comes on top, and as much again
 * where they hardly end: of a service with 147 a second, 80 % was predicted to remain and 57 to 68 did.
 */
#define FREQUENT 30
#define ON_TOP 0.5
#define INCESSANT 100
#define ON_TOP_INCESSANT 1.0
#define HEADROOM 0.9    /* of a container's limit, for GOMEMLIMIT */
#define ENOUGH_ROOM 0.5 /* of what is live, above it */
#define LIMIT_ROOM 0.97 /* of GOMEMLIMIT: the runtime keeps 3 % */
#define NO_ROOM 0.1     /* of what is live, above it: too little to run in */
#define WORTHWHILE 1.25 /* times today's GOGC */

enum { MOST_GOGC = 500, LEAST_ROOM = 1 << 20 };

static bool
is_idle(const struct pf_evidence *e)
{
	uint32_t column;
	const struct pf_evidence_profile *ep = pf_cpu_profile(e, &column);

	return ep && pf_cpu_is_idle(ep, column);
}

/* What is left for the heap under the container's limit; infinity: none is known. */
static double
room_for_heap(const struct pf_evidence *e, const struct pf_go_heap *h)
{
	double overhead = h->limited && isfinite(h->limit) ? h->limit - h->goal : h->overhead;

	return isfinite(e->memory_limit) ? HEADROOM * e->memory_limit - overhead : INFINITY;
}

/* The GOGC, in steps of 10, that a limit on memory has room for; infinity: none is known. */
static double
gogc_with_room(const struct pf_evidence *e, const struct pf_go_heap *h)
{
	double room = room_for_heap(e, h);

	if (isfinite(h->limit))
		room = fmin(room, LIMIT_ROOM * h->limit - h->overhead);
	return isfinite(room) && h->live > 0 ? floor(pf_gogc_for(h, room) / 10) * 10 : INFINITY;
}

/*
 * The GOGC that the container's limit, and GOMEMLIMIT, have room for. Without a container's: twice
 * today's at most, for doubling is what the model was checked with.
 */
static double
choose_gogc(const struct pf_evidence *e, const struct pf_go_heap *h)
{
	double gogc = isfinite(room_for_heap(e, h)) ? INFINITY : 2 * h->gogc;

	return fmin(fmin(gogc, gogc_with_room(e, h)), fmax(MOST_GOGC, h->gogc));
}

/* GOGC as it is set, Go's default where an environment has none; NaN: nothing tells. */
static double
gogc_of(const struct pf_evidence *e, const struct pf_go_heap *h)
{
	return isnan(h->gogc) && e->has_environment && !*e->gogc ? 100 : h->gogc;
}

/*
 * The goal that a higher memory limit should allow: what GOGC makes of it where that is set, and at
 * least twice as much room above what is live; not more than the container has. Where there is next to no
 * room twice as much is none either: the collector runs all the time, and half of what is live is the least.
 */
static double
choose_goal(const struct pf_evidence *e, const struct pf_go_heap *h)
{
	double room = room_for_heap(e, h), gogc = gogc_of(e, h), left = h->goal - h->live;
	double wanted = h->live + 2 * fmax(left, LEAST_ROOM);

	if (left < NO_ROOM * h->live)
		wanted = fmax(wanted, 1.5 * h->live);
	if (isfinite(gogc))
		wanted = fmax(wanted, pf_goal_at(h, gogc));
	return fmin(
	    isnan(h->live) ? 1.5 * h->goal : wanted, room); /* nothing may tell what is live */
}

/*
 * The share of today's cycles that is left under another goal: all, of goals that are no higher, or leave no room
 * above what is live, which near a limit may be more than the goal.
 */
static double
remaining(const struct pf_go_heap *h, double goal)
{
	if (!(goal > h->goal && goal > h->live))
		return 1;
	return fmin(1, fmax(h->goal - h->live, LEAST_ROOM) / (goal - h->live));
}

#define FEWER 0.8 /* of the cycles: what is worth a higher limit */

/* A limit, or a GOGC that is low: the goals look the same. */
static void
advise_either(const struct pf_evidence *e, struct pf_findings *f, double more)
{
	char text[PF_AMOUNT_ROOM];

	pf_add_advice(f,
	    (struct pf_advice){
		.action = pf_say(f,
		    "Let the heap grow by %s more before a cycle: by GOMEMLIMIT, where one is set "
		    "(another GOGC changes nothing then), else by GOGC, which is low then%s.",
		    pf_amount(text, more, "bytes"),
		    isfinite(e->memory_limit) ? ""
					      : ". The container's limit must leave room for it"),
		.how =
		    pf_say(f, "see which it is, in the environment of the service (--pid) or its "
			      "/metrics, and in calls of debug.SetMemoryLimit() and "
			      "debug.SetGCPercent()"),
		.versions = pf_say(f, "GOMEMLIMIT: Go 1.19 and later"),
		.risk = pf_say(f, "The process takes as much more memory."),
		.undo = pf_say(f, "what it is today")});
}

static void
advise_limit(const struct pf_evidence *e, struct pf_findings *f, const struct pf_go_heap *h)
{
	double goal = choose_goal(e, h), limit = ceil((h->limit + goal - h->goal) / (1 << 20));
	bool has_room = isnan(h->live) ? goal >= WORTHWHILE * h->goal : remaining(h, goal) <= FEWER;
	char text[PF_AMOUNT_ROOM];

	if (isfinite(e->memory_limit) && !has_room) {
		pf_add_advice(f,
		    (struct pf_advice){
			.action = pf_say(f,
			    "Or give the service more memory: under its limit of %s the collector "
			    "has no more room, and another GOGC changes nothing. GOMEMLIMIT goes "
			    "up with it.",
			    pf_amount(text, e->memory_limit, "bytes"))});
		return;
	}
	if (h->limited_assumed) {
		advise_either(e, f, goal - h->goal);
		return;
	}
	pf_add_advice(f,
	    (struct pf_advice){
		.action = pf_say(f,
		    "Raise the memory limit by %s: it decides when a cycle starts, and another "
		    "GOGC changes nothing%s.",
		    pf_amount(text, goal - h->goal, "bytes"),
		    isfinite(e->memory_limit) ? ""
					      : ". The container's limit must leave room for it"),
		.setting = isfinite(limit) ? pf_say(f, "GOMEMLIMIT=%.0fMiB", limit) : 0,
		.how =
		    isfinite(limit)
			? pf_say(f, "in the environment, or debug.SetMemoryLimit(%.0f<<20)", limit)
			: pf_say(f, "GOMEMLIMIT in the environment, or debug.SetMemoryLimit()"),
		.versions = pf_say(f, "Go 1.19 and later"),
		.risk = pf_say(f, "The process takes as much more memory."),
		.undo = isfinite(h->limit) ? pf_say(f, "GOMEMLIMIT=%.0f", h->limit)
					   : pf_say(f, "GOMEMLIMIT as it is today")});
}

/* More room for the heap by GOGC: twice today's at most. 0: nothing to say of it, or no room. */
static double
advise_gogc(const struct pf_evidence *e, struct pf_findings *f, const struct pf_go_heap *h)
{
	double gogc = isnan(h->live) ? 2 * h->gogc : fmin(choose_gogc(e, h), 2 * h->gogc);
	char text[PF_AMOUNT_ROOM];

	if (!(h->gogc > 0 && isfinite(h->gogc)))
		return 0;
	if (gogc_with_room(e, h) < WORTHWHILE * h->gogc)
		pf_add_advice(f,
		    (struct pf_advice){
			.action = pf_say(f,
			    "Or give the service more memory: under its limit of %s a higher GOGC "
			    "has no room.",
			    pf_amount(text, fmin(e->memory_limit, h->limit), "bytes"))});
	if (gogc < WORTHWHILE * h->gogc)
		return 0;
	pf_add_advice(f,
	    (struct pf_advice){
		.action = pf_say(f, "Or give the heap more room, where there is memory for it%s.",
		    h->gogc_assumed ? ": twice today's GOGC, which is taken for 100" : ""),
		.setting = pf_say(f, "GOGC=%.0f", gogc),
		.how = pf_say(
		    f, "in the environment of the service, or debug.SetGCPercent(%.0f)", gogc),
		.versions = pf_say(f, "every Go"),
		.risk =
		    pf_say(f, "The heap grows by as much as is live; set GOMEMLIMIT beside it."),
		.undo = pf_gc_undo_gogc(f, h)});
	return gogc;
}

/* What the process pays for includes marking in idle time; without a spare CPU there is less of it. */
static double
paid(const struct pf_gc_cost *c)
{
	return isnan(c->with_idle) ? c->share : c->with_idle;
}

/* The share of today's cycles that another GOGC spares. */
static double
fewer_at(const struct pf_go_heap *h, double gogc)
{
	double now = pf_goal_at(h, h->gogc), then = pf_goal_at(h, gogc);

	return isnan(h->live) ? 1 - h->gogc / gogc : 1 - (now - h->live) / (then - h->live);
}

/* What may be saved beside marking and sweeping, of cycles that come one after the other. */
static double
on_top_of(const struct pf_go_heap *h, double saved)
{
	double share = h->interval < 1.0 / INCESSANT  ? ON_TOP_INCESSANT
		       : h->interval < 1.0 / FREQUENT ? ON_TOP
						      : 0;

	return share * saved;
}

/* CPU time with so many fewer cycles: the same in each finding that advises the same. */
static void
predict_cpu(struct pf_findings *f, const struct pf_gc_cost *c, const struct pf_go_heap *h,
    double fewer, uint32_t model)
{
	double saved = paid(c) * fewer, chance = (c->high - c->low) / 2 * fewer;
	double error = MODEL_ERROR * saved + chance;
	double least = c->share * fewer * (1 - MODEL_ERROR) - chance;

	pf_add_prediction(f, "cpu", "share", 1, 1 - saved,
	    fmax(0, 1 - saved - error - on_top_of(h, saved)), 1 - fmin(least, saved - error),
	    model);
}

/* What makes cycles rarer; returns the share of them that goes. */
static double
advise_fewer_cycles(
    const struct pf_evidence *e, struct pf_findings *f, const struct pf_go_heap *h, uint32_t *model)
{
	double gogc;

	if (pf_go_heap_is_forced(h)) {
		pf_add_advice(f,
		    (struct pf_advice){
			.action =
			    pf_say(f, "Call runtime.GC() and debug.FreeOSMemory() less: most "
				      "cycles were asked for, and no setting makes those rarer.")});
		*model = pf_say(f, "half of the cycles that are asked for");
		return 0.5;
	}
	pf_add_advice(
	    f, (struct pf_advice){.action = pf_say(f, "Allocate less where the stacks show that "
						      "most is allocated: every byte less is a "
						      "cycle later."),
		   .how = pf_say(f, "profuse show top ALLOCS.pb.gz --sample-type alloc_space")});
	gogc = h->limited ? 0 : advise_gogc(e, f, h);
	if (h->limited)
		advise_limit(e, f, h);
	*model =
	    gogc > 0
		? pf_say(f,
		      "the collector's CPU time falls with 1/GOGC, or with what is allocated%s",
		      h->gogc_assumed ? ": at twice today's GOGC, or half the bytes" : "")
		: pf_say(
		      f, "the collector's CPU time falls with what is allocated: half the bytes");
	return gogc > 0 ? fewer_at(h, gogc) : 0.5;
}

int
pf_detect_gc_pressure(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	struct pf_gc_cost c;
	struct pf_go_heap h;
	struct pf_finding *finding;
	char text[PF_AMOUNT_ROOM];
	uint32_t model;
	double fewer;
	int rc = pf_gc_cost(e, &c, err);

	if (rc || !c.source || !(c.share >= PRESSURE || c.assist >= ASSIST) ||
	    c.low < PRESSURE / 3 || is_idle(e))
		return rc;
	rc = pf_go_heap(e, &h, err);
	if (rc)
		return rc;
	finding = pf_findings_add(f, "gc-pressure",
	    c.share >= MUCH_PRESSURE ? PF_SEVERITY_HIGH : PF_SEVERITY_MEDIUM, PF_CONFIDENCE_HIGH,
	    pf_say(f, "Garbage collection takes %s of the CPU time%s",
		pf_amount(text, c.share, "share"),
		c.assist >= ASSIST ? ", and allocations have to help it" : ""));
	pf_gc_say_cost(f, &c);
	pf_gc_say_heap(f, &h);
	pf_gc_weigh(e, f, &c);
	/* The pressure itself is measured, but what is to be set, and what that brings, is not. */
	pf_gc_doubt_gogc(f, &h, h.gogc_assumed ? PF_CONFIDENCE_MEDIUM : PF_CONFIDENCE_HIGH);
	pf_gc_doubt_heap(f, &h, PF_CONFIDENCE_MEDIUM);
	pf_gc_doubt_live(f, &h, PF_CONFIDENCE_MEDIUM);
	fewer = advise_fewer_cycles(e, f, &h, &model);
	if (paid(&c) > 1.1 * c.share)
		model = pf_say(f, "%s; of marking in idle time too, with which it takes %s",
		    pf_said(f, model), pf_amount(text, paid(&c), "share"));
	finding->cpu_saved = paid(&c) * fewer;
	predict_cpu(f, &c, &h, fewer, model);
	rc = pf_show_gc_allocators(e, f, err);
	return rc ? rc : pf_show_gc_collector(e, f, err);
}

/* `off`: GOGC is. */
static void
add_limit_advice(const struct pf_evidence *e, struct pf_findings *f, bool off)
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
		.risk = off ? pf_say(f,
				  "With GOGC=off, as it is, the collector starts only near it: the "
				  "heap takes all of it, and once what is live comes near it "
				  "collecting takes up to half of the CPU time.")
			    : pf_say(f,
				  "It is a soft limit: near it the collector may take half of the "
				  "CPU time. Never with "
				  "GOGC=off where others share the machine."),
		.undo = *e->gomemlimit ? pf_say(f, "GOMEMLIMIT=%s", e->gomemlimit)
				       : pf_say(f, "unset GOMEMLIMIT")});
}

static enum pf_severity
severity_of(double saved)
{
	return saved >= 0.1    ? PF_SEVERITY_HIGH
	       : saved >= 0.04 ? PF_SEVERITY_MEDIUM
			       : PF_SEVERITY_LOW;
}

/* What is resident, or was at most, as MemStats say where nothing else does. */
static double
peak_of(const struct pf_evidence *e)
{
	const struct pf_evidence_stats *s = pf_evidence_stats_last(e, PF_STATS_GO, NULL);
	double rss = pf_evidence_rss(e);

	return isnan(rss) && s ? s->go.max_rss : rss;
}

/*
 * The kernel counts the program's own file too, and what lies between objects, which grows with the heap. It does not
 * count what was never written: where less is resident than the model has, the truth is between the two.
 */
static void
predict_peak(const struct pf_evidence *e, struct pf_findings *f, const struct pf_go_heap *h,
    double grown, uint32_t model)
{
	double modelled = h->goal + h->overhead, resident = peak_of(e);
	double before = isnan(resident) ? modelled : resident;
	double after = before + grown, between = grown * fmax(0, before / modelled - 1);
	double untouched = fmax(0, modelled - before);

	/* A program may end, or be looked at, before its heap is at the goal; the least that is not heap is 4 MiB. */
	pf_add_prediction(f, "rss_peak", "bytes", before, after,
	    after - 0.2 * grown - (h->overhead_guessed ? h->overhead - (4 << 20) : 0),
	    after + 0.2 * grown + between + untouched, model);
}

static void
recommend_gogc(const struct pf_evidence *e, struct pf_findings *f, const struct pf_gc_cost *c,
    const struct pf_go_heap *h, double gogc)
{
	double grown = pf_goal_at(h, gogc) - pf_goal_at(h, h->gogc);
	double saved = paid(c) * fewer_at(h, gogc), on_top = on_top_of(h, saved);
	char cpu[PF_AMOUNT_ROOM], memory[PF_AMOUNT_ROOM];
	struct pf_finding *finding =
	    pf_findings_add(f, "gc-settings", severity_of(saved), PF_CONFIDENCE_MEDIUM,
		pf_say(f, "GOGC=%.0f would save about %s of the CPU time for %s more memory", gogc,
		    pf_amount(cpu, saved, "share"), pf_amount(memory, grown, "bytes")));

	finding->cpu_saved = saved;
	finding->bytes_saved = -grown;
	pf_gc_say_cost(f, c);
	pf_gc_say_heap(f, h);
	pf_gc_weigh(e, f, c);
	pf_gc_doubt_gogc(f, h, PF_CONFIDENCE_LOW);
	pf_gc_doubt_heap(f, h, PF_CONFIDENCE_LOW);
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
		   .undo = pf_gc_undo_gogc(f, h)});
	if (isfinite(e->memory_limit))
		add_limit_advice(e, f, false);
	predict_cpu(f, c, h, fewer_at(h, gogc),
	    pf_say(f,
		"GC CPU falls with 1/GOGC: %.0f/%.0f of today's remains, of marking in idle time "
		"too",
		h->gogc, gogc));
	predict_peak(e, f, h, grown, pf_say(f, "live heap x (1 + GOGC/100) + what is not heap"));
	pf_add_measurement(f, "p99", "seconds",
	    pf_say(f,
		"profuse bench --before CMD --after CMD --after-env GOGC=%.0f --load URL --rate N",
		gogc));
}

/* The collector works hard to keep under the memory limit. */
static void
recommend_limit(const struct pf_evidence *e, struct pf_findings *f, const struct pf_gc_cost *c,
    const struct pf_go_heap *h)
{
	double goal = choose_goal(e, h), grown = goal - h->goal;
	double fewer = 1 - remaining(h, goal), saved = paid(c) * fewer;
	/* Near its limit the heap's room is small, and whole megabytes tell it roughly. */
	double rough = fmin(0.5, LEAST_ROOM / fmax(h->goal - h->live, LEAST_ROOM));
	double error =
	    paid(c) * (MODEL_ERROR * fewer + rough * (1 - fewer)) + (c->high - c->low) / 2 * fewer;
	bool fits = !isfinite(e->memory_limit) || 1 - fewer <= FEWER;
	char cpu[PF_AMOUNT_ROOM], memory[PF_AMOUNT_ROOM];
	struct pf_finding *finding = pf_findings_add(f, "gc-settings",
	    fits ? severity_of(saved) : severity_of(paid(c) / 2), PF_CONFIDENCE_MEDIUM,
	    fits ? pf_say(f, "%s: %s more would save about %s of the CPU time",
		       h->limited_assumed
			   ? "A memory limit, or a low GOGC, has the collector run early"
			   : "The memory limit, not GOGC, decides when the collector runs",
		       pf_amount(memory, grown, "bytes"), pf_amount(cpu, saved, "share"))
		 : pf_say(f, "%s, and the container has no room for more",
		       h->limited_assumed
			   ? "A memory limit, or a low GOGC, has the collector run early"
			   : "The memory limit, not GOGC, decides when the collector runs"));

	finding->cpu_saved = fits ? saved : 0;
	finding->bytes_saved = fits ? -grown : 0;
	pf_gc_say_cost(f, c);
	pf_gc_say_heap(f, h);
	pf_gc_weigh(e, f, c);
	pf_gc_doubt_heap(f, h, PF_CONFIDENCE_LOW);
	pf_gc_doubt_live(f, h, PF_CONFIDENCE_LOW);
	if (isfinite(e->memory_limit))
		pf_add_number(f, "memory_limit", e->memory_limit, "bytes");
	advise_limit(e, f, h);
	if (!fits)
		return;
	pf_add_prediction(f, "cpu", "share", 1, 1 - saved, fmax(0, 1 - saved - error),
	    h->live_guessed ? 1 : 1 - saved + error,
	    pf_say(f,
		"GC CPU falls with the room between what is live and the heap's goal: %.0f %% of "
		"today's remains",
		100 * (1 - fewer)));
	predict_peak(e, f, h, grown, pf_say(f, "the heap's goal + what is not heap"));
	pf_add_measurement(f, "p99", "seconds",
	    pf_say(f, "profuse bench --before CMD --after CMD --after-env GOMEMLIMIT=… --load URL "
		      "--rate N"));
}

/* The heap's goal and what is not heap already meet the limit: the kernel would end the service. */
static void
warn_of_limit(const struct pf_evidence *e, struct pf_findings *f, const struct pf_go_heap *h)
{
	char goal[PF_AMOUNT_ROOM], limit[PF_AMOUNT_ROOM];
	double left = HEADROOM * e->memory_limit - h->overhead - h->live;
	bool bounded = isfinite(h->goal);

	pf_amount(limit, e->memory_limit, "bytes");
	pf_findings_add(f, "gc-settings", PF_SEVERITY_HIGH, PF_CONFIDENCE_MEDIUM,
	    bounded ? pf_say(f,
			  "The heap may grow to %s under a container limit of %s, and the runtime "
			  "does not know the limit",
			  pf_amount(goal, h->goal + h->overhead, "bytes"), limit)
		    : pf_say(f,
			  "GOGC is off and no memory limit is set: nothing bounds the heap under a "
			  "container limit of %s",
			  limit));
	pf_gc_say_heap(f, h);
	pf_add_number(f, "memory_limit", e->memory_limit, "bytes");
	pf_gc_doubt_heap(f, h, PF_CONFIDENCE_LOW);
	if (bounded && left < ENOUGH_ROOM * h->live)
		pf_add_advice(f,
		    (struct pf_advice){
			.action = pf_say(f,
			    "Give the container more memory, or hold less: %s are live, and what "
			    "the limit leaves above that costs a collection after the other, or "
			    "does not suffice.",
			    pf_amount(goal, h->live, "bytes"))});
	add_limit_advice(e, f, h->gogc == INFINITY);
	if (h->gogc == INFINITY && !isfinite(h->interval)) /* else the program asks for cycles */
		pf_gc_advise_on(f,
		    pf_say(f, "And take GOGC=off away, unless the memory is the service's alone: "
			      "it collects then as the heap grows, and not only near the limit."));
	if (bounded)
		pf_add_prediction(f, "rss_peak", "bytes", h->goal + h->overhead,
		    HEADROOM * e->memory_limit, HEADROOM * e->memory_limit * 0.9, e->memory_limit,
		    pf_say(f, "the runtime collects more often as it nears GOMEMLIMIT"));
	pf_add_measurement(f, "cpu", "share",
	    pf_say(f, "profuse bench --before CMD --after CMD --after-env GOMEMLIMIT=…: more "
		      "cycles cost CPU"));
}

/* Whether the container's limit is met before the runtime knows of any. Goals that a limit makes tell that it knows one. */
static bool
may_outgrow(const struct pf_evidence *e, const struct pf_go_heap *h)
{
	bool knows = h->limit <= e->memory_limit || (h->limited && isnan(h->limit));

	return isfinite(e->memory_limit) && !knows &&
	       h->goal + h->overhead > 0.95 * e->memory_limit;
}

int
pf_detect_gc_settings(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	struct pf_gc_cost c;
	struct pf_go_heap h;
	int rc;

	if (!pf_evidence_is_go(e))
		return 0;
	rc = pf_gc_cost(e, &c, err);
	if (!rc)
		rc = pf_go_heap(e, &h, err);
	if (rc)
		return rc;
	/* Where GOGC is off no goal tells what is live. */
	if (may_outgrow(e, &h) && (h.live > 0 || !isfinite(h.goal))) {
		warn_of_limit(e, f, &h);
		return pf_findings_check(f, err);
	}
	if (!(h.live > 0) || isnan(h.goal) || !c.source || c.low < WORTH_TUNING || is_idle(e) ||
	    pf_go_heap_is_forced(&h))
		return 0;
	if (h.limited)
		recommend_limit(e, f, &c, &h);
	else if (isfinite(h.gogc) && h.gogc > 0 && choose_gogc(e, &h) >= WORTHWHILE * h.gogc)
		recommend_gogc(e, f, &c, &h, choose_gogc(e, &h));
	return pf_findings_check(f, err);
}
