/* Locks inside of the C library, processors given up to be back at once, and herds at a condition. */
#include <profuse/tune.h>

#include "support/labelled_profile.h"

#define SECOND INT64_C(1000000000)

static const char *const cpu[] = {"samples", "count", "cpu", "nanoseconds", NULL};

static const char *
action(const struct pf_tune *tune)
{
	const struct pf_findings *f = &tune->findings;

	return pf_said(f, f->advices[f->findings[0].first_advice].action);
}

/* Ten seconds of the wall-clock time of several threads, in this stack and label. */
static void
locks_inside_of_the_library_are_told_by_wall_clock_time(void **state)
{
	static const struct {
		const char *stack[6], *wait;
		int64_t seconds;
		int severity; /* -1: no finding */
		const char *title, *action;
	} cases[] = {
	    {{"__lll_lock_wait_private", "fprintf", "log_line", "work"}, "futex", 69,
		PF_SEVERITY_HIGH,
		"6.9 threads wait on average for a lock that the C library has inside, in fprintf, "
		"most of them called from log_line",
		"Each FILE has a lock"},
	    {{"__lll_lock_wait_private", "_IO_file_write", "fflush", "log_line", "work"}, "futex",
		20, PF_SEVERITY_MEDIUM, "in fflush", "Each FILE has a lock"},
	    {{"__lll_lock_wait_private", "__GI_localtime_r", "stamp"}, "futex", 20,
		PF_SEVERITY_MEDIUM, "in localtime_r", "lock for the time zone"},
	    {{"__lll_lock_wait", "pthread_mutex_lock", "__cxa_throw", "parse"}, "futex", 20,
		PF_SEVERITY_MEDIUM, "in __cxa_throw", "An exception"},
	    {{"__lll_lock_wait", "getpwnam_r", "find_user"}, "futex", 7, PF_SEVERITY_LOW,
		"0.7 threads", "less often in find_user"},
	    {{"__lll_lock_wait_private", "fprintf", "log_line", "work"}, "futex", 4, -1, "", ""},
	    {{"__lll_lock_wait_private", "fprintf", "log_line", "work"}, "running", 69, -1, "", ""},
	    /* The service's own, of an agent that counts no waits; the allocator's; at a condition. */
	    {{"__lll_lock_wait", "pthread_mutex_lock", "update", "work"}, "futex", 69, -1, "", ""},
	    {{"__lll_lock_wait_private", "malloc", "build", "work"}, "futex", 69, -1, "", ""},
	    {{"__lll_lock_wait", "pthread_cond_wait", "take", "work"}, "futex", 69, -1, "", ""},
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct test_sample samples[] = {
		    {{NULL}, {600, cases[i].seconds * SECOND}, {{"wait", cases[i].wait, 0}}},
		    {{NULL}, {0}, {{0}}}};
		struct pf_tune *tune = new_tune();
		const struct pf_finding *found;

		memcpy(samples[0].stack, cases[i].stack, sizeof cases[i].stack);
		add_labelled(tune, test_wall, samples, 10, 1000, false);
		run_tune(tune);
		found = find_finding(tune, "lock-contention");
		if ((found ? (int)found->severity : -1) != cases[i].severity)
			fail_msg("case %zu", i);
		if (found) {
			assert_int_equal(pf_tune_finding_count(tune), 1);
			assert_non_null(strstr(pf_tune_finding_title(tune, 0), cases[i].title));
			assert_non_null(strstr(action(tune), cases[i].action));
		}
		pf_tune_free(tune);
	}
}

/* Where both tell of them, the wall-clock profile does, and not one look as well. */
static void
they_are_told_once(void **state)
{
	static const struct test_sample wall[] = {{{"__lll_lock_wait_private", "fprintf",
						       "log_line", "work"},
						      {600, 90 * SECOND}, {{"wait", "futex", 0}}},
	    {{NULL}, {0}, {{0}}}},
					look[] = {{{"__lll_lock_wait_private", "fprintf",
						       "log_line", "work"},
						      {9, 0}, {{"wait", "futex", 0}}},
					    {{NULL}, {0}, {{0}}}};
	(void)state;

	for (int both = 0; both < 2; both++) {
		struct pf_tune *tune = new_tune();

		add_labelled(tune, test_threads, look, 0, 1000, false);
		if (both)
			add_labelled(tune, test_wall, wall, 10, 1000, false);
		run_tune(tune);
		assert_int_equal(pf_tune_finding_count(tune), 1);
		assert_int_equal(
		    strstr(pf_tune_finding_title(tune, 0), "inside") != NULL, both == 1);
		pf_tune_free(tune);
	}
}

/* Half of ten seconds of CPU time in this stack, half at work. */
static void
add_half(struct pf_tune *tune, const char *const *stack)
{
	struct test_sample samples[] = {{{stack[0], stack[1], stack[2]}, {500, 5 * SECOND}, {{0}}},
	    {{"parse", "work", "main"}, {400, 4 * SECOND}, {{0}}}, {{NULL}, {0}, {{0}}}};

	add_labelled(tune, cpu, samples, 10, 1000, false);
}

static void
who_gives_up_the_processor_to_be_back_at_once_is_found(void **state)
{
	static const struct {
		const char *stack[3];
		bool found;
	} cases[] = {{{"sched_yield", "poll_queue", "main"}, true},
	    {{"__GI_sched_yield", "poll_queue", "main"}, true},
	    {{"sched_yield", "malloc", "work"}, false},
	    {{"nanosleep", "poll_queue", "main"}, false}};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_tune *tune = new_tune();
		const struct pf_finding *found;

		add_half(tune, cases[i].stack);
		run_tune(tune);
		found = find_finding(tune, "lock-contention");
		if ((found != NULL) != cases[i].found)
			fail_msg("case %zu", i);
		if (found)
			assert_non_null(strstr(action(tune), "Let poll_queue sleep"));
		pf_tune_free(tune);
	}
}

/* Of a pool whose threads are woken one by one most have waited for long, whatever that costs. */
static void
a_herd_is_told_from_a_pool(void **state)
{
	static const struct {
		const char *leaf;
		int threads, objects;
		int64_t waited;
		bool found;
	} cases[] = {
	    {"pthread_cond_wait", 24, 1, SECOND / 500, true},
	    {"pthread_cond_broadcast", 24, 1, SECOND / 500, true},
	    {"pthread_cond_wait", 24, 1, SECOND, false},
	    {"pthread_cond_wait", 8, 1, SECOND / 500, false},
	    {"pthread_cond_wait", 24, 3, SECOND / 500, false},
	    {"read", 24, 1, SECOND / 500, false},
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct test_sample look[32] = {{{NULL}, {0}, {{0}}}};
		struct pf_tune *tune = new_tune();
		const struct pf_finding *found;

		for (int k = 0; k < cases[i].threads; k++)
			look[k] =
			    (struct test_sample){{"pthread_cond_wait", "take_item", "run"}, {1, 0},
				{{"tid", NULL, 100 + k}, {"wait", "condition", 0},
				    {"object", NULL, 4096 * (1 + k % cases[i].objects)},
				    {"waited", NULL, cases[i].waited + 1000 * k}}};
		add_labelled(tune, test_threads, look, 0, 1000, false);
		add_half(tune, (const char *const[]){cases[i].leaf, "take_item", "run"});
		run_tune(tune);
		found = find_finding(tune, "lock-contention");
		if ((found != NULL) != cases[i].found)
			fail_msg("case %zu", i);
		if (found)
			assert_non_null(strstr(action(tune), "Wake one thread for each item"));
		pf_tune_free(tune);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(locks_inside_of_the_library_are_told_by_wall_clock_time),
	    cmocka_unit_test(they_are_told_once),
	    cmocka_unit_test(who_gives_up_the_processor_to_be_back_at_once_is_found),
	    cmocka_unit_test(a_herd_is_told_from_a_pool),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
