/*
 * detect_outside.c: the third branch of the usual question: neither the CPU nor
 * a lock, but waiting for somebody outside: a database, a disk, the network.
 *
 * Evidence is what runs nothing: goroutines or threads that stand in a read, a
 * connect or a sync below the service's own code (those that wait for their next
 * request don't), and a CPU profile that shows processors idle. Where CPU is
 * busy, or locks take the time, this is not the finding. Which of a thread's
 * reads are for the next request says the agent, by the descriptor; of profiles
 * that don't know it, nothing is sure. Nor is it of what has waited for another
 * server longer than a request would: subscribers do, for what comes. Where no thread is
 * seen to serve anybody, a fifth of that is long: nobody's request is in a hurry then.
 *
 * Where threads of the same kind wait for work meanwhile (workers.h), requests don't wait for each other.
 *
 * One thread or two that wait are few, unless there are no others: where at every look nearly all that work wait
 * for somebody whom they have asked, and nobody else waits for a client (but to be handed over: in accept) though the
 * process listens for some, or it is a disk that they wait for, nobody has time to serve.
 */
#include "tuner/detect.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/number.h"
#include "tuner/outside_waits.h"
#include "tuner/sites.h"
#include "tuner/workers.h"

#define BUSY 0.6 /* of the CPUs: then it is CPU after all */

#define SPARE 0.25 /* of those who wait: so many others of their kind are idle */
#define NEARLY_ALL 0.8
#define HARDLY_ANY 0.1

enum { LEAST_WAITING = 4, SOONER = 5 };

double
pf_busy_share(const struct pf_evidence *e)
{
	static const char *const cpu[] = {"cpu", NULL};
	const struct pf_evidence_profile *ep = pf_evidence_last(e, PF_PROFILE_CPU);
	uint32_t column = ep ? pf_evidence_column(ep, cpu) : PF_NONE;
	double seconds = ep ? (double)pf_profile_duration_nanos(ep->p) : 0;

	if (column == PF_NONE || seconds <= 0)
		return NAN;
	return pf_column_total(ep, column) / seconds / (isnan(e->cpus) ? 1 : e->cpus);
}

struct waiting {
	struct pf_outside_waits mean;         /* over all looks */
	const struct pf_evidence_profile *ep; /* the look that is shown, and all of this in it: */
	struct pf_sites outside, surely, resting, queued; /* surely, resting: of outside */
	double network;                                   /* of outside: for another server */
	double patient; /* of these: longer than in a hurry, in any look */
	bool deaf;      /* the process listens for nobody, and the agent says so */
	double busy;
	bool serves;   /* some thread waits for clients */
	bool receives; /* and would not only accept them */
	struct pf_workers workers;
	size_t looks; /* in which nobody had time, where few threads are all; 0: not so */
	size_t asking, together; /* in these, of those who work */
	size_t
	    queues; /* snapshots, where in each of them requests wait behind few goroutines; 0: not so */
};

static double
at_work(const struct waiting *w)
{
	return w->mean.working - w->mean.queued;
}

/* Whether a look at threads shows one that waits for clients. */
static int
sees_server(struct waiting *w, const struct pf_evidence_profile *ep, struct pf_error *err)
{
	struct pf_stack s = {0};
	int rc = 0;

	for (size_t i = 0; !rc && !w->receives && i < ep->p->sample_count; i++) {
		rc = pf_stack_read(&s, ep, i, err);
		if (rc || !(s.traits & PF_CODE_SERVER))
			continue;
		w->serves = true;
		w->receives = strncmp(pf_sample_text(ep->p, i, "wait"), "accept", 6) != 0;
	}
	pf_stack_release(&s);
	return rc;
}

static int
find_server(struct waiting *w, const struct pf_evidence *e, struct pf_error *err)
{
	int rc = 0;

	w->serves = false;
	for (size_t i = 0; !rc && !w->receives && i < e->profile_count; i++) {
		const struct pf_evidence_profile *ep = &e->profiles[i];
		if (pf_is_look(ep) || pf_evidence_is_look(ep, PF_PROFILE_WALL))
			rc = sees_server(w, ep, err);
	}
	return rc;
}

/* Whether a sample's thread has waited for another server's word so long. */
static bool
is_patient(const struct pf_profile *p, size_t sample)
{
	double waited = pf_sample_waited(p, sample);

	return pf_code_peer_traits(pf_sample_text(p, sample, "peer"),
		   pf_sample_text(p, sample, "wait"), SOONER * waited) == PF_CODE_RESTS;
}

/* The threads that were patient in any look, sorted; to be freed. */
static int
list_patient(const struct pf_evidence *e, int64_t **list, size_t *count, struct pf_error *err)
{
	size_t capacity = 0;
	int rc = 0;

	for (size_t i = 0; !rc && i < e->profile_count; i++) {
		const struct pf_profile *p = pf_is_look(&e->profiles[i]) ? e->profiles[i].p : NULL;

		for (size_t k = 0; !rc && p && k < p->sample_count; k++) {
			if (!is_patient(p, k))
				continue;
			rc = PF_GROW(*list, capacity, *count + 1, err);
			if (!rc)
				(*list)[(*count)++] = pf_sample_number(p, k, "tid");
		}
	}
	if (*count)
		qsort(*list, *count, sizeof **list, pf_number_order);
	return rc;
}

static int
count_patient(struct waiting *w, const struct pf_evidence *e, uint32_t column, struct pf_error *err)
{
	struct pf_stack s = {0};
	int64_t *list = NULL;
	size_t count = 0;
	int rc = list_patient(e, &list, &count, err);

	for (size_t i = 0; !rc && i < w->ep->p->sample_count; i++) {
		int64_t thread = pf_sample_number(w->ep->p, i, "tid");

		rc = pf_stack_read(&s, w->ep, i, err);
		if (rc || !pf_waits_outside(&s, w->ep))
			continue;
		if (count && bsearch(&thread, list, count, sizeof *list, pf_number_order))
			w->patient += pf_value(w->ep, i, column);
		if (strcmp(pf_sample_text(w->ep->p, i, "peer"), "server") == 0)
			w->network += pf_value(w->ep, i, column);
	}
	pf_stack_release(&s);
	free(list);
	return rc;
}

/* Whether most of what isn't sure may be subscribers. */
static bool
may_be_subscribers(const struct waiting *w)
{
	double unsure = w->outside.total - w->surely.total;

	return (unsure > 0.5 * w->outside.total && w->resting.total >= 0.5 * unsure) ||
	       (!w->serves && w->patient > 0.5 * w->outside.total) ||
	       (!w->serves && w->deaf && w->network > 0.5 * w->outside.total);
}

/* Whose word most wait for is not told, and nobody is seen to be served. */
static bool
may_be_at_rest(const struct waiting *w)
{
	return !w->serves && w->surely.total < 0.5 * w->outside.total;
}

/* Of those who wait, how many others of their kind are idle. */
static double
spare(const struct waiting *w)
{
	return w->workers.waiting > 0 ? w->workers.idle / w->workers.waiting : 0;
}

static enum pf_severity
severity_of(const struct waiting *w)
{
	if (may_be_subscribers(w) || may_be_at_rest(w) || spare(w) >= SPARE)
		return PF_SEVERITY_LOW;
	return w->mean.outside >= 0.5 * at_work(w) && !w->looks && !w->queues ? PF_SEVERITY_HIGH
									      : PF_SEVERITY_MEDIUM;
}

static void
add_caveats(struct pf_findings *f, const struct waiting *w)
{
	if (may_be_subscribers(w))
		pf_add_caveat(f, PF_CONFIDENCE_LOW,
		    pf_say(f,
			"%s: they may be subscribers at rest (consumers of a queue, listeners), "
			"which wait for what comes.",
			w->serves
			    ? "They have waited for another server longer than a request would"
			: w->patient > 0.5 * w->outside.total
			    ? "They have waited for another server for a second and longer, and no "
			      "thread is seen to serve clients"
			    : "The process listens for no clients whose requests could wait for "
			      "them"));
	else if (w->surely.total < 0.5 * w->outside.total)
		pf_add_caveat(f, PF_CONFIDENCE_LOW,
		    pf_say(f,
			"Whose word they wait for is not told: it may be %s (the agent's threads "
			"profile says it).",
			w->serves ? "their clients' next requests"
				  : "what a process of their own sends when it likes, for no "
				    "thread is seen to serve clients"));
	if (spare(w) >= SPARE)
		pf_add_caveat(f, PF_CONFIDENCE_LOW,
		    pf_say(f,
			"For each that waits %.2g others of the same kind have nothing to do: no "
			"request waits for another one's answer.",
			spare(w)));
	if (w->looks)
		pf_add_caveat(f, PF_CONFIDENCE_LOW,
		    pf_say(f,
			"Fewer than %d threads are few: that they do nothing else follows from %zu "
			"looks.",
			LEAST_WAITING, w->looks));
	if (w->queues)
		pf_add_caveat(f, PF_CONFIDENCE_LOW,
		    pf_say(f,
			"Fewer than %d goroutines are few: that requests wait for them follows "
			"from "
			"as many and more that wait for their turn in each of %zu snapshots.",
			LEAST_WAITING, w->queues));
	if (isnan(w->busy))
		pf_add_caveat(f, PF_CONFIDENCE_LOW,
		    pf_say(f, "There is no CPU profile with a duration: that the processors are "
			      "idle is not shown."));
}

static uint32_t
title_of(struct pf_findings *f, const struct waiting *w, bool pool)
{
	const char *owner = pf_site_name(w->ep, w->outside.items[0].name);
	const char *what = w->ep->kind == PF_PROFILE_THREADS ? "threads" : "goroutines";

	if (w->looks && w->asking < w->together)
		return pf_say(f,
		    "In %zu looks %zu of %zu times a thread that works waits for something outside "
		    "(network or disk) in %s",
		    w->looks, w->asking, w->together, owner);
	if (w->looks)
		return pf_say(f,
		    "In each of %zu looks all threads that work wait for something outside "
		    "(network or disk) in %s",
		    w->looks, owner);
	return pf_say(f, "%s%.3g of %.3g working %s wait for %s in %s",
	    w->mean.looks > 1 ? pf_said(f, pf_say(f, "On average over %zu looks ", w->mean.looks))
			      : "",
	    w->mean.outside, at_work(w), what,
	    pool ? "a connection of a pool" : "something outside (network or disk)", owner);
}

static int
report(struct pf_findings *f, const struct waiting *w, struct pf_error *err)
{
	const char *owner = pf_site_name(w->ep, w->outside.items[0].name);
	const char *what = w->ep->kind == PF_PROFILE_THREADS ? "threads" : "goroutines";
	struct pf_stack stack = {0};
	bool pool = false;
	int rc = pf_stack_read(&stack, w->ep, w->outside.items[0].sample, err);

	pool = !rc && (stack.traits & PF_CODE_POOL);
	pf_stack_release(&stack);
	if (rc)
		return rc;
	pf_findings_add(f, "external-wait", severity_of(w),
	    isnan(w->busy) ? PF_CONFIDENCE_LOW : PF_CONFIDENCE_MEDIUM, title_of(f, w, pool));
	pf_add_number(f, "waiting_outside", w->mean.outside, "count");
	pf_add_number(f, "waiting_for_locks", w->mean.locks, "count");
	pf_add_number(f, "working", at_work(w), "count");
	if (w->mean.queued > 0)
		pf_add_number(f, "requests_that_wait_for_their_turn", w->mean.queued, "count");
	pf_add_number(f, "looks", (double)w->mean.looks, "count");
	pf_add_number(f, "cpu_busy", w->busy, "share");
	add_caveats(f, w);
	pf_add_advice(f,
	    (struct pf_advice){
		.action =
		    pool ? pf_say(f, "Raise the pool's limit if the other side has room for more "
				     "connections (SetMaxOpenConns), or hold each for less time.")
			 : pf_say(f,
			       "Look at the other side of what %s calls: its latency, not this "
			       "service's CPU or memory, is what requests wait for. Ask for less "
			       "(batch, cache, fewer round trips), set a deadline, run calls that "
			       "don't depend on each other at once.",
			       owner),
		.how = pf_say(f, "compare the other side's latency with this service's p50")});
	if (w->queued.count && w->mean.queued >= w->mean.outside)
		pf_add_advice(
		    f, (struct pf_advice){
			   .action = pf_say(f,
			       "Or let more of them ask at once than today, if the other side has "
			       "room "
			       "for it: %.3g wait for their turn in %s.",
			       w->mean.queued, pf_site_name(w->ep, w->queued.items[0].name))});
	pf_add_measurement(f, "p99", "seconds",
	    pf_say(f,
		"tuning allocators or the collector will not change it; measure the call itself"));
	return pf_show_sites(f, w->ep, &w->outside, 3, what, err);
}

/* What all that work do in one look. */
struct look {
	size_t working, asking, syncing;
};

/* At a condition, and none of those who wait outside at other times: whoever writes a log, say. */
static bool
stands_apart(
    const struct waiting *w, const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	return (s->traits & PF_CODE_CHANNEL) && !(s->traits & (PF_CODE_OUTSIDE | PF_CODE_LOCK)) &&
	       !pf_workers_has(&w->workers, s, ep);
}

static int
read_look(struct look *l, const struct waiting *w, const struct pf_evidence_profile *ep,
    struct pf_error *err)
{
	struct pf_stack s = {0};
	int rc = 0;

	for (size_t i = 0; !rc && i < ep->p->sample_count; i++) {
		const char *call = pf_sample_text(ep->p, i, "wait");

		rc = pf_stack_read(&s, ep, i, err);
		if (rc || !pf_is_own_work(&s, ep) || stands_apart(w, &s, ep))
			continue;
		l->working++;
		l->asking += pf_surely_waits_outside(&s, ep);
		l->syncing += strcmp(call, "fsync") == 0 || strcmp(call, "fdatasync") == 0;
	}
	pf_stack_release(&s);
	return rc;
}

/* Whether others of their kind are idle at times, and if only between the looks. */
static bool
have_time(const struct pf_workers *w)
{
	return w->idle > HARDLY_ANY * w->waiting || w->wall_idle > HARDLY_ANY * w->wall_waiting;
}

static int
look_for_time(struct waiting *w, const struct pf_evidence *e, struct pf_error *err)
{
	struct look all = {0};
	size_t looks = 0;
	bool listens = false;
	int rc = 0;

	if (w->receives || w->patient > 0 || have_time(&w->workers))
		return 0;
	for (size_t i = 0; !rc && i < e->profile_count; i++) {
		struct look l = {0};

		if (!pf_is_look(&e->profiles[i]))
			continue;
		rc = read_look(&l, w, &e->profiles[i], err);
		if (!l.asking)
			return rc;
		listens |= pf_profile_says(e->profiles[i].p, "listens for clients");
		all.working += l.working;
		all.asking += l.asking;
		all.syncing += l.syncing;
		looks++;
	}
	w->asking = all.asking;
	w->together = all.working;
	if (!rc && looks >= PF_LEAST_SERIES &&
	    (double)all.asking >= NEARLY_ALL * (double)all.working &&
	    (listens || (double)all.syncing >= NEARLY_ALL * (double)all.working))
		w->looks = looks;
	return rc;
}

/* What the other looks at threads say of this one. */
static int
look_at_threads(
    struct waiting *w, const struct pf_evidence *e, uint32_t column, struct pf_error *err)
{
	int rc = find_server(w, e, err);

	if (!rc)
		rc = count_patient(w, e, column, err);
	if (!rc)
		rc = pf_workers_count(&w->workers, e, pf_waits_outside, err);
	if (!rc && w->mean.outside < LEAST_WAITING)
		rc = look_for_time(w, e, err);
	return rc;
}

/* Few goroutines are all there are where, at any time, as many requests and more wait for their turn. */
static int
look_for_queues(struct waiting *w, const struct pf_evidence *e, struct pf_error *err)
{
	size_t looks = 0;
	int rc = 0;

	if (w->mean.outside + w->mean.queued < LEAST_WAITING)
		return 0;
	for (size_t i = 0; !rc && i < e->profile_count; i++) {
		const struct pf_evidence_profile *ep = &e->profiles[i];
		struct pf_sites outside = {0}, queued = {0};
		uint32_t column;
		bool both;

		if (!pf_evidence_is_look(ep, PF_PROFILE_GOROUTINE))
			continue;
		column = pf_evidence_column(ep, pf_count_columns);
		rc = pf_sites_of(&outside, ep, column, pf_waits_outside, err);
		if (!rc)
			rc = pf_sites_of(&queued, ep, column, pf_queues, err);
		both = outside.total > 0 && queued.total >= outside.total;
		pf_sites_release(&outside);
		pf_sites_release(&queued);
		if (!both)
			return rc;
		looks++;
	}
	w->queues = looks >= PF_LEAST_SERIES ? looks : 0;
	return rc;
}

static bool
is_worth_saying(const struct waiting *w)
{
	if (w->deaf && may_be_at_rest(w)) /* nobody is known to wait for anything */
		return false;
	return (w->mean.outside >= LEAST_WAITING || w->looks || w->queues) && w->outside.count &&
	       spare(w) < 1 && w->mean.outside >= 0.3 * at_work(w) &&
	       w->mean.outside > w->mean.locks && !(w->busy > BUSY);
}

static int
judge(const struct pf_evidence *e, enum pf_profile_kind kind, struct pf_findings *f,
    struct pf_error *err)
{
	struct waiting w = {.busy = pf_busy_share(e), .serves = true};
	uint32_t column;
	int rc = pf_outside_waits_count(&w.mean, e, kind, &w.ep, err);

	column = w.ep ? pf_evidence_column(w.ep, pf_count_columns) : PF_NONE;
	if (rc || column == PF_NONE)
		return rc;
	rc = pf_sites_of(&w.outside, w.ep, column, pf_waits_outside, err);
	if (!rc)
		rc = pf_sites_of(&w.surely, w.ep, column, pf_surely_waits_outside, err);
	if (!rc)
		rc = pf_sites_of(&w.resting, w.ep, column, pf_rests_outside, err);
	if (!rc)
		rc = pf_sites_of(&w.queued, w.ep, column, pf_queues, err);
	w.deaf = pf_profile_says(w.ep->p, "listens for no clients");
	if (!rc && kind == PF_PROFILE_THREADS)
		rc = look_at_threads(&w, e, column, err);
	if (!rc && kind == PF_PROFILE_GOROUTINE && w.mean.outside < LEAST_WAITING)
		rc = look_for_queues(&w, e, err);
	if (!rc && is_worth_saying(&w))
		rc = report(f, &w, err);
	pf_workers_release(&w.workers);
	pf_sites_release(&w.outside);
	pf_sites_release(&w.surely);
	pf_sites_release(&w.resting);
	pf_sites_release(&w.queued);
	return rc;
}

int
pf_detect_outside(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	int rc = judge(e, PF_PROFILE_GOROUTINE, f, err);

	return rc ? rc : judge(e, PF_PROFILE_THREADS, f, err);
}
