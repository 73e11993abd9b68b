/* The paired comparison agrees with SciPy and NumPy to 1e-9, and says so when it cannot decide. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <profuse/stats.h>

#include "stats/quantile.h"
#include "stats/random.h"
#include "stats/signed_rank.h"
#include "stats_vectors.h"

enum { VECTORS = sizeof vectors / sizeof *vectors };

static void
close_to(double got, double want)
{
	if (!(fabs(got - want) <= 1e-9 * fmax(1, fabs(want))))
		fail_msg("got %.15g, SciPy says %.15g", got, want);
}

static void
estimate_and_interval_agree_with_scipy(void **state)
{
	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		const struct vector *v = &vectors[i];
		enum pf_scale scale =
		    strcmp(v->name, "ties_and_zeros") ? PF_SCALE_RATIO : PF_SCALE_DIFFERENCE;
		struct pf_comparison c;

		assert_int_equal(pf_compare_pairs(v->a, v->b, v->n, scale, 0.95, &c, NULL), 0);
		close_to(scale == PF_SCALE_RATIO ? log1p(c.change) : c.change, v->hodges_lehmann);
		assert_int_equal(c.has_interval, v->cut95 > 0);
		close_to(scale == PF_SCALE_RATIO ? log1p(c.low) : c.low, v->low);
		close_to(scale == PF_SCALE_RATIO ? log1p(c.high) : c.high, v->high);
		close_to(c.confidence, v->coverage);
		close_to(c.p, v->p);
		close_to(c.spread, v->deviation);
	}
}

static void
cuts_agree_with_scipy_at_95_and_99_percent(void **state)
{
	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		size_t k;
		double coverage;

		assert_int_equal(pf_signed_rank_cut(vectors[i].n, 0.95, &k, &coverage, NULL), 0);
		assert_int_equal(k, vectors[i].cut95);
		assert_int_equal(pf_signed_rank_cut(vectors[i].n, 0.99, &k, &coverage, NULL), 0);
		assert_int_equal(k, vectors[i].cut99);
	}
}

static void
quantiles_agree_with_numpy(void **state)
{
	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		const struct vector *v = &vectors[i];
		double d[256];

		for (size_t j = 0; j < v->n; j++)
			d[j] = strcmp(v->name, "ties_and_zeros") ? log(v->b[j] / v->a[j])
								 : v->b[j] - v->a[j];
		pf_sort(d, v->n);
		close_to(pf_quantile(d, v->n, 0.1), v->quantile_10);
	}
}

static void
the_published_cuts_for_95_percent_are_met(void **state)
{
	static const size_t published[][2] = {
	    {6, 1}, {8, 4}, {10, 9}, {12, 14}, {15, 26}, {20, 53}, {30, 138}};
	(void)state;

	for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
		size_t k;
		double coverage;
		assert_int_equal(pf_signed_rank_cut(published[i][0], 0.95, &k, &coverage, NULL), 0);
		assert_int_equal(k, published[i][1]);
		assert_true(coverage >= 0.95);
	}
}

static void
the_normal_approximation_joins_the_exact_distribution_closely(void **state)
{
	size_t exact, beyond;
	double coverage;
	(void)state;

	assert_int_equal(pf_signed_rank_cut(200, 0.95, &exact, &coverage, NULL), 0);
	assert_int_equal(pf_signed_rank_cut(201, 0.95, &beyond, &coverage, NULL), 0);
	/* There one pair more moves the cut by about 90: it grows as n(n+1)/4 less its deviation. */
	assert_in_range(beyond - exact, 80, 100);
}

static void
too_few_pairs_give_an_estimate_but_no_interval(void **state)
{
	static const double a[] = {1, 1, 1, 1, 1}, b[] = {2, 2.1, 2.2, 2.3, 2.4};
	struct pf_comparison c;
	(void)state;

	assert_int_equal(pf_compare_pairs(a, b, 5, PF_SCALE_RATIO, 0.95, &c, NULL), 0);
	assert_false(c.has_interval);
	assert_true(c.change > 1 && c.change < 1.4);
	assert_int_equal(pf_least_pairs(0.95), 6);
	assert_int_equal(pf_least_pairs(0.99), 8);
}

static void
equal_samples_show_no_difference_at_all(void **state)
{
	static const double a[] = {1, 2, 3, 4, 5, 6, 7};
	struct pf_comparison c;
	(void)state;

	assert_int_equal(pf_compare_pairs(a, a, 7, PF_SCALE_RATIO, 0.95, &c, NULL), 0);
	assert_true(c.has_interval);
	assert_true(fabs(c.change) < 1e-15 && fabs(c.low) < 1e-15 && fabs(c.high) < 1e-15);
	assert_true(c.p >= 1);
}

static void
values_without_a_ratio_are_refused_by_number(void **state)
{
	static const double a[] = {1, 0}, b[] = {1, 1}, nan_b[] = {1, NAN};
	struct pf_comparison c;
	struct pf_error err = {0};
	(void)state;

	assert_int_equal(pf_compare_pairs(a, b, 2, PF_SCALE_RATIO, 0.95, &c, &err), PF_EINPUT);
	assert_non_null(strstr(err.message, "pair 2"));
	assert_int_equal(pf_compare_pairs(a, b, 2, PF_SCALE_DIFFERENCE, 0.95, &c, &err), 0);
	assert_int_equal(pf_compare_pairs(b, nan_b, 2, PF_SCALE_RATIO, 0.95, &c, &err), PF_EINPUT);
	assert_int_equal(pf_compare_pairs(a, b, 0, PF_SCALE_RATIO, 0.95, &c, &err), PF_EUSAGE);
	assert_int_equal(pf_compare_pairs(a, b, 2, PF_SCALE_RATIO, 1, &c, &err), PF_EUSAGE);
}

/* How often n pairs of normal noise, shifted, show a change; and the mean of what they call detectable. */
static double
share_found(struct pf_random *rng, double shift, double *mean_detectable)
{
	enum { RUNS = 2000, PAIRS = 20 };
	double zeros[PAIRS] = {0}, d[PAIRS], sum = 0;
	int found = 0;

	for (int run = 0; run < RUNS; run++) {
		struct pf_comparison c;
		for (int i = 0; i < PAIRS; i++)
			d[i] = shift + pf_random_normal(rng);
		assert_int_equal(
		    pf_compare_pairs(zeros, d, PAIRS, PF_SCALE_DIFFERENCE, 0.95, &c, NULL), 0);
		found += c.low > 0 || c.high < 0;
		sum += c.detectable;
	}
	*mean_detectable = sum / RUNS;
	return (double)found / RUNS;
}

static void
noise_alone_is_taken_for_a_change_1_time_in_20_and_the_detectable_change_found_8_in_10(void **state)
{
	struct pf_random rng;
	double detectable, share;
	(void)state;

	pf_random_init(&rng, 12);
	share = share_found(&rng, 0, &detectable);
	assert_true(share > 0.035 && share < 0.06);
	share = share_found(&rng, detectable, &detectable);
	assert_true(share > 0.74 && share < 0.86);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(estimate_and_interval_agree_with_scipy),
	    cmocka_unit_test(cuts_agree_with_scipy_at_95_and_99_percent),
	    cmocka_unit_test(quantiles_agree_with_numpy),
	    cmocka_unit_test(the_published_cuts_for_95_percent_are_met),
	    cmocka_unit_test(the_normal_approximation_joins_the_exact_distribution_closely),
	    cmocka_unit_test(too_few_pairs_give_an_estimate_but_no_interval),
	    cmocka_unit_test(equal_samples_show_no_difference_at_all),
	    cmocka_unit_test(
		noise_alone_is_taken_for_a_change_1_time_in_20_and_the_detectable_change_found_8_in_10),
	    cmocka_unit_test(values_without_a_ratio_are_refused_by_number),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
