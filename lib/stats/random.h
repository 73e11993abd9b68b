/*
 * random.h: seeded pseudo-random numbers: the same seed gives the same stream.
 *
 * For plans, schedules and resampling that must be repeatable from a printed
 * seed; never for secrets. The generator is xoshiro256** by David Blackman and
 * Sebastiano Vigna (public domain), its state filled by splitmix64, so that
 * neighbouring seeds give unrelated streams.
 */
#ifndef PF_STATS_RANDOM_H
#define PF_STATS_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct pf_random {
	uint64_t state[4]; /* never all zero once initialised */
};

void pf_random_init(struct pf_random *rng, uint64_t seed);

/* A seed that differs from run to run, from the system's entropy or, failing that, the clock. */
uint64_t pf_random_seed(void);

/* All 2^64 values equally likely. */
uint64_t pf_random_u64(struct pf_random *rng);

/* 0 .. n-1, equally likely, without modulo bias; n must not be 0. */
uint64_t pf_random_below(struct pf_random *rng, uint64_t n);

/* [0, 1), 53 bits. */
double pf_random_unit(struct pf_random *rng);

/* Exponential with mean 1: the gaps of a Poisson process of rate 1. */
double pf_random_exponential(struct pf_random *rng);

/* Normal with mean 0 and standard deviation 1. */
double pf_random_normal(struct pf_random *rng);

/*
 * How many of n items a fair coin puts into one half: Binomial(n, 1/2). Exact
 * (n coin flips) up to 2^16 items; beyond, a rounded normal, whose distribution
 * is then within 1e-5 of the true one. Always 0 .. n.
 */
uint64_t pf_random_binomial_half(struct pf_random *rng, uint64_t n);

/* Shuffles n items of a byte each; every order equally likely. */
void pf_random_shuffle(struct pf_random *rng, uint8_t *items, size_t n);

#endif
