/* dead_waits.h: goroutines that a deadlock is told of: who stands at its locks waits for ever, and not for a busy lock. */
#ifndef PF_TUNER_DEAD_WAITS_H
#define PF_TUNER_DEAD_WAITS_H

#include "tuner/sites.h"

/*
 * Takes out of these sites of a goroutine profile the functions of which all that wait for locks in the dump are at
 * locks of deadlocks that are told; *left_out: how many stand there. PF_ENOMEM.
 */
int pf_leave_out_dead_waits(const struct pf_evidence *e, const struct pf_findings *f,
    const struct pf_evidence_profile *ep, struct pf_sites *sites, double *left_out,
    struct pf_error *err);

#endif
