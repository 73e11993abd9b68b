/*
 * sampling.h: how far sampling may have put off what a profile counts.
 *
 * Go and the agent sample points on the bytes that are allocated, and the agent on the time that is waited
 * (collect/agent/draw.h): what is big is always met, of what is small one stands for many. Of memory the variance follows
 * from sizes and the period, where that was always the same; else, and of waits, the agent's comments say it. Go's
 * profiles say nothing of waits.
 */
#ifndef PF_TUNER_SAMPLING_H
#define PF_TUNER_SAMPLING_H

#include "tuner/evidence.h"

/* Of the bytes of objects of a size, sampled at the profile's period: bytes squared; 0 where each is counted. */
double pf_bytes_variance(const struct pf_evidence_profile *ep, double bytes, double objects);
/* How many times that it is, for the period was longer at times, as the agent says of these columns; else 1. */
double pf_variance_factor(const struct pf_evidence_profile *ep, uint32_t objects, uint32_t bytes);
/* Of the number of all objects in a profile. */
double pf_objects_variance(const struct pf_evidence_profile *ep, uint32_t objects, uint32_t bytes);

/* Variances of sums over the waits at locks; NaN: not known, which is not the same as exact. */
struct pf_wait_errors {
	double count;
	double delay; /* seconds squared */
};

struct pf_wait_errors pf_wait_errors_of(const struct pf_evidence_profile *ep);

/* All waits at locks, sampled or not, as the agent has counted them; NaN: not told. */
struct pf_wait_totals {
	double count;
	double delay; /* seconds */
};

struct pf_wait_totals pf_wait_totals_of(const struct pf_profile *p);

/*
 * What such comments say of the time between two profiles of one process, in place of those that the difference has.
 * PF_ENOMEM.
 */
int pf_wait_comments_subtract(struct pf_profile *difference, const struct pf_profile *then,
    const struct pf_profile *now, struct pf_error *err);

/*
 * The interval, of 95 %, of a sum of sampled events and its variance, as if it were of so many equal events as have this
 * variance (Fay and Feuer 1997). NaN where the variance is not known; the sum itself where it is 0.
 */
void pf_sum_interval(double sum, double variance, double *low, double *high);

/* The same of the mean wait: wider than it is, for what both sums have in common is not taken off. */
void pf_mean_interval(
    double delay, double count, struct pf_wait_errors variances, double *low, double *high);

struct pf_findings;
/* Such a sum as a figure of the finding being built; nothing where it is NaN. */
void pf_add_sum(
    struct pf_findings *f, const char *name, double sum, double variance, const char *unit);
/* A share of a sum over all. */
void pf_add_share_of(
    struct pf_findings *f, const char *name, double share, double sum, double variance);

#endif
