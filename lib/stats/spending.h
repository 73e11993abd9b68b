/*
 * spending.h: planned looks at growing data, at any shares of it.
 *
 * Lan and DeMets (1983): of the chance alpha of a false alarm, alpha·t^power may
 * have been spent when a share t of the data is there (Kim and DeMets 1987; a power
 * of 1 is near Pocock's boundaries, one of 3 near O'Brien and Fleming's). The
 * statistic of every look is taken as that of a walk with independent normal
 * steps, which rank statistics of growing samples follow closely.
 */
#ifndef PF_STATS_SPENDING_H
#define PF_STATS_SPENDING_H

#include <stddef.h>

enum { PF_SPENDING_LOOKS = 20 };

/*
 * The two-sided level at which each look may decide: level[k] for share[k], which
 * ascends from above 0 to 1. looks from 1 to PF_SPENDING_LOOKS, 0 < alpha < 1, power > 0.
 */
void pf_spending_levels(
    const double *share, size_t looks, double alpha, double power, double *level);

#endif
