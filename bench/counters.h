/*
 * counters.h: the processor's own counters for a process and all that it starts,
 * through perf_event_open(2): user space only, so that an unprivileged user may.
 * Many virtual machines have none.
 */
#ifndef PF_BENCH_COUNTERS_H
#define PF_BENCH_COUNTERS_H

#include <stdbool.h>

enum pf_counter {
	PF_COUNTER_INSTRUCTIONS,
	PF_COUNTER_CYCLES,
	PF_COUNTER_CACHE_MISSES,
	PF_COUNTER_BRANCH_MISSES,
	PF_COUNTERS,
};

struct pf_counters {
	int fd[PF_COUNTERS]; /* -1: there is none */
};

/*
 * Counts what children of the calling process do, from their exec on, and their
 * children. False when there is no counter at all.
 */
bool pf_counters_open(struct pf_counters *c);

/* So far; scaled up where the kernel had to share a counter; NaN where there is none. */
void pf_counters_read(const struct pf_counters *c, double values[PF_COUNTERS]);

#endif
