/* plan.c: see plan.h. */
#include "bench/plan.h"

#include "stats/random.h"

void
pf_plan_orders(struct pf_random *rng, uint8_t *after_first, size_t pairs)
{
	size_t swapped = pairs / 2 + (pairs % 2 ? pf_random_below(rng, 2) : 0);

	for (size_t i = 0; i < pairs; i++)
		after_first[i] = i < swapped;
	pf_random_shuffle(rng, after_first, pairs);
}
