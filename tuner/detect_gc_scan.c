/*
 * detect_gc_scan.c: a big structure of small objects with pointers, which every
 * cycle of Go's collector has to walk: settings make cycles rarer, none makes
 * them cheaper.
 *
 * Marking costs about 30 ns of CPU per object with pointers (measured with 64-byte
 * objects on a 2-core machine); a cycle over memory without pointers stays below
 * a millisecond. Where the cost of cycles is known and is far below that, the
 * structure has no pointers and nothing is found. A long cycle that comes rarely
 * (the runtime forces one every two minutes) takes no CPU worth speaking of, and
 * is found all the same: requests meet it.
 */
#include "tuner/detect.h"

#include <math.h>

#include "tuner/sampling.h"
#include "tuner/sites.h"

#define MARK_SECONDS 30e-9 /* of CPU, per object with pointers */
#define WAITS_TOO 2.0      /* times what the CPU profile has of a cycle: the rest is no CPU time */
#define LONG_CYCLE 0.1     /* seconds of CPU, measured: of consequence however rare */
/*
 * Seconds on the clock: below them hardly a request notices that the collector takes a quarter of the processors, and
 * more where these are idle. What else runs on the machine makes a cycle longer: it is surer from twice as many on.
 */
#define LONG_WAIT 0.1

#define LITTLE_SHARE 0.02 /* of CPU: cycles are rare */
#define LITTLE_USED 0.01  /* of a processor: cycles are rare, too */
#define LEAST_SAVED 0.005 /* of CPU: what is worth a prediction */

enum { MANY_OBJECTS = 500000, VERY_MANY_OBJECTS = 1000000, SMALL_OBJECT = 512 };

static const char *const objects[] = {"inuse_objects", "objects", NULL};
static const char *const bytes[] = {"inuse_space", "space", NULL};

/* Why no setting helps; 0: one that makes cycles rarer does. */
static uint32_t
why_no_setting(const struct pf_evidence *e, struct pf_findings *f, const struct pf_gc_cost *c,
    const struct pf_go_heap *h)
{
	double wanted = c->share > 0.05 ? h->gogc * c->share / 0.05 : h->gogc;
	double needed = h->live * (1 + wanted / 100) + h->overhead;
	char text[PF_AMOUNT_ROOM], limit[PF_AMOUNT_ROOM];

	if (isfinite(e->memory_limit) && isfinite(wanted) && !h->limited && c->share > 0.05 &&
	    needed > 0.9 * e->memory_limit)
		return pf_say(f,
		    "To bring the collector under 5 %% of CPU, GOGC would have to be %.0f and the "
		    "heap %s: "
		    "more than the limit of %s.",
		    wanted, pf_amount(text, needed, "bytes"),
		    pf_amount(limit, e->memory_limit, "bytes"));
	if (h->goal == INFINITY)
		return pf_say(f, "GOGC is off: a cycle comes only where the program asks for one.");
	if (h->interval >= 110)
		return pf_say(f, "Cycles come only every two minutes already, when the runtime "
				 "forces them: no setting makes them rarer.");
	if (pf_go_heap_is_forced(h))
		return pf_say(f, "Most cycles are forced, by the runtime every two minutes or by "
				 "runtime.GC(): no setting makes them rarer.");
	return 0;
}

/* One that takes a tenth of a second is met by requests, however little CPU all of them take. */
static enum pf_severity
severity_of(const struct pf_gc_cost *c, bool long_cycle, bool rare, bool measured, bool helps)
{
	if (long_cycle || (c->share >= 0.1 && !helps))
		return PF_SEVERITY_HIGH;
	return rare && !measured ? PF_SEVERITY_LOW : PF_SEVERITY_MEDIUM;
}

/* Whether the service did next to nothing while its CPU profile was taken. */
static bool
is_at_rest(const struct pf_evidence *e)
{
	const struct pf_evidence_profile *ep = pf_evidence_last(e, PF_PROFILE_CPU);

	return ep && pf_cpu_samples(ep) < PF_LEAST_SAMPLES;
}

static void
advise(struct pf_findings *f, const char *owner, double count)
{
	pf_add_advice(
	    f, (struct pf_advice){
		   .action = pf_say(f,
		       "Hold the %.1f million objects of %s without pointers: values and keys in a "
		       "few big "
		       "[]byte, found by a map from hash to offset (no pointers in key or value), "
		       "or by index "
		       "into a slice of structs; free lists of indices instead of linked pointers.",
		       count / 1e6, owner),
		   .how = pf_say(f, "libraries of this design: freecache, bigcache; or memory "
				    "outside of the heap (mmap)"),
		   .risk = pf_say(f, "Every access copies or decodes; measure latency with profuse "
				     "bench before and after.")});
	pf_add_advice(
	    f, (struct pf_advice){.action = pf_say(f, "Or have fewer objects: several small fields "
						      "in one allocation, structs by value in "
						      "slices and maps.")});
}

/* Where cycles are rare, only how long one takes makes it matter, and nothing measured it. */
static void
doubt_length(struct pf_findings *f, const struct pf_go_heap *h)
{
	bool is_long = h->cycle_wall >= 2 * LONG_WAIT;
	char text[PF_AMOUNT_ROOM];

	if (!isnan(h->cycle_wall))
		pf_add_caveat(f, is_long ? PF_CONFIDENCE_LOW : PF_UNSURE,
		    pf_say(f,
			"Cycles come rarely. One that was asked for took %s, with all that it "
			"waited for processors: what it takes of them, and how long requests wait "
			"for their share, tells a gctrace (GODEBUG=gctrace=1, --stats).",
			pf_amount(text, h->cycle_wall, "seconds")));
	else
		pf_add_caveat(f, PF_UNSURE,
		    pf_say(f, "Cycles come rarely, and nothing tells what one costs: whether the "
			      "objects have pointers, and how long requests wait for their share, "
			      "tells a gctrace (GODEBUG=gctrace=1, --stats)."));
}

/* What a cycle costs says whether there is anything to walk. */
static void
doubt_cost(const struct pf_evidence *e, struct pf_findings *f, const struct pf_gc_cost *c,
    const struct pf_go_heap *h, bool rare)
{
	if (h->cycle_is_mean)
		pf_add_caveat(f, PF_CONFIDENCE_MEDIUM,
		    pf_say(f, "What a cycle costs is the mean since the service began, without "
			      "marking in idle time: a gctrace tells the last ones."));
	else if (isnan(h->cycle_cpu) && rare && (c->source || !isnan(h->cycle_wall)))
		doubt_length(f, h);
	else if (isnan(h->cycle_cpu) && !c->source)
		pf_add_caveat(f, rare ? PF_UNSURE : PF_CONFIDENCE_LOW,
		    pf_say(f,
			"%s, no gctrace and no runtime metrics: that the objects have pointers is "
			"assumed.",
			pf_evidence_last(e, PF_PROFILE_CPU) ? "Too few samples of CPU time"
							    : "No CPU profile"));
}

/* Go's collector takes the time by the clock: what its workers wait for processors is in it. */
static void
doubt_claim(struct pf_findings *f, double claimed)
{
	char text[PF_AMOUNT_ROOM];

	pf_add_caveat(f, PF_CONFIDENCE_MEDIUM,
	    pf_say(f,
		"Go itself says %s a cycle, which has in it how long the collector waited for "
		"processors: others use them. Told is what the CPU profile has of it.",
		pf_amount(text, claimed, "seconds")));
}

/* Whether cycles come so rarely that all of them together take no CPU worth speaking of. */
static bool
is_rare(const struct pf_evidence *e, const struct pf_gc_cost *c, const struct pf_go_heap *h)
{
	if (!c->source)
		return is_at_rest(e);
	return c->share < LITTLE_SHARE || pf_gc_processors(e, c, h) < LITTLE_USED;
}

/* Whether a walk of so many objects is of no consequence, or none: `cycle` is what it would take of CPU. */
static bool
is_harmless(const struct pf_go_heap *h, double count, double cycle, bool rare)
{
	if (!isnan(h->cycle_cpu)) /* which says whether there are pointers to follow */
		return h->cycle_cpu < cycle / 6 || (rare && h->cycle_cpu < LONG_CYCLE);
	return rare && (count < VERY_MANY_OBJECTS || h->cycle_wall < LONG_WAIT);
}

static int
report(const struct pf_evidence *e, struct pf_findings *f, const struct pf_evidence_profile *ep,
    const struct pf_sites *sites, double live_bytes, struct pf_error *err)
{
	double count = sites->total, cycle = count * MARK_SECONDS, first = sites->items[0].value;
	char text[PF_AMOUNT_ROOM], cost[PF_AMOUNT_ROOM];
	struct pf_finding *finding;
	const char *owner = pf_site_name(ep, sites->items[0].name);
	bool measured, rare;
	struct pf_gc_cost c;
	struct pf_go_heap h;
	double claimed;
	uint32_t why;
	int rc = pf_gc_cost(e, &c, err);

	if (!rc)
		rc = pf_go_heap(e, &h, err);
	if (rc)
		return rc;
	claimed = h.cycle_cpu;
	if (claimed > WAITS_TOO * pf_gc_cycle_of_profile(e, &c, &h))
		h.cycle_cpu = pf_gc_cycle_of_profile(e, &c, &h);
	measured = !isnan(h.cycle_cpu);
	rare = is_rare(e, &c, &h);
	if (is_harmless(&h, count, cycle, rare))
		return 0;
	if (measured)
		cycle = h.cycle_cpu;
	why = why_no_setting(e, f, &c, &h);
	finding = pf_findings_add(f, "gc-scan",
	    severity_of(&c, measured && cycle >= LONG_CYCLE, rare, measured, !why),
	    PF_CONFIDENCE_HIGH,
	    pf_say(f,
		"Every collection walks %.1f million small objects, %s of them allocated by %s: "
		"%sno setting makes that cheaper",
		count / 1e6, pf_amount(text, first / count, "share"), owner,
		why ? "" : "one may make it rarer, "));
	finding->summary =
	    why ? why
		: pf_say(f,
		      "GOGC and GOMEMLIMIT decide how often a cycle comes, not what it costs: each "
		      "takes about %s of CPU time while requests wait for their share.",
		      pf_amount(text, cycle, "seconds"));
	if (!measured || cycle < LONG_CYCLE)
		pf_gc_weigh(e, f, &c);
	finding->cpu_saved = isnan(c.share) ? 0 : 0.9 * c.share * first / count;
	pf_add_sum(f, "objects", count,
	    pf_objects_variance(ep, pf_evidence_column(ep, objects), pf_evidence_column(ep, bytes)),
	    "count");
	pf_add_number(f, "mean_object", live_bytes / count, "bytes");
	pf_add_number(f, "live_in_profile", live_bytes, "bytes");
	/* An object that is in no processor's cache costs several times those 30 ns. */
	pf_add_estimate(f, "mark_cpu_of_a_cycle", cycle, cycle * (measured ? 0.7 : 0.5),
	    cycle * (measured ? 1.3 : 4), "seconds");
	pf_add_number(f, "gc_cpu_share", c.share, "share");
	pf_add_number(f, "between_cycles", h.interval, "seconds");
	pf_add_number(f, "live_heap", h.live, "bytes");
	pf_add_number(f, "a_cycle_asked_for", h.cycle_wall, "seconds");
	doubt_cost(e, f, &c, &h, rare);
	if (h.cycle_cpu < claimed)
		doubt_claim(f, claimed);
	advise(f, owner, count);
	pf_add_prediction(f, "gc_cycle_cpu", "seconds", cycle, cycle * (1 - first / count) + 1e-3,
	    1e-3, cycle * (1 - 0.7 * first / count),
	    pf_say(f, "30 ns per object with pointers; memory without them is not walked (%s now)",
		pf_amount(cost, cycle, "seconds")));
	if (finding->cpu_saved >= LEAST_SAVED)
		pf_add_prediction(f, "cpu", "share", 1, 1 - finding->cpu_saved, 1 - c.share, 1,
		    pf_say(f, "the collector's share, as far as it goes into these objects"));
	return pf_show_sites(f, ep, sites, 4, "objects", err);
}

int
pf_detect_gc_scan(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	const struct pf_evidence_profile *ep = pf_evidence_last(e, PF_PROFILE_HEAP);
	uint32_t count, size;
	struct pf_sites sites;
	double live;
	int rc;

	if (!ep || !pf_evidence_is_go(e))
		return 0;
	count = pf_evidence_column(ep, objects);
	size = pf_evidence_column(ep, bytes);
	if (count == PF_NONE || size == PF_NONE)
		return 0;
	rc = pf_sites_of(&sites, ep, count, NULL, err);
	live = pf_column_total(ep, size);
	if (!rc && sites.count && sites.total >= MANY_OBJECTS && live / sites.total <= SMALL_OBJECT)
		rc = report(e, f, ep, &sites, live, err);
	pf_sites_release(&sites);
	return rc ? rc : pf_findings_check(f, err);
}
