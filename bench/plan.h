/*
 * plan.h: in which order the variants of each round run.
 *
 * As many rounds in a row as there are variants make a group, in which every
 * variant runs once at every place (the shifts of one random order, themselves in
 * random order): a drift or an order effect then hits all alike, also when the
 * run is looked at before its end. The same seed gives the same plan.
 */
#ifndef PF_BENCH_PLAN_H
#define PF_BENCH_PLAN_H

#include <stddef.h>
#include <stdint.h>

struct pf_random;

/* The next group: order[i] are the `variants` numbers in which its i-th round runs, `stride` bytes apart. */
void pf_plan_group(struct pf_random *rng, uint8_t *order, size_t variants, size_t stride);

#endif
