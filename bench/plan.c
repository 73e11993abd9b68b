/* plan.c: see plan.h. */
#include "bench/plan.h"

#include "stats/random.h"

void
pf_plan_group(struct pf_random *rng, uint8_t *order, size_t variants, size_t stride)
{
	uint8_t first[UINT8_MAX], shifts[UINT8_MAX];

	for (size_t i = 0; i < variants; i++)
		first[i] = shifts[i] = (uint8_t)i;
	pf_random_shuffle(rng, first, variants);
	pf_random_shuffle(rng, shifts, variants);
	for (size_t i = 0; i < variants; i++) {
		for (size_t j = 0; j < variants; j++)
			order[i * stride + j] = first[(j + shifts[i]) % variants];
	}
}
