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
#include "tuner/leak.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "tuner/connections.h"

enum { MOST_CANDIDATES = 32 };

#define NEARLY_ALL_GROWN \
	0.8 /* of what an owner grew by: who has it allocated is told in its place */

#define LEAST_KEPT 0.01 /* of all that is held */
#define MOST_KEPT 0.5   /* of what an owner allocated meanwhile */

#define PAIR_SIGMAS 2.33 /* 1 in 100 by chance */
#define SERIES_SIGMAS 1.0
#define KEPT_SIGMAS 4.0

#define REPLACED \
	0.5 /* of what an owner grew by: as much that others gave up may be what it took the place of */

/* All that is looked at. */
struct watch {
	struct pf_growth *processes; /* owned */
	size_t process_count, process_capacity;
	struct pf_parts **parts; /* owned; of each process */
	size_t *part_counts;     /* owned */
	struct pf_leak *all;     /* owned; owners, and behind them parts, until they are judged */
	size_t count, capacity, owner_count;
	double connections; /* of clients, more than at first; NaN: not told */
};

static int
greatest_growth(const void *a, const void *b)
{
	const struct pf_leak *x = a, *y = b;

	if (x->grown != y->grown)
		return x->grown < y->grown ? 1 : -1;
	return x->owner < y->owner ? -1 : x->owner > y->owner;
}

/* Growth in the second half at less than half of the whole's pace is a settling. */
static bool
has_settled(const struct pf_leak *g, const struct pf_trend *late)
{
	return late->s <= 0 || late->slope < g->trend.slope / 2;
}

/* A rise that is no leak: it has settled, or is none that goes on. */
static int
has_ended(const struct pf_growth *h, struct pf_leak *g, const double *y, struct pf_error *err)
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
test_trend(const struct pf_growth *h, struct pf_leak *g, size_t candidates, struct pf_error *err)
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
	return fmax(PF_LEAST_GROWN, 0.05 * held);
}

/*
 * Whether the growth stands out of its sampling error, and is worth a look. Load that comes and goes frees what it
 * allocates: of what is kept less will do, which must be no chance among all owners either.
 */
static bool
stands_out(const struct pf_leak *g, double held)
{
	/* Two snapshots have nothing but their size to go by, a series has its order too. */
	double sigmas = g->process->snapshots > 2 ? SERIES_SIGMAS : PAIR_SIGMAS;
	double allocated = pf_growth_allocated(g->process, g->owner);
	bool kept = g->grown > KEPT_SIGMAS * g->error && g->grown >= MOST_KEPT * allocated;

	return g->grown > sigmas * g->error &&
	       g->grown >= (kept ? fmax(PF_LEAST_GROWN, LEAST_KEPT * held) : pf_least_leak(held));
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
		struct pf_leak g = {.process = h,
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
is_same_place(const struct pf_leak *a, const struct pf_leak *b)
{
	return !a->parts == !b->parts && strcmp(pf_leak_name(a), pf_leak_name(b)) == 0 &&
	       (!a->parts || a->parts->through == b->parts->through);
}

/* One that leaks in several processes is told of the one where it grew most, which comes first. */
static bool
is_told(const struct watch *w, struct pf_leak *g)
{
	for (struct pf_leak *told = w->all; told < g; told++) {
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
is_most_of(const struct pf_leak *part, const struct pf_leak *g)
{
	return g->process == part->whole && g->owner == part->parts->through && !g->steps &&
	       (part->leaks || part->settled) && part->grown >= NEARLY_ALL_GROWN * g->grown;
}

/* Nothing is told twice: of an owner that leaks its caller is told, where it is nearly all of it, else the owner. */
static void
choose_parts(struct watch *w)
{
	struct pf_leak *parts = w->all + w->owner_count, *end = w->all + w->count;

	for (struct pf_leak *part = parts; part < end; part++) {
		for (struct pf_leak *g = w->all; g < parts; g++) {
			if (is_most_of(part, g))
				g->leaks = false;
		}
	}
	for (struct pf_leak *part = parts; part < end; part++) {
		for (struct pf_leak *g = w->all; g < parts; g++)
			part->leaks &= !(g->leaks && g->owner == part->parts->through);
	}
}

/* Whether nothing of the service's own allocates it: a server's buffers, say. */
static bool
is_of_library(const struct pf_leak *g)
{
	const struct pf_growth *h = g->process;
	const struct pf_evidence_profile *ep = h->profiles[h->snapshots - 1];
	const char *owner = pf_leak_name(g);
	uint32_t name = ep->p ? pf_strings_find(&ep->frames.names, owner, strlen(owner)) : PF_NONE;

	return name != PF_NONE && (ep->traits[name] & PF_CODE_LIBRARY);
}

static int
judge_one(const struct watch *w, struct pf_leak *g, struct pf_error *err)
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
	g->leaks &= !(pf_leak_comes_with_connections(g, w->connections) && is_of_library(g));
	return rc;
}

/* What others gave up: of a part, others that its owner allocates for, too. */
static int
weigh_replaced(struct pf_leak *g, struct pf_error *err)
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
		struct pf_leak *g = &w->all[i];

		if (!g->leaks || is_told(w, g))
			continue;
		rc = weigh_replaced(g, err);
		if (!rc)
			rc = pf_leak_report(e, f, g, w->process_count, w->connections, err);
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
