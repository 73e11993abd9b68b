/* schedule.c: see schedule.h. */
#include "schedule.h"

#include <math.h>
#include <stdlib.h>

size_t
pf_schedule_count(double wanted, size_t n, uint64_t seed, int64_t round)
{
	double whole = floor(wanted);
	size_t k;

	if (wanted >= (double)n)
		return n;
	if (!(wanted > 0))
		return 0;
	k = (size_t)whole;
	return k + (pf_mix_unit(pf_mix(seed, 'k'), (uint64_t)round) < wanted - whole);
}

/* How many rounds the others have waited at most; among newcomers only, a full turn. */
static double
longest_wait(const struct pf_candidate *c, size_t n, size_t k, int64_t round)
{
	double longest = 0;

	for (size_t i = 0; i < n; i++) {
		if (c[i].last != PF_ROUND_NEW && (double)(round - c[i].last) > longest)
			longest = (double)(round - c[i].last);
	}
	return longest > 0 ? longest : k ? ceil((double)n / (double)k) : 1;
}

/* A newcomer is taken to have waited for a random part of what others have. */
static void
settle_newcomers(struct pf_candidate *c, size_t n, size_t k, uint64_t seed, int64_t round)
{
	double longest = longest_wait(c, n, k, round);

	for (size_t i = 0; i < n; i++) {
		if (c[i].last == PF_ROUND_NEW)
			c[i].last = round - 1 - (int64_t)(pf_mix_unit(seed, c[i].key) * longest);
	}
}

static int
by_waiting(const void *a, const void *b)
{
	const struct pf_candidate *x = a, *y = b;

	if (x->last != y->last)
		return x->last < y->last ? -1 : 1;
	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return (x->key > y->key) - (x->key < y->key);
}

static int
by_order(const void *a, const void *b)
{
	const struct pf_candidate *x = a, *y = b;

	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return (x->key > y->key) - (x->key < y->key);
}

void
pf_schedule_draw(
    struct pf_candidate *c, size_t n, size_t k, double span, uint64_t seed, int64_t round)
{
	uint64_t chance = pf_mix(seed, (uint64_t)round);

	if (!n)
		return;
	settle_newcomers(c, n, k, seed, round);
	for (size_t i = 0; i < n; i++) {
		c[i].order = pf_mix(chance, c[i].key);
		c[i].chosen = false;
	}
	qsort(c, n, sizeof *c, by_waiting);
	for (size_t i = 0; i < k; i++) {
		c[i].chosen = true;
		c[i].last = round;
		c[i].order = pf_mix(~chance, c[i].key);
	}
	if (k < n && k)
		qsort(c, k, sizeof *c, by_order);
	for (size_t i = 0; i < k; i++) {
		double place = k == n ? pf_mix_unit(pf_mix(seed, 'o'), c[i].key)
				      : ((double)i + pf_mix_unit(chance, ~c[i].key)) / (double)k;
		c[i].offset = place * span;
	}
}
