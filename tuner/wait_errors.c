/* wait_errors.c: see wait_errors.h. */
#include "tuner/wait_errors.h"

#include <math.h>
#include <string.h>

#include "core/lines.h"

#define Z 1.96
#define NANOSECONDS 1e-9

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
