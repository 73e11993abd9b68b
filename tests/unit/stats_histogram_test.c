/* The histogram keeps its precision over the whole range and drops nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>

#include <profuse/error.h>

#include "stats/histogram.h"
#include "stats/random.h"

static const int64_t hour = 3600000000000;

static void
every_index_holds_its_own_lowest_value(void **state)
{
	struct pf_histogram h;
	(void)state;

	assert_int_equal(pf_histogram_init(&h, 1000, hour, 3, NULL), 0);
	for (size_t i = 0; i < h.counts_size; i++)
		assert_int_equal(pf_histogram_index(&h, pf_histogram_value(&h, i)), i);
	assert_true(pf_histogram_index(&h, hour) < h.counts_size);
	pf_histogram_release(&h);
}

static void
the_layout_is_hdrhistograms(void **state)
{
	/* HdrHistogram's own numbers for (1, 3600000000, 3): 2048 steps, 22 buckets, 23552 counts. */
	struct pf_histogram h;
	(void)state;

	assert_int_equal(pf_histogram_init(&h, 1, 3600000000, 3, NULL), 0);
	assert_int_equal(h.counts_size, 23552);
	assert_int_equal(pf_histogram_index(&h, 2047), 2047);
	assert_int_equal(pf_histogram_index(&h, 2048), 2048);
	assert_int_equal(pf_histogram_index(&h, 2049), 2048);
	assert_int_equal(pf_histogram_index(&h, 4096), 3072);
	pf_histogram_release(&h);
}

static void
values_are_kept_to_three_digits_from_a_microsecond_to_an_hour(void **state)
{
	struct pf_histogram h;
	(void)state;

	assert_int_equal(pf_histogram_init(&h, 1000, hour, 3, NULL), 0);
	for (double x = 2e6; x < (double)hour; x *= 1.37) {
		int64_t value = (int64_t)x, got;
		pf_histogram_clear(&h);
		pf_histogram_record(&h, value);
		got = pf_histogram_quantile(&h, 0.5);
		assert_true(got >= value && (double)(got - value) <= x / 1000);
	}
	pf_histogram_release(&h);
}

static void
quantiles_of_a_known_ramp_are_where_they_belong(void **state)
{
	struct pf_histogram h;
	(void)state;

	assert_int_equal(pf_histogram_init(&h, 1, 1000000, 3, NULL), 0);
	for (int64_t i = 1; i <= 1000; i++)
		pf_histogram_record(&h, i);
	assert_int_equal(pf_histogram_quantile(&h, 0), 1);
	assert_int_equal(pf_histogram_quantile(&h, 0.5), 500);
	assert_int_equal(pf_histogram_quantile(&h, 0.99), 990);
	assert_int_equal(pf_histogram_quantile(&h, 0.999), 999);
	assert_int_equal(pf_histogram_quantile(&h, 1), 1000);
	assert_true(fabs(pf_histogram_mean(&h) - 500.5) < 0.01);
	pf_histogram_release(&h);
}

static void
what_is_out_of_range_is_clamped_and_counted_not_dropped(void **state)
{
	struct pf_histogram h;
	(void)state;

	assert_int_equal(pf_histogram_init(&h, 1, 1000, 3, NULL), 0);
	pf_histogram_record(&h, -5);
	pf_histogram_record(&h, INT64_MAX);
	assert_int_equal(h.total, 2);
	assert_int_equal(h.clamped, 1);
	assert_int_equal(h.least, 0);
	assert_int_equal(h.most, 1000);
	pf_histogram_release(&h);
}

static void
merging_is_recording_everything_in_one(void **state)
{
	struct pf_histogram a, b, both, other;
	struct pf_random rng;
	(void)state;

	pf_random_init(&rng, 5);
	assert_int_equal(pf_histogram_init(&a, 1, 1 << 20, 2, NULL), 0);
	assert_int_equal(pf_histogram_init(&b, 1, 1 << 20, 2, NULL), 0);
	assert_int_equal(pf_histogram_init(&both, 1, 1 << 20, 2, NULL), 0);
	assert_int_equal(pf_histogram_init(&other, 1, 1 << 20, 3, NULL), 0);
	for (int i = 0; i < 10000; i++) {
		int64_t value = (int64_t)(pf_random_exponential(&rng) * 5000);
		pf_histogram_record(i % 3 ? &a : &b, value);
		pf_histogram_record(&both, value);
	}
	assert_int_equal(pf_histogram_merge(&a, &b, NULL), 0);
	assert_int_equal(a.total, both.total);
	assert_int_equal(a.most, both.most);
	assert_int_equal(a.least, both.least);
	for (double q = 0; q <= 1; q += 0.01)
		assert_int_equal(pf_histogram_quantile(&a, q), pf_histogram_quantile(&both, q));
	assert_int_equal(pf_histogram_merge(&a, &other, NULL), PF_EUSAGE);
	pf_histogram_release(&a);
	pf_histogram_release(&b);
	pf_histogram_release(&both);
	pf_histogram_release(&other);
}

static void
an_empty_histogram_answers_zero(void **state)
{
	struct pf_histogram h;
	(void)state;

	assert_int_equal(pf_histogram_init(&h, 1, 1000, 3, NULL), 0);
	assert_int_equal(pf_histogram_quantile(&h, 0.99), 0);
	assert_true(pf_histogram_mean(&h) <= 0);
	pf_histogram_release(&h);
}

static void
impossible_layouts_are_refused(void **state)
{
	struct pf_histogram h;
	(void)state;

	assert_int_equal(pf_histogram_init(&h, 0, 1000, 3, NULL), PF_EUSAGE);
	assert_int_equal(pf_histogram_init(&h, 10, 19, 3, NULL), PF_EUSAGE);
	assert_int_equal(pf_histogram_init(&h, 1, 1000, 6, NULL), PF_EUSAGE);
	assert_int_equal(pf_histogram_init(&h, INT64_MAX / 4, INT64_MAX, 5, NULL), PF_EUSAGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_index_holds_its_own_lowest_value),
	    cmocka_unit_test(the_layout_is_hdrhistograms),
	    cmocka_unit_test(values_are_kept_to_three_digits_from_a_microsecond_to_an_hour),
	    cmocka_unit_test(quantiles_of_a_known_ramp_are_where_they_belong),
	    cmocka_unit_test(what_is_out_of_range_is_clamped_and_counted_not_dropped),
	    cmocka_unit_test(merging_is_recording_everything_in_one),
	    cmocka_unit_test(an_empty_histogram_answers_zero),
	    cmocka_unit_test(impossible_layouts_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
