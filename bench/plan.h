/*
 * plan.h: in which order the sides of each pair run.
 *
 * Half the pairs run before-after, half after-before (one more of either, by
 * lot, when the number is odd), shuffled: a drift or an order effect then hits
 * both sides alike. The same seed gives the same plan.
 */
#ifndef PF_BENCH_PLAN_H
#define PF_BENCH_PLAN_H

#include <stddef.h>
#include <stdint.h>

struct pf_random;

/* after_first[i] is 1 where pair i starts with the after side; `pairs` of them are written. */
void pf_plan_orders(struct pf_random *rng, uint8_t *after_first, size_t pairs);

#endif
