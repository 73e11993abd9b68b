/* unpaired.c: the comparison of two independent samples; see profuse/stats.h. */
#include <profuse/stats.h>

#include <math.h>
#include <stdlib.h>

#include "core/error.h"
#include "core/memory.h"
#include "stats/comparison.h"
#include "stats/quantile.h"
#include "stats/rank_sum.h"

enum { MOST_VALUES = 4000 };

/* The values, or their logarithms; PF_EINPUT for one that has none. */
static int
transform(double *out, const double *values, size_t n, enum pf_scale scale, struct pf_error *err)
{
	for (size_t i = 0; i < n; i++) {
		if (!isfinite(values[i]) || (scale == PF_SCALE_RATIO && values[i] <= 0))
			return pf_error_set(err, PF_EINPUT, "value %zu is not a number%s", i + 1,
			    scale == PF_SCALE_RATIO ? " above zero, so it has no ratio" : "");
		out[i] = scale == PF_SCALE_RATIO ? log(values[i]) : values[i];
	}
	return 0;
}

/* x of na values, then y of nb. */
static int
compare(const double *x, size_t na, size_t nb, double confidence, struct pf_comparison *out,
    struct pf_error *err)
{
	const double *y = x + na;
	size_t count = na * nb, k;
	double *shifts, sx = pf_deviation(x, na), sy = pf_deviation(y, nb);
	int rc = PF_CALLOC(shifts, count, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < na; i++) {
		for (size_t j = 0; j < nb; j++)
			shifts[i * nb + j] = y[j] - x[i];
	}
	pf_sort(shifts, count);
	out->change = pf_quantile(shifts, count, 0.5);
	out->spread = sqrt(sx * sx + sy * sy);
	rc = pf_rank_sum_cut(na, nb, confidence, &k, &out->confidence, err);
	if (!rc && k) {
		out->has_interval = true;
		out->low = shifts[k - 1];
		out->high = shifts[count - k];
	}
	free(shifts);
	return rc ? rc : pf_rank_sum_p(x, na, y, nb, &out->p, err);
}

int
pf_compare_unpaired(const double *a, size_t na, const double *b, size_t nb, enum pf_scale scale,
    double confidence, struct pf_comparison *out, struct pf_error *err)
{
	double *x;
	int rc;

	*out = (struct pf_comparison){.pairs = na < nb ? na : nb};
	if (na == 0 || nb == 0 || na > MOST_VALUES || nb > MOST_VALUES)
		return pf_error_set(err, PF_EUSAGE,
		    "%zu and %zu values cannot be compared: 1 to %d can", na, nb, MOST_VALUES);
	if (!(confidence > 0.5 && confidence < 1))
		return pf_error_set(err, PF_EUSAGE,
		    "a confidence of %g: it must lie between 0.5 and 1", confidence);
	rc = PF_CALLOC(x, na + nb, err);
	if (rc)
		return rc;
	rc = transform(x, a, na, scale, err);
	if (!rc)
		rc = transform(x + na, b, nb, scale, err);
	if (!rc)
		rc = compare(x, na, nb, confidence, out, err);
	free(x);
	if (!rc)
		pf_comparison_finish(out, scale, confidence);
	return rc;
}
