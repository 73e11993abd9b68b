/* sampling.c: see sampling.h. */
#include "tuner/sampling.h"

#include <math.h>
#include <string.h>

#include "core/lines.h"
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

/* "variance of mutex: contentions 12345, delay 678900000 ns2": of a lock, and finite. */
static bool
read_comment(const char *comment, double *count, double *delay)
{
	struct pf_text t = pf_text_of(comment, strlen(comment));

	if (!pf_text_skip(&t, "variance of mutex: ") && !pf_text_skip(&t, "variance of rwlock: "))
		return false;
	pf_text_expect(&t, "contentions ");
	*count = pf_text_double(&t);
	pf_text_expect(&t, ", delay ");
	*delay = pf_text_double(&t) * NANOSECONDS * NANOSECONDS;
	return !t.failure && isfinite(*count) && isfinite(*delay) && *count >= 0 && *delay >= 0;
}

struct pf_wait_errors
pf_wait_errors_of(const struct pf_evidence_profile *ep)
{
	const struct pf_profile *p = ep->p;
	struct pf_wait_errors errors = {NAN, NAN};
	double count, delay;

	for (size_t i = 0; i < p->comment_count; i++) {
		if (!read_comment(pf_profile_string(p, p->comments[i]), &count, &delay))
			continue;
		errors.count = fmax(0, errors.count) + count; /* of NaN and 0 the latter */
		errors.delay = fmax(0, errors.delay) + delay;
	}
	return errors;
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
