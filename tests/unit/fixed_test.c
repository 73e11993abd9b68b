/* 128-bit sums of quotients: exact where they can be, rounded once, never to nothing. */
#include "support/unit.h"

#include "core/fixed.h"

static int64_t
rounded(pf_int128 number, uint64_t factor, uint64_t divisor)
{
	int64_t result;

	assert_true(pf_fixed_round(number, factor, divisor, &result));
	return result;
}

static void
a_value_over_and_times_the_same_number_is_itself(void **state)
{
	static const int64_t values[] = {0, 1, -1, 7, 12345678901234, INT64_MAX, INT64_MIN + 1};
	static const uint64_t durations[] = {1, 3, 29999999999, 30000000001, (uint64_t)1 << 55};
	(void)state;

	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		for (size_t j = 0; j < sizeof durations / sizeof *durations; j++) {
			pf_int128 q = pf_fixed_quotient(values[i], durations[j]);
			assert_int_equal(rounded(q, durations[j], 1), values[i]);
		}
	}
}

static void
halves_round_away_from_zero_and_signs_are_symmetric(void **state)
{
	(void)state;

	assert_int_equal(rounded(pf_fixed_quotient(5, 2), 1, 1), 3);
	assert_int_equal(rounded(pf_fixed_quotient(-5, 2), 1, 1), -3);
	assert_int_equal(rounded(pf_fixed_quotient(9, 4), 1, 1), 2);
	assert_int_equal(rounded(pf_fixed_quotient(11, 4), 1, 1), 3);
	assert_int_equal(rounded(pf_fixed_quotient(10, 1), 3, 4), 8);
	assert_true(pf_fixed_quotient(7, 9) == -pf_fixed_quotient(-7, 9));
}

static void
what_is_not_zero_does_not_become_zero(void **state)
{
	(void)state;

	assert_int_equal(rounded(pf_fixed_quotient(1, 1000), 1, 1), 1);
	assert_int_equal(rounded(pf_fixed_quotient(-1, 1000), 1, 1000), -1);
	assert_int_equal(rounded(1, 1, UINT64_MAX), 1);
	assert_int_equal(rounded(0, 5, 7), 0);
}

static void
sums_of_thirds_lose_nothing(void **state)
{
	pf_int128 sum = 0;
	(void)state;

	for (int i = 0; i < 3000000; i++)
		sum += pf_fixed_quotient(1, 30000000003);
	assert_int_equal(rounded(sum, 30000000003, 1), 3000000);
	assert_int_equal(rounded(sum, 10000000001, 1), 1000000);
}

static void
what_does_not_fit_is_said(void **state)
{
	int64_t result;
	(void)state;

	assert_false(pf_fixed_round(pf_fixed_quotient(INT64_MAX, 1), 3, 2, &result));
	assert_false(pf_fixed_round(pf_fixed_quotient(INT64_MAX, 1), UINT64_MAX, 1, &result));
	assert_true(
	    pf_fixed_round(pf_fixed_quotient(INT64_MAX, 1), UINT64_MAX, UINT64_MAX, &result));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_value_over_and_times_the_same_number_is_itself),
	    cmocka_unit_test(halves_round_away_from_zero_and_signs_are_symmetric),
	    cmocka_unit_test(what_is_not_zero_does_not_become_zero),
	    cmocka_unit_test(sums_of_thirds_lose_nothing),
	    cmocka_unit_test(what_does_not_fit_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
