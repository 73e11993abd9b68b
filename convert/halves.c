/* halves.c: see halves.h. Two passes with the same seed spare an array of drawn halves. */
#include "convert/halves.h"

#include "stats/random.h"

double
pf_halves_overlap(const uint64_t *counts, size_t n, uint64_t seed)
{
	struct pf_random rng;
	double first = 0, second = 0, overlap = 0;

	pf_random_init(&rng, seed);
	for (size_t i = 0; i < n; i++) {
		uint64_t half = pf_random_binomial_half(&rng, counts[i]);
		first += (double)half;
		second += (double)(counts[i] - half);
	}
	if (first <= 0 || second <= 0)
		return 0;
	pf_random_init(&rng, seed);
	for (size_t i = 0; i < n; i++) {
		uint64_t half = pf_random_binomial_half(&rng, counts[i]);
		double a = (double)half / first, b = (double)(counts[i] - half) / second;
		overlap += a < b ? a : b;
	}
	return overlap;
}
