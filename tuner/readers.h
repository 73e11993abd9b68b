/*
 * readers.h: those who hold Go's readers-writer locks for reading.
 *
 * Go charges a writer's unlock with all that readers waited behind it, also while it waited itself for readers before
 * it to end. What their last one is charged with is that wait of the writer's own. Where it is much of all, or where
 * writers waited so for most of the window (of one lock only one can at a time), the readers that hold the lock for
 * long are the cause. Where it is less of it, it depends on how many came meanwhile: a few writes a second may make
 * hundreds of readers wait, so that what the writers waited is next to nothing beside it.
 */
#ifndef PF_TUNER_READERS_H
#define PF_TUNER_READERS_H

#include "tuner/locks.h"

struct pf_readers {
	const char *writer, *name; /* name: NULL: they make nobody wait for long */
	double waited, mean;       /* seconds: how long writers waited for them */
	enum { PF_READERS_HOLD, PF_READERS_HOLD_MOSTLY, PF_READERS_MAY_HOLD } how;
};

/*
 * By the sites of a mutex profile, in time and in count: names the readers as the lock's owner where they are the cause.
 * *r stays as it is where there are none. PF_ENOMEM.
 */
int pf_readers_look(struct pf_lock *l, const struct pf_sites *times, const struct pf_sites *counts,
    struct pf_readers *r, struct pf_error *err);
/* Adds to the finding of the lock how its readers come to be named, or that it may be they. */
void pf_readers_say(struct pf_findings *f, const struct pf_lock *l, const struct pf_readers *r);

#endif
