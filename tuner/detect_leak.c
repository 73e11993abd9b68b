/*
 * detect_leak.c: memory that grows and does not come back.
 *
 * With --base: what each function holds now against what it held then. A
 * sampled figure has a variance (Poisson sampling with one sample every `rate`
 * bytes: n objects of s bytes are estimated with variance n·s²·(1-p)/p, where
 * p = 1 - exp(-s/rate)); growth counts where it exceeds 2.33 standard deviations
 * of the difference, surely where it exceeds three. What lives on is the same samples
 * in both, which growth.h takes into account.
 *
 * With four snapshots and more: Kendall's test for a trend per function, with
 * Bonferroni's correction over the functions looked at. What rises is no leak yet:
 * the growth must go on in the second half (a cache that fills up levels off), must
 * not be one step (a table is loaded), and must be more than the series goes up and
 * down anyway. tests/quality/tuner/leak_rates.c measures how often that is wrong.
 * Theil and Sen's slope says when the limit is met. An array that doubles grows in
 * ever longer steps, which is no trend: growth.c tells it by its blocks.
 *
 * A store has the heaps of many processes: each is a series of its own, all of
 * their functions are looked at together, and what grows in several processes is
 * one finding, told of the one where it grew most.
 */
#include "tuner/detect.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/file.h"
#include "core/memory.h"
#include "stats/trend.h"
#include "tuner/connections.h"
#include "tuner/growth.h"
#include "tuner/owner_stacks.h"
#include "tuner/replaced.h"

enum {
	MANY_CONNECTIONS = 100,     /* so many more, and… */
	OF_A_CONNECTION = 64 << 10, /* bytes that each may hold */
};

enum { MOST_CANDIDATES = 32, MUCH_BYTES = 64 << 20, MANY_STEPS = 3, MOST_STACKS = 4 };

#define NEARLY_ALL 0.95 /* of what an owner holds: the other stacks are not shown */

#define LEAST_GROWN 1048576.0 /* bytes */
#define LEAST_KEPT 0.01       /* of all that is held */
#define MOST_KEPT 0.5         /* of what an owner allocated meanwhile */

#define PAIR_SIGMAS 2.33 /* 1 in 100 by chance */
#define SURE_SIGMAS 3.0
#define SERIES_SIGMAS 1.0
#define KEPT_SIGMAS 4.0

/* Seconds: below the first nothing is sure, below the second little. */
#define YOUNG 120
#define STILL_YOUNG 600

/* Of what an owner grew by: as much that others gave up may be what it took the place of; less of the whole is no growth. */
#define REPLACED 0.5
#define OF_THE_WHOLE 0.5

#define SOON 86400 /* seconds until a limit is met */

struct growth {
	const struct pf_growth *process;
	uint32_t owner;
	double first, last, grown, error; /* error: one standard deviation of `grown` */
	struct pf_trend trend;            /* p_rising is corrected for the number of candidates */
	bool series;
	bool settled; /* a series that rises, and yet is no leak: see has_ended() */
	bool leaks;
	bool enlarged; /* a series whose blocks became bigger, and not more */
	bool replaces; /* others gave up about as much: see replaced.h */
	struct pf_replaced replaced;
	size_t steps;     /* in which it grew, where that is no trend; else 0 */
	size_t processes; /* in which this owner leaks */
};

/* All that is looked at. */
struct watch {
	struct pf_growth *processes; /* owned */
	size_t process_count, process_capacity;
	struct growth *all; /* owned */
	size_t count, capacity;
	double connections; /* of clients, more than at first; NaN: not told */
};

/* The heaviest stacks of an owner in the last snapshot, each with what it holds itself, until they are nearly all. */
static int
show_owner(struct pf_findings *f, const struct pf_growth *h, uint32_t owner, struct pf_error *err)
{
	const struct pf_evidence_profile *ep = h->profiles[h->snapshots - 1];
	const char *wanted = pf_strings_get(h->owners, owner);
	uint32_t column, name;
	struct pf_owner_stacks stacks;
	double all = 0, shown = 0, total;
	int rc;

	if (!ep->p) /* of one process too many that ended long ago */
		return 0;
	name = pf_strings_find(&ep->frames.names, wanted, strlen(wanted));
	column = pf_evidence_column(ep, pf_in_use_columns);
	if (name == PF_NONE)
		return 0;
	total = pf_column_total(ep, column);
	rc = pf_owner_stacks_of(&stacks, ep, column, NULL, name, err);
	for (size_t i = 0; i < stacks.count; i++)
		all += stacks.items[i].value;
	for (size_t i = 0; !rc && i < stacks.count && i < MOST_STACKS && shown < NEARLY_ALL * all;
	    i++) {
		const struct pf_owner_stack *s = &stacks.items[i];

		rc = pf_show_stack(f, ep, s->sample, s->value, s->value / total, "bytes", err);
		shown += s->value;
	}
	pf_owner_stacks_release(&stacks);
	return rc;
}

static void
advise(struct pf_findings *f, const char *owner)
{
	pf_add_advice(
	    f, (struct pf_advice){.action = pf_say(f,
				      "Find what keeps the memory that %s allocates reachable, and "
				      "bound it: a limit and an eviction for a cache or a map, a "
				      "free on every path, an end for what is appended to.",
				      owner),
		   .how = pf_say(f,
		       "profuse show flame --base EARLIER LATER --sample-type inuse_space -o "
		       "growth.html; of a running service take the two some time apart: profuse "
		       "collect URL -t heap -o FILE"),
		   .risk = pf_say(f, "A restart hides a leak and does not cure it; no allocator "
				     "setting does either.")});
}

/* Where others gave up about as much, the first thing is to know whether there is a leak at all. */
static void
advise_to_watch(struct pf_findings *f, const char *owner)
{
	pf_add_advice(f,
	    (struct pf_advice){
		.action = pf_say(f,
		    "Watch whether the heap as a whole grows, once nothing else "
		    "shrinks any more: only then is what %s allocates to be bounded.",
		    owner),
		.how = pf_say(f, "profuse show top FILE --sample-type inuse_space shows how much "
				 "each function holds; a longer series (--seconds 600) tells")});
}

/* Whether it grows at a pace that is known. */
static bool
is_paced(const struct pf_evidence *e, const struct growth *g)
{
	return g->series && !g->steps && !g->replaces && !g->enlarged &&
	       pf_evidence_is_timed(e, PF_PROFILE_HEAP);
}

/* When what grows this fast meets the limit, from what is resident now. */
static void
time_to_limit(const struct pf_evidence *e, struct pf_findings *f, const struct growth *g)
{
	double rss = pf_evidence_rss(e), left = e->memory_limit - rss, slope = g->trend.slope;

	if (!is_paced(e, g) || !(slope > 0))
		return;
	pf_add_estimate(f, "growth", slope, g->trend.low, g->trend.high, "bytes_per_second");
	if (isinf(left) || isnan(left) || left <= 0)
		return;
	pf_add_estimate(f, "time_to_limit", left / slope, left / g->trend.high,
	    g->trend.low > 0 ? left / g->trend.low : INFINITY, "seconds");
	pf_add_number(f, "memory_limit", e->memory_limit, "bytes");
}

/* "heap-1.pb.gz" of a path; what comes from a store has no path. */
static const char *
short_name(const struct pf_evidence_profile *ep)
{
	return ep->series ? ep->name : pf_base_name(ep->name);
}

/* What a later look shows of a leak, and what of all that looks like one now. */
static void
write_next(char *text, size_t room, const struct pf_evidence *e, const struct growth *g)
{
	char more[PF_AMOUNT_ROOM];

	*more = '\0';
	if (is_paced(e, g) && g->trend.slope > 0)
		pf_amount(more, STILL_YOUNG * g->trend.slope, "bytes");
	snprintf(text, room,
	    "in %d minutes: a leak has grown %s%s until then; a cache that is full by then, or a "
	    "batch that has read its input, grows no more.",
	    STILL_YOUNG / 60, *more ? "by about another " : "on", more);
}

/* A young process fills its caches, and entries that are to live for minutes have not ended yet. */
static void
doubt_young(const struct pf_evidence *e, struct pf_findings *f, const struct growth *g)
{
	struct pf_age age = pf_growth_age(e, g->process);
	char text[PF_AMOUNT_ROOM], next[256];

	if (!(age.seconds < STILL_YOUNG))
		return;
	pf_amount(text, age.seconds, "seconds");
	write_next(next, sizeof next, e, g);
	pf_add_caveat(f, age.seconds < YOUNG ? PF_UNSURE : PF_CONFIDENCE_LOW,
	    age.of == PF_AGE_OF_PROCESS
		? pf_say(f,
		      "The process had run for %s only (or had been watched for no longer) when it "
		      "was looked at last: a cache that fills up, or keeps entries for minutes, "
		      "looks the same. Look again %s",
		      text, next)
	    : age.of == PF_AGE_OF_WORK
		? pf_say(f,
		      "At the pace at which it allocates now, all that the process ever allocated "
		      "takes %s only: it may have begun, or its load may have, so short a time "
		      "ago, and a cache that fills up looks the same. Look again %s",
		      text, next)
		: pf_say(f,
		      "The snapshots are of %s only: a cache that fills up, or keeps entries for "
		      "minutes, looks the same. Take one more %s",
		      text, next));
}

/* Whether what grows meets a limit within a day; of steps and pairs, with the next growth like this one. */
static bool
meets_limit(const struct pf_evidence *e, const struct growth *g)
{
	double left = e->memory_limit - pf_evidence_rss(e);

	return !g->replaces && isfinite(left) &&
	       left < (is_paced(e, g) ? g->trend.slope * SOON : g->grown);
}

/* " over 18 s" of a series whose times are known. */
static void
write_length(char *text, size_t room, const struct pf_growth *h)
{
	const struct pf_evidence_profile *a = h->profiles[0], *b = h->profiles[h->snapshots - 1];
	char length[PF_AMOUNT_ROOM];

	*text = '\0';
	if (a->time_nanos > 0 && b->time_nanos > a->time_nanos)
		snprintf(text, room, " over %s",
		    pf_amount(length, (double)(b->time_nanos - a->time_nanos) / 1e9, "seconds"));
}

/* Whether clients that have connected meanwhile may hold what it grew by. */
static bool
comes_with_connections(const struct watch *w, const struct growth *g)
{
	return w->connections >= MANY_CONNECTIONS && g->grown <= OF_A_CONNECTION * w->connections;
}

/* Whether nothing of the service's own allocates it: a server's buffers, say. */
static bool
is_of_library(const struct growth *g)
{
	const struct pf_growth *h = g->process;
	const struct pf_evidence_profile *ep = h->profiles[h->snapshots - 1];
	const char *owner = pf_strings_get(h->owners, g->owner);
	uint32_t name = ep->p ? pf_strings_find(&ep->frames.names, owner, strlen(owner)) : PF_NONE;

	return name != PF_NONE && (ep->traits[name] & PF_CODE_LIBRARY);
}

static uint32_t
summary(struct pf_findings *f, const struct growth *g, size_t watched)
{
	const struct pf_growth *h = g->process;
	const char *first = short_name(h->profiles[0]);
	const char *last = short_name(h->profiles[h->snapshots - 1]);
	char from[PF_AMOUNT_ROOM], to[PF_AMOUNT_ROOM], spread[96] = "", length[64], course[64] = "";
	bool same = strcmp(first, last) == 0;

	if (g->steps)
		snprintf(course, sizeof course, ", in %zu steps", g->steps);
	else if (g->series)
		snprintf(course, sizeof course, ", rising from snapshot to snapshot");
	if (watched > 1)
		snprintf(spread, sizeof spread, " It grows in %zu of %zu processes.", g->processes,
		    watched);
	write_length(length, sizeof length, h);
	return pf_say(f, "It held %s in %s%s and %s in %s%s%s.%s%s",
	    pf_amount(from, g->first, "bytes"), same ? "the first " : "", first,
	    pf_amount(to, g->last, "bytes"), same ? "the last" : last, course, length,
	    g->steps || g->enlarged ? " Its blocks became bigger, and not more." : "", spread);
}

/* What takes the place of older entries of a bounded table grows as a leak does, and the table doesn't. */
static void
doubt_replaced(struct pf_findings *f, const struct growth *g)
{
	const struct pf_replaced *r = &g->replaced;
	char gave[PF_AMOUNT_ROOM], more[PF_AMOUNT_ROOM], most[384] = "", whole[96];
	bool grew = r->total > OF_THE_WHOLE * g->grown;

	if (!g->replaces)
		return;
	if (r->who)
		snprintf(most, sizeof most, ", most of all what %.300s allocated",
		    pf_strings_get(g->process->owners, r->who));
	if (grew || r->total > LEAST_GROWN)
		snprintf(whole, sizeof whole, "grew by %s%s", pf_amount(more, r->total, "bytes"),
		    grew ? "" : " only");
	else
		snprintf(whole, sizeof whole, "did not grow");
	pf_add_caveat(f, grew ? PF_CONFIDENCE_LOW : PF_UNSURE,
	    pf_say(f,
		"Meanwhile other memory became less by %s%s, and the heap as a whole %s: what "
		"takes "
		"the place of older entries of a table that is bounded looks so, as does a leak "
		"beside something that shrinks. What freeing it would save isn't known.",
		pf_amount(gave, r->bytes, "bytes"), most, whole));
}

static uint32_t
title(struct pf_findings *f, const struct growth *g, const char *owner)
{
	char grown[PF_AMOUNT_ROOM], gave[PF_AMOUNT_ROOM];

	pf_amount(grown, g->grown, "bytes");
	return g->replaces ? pf_say(f,
				 "Memory that %s allocates grew by %s, while other memory became "
				 "less by %s",
				 owner, grown, pf_amount(gave, g->replaced.bytes, "bytes"))
			   : pf_say(f, "Memory that %s allocates grew by %s and was not freed",
				 owner, grown);
}

static int
report(const struct pf_evidence *e, struct pf_findings *f, const struct growth *g,
    const struct watch *w, struct pf_error *err)
{
	size_t watched = w->process_count;
	const struct pf_growth *h = g->process;
	const char *owner = pf_strings_get(h->owners, g->owner);
	double share = g->grown / fmax(g->last, 1);
	bool strong = g->series && !g->steps && g->trend.p_rising < 0.001;
	struct pf_finding *finding;

	finding = pf_findings_add(f, "leak",
	    (g->grown >= MUCH_BYTES && !g->steps) || (strong && share > 0.5) ? PF_SEVERITY_HIGH
									     : PF_SEVERITY_MEDIUM,
	    strong ? PF_CONFIDENCE_HIGH : PF_CONFIDENCE_MEDIUM, title(f, g, owner));
	finding->summary = summary(f, g, watched);
	finding->bytes_saved = g->replaces ? 0 : g->grown;
	pf_add_estimate(
	    f, "grown", g->grown, g->grown - 1.96 * g->error, g->grown + 1.96 * g->error, "bytes");
	pf_add_number(f, "in_use_before", g->first, "bytes");
	pf_add_number(f, "in_use_now", g->last, "bytes");
	if (g->replaces) {
		pf_add_number(f, "others_shrank", g->replaced.bytes, "bytes");
		pf_add_number(f, "heap_grew", g->replaced.total, "bytes");
	}
	if (g->steps)
		pf_add_number(f, "steps", (double)g->steps, "count");
	else if (g->series)
		pf_add_number(f, "trend_p", g->trend.p_rising, "probability");
	pf_add_number(f, "snapshots", (double)h->snapshots, "count");
	if (watched > 1) {
		pf_add_number(f, "processes_growing", (double)g->processes, "count");
		pf_add_number(f, "processes_watched", (double)watched, "count");
	}
	time_to_limit(e, f, g);
	if (!g->series)
		pf_add_caveat(f, PF_CONFIDENCE_MEDIUM,
		    pf_say(f, "Two snapshots can't tell a leak from a cache that is still filling: "
			      "four and more "
			      "over time can."));
	if (g->steps)
		pf_add_caveat(f, g->steps < MANY_STEPS ? PF_UNSURE : PF_CONFIDENCE_LOW,
		    pf_say(f, "So grows what is enlarged when it is full: an array that is "
			      "appended to without end, and a table that has found its size with "
			      "the last step. A longer series tells them apart."));
	else if (g->enlarged)
		pf_add_caveat(f, PF_CONFIDENCE_MEDIUM,
		    pf_say(f, "What is enlarged when it is full grows in bursts: how fast it "
			      "grows over more time, these snapshots don't tell."));
	if (!g->steps && g->series && h->snapshots == PF_LEAST_SERIES)
		pf_add_caveat(f, PF_CONFIDENCE_LOW,
		    pf_say(f, "Four snapshots can't tell a leak from a table that was loaded once: "
			      "five and more can."));
	if (!g->series && g->grown < SURE_SIGMAS * g->error)
		pf_add_caveat(f, PF_CONFIDENCE_LOW,
		    pf_say(f, "The profiles are sampled, and so few samples stand behind this "
			      "growth that one time in a "
			      "hundred it is chance."));
	if (g->grown <= 1.96 * g->error)
		pf_add_caveat(f, PF_UNSURE,
		    pf_say(f, "The profiles are sampled, and so few samples stand behind the first "
			      "and the last snapshot that they may be alike: what it grew by may "
			      "be nothing."));
	doubt_replaced(f, g);
	doubt_young(e, f, g);
	if (comes_with_connections(w, g))
		pf_add_caveat(f, PF_UNSURE,
		    pf_say(f,
			"Meanwhile %.0f more clients have connected, and what the service holds "
			"for each looks the same.",
			w->connections));
	pf_add_snapshot_caveats(e, PF_PROFILE_HEAP, f);
	if (finding->confidence == PF_UNSURE && !meets_limit(e, g))
		finding->severity = PF_SEVERITY_LOW;
	if (g->replaces) {
		advise_to_watch(f, owner);
	} else {
		advise(f, owner);
		pf_add_prediction(f, "heap_in_use", "bytes", g->last, g->first, g->first, g->last,
		    pf_say(f, "what it grew by is held no more"));
	}
	return show_owner(f, h, g->owner, err);
}

static int
greatest_growth(const void *a, const void *b)
{
	const struct growth *x = a, *y = b;

	if (x->grown != y->grown)
		return x->grown < y->grown ? 1 : -1;
	return x->owner < y->owner ? -1 : x->owner > y->owner;
}

/* Growth in the second half at less than half of the whole's pace is a settling. */
static bool
has_settled(const struct growth *g, const struct pf_trend *late)
{
	return late->s <= 0 || late->slope < g->trend.slope / 2;
}

/* A rise that is no leak: it has settled, or is none that goes on. */
static int
has_ended(const struct pf_growth *h, struct growth *g, const double *y, struct pf_error *err)
{
	size_t n = h->snapshots, half = n / 2;
	struct pf_trend late;
	int rc = 0;

	if (n - half >= 3)
		rc = pf_trend(h->times + half, y + half, n - half, &late, err);
	if (rc)
		return rc;
	g->settled =
	    n - half >= 3 ? has_settled(g, &late) : y[n - 1] - y[half] < (y[n - 1] - y[0]) / 6;
	g->settled |= !pf_trend_goes_on(&g->trend, h->times, n);
	return 0;
}

/* The trend over all snapshots, and whether it is a leak's. */
static int
test_trend(const struct pf_growth *h, struct growth *g, size_t candidates, struct pf_error *err)
{
	size_t n = h->snapshots;
	double *y;
	int rc = PF_CALLOC(y, n, err);

	for (size_t i = 0; !rc && i < n; i++)
		y[i] = pf_growth_at(h, i, g->owner);
	if (!rc)
		rc = pf_trend(h->times, y, n, &g->trend, err);
	if (!rc)
		rc = has_ended(h, g, y, err);
	g->trend.p_rising = fmin(1, g->trend.p_rising * (double)candidates);
	free(y);
	return rc;
}

double
pf_least_leak(double held)
{
	return fmax(LEAST_GROWN, 0.05 * held);
}

/*
 * Whether the growth stands out of its sampling error, and is worth a look. Load that comes and goes frees what it
 * allocates: of what is kept less will do, which must be no chance among all owners either.
 */
static bool
stands_out(const struct growth *g, double held)
{
	/* Two snapshots have nothing but their size to go by, a series has its order too. */
	double sigmas = g->process->snapshots > 2 ? SERIES_SIGMAS : PAIR_SIGMAS;
	double allocated = pf_growth_allocated(g->process, g->owner);
	bool kept = g->grown > KEPT_SIGMAS * g->error && g->grown >= MOST_KEPT * allocated;

	return g->grown > sigmas * g->error &&
	       g->grown >= (kept ? fmax(LEAST_GROWN, LEAST_KEPT * held) : pf_least_leak(held));
}

/* Adds owners whose growth in a process stands out of its sampling error, the greatest first. */
static int
add_candidates(struct watch *w, const struct pf_growth *h, bool series, struct pf_error *err)
{
	size_t last = h->snapshots - 1, first = w->count;
	double total = pf_holdings_total(&h->profiles[last]->held).value;
	int rc = 0;

	for (uint32_t owner = 1; !rc && owner < h->room; owner++) {
		struct growth g = {.process = h,
		    .owner = owner,
		    .series = series,
		    .first = pf_growth_at(h, 0, owner),
		    .last = pf_growth_at(h, last, owner)};
		g.grown = g.last - g.first;
		g.error = sqrt(pf_growth_variance(h, owner));
		if (!stands_out(&g, total))
			continue;
		rc = PF_GROW(w->all, w->capacity, w->count + 1, err);
		if (!rc)
			w->all[w->count++] = g;
	}
	if (w->count > first)
		qsort(w->all + first, w->count - first, sizeof *w->all, greatest_growth);
	if (w->count - first > MOST_CANDIDATES)
		w->count = first + MOST_CANDIDATES;
	return rc;
}

/* One that leaks in several processes is told of the one where it grew most, which comes first. */
static bool
is_told(const struct watch *w, struct growth *g)
{
	for (struct growth *told = w->all; told < g; told++) {
		if (told->leaks && told->owner == g->owner)
			return true;
	}
	for (size_t i = 0; i < w->count; i++)
		g->processes += w->all[i].leaks && w->all[i].owner == g->owner;
	return false;
}

static int
judge(const struct pf_evidence *e, struct pf_findings *f, struct watch *w, struct pf_error *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < w->count; i++) {
		struct growth *g = &w->all[i];

		if (g->series)
			rc = test_trend(g->process, g, w->count, err);
		/* Four snapshots can't be surer than 1 in 24. */
		g->leaks = !g->series || (!g->settled && g->trend.p_rising <= 0.05);
		if (!g->leaks && g->process->snapshots > PF_LEAST_SERIES)
			g->steps = pf_growth_steps(g->process, g->owner);
		g->leaks |= g->steps > 0;
		g->enlarged = g->series && pf_growth_is_enlarged(g->process, g->owner);
		g->leaks &= !(comes_with_connections(w, g) && is_of_library(g));
	}
	if (!rc && w->count)
		qsort(w->all, w->count, sizeof *w->all, greatest_growth);
	for (size_t i = 0; !rc && i < w->count; i++) {
		struct growth *g = &w->all[i];

		if (!g->leaks || is_told(w, g))
			continue;
		rc = pf_replaced_of(&g->replaced, g->process, g->owner, err);
		g->replaces = g->replaced.bytes >= REPLACED * g->grown;
		if (!rc)
			rc = report(e, f, g, w, err);
	}
	return rc;
}

/* The series that begins with `from`, or what the base is compared with; too short a one tells nothing. */
static int
add_process(struct watch *w, const struct pf_evidence *e, const struct pf_evidence_profile *base,
    const struct pf_evidence_profile *from, struct pf_error *err)
{
	struct pf_growth h;
	int rc = pf_growth_init(&h, e, base, from, err);

	if (!rc)
		rc = PF_GROW(w->processes, w->process_capacity, w->process_count + 1, err);
	if (!rc && (base || h.snapshots >= PF_LEAST_SERIES))
		w->processes[w->process_count++] = h;
	else
		pf_growth_release(&h);
	return rc;
}

int
pf_detect_leak(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	const struct pf_evidence_profile *base = pf_evidence_base(e, PF_PROFILE_HEAP);
	const struct pf_evidence_profile *from = NULL;
	struct watch w = {0};
	int rc = 0;

	if (!pf_evidence_last(e, PF_PROFILE_HEAP))
		return 0;
	if (base)
		rc = add_process(&w, e, base, pf_evidence_last(e, PF_PROFILE_HEAP), err);
	while (!rc && !base && (from = pf_evidence_next_series(e, PF_PROFILE_HEAP, from)))
		rc = add_process(&w, e, NULL, from, err);
	/* Not before: what is looked at points to its process. */
	for (size_t i = 0; !rc && i < w.process_count; i++)
		rc = add_candidates(&w, &w.processes[i], !base, err);
	if (!rc)
		rc = pf_connections_grew(e, &w.connections, err);
	if (!rc)
		rc = judge(e, f, &w, err);
	for (size_t i = 0; i < w.process_count; i++)
		pf_growth_release(&w.processes[i]);
	free(w.processes);
	free(w.all);
	return rc;
}
