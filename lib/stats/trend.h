/*
 * trend.h: does a series grow, how fast, and how sure is that?
 *
 * Kendall's rank test (Mann 1945, Kendall 1975): S is the number of pairs that
 * ascend less those that descend; without a trend every order is equally
 * likely. Exact up to PF_TREND_EXACT values without ties, by the normal
 * approximation with correction for ties and continuity beyond. The slope is
 * Theil and Sen's: the median over all pairs, with its interval from S.
 */
#ifndef PF_STATS_TREND_H
#define PF_STATS_TREND_H

#include <stdbool.h>
#include <stddef.h>

struct pf_error;

enum { PF_TREND_EXACT = 50, PF_TREND_MOST = 2000 };

struct pf_trend {
	double s;         /* -n(n-1)/2 … n(n-1)/2 */
	double p_rising;  /* the probability of such an S or a greater one without a trend */
	double slope;     /* units of y per unit of x */
	double low, high; /* its 95 % interval; infinite where there are too few values */
	double spread;    /* standard deviation about the line of this slope through the median */
	double steps_p;   /* p_rising of the rest, if all of the rise is one step; see below */
};

/*
 * Whether a rise goes on, and is not just one of: a single step (before and after
 * the steepest one there is no trend: Kendall's S and its variance added over the
 * two parts have steps_p above a tenth), or a series that wanders (the growth along
 * the line is less than four times the spread about it). Fewer than five values
 * can't be told from a step: it isn't asked of them.
 */
bool pf_trend_goes_on(const struct pf_trend *trend, const double *x, size_t n);

/*
 * x ascends strictly. n from 3 to PF_TREND_MOST, else PF_EUSAGE; values that are
 * not finite or an x that does not ascend: PF_EINPUT; PF_ENOMEM.
 */
int pf_trend(
    const double *x, const double *y, size_t n, struct pf_trend *trend, struct pf_error *err);

#endif
