/*
 * burn.h: using CPU time on purpose, in a function that a profile can name.
 */
#ifndef AGENT_TEST_BURN_H
#define AGENT_TEST_BURN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

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

/*
 * Whether to go on: until a time, or until the file is there that AGENT_TEST_END
 * names. So a test on a busy machine takes the time that it needs, and no more.
 */
static inline bool
go_on(int64_t end)
{
	static int64_t next;
	int64_t now = clock_ns(CLOCK_MONOTONIC);
	const char *file;

	if (now < next)
		return true;
	file = getenv("AGENT_TEST_END");
	if (now >= end || (file && !access(file, F_OK)))
		return false;
	next = now + 20000000;
	return true;
}

/* The same until that much time has passed. */
__attribute__((noinline, unused)) static void
burn_on(double seconds)
{
	int64_t end = clock_ns(CLOCK_MONOTONIC) + (int64_t)(seconds * 1e9);

	while (go_on(end))
		burn(0.002);
}

#endif
