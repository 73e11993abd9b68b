/* Threads that wait for each other's locks, or for one that nobody lets go, by the agent's labels. */
#include <profuse/tune.h>

#include "support/labelled_profile.h"

#define SECOND INT64_C(1000000000)

static const char *
summary(const struct pf_tune *tune, const struct pf_finding *finding)
{
	return pf_said(&tune->findings, finding->summary);
}

static const char *
second_action(const struct pf_tune *tune, const struct pf_finding *finding)
{
	const struct pf_findings *f = &tune->findings;

	assert_true(finding->advice_count > 1);
	return pf_said(f, f->advices[finding->first_advice + 1].action);
}

/* A look at four threads that wait for a lock of a thread that is none of them, of which the agent says this. */
static void
add_gone(struct pf_tune *tune, const char *state, int64_t seconds)
{
	struct test_sample samples[5] = {{{NULL}, {0}, {{0}}}};

	for (int64_t i = 0; i < 4; i++)
		samples[i] = (struct test_sample){
		    {"pthread_mutex_lock", "update", "work", "start_thread"}, {1, 0},
		    {{"tid", NULL, 7 + i}, {"wait", "mutex", 0}, {"waited", NULL, seconds * SECOND},
			{"holder", NULL, 99}, {state ? "holder_state" : NULL, state, 0}}};
	add_labelled(tune, test_threads, samples, 0, 1000, false);
}

/* Who has ended lets nothing go; where nothing is said of the holder, it may be another process's. */
static void
who_waits_for_one_that_has_ended_waits_for_ever(void **state)
{
	static const struct {
		const char *state;
		int64_t seconds;
		int confidence; /* -1: no finding */
	} cases[] = {{"ended", 9, PF_CONFIDENCE_HIGH}, {"unseen", 9, PF_CONFIDENCE_MEDIUM},
	    {NULL, 9, -1}, {"ended", 1, -1}};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_tune *tune = new_tune();
		const struct pf_finding *found;

		add_gone(tune, cases[i].state, cases[i].seconds);
		run_tune(tune);
		found = find_finding(tune, "deadlock");
		assert_int_equal(found ? (int)found->confidence : -1, cases[i].confidence);
		if (found) {
			assert_string_equal(pf_said(&tune->findings, found->title),
			    "Deadlock: update waits for a lock whose holder has ended without "
			    "letting it go");
			assert_non_null(strstr(summary(tune, found), "4 threads have waited 9 s"));
			assert_non_null(strstr(second_action(tune, found), "robust"));
		}
		pf_tune_free(tune);
	}
}

/* However many they are, and also where the first at hand waits for one of them and is none. */
static void
a_circle_is_found_whole(void **state)
{
	enum { AROUND = 100 };
	static struct test_sample samples[AROUND + 2];
	struct pf_tune *tune = new_tune();
	const struct pf_finding *found;
	(void)state;

	for (int64_t i = 0; i <= AROUND; i++)
		samples[i] = (struct test_sample){
		    {"pthread_mutex_lock", i ? "turn" : "enter", "work", "start_thread"}, {1, 0},
		    {{"tid", NULL, 7 + i}, {"wait", "mutex", 0}, {"waited", NULL, 9 * SECOND},
			{"holder", NULL,
			    i && i < AROUND ? 8 + i
			    : i             ? 8
					    : 50}}};
	add_labelled(tune, test_threads, samples, 0, 1000, false);
	run_tune(tune);
	found = find_finding(tune, "deadlock");
	assert_non_null(found);
	assert_string_equal(pf_said(&tune->findings, found->title),
	    "Deadlock: 100 threads wait in a circle for each other's locks, one in turn");
	assert_non_null(
	    strstr(summary(tune, found), "Thread 8 in turn waits for a lock that thread 9"));
	pf_tune_free(tune);
}

/* Two threads that wait for each other, each by one of these calls. */
static void
add_pair(struct pf_tune *tune, const char *first, const char *second)
{
	const char *const calls[] = {first, second};
	struct test_sample samples[3] = {{{NULL}, {0}, {{0}}}};

	for (int64_t i = 0; i < 2; i++)
		samples[i] = (struct test_sample){
		    {calls[i], i ? "refund" : "pay", "work", "start_thread"}, {1, 0},
		    {{"tid", NULL, 7 + i},
			{"wait", strcmp(calls[i], "pthread_join") ? "mutex" : "join", 0},
			{"waited", NULL, 9 * SECOND}, {"holder", NULL, 8 - i}}};
	add_labelled(tune, test_threads, samples, 0, 1000, false);
}

/* Where no lock is waited for none is named; what has a time limit does not last, and stops no service. */
static void
a_circle_is_told_by_how_its_threads_wait(void **state)
{
	static const struct {
		const char *first, *second, *title, *action;
		int confidence;
	} cases[] = {
	    {"pthread_mutex_lock", "pthread_mutex_lock",
		"Deadlock: pay and refund wait for each other's locks",
		"Take the locks in the same order", PF_CONFIDENCE_HIGH},
	    {"pthread_join", "pthread_join", "Deadlock: pay and refund wait for each other's end",
		"Let one thread, which none of them joins", PF_CONFIDENCE_HIGH},
	    {"pthread_mutex_lock", "pthread_join",
		"Deadlock: refund waits for the end of a thread, which waits in pay for a lock "
		"that can't be let go meanwhile",
		"Let go of the lock before waiting", PF_CONFIDENCE_HIGH},
	    {"pthread_mutex_lock", "pthread_mutex_clocklock",
		"Deadlock until a time limit: pay and refund wait for each other's locks",
		"Take the locks in the same order", PF_CONFIDENCE_LOW},
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_tune *tune = new_tune();
		const struct pf_findings *f = &tune->findings;
		const struct pf_finding *found;

		add_pair(tune, cases[i].first, cases[i].second);
		run_tune(tune);
		found = find_finding(tune, "deadlock");
		assert_non_null(found);
		assert_string_equal(pf_said(f, found->title), cases[i].title);
		assert_non_null(
		    strstr(pf_said(f, f->advices[found->first_advice].action), cases[i].action));
		assert_int_equal(found->confidence, cases[i].confidence);
		pf_tune_free(tune);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(who_waits_for_one_that_has_ended_waits_for_ever),
	    cmocka_unit_test(a_circle_is_found_whole),
	    cmocka_unit_test(a_circle_is_told_by_how_its_threads_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
