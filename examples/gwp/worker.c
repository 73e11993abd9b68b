/*
 * worker.c: one of many small services of a fleet, with libprofuse-agent preloaded: now and then a little work, mostly
 * none. Built with -DRELEASE=2 a message is checked byte by byte, as nobody noticed in review.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifndef RELEASE
#define RELEASE 1
#endif

enum { MESSAGE = 2048, WORDS = MESSAGE / 8 };

static volatile sig_atomic_t ended;

static void
on_signal(int number)
{
	(void)number;
	ended = 1;
}

__attribute__((noinline)) static uint64_t
check_message(const unsigned char *message)
{
	uint64_t sum = 0;

#if RELEASE == 1
	for (size_t i = 0; i < WORDS; i++) {
		uint64_t word;
		memcpy(&word, message + 8 * i, sizeof word);
		sum = (sum ^ word) * 0x100000001b3U;
	}
#else
	for (size_t i = 0; i < MESSAGE; i++)
		sum = (sum ^ message[i]) * 0x100000001b3U;
#endif
	return sum;
}

__attribute__((noinline)) static void
receive_message(unsigned char *message, uint32_t number)
{
	uint32_t state = number * 2654435761U + 1;

	for (size_t i = 0; i < MESSAGE; i++) {
		state ^= state << 13;
		state ^= state >> 17;
		state ^= state << 5;
		message[i] = (unsigned char)state;
	}
}

__attribute__((noinline)) static uint64_t
route_message(const unsigned char *message)
{
	uint64_t hops = 0;

	for (size_t i = 0; i + 16 <= MESSAGE; i += 16) {
		unsigned char key = message[i];
		for (int bit = 0; bit < 8; bit++)
			hops += (key >> bit & 1) ? 3 : 1;
	}
	return hops;
}

int
main(int argc, char **argv)
{
	unsigned char message[MESSAGE];
	long messages = argc > 1 ? strtol(argv[1], NULL, 10) : 20;
	struct timespec pause = {.tv_sec = 1};
	uint64_t sum = 0;
	uint32_t number = (uint32_t)getpid();

	signal(SIGTERM, on_signal);
	while (!ended) {
		for (long i = 0; i < messages; i++) {
			receive_message(message, number++);
			sum += check_message(message) + route_message(message);
		}
		nanosleep(&pause, NULL);
	}
	printf("%llu\n", (unsigned long long)sum);
	return 0;
}
