/*
 * load_schedule.h: when each request is due and which one it is.
 *
 * Fixed before the block begins and never moved by how the service answers:
 * that is what makes the load open. The same load and pair number give the same
 * schedule, so both sides of a pair see the same arrivals.
 */
#ifndef PF_BENCH_LOAD_SCHEDULE_H
#define PF_BENCH_LOAD_SCHEDULE_H

#include "bench/load.h"
#include "stats/random.h"

struct pf_schedule {
	const struct pf_load *load;
	struct pf_random rng;
	double *sums;    /* owned: cumulative weights; NULL when requests are sent in turn */
	uint64_t number; /* of the next request, from 0 */
	double at;       /* Poisson: its time in seconds */
	int64_t due;     /* its time in nanoseconds after the start */
	size_t request;  /* which */
};

/* Ready with the first request. PF_ENOMEM. */
int pf_schedule_init(
    struct pf_schedule *schedule, const struct pf_load *load, uint64_t pair, struct pf_error *err);
void pf_schedule_release(struct pf_schedule *schedule);

/* Steps to the next request. */
void pf_schedule_next(struct pf_schedule *schedule);

#endif
