/* paired.c: the paired comparison; see profuse/stats.h. */
#include <profuse/stats.h>

#include <math.h>
#include <stdlib.h>

#include "core/error.h"
#include "core/memory.h"
#include "stats/comparison.h"
#include "stats/quantile.h"
#include "stats/signed_rank.h"

enum { MOST_PAIRS = 4000 };

/* The normal quantile of 0.8: a change this many standard errors past the limit is found 8 times in 10. */
static const double power_margin = 0.8416212335729143;
/* An estimate by signed ranks needs π/3 times the pairs that a mean of normal values does. */
static const double rank_inefficiency = 1.0471975511965976;

size_t
pf_least_pairs(double confidence)
{
	size_t n = 1;

	while (n < MOST_PAIRS && pow(2, 1 - (double)n) > (1 - confidence) * (1 + 1e-12))
		n++;
	return n;
}

static int
check(const double *a, const double *b, size_t n, enum pf_scale scale, double confidence,
    struct pf_error *err)
{
	if (n == 0 || n > MOST_PAIRS)
		return pf_error_set(
		    err, PF_EUSAGE, "%zu pairs cannot be compared: 1 to %d can", n, MOST_PAIRS);
	if (!(confidence > 0.5 && confidence < 1))
		return pf_error_set(err, PF_EUSAGE,
		    "a confidence of %g: it must lie between 0.5 and 1", confidence);
	for (size_t i = 0; i < n; i++) {
		if (!isfinite(a[i]) || !isfinite(b[i]))
			return pf_error_set(
			    err, PF_EINPUT, "pair %zu holds a value that is not a number", i + 1);
		if (scale == PF_SCALE_RATIO && (a[i] <= 0 || b[i] <= 0))
			return pf_error_set(err, PF_EINPUT,
			    "pair %zu holds a value of zero or less, so it has no ratio", i + 1);
	}
	return 0;
}

/* How many standard errors to each side a two-sided normal interval of this confidence reaches. */
static double
reach(double confidence)
{
	double low = 0, high = 40;

	for (int i = 0; i < 100; i++) {
		double middle = (low + high) / 2;
		if (erfc(middle / sqrt(2)) > 1 - confidence)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/*
 * From the interval's own width, which outliers hardly move, as they hardly move
 * the estimate; without an interval, from the standard deviation.
 */
static double
detectable(const struct pf_comparison *c, double confidence)
{
	double z, error;

	if (!c->has_interval)
		return sqrt(rank_inefficiency / (double)c->pairs) * c->spread *
		       (reach(confidence) + power_margin);
	z = reach(c->confidence);
	error = (c->high - c->low) / 2 / z;
	return error * (z + power_margin);
}

void
pf_comparison_finish(struct pf_comparison *c, enum pf_scale scale, double confidence)
{
	c->detectable = detectable(c, confidence);
	if (scale != PF_SCALE_RATIO)
		return;
	c->change = expm1(c->change);
	c->low = expm1(c->low);
	c->high = expm1(c->high);
	c->detectable = expm1(c->detectable);
}

static int
estimate(
    const double *d, size_t n, double confidence, struct pf_comparison *out, struct pf_error *err)
{
	double *walsh;
	size_t count, k;
	int rc = pf_walsh_averages(d, n, &walsh, &count, err);

	if (rc)
		return rc;
	out->change = pf_quantile(walsh, count, 0.5);
	rc = pf_signed_rank_cut(n, confidence, &k, &out->confidence, err);
	if (!rc && k) {
		out->has_interval = true;
		out->low = walsh[k - 1];
		out->high = walsh[count - k];
	}
	free(walsh);
	return rc;
}

int
pf_compare_pairs(const double *a, const double *b, size_t n, enum pf_scale scale, double confidence,
    struct pf_comparison *out, struct pf_error *err)
{
	double *d;
	int rc = check(a, b, n, scale, confidence, err);

	*out = (struct pf_comparison){.pairs = n};
	if (!rc)
		rc = PF_CALLOC(d, n, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < n; i++)
		d[i] = scale == PF_SCALE_RATIO ? log(b[i] / a[i]) : b[i] - a[i];
	rc = estimate(d, n, confidence, out, err);
	if (!rc)
		rc = pf_signed_rank_p(d, n, &out->p, err);
	out->spread = pf_deviation(d, n);
	free(d);
	pf_comparison_finish(out, scale, confidence);
	return rc;
}
