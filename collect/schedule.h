/*
 * schedule.h: which instances of a job a round looks at, and when.
 *
 * Sampling in two dimensions, machines and time. Each round takes those that
 * have waited longest, ties broken by chance, so that every instance has its
 * turn within ceil(n / k) rounds; an instance that is new is treated as if it
 * had waited for some random part of what the others have, so that autoscaling
 * neither favours fresh processes nor starves old ones. Starts are spread over the round. Chance
 * is a function of the seed, the round and the instance: the same fleet and seed
 * give the same plan, wherever it is made.
 */
#ifndef PF_COLLECT_SCHEDULE_H
#define PF_COLLECT_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Never chosen yet. */
#define PF_ROUND_NEW INT64_MIN

struct pf_candidate {
	uint64_t key;   /* of the instance; the same in every run */
	int64_t last;   /* the round it was last chosen in, or PF_ROUND_NEW; brought up to date */
	double offset;  /* filled where chosen: seconds after the round's begin */
	bool chosen;    /* filled */
	uint64_t order; /* scratch */
};

/* How many of n instances a round takes, given how many it would be on average. */
size_t pf_schedule_count(double wanted, size_t n, uint64_t seed, int64_t round);

/*
 * Chooses k of n (in place: the array is reordered) and spreads them over `span`
 * seconds: each in a slot of its own, or, where all are chosen, at a place that
 * stays the same from round to round.
 */
void pf_schedule_draw(
    struct pf_candidate *candidates, size_t n, size_t k, double span, uint64_t seed, int64_t round);

/* A well spread function of two numbers (the finalizer of splitmix64, by Sebastiano Vigna, public domain). */
static inline uint64_t
pf_mix(uint64_t a, uint64_t b)
{
	uint64_t z = a + 0x9e3779b97f4a7c15ULL * (b + 1);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

/* The same as a number in [0, 1). */
static inline double
pf_mix_unit(uint64_t a, uint64_t b)
{
	return (double)(pf_mix(a, b) >> 11) * 0x1p-53;
}

#endif
