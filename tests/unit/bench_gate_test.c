/* Gates: what is understood, what is refused with which words, and when each result is given. */
#include "support/unit.h"

#include <math.h>

#include "bench/gate.h"
#include "bench/plan.h"
#include "stats/random.h"

static struct pf_gate
parsed(const char *text)
{
	struct pf_gate gate;
	struct pf_error err = {0};

	if (pf_gate_parse(&gate, text, &err))
		fail_msg("%s: %s", text, err.message);
	return gate;
}

static void
refused(const char *text, const char *words)
{
	struct pf_gate gate;
	struct pf_error err = {0};

	if (pf_gate_parse(&gate, text, &err) != PF_EUSAGE)
		fail_msg("%s is taken for a gate", text);
	assert_message_has(err, text);
	assert_message_has(err, words);
}

static void
a_signed_limit_is_a_change_relative_to_before(void **state)
{
	struct pf_gate gate = parsed("cpu<=+1%");
	(void)state;

	assert_int_equal(gate.metric, PF_METRIC_CPU);
	assert_true(gate.relative && !gate.at_least);
	assert_true(fabs(gate.limit - 0.01) < 1e-15);
	gate = parsed(" cpu_per_request <= -2.5%");
	assert_true(gate.relative && fabs(gate.limit + 0.025) < 1e-15);
	gate = parsed("throughput>=-0%");
	assert_true(gate.relative && gate.at_least && fabs(gate.limit) < 1e-15);
}

static void
a_limit_without_a_sign_is_absolute_in_the_metrics_unit(void **state)
{
	static const struct {
		const char *text;
		double limit;
	} cases[] = {{"p99<=80ms", 0.08}, {"p50<=250us", 250e-6}, {"p999<=250µs", 250e-6},
	    {"wall<=2s", 2}, {"p90<=900ns", 900e-9}, {"rss_peak<=512MiB", 536870912},
	    {"rss_peak<=1.5GiB", 1610612736}, {"rss_idle<=64KiB", 65536}, {"errors<=0.1%", 0.001},
	    {"throughput>=4000", 4000}, {"throughput>=4000/s", 4000}, {"gc_pause_p99<=1ms", 0.001},
	    {"errors<=0%", 0}};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_gate gate = parsed(cases[i].text);
		assert_false(gate.relative);
		assert_true(fabs(gate.limit - cases[i].limit) <= 1e-12 * fmax(1, cases[i].limit));
	}
}

static void
what_is_no_gate_is_refused_in_words(void **state)
{
	(void)state;
	refused("latency<=3ms", "no metric latency");
	refused("<=3ms", "no metric");
	refused("cpu<3ms", "METRIC<=LIMIT");
	refused("cpu=3ms", "METRIC<=LIMIT");
	refused("cpu", "METRIC<=LIMIT");
	refused("cpu<=", "no limit");
	refused("cpu<=ms", "no limit");
	refused("cpu<=inf", "no limit");
	refused("cpu<=0x10ms", "no limit");
	refused("cpu<=1e999s", "no limit");
	refused("cpu<=+inf%", "no limit");
	refused("cpu<=3", "a time such as 80ms");
	refused("cpu<=3MiB", "a time such as 80ms");
	refused("cpu<=3%", "a time such as 80ms");
	refused("rss_peak<=3ms", "a size such as 512MiB");
	refused("errors<=3", "a percentage such as 0.1%");
	refused("errors<=+1%", "must be absolute");
	refused("cpu<=+1ms", "ends in %");
	refused("throughput>=4000ms", "a number such as 4000");
}

static void
a_gate_passes_only_when_the_whole_interval_keeps_it(void **state)
{
	struct pf_gate most = parsed("cpu<=+1%"), least = parsed("throughput>=-1%");
	(void)state;

	assert_int_equal(pf_gate_judge(&most, true, -0.02, 0.01), PF_GATE_PASSED);
	assert_int_equal(pf_gate_judge(&most, true, -0.02, 0.011), PF_GATE_UNDECIDED);
	assert_int_equal(pf_gate_judge(&most, true, 0.01, 0.02), PF_GATE_UNDECIDED);
	assert_int_equal(pf_gate_judge(&most, true, 0.0101, 0.02), PF_GATE_FAILED);
	assert_int_equal(pf_gate_judge(&most, false, 0, 0), PF_GATE_UNDECIDED);
	assert_int_equal(pf_gate_judge(&least, true, -0.01, 0.02), PF_GATE_PASSED);
	assert_int_equal(pf_gate_judge(&least, true, -0.011, 0.02), PF_GATE_UNDECIDED);
	assert_int_equal(pf_gate_judge(&least, true, -0.03, -0.011), PF_GATE_FAILED);
}

static void
values_are_shown_in_the_unit_that_reads_best(void **state)
{
	char text[64];
	(void)state;

	assert_string_equal(
	    pf_metric_format(PF_UNIT_SECONDS, 0.0000354, text, sizeof text), "35.40 µs");
	assert_string_equal(
	    pf_metric_format(PF_UNIT_SECONDS, 0.1363, text, sizeof text), "136.3 ms");
	assert_string_equal(pf_metric_format(PF_UNIT_SECONDS, 61, text, sizeof text), "61.00 s");
	assert_string_equal(
	    pf_metric_format(PF_UNIT_BYTES, 1048576, text, sizeof text), "1.000 MiB");
	assert_string_equal(
	    pf_metric_format(PF_UNIT_PER_SECOND, 3999.6, text, sizeof text), "4000/s");
	assert_string_equal(pf_metric_format(PF_UNIT_SHARE, 0.0012, text, sizeof text), "0.120 %");
	assert_string_equal(
	    pf_change_format(PF_SCALE_RATIO, PF_UNIT_SECONDS, 0.0312, text, sizeof text),
	    "+3.12 %");
	assert_string_equal(
	    pf_change_format(PF_SCALE_DIFFERENCE, PF_UNIT_SHARE, -0.5, text, sizeof text),
	    "-50.0 pp");
	assert_string_equal(
	    pf_change_format(PF_SCALE_DIFFERENCE, PF_UNIT_NUMBER, 12.25, text, sizeof text),
	    "+12.2");
	assert_string_equal(
	    pf_metric_format(PF_UNIT_NUMBER, 1234567, text, sizeof text), "1.235 M");
}

static void
orders_are_balanced_random_and_repeatable(void **state)
{
	enum { VARIANTS = 3 };
	uint8_t a[VARIANTS][VARIANTS], b[VARIANTS][VARIANTS];
	unsigned first[VARIANTS][VARIANTS] = {0};
	(void)state;

	for (uint64_t seed = 0; seed < 3000; seed++) {
		struct pf_random rng;

		pf_random_init(&rng, seed);
		pf_plan_group(&rng, a[0], VARIANTS, sizeof a[0]);
		pf_random_init(&rng, seed);
		pf_plan_group(&rng, b[0], VARIANTS, sizeof b[0]);
		assert_memory_equal(a, b, sizeof a);
		for (size_t place = 0; place < VARIANTS; place++) {
			unsigned seen = 0;
			for (size_t round = 0; round < VARIANTS; round++)
				seen |= 1u << a[round][place];
			assert_int_equal(seen, 7); /* each variant once at every place */
		}
		for (size_t round = 0; round < VARIANTS; round++)
			first[round][a[round][0]]++;
	}
	for (size_t round = 0; round < VARIANTS; round++) {
		for (size_t v = 0; v < VARIANTS; v++)
			assert_in_range(first[round][v], 900, 1100);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_signed_limit_is_a_change_relative_to_before),
	    cmocka_unit_test(a_limit_without_a_sign_is_absolute_in_the_metrics_unit),
	    cmocka_unit_test(what_is_no_gate_is_refused_in_words),
	    cmocka_unit_test(a_gate_passes_only_when_the_whole_interval_keeps_it),
	    cmocka_unit_test(values_are_shown_in_the_unit_that_reads_best),
	    cmocka_unit_test(orders_are_balanced_random_and_repeatable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
