/* replaced.h: whether what an owner's memory grew by took the place of what others gave up meanwhile. */
#ifndef PF_TUNER_REPLACED_H
#define PF_TUNER_REPLACED_H

#include "tuner/growth.h"

struct pf_replaced {
	double bytes;    /* that others gave up */
	double total;    /* what the heap as a whole grew by: less than nothing where it shrank */
	const char *who; /* who gave up most; NULL: nobody alone */
};

/*
 * Of a series counts what falls steadily (Kendall's test), or what all others together do: a burst that is freed
 * while a leak goes on is a step. Of two snapshots, what is beyond the error of sampling. PF_ENOMEM.
 */
int pf_replaced_of(
    struct pf_replaced *r, const struct pf_growth *g, uint32_t owner, struct pf_error *err);

#endif
