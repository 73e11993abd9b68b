/* doubts.h: what stands in the way of comparing snapshots: a part of settling evidence. */
#ifndef PF_TUNER_DOUBTS_H
#define PF_TUNER_DOUBTS_H

#include "tuner/evidence.h"

/* Whether b, the later one, can't be of the process of a: what was ever allocated only grows within one. */
static inline bool
pf_is_restarted(const struct pf_evidence_profile *a, const struct pf_evidence_profile *b)
{
	return b->allocated < 0.9 * a->allocated;
}

/* Whether both can be of one process, as far as that and the addresses of its files tell: an old one of a store has none. */
bool pf_may_be_one_process(
    const struct pf_evidence_profile *a, const struct pf_evidence_profile *b);

/*
 * Fills e->doubts, of profiles that are sorted by kind and time. Where a clock went
 * backwards, the snapshots of that kind are put into the order in which they were given.
 */
void pf_evidence_doubt(struct pf_evidence *e);

/*
 * Go's heap profile is of its last collection: what was taken before the next one shows the same again, and is no
 * evidence that nothing grew. Where enough collections are left for a trend, each counts once. Profiles are sorted;
 * true where some were set aside, for then they are not any more.
 */
bool pf_evidence_join(struct pf_evidence *e);

#endif
