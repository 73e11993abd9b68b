/* A trigger's condition over a series of values: limits, jumps, shares, patience, counters. */
#include "support/unit.h"

#include <math.h>

#include "collect/trigger.h"

static struct pf_point point;
static char reason[256];

static struct pf_trigger_config
above(double limit)
{
	return (struct pf_trigger_config){
	    .metric = "m", .kind = PF_TRIGGER_ABOVE, .above = limit, .window = 10};
}

static int
clear(void **state)
{
	(void)state;
	pf_point_release(&point);
	return 0;
}

static bool
judge(const struct pf_trigger_config *t, double value, double now)
{
	struct pf_point_context none = {0};

	return pf_condition_judge(&point, t, value, &none, now, reason, sizeof reason);
}

static void
a_limit_is_exceeded_or_not(void **state)
{
	struct pf_trigger_config t = above(0.5);
	(void)state;

	assert_false(judge(&t, 0.5, 1));
	assert_true(judge(&t, 0.8, 2));
	assert_string_equal(reason, "m is 0.8, above 0.5");
	t.kind = PF_TRIGGER_BELOW;
	t.below = 2;
	t.rate = true;
	assert_true(judge(&t, 1, 3));
	assert_string_equal(reason, "m (per second) is 1, below 2");
	assert_false(judge(&t, NAN, 4));
}

static void
it_must_hold_for_as_long_as_was_said(void **state)
{
	struct pf_trigger_config t = above(1);
	(void)state;

	t.wait = 60;
	assert_false(judge(&t, 2, 100));
	assert_false(judge(&t, 2, 159));
	assert_true(judge(&t, 2, 160));
	assert_false(judge(&t, 0, 170)); /* over */
	assert_false(judge(&t, 2, 180)); /* and from the beginning */
	assert_false(judge(&t, 2, 239));
	assert_true(judge(&t, 2, 240));
}

static void
a_jump_is_over_what_is_usual(void **state)
{
	struct pf_trigger_config t = {
	    .metric = "m", .kind = PF_TRIGGER_JUMP, .jump = 3, .window = 10, .quantile = 0.95};
	(void)state;

	for (int i = 0; i < 4; i++)
		assert_false(judge(&t, 0.05, i));
	assert_false(judge(&t, 0.8, 4)); /* too little is known: it becomes part of the past */
	for (int i = 5; i < 15; i++)
		assert_false(judge(&t, 0.05, i));
	assert_false(judge(&t, 0.1, 15));
	assert_true(judge(&t, 0.8, 16));
	assert_string_equal(reason, "m (quantile 0.95) is 0.8, 16 times its usual 0.05");
	for (int i = 17; i < 60; i++) /* what is odd does not become usual */
		assert_true(judge(&t, 0.8, i));
	t.floor = 1;
	assert_false(judge(&t, 0.8, 60));
}

static void
an_instance_may_not_have_too_large_a_share(void **state)
{
	struct pf_trigger_config t = {
	    .metric = "requests", .kind = PF_TRIGGER_IMBALANCE, .share = 0.7, .rate = true};
	struct pf_point_context three = {.sum = 1000, .instances = 3};
	struct pf_point_context alone = {.sum = 1000, .instances = 1};
	(void)state;

	assert_true(pf_condition_judge(&point, &t, 710, &three, 1, reason, sizeof reason));
	assert_string_equal(
	    reason, "takes 71 % of its service's requests (per second) (of 3 instances)");
	assert_false(pf_condition_judge(&point, &t, 690, &three, 2, reason, sizeof reason));
	assert_false(pf_condition_judge(&point, &t, 1000, &alone, 3, reason, sizeof reason));
}

static void
counters_become_rates(void **state)
{
	(void)state;
	assert_true(pf_counter_rate(100, 10, 160, 40) == 2);
	assert_true(isnan(pf_counter_rate(100, 10, 50, 40))); /* began anew */
	assert_true(isnan(pf_counter_rate(100, 0, 160, 40))); /* there was none before */
	assert_true(isnan(pf_counter_rate(NAN, 10, 160, 40)));
}

static const char before_text[] = "# TYPE lat histogram\n"
				  "lat_bucket{path=\"/a\",le=\"0.1\"} 100\n"
				  "lat_bucket{path=\"/a\",le=\"1\"} 100\n"
				  "lat_bucket{path=\"/a\",le=\"+Inf\"} 100\n"
				  "sum_lat{quantile=\"0.95\"} 0.3\n"
				  "req_total{code=\"200\"} 10\nreq_total{code=\"500\"} 4\n";
static const char after_text[] = "# TYPE lat histogram\n"
				 "lat_bucket{path=\"/a\",le=\"0.1\"} 100\n"
				 "lat_bucket{path=\"/a\",le=\"1\"} 200\n"
				 "lat_bucket{path=\"/a\",le=\"+Inf\"} 200\n"
				 "sum_lat{quantile=\"0.95\"} 0.7\n"
				 "req_total{code=\"200\"} 40\nreq_total{code=\"500\"} 5\n";

static void
values_come_out_of_scrapes(void **state)
{
	struct pf_pair errors = {"code", "500"};
	struct pf_trigger_config quantile = {.metric = "lat", .quantile = 0.95},
				 summary = {.metric = "sum_lat", .quantile = 0.95},
				 gauge = {.metric = "req_total"},
				 rate = {.metric = "req_total",
				     .rate = true,
				     .match = {&errors, 1}},
				 none = {.metric = "other"};
	struct pf_exposition before = {0}, after = {0};
	struct pf_error err;
	(void)state;

	assert_int_equal(
	    pf_exposition_parse(&before, "b", before_text, sizeof before_text - 1, &err), 0);
	assert_int_equal(
	    pf_exposition_parse(&after, "a", after_text, sizeof after_text - 1, &err), 0);
	/* only what came between the scrapes: all of it between 0.1 and 1 */
	assert_true(fabs(pf_trigger_value(&quantile, &after, 20, &before, 10) - 0.955) < 1e-9);
	assert_true(isnan(pf_trigger_value(&quantile, &after, 20, NULL, 0)));
	assert_true(pf_trigger_value(&summary, &after, 20, &before, 10) == 0.7);
	assert_true(pf_trigger_value(&gauge, &after, 20, NULL, 0) == 45);
	assert_true(fabs(pf_trigger_value(&rate, &after, 20, &before, 10) - 0.1) < 1e-9);
	assert_true(isnan(pf_trigger_value(&none, &after, 20, &before, 10)));
	pf_exposition_release(&before);
	pf_exposition_release(&after);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(a_limit_is_exceeded_or_not, clear),
	    cmocka_unit_test_teardown(it_must_hold_for_as_long_as_was_said, clear),
	    cmocka_unit_test_teardown(a_jump_is_over_what_is_usual, clear),
	    cmocka_unit_test_teardown(an_instance_may_not_have_too_large_a_share, clear),
	    cmocka_unit_test_teardown(counters_become_rates, clear),
	    cmocka_unit_test(values_come_out_of_scrapes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
