/*
 * detect_leak.c: memory that grows and does not come back.
 *
 * With --base: what each function holds now against what it held then. A
 * sampled figure has a variance (Poisson sampling with one sample every `rate`
 * bytes: n objects of s bytes are estimated with variance n·s²·(1-p)/p, where
 * p = 1 - exp(-s/rate)); growth counts where it exceeds 2.33 standard deviations
 * of the difference, surely where it exceeds three.
 *
 * With four snapshots and more: Kendall's test for a trend per function, with
 * Bonferroni's correction over the functions looked at. What rises is no leak yet:
 * the growth must go on in the second half (a cache that fills up levels off), must
 * not be one step (a table is loaded), and must be more than the series goes up and
 * down anyway. tests/quality/tuner/leak_rates.c measures how often that is wrong.
 * Theil and Sen's slope says when the limit is met.
 */
#include "tuner/detect.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "stats/quantile.h"
#include "stats/trend.h"
#include "tuner/growth.h"
#include "tuner/sites.h"

enum { MOST_CANDIDATES = 32, LEAST_SERIES = 4 };

#define PAIR_SIGMAS 2.33 /* 1 in 100 by chance */
#define SURE_SIGMAS 3.0
#define SERIES_SIGMAS 1.0
#define WANDERS 4.0 /* growth along the trend, in standard deviations about it */
#define STEP_P 0.1

static const char *const in_use[] = {"inuse_space", "space", NULL};

static double
total_of(const struct pf_growth *h, size_t snapshot)
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
	bool series;
	bool settled; /* a series that rises, and yet is no leak: see has_ended() */
};

/* The heaviest stack of an owner in the last snapshot. */
static int
show_owner(struct pf_findings *f, const struct pf_growth *h, uint32_t owner, struct pf_error *err)
{
	const struct pf_evidence_profile *ep = h->profiles[h->snapshots - 1];
	const char *wanted = pf_strings_get(&h->owners, owner);
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
report(const struct pf_evidence *e, struct pf_findings *f, const struct pf_growth *h,
    const struct growth *g, struct pf_error *err)
{
	const char *owner = pf_strings_get(&h->owners, g->owner);
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
	if (g->series && h->snapshots == LEAST_SERIES)
		pf_add_caveat(f, PF_CONFIDENCE_LOW,
		    pf_say(f, "Four snapshots can't tell a leak from a table that was loaded once: "
			      "five and more can."));
	if (!g->series && g->grown < SURE_SIGMAS * g->error)
		pf_add_caveat(f, PF_CONFIDENCE_LOW,
		    pf_say(f, "The profiles are sampled, and so few samples stand behind this "
			      "growth that one time in a "
			      "hundred it is chance."));
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

/* Growth in the second half at less than half of the whole's pace is a settling. */
static bool
has_settled(const struct growth *g, const struct pf_trend *late)
{
	return late->s <= 0 || late->slope < g->trend.slope / 2;
}

/* The standard deviation about the line of the trend. */
static int
spread(const double *x, const double *y, size_t n, double slope, double *sd, struct pf_error *err)
{
	double *rest, middle, sum = 0;
	int rc = PF_CALLOC(rest, n, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < n; i++)
		rest[i] = y[i] - slope * x[i];
	pf_sort(rest, n);
	middle = pf_quantile(rest, n, 0.5);
	for (size_t i = 0; i < n; i++)
		sum += (rest[i] - middle) * (rest[i] - middle);
	free(rest);
	*sd = sqrt(sum / (double)(n - 1));
	return 0;
}

/* Ascending pairs less descending ones, and the variance of that where the order is chance. */
static void
count_pairs(const double *y, size_t n, double *s, double *variance)
{
	double size = (double)n;

	for (size_t i = 0; i < n; i++) {
		for (size_t j = i + 1; j < n; j++)
			*s += (y[j] > y[i]) - (y[j] < y[i]);
	}
	*variance += size * (size - 1) * (2 * size + 5) / 18;
}

/*
 * Whether all of the rise is one jump (a table that is loaded, a first request):
 * then what comes before the steepest step and what comes after it have no trend.
 * Kendall's test within the two parts: their S and their variances add.
 */
static bool
is_one_step(const double *x, const double *y, size_t n)
{
	double steepest = -INFINITY, s = 0, variance = 0;
	size_t at = 1;

	for (size_t i = 1; i < n; i++) {
		double pace = (y[i] - y[i - 1]) / (x[i] - x[i - 1]);
		if (pace > steepest) {
			steepest = pace;
			at = i;
		}
	}
	count_pairs(y, at, &s, &variance);
	count_pairs(y + at, n - at, &s, &variance);
	return 0.5 * erfc((s - 1) / sqrt(2 * variance)) > STEP_P;
}

/* A rise that is no leak: it has settled, came in one step, or is within what the series goes up and down anyway. */
static int
has_ended(const struct pf_growth *h, struct growth *g, const double *y, struct pf_error *err)
{
	size_t n = h->snapshots, half = n / 2;
	double length = h->times[n - 1] - h->times[0], sd;
	struct pf_trend late;
	int rc = spread(h->times, y, n, g->trend.slope, &sd, err);

	if (!rc && n - half >= 3)
		rc = pf_trend(h->times + half, y + half, n - half, &late, err);
	if (rc)
		return rc;
	g->settled =
	    n - half >= 3 ? has_settled(g, &late) : y[n - 1] - y[half] < (y[n - 1] - y[0]) / 6;
	g->settled |= g->trend.slope * length < WANDERS * sd;
	g->settled |= n > LEAST_SERIES && is_one_step(h->times, y, n);
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
		y[i] = h->bytes[i * h->room + g->owner];
	if (!rc)
		rc = pf_trend(h->times, y, n, &g->trend, err);
	if (!rc)
		rc = has_ended(h, g, y, err);
	g->trend.p_rising = fmin(1, g->trend.p_rising * (double)candidates);
	free(y);
	return rc;
}

/* Owners whose growth stands out of its sampling error, the greatest first. */
static size_t
candidates_of(const struct pf_growth *h, struct growth *all)
{
	size_t last = h->snapshots - 1, n = 0;
	double total = total_of(h, last);
	/* Two snapshots have nothing but their size to go by, a series has its order too. */
	double least = h->snapshots > 2 ? SERIES_SIGMAS : PAIR_SIGMAS;

	for (uint32_t owner = 1; owner < h->room; owner++) {
		struct growth g = {.owner = owner,
		    .first = h->bytes[owner],
		    .last = h->bytes[last * h->room + owner]};
		g.grown = g.last - g.first;
		g.error = sqrt(h->variance[owner] + h->variance[last * h->room + owner]);
		if (g.grown > least * g.error && g.grown >= 1 << 20 && g.grown >= 0.05 * total)
			all[n++] = g;
	}
	if (n)
		qsort(all, n, sizeof *all, greatest_growth);
	return n < MOST_CANDIDATES ? n : MOST_CANDIDATES;
}

static int
judge(const struct pf_evidence *e, struct pf_findings *f, const struct pf_growth *h,
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
	struct pf_growth h;
	int rc;

	if (!pf_evidence_last(e, PF_PROFILE_HEAP))
		return 0;
	rc = pf_growth_init(&h, e, base, err);
	if (!rc && h.snapshots > 1 && (base || h.snapshots >= LEAST_SERIES))
		rc = judge(e, f, &h, err);
	pf_growth_release(&h);
	return rc;
}
