/*
 * draw.h: when to take the next sample, so that samples are fair.
 *
 * Sample points lie on what is counted (bytes allocated, nanoseconds waited) as
 * a Poisson process: the distance to the next is drawn from an exponential
 * distribution with the period as its mean, so an item of size s is sampled
 * with probability 1 − exp(−s/period) whatever came before it, and stands for
 * 1 / (1 − exp(−s/period)) items.
 *
 * The period of a gate rises, by powers of two, while more samples come than it
 * lets through in a tenth of a second, and falls back to its base when fewer do: so
 * sampling has a highest price whatever the host does. Each sample is weighed by
 * the period that it was drawn with, so the sums stay right.
 */
#ifndef PF_AGENT_DRAW_H
#define PF_AGENT_DRAW_H

#include <stdatomic.h>
#include <stdint.h>

struct pf_gate {
	uint64_t base;
	uint32_t most;           /* samples in a tenth of a second */
	_Atomic uint64_t period; /* of the next draws */
	_Atomic uint64_t highest;
	_Atomic int64_t since; /* when the present tenth of a second began */
	_Atomic uint32_t count;
};

/* About `most` samples a second at the highest. */
void pf_gate_init(struct pf_gate *gate, uint64_t base, uint32_t most);
/* Counts a sample taken at `now`. */
void pf_gate_count(struct pf_gate *gate, int64_t now);

/* The next number of a generator whose state is never 0 (xorshift64*, Marsaglia and Vigna). */
static inline uint64_t
pf_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(0x2545f4914f6cdd1d);
}

/* A distance, at least 1, with this mean. */
uint64_t pf_draw(uint64_t *state, uint64_t period);

/* How many items of this size one sampled item stands for; at least 1. */
double pf_scale(uint64_t size, uint64_t period);

#endif
