/*
 * How sure sampled sums are. Of waits the agent's comments say the variance: a lock's figures have an interval, and what
 * may be no contention within it is told as unsure. Of memory it follows from sizes and the period.
 */
#include <math.h>

#include "support/labelled_profile.h"
#include "tuner/sampling.h"

static void
add_comment(struct pf_profile *p, const char *text)
{
	struct pf_error err = {0};
	uint32_t *comments = realloc(p->comments, (p->comment_count + 1) * sizeof *comments);

	assert_non_null(comments);
	p->comments = comments;
	p->comment_capacity = p->comment_count + 1;
	assert_int_equal(
	    pf_strings_add(&p->strings, text, strlen(text), &p->comments[p->comment_count++], &err),
	    0);
}

/* Of a lock that 339 releases of 11 ms were sampled at, in 1.1 s. */
static struct pf_tune *
tune_of_both(const char *comment, const char *other)
{
	struct pf_profile *p = read_fixture_profile("tune/contended/mutex.pb.gz");
	struct pf_tune *tune = new_tune();

	if (comment)
		add_comment(p, comment);
	if (other)
		add_comment(p, other);
	add_profile(tune, p);
	pf_profile_free(p);
	run_tune(tune);
	assert_non_null(find_finding(tune, "lock-contention"));
	return tune;
}

static struct pf_tune *
tune_of(const char *comment)
{
	return tune_of_both(comment, NULL);
}

static const struct pf_number *
number_of(const struct pf_tune *tune, const char *kind, const char *name)
{
	const struct pf_number *n = find_number(tune, find_finding(tune, kind), name);

	if (!n)
		fail_msg("no %s", name);
	return n;
}

static const struct pf_number *
number(const struct pf_tune *tune, const char *name)
{
	return number_of(tune, "lock-contention", name);
}

static bool
has_caveat(const struct pf_tune *tune, const char *words)
{
	const struct pf_finding *finding = find_finding(tune, "lock-contention");

	for (size_t i = 0; i < finding->caveat_count; i++) {
		uint32_t text = tune->findings.caveats[finding->first_caveat + i];
		if (strstr(pf_said(&tune->findings, text), words))
			return true;
	}
	return false;
}

/* R: poisson.test(n)$conf.int; the approximation is within 2 % of it from one event on (its lower bound of one: half). */
static void
an_interval_is_that_of_so_many_events(void **state)
{
	static const struct {
		double n, low, high;
	} exact[] = {
	    {4, 1.089865, 10.241589}, {10, 4.795389, 18.390356}, {100, 81.363988, 121.627328}};
	double low, high;
	(void)state;

	for (size_t i = 0; i < sizeof exact / sizeof *exact; i++) {
		double n = exact[i].n;
		/* Each stands for 50: the variance is n 50². */
		pf_sum_interval(50 * n, n * 50 * 50, &low, &high);
		assert_true(fabs(low / (50 * exact[i].low) - 1) < 0.02);
		assert_true(fabs(high / (50 * exact[i].high) - 1) < 0.02);
	}
	pf_sum_interval(50, 2500, &low, &high);
	assert_true(low > 0 && low < 50 * 0.0254);
	assert_true(fabs(high / (50 * 5.571643) - 1) < 0.02);
	pf_sum_interval(339, 0, &low, &high);
	assert_true(low == 339 && high == 339);
	pf_sum_interval(339, NAN, &low, &high);
	assert_true(isnan(low) && isnan(high));
}

static void
the_agent_says_how_far_off_it_may_be(void **state)
{
	struct pf_tune *tune =
	    tune_of("variance of mutex: contentions 2890, delay 12345678900000000 ns2");
	const struct pf_number *n = number(tune, "waits");
	(void)state;

	/* ±1.96 √2890 of 339, and more above than below. */
	assert_true(n->value == 339);
	assert_true(n->low > 233 && n->low < 245 && n->high > 444 && n->high < 466);
	n = number(tune, "waited"); /* 3.76 s ± 0.11 s */
	assert_true(n->low > 3.5 && n->low < 3.56 && n->high > 3.96 && n->high < 4);
	n = number(tune, "mean_wait");
	assert_true(n->low > 0.0076 && n->low < n->value && n->high > n->value && n->high < 0.0162);
	assert_false(has_caveat(tune, "Few of these waits"));
	pf_tune_free(tune);
}

static void
what_may_be_none_is_unsure(void **state)
{
	struct pf_tune *tune = tune_of("variance of mutex: contentions 110000, delay 0 ns2");
	(void)state;

	assert_true(has_caveat(tune, "Few of these waits"));
	assert_int_equal(find_finding(tune, "lock-contention")->confidence, PF_UNSURE);
	pf_tune_free(tune);
}

/* Go's and older agents' profiles say nothing; other waits than a lock's don't matter; nonsense is passed over. */
static void
what_is_not_told_has_no_interval(void **state)
{
	static const char *const comments[] = {NULL,
	    "variance of condition: contentions 110000, delay 5 ns2",
	    "variance of mutex: contentions inf, delay nan ns2",
	    "variance of mutex: contentions -5, delay 5 ns2", "variance of mutex: contentions 5"};
	(void)state;

	for (size_t i = 0; i < sizeof comments / sizeof *comments; i++) {
		struct pf_tune *tune = tune_of(comments[i]);
		assert_true(isnan(number(tune, "waits")->low));
		assert_true(isnan(number(tune, "mean_wait")->low));
		assert_int_equal(
		    find_finding(tune, "lock-contention")->confidence, PF_CONFIDENCE_MEDIUM);
		pf_tune_free(tune);
	}
}

/* A sample of short waits knows little of how many there were; the agent has counted them. */
static void
what_was_counted_needs_no_interval(void **state)
{
	static const char variance[] =
	    "variance of mutex: contentions 2890, delay 12345678900000000 ns2";
	static const struct {
		const char *all;
		double waits, waited;
	} cases[] = {{"all of mutex: contentions 371, delay 3901234567 ns", 371, 3.901234567},
	    /* Of another time, or of locks that nobody asks for. */
	    {"all of mutex: contentions 9000, delay 39012345678 ns", 339, 3.76},
	    {"all of condition: contentions 371, delay 3901234567 ns", 339, 3.76}};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_tune *tune = tune_of_both(variance, cases[i].all);
		const struct pf_number *n = number(tune, "waits");

		assert_true(n->value == cases[i].waits);
		assert_int_equal(n->low == n->value && n->high == n->value, i == 0);
		n = number(tune, "waited");
		assert_true(fabs(n->value - cases[i].waited) < 0.01);
		assert_int_equal(n->low == n->value && n->high == n->value, i == 0);
		pf_tune_free(tune);
	}
}

/* Who has waited for far longer than the others, and waits still, is in no sum: it has no upper bound then. */
static void
waits_that_go_on_leave_no_upper_bound(void **state)
{
	static const char variance[] =
	    "variance of mutex: contentions 2890, delay 12345678900000000 ns2";
	static const int64_t waited[] = {0, 1000000, INT64_C(60000000000)};
	(void)state;

	for (size_t i = 0; i < sizeof waited / sizeof *waited; i++) {
		const struct test_sample threads[] = {
		    {{"pthread_mutex_lock", "count", "start_thread"}, {1, 0},
			{{"tid", NULL, 7}, {"wait", "mutex", 0}, {"waited", NULL, waited[i]}}},
		    {{NULL}, {0}, {{0}}}};
		struct pf_profile *mutex = read_fixture_profile("tune/contended/mutex.pb.gz"),
				  *block = read_fixture_profile("tune/contended/block.pb.gz");
		struct pf_tune *tune = new_tune();

		add_comment(mutex, variance);
		add_comment(block, variance);
		block->duration_nanos = mutex->duration_nanos; /* of the same time */
		add_profile(tune, mutex);
		add_profile(tune, block);
		add_labelled(tune, test_threads, threads, 0, 1000, false);
		run_tune(tune);
		assert_int_equal(!isnan(number(tune, "waited")->low), i < 2);
		assert_int_equal(!isnan(number(tune, "waiting_on_average")->high), i < 2);
		pf_profile_free(mutex);
		pf_profile_free(block);
		pf_tune_free(tune);
	}
}

static bool
says(const struct pf_profile *p, const char *comment)
{
	for (size_t i = 0; i < p->comment_count; i++) {
		if (strcmp(pf_profile_string(p, p->comments[i]), comment) == 0)
			return true;
	}
	return false;
}

/* Of a month of waiting and of the same and half a minute, what is said of the half minute is the difference. */
static void
comments_of_waits_are_subtracted(void **state)
{
	struct pf_profile *then = read_fixture_profile("tune/contended/mutex.pb.gz");
	struct pf_profile *now = read_fixture_profile("tune/contended/mutex.pb.gz");
	struct pf_profile *between = read_fixture_profile("tune/contended/mutex.pb.gz");
	struct pf_error err = {0};
	(void)state;

	add_comment(then, "all of mutex: contentions 1000000, delay 5000000000000 ns");
	add_comment(then, "variance of mutex: contentions 90000000, delay 800000000000000000 ns2");
	add_comment(now, "all of mutex: contentions 1000100, delay 5000900000000 ns");
	add_comment(now, "variance of mutex: contentions 90000400, delay 800100000000000000 ns2");
	add_comment(now, "all of rwlock: contentions 7, delay 70 ns");
	/* As merging puts them together. */
	add_comment(between, "all of mutex: contentions 1000100, delay 5000900000000 ns");
	add_comment(between, "all of mutex: contentions 1000000, delay 5000000000000 ns");
	add_comment(between, "event: something else");
	assert_int_equal(pf_wait_comments_subtract(between, then, now, &err), 0);
	assert_true(says(between, "all of mutex: contentions 100, delay 900000000 ns"));
	assert_true(says(between, "variance of mutex: contentions 400, delay 100000000000000 ns2"));
	assert_true(says(between, "all of rwlock: contentions 7, delay 70 ns"));
	assert_true(says(between, "event: something else"));
	assert_true(fabs(pf_wait_totals_of(between).count - 107) < 1e-9);
	pf_profile_free(then);
	pf_profile_free(now);
	pf_profile_free(between);
}

/* The place is sure; the program in this profile has no names. */
static void
who_has_no_name_is_told_less_surely(void **state)
{
	struct pf_tune *tune = tune_of(NULL);
	(void)state;

	assert_true(has_caveat(tune, "code of [waiters] has no names here (--binary FILE"));
	pf_tune_free(tune);
}

/* A sample in 524,288 bytes, as if 230 of 1,240,090 objects had been met; by longer periods, a quarter of them. */
static void
what_a_heap_profile_counts_is_sampled(void **state)
{
	struct pf_profile *p = read_fixture_profile("tune/crossing/frees.pb.gz");
	struct pf_tune *tune = new_tune();
	const struct pf_number *n;
	double width;
	char text[128];
	(void)state;

	add_profile(tune, p);
	run_tune(tune);
	n = number_of(tune, "cross-thread-frees", "objects");
	assert_true(n->value == 1240090);
	assert_true(fabs((n->high - n->low) / n->value - 2 * 1.96 / sqrt(230)) < 0.01);
	n = number_of(tune, "cross-thread-frees", "share_of_frees");
	assert_true(n->value == 1 && n->low > 0.98 && n->low < 0.99 && n->high == 1);
	width = pf_variance_factor(&tune->evidence.profiles[0], 0, 1);
	assert_true(width == 1);
	width = 0;
	for (size_t i = 0; i < p->sample_count; i++)
		width += pf_bytes_variance(&tune->evidence.profiles[0],
		    (double)p->values[2 * i + 1], (double)p->values[2 * i]);
	pf_tune_free(tune);
	tune = new_tune();
	snprintf(text, sizeof text, "variance of freed_space: %.0f bytes2", 4 * width);
	add_comment(p, text);
	add_profile(tune, p);
	pf_profile_free(p);
	run_tune(tune);
	n = number_of(tune, "cross-thread-frees", "objects");
	assert_true(fabs((n->high - n->low) / n->value - 4 * 1.96 / sqrt(230)) < 0.03);
	pf_tune_free(tune);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_interval_is_that_of_so_many_events),
	    cmocka_unit_test(the_agent_says_how_far_off_it_may_be),
	    cmocka_unit_test(what_may_be_none_is_unsure),
	    cmocka_unit_test(what_is_not_told_has_no_interval),
	    cmocka_unit_test(what_was_counted_needs_no_interval),
	    cmocka_unit_test(waits_that_go_on_leave_no_upper_bound),
	    cmocka_unit_test(comments_of_waits_are_subtracted),
	    cmocka_unit_test(who_has_no_name_is_told_less_surely),
	    cmocka_unit_test(what_a_heap_profile_counts_is_sampled),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
