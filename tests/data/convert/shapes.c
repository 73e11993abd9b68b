/* A program with what a profile must get right: inlining, discriminators, unrolled loops, a cold
 * path, direct and indirect calls, file-local functions. Input for the conversion tests. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef uint64_t (*step)(uint64_t);

static uint64_t table[1024];

static inline uint64_t
mix(uint64_t x)
{
	x ^= x >> 33;
	return x * 0xff51afd7ed558ccdULL;
}

static __attribute__((noinline)) uint64_t
odd(uint64_t x)
{
	return mix(x) | 1;
}

static __attribute__((noinline)) uint64_t
even(uint64_t x)
{
	return mix(x + 2) & ~(uint64_t)1;
}

static const step steps[2] = {even, odd};

__attribute__((noinline, cold)) void
complain(uint64_t x)
{
	fprintf(stderr, "odd value %llu\n", (unsigned long long)x);
}

__attribute__((noinline)) uint64_t
sum(const uint64_t *values, int n)
{
	uint64_t total = 0;

	for (int i = 0; i < n; i++)
		total += values[i] & 1 ? mix(values[i]) : values[i];
	return total;
}

__attribute__((noinline)) uint64_t
walk(uint64_t x, int n)
{
	for (int i = 0; i < n; i++) {
		x = steps[x >> 7 & 1](x);
		if (x == 12345)
			complain(x);
		switch (x >> 60) {
		case 0:
			x += 3;
			break;
		case 1:
			x ^= 5;
			break;
		case 2:
			x = mix(x);
			break;
		case 3:
			x -= 7;
			break;
		case 4:
			x *= 9;
			break;
		default:
			x += table[x & 1023];
			break;
		}
	}
	return x;
}

int
main(int argc, char **argv)
{
	int n = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 1000;
	uint64_t x = 1;

	for (int i = 0; i < 1024; i++)
		table[i] = mix((uint64_t)i);
	for (int i = 0; i < n; i++) {
		x = walk(x, 100);
		x += sum(table, 1024);
	}
	printf("%llu\n", (unsigned long long)x);
	return 0;
}
