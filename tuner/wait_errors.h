/*
 * wait_errors.h: how far sampling may have put off what a profile of waits counts.
 *
 * The agent samples points on the time that is waited (collect/agent/waits.h): a long wait is always met, of short ones
 * one stands for many. Its comments say the variances. Go says nothing of that kind.
 */
#ifndef PF_TUNER_WAIT_ERRORS_H
#define PF_TUNER_WAIT_ERRORS_H

#include "tuner/evidence.h"

/* Variances of sums over the waits at locks; NaN: not known, which is not the same as exact. */
struct pf_wait_errors {
	double count;
	double delay; /* seconds squared */
};

struct pf_wait_errors pf_wait_errors_of(const struct pf_evidence_profile *ep);

/*
 * The interval, of 95 %, of a sum of sampled events and its variance, as if it were of so many equal events as have this
 * variance (Fay and Feuer 1997). NaN where the variance is not known; the sum itself where it is 0.
 */
void pf_sum_interval(double sum, double variance, double *low, double *high);

/* The same of the mean wait: wider than it is, for what both sums have in common is not taken off. */
void pf_mean_interval(
    double delay, double count, struct pf_wait_errors variances, double *low, double *high);

#endif
