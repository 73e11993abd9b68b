/*
 * load_replay.h: a recorded log of requests, with its timing.
 *
 * Two kinds of lines: our own, "SECONDS METHOD /path [BODY|@FILE]" (SECONDS from
 * any origin, with decimals), and access logs in the common or combined format
 * ("… [25/Nov/2026:22:13:01 +0000] "GET /path HTTP/1.1" 200 …"), whose times are
 * whole seconds: requests of one second are spread evenly over it. Equal requests
 * are kept once.
 */
#ifndef PF_BENCH_LOAD_REPLAY_H
#define PF_BENCH_LOAD_REPLAY_H

#include "bench/load.h"

struct pf_request_maker;

/*
 * Fills the load's requests and records, in the order of their times; the rate
 * becomes the mean one. PF_EIO; PF_EINPUT with file and line for what is neither
 * kind of line, or has no time.
 */
int pf_replay_read(struct pf_load *load, const struct pf_request_maker *maker, const char *path,
    double speed, struct pf_error *err);

#endif
