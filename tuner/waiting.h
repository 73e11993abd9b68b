/* waiting.h: what was waited over a time, of profiles that sum since a service began. */
#ifndef PF_TUNER_WAITING_H
#define PF_TUNER_WAITING_H

#include "tuner/evidence.h"

/*
 * Puts the difference of two mutex or block profiles of one service, taken so many seconds apart, in their place; of
 * what began anew between them the later one stays. They are named by their places. PF_ENOMEM.
 */
int pf_evidence_waited(
    struct pf_evidence *e, size_t then, size_t now, double seconds, struct pf_error *err);

#endif
