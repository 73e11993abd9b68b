/*
 * profuse/stats.h: is B different from A? The paired comparison that every
 * verdict of profuse rests on.
 *
 * Values come in pairs (a[i], b[i]) measured next to each other, so that what
 * drifts on a machine drifts for both. Each pair gives one difference; the
 * estimate is the Hodges–Lehmann one (the median of the differences' pairwise
 * means) and the interval is Wilcoxon's signed-rank interval, which needs no
 * normal distribution: exact up to 200 pairs, by the normal approximation
 * beyond. It assumes that pairs are independent and their differences
 * symmetric about the true one.
 */
#ifndef PROFUSE_STATS_H
#define PROFUSE_STATS_H

#include <stdbool.h>
#include <stddef.h>

#include <profuse/error.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

enum pf_scale {
	PF_SCALE_RATIO, /* differences are ln(b/a), reported as b/a - 1; every value must be > 0 */
	PF_SCALE_DIFFERENCE, /* differences are b - a, reported as they are */
};

struct pf_comparison {
	size_t pairs;
	double change;     /* Hodges–Lehmann: 0.03 is +3 % on the ratio scale */
	bool has_interval; /* false: too few pairs for this confidence; low and high are then 0 */
	double low, high;  /* the confidence interval of the change */
	double confidence; /* the interval's true coverage, at least what was asked for */
	double p;          /* two-sided signed-rank p-value, zeros left out, ties by mid-ranks */
	double
	    spread; /* standard deviation of the differences, on the scale of the logarithm or value */
	double detectable; /* change that as many pairs with this spread would show 8 times in 10 */
};

/*
 * Compares n pairs. confidence is between 0.5 and 1 (exclusively), n at most 4000.
 * PF_EUSAGE for other arguments, PF_EINPUT for a value that is not finite (or not above zero
 * on the ratio scale), PF_ENOMEM.
 */
int pf_compare_pairs(const double *a, const double *b, size_t n, enum pf_scale scale,
    double confidence, struct pf_comparison *out, struct pf_error *err);

/*
 * The same for values that are not paired: na of a, nb of b, in no particular
 * order. The estimate is the Hodges–Lehmann shift (the median of all differences
 * b[j] - a[i]), its interval and p-value those of the Mann–Whitney test: exact,
 * ties by mid-ranks, up to 100 values in all, by the normal approximation beyond.
 * `pairs` is then the smaller count. Fails as pf_compare_pairs does.
 */
int pf_compare_unpaired(const double *a, size_t na, const double *b, size_t nb, enum pf_scale scale,
    double confidence, struct pf_comparison *out, struct pf_error *err);

/*
 * Holm's adjustment: p[i] becomes what can be compared with the level for the
 * whole family of n, so that the chance of any false alarm stays below it.
 * PF_ENOMEM.
 */
int pf_holm(double *p, size_t n, struct pf_error *err);

/*
 * Planned looks: the two-sided level at which look `look` (1 .. looks, at equally
 * many values each) may decide so that all looks together keep 1 - confidence:
 * O'Brien and Fleming's boundaries. 0 for arguments that make no sense; looks up to 20.
 */
double pf_look_level(size_t look, size_t looks, double confidence);

/* The fewest pairs that give an interval at this confidence: 6 at 0.95, 8 at 0.99. */
size_t pf_least_pairs(double confidence);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
