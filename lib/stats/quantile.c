/* quantile.c: see quantile.h. */
#include "stats/quantile.h"

#include <math.h>
#include <stdlib.h>

static int
ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void
pf_sort(double *values, size_t n)
{
	if (n)
		qsort(values, n, sizeof *values, ascending);
}

double
pf_quantile(const double *sorted, size_t n, double q)
{
	double position = q * (double)(n - 1), below = floor(position);
	size_t i = (size_t)below;

	if (i + 1 >= n)
		return sorted[n - 1];
	return sorted[i] + (position - below) * (sorted[i + 1] - sorted[i]);
}

double
pf_mean(const double *values, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += values[i];
	return n ? sum / (double)n : 0;
}

double
pf_deviation(const double *values, size_t n)
{
	double mean = pf_mean(values, n), sum = 0;

	if (n < 2)
		return 0;
	for (size_t i = 0; i < n; i++)
		sum += (values[i] - mean) * (values[i] - mean);
	return sqrt(sum / (double)(n - 1));
}
