/*
 * detect_memory.c: resident memory that holds nothing: free and not returned
 * (a setting or a call gives it back). What is lost between live objects is detect_fragmentation.c's.
 *
 * What a release gives back follows from one snapshot (see lib/runtime's
 * readers); what it costs in CPU, and what another arena count or allocator does
 * to the peak, does not: plausible advice of that kind has made things worse, so
 * the finding says how to measure it.
 */
#include "tuner/detect.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/number.h"
#include "tuner/absent.h"
#include "tuner/sites.h"

#define RELEASE_LOW 0.95 /* of what the model says is given back at least */

#define SURELY 2.0 /* standard errors */

#define WORTH_TOP 0.25 /* of what is free, at the end of the main arena */

#define JOINED_MATTERS 0.2 /* of what comes back: bounds that are further apart */
#define PROMISED 0.2       /* of what remains: bounds that are further apart promise nothing */
#define UNACCOUNTED 0.5    /* of the resident set: without the allocator's word, much */
#define ALLOCATED 0.6      /* of what is unaccounted for, and freed again */

enum {
	MUCH_BYTES = 256 << 20,
	WORTH_TOP_BYTES = 1 << 20,
	UNACCOUNTED_BYTES = 32 << 20,
	LIVE_SAMPLES = 10,  /* that a mean size is told from */
	MALLOC_HEADER = 16, /* and rounding, of a chunk of glibc's */
};

/* Whether a version such as "5.3.0-0-g54eaed1" is at least major.minor; unknown ones are. */
static bool
at_least(const char *version, int major, int minor)
{
	char *end;
	long x, y = 0;

	if (version[0] < '0' || version[0] > '9')
		return true;
	x = strtol(version, &end, 10);
	if (*end == '.')
		y = strtol(end + 1, NULL, 10);
	return x > major || (x == major && y >= minor);
}

/*
 * glibc gives the end of the main arena back by itself when it is longer than the trim threshold, 128 KiB at
 * first and twice the greatest block that was mapped and freed then (64 MiB at most); setting it keeps it as
 * it is set. What is free below a block that stays is never given back so.
 */
static void
advise_trimming(struct pf_findings *f, double top, double free_bytes)
{
	char text[PF_AMOUNT_ROOM], of[PF_AMOUNT_ROOM];

	if (!(top >= WORTH_TOP_BYTES && top >= WORTH_TOP * free_bytes))
		return;
	pf_add_advice(f,
	    (struct pf_advice){
		.action = pf_say(f,
		    "Or keep the trim threshold at its first value, which otherwise grows "
		    "with the blocks that are freed (up to 64 MiB): it gives back by itself "
		    "the %s of these %s that lie at the end of the main arena.",
		    pf_amount(text, top, "bytes"), pf_amount(of, free_bytes, "bytes")),
		.setting = pf_say(f, "MALLOC_TRIM_THRESHOLD_=131072"),
		.how = pf_say(
		    f, "in the environment, or GLIBC_TUNABLES=glibc.malloc.trim_threshold=131072"),
		.versions = pf_say(f, "glibc; as a tunable since 2.26"),
		.risk = pf_say(f,
		    "Blocks from 128 KiB on are mapped and unmapped each from then on, and what "
		    "was "
		    "given back is faulted in again: measure CPU. One block that stays at the end "
		    "keeps all that is free below it."),
		.undo = pf_say(f, "unset MALLOC_TRIM_THRESHOLD_")});
}

static void
advise_glibc(const struct pf_evidence *e, struct pf_findings *f)
{
	const struct pf_evidence_stats *s = pf_evidence_stats_last(e, PF_STATS_ALLOCATOR, NULL);

	pf_add_advice(f,
	    (struct pf_advice){
		.action = pf_say(f,
		    "Give free pages back when a burst is over: all arenas, at the cost of "
		    "faulting them in again."),
		.how = pf_say(f, "call malloc_trim(0) from the service: after a batch, when idle, "
				 "on a timer of minutes"),
		.versions =
		    pf_say(f, "glibc 2.8 and later; every arena, also in the middle of them"),
		.risk = pf_say(f,
		    "It takes each arena's lock while it walks it; milliseconds for a gigabyte."),
		.undo = pf_say(f, "don't call it")});
	if (s)
		advise_trimming(f, s->allocator.top_bytes, s->allocator.releasable);
}

/* Whether what is free now goes back by itself. */
static bool
is_returned(const struct pf_evidence *e)
{
	const struct pf_evidence_stats *s = pf_evidence_stats_last(e, PF_STATS_ALLOCATOR, NULL);
	const char *decay = s ? pf_allocator_setting(&s->allocator, "opt.dirty_decay_ms") : NULL;

	return s && s->allocator.background_threads > 0 && !(decay && decay[0] == '-');
}

static void
advise_jemalloc(const struct pf_evidence *e, struct pf_findings *f)
{
	if (is_returned(e)) {
		pf_add_advice(f,
		    (struct pf_advice){
			.action = pf_say(f,
			    "jemalloc's background thread returns it within dirty_decay_ms; only "
			    "where others need the memory at once, let it do so sooner."),
			.setting = pf_say(
			    f, "MALLOC_CONF=dirty_decay_ms:1000,muzzy_decay_ms:0,abort_conf:true"),
			.how = pf_say(f, "in the environment of the service"),
			.versions = pf_say(f, "jemalloc 5.0 and later"),
			.risk = pf_say(f, "Pages that are needed again are faulted in again."),
			.undo = pf_say(f, "unset MALLOC_CONF")});
		return;
	}
	if (!at_least(e->allocator_version, 5, 0)) {
		pf_add_advice(
		    f, (struct pf_advice){.action = pf_say(f, "Purge unused dirty pages sooner."),
			   .setting = pf_say(f, "MALLOC_CONF=lg_dirty_mult:5"),
			   .how = pf_say(f, "in the environment of the service"),
			   .versions =
			       pf_say(f, "jemalloc 4; 5 has dirty_decay_ms and background_thread"),
			   .undo = pf_say(f, "unset MALLOC_CONF")});
		return;
	}
	pf_add_advice(f,
	    (struct pf_advice){
		.action = pf_say(f,
		    "Let a background thread return dirty pages after a second of disuse; today an "
		    "idle process keeps them, for purging is done by threads that allocate."),
		.setting = pf_say(f, "MALLOC_CONF=background_thread:true,dirty_decay_ms:1000,muzzy_"
				     "decay_ms:0,abort_conf:true"),
		.how = pf_say(f,
		    "in the environment; where jemalloc is built with a prefix, JE_MALLOC_CONF or "
		    "/etc/malloc.conf"),
		.versions = pf_say(f, "jemalloc 5.0 and later"),
		.risk = pf_say(f, "Not with a decay of 0: background purging of every free has "
				  "cost 3.5 times the CPU."),
		.undo = pf_say(f, "unset MALLOC_CONF")});
}

static void
advise_tcmalloc(struct pf_findings *f)
{
	pf_add_advice(
	    f, (struct pf_advice){
		   .action = pf_say(f, "Give the page heap's free list back when a burst is over."),
		   .how = pf_say(f, "MallocExtension::instance()->ReleaseFreeMemory(), from C "
				    "MallocExtension_ReleaseFreeMemory()"),
		   .versions = pf_say(f, "gperftools 2.0 and later"),
		   .risk = pf_say(f, "The next burst faults the pages in again."),
		   .undo = pf_say(f, "don't call it")});
	pf_add_advice(f,
	    (struct pf_advice){.action = pf_say(f, "Or return memory as it becomes free."),
		.setting = pf_say(f, "TCMALLOC_AGGRESSIVE_DECOMMIT=true"),
		.how = pf_say(f, "in the environment (TCMALLOC_RELEASE_RATE gives back only while "
				 "other memory is being freed: nothing of a service that rests)"),
		.versions = pf_say(f, "gperftools 2.2 and later"),
		.risk = pf_say(
		    f, "It has cost 1.6 times the CPU under churn of large blocks: measure."),
		.undo = pf_say(f, "unset it")});
}

static void
advise_go(struct pf_findings *f)
{
	pf_add_advice(f,
	    (struct pf_advice){
		.action = pf_say(f,
		    "Go returns idle heap by itself within minutes; after a single burst it can be "
		    "asked to at once."),
		.how = pf_say(f, "debug.FreeOSMemory() after the burst, or GOMEMLIMIT so that it "
				 "scavenges earlier"),
		.versions = pf_say(f, "GOMEMLIMIT: Go 1.19 and later"),
		.risk = pf_say(f, "FreeOSMemory runs a whole collection."),
		.undo = pf_say(f, "don't call it")});
}

static void
advise_release(const struct pf_evidence *e, struct pf_findings *f, enum pf_allocator allocator)
{
	switch (allocator) {
	case PF_ALLOCATOR_GLIBC:
		advise_glibc(e, f);
		break;
	case PF_ALLOCATOR_JEMALLOC:
		advise_jemalloc(e, f);
		break;
	case PF_ALLOCATOR_TCMALLOC:
		advise_tcmalloc(f);
		break;
	case PF_ALLOCATOR_GO:
		advise_go(f);
		break;
	default:
		break;
	}
	if (allocator != PF_ALLOCATOR_GO)
		pf_add_measurement(f, "cpu", "share",
		    pf_say(f, "profuse tune --try CMD, or profuse bench with --after-env: pages "
			      "that come back cost faults"));
}

static const char *
model_of(enum pf_allocator allocator)
{
	switch (allocator) {
	case PF_ALLOCATOR_GLIBC:
		return "resident less whole pages in free chunks (free bytes less 4 KiB a chunk) "
		       "and the main arena's top";
	case PF_ALLOCATOR_JEMALLOC:
		return "resident less the dirty and muzzy pages that were ever written; what "
		       "remains is "
		       "active and metadata";
	case PF_ALLOCATOR_TCMALLOC:
		return "resident less the page heap's free list; caches stay";
	default:
		return "resident less idle spans that were not released and that the heap has no "
		       "room for until its "
		       "next collection";
	}
}

/* The mean size of what is in use, by a heap profile; NaN: none tells. */
static double
live_size(const struct pf_evidence *e)
{
	static const char *const objects[] = {"inuse_objects", "objects", NULL};
	const struct pf_evidence_profile *ep = pf_evidence_last(e, PF_PROFILE_HEAP);
	uint32_t count = ep ? pf_evidence_column(ep, objects) : PF_NONE;
	uint32_t bytes = ep ? pf_evidence_column(ep, pf_in_use_columns) : PF_NONE;
	double held;

	if (count == PF_NONE || bytes == PF_NONE || ep->p->sample_count < LIVE_SAMPLES)
		return NAN;
	held = pf_column_total(ep, count);
	return held > 0 ? pf_column_total(ep, bytes) / held + MALLOC_HEADER : NAN;
}

bool
pf_allocator_known(const struct pf_evidence *e, struct pf_allocator_stats *a)
{
	const struct pf_evidence_stats *s = pf_evidence_stats_last(e, PF_STATS_ALLOCATOR, NULL);

	if (!s)
		return false;
	*a = s->allocator;
	pf_glibc_join(a, live_size(e));
	return true;
}

/* How sure a figure is that rests on chunks which malloc_trim joins first. */
static void
doubt_joining(struct pf_findings *f, double free_bytes, const struct pf_allocator_stats *a)
{
	char least[PF_AMOUNT_ROOM], most[PF_AMOUNT_ROOM];

	if (!(a->releasable_most - a->releasable_least > JOINED_MATTERS * free_bytes))
		return;
	pf_add_caveat(f,
	    a->releasable_least >= 0.7 * free_bytes ? PF_CONFIDENCE_MEDIUM : PF_CONFIDENCE_LOW,
	    pf_say(f,
		"Much of it lies in fast bins and between them, in pieces smaller than a page that "
		"malloc_trim joins: between %s and %s come back, by how what stays lies between "
		"them, which no statistics tell.",
		pf_amount(least, a->releasable_least, "bytes"),
		pf_amount(most, a->releasable_most, "bytes")));
}

/* How sure it is that what is free is resident. */
static void
doubt_absent(struct pf_findings *f, double free_bytes, const struct pf_absent *u)
{
	char least[PF_AMOUNT_ROOM], most[PF_AMOUNT_ROOM];

	if (!(u->most - u->least > JOINED_MATTERS * free_bytes))
		return;
	pf_add_caveat(f, u->most - u->likely > free_bytes / 2 ? PF_UNSURE : PF_CONFIDENCE_LOW,
	    pf_say(f,
		"Less is resident than the allocator took: between %s and %s of what it has free "
		"was given back already or never written, and the rest of it belongs to blocks in "
		"use.",
		pf_amount(least, u->least, "bytes"), pf_amount(most, u->most, "bytes")));
}

/* How sure it is, where the kernel says nothing of the process. */
static void
doubt_own_word(struct pf_findings *f, enum pf_allocator allocator)
{
	if (allocator == PF_ALLOCATOR_GLIBC)
		pf_add_caveat(f, PF_CONFIDENCE_LOW,
		    pf_say(f,
			"glibc's figures stay the same when malloc_trim() has given pages back, "
			"and nothing here says how much is resident (add /proc/PID/status or "
			"smaps_rollup with --stats): all of it may be back already."));
	else
		pf_add_caveat(f, PF_CONFIDENCE_MEDIUM,
		    pf_say(f,
			"The resident set is the allocator's own figure: the process has more (add "
			"/proc/PID/smaps_rollup with --stats)."));
}

/* What a release is expected to give back, and between what; bytes. */
struct release {
	enum pf_allocator allocator;
	double rss, likely, least, most;
	bool joins;   /* glibc joins pieces first */
	bool told;    /* what remains is told closely enough to be promised */
	bool claimed; /* nothing but the allocator's word says how much is resident */
};

/*
 * `swing` is not given back for long. What of a figure is the kernel's and what the allocator's were taken at the same
 * time, or nearly: beside the model's own error, what is taken for free may be in use again, or back already.
 */
static struct release
expect_release(double rss, double free_bytes, const struct pf_absent *u, double swing,
    const struct pf_allocator_stats *a, bool whole_process)
{
	double error = fmax(0.07 * free_bytes, 0.03 * rss);
	double below = error + u->most - u->likely, above = error + u->likely - u->least + swing;
	struct release r = {.allocator = a ? a->allocator : PF_ALLOCATOR_GO,
	    .rss = rss,
	    .likely = free_bytes,
	    .joins = a && !isnan(a->releasable_most),
	    .told = true};

	r.claimed = !whole_process && r.allocator == PF_ALLOCATOR_GLIBC;
	if (r.joins) {
		below = fmax(below, free_bytes - a->releasable_least);
		above = fmax(above, a->releasable_most - free_bytes);
		r.told = a->releasable_most - a->releasable_least <= PROMISED * (rss - free_bytes);
	}
	r.least = fmax(0, free_bytes - below);
	r.most = free_bytes + above;
	return r;
}

static void
name_release(struct pf_findings *f, const struct pf_evidence *e, const struct release *r)
{
	double share = r->likely / r->rss;
	const char *state = r->claimed ? "that it took" : "resident",
		   *keeper = pf_allocator_name(r->allocator);
	char text[PF_AMOUNT_ROOM], most[PF_AMOUNT_ROOM], of[PF_AMOUNT_ROOM];
	struct pf_finding *finding;

	pf_amount(text, r->told ? r->likely : r->least, "bytes");
	pf_amount(most, fmin(r->most, r->rss), "bytes");
	pf_amount(of, r->rss, "bytes");
	finding = pf_findings_add(f, "unreturned-memory",
	    is_returned(e)                            ? PF_SEVERITY_LOW
	    : share >= 0.5 && r->likely >= MUCH_BYTES ? PF_SEVERITY_HIGH
	    : share >= 0.4                            ? PF_SEVERITY_MEDIUM
						      : PF_SEVERITY_LOW,
	    PF_CONFIDENCE_HIGH,
	    r->told ? pf_say(f, "%s of %s %s is free memory that %s keeps", text, of, state, keeper)
		    : pf_say(f, "%s to %s of %s %s are free memory that %s keeps", text, most, of,
			  state, keeper));
	finding->bytes_saved = r->told ? r->likely : r->least;
}

/* What remains, if that can be told; else how to find out. */
static void
predict_release(struct pf_findings *f, const struct release *r)
{
	double least = fmax(0, r->rss - r->most), most = r->rss - r->least;
	char low[PF_AMOUNT_ROOM], high[PF_AMOUNT_ROOM];

	if (r->claimed)
		pf_add_measurement(f, "rss_idle", "bytes",
		    pf_say(f, "VmRSS in /proc/PID/status before malloc_trim(0) and after it"));
	else if (!r->told)
		pf_add_measurement(f, "rss_idle", "bytes",
		    pf_say(f,
			"VmRSS in /proc/PID/status before malloc_trim(0) and after it; between %s "
			"and %s remain",
			pf_amount(low, least, "bytes"), pf_amount(high, most, "bytes")));
	else
		pf_add_prediction(f, "rss_idle", "bytes", r->rss, r->rss - r->likely, least, most,
		    pf_say(f, "%s%s", model_of(r->allocator),
			r->joins ? "; chunks of fast bins joined with their neighbours" : ""));
}

static void
report_unreturned(const struct pf_evidence *e, struct pf_findings *f, const struct release *r,
    const struct pf_absent *u, double swing, const struct pf_allocator_stats *a, bool whole_process)
{
	name_release(f, e, r);
	pf_add_number(f, r->claimed ? "taken" : "resident", r->rss, "bytes");
	pf_add_estimate(f, "releasable", r->likely, r->least, r->most, "bytes");
	if (u->likely > 0)
		pf_add_estimate(f, "free_but_not_resident", u->likely, u->least, u->most, "bytes");
	if (swing > 0)
		pf_add_number(f, "used_at_another_look", swing, "bytes");
	pf_add_number(
	    f, r->claimed ? "share_of_taken" : "share_of_resident", r->likely / r->rss, "share");
	if (r->joins)
		doubt_joining(f, r->likely, a);
	doubt_absent(f, r->likely, u);
	if (!whole_process)
		doubt_own_word(f, r->allocator);
	if (is_returned(e))
		pf_add_caveat(f, PF_CONFIDENCE_MEDIUM,
		    pf_say(f,
			"jemalloc's background thread is at work: taken later, when nothing has "
			"been freed for dirty_decay_ms, the same may show none of it."));
	advise_release(e, f, r->allocator);
	predict_release(f, r);
}

/* How to have an allocator say more, or return more, where only the kernel and a heap profile tell. */
static void
advise_unknown(const struct pf_evidence *e, struct pf_findings *f)
{
	if (e->allocator != PF_ALLOCATOR_MIMALLOC) {
		pf_add_advice(
		    f, (struct pf_advice){
			   .action = pf_say(f,
			       "See what the allocator itself says of it: its statistics tell free "
			       "memory that it keeps from memory between live objects."),
			   .how = pf_say(f, "profuse tune … --stats FILE, with what %s writes",
			       e->allocator == PF_ALLOCATOR_JEMALLOC
				   ? "malloc_stats_print(write, file, \"J\")"
				   : "MallocExtension_GetStats()")});
		advise_release(e, f, e->allocator);
		return;
	}
	pf_add_advice(f,
	    (struct pf_advice){
		.action = pf_say(f, "Let mimalloc give unused pages back at once, and see whether "
				    "less is resident."),
		.setting = pf_say(f, "MIMALLOC_DECOMMIT_DELAY=0"),
		.how = pf_say(f,
		    "in the environment; from 2.1 on MIMALLOC_PURGE_DELAY=0, in 1.7 and before "
		    "MIMALLOC_RESET_DELAY=0 with MIMALLOC_PAGE_RESET=1"),
		.versions = pf_say(f, "mimalloc 2.0; the others as said"),
		.risk = pf_say(f, "Pages that are needed again are faulted in again: measure CPU."),
		.undo = pf_say(f, "unset it")});
	pf_add_measurement(f, "rss_idle", "bytes", pf_say(f, "profuse tune --try CMD --load URL"));
	pf_add_measurement(f, "cpu", "share", pf_say(f, "profuse tune --try CMD"));
}

/* Memory that the kernel counts and a heap profile of the whole life does not: NaN where that can't be said. */
static double
unaccounted(const struct pf_evidence *e, double rss, double *in_use)
{
	static const char *const allocated[] = {"alloc_space", NULL};
	const struct pf_evidence_stats *s = pf_evidence_stats_last(e, PF_STATS_PROC, NULL);
	const struct pf_evidence_profile *ep = pf_evidence_last(e, PF_PROFILE_HEAP);
	uint32_t column = ep ? pf_evidence_column(ep, pf_in_use_columns) : PF_NONE;
	uint32_t all = ep ? pf_evidence_column(ep, allocated) : PF_NONE;
	double apart;

	while (s && isnan(s->proc.rss_anonymous))
		s = pf_evidence_stats_last(e, PF_STATS_PROC, s);
	if (s)
		rss = fmin(rss, s->proc.rss_anonymous);
	if (isnan(rss) || column == PF_NONE || all == PF_NONE)
		return NAN;
	*in_use = pf_column_total(ep, column);
	apart = rss - *in_use;
	/* What was never allocated (but for what sizes are rounded up by) was not freed: the program maps it itself. */
	return pf_column_total(ep, all) - *in_use >= ALLOCATED * apart ? apart : NAN;
}

/*
 * No word of the allocator's: what is resident, against what a heap profile has in
 * use. Free memory, memory between live objects and what the program maps without
 * its allocator look the same so.
 */
static void
judge_unaccounted(const struct pf_evidence *e, struct pf_findings *f, double rss)
{
	double in_use = 0, apart = unaccounted(e, rss, &in_use);
	char text[PF_AMOUNT_ROOM], of[PF_AMOUNT_ROOM], live[PF_AMOUNT_ROOM];

	if (e->allocator < PF_ALLOCATOR_JEMALLOC || e->allocator > PF_ALLOCATOR_MIMALLOC ||
	    !(apart >= UNACCOUNTED_BYTES) || !(apart >= UNACCOUNTED * rss))
		return;
	pf_findings_add(f, "unreturned-memory",
	    apart >= MUCH_BYTES ? PF_SEVERITY_MEDIUM : PF_SEVERITY_LOW, PF_UNSURE,
	    pf_say(f, "%s of %s resident are not in use by the heap profile, and %s may keep them",
		pf_amount(text, apart, "bytes"), pf_amount(of, rss, "bytes"),
		pf_allocator_name(e->allocator)));
	pf_add_number(f, "resident", rss, "bytes");
	pf_add_number(f, "in_use_by_profile", in_use, "bytes");
	pf_add_number(f, "not_in_use", apart, "bytes");
	pf_add_caveat(f, PF_UNSURE,
	    pf_say(f,
		"No statistics of the allocator's tell: whether it is free and not returned, lies "
		"between live objects (%s), or was mapped without the allocator is not known.",
		pf_amount(live, in_use, "bytes")));
	advise_unknown(e, f);
}

/*
 * What Go keeps although it could not use it before the next cycle: the heap grows to its goal until then,
 * and the runtime keeps a tenth more by intention.
 */
static double
free_of_go(const struct pf_go_stats *s)
{
	double headroom = 1.1 * s->next_gc - s->heap_inuse;

	return s->heap_idle - s->heap_released - (headroom > 0 ? headroom : 0);
}

/*
 * How much more the process held in another snapshot than in the last: free memory that its load needs again. 0 where
 * that may be the error of sampling.
 */
static double
find_swing(const struct pf_evidence *e)
{
	const struct pf_evidence_profile *last = pf_evidence_last(e, PF_PROFILE_HEAP), *from = NULL;
	struct pf_holding now;
	double most = 0;

	if (!last)
		return 0;
	now = pf_holdings_total(&last->held);
	while ((from = pf_evidence_next_series(e, PF_PROFILE_HEAP, from))) {
		for (const struct pf_evidence_profile *ep = from;
		    from->series == last->series && ep; ep = pf_evidence_next(e, ep)) {
			struct pf_holding then = pf_holdings_total(&ep->held);
			double more = then.value - now.value;

			if (more > SURELY * sqrt(then.variance + now.variance))
				most = fmax(most, more);
		}
	}
	return most;
}

int
pf_detect_unreturned(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	const struct pf_evidence_stats *proc = pf_evidence_stats_last(e, PF_STATS_PROC, NULL), *s;
	struct pf_allocator_stats a;
	bool has_stats = pf_allocator_known(e, &a);
	double rss = pf_evidence_rss(e), free_bytes = NAN;
	struct pf_absent absent = {0};
	struct release release;
	double swing;
	bool whole_process;

	if (has_stats) {
		absent = pf_absent_of(e, &a);
		free_bytes = a.releasable - absent.likely;
		if (isnan(rss))
			rss = a.mapped;
	} else if ((s = pf_evidence_stats_last(e, PF_STATS_GO, NULL))) {
		free_bytes = free_of_go(&s->go);
		if (isnan(rss))
			rss = s->go.sys - s->go.heap_released;
	}
	if (isnan(free_bytes)) { /* mimalloc does not say, either */
		judge_unaccounted(e, f, rss);
		return pf_findings_check(f, err);
	}
	if (isnan(rss))
		return 0;
	swing = find_swing(e);
	free_bytes = fmin(free_bytes, rss) - swing;
	if (!(free_bytes >= PF_WORTH_BYTES) || !(free_bytes >= PF_WORTH_SHARE * rss))
		return 0;
	whole_process = proc && !isnan(proc->proc.rss);
	release =
	    expect_release(rss, free_bytes, &absent, swing, has_stats ? &a : NULL, whole_process);
	report_unreturned(e, f, &release, &absent, swing, has_stats ? &a : NULL, whole_process);
	return pf_findings_check(f, err);
}
