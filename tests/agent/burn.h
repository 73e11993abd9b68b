/*
 * burn.h: using CPU time on purpose, in a function that a profile can name.
 */
#ifndef AGENT_TEST_BURN_H
#define AGENT_TEST_BURN_H

#include <stdint.h>
#include <time.h>

static inline int64_t
clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static volatile uint64_t burn_sink;

/* Uses that much CPU time of the calling thread. */
__attribute__((noinline, unused)) static void
burn(double seconds)
{
	int64_t end = clock_ns(CLOCK_THREAD_CPUTIME_ID) + (int64_t)(seconds * 1e9);
	uint64_t x = burn_sink;

	do {
		for (int i = 0; i < 20000; i++)
			x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9ULL + (uint64_t)i;
		burn_sink = x;
	} while (clock_ns(CLOCK_THREAD_CPUTIME_ID) < end);
}

/* The same until that much time has passed. */
__attribute__((noinline, unused)) static void
burn_on(double seconds)
{
	int64_t end = clock_ns(CLOCK_MONOTONIC) + (int64_t)(seconds * 1e9);

	while (clock_ns(CLOCK_MONOTONIC) < end)
		burn(0.002);
}

#endif
