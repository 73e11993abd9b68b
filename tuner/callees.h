/*
 * callees.h: the library's function through which a function of the service's does most of something: what is to be
 * called less, or once, where "allocate less" says nothing.
 */
#ifndef PF_TUNER_CALLEES_H
#define PF_TUNER_CALLEES_H

#include "tuner/sites.h"

struct pf_callee {
	const char *name; /* of the profile's; NULL: there is none that has more than half */
	double share;     /* of the owner's wanted samples, those that it called */
	double
	    all; /* of the whole profile, whatever it called did: never less than what was wanted */
};

/* Of a column's values. PF_ENOMEM. */
int pf_callee_of(struct pf_callee *callee, const struct pf_evidence_profile *ep, uint32_t column,
    pf_sample_wanted *wanted, uint32_t owner, struct pf_error *err);

#endif
