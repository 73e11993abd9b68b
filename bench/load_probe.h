/* load_probe.h: is somebody there, and does it answer well? One request, blocking, outside the load. */
#ifndef PF_BENCH_LOAD_PROBE_H
#define PF_BENCH_LOAD_PROBE_H

#include "bench/load.h"

enum { PF_PROBE_REASON = 160 };

/*
 * Sends the load's ready request to each address in turn, at most a second
 * each. True when one answers 2xx: it becomes the load's address. Otherwise
 * `reason` says why not: "connection refused", "status 503".
 */
bool pf_probe_ready(struct pf_load *load, char reason[PF_PROBE_REASON]);

/* True when something accepts connections at any of the load's addresses. */
bool pf_probe_port_taken(const struct pf_load *load);

#endif
