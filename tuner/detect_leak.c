/*
 * detect_leak.c: memory that grows and does not come back.
 *
 * With --base: what each function holds now against what it held then. A
 * sampled figure has a variance (Poisson sampling with one sample every `rate`
 * bytes: n objects of s bytes are estimated with variance n·s²·(1-p)/p, where
 * p = 1 - exp(-s/rate)); growth counts where it exceeds three standard
 * deviations of the difference.
 *
 * With four snapshots and more: Kendall's test for a trend per function, with
 * Holm's correction over the functions looked at, and the growth must go on in
 * the second half (a cache that fills up levels off). Theil and Sen's slope says
 * when the limit is met.
 */
#include "tuner/detect.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "stats/trend.h"
#include "tuner/sites.h"

enum { MOST_SNAPSHOTS = 1000, MOST_CANDIDATES = 32, LEAST_SERIES = 4 };

static const char *const in_use[] = {"inuse_space", "space", NULL};
static const char *const objects_in_use[] = {"inuse_objects", "objects", NULL};

/* Sums of one snapshot by owner; owners are numbered alike in all snapshots. */
struct holders {
	struct pf_strings names;  /* of all snapshots */
	double *bytes, *variance; /* snapshot by snapshot, `room` owners each */
	size_t room, snapshots;
	const struct pf_evidence_profile **profiles;
	double *times;
};

static double
variance_of(const struct pf_evidence_profile *ep, double bytes, double objects)
{
	double rate = (double)ep->p->period, size = objects > 0 ? bytes / objects : bytes, p;

	if (rate <= 1 || size <= 0)
		return 0;
	p = -expm1(-size / rate);
	return bytes * size * (1 - p) / p;
}

static int
sum_snapshot(struct holders *h, size_t snapshot, bool counting, struct pf_error *err)
{
	const struct pf_evidence_profile *ep = h->profiles[snapshot];
	uint32_t column = pf_evidence_column(ep, in_use),
		 count = pf_evidence_column(ep, objects_in_use);
	struct pf_stack stack = {0};
	int rc = 0;

	for (size_t i = 0; !rc && i < ep->p->sample_count; i++) {
		double bytes = pf_value(ep, i, column);
		double objects = count == PF_NONE ? 0 : pf_value(ep, i, count);
		const char *name;
		uint32_t id;

		if (bytes <= 0)
			continue;
		rc = pf_stack_read(&stack, ep, i, err);
		if (rc)
			break;
		name = pf_site_name(ep, pf_stack_owner(&stack, ep));
		rc = pf_strings_add(&h->names, name, strlen(name), &id, err);
		if (rc || counting)
			continue;
		h->bytes[snapshot * h->room + id] += bytes;
		h->variance[snapshot * h->room + id] += variance_of(ep, bytes, objects);
	}
	pf_stack_release(&stack);
	return rc;
}

static void
release(struct holders *h)
{
	pf_strings_release(&h->names);
	free(h->bytes);
	free(h->variance);
	free(h->profiles);
	free(h->times);
}

static double
time_of(const struct pf_evidence *e, const struct pf_evidence_profile *ep, size_t i)
{
	return e->doubts[PF_PROFILE_HEAP].times_missing
		   ? (double)i
		   : (double)pf_profile_time_nanos(ep->p) / 1e9;
}

/* Two rounds: the first names every owner, the second has room for all. */
static int
collect(struct holders *h, const struct pf_evidence *e, const struct pf_evidence_profile *base,
    struct pf_error *err)
{
	const struct pf_evidence_profile *ep = base;
	int rc;

	*h = (struct holders){0};
	rc = pf_strings_init(&h->names, err);
	if (!rc)
		rc = PF_CALLOC(h->profiles, e->profile_count + 1, err);
	if (!rc)
		rc = PF_CALLOC(h->times, e->profile_count + 1, err);
	if (rc)
		return rc;
	if (base)
		h->profiles[h->snapshots++] = base;
	for (ep = base ? pf_evidence_last(e, PF_PROFILE_HEAP)
		       : pf_evidence_next(e, PF_PROFILE_HEAP, NULL);
	    ep && h->snapshots < MOST_SNAPSHOTS;
	    ep = base ? NULL : pf_evidence_next(e, PF_PROFILE_HEAP, ep)) {
		h->times[h->snapshots] = time_of(e, ep, h->snapshots);
		h->profiles[h->snapshots++] = ep;
	}
	for (size_t i = 0; !rc && i < h->snapshots; i++)
		rc = sum_snapshot(h, i, true, err);
	h->room = h->names.count;
	if (!rc)
		rc = PF_CALLOC(h->bytes, h->room * h->snapshots, err);
	if (!rc)
		rc = PF_CALLOC(h->variance, h->room * h->snapshots, err);
	for (size_t i = 0; !rc && i < h->snapshots; i++)
		rc = sum_snapshot(h, i, false, err);
	return rc;
}

static double
total_of(const struct holders *h, size_t snapshot)
{
	double sum = 0;

	for (size_t i = 0; i < h->room; i++)
		sum += h->bytes[snapshot * h->room + i];
	return sum;
}

struct growth {
	uint32_t owner;
	double first, last, grown, error; /* error: one standard deviation of `grown` */
	struct pf_trend trend;            /* p_rising is corrected for the number of candidates */
	bool series, settled;             /* settled: the second half does not grow any more */
};

/* The heaviest stack of an owner in the last snapshot. */
static int
show_owner(struct pf_findings *f, const struct holders *h, uint32_t owner, struct pf_error *err)
{
	const struct pf_evidence_profile *ep = h->profiles[h->snapshots - 1];
	const char *wanted = pf_strings_get(&h->names, owner);
	uint32_t column = pf_evidence_column(ep, in_use);
	struct pf_sites sites;
	int rc = pf_sites_of(&sites, ep, column, NULL, err);

	for (size_t i = 0; !rc && i < sites.count; i++) {
		const struct pf_site *s = &sites.items[i];
		if (strcmp(pf_site_name(ep, s->name), wanted) == 0)
			rc = pf_show_stack(
			    f, ep, s->sample, s->value, s->value / sites.total, "bytes", err);
	}
	pf_sites_release(&sites);
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
		   .how = pf_say(f, "profuse show flame --base EARLIER LATER --sample-type "
				    "inuse_space -o growth.html"),
		   .risk = pf_say(f, "A restart hides a leak and does not cure it; no allocator "
				     "setting does either.")});
}

/* When what grows this fast meets the limit, from what is resident now. */
static void
time_to_limit(const struct pf_evidence *e, struct pf_findings *f, const struct growth *g)
{
	double rss = pf_evidence_rss(e), left = e->memory_limit - rss, slope = g->trend.slope;

	if (!g->series || e->doubts[PF_PROFILE_HEAP].times_missing || !(slope > 0))
		return;
	pf_add_estimate(f, "growth", slope, g->trend.low, g->trend.high, "bytes_per_second");
	if (isinf(left) || isnan(left) || left <= 0)
		return;
	pf_add_estimate(f, "time_to_limit", left / slope, left / g->trend.high,
	    g->trend.low > 0 ? left / g->trend.low : INFINITY, "seconds");
	pf_add_number(f, "memory_limit", e->memory_limit, "bytes");
}

static int
report(const struct pf_evidence *e, struct pf_findings *f, const struct holders *h,
    const struct growth *g, struct pf_error *err)
{
	const char *owner = pf_strings_get(&h->names, g->owner);
	char grown[PF_AMOUNT_ROOM], from[PF_AMOUNT_ROOM], to[PF_AMOUNT_ROOM];
	double share = g->grown / fmax(g->last, 1);
	bool strong = g->series && g->trend.p_rising < 0.001;
	struct pf_finding *finding;

	finding = pf_findings_add(f, "leak",
	    g->grown >= 64.0 * (1 << 20) || (strong && share > 0.5) ? PF_SEVERITY_HIGH
								    : PF_SEVERITY_MEDIUM,
	    strong ? PF_CONFIDENCE_HIGH : PF_CONFIDENCE_MEDIUM,
	    pf_say(f, "Memory that %s allocates grew by %s and was not freed", owner,
		pf_amount(grown, g->grown, "bytes")));
	finding->summary = pf_say(f, "It held %s in %s and %s in %s%s.",
	    pf_amount(from, g->first, "bytes"), pf_base_name(h->profiles[0]->name),
	    pf_amount(to, g->last, "bytes"), pf_base_name(h->profiles[h->snapshots - 1]->name),
	    g->series ? ", rising from snapshot to snapshot" : "");
	finding->bytes_saved = g->grown;
	pf_add_estimate(
	    f, "grown", g->grown, g->grown - 1.96 * g->error, g->grown + 1.96 * g->error, "bytes");
	pf_add_number(f, "in_use_before", g->first, "bytes");
	pf_add_number(f, "in_use_now", g->last, "bytes");
	if (g->series)
		pf_add_number(f, "trend_p", g->trend.p_rising, "probability");
	pf_add_number(f, "snapshots", (double)h->snapshots, "count");
	time_to_limit(e, f, g);
	if (!g->series)
		pf_add_caveat(f, PF_CONFIDENCE_MEDIUM,
		    pf_say(f, "Two snapshots can't tell a leak from a cache that is still filling: "
			      "four and more "
			      "over time can."));
	pf_add_snapshot_caveats(e, PF_PROFILE_HEAP, f);
	advise(f, owner);
	pf_add_prediction(f, "rss", "bytes", g->last, g->first, g->first, g->last,
	    pf_say(f, "what it grew by is held no more"));
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

/* The trend over all snapshots, and whether it has ended. */
static int
test_trend(const struct holders *h, struct growth *g, size_t candidates, struct pf_error *err)
{
	size_t n = h->snapshots, half = n / 2;
	struct pf_trend late;
	double *y;
	int rc = PF_CALLOC(y, n, err);

	for (size_t i = 0; !rc && i < n; i++)
		y[i] = h->bytes[i * h->room + g->owner];
	if (!rc)
		rc = pf_trend(h->times, y, n, &g->trend, err);
	if (!rc) {
		g->trend.p_rising = fmin(1, g->trend.p_rising * (double)candidates);
		/* Growth in the second half at less than a third of the whole's pace is a settling. */
		if (n - half >= 3) {
			rc = pf_trend(h->times + half, y + half, n - half, &late, err);
			g->settled = !rc && (late.slope < g->trend.slope / 3 || late.s <= 0);
		} else {
			g->settled = y[n - 1] - y[half] < (y[n - 1] - y[0]) / 6;
		}
	}
	free(y);
	return rc;
}

/* Owners whose growth stands out of its sampling error, the greatest first. */
static size_t
candidates_of(const struct holders *h, struct growth *all)
{
	size_t last = h->snapshots - 1, n = 0;
	double total = total_of(h, last);

	for (uint32_t owner = 1; owner < h->room; owner++) {
		struct growth g = {.owner = owner,
		    .first = h->bytes[owner],
		    .last = h->bytes[last * h->room + owner]};
		g.grown = g.last - g.first;
		g.error = sqrt(h->variance[owner] + h->variance[last * h->room + owner]);
		if (g.grown > 3 * g.error && g.grown >= 1 << 20 && g.grown >= 0.05 * total)
			all[n++] = g;
	}
	if (n)
		qsort(all, n, sizeof *all, greatest_growth);
	return n < MOST_CANDIDATES ? n : MOST_CANDIDATES;
}

static int
judge(const struct pf_evidence *e, struct pf_findings *f, const struct holders *h,
    struct pf_error *err)
{
	bool series = h->snapshots >= LEAST_SERIES && !h->profiles[0]->base;
	struct growth *all;
	int rc = PF_CALLOC(all, h->room + 1, err);
	size_t n = rc ? 0 : candidates_of(h, all);

	for (size_t i = 0; !rc && i < n; i++) {
		struct growth *g = &all[i];

		g->series = series;
		if (series)
			rc = test_trend(h, g, n, err);
		/* Four snapshots can't be surer than 1 in 24. */
		if (!rc && (!series || (!g->settled && g->trend.p_rising <= 0.05)))
			rc = report(e, f, h, g, err);
	}
	free(all);
	return rc;
}

int
pf_detect_leak(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	const struct pf_evidence_profile *base = pf_evidence_base(e, PF_PROFILE_HEAP);
	struct holders h;
	int rc;

	if (!pf_evidence_last(e, PF_PROFILE_HEAP))
		return 0;
	rc = collect(&h, e, base, err);
	if (!rc && h.snapshots > 1 && (base || h.snapshots >= LEAST_SERIES))
		rc = judge(e, f, &h, err);
	release(&h);
	return rc;
}
