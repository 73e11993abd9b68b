/*
 * rank_sum.h: the Mann–Whitney (Wilcoxon rank-sum) statistic and what follows from it.
 *
 * U counts the pairs (a, b) with b above a, ties for a half. Under the null
 * hypothesis every choice of nb among the na + nb ranks is equally likely; the
 * exact distribution of their sum is built by adding one rank at a time, over
 * the very mid-ranks that the sample has, up to PF_RANK_SUM_EXACT values.
 */
#ifndef PF_STATS_RANK_SUM_H
#define PF_STATS_RANK_SUM_H

#include <stddef.h>

struct pf_error;

enum { PF_RANK_SUM_EXACT = 100 };

/* The two-sided p-value of b against a; 1 where all values are the same. 0 or PF_ENOMEM. */
int pf_rank_sum_p(
    const double *a, size_t na, const double *b, size_t nb, double *p, struct pf_error *err);

/*
 * How many of the na·nb ordered differences to cut off at each end for an interval
 * of at least `confidence`: the largest k with 2·P(U < k) <= 1 - confidence,
 * without ties. The interval is [D(k), D(na·nb + 1 - k)]; 0: none. 0 or PF_ENOMEM.
 */
int pf_rank_sum_cut(
    size_t na, size_t nb, double confidence, size_t *k, double *coverage, struct pf_error *err);

#endif
