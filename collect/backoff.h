/*
 * backoff.h: how long to wait before asking again.
 *
 * Doubling from half a second to ten, spread by a fifth so that several
 * collectors that met at one busy service don't meet again.
 */
#ifndef PF_COLLECT_BACKOFF_H
#define PF_COLLECT_BACKOFF_H

#include <stdint.h>

/* Seconds to wait after the attempt with this number (from 1); a server's own wish beats ours if it is longer. */
double pf_backoff_delay(unsigned attempt, double retry_after, uint64_t seed);

#endif
