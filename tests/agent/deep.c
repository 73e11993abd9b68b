/*
 * deep.c: burns CPU at the end of a long chain of calls, for the agent's tests.
 *
 * Thirty-six different functions call each other (level_00 … level_35), each
 * with work of its own after the call so that none is a tail call, and frames
 * of various sizes. Built with and without frame pointers.
 * deep SECONDS [THREADS]: seconds of CPU time of each thread.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#ifndef ROOM
#define ROOM 1 /* words of stack that each level takes */
#endif

static volatile uint64_t sink;

__attribute__((noinline)) static uint64_t
leaf(uint64_t x)
{
	for (int i = 0; i < 20000; i++)
		x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9ULL + (uint64_t)i;
	return x;
}

#define LEVEL(N, BELOW)                                                 \
	__attribute__((noinline)) static uint64_t level_##N(uint64_t x) \
	{                                                               \
		volatile uint64_t room[ROOM + (1##N % 7) * 3];          \
		room[0] = x;                                            \
		x = BELOW(x + 1);                                       \
		return x ^ room[0];                                     \
	}

LEVEL(35, leaf)
LEVEL(34, level_35)
LEVEL(33, level_34)
LEVEL(32, level_33)
LEVEL(31, level_32)
LEVEL(30, level_31)
LEVEL(29, level_30)
LEVEL(28, level_29)
LEVEL(27, level_28)
LEVEL(26, level_27)
LEVEL(25, level_26)
LEVEL(24, level_25)
LEVEL(23, level_24)
LEVEL(22, level_23)
LEVEL(21, level_22)
LEVEL(20, level_21)
LEVEL(19, level_20)
LEVEL(18, level_19)
LEVEL(17, level_18)
LEVEL(16, level_17)
LEVEL(15, level_16)
LEVEL(14, level_15)
LEVEL(13, level_14)
LEVEL(12, level_13)
LEVEL(11, level_12)
LEVEL(10, level_11)
LEVEL(09, level_10)
LEVEL(08, level_09)
LEVEL(07, level_08)
LEVEL(06, level_07)
LEVEL(05, level_06)
LEVEL(04, level_05)
LEVEL(03, level_04)
LEVEL(02, level_03)
LEVEL(01, level_02)
LEVEL(00, level_01)

static double seconds;

static void *
work(void *unused)
{
	struct timespec t;

	(void)unused;
	do {
		for (int i = 0; i < 20; i++)
			sink = level_00(sink);
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	} while ((double)t.tv_sec + (double)t.tv_nsec / 1e9 < seconds);
	return NULL;
}

int
main(int argc, char **argv)
{
	int threads = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 0;
	pthread_t *ids = calloc((size_t)threads + 1, sizeof *ids);

	seconds = argc > 1 ? strtod(argv[1], NULL) : 1;
	if (!ids)
		return 1;
	for (int i = 0; i < threads; i++)
		if (pthread_create(&ids[i], NULL, work, NULL))
			return 1;
	if (!threads)
		work(NULL);
	for (int i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	free(ids);
	printf("%llu\n", (unsigned long long)sink);
	return 0;
}
