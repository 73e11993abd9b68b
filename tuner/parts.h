/*
 * parts.h: what a function that allocates for several others holds for each of them: xmalloc's memory is that of who asks
 * it. What rises for one is buried else under what comes and goes for all.
 */
#ifndef PF_TUNER_PARTS_H
#define PF_TUNER_PARTS_H

#include "tuner/growth.h"

/* Of one owner in one process. */
struct pf_parts {
	uint32_t through;        /* the owner */
	struct pf_strings names; /* owned; who it allocates for: the owners of: */
	struct pf_growth growth; /* its profiles and times are the process's */
};

/*
 * Of each owner of a process that three functions and more of the service's own call. What one of these has another
 * allocate through the owner is its own part; so is what one allocates that is called by three and more itself: theirs.
 * PF_ENOMEM. Release each, and the list, after a failure too.
 */
int pf_parts_of(struct pf_parts **list, size_t *count, const struct pf_growth *g,
    const struct pf_evidence *e, struct pf_error *err);
void pf_parts_release(struct pf_parts *list, size_t count);

#endif
