/* sampling.c: see sampling.h. */
#include "tuner/sampling.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/lines.h"
#include "core/memory.h"
#include "tuner/detect.h"
#include "tuner/sites.h"

#define Z 1.96
#define NANOSECONDS 1e-9

double
pf_bytes_variance(const struct pf_evidence_profile *ep, double bytes, double objects)
{
	double rate = (double)ep->p->period, size = objects > 0 ? bytes / objects : bytes, p;

	if (rate <= 1 || size <= 0)
		return 0;
	p = -expm1(-size / rate);
	return bytes * size * (1 - p) / p;
}

/* "variance of inuse_space: 678900000 bytes2"; NaN: not told. Merged profiles have one from each. */
static double
told_variance(const struct pf_evidence_profile *ep, uint32_t bytes)
{
	const struct pf_profile *p = ep->p;
	const char *column = pf_profile_string(p, p->types[bytes].type);
	double sum = NAN;

	for (size_t i = 0; i < p->comment_count; i++) {
		const char *comment = pf_profile_string(p, p->comments[i]);
		struct pf_text t = pf_text_of(comment, strlen(comment));
		double variance;

		if (!pf_text_skip(&t, "variance of ") || !pf_text_skip(&t, column) ||
		    !pf_text_skip(&t, ": "))
			continue;
		variance = pf_text_double(&t);
		if (!t.failure && isfinite(variance) && variance >= 0)
			sum = fmax(0, sum) + variance; /* of NaN and 0 the latter */
	}
	return sum;
}

double
pf_variance_factor(const struct pf_evidence_profile *ep, uint32_t objects, uint32_t bytes)
{
	double told = told_variance(ep, bytes), sum = 0;

	if (isnan(told))
		return 1;
	for (size_t i = 0; i < ep->p->sample_count; i++)
		sum += pf_bytes_variance(
		    ep, pf_value(ep, i, bytes), objects == PF_NONE ? 0 : pf_value(ep, i, objects));
	return sum > 0 ? fmax(1, told / sum) : 1;
}

double
pf_objects_variance(const struct pf_evidence_profile *ep, uint32_t objects, uint32_t bytes)
{
	double sum = 0;

	for (size_t i = 0; i < ep->p->sample_count; i++) {
		double count = pf_value(ep, i, objects), all = pf_value(ep, i, bytes);

		if (count > 0 && all > 0)
			sum += pf_bytes_variance(ep, all, count) * count * count / (all * all);
	}
	return sum * pf_variance_factor(ep, objects, bytes);
}

/* Of which waits the agent speaks, and what it says: where each is met, variances are 0. */
enum { MUTEX, RWLOCK, LOCKS, CONDITION = LOCKS, SEMAPHORE, JOIN, WAITS };
enum said { VARIANCE, ALL, SAID };

static const char *const waits[WAITS] = {"mutex", "rwlock", "condition", "semaphore", "join"};

static const struct {
	const char *before, *unit; /* "variance of", "ns2" */
} words[SAID] = {{"variance of ", "ns2"}, {"all of ", "ns"}};

/* The two figures of "variance of mutex: contentions 12345, delay 678900000 ns2"; they are finite. */
static bool
read_comment(const char *comment, enum said what, int kind, double figures[2])
{
	struct pf_text t = pf_text_of(comment, strlen(comment));

	if (!pf_text_skip(&t, words[what].before) || !pf_text_skip(&t, waits[kind]) ||
	    !pf_text_skip(&t, ": "))
		return false;
	pf_text_expect(&t, "contentions ");
	figures[0] = pf_text_double(&t);
	pf_text_expect(&t, ", delay ");
	figures[1] = pf_text_double(&t);
	return !t.failure && isfinite(figures[0]) && isfinite(figures[1]) && figures[0] >= 0 &&
	       figures[1] >= 0;
}

/* Adds what a profile's comments say of a kind; a merged one's has one from each. */
static void
add_comments(const struct pf_profile *p, enum said what, int kind, double figures[2])
{
	double more[2];

	for (size_t i = 0; i < p->comment_count; i++) {
		if (!read_comment(pf_profile_string(p, p->comments[i]), what, kind, more))
			continue;
		figures[0] = fmax(0, figures[0]) + more[0]; /* of NaN and 0 the latter */
		figures[1] = fmax(0, figures[1]) + more[1];
	}
}

struct pf_wait_errors
pf_wait_errors_of(const struct pf_evidence_profile *ep)
{
	double figures[2] = {NAN, NAN};

	for (int kind = 0; kind < LOCKS; kind++)
		add_comments(ep->p, VARIANCE, kind, figures);
	return (struct pf_wait_errors){figures[0], figures[1] * NANOSECONDS * NANOSECONDS};
}

struct pf_wait_totals
pf_wait_totals_of(const struct pf_profile *p)
{
	double figures[2] = {NAN, NAN};

	for (int kind = 0; kind < LOCKS; kind++)
		add_comments(p, ALL, kind, figures);
	return (struct pf_wait_totals){figures[0], figures[1] * NANOSECONDS};
}

static bool
is_of_waits(const char *comment)
{
	double figures[2];

	for (int i = 0; i < SAID * WAITS; i++) {
		if (read_comment(comment, (enum said)(i / WAITS), i % WAITS, figures))
			return true;
	}
	return false;
}

static int
add_difference(struct pf_profile *p, const struct pf_profile *then, const struct pf_profile *now,
    enum said what, int kind, struct pf_error *err)
{
	double before[2] = {0, 0}, after[2] = {NAN, NAN};
	char text[256];
	uint32_t id;
	int rc;

	add_comments(then, what, kind, before);
	add_comments(now, what, kind, after);
	if (isnan(after[0]) || after[0] < before[0] || after[1] < before[1])
		return 0;
	snprintf(text, sizeof text, "%s%s: contentions %.0f, delay %.0f %s", words[what].before,
	    waits[kind], after[0] - before[0], after[1] - before[1], words[what].unit);
	rc = pf_strings_add(&p->strings, text, strlen(text), &id, err);
	if (!rc)
		rc = PF_GROW(p->comments, p->comment_capacity, p->comment_count + 1, err);
	if (!rc)
		p->comments[p->comment_count++] = id;
	return rc;
}

int
pf_wait_comments_subtract(struct pf_profile *difference, const struct pf_profile *then,
    const struct pf_profile *now, struct pf_error *err)
{
	size_t kept = 0;
	int rc = 0;

	for (size_t i = 0; i < difference->comment_count; i++) {
		if (!is_of_waits(pf_profile_string(difference, difference->comments[i])))
			difference->comments[kept++] = difference->comments[i];
	}
	difference->comment_count = kept;
	for (int i = 0; !rc && i < SAID * WAITS; i++)
		rc = add_difference(difference, then, now, (enum said)(i / WAITS), i % WAITS, err);
	return rc;
}

/* Bounds of Poisson's mean by the approximation of Wilson and Hilferty: within 2 % from one event on. */
void
pf_sum_interval(double sum, double variance, double *low, double *high)
{
	double n, m;

	*low = *high = isnan(variance) ? NAN : sum;
	if (!(variance > 0) || !(sum > 0))
		return;
	n = sum * sum / variance;
	m = n + 1;
	*low = sum * pow(fmax(0, 1 - 1 / (9 * n) - Z / (3 * sqrt(n))), 3);
	*high = sum * m / n * pow(1 - 1 / (9 * m) + Z / (3 * sqrt(m)), 3);
}

/* A ratio's logarithm has the sum of both relative variances. */
void
pf_mean_interval(
    double delay, double count, struct pf_wait_errors variances, double *low, double *high)
{
	double relative = variances.delay / (delay * delay) + variances.count / (count * count);

	*low = delay / count * exp(-Z * sqrt(relative));
	*high = delay / count * exp(Z * sqrt(relative));
}

void
pf_add_sum(struct pf_findings *f, const char *name, double sum, double variance, const char *unit)
{
	double low, high;

	pf_sum_interval(sum, variance, &low, &high);
	if (!isnan(sum))
		pf_add_estimate(f, name, sum, low, high, unit);
}

void
pf_add_share_of(struct pf_findings *f, const char *name, double share, double sum, double variance)
{
	double low = NAN, high = NAN;

	if (variance > 0)
		pf_share_interval(share, sum * sum / variance, &low, &high);
	pf_add_estimate(f, name, share, low, high, "share");
}
