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
 * What a function allocates for three and more others (xmalloc) is judged for each of these, too: parts.h.
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
#include "tuner/parts.h"
#include "tuner/replaced.h"

enum {
	MANY_CONNECTIONS = 100,     /* so many more, and… */
	OF_A_CONNECTION = 64 << 10, /* bytes that each may hold */
};

enum { MOST_CANDIDATES = 32, MUCH_BYTES = 64 << 20, MANY_STEPS = 3, MOST_STACKS = 4 };

#define NEARLY_ALL_GROWN \
	0.8             /* of what an owner grew by: who has it allocated is told in its place */
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
	const struct pf_growth *process; /* or the parts of one of its owners */
	uint32_t owner;
	const struct pf_growth *whole; /* of the process */
	const struct pf_parts
	    *parts; /* whose part it is, of parts->through; NULL: the owner itself */
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
	struct pf_parts **parts; /* owned; of each process */
	size_t *part_counts;     /* owned */
	struct growth *all;      /* owned; owners, and behind them parts, until they are judged */
	size_t count, capacity, owner_count;
	double connections; /* of clients, more than at first; NaN: not told */
};

/* Who answers for it; of a part, who has it allocated. */
static const char *
name_of(const struct growth *g)
{
	return pf_strings_get(g->process->owners, g->owner);
}

/* Who allocates it for somebody else; NULL: nobody. */
static const char *
through(const struct growth *g)
{
	return g->parts ? pf_strings_get(g->whole->owners, g->parts->through) : NULL;
}

static int
has_caller(const struct pf_evidence_profile *ep, size_t sample, const struct growth *g, bool *has,
    struct pf_error *err)
{
	struct pf_stack s = {0};
	int rc = g->parts ? pf_stack_read(&s, ep, sample, err) : 0;

	*has = !g->parts || pf_stack_has(&s, ep, name_of(g));
	pf_stack_release(&s);
	return rc;
}

/* The heaviest stacks of an owner in the last snapshot, each with what it holds itself, until they are nearly all. */
static int
show_owner(struct pf_findings *f, const struct growth *g, struct pf_error *err)
{
	const struct pf_growth *h = g->process;
	const struct pf_evidence_profile *ep = h->profiles[h->snapshots - 1];
	const char *wanted = g->parts ? through(g) : name_of(g);
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
	for (size_t i = 0; !rc && i < stacks.count; i++) {
		bool has;

		rc = has_caller(ep, stacks.items[i].sample, g, &has, err);
		if (!has)
			stacks.items[i].value = 0;
		all += stacks.items[i].value;
	}
	for (size_t i = 0, count = 0;
	    !rc && i < stacks.count && count < MOST_STACKS && shown < NEARLY_ALL * all; i++) {
		const struct pf_owner_stack *s = &stacks.items[i];

		if (s->value == 0)
			continue;
		rc = pf_show_stack(f, ep, s->sample, s->value, s->value / total, "bytes", err);
		shown += s->value;
		count++;
	}
	pf_owner_stacks_release(&stacks);
	return rc;
}

/* "load allocates", or "load allocates through xmalloc". */
static uint32_t
place_of(struct pf_findings *f, const struct growth *g)
{
	return g->parts ? pf_say(f, "%s allocates through %s", name_of(g), through(g))
			: pf_say(f, "%s allocates", name_of(g));
}

static void
advise(struct pf_findings *f, uint32_t place)
{
	struct pf_advice advice = {0};

	advice.action = pf_say(f,
	    "Find what keeps the memory that %s reachable, and bound it: a limit and an eviction "
	    "for "
	    "a cache or a map, a free on every path, an end for what is appended to.",
	    pf_said(f, place));
	advice.how = pf_say(f,
	    "profuse show flame --base EARLIER LATER --sample-type inuse_space -o growth.html; of "
	    "a "
	    "running service take the two some time apart: profuse collect URL -t heap -o FILE");
	advice.risk = pf_say(
	    f, "A restart hides a leak and does not cure it; no allocator setting does either.");
	pf_add_advice(f, advice);
}

/* Where others gave up about as much, the first thing is to know whether there is a leak at all. */
static void
advise_to_watch(struct pf_findings *f, uint32_t place)
{
	struct pf_advice advice = {0};

	advice.action = pf_say(f,
	    "Watch whether the heap as a whole grows, once nothing else shrinks any more: only "
	    "then is "
	    "what %s to be bounded.",
	    pf_said(f, place));
	advice.how = pf_say(f,
	    "profuse show top FILE --sample-type inuse_space shows how much each function holds; a "
	    "longer series (--seconds 600) tells");
	pf_add_advice(f, advice);
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
	const char *owner = name_of(g);
	uint32_t name = ep->p ? pf_strings_find(&ep->frames.names, owner, strlen(owner)) : PF_NONE;

	return name != PF_NONE && (ep->traits[name] & PF_CODE_LIBRARY);
}

static uint32_t
summary(struct pf_findings *f, const struct growth *g, size_t watched)
{
	const struct pf_growth *h = g->process;
	const char *first = short_name(h->profiles[0]);
	const char *last = short_name(h->profiles[h->snapshots - 1]);
	char from[PF_AMOUNT_ROOM], to[PF_AMOUNT_ROOM], spread[96] = "", wrapped[512] = "",
						       length[64], course[64] = "";
	bool same = strcmp(first, last) == 0;

	if (g->steps)
		snprintf(course, sizeof course, ", in %zu steps", g->steps);
	else if (g->series)
		snprintf(course, sizeof course, ", rising from snapshot to snapshot");
	if (watched > 1)
		snprintf(spread, sizeof spread, " It grows in %zu of %zu processes.", g->processes,
		    watched);
	write_length(length, sizeof length, h);
	if (g->parts)
		snprintf(wrapped, sizeof wrapped,
		    " This is its own part: %.300s allocates for %u functions in all.", through(g),
		    g->parts->names.count - 1);
	return pf_say(f, "It held %s in %s%s and %s in %s%s%s.%s%s%s",
	    pf_amount(from, g->first, "bytes"), same ? "the first " : "", first,
	    pf_amount(to, g->last, "bytes"), same ? "the last" : last, course, length,
	    g->steps || g->enlarged ? " Its blocks became bigger, and not more." : "", wrapped,
	    spread);
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
		snprintf(most, sizeof most, ", most of all what %.300s allocated", r->who);
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
title(struct pf_findings *f, const struct growth *g, uint32_t place)
{
	char grown[PF_AMOUNT_ROOM], gave[PF_AMOUNT_ROOM];

	pf_amount(grown, g->grown, "bytes");
	return g->replaces
		   ? pf_say(f,
			 "Memory that %s grew by %s, while other memory became "
			 "less by %s",
			 pf_said(f, place), grown, pf_amount(gave, g->replaced.bytes, "bytes"))
		   : pf_say(f, "Memory that %s grew by %s and was not freed", pf_said(f, place),
			 grown);
}

static int
report(const struct pf_evidence *e, struct pf_findings *f, const struct growth *g,
    const struct watch *w, struct pf_error *err)
{
	size_t watched = w->process_count;
	const struct pf_growth *h = g->process;
	uint32_t place = place_of(f, g);
	double share = g->grown / fmax(g->last, 1);
	bool strong = g->series && !g->steps && g->trend.p_rising < 0.001;
	struct pf_finding *finding;

	finding = pf_findings_add(f, "leak",
	    (g->grown >= MUCH_BYTES && !g->steps) || (strong && share > 0.5) ? PF_SEVERITY_HIGH
									     : PF_SEVERITY_MEDIUM,
	    strong ? PF_CONFIDENCE_HIGH : PF_CONFIDENCE_MEDIUM, title(f, g, place));
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
		advise_to_watch(f, place);
	} else {
		advise(f, place);
		pf_add_prediction(f, "heap_in_use", "bytes", g->last, g->first, g->first, g->last,
		    pf_say(f, "what it grew by is held no more"));
	}
	return show_owner(f, g, err);
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

/*
 * Adds owners whose growth in a process stands out of its sampling error, the greatest first; or those that one of them
 * allocates for.
 */
static int
add_candidates(struct watch *w, const struct pf_growth *whole, const struct pf_parts *parts,
    bool series, struct pf_error *err)
{
	const struct pf_growth *h = parts ? &parts->growth : whole;
	size_t last = h->snapshots - 1, first = w->count;
	double total = pf_holdings_total(&h->profiles[last]->held).value;
	int rc = 0;

	for (uint32_t owner = 1; !rc && owner < h->room; owner++) {
		struct growth g = {.process = h,
		    .owner = owner,
		    .whole = whole,
		    .parts = parts,
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

/* Owners, and then what the caller of one has it allocate: of a series only, for two snapshots show no steady rise. */
static int
add_all(struct watch *w, const struct pf_evidence *e, bool series, struct pf_error *err)
{
	int rc = PF_CALLOC(w->parts, w->process_count + 1, err);

	if (!rc)
		rc = PF_CALLOC(w->part_counts, w->process_count + 1, err);
	for (size_t i = 0; !rc && i < w->process_count; i++)
		rc = add_candidates(w, &w->processes[i], NULL, series, err);
	w->owner_count = w->count;
	for (size_t i = 0; !rc && series && i < w->process_count; i++) {
		rc = pf_parts_of(&w->parts[i], &w->part_counts[i], &w->processes[i], e, err);
		for (size_t k = 0; !rc && k < w->part_counts[i]; k++)
			rc = add_candidates(w, &w->processes[i], &w->parts[i][k], series, err);
	}
	return rc;
}

static bool
is_same_place(const struct growth *a, const struct growth *b)
{
	return !a->parts == !b->parts && strcmp(name_of(a), name_of(b)) == 0 &&
	       (!a->parts || a->parts->through == b->parts->through);
}

/* One that leaks in several processes is told of the one where it grew most, which comes first. */
static bool
is_told(const struct watch *w, struct growth *g)
{
	for (struct growth *told = w->all; told < g; told++) {
		if (told->leaks && is_same_place(told, g))
			return true;
	}
	for (size_t i = 0; i < w->count; i++)
		g->processes += w->all[i].leaks && is_same_place(&w->all[i], g);
	return false;
}

/*
 * Whether a part answers for its owner's growth: it leaks, or has settled, which what comes and goes for others hides. Steps
 * are told of owners only.
 */
static bool
is_most_of(const struct growth *part, const struct growth *g)
{
	return g->process == part->whole && g->owner == part->parts->through && !g->steps &&
	       (part->leaks || part->settled) && part->grown >= NEARLY_ALL_GROWN * g->grown;
}

/* Nothing is told twice: of an owner that leaks its caller is told, where it is nearly all of it, else the owner. */
static void
choose_parts(struct watch *w)
{
	struct growth *parts = w->all + w->owner_count, *end = w->all + w->count;

	for (struct growth *part = parts; part < end; part++) {
		for (struct growth *g = w->all; g < parts; g++) {
			if (is_most_of(part, g))
				g->leaks = false;
		}
	}
	for (struct growth *part = parts; part < end; part++) {
		for (struct growth *g = w->all; g < parts; g++)
			part->leaks &= !(g->leaks && g->owner == part->parts->through);
	}
}

static int
judge_one(const struct watch *w, struct growth *g, struct pf_error *err)
{
	int rc = 0;

	/* Parts are looked at beside all owners, owners as ever. */
	if (g->series)
		rc = test_trend(g->process, g, g->parts ? w->count : w->owner_count, err);
	/* Four snapshots can't be surer than 1 in 24. */
	g->leaks = !g->series || (!g->settled && g->trend.p_rising <= 0.05);
	if (!g->leaks && !g->parts && g->process->snapshots > PF_LEAST_SERIES)
		g->steps = pf_growth_steps(g->process, g->owner);
	g->leaks |= g->steps > 0;
	g->enlarged = g->series && pf_growth_is_enlarged(g->process, g->owner);
	g->leaks &= !(comes_with_connections(w, g) && is_of_library(g));
	return rc;
}

/* What others gave up: of a part, others that its owner allocates for, too. */
static int
weigh_replaced(struct growth *g, struct pf_error *err)
{
	struct pf_replaced *r = &g->replaced, parts = {0};
	int rc = pf_replaced_of(r, g->whole, g->parts ? g->parts->through : g->owner, err);

	if (!rc && g->parts)
		rc = pf_replaced_of(&parts, g->process, g->owner, err);
	if (parts.bytes > r->bytes)
		r->who = parts.who;
	r->bytes += parts.bytes;
	g->replaces = r->bytes >= REPLACED * g->grown;
	return rc;
}

static int
judge(const struct pf_evidence *e, struct pf_findings *f, struct watch *w, struct pf_error *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < w->count; i++)
		rc = judge_one(w, &w->all[i], err);
	if (!rc && w->count) {
		choose_parts(w);
		qsort(w->all, w->count, sizeof *w->all, greatest_growth);
	}
	for (size_t i = 0; !rc && i < w->count; i++) {
		struct growth *g = &w->all[i];

		if (!g->leaks || is_told(w, g))
			continue;
		rc = weigh_replaced(g, err);
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
	if (!rc)
		rc = add_all(&w, e, !base, err);
	if (!rc)
		rc = pf_connections_grew(e, &w.connections, err);
	if (!rc)
		rc = judge(e, f, &w, err);
	for (size_t i = 0; i < w.process_count; i++) {
		if (w.parts && w.part_counts)
			pf_parts_release(w.parts[i], w.part_counts[i]);
		pf_growth_release(&w.processes[i]);
	}
	free(w.parts);
	free(w.part_counts);
	free(w.processes);
	free(w.all);
	return rc;
}
