/* Seeded random numbers: the reference's own stream, fairness, and the coin split of counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>

#include "stats/random.h"

static void
the_stream_is_xoshiro256_starstar_seeded_by_splitmix64(void **state)
{
	/* Made by tests/peers/scipy_vectors.py from the algorithms' published definitions. */
	static const uint64_t expected[] = {
	    0x99ec5f36cb75f2b4ULL, 0xbf6e1f784956452aULL, 0x1a5f849d4933e6e0ULL};
	struct pf_random rng;
	(void)state;

	pf_random_init(&rng, 0);
	for (size_t i = 0; i < 3; i++)
		assert_true(pf_random_u64(&rng) == expected[i]);
}

static void
one_seed_gives_one_stream_and_another_seed_another(void **state)
{
	struct pf_random a, b, c;
	(void)state;

	pf_random_init(&a, 7);
	pf_random_init(&b, 7);
	pf_random_init(&c, 8);
	for (int i = 0; i < 100; i++) {
		uint64_t x = pf_random_u64(&a);
		assert_true(x == pf_random_u64(&b));
		assert_false(x == pf_random_u64(&c));
	}
}

static void
below_covers_its_range_evenly(void **state)
{
	unsigned seen[5] = {0};
	struct pf_random rng;
	(void)state;

	pf_random_init(&rng, 1);
	for (int i = 0; i < 50000; i++)
		seen[pf_random_below(&rng, 5)]++;
	for (int i = 0; i < 5; i++)
		assert_in_range(seen[i], 9600, 10400);
	assert_true(pf_random_below(&rng, 1) == 0);
}

/* Mean and variance of the split of n items, over many draws, in units of what they should be. */
static void
check_split(uint64_t n, uint64_t seed)
{
	enum { DRAWS = 4000 };
	struct pf_random rng;
	double sum = 0, squares = 0, deviation = sqrt((double)n) / 2;

	pf_random_init(&rng, seed);
	for (int i = 0; i < DRAWS; i++) {
		uint64_t half = pf_random_binomial_half(&rng, n);
		assert_true(half <= n);
		double z = half >= n / 2 ? (double)(half - n / 2) : -(double)(n / 2 - half);
		z = (z - (n % 2 ? 0.5 : 0)) / deviation;
		sum += z;
		squares += z * z;
	}
	assert_true(fabs(sum / DRAWS) < 4 / sqrt(DRAWS));
	assert_true(fabs(squares / DRAWS - 1) < 0.1);
}

static void
a_split_of_counts_has_the_mean_and_variance_of_fair_coins(void **state)
{
	(void)state;
	check_split(1, 1);
	check_split(63, 2);
	check_split(64, 3);
	check_split(1001, 4);
	check_split(65537, 5);
	check_split((uint64_t)1 << 40, 6);
	check_split(INT64_MAX, 7);
}

static void
nothing_splits_into_nothing(void **state)
{
	struct pf_random rng;
	(void)state;

	pf_random_init(&rng, 1);
	assert_true(pf_random_binomial_half(&rng, 0) == 0);
}

static void
exponential_gaps_have_mean_and_deviation_one(void **state)
{
	enum { DRAWS = 20000 };
	struct pf_random rng;
	double sum = 0, squares = 0;
	(void)state;

	pf_random_init(&rng, 9);
	for (int i = 0; i < DRAWS; i++) {
		double x = pf_random_exponential(&rng);
		assert_true(x >= 0 && isfinite(x));
		sum += x;
		squares += x * x;
	}
	assert_true(fabs(sum / DRAWS - 1) < 0.03);
	assert_true(fabs(squares / DRAWS - 2) < 0.15);
}

static void
a_shuffle_keeps_its_items_and_reaches_every_order(void **state)
{
	unsigned seen[6] = {0};
	struct pf_random rng;
	(void)state;

	pf_random_init(&rng, 3);
	for (int i = 0; i < 6000; i++) {
		uint8_t items[3] = {0, 1, 2};
		pf_random_shuffle(&rng, items, 3);
		assert_int_equal((1 << items[0]) + (1 << items[1]) + (1 << items[2]), 7);
		seen[items[0] * 2 + (items[1] > items[2])]++;
	}
	for (int i = 0; i < 6; i++)
		assert_in_range(seen[i], 850, 1150);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_stream_is_xoshiro256_starstar_seeded_by_splitmix64),
	    cmocka_unit_test(one_seed_gives_one_stream_and_another_seed_another),
	    cmocka_unit_test(below_covers_its_range_evenly),
	    cmocka_unit_test(a_split_of_counts_has_the_mean_and_variance_of_fair_coins),
	    cmocka_unit_test(nothing_splits_into_nothing),
	    cmocka_unit_test(exponential_gaps_have_mean_and_deviation_one),
	    cmocka_unit_test(a_shuffle_keeps_its_items_and_reaches_every_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
