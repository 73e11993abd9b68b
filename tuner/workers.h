/*
 * workers.h: what else threads do that were started with the same function of the service's as those who wait
 * outside: where many of them wait for work, nobody's request waits for the others.
 */
#ifndef PF_TUNER_WORKERS_H
#define PF_TUNER_WORKERS_H

#include "tuner/sites.h"

struct pf_workers {
	double waiting, idle;           /* in all looks together */
	double wall_waiting, wall_idle; /* in the wall-clock profiles, of any unit */
	struct pf_workers_root {
		const char *root,
		    *next; /* the service's outermost function, and whom it called ("") */
	} *roots;          /* owned: of those who wait */
	size_t count, capacity;
};

/* Counts by threads' stacks; those who wait are the ones that are wanted. To be released in any case. */
int pf_workers_count(struct pf_workers *w, const struct pf_evidence *e, pf_sample_wanted *waits,
    struct pf_error *err);
void pf_workers_release(struct pf_workers *w);
/* Whether a thread was started with the same function as one of those who wait. */
bool pf_workers_has(
    const struct pf_workers *w, const struct pf_stack *s, const struct pf_evidence_profile *ep);

#endif
