/* trend.c: see trend.h. */
#include "stats/trend.h"

#include <math.h>
#include <stdlib.h>

#include "core/error.h"
#include "core/memory.h"
#include "stats/quantile.h"

enum { LEAST_FOR_STEPS = 5 };

#define WANDERS 4.0
#define STEP_P 0.1

/*
 * The probability of S >= s among all orders of n: the distribution of the
 * number of inversions, built by adding one value at a time.
 */
static int
exact_p(size_t n, double s, double *p, struct pf_error *err)
{
	size_t most = n * (n - 1) / 2;
	double *share = NULL, *next = NULL, sum = 0;
	int rc = PF_CALLOC(share, most + 1, err);

	if (!rc)
		rc = PF_CALLOC(next, most + 1, err);
	if (!rc)
		share[0] = 1;
	for (size_t i = 2; !rc && i <= n; i++) {
		size_t reach = i * (i - 1) / 2;
		double window = 0, *swap;
		for (size_t k = 0; k <= reach; k++) {
			window += share[k];
			if (k >= i)
				window -= share[k - i];
			next[k] = window / (double)i;
		}
		swap = share;
		share = next;
		next = swap;
	}
	/* S = most - 2·inversions. */
	for (size_t k = 0; !rc && k <= most && (double)most - 2 * (double)k >= s; k++)
		sum += share[k];
	free(share);
	free(next);
	*p = sum > 1 ? 1 : sum;
	return rc;
}

static double
upper_normal(double z)
{
	return 0.5 * erfc(z / sqrt(2));
}

/* The sum over groups of t equal values of t(t-1)(2t+5), for the variance of S; *tied says whether there are any. */
static int
tie_term(const double *y, size_t n, double *term, struct pf_error *err)
{
	double *sorted;
	int rc = PF_CALLOC(sorted, n, err);

	*term = 0;
	if (rc)
		return rc;
	for (size_t i = 0; i < n; i++)
		sorted[i] = y[i];
	pf_sort(sorted, n);
	for (size_t i = 0, run; i < n; i += run) {
		for (run = 1; i + run < n && sorted[i + run] == sorted[i]; run++)
			;
		*term += (double)run * ((double)run - 1) * (2 * (double)run + 5);
	}
	free(sorted);
	return 0;
}

/* All pairs: S, and the slopes in ascending order. */
static int
pairs(const double *x, const double *y, size_t n, double *s, double **slopes, struct pf_error *err)
{
	size_t count = n * (n - 1) / 2, at = 0;
	int rc = PF_CALLOC(*slopes, count, err);

	*s = 0;
	for (size_t i = 0; !rc && i < n; i++) {
		for (size_t j = i + 1; j < n; j++) {
			*s += (y[j] > y[i]) - (y[j] < y[i]);
			(*slopes)[at++] = (y[j] - y[i]) / (x[j] - x[i]);
		}
	}
	if (!rc)
		pf_sort(*slopes, count);
	return rc;
}

static void
interval(const double *slopes, size_t count, double variance, struct pf_trend *t)
{
	double reach = 1.959964 * sqrt(variance), all = (double)count;
	double low = floor((all - reach) / 2), high = ceil((all + reach) / 2);

	t->low = low < 1 ? -INFINITY : slopes[(size_t)low - 1];
	t->high = high + 1 > all ? INFINITY : slopes[(size_t)high];
}

/* The standard deviation about the line. */
static int
spread(const double *x, const double *y, size_t n, struct pf_trend *t, struct pf_error *err)
{
	double *rest, middle, sum = 0;
	int rc = PF_CALLOC(rest, n, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < n; i++)
		rest[i] = y[i] - t->slope * x[i];
	pf_sort(rest, n);
	middle = pf_quantile(rest, n, 0.5);
	for (size_t i = 0; i < n; i++)
		sum += (rest[i] - middle) * (rest[i] - middle);
	free(rest);
	t->spread = sqrt(sum / (double)(n - 1));
	return 0;
}

/* Adds a part's S, and its variance where the order is chance. */
static void
add_part(const double *y, size_t n, double *s, double *variance)
{
	double size = (double)n;

	for (size_t i = 0; i < n; i++) {
		for (size_t j = i + 1; j < n; j++)
			*s += (y[j] > y[i]) - (y[j] < y[i]);
	}
	*variance += size * (size - 1) * (2 * size + 5) / 18;
}

static double
without_steepest(const double *x, const double *y, size_t n)
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
	add_part(y, at, &s, &variance);
	add_part(y + at, n - at, &s, &variance);
	return upper_normal((s - 1) / sqrt(variance));
}

bool
pf_trend_goes_on(const struct pf_trend *trend, const double *x, size_t n)
{
	if (trend->slope * (x[n - 1] - x[0]) < WANDERS * trend->spread)
		return false;
	return n < LEAST_FOR_STEPS || trend->steps_p <= STEP_P;
}

int
pf_trend(const double *x, const double *y, size_t n, struct pf_trend *trend, struct pf_error *err)
{
	double *slopes = NULL, ties = 0, variance, size = (double)n;
	int rc = 0;

	if (n < 3 || n > PF_TREND_MOST)
		return pf_error_set(
		    err, PF_EUSAGE, "a trend needs 3 to %d values, not %zu", PF_TREND_MOST, n);
	for (size_t i = 0; i < n; i++) {
		if (!isfinite(x[i]) || !isfinite(y[i]) || (i && x[i] <= x[i - 1]))
			return pf_error_set(err, PF_EINPUT,
			    "value %zu of a series is not finite or out of order", i);
	}
	rc = tie_term(y, n, &ties, err);
	if (!rc)
		rc = pairs(x, y, n, &trend->s, &slopes, err);
	if (!rc) {
		variance = (size * (size - 1) * (2 * size + 5) - ties) / 18;
		trend->slope = pf_quantile(slopes, n * (n - 1) / 2, 0.5);
		interval(slopes, n * (n - 1) / 2, variance, trend);
		if (n <= PF_TREND_EXACT && ties == 0)
			rc = exact_p(n, trend->s, &trend->p_rising, err);
		else
			trend->p_rising =
			    variance > 0 ? upper_normal((trend->s - 1) / sqrt(variance)) : 1;
		trend->steps_p = without_steepest(x, y, n);
	}
	if (!rc)
		rc = spread(x, y, n, trend, err);
	free(slopes);
	return rc;
}
