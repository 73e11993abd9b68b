/* counters.c: see counters.h. */
#include "bench/counters.h"

#include <linux/perf_event.h>
#include <math.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

static int
open_counter(uint64_t config)
{
	struct perf_event_attr attributes = {.type = PERF_TYPE_HARDWARE,
	    .size = sizeof attributes,
	    .config = config,
	    .disabled = 1,
	    .inherit = 1,
	    .enable_on_exec = 1,
	    .exclude_kernel = 1,
	    .exclude_hv = 1,
	    .read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING};

	return (int)syscall(
	    SYS_perf_event_open, &attributes, 0, -1, -1, (unsigned long)PERF_FLAG_FD_CLOEXEC);
}

bool
pf_counters_open(struct pf_counters *c)
{
	static const uint64_t configs[PF_COUNTERS] = {
	    [PF_COUNTER_INSTRUCTIONS] = PERF_COUNT_HW_INSTRUCTIONS,
	    [PF_COUNTER_CYCLES] = PERF_COUNT_HW_CPU_CYCLES,
	    [PF_COUNTER_CACHE_MISSES] = PERF_COUNT_HW_CACHE_MISSES,
	    [PF_COUNTER_BRANCH_MISSES] = PERF_COUNT_HW_BRANCH_MISSES,
	};
	bool any = false;

	for (int i = 0; i < PF_COUNTERS; i++) {
		c->fd[i] = open_counter(configs[i]);
		any = any || c->fd[i] >= 0;
	}
	return any;
}

void
pf_counters_read(const struct pf_counters *c, double values[PF_COUNTERS])
{
	for (int i = 0; i < PF_COUNTERS; i++) {
		struct {
			uint64_t value, enabled, running;
		} now;

		values[i] = NAN;
		if (c->fd[i] < 0 || read(c->fd[i], &now, sizeof now) != (ssize_t)sizeof now)
			continue;
		values[i] = now.running == 0
				? 0
				: (double)now.value * (double)now.enabled / (double)now.running;
	}
}
