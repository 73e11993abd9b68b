/* Unpaired comparisons, many metrics and many looks agree with SciPy; a level shared is a level kept. */
#include "support/unit.h"

#include <math.h>
#include <string.h>

#include <profuse/stats.h>

#include "stats/random.h"
#include "stats/rank_sum.h"
#include "stats_vectors.h"

static void
close_to(double got, double want, double within)
{
	if (!(fabs(got - want) <= within * fmax(1, fabs(want))))
		fail_msg("got %.15g, SciPy says %.15g", got, want);
}

static void
unpaired_estimates_intervals_and_p_values_agree_with_scipy(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof unpaired / sizeof *unpaired; i++) {
		const struct unpaired *v = &unpaired[i];
		bool ratio = strcmp(v->name, "u_ties") != 0;
		enum pf_scale scale = ratio ? PF_SCALE_RATIO : PF_SCALE_DIFFERENCE;
		struct pf_comparison c;
		size_t k;
		double coverage;

		assert_int_equal(
		    pf_compare_unpaired(v->a, v->na, v->b, v->nb, scale, 0.95, &c, NULL), 0);
		close_to(ratio ? log1p(c.change) : c.change, v->shift, 1e-9);
		assert_int_equal(c.has_interval, v->cut > 0);
		close_to(ratio ? log1p(c.low) : c.low, v->low, 1e-9);
		close_to(ratio ? log1p(c.high) : c.high, v->high, 1e-9);
		close_to(c.p, v->p, 1e-9);
		assert_int_equal(pf_rank_sum_cut(v->na, v->nb, 0.95, &k, &coverage, NULL), 0);
		assert_int_equal(k, v->cut);
		close_to(coverage, v->coverage, 1e-9);
	}
}

static void
what_cannot_be_compared_is_refused(void **state)
{
	static const double good[] = {1, 2, 3}, zero[] = {1, 0, 3}, nan[] = {1, NAN, 3};
	struct pf_comparison c;
	struct pf_error err = {0};
	(void)state;

	assert_int_equal(
	    pf_compare_unpaired(good, 3, zero, 3, PF_SCALE_RATIO, 0.95, &c, &err), PF_EINPUT);
	assert_message_has(err, "above zero");
	assert_int_equal(
	    pf_compare_unpaired(good, 3, zero, 3, PF_SCALE_DIFFERENCE, 0.95, &c, NULL), 0);
	assert_int_equal(
	    pf_compare_unpaired(nan, 3, good, 3, PF_SCALE_DIFFERENCE, 0.95, &c, &err), PF_EINPUT);
	assert_int_equal(
	    pf_compare_unpaired(good, 0, good, 3, PF_SCALE_RATIO, 0.95, &c, &err), PF_EUSAGE);
	assert_int_equal(
	    pf_compare_unpaired(good, 3, good, 3, PF_SCALE_RATIO, 1, &c, &err), PF_EUSAGE);
	assert_int_equal(pf_compare_unpaired(good, 3, good, 3, PF_SCALE_RATIO, 0.95, &c, NULL), 0);
	assert_false(c.has_interval); /* 3 against 3 reach 90 % at best */
}

static void
holms_adjustment_agrees(void **state)
{
	double p[sizeof holm_p / sizeof *holm_p];
	(void)state;

	memcpy(p, holm_p, sizeof p);
	assert_int_equal(pf_holm(p, sizeof p / sizeof *p, NULL), 0);
	for (size_t i = 0; i < sizeof p / sizeof *p; i++)
		close_to(p[i], holm_adjusted[i], 1e-12);
	assert_int_equal(pf_holm(NULL, 0, NULL), 0);
}

/* SciPy integrates the multivariate normal numerically, to about 1e-6. */
static void
levels_of_looks_agree_with_scipy_and_the_books(void **state)
{
	static const double *const all[] = {look_levels_2, look_levels_3, look_levels_4};
	(void)state;

	for (size_t looks = 2; looks <= 4; looks++) {
		for (size_t k = 1; k <= looks; k++)
			close_to(pf_look_level(k, looks, 0.95), all[looks - 2][k - 1], 2e-6);
	}
	/* The published constant for four looks is 2.024. */
	close_to(erfc(2.024 / sqrt(2)), pf_look_level(4, 4, 0.95), 5e-5);
	close_to(pf_look_level(1, 1, 0.95), 0.05, 1e-12);
	assert_true(pf_look_level(0, 4, 0.95) == 0 && pf_look_level(5, 4, 0.95) == 0);
	assert_true(pf_look_level(1, 21, 0.95) == 0);
}

/* A walk of normal steps crosses the planned looks' bounds as often as promised. */
static void
looks_keep_their_level(void **state)
{
	enum { LOOKS = 5, WALKS = 40000 };
	double bound[LOOKS];
	struct pf_random rng;
	unsigned crossed = 0;
	(void)state;

	for (size_t k = 0; k < LOOKS; k++)
		bound[k] = pf_look_level(k + 1, LOOKS, 0.95);
	pf_random_init(&rng, 5);
	for (int i = 0; i < WALKS; i++) {
		double sum = 0;
		bool out = false;
		for (size_t k = 0; k < LOOKS; k++) {
			sum += pf_random_normal(&rng);
			out = out || erfc(fabs(sum) / sqrt(2 * (double)(k + 1))) <= bound[k];
		}
		crossed += out;
	}
	/* 5 % of 40,000 with four standard deviations to each side. */
	assert_in_range(crossed, 1825, 2175);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(unpaired_estimates_intervals_and_p_values_agree_with_scipy),
	    cmocka_unit_test(what_cannot_be_compared_is_refused),
	    cmocka_unit_test(holms_adjustment_agrees),
	    cmocka_unit_test(levels_of_looks_agree_with_scipy_and_the_books),
	    cmocka_unit_test(looks_keep_their_level),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
