/*
 * signed_rank.h: Wilcoxon's signed-rank statistic and what follows from it.
 *
 * W is the sum of the ranks (of |d|, from 1) of the positive ones among n
 * differences; under symmetry about zero each rank is in or out like a fair
 * coin. Exact distributions are built by adding one rank at a time to a table
 * of probabilities, up to PF_SIGNED_RANK_EXACT differences; beyond, the normal
 * approximation with continuity correction.
 */
#ifndef PF_STATS_SIGNED_RANK_H
#define PF_STATS_SIGNED_RANK_H

#include <stddef.h>
#include <stdint.h>

struct pf_error;

enum { PF_SIGNED_RANK_EXACT = 200 };

/*
 * How many Walsh averages to cut off at each end for an interval of at least
 * `confidence`: the largest k with 2·P(W < k) <= 1 - confidence. The interval is
 * [A(k), A(M+1-k)] of the M = n(n+1)/2 ordered averages (counted from 1); 0: no
 * interval exists, n is too small. *coverage is 1 - 2·P(W < k). 0 or PF_ENOMEM.
 */
int pf_signed_rank_cut(
    size_t n, double confidence, size_t *k, double *coverage, struct pf_error *err);

/*
 * The two-sided p-value of n differences against symmetry about zero. Zeros are
 * left out; ties share the mean of their ranks, and the distribution is that of
 * these very ranks, so it stays exact. 1 when nothing is left. 0 or PF_ENOMEM.
 */
int pf_signed_rank_p(const double *d, size_t n, double *p, struct pf_error *err);

/*
 * The n(n+1)/2 means (d[i]+d[j])/2, i <= j, ascending; their median is the
 * Hodges–Lehmann estimate. *averages is owned by the caller. 0 or PF_ENOMEM.
 */
int pf_walsh_averages(
    const double *d, size_t n, double **averages, size_t *count, struct pf_error *err);

#endif
