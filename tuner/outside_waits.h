/*
 * outside_waits.h: which goroutines or threads wait for somebody outside (another server, a disk), and how many do on
 * average over the looks that were taken at them.
 */
#ifndef PF_TUNER_OUTSIDE_WAITS_H
#define PF_TUNER_OUTSIDE_WAITS_H

#include "tuner/sites.h"

/* Each of them a pf_sample_wanted. Has own code below what it does, and neither waits for work nor for time to pass. */
bool pf_is_own_work(const struct pf_stack *s, const struct pf_evidence_profile *ep);
/* Of these: in a read, a connect, a sync, or in wait for a connection of a pool. */
bool pf_waits_outside(const struct pf_stack *s, const struct pf_evidence_profile *ep);
/* Of these: for another's answer without doubt. Names alone say it of goroutines; of threads the agent does. */
bool pf_surely_waits_outside(const struct pf_stack *s, const struct pf_evidence_profile *ep);
/* Of these: for longer than a request would. */
bool pf_rests_outside(const struct pf_stack *s, const struct pf_evidence_profile *ep);
bool pf_work_waits_at_lock(const struct pf_stack *s, const struct pf_evidence_profile *ep);
/* A request that waits for its turn, at a channel that nobody takes from: those whose turn it is are at work. */
bool pf_queues(const struct pf_stack *s, const struct pf_evidence_profile *ep);

/* Goroutines or threads, on average over the looks. */
struct pf_outside_waits {
	size_t looks;
	double outside, working, locks, queued;
};

/*
 * Counts over all looks of a kind (goroutine or threads profiles, without bases); *shown is the last one with at least
 * as many that wait outside as there are on average, NULL where there is no look. PF_ENOMEM.
 */
int pf_outside_waits_count(struct pf_outside_waits *w, const struct pf_evidence *e,
    enum pf_profile_kind kind, const struct pf_evidence_profile **shown, struct pf_error *err);

#endif
