/* quantile.h: order statistics of small arrays, NaN-free. */
#ifndef PF_STATS_QUANTILE_H
#define PF_STATS_QUANTILE_H

#include <stddef.h>

void pf_sort(double *values, size_t n);

/*
 * The q-quantile (0..1) of sorted values, linearly interpolated between order
 * statistics (Hyndman and Fan's type 7: R's and NumPy's default). n must not be 0.
 */
double pf_quantile(const double *sorted, size_t n, double q);

double pf_mean(const double *values, size_t n);

/* The standard deviation with n - 1; 0 for fewer than two values. */
double pf_deviation(const double *values, size_t n);

#endif
