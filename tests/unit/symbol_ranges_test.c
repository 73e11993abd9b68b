/* Nested address ranges: the innermost wins, checked against asking every range. */
#include "support/unit.h"

#include "symbol/ranges.h"

static void
of_nested_ranges_the_highest_rank_covers_an_address(void **state)
{
	struct pf_ranges r = {0};
	(void)state;

	assert_int_equal(pf_ranges_add(&r, 10, 100, 0, NULL), 0);
	assert_int_equal(pf_ranges_add(&r, 20, 50, 1, NULL), 0);
	assert_int_equal(pf_ranges_add(&r, 30, 40, 2, NULL), 0);
	assert_int_equal(pf_ranges_add(&r, 60, 60, 3, NULL), 0);
	assert_int_equal(pf_ranges_flatten(&r, NULL), 0);
	assert_int_equal(pf_ranges_find(&r, 9), PF_NONE);
	assert_int_equal(pf_ranges_find(&r, 10), 0);
	assert_int_equal(pf_ranges_find(&r, 20), 1);
	assert_int_equal(pf_ranges_find(&r, 39), 2);
	assert_int_equal(pf_ranges_find(&r, 40), 1);
	assert_int_equal(pf_ranges_find(&r, 60), 0);
	assert_int_equal(pf_ranges_find(&r, 99), 0);
	assert_int_equal(pf_ranges_find(&r, 100), PF_NONE);
	pf_ranges_release(&r);
}

static void
any_ranges_answer_as_asking_each_of_them_does(void **state)
{
	uint32_t seed = 1;
	(void)state;

	for (int round = 0; round < 300; round++) {
		struct pf_range kept[24];
		struct pf_ranges r = {0};
		size_t n = 0;
		for (; n < 1 + (size_t)round % 24; n++) {
			seed = seed * 1103515245 + 12345;
			kept[n].low = seed >> 16 & 63;
			seed = seed * 1103515245 + 12345;
			kept[n].high = kept[n].low + (seed >> 16 & 31);
			kept[n].rank = (uint32_t)n;
			assert_int_equal(
			    pf_ranges_add(&r, kept[n].low, kept[n].high, (uint32_t)n, NULL), 0);
		}
		assert_int_equal(pf_ranges_flatten(&r, NULL), 0);
		assert_true(r.count < 2 * n);
		for (uint64_t at = 0; at < 100; at++) {
			uint32_t expected = PF_NONE;
			for (size_t i = 0; i < n; i++) {
				if (kept[i].low <= at && at < kept[i].high)
					expected = kept[i].rank;
			}
			assert_int_equal(pf_ranges_find(&r, at), expected);
		}
		pf_ranges_release(&r);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(of_nested_ranges_the_highest_rank_covers_an_address),
	    cmocka_unit_test(any_ranges_answer_as_asking_each_of_them_does),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
