/*
 * detect_arenas.c: threads that stand in each other's way inside the allocator.
 *
 * Who finds an arena locked sleeps until it is free: a CPU profile hardly shows
 * it. The agent's wall-clock profile does (threads?seconds=N): a thread that
 * waits for a futex or a mutex below malloc or free, with nothing of the service
 * between, waits for a lock of the allocator's own. What counts is its share of
 * the time in which threads wanted to work: ran, waited for a processor, or
 * waited for such a lock. Where there is no such profile, mutex and block profiles
 * have the locks that are pthread's (jemalloc's), allocators that spin show in a
 * CPU profile, and some count their waiting themselves.
 */
#include "tuner/detect.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tuner/sampling.h"
#include "tuner/sites.h"

#define WAITS 0.10    /* of the time in which threads want to work */
#define SPINS 0.05    /* of CPU time */
#define AT_LEAST 0.02 /* of either, by the interval's lower end */
/* Arenas a thread: all that allocate have their own; some can't have. */
#define MOST_THREADS 0.75
#define FEW_THREADS 0.5
#define FEW_CROSSED 0.05 /* of frees, by another thread than allocated the block */

enum { WORTH_BYTES = 16 << 20, LEAST_WAITS = 25 };

/* The most threads that were seen, by the kernel or a profile of them: a lull says nothing of a burst; NaN: nothing tells. */
static double
thread_count(const struct pf_evidence *e)
{
	const struct pf_evidence_stats *s = NULL;
	double most = NAN;

	while ((s = pf_evidence_stats_last(e, PF_STATS_PROC, s)))
		most = fmax(most, s->proc.threads);
	for (size_t i = 0; i < e->profile_count; i++) {
		const struct pf_evidence_profile *ep = &e->profiles[i];
		uint32_t column =
		    pf_is_look(ep) ? pf_evidence_column(ep, pf_count_columns) : PF_NONE;

		if (column != PF_NONE)
			most = fmax(most, pf_column_total(ep, column));
	}
	return most;
}

/* MALLOC_ARENA_MAX as it is; 0: not set, as far as is known. */
static double
told_arenas(const struct pf_evidence *e)
{
	return *e->arena_max ? strtod(e->arena_max, NULL) : 0;
}

/* How to undo a setting of MALLOC_ARENA_MAX. */
static uint32_t
undo_arenas(const struct pf_evidence *e, struct pf_findings *f)
{
	if (*e->arena_max)
		return pf_say(f, "MALLOC_ARENA_MAX=%s, as it is now", e->arena_max);
	return pf_say(f, "unset MALLOC_ARENA_MAX, or as it was");
}

/*
 * glibc gives each new thread an arena of its own until there are as many as it may have (8 a CPU, unless it
 * is told otherwise), and only then lets threads share. Where there may be more, and there are as many as threads
 * but for a few that allocate nothing, none is shared, probably: threads meet where one frees what another allocated,
 * for that takes the lock of the arena it came from.
 */
static bool
are_shared(const struct pf_evidence *e, double arenas)
{
	double cpus = isnan(e->cpus) ? 1 : fmax(1, e->cpus), threads = thread_count(e);
	double told = told_arenas(e);

	if (pf_crossed_share(e) < FEW_CROSSED)
		return true; /* who frees its own blocks meets nobody but in an arena of several */
	if (arenas == 1)
		return !(threads <= 1);
	if (told > 0)
		return !(fmin(arenas, threads) < told);
	if (e->has_environment && fmin(arenas, threads) < 8 * cpus)
		return arenas < FEW_THREADS * threads; /* it has then: mallopt() */
	return !(arenas < 8 * cpus && arenas >= MOST_THREADS * threads);
}

static void
advise_arenas(const struct pf_evidence *e, struct pf_findings *f, double arenas)
{
	double cpus = isnan(e->cpus) ? 1 : fmax(1, e->cpus);
	double told = told_arenas(e);
	bool few = arenas < 8 * cpus;
	double most = few ? 8 * cpus : 2 * fmax(fmax(arenas, told), 8 * cpus);

	if (!are_shared(e, arenas)) {
		pf_add_advice(f,
		    (struct pf_advice){
			.action = pf_say(f,
			    "Have blocks freed by the thread that allocated them: hand them back, "
			    "or pass on fewer and bigger ones. Probably no thread has to share "
			    "an arena (they do when there may be no more), but who frees another's "
			    "block takes the lock of the arena that it came from. Another number "
			    "of arenas is no cure then.")});
		return;
	}
	pf_add_advice(f,
	    (struct pf_advice){
		.action = few ? pf_say(f,
				    "Let more threads have an arena of their own: now %.0f is all "
				    "that there are.",
				    arenas)
			      : pf_say(f, "Allow more arenas: 8 a CPU is the default, unless "
					  "MALLOC_ARENA_MAX or glibc.malloc.arena_max says less."),
		.setting = pf_say(f, "MALLOC_ARENA_MAX=%.0f", most),
		.how = pf_say(
		    f, "in the environment, or GLIBC_TUNABLES=glibc.malloc.arena_max=%.0f", most),
		.versions = pf_say(f, "glibc 2.10 and later"),
		.risk = pf_say(f, "Every arena has its own free memory: the peak may rise."),
		.undo = undo_arenas(e, f)});
}

static void
advise_more(const struct pf_evidence *e, struct pf_findings *f, double arenas)
{
	if (e->allocator == PF_ALLOCATOR_GLIBC) {
		advise_arenas(e, f, arenas);
	} else if (e->allocator == PF_ALLOCATOR_JEMALLOC) {
		pf_add_advice(
		    f, (struct pf_advice){.action = pf_say(f, "Have an arena per CPU."),
			   .setting = pf_say(f, "MALLOC_CONF=percpu_arena:percpu,abort_conf:true"),
			   .how = pf_say(f, "in the environment of the service"),
			   .versions = pf_say(f, "jemalloc 5.0 and later"),
			   .undo = pf_say(f, "unset MALLOC_CONF")});
	} else if (e->allocator == PF_ALLOCATOR_TCMALLOC) {
		pf_add_advice(f,
		    (struct pf_advice){.action = pf_say(f, "Let threads keep more in their caches, "
							   "so that they meet less often at the "
							   "central ones."),
			.setting = pf_say(f, "TCMALLOC_MAX_TOTAL_THREAD_CACHE_BYTES=134217728"),
			.how = pf_say(f, "in the environment of the service"),
			.versions = pf_say(f, "gperftools; 32 MiB is the default"),
			.risk = pf_say(f, "So much memory more may lie in caches."),
			.undo = pf_say(f, "unset it, or as it was")});
	}
}

static void
advise_fewer(const struct pf_evidence *e, struct pf_findings *f)
{
	double cpus = isnan(e->cpus) ? 1 : fmax(1, e->cpus);

	if (!pf_evidence_last(e, PF_PROFILE_WALL)) {
		pf_add_caveat(f, PF_CONFIDENCE_LOW,
		    pf_say(f, "Whether threads wait for these arenas as they are is not known."));
		pf_add_advice(f,
		    (struct pf_advice){
			.action = pf_say(f, "See first whether threads wait for arenas: where they "
					    "do, fewer make it worse, and more are what helps."),
			.how = pf_say(f, "the agent's threads over a window: profuse collect "
					 "'http://HOST:PORT/debug/pprof/threads?seconds=30'; free "
					 "memory of all arenas goes back with malloc_trim(0)")});
		return;
	}
	pf_add_advice(f,
	    (struct pf_advice){.action = pf_say(f, "Have fewer arenas: free memory of one is of no "
						   "use to threads of another."),
		.setting = pf_say(f, "MALLOC_ARENA_MAX=%.0f", cpus),
		.how = pf_say(
		    f, "in the environment, or GLIBC_TUNABLES=glibc.malloc.arena_max=%.0f", cpus),
		.versions = pf_say(f, "glibc 2.10 and later"),
		.risk =
		    pf_say(f, "Threads then wait for each other's arenas, the more so where one "
			      "frees what another allocated: MALLOC_ARENA_MAX=2 has doubled a "
			      "program's time, and has made idle memory 26 %% larger: measure "
			      "it, beside 1."),
		.undo = undo_arenas(e, f)});
}

static void
advise_trying(struct pf_findings *f)
{
	pf_add_advice(f,
	    (struct pf_advice){.action = pf_say(f, "Or another allocator with caches per thread."),
		.how = pf_say(f, "profuse tune --try CMD")});
	pf_add_measurement(f, "cpu", "share",
	    pf_say(f, "profuse tune --try CMD: not predictable from statistics"));
	pf_add_measurement(f, "rss_peak", "bytes",
	    pf_say(f, "profuse tune --try CMD: not predictable from statistics"));
}

/* What a wall-clock profile says of one service's threads. */
struct wall {
	const struct pf_evidence_profile *ep;
	struct pf_sites waiting; /* nanoseconds, by who allocates or frees */
	double working;          /* nanoseconds: that and running */
	double looks;            /* samples behind `working` */
};

static int
read_wall(struct wall *w, struct pf_error *err)
{
	uint32_t count = pf_profile_find_type(w->ep->p, "samples");
	uint32_t time = pf_profile_find_type(w->ep->p, "wall");
	struct pf_stack stack = {0};
	int rc = 0;

	for (size_t i = 0; !rc && i < w->ep->p->sample_count && time != PF_NONE; i++) {
		const char *wait = pf_sample_text(w->ep->p, i, "wait");
		bool runs = strcmp(wait, "running") == 0;

		if (!runs && strcmp(wait, "futex") != 0 && strcmp(wait, "mutex") != 0)
			continue;
		rc = pf_stack_read(&stack, w->ep, i, err);
		if (rc || (!runs && !pf_stack_in_allocator(&stack, w->ep)))
			continue;
		w->working += pf_value(w->ep, i, time);
		w->looks += count == PF_NONE ? 1 : pf_value(w->ep, i, count);
		if (!runs)
			rc = pf_sites_add(&w->waiting, pf_stack_owner(&stack, w->ep),
			    pf_value(w->ep, i, time), 1, i, err);
	}
	pf_stack_release(&stack);
	pf_sites_sort(&w->waiting);
	return rc;
}

/* Threads that sleep until an arena is free. */
static int
judge_waiting(const struct pf_evidence *e, struct pf_findings *f, double arenas, bool *found,
    struct pf_error *err)
{
	struct wall w = {.ep = pf_evidence_last(e, PF_PROFILE_WALL)};
	double share, low, high;
	char text[PF_AMOUNT_ROOM];
	int rc;

	if (!w.ep)
		return 0;
	rc = read_wall(&w, err);
	share = w.working > 0 ? w.waiting.total / w.working : 0;
	pf_share_interval(share, w.looks, &low, &high);
	if (!rc && share >= WAITS && low >= AT_LEAST && w.looks >= PF_LEAST_SAMPLES) {
		double seconds = (double)pf_profile_duration_nanos(w.ep->p) / 1e9;

		*found = true;
		pf_findings_add(f, "arena-contention",
		    share >= 0.3 ? PF_SEVERITY_HIGH : PF_SEVERITY_MEDIUM, PF_CONFIDENCE_HIGH,
		    pf_say(f,
			"Threads wait for the allocator's locks: %s of the time in which they want "
			"to work",
			pf_amount(text, share, "share")));
		pf_add_estimate(f, "share_of_working_time", share, low, high, "share");
		if (seconds > 0)
			pf_add_number(
			    f, "waiting_on_average", w.waiting.total / 1e9 / seconds, "threads");
		pf_add_number(f, "arenas", arenas, "count");
		if (w.looks < PF_FEW_SAMPLES)
			pf_add_caveat(f, PF_CONFIDENCE_LOW,
			    pf_say(f, "It rests on %.0f look%s at threads: take a longer window.",
				w.looks, w.looks == 1 ? "" : "s"));
		advise_more(e, f, arenas);
		advise_trying(f);
		rc = pf_show_sites(f, w.ep, &w.waiting, 3, "nanoseconds", err);
	}
	pf_sites_release(&w.waiting);
	return rc;
}

/* Waiting at the allocator's locks as mutex and block profiles count it: jemalloc's are mutexes like any other. */
static int
judge_delays(const struct pf_evidence *e, struct pf_findings *f, enum pf_profile_kind kind,
    double arenas, bool *found, struct pf_error *err)
{
	static const char *const delays[] = {"delay", NULL}, *const waits[] = {"contentions", NULL};
	const struct pf_evidence_profile *ep = pf_evidence_last(e, kind);
	uint32_t delay = ep ? pf_evidence_column(ep, delays) : PF_NONE;
	uint32_t count = ep ? pf_evidence_column(ep, waits) : PF_NONE;
	double window = ep ? (double)pf_profile_duration_nanos(ep->p) / 1e9 : 0, waited;
	struct pf_sites sites, times = {0};
	struct pf_wait_errors errors;
	char text[PF_AMOUNT_ROOM];
	int rc;

	if (*found || delay == PF_NONE || count == PF_NONE || window <= 0)
		return 0;
	rc = pf_sites_of(&sites, ep, delay, pf_stack_in_allocator, err);
	if (!rc)
		rc = pf_sites_of(&times, ep, count, pf_stack_in_allocator, err);
	waited = sites.total * pf_delay_unit(ep, delay);
	if (!rc && times.total >= LEAST_WAITS && waited >= WAITS * window) {
		*found = true;
		pf_findings_add(f, "arena-contention",
		    waited >= window ? PF_SEVERITY_HIGH : PF_SEVERITY_MEDIUM, PF_CONFIDENCE_HIGH,
		    pf_say(f, "Threads waited %s for the allocator's locks",
			pf_amount(text, waited, "seconds")));
		errors = pf_wait_errors_of(ep);
		pf_add_sum(f, "waited", waited, errors.delay, "seconds");
		pf_add_sum(f, "waits", times.total, errors.count, "count");
		pf_add_sum(f, "waiting_on_average", waited / window,
		    errors.delay / (window * window), "threads");
		pf_add_number(f, "arenas", arenas, "count");
		advise_more(e, f, arenas);
		advise_trying(f);
		rc = pf_show_sites(f, ep, &sites, 3, "nanoseconds", err);
	}
	pf_sites_release(&sites);
	pf_sites_release(&times);
	return rc;
}

static bool
spins_in_allocator(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	return (s->traits & PF_CODE_LOCK_WAIT) && pf_stack_in_allocator(s, ep) &&
	       pf_stack_with(s, ep, PF_CODE_LOCK_WAIT) <= pf_stack_with(s, ep, PF_CODE_ALLOCATION);
}

/* Threads that fight for an arena on the CPU: spinning, on their way into the kernel, or waking each other. */
static int
judge_spinning(const struct pf_evidence *e, struct pf_findings *f, double arenas, bool *found,
    struct pf_error *err)
{
	uint32_t column;
	const struct pf_evidence_profile *ep = pf_cpu_profile(e, &column);
	struct pf_sites sites;
	char text[PF_AMOUNT_ROOM];
	double share, samples, low, high;
	int rc;

	if (!ep || *found)
		return 0;
	rc = pf_sites_of(&sites, ep, column, spins_in_allocator, err);
	share = sites.total / pf_column_total(ep, column);
	samples = pf_cpu_samples(ep);
	pf_share_interval(share, samples, &low, &high);
	if (!rc && share >= SPINS && low >= AT_LEAST) {
		*found = true;
		pf_findings_add(f, "arena-contention",
		    pf_cpu_severity(
			ep, column, share >= 0.15 ? PF_SEVERITY_HIGH : PF_SEVERITY_MEDIUM),
		    PF_CONFIDENCE_HIGH,
		    pf_say(f, "Threads fight for the allocator's locks: %s of the CPU time",
			pf_amount(text, share, "share")))
		    ->cpu_saved = share;
		pf_add_cpu_share(f, "cpu_share", share, samples);
		advise_more(e, f, arenas);
		advise_trying(f);
		rc = pf_show_sites(f, ep, &sites, 3, "share_of_waiting", err);
	}
	pf_sites_release(&sites);
	return rc;
}

/* Whether threads wait for arenas as they are, by little: fewer would make them wait more. */
static int
is_contended(const struct pf_evidence *e, bool *contended, struct pf_error *err)
{
	struct wall w = {.ep = pf_evidence_last(e, PF_PROFILE_WALL)};
	int rc = w.ep ? read_wall(&w, err) : 0;

	*contended = w.working > 0 && w.waiting.total >= AT_LEAST * w.working;
	pf_sites_release(&w.waiting);
	return rc;
}

/* What the allocator's own figures say, where no profile has shown it. */
static void
judge_statistics(const struct pf_evidence *e, struct pf_findings *f,
    const struct pf_allocator_stats *a, bool contended)
{
	double told = told_arenas(e);
	double cpus = isnan(e->cpus) ? 2 : e->cpus;
	char text[PF_AMOUNT_ROOM];

	if (a->lock_waits >= LEAST_WAITS && a->lock_wait_seconds >= WAITS * a->uptime_seconds) {
		pf_findings_add(f, "arena-contention",
		    a->lock_wait_seconds >= a->uptime_seconds ? PF_SEVERITY_HIGH
							      : PF_SEVERITY_MEDIUM,
		    PF_CONFIDENCE_MEDIUM,
		    pf_say(f, "Threads waited %s for the allocator's locks",
			pf_amount(text, a->lock_wait_seconds, "seconds")));
		pf_add_number(f, "waited", a->lock_wait_seconds, "seconds");
		pf_add_number(f, "waits", a->lock_waits, "count");
		pf_add_number(
		    f, "waiting_on_average", a->lock_wait_seconds / a->uptime_seconds, "threads");
		pf_add_number(f, "arenas", a->arenas, "count");
		advise_more(e, f, a->arenas);
		advise_trying(f);
	} else if (a->allocator == PF_ALLOCATOR_GLIBC && a->arenas > 2 * cpus && !contended &&
		   !(told > 0 && told <= cpus) && a->free_bytes >= WORTH_BYTES &&
		   a->free_bytes > a->in_use && !(a->free_bytes - a->largest_free < WORTH_BYTES)) {
		pf_findings_add(f, "arena-contention", PF_SEVERITY_LOW, PF_CONFIDENCE_MEDIUM,
		    pf_say(f, "%.0f arenas hold %s free between them, more than is in use",
			a->arenas, pf_amount(text, a->free_bytes, "bytes")));
		pf_add_number(f, "arenas", a->arenas, "count");
		pf_add_number(f, "free", a->free_bytes, "bytes");
		pf_add_number(f, "in_use", a->in_use, "bytes");
		advise_fewer(e, f);
		advise_trying(f);
	}
}

int
pf_detect_arenas(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	const struct pf_evidence_stats *s = pf_evidence_stats_last(e, PF_STATS_ALLOCATOR, NULL);
	double arenas = s ? s->allocator.arenas : NAN;
	bool found = false, contended = false;
	int rc = judge_waiting(e, f, arenas, &found, err);

	if (!rc)
		rc = judge_delays(e, f, PF_PROFILE_LOCKS, arenas, &found, err);
	if (!rc)
		rc = judge_delays(e, f, PF_PROFILE_BLOCK, arenas, &found, err);
	if (!rc)
		rc = judge_spinning(e, f, arenas, &found, err);
	if (!rc && !found && s)
		rc = is_contended(e, &contended, err);
	if (!rc && !found && s)
		judge_statistics(e, f, &s->allocator, contended);
	return rc ? rc : pf_findings_check(f, err);
}
