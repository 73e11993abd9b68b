/* clock.h: a clock of the system in seconds. */
#ifndef PF_CORE_CLOCK_H
#define PF_CORE_CLOCK_H

#include <time.h>

static inline double
pf_clock_seconds(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

#endif
