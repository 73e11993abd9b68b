/*
 * moment.h: what some sums were at one time, to be subtracted from what they are later.
 */
#ifndef PF_AGENT_MOMENT_H
#define PF_AGENT_MOMENT_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

struct pf_moment {
	void *sums; /* owned; an array of its maker's type */
	size_t count;
	int64_t time; /* CLOCK_REALTIME, nanoseconds */
};

static inline void
pf_moment_release(struct pf_moment *moment)
{
	free(moment->sums);
	*moment = (struct pf_moment){0};
}

#endif
