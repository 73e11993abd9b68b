/* tune_turns_test.c: who waits for a turn that others pass on, and who waits for work. */
#include "support/labelled_profile.h"

#define SECOND INT64_C(1000000000)
#define POOL 0x5000

/* What a look shows of those that wait at one object, and of the others. */
struct scene {
	const char *wait; /* "semaphore", "condition" */
	int waiting, taken, passed;
	int having;       /* a turn */
	const char *call; /* in which these are */
	const char *peer; /* of whom they wait for the word, or NULL */
	int looks;
	int64_t cpu; /* of ten seconds, of one processor */
	bool loops;  /* they wait in the function that they were started with */
};

static void
add_look(struct pf_tune *tune, const struct scene *s)
{
	const char *function = strcmp(s->wait, "semaphore") == 0 ? "sem_wait" : "pthread_cond_wait";
	struct test_sample samples[32] = {{{NULL}, {0}, {{0}}}};
	int n = 0;

	/* Nobody needs a number: they are told apart by what they do. */
	for (int i = 0; i < s->waiting; i++)
		samples[n++] = (struct test_sample){
		    {function, s->loops ? "run_all" : "borrow", s->loops ? NULL : "serve_one"},
		    {1, 0},
		    {{"wait", s->wait, 0}, {"waited", NULL, SECOND / 10}, {"object", NULL, POOL},
			{"turns", NULL, s->taken}, {"passed", NULL, s->passed}}};
	for (int i = 0; i < s->having; i++)
		samples[n++] = (struct test_sample){{s->call, "query", "serve_one"}, {1, 0},
		    {{"wait", s->call, 0}, {"waited", NULL, SECOND / 10}, {"turn", NULL, POOL},
			{s->peer ? "peer" : NULL, s->peer, 0}}};
	samples[n++] =
	    (struct test_sample){{"nanosleep", "tick", "main"}, {1, 0}, {{"wait", "nanosleep", 0}}};
	add_labelled(tune, test_threads, samples, 0, 1000 + tune->evidence.profile_count, false);
}

static struct pf_tune *
judge(const struct scene *s)
{
	static const char *const types[] = {"samples", "count", "cpu", "nanoseconds", NULL};
	struct test_sample used[] = {
	    {{"hash", "main"}, {(int64_t)100 * s->cpu, s->cpu * SECOND}, {{0}}},
	    {{NULL}, {0}, {{0}}}};
	struct pf_tune *tune = new_tune();

	tune->evidence.cpus = 1;
	for (int i = 0; i < s->looks; i++)
		add_look(tune, s);
	add_labelled(tune, types, used, 10, 1000, false);
	run_tune(tune);
	return tune;
}

static void
who_waits_for_one_of_few_connections_is_told(void **state)
{
	static const struct scene pool = {"semaphore", 6, 300, 298, 2, "recv", "server", 4, 1};
	struct pf_tune *tune = judge(&pool);
	const struct pf_finding *found = find_finding(tune, "external-wait");
	(void)state;

	assert_non_null(found);
	assert_int_equal(found->severity, PF_SEVERITY_MEDIUM);
	assert_int_equal(found->confidence, PF_CONFIDENCE_MEDIUM);
	assert_string_equal(pf_said(&tune->findings, found->title),
	    "6.0 threads wait for their turn in borrow on average, while those whose turn it is "
	    "wait for something outside (network or disk)");
	assert_float_equal(find_number(tune, found, "having_a_turn")->value, 2, 0);
	assert_float_equal(find_number(tune, found, "passed_on_by_who_took_them")->value, 298, 0);
	assert_null(find_finding(tune, "lock-contention"));
	pf_tune_free(tune);
}

/* Of a condition less sure: workers whose tasks bring forth the next ones look the same. */
static void
a_lock_of_the_programs_own_is_told(void **state)
{
	static const struct scene lock = {"condition", 5, 300, 299, 1, "nanosleep", NULL, 4, 1};
	struct pf_tune *tune = judge(&lock);
	const struct pf_finding *found = find_finding(tune, "lock-contention");
	(void)state;

	assert_non_null(found);
	assert_int_equal(found->confidence, PF_CONFIDENCE_LOW);
	assert_string_equal(pf_said(&tune->findings, found->title),
	    "5.0 threads wait for their turn in borrow on average");
	assert_null(find_finding(tune, "external-wait"));
	pf_tune_free(tune);
}

static void
who_waits_for_work_is_left_alone(void **state)
{
	static const struct scene scenes[] = {
	    {"semaphore", 6, 300, 0, 2, "recv", "server", 4, 1},   /* others bring it */
	    {"condition", 6, 300, 200, 2, "recv", "server", 4, 1}, /* or most of it */
	    {"semaphore", 6, 10, 10, 2, "recv", "server", 4, 1},   /* too few to tell */
	    {"semaphore", 6, 300, 298, 0, "recv", "server", 4, 1}, /* nobody has a turn */
	    {"semaphore", 6, 300, 298, 1, "epoll_wait", "client", 4,
		1},                                                 /* a leader and followers */
	    {"semaphore", 6, 300, 298, 2, "recv", "server", 2, 1},  /* too few looks */
	    {"semaphore", 6, 300, 298, 2, "nanosleep", NULL, 4, 8}, /* the processors are busy */
	};
	(void)state;

	for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) {
		struct pf_tune *tune = judge(&scenes[i]);

		assert_null(find_finding(tune, "external-wait"));
		assert_null(find_finding(tune, "lock-contention"));
		pf_tune_free(tune);
	}
}

/* Workers whose tasks bring forth the next ones, or who wait for a turn: of a semaphore it is a turn. */
static void
a_thread_that_waits_where_it_began_may_be_a_worker(void **state)
{
	static const struct scene scenes[] = {
	    {"condition", 6, 300, 298, 2, "nanosleep", NULL, 4, 1, true},
	    {"semaphore", 6, 300, 298, 2, "nanosleep", NULL, 4, 1, true},
	};
	(void)state;

	for (size_t i = 0; i < 2; i++) {
		struct pf_tune *tune = judge(&scenes[i]);

		assert_int_equal(find_finding(tune, "lock-contention") != NULL, i == 1);
		assert_int_equal(
		    is_unjudged(tune, "6.0 threads on average waited at a condition in run_all"),
		    i == 0);
		pf_tune_free(tune);
	}
}

/* So many looks at threads that wait at a futex in a function, and others that are inside of it and don't. */
static struct pf_tune *
judge_futexes(int waiting, int inside, int64_t waited, const char *caller)
{
	struct pf_tune *tune = new_tune();

	for (int look = 0; look < 4; look++) {
		struct test_sample samples[16] = {{{NULL}, {0}, {{0}}}};
		int n = 0;

		for (int i = 0; i < waiting; i++)
			samples[n++] = (struct test_sample){{"syscall", "save", caller}, {1, 0},
			    {{"wait", "futex", 0}, {"waited", NULL, waited}}};
		for (int i = 0; i < inside; i++)
			samples[n++] = (struct test_sample){{"nanosleep", "save", caller}, {1, 0},
			    {{"wait", "nanosleep", 0}, {"waited", NULL, waited}}};
		add_labelled(tune, test_threads, samples, 0, 1000 + look, false);
	}
	run_tune(tune);
	return tune;
}

/* Locks of which only the program knows what they are: where one at a time is inside. */
static void
a_lock_that_one_at_a_time_has_is_told(void **state)
{
	struct pf_tune *tune = judge_futexes(4, 1, SECOND / 100, "serve_one");
	const struct pf_finding *found = find_finding(tune, "lock-contention");
	(void)state;

	assert_non_null(found);
	assert_int_equal(found->confidence, PF_CONFIDENCE_LOW);
	assert_string_equal(pf_said(&tune->findings, found->title),
	    "4.0 threads wait on average for what one at a time has in save");
	assert_false(is_unjudged(tune, "a futex"));
	pf_tune_free(tune);
}

/* What else waits at futexes is said, if it doesn't wait for long: then it waits for work. */
static void
other_waits_at_futexes_are_not_judged(void **state)
{
	static const struct {
		int waiting, inside;
		int64_t waited;
		const char *caller;
		bool said;
	} cases[] = {
	    {4, 0, SECOND / 100, "serve_one", true}, /* nobody is inside */
	    {4, 3, SECOND / 100, "serve_one", true}, /* or more than one */
	    {4, 1, SECOND / 100, NULL, true},        /* where the thread began: workers may be */
	    {4, 1, 20 * SECOND, "serve_one", false},
	    {1, 1, SECOND / 100, "serve_one", false},
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_tune *tune = judge_futexes(
		    cases[i].waiting, cases[i].inside, cases[i].waited, cases[i].caller);

		assert_int_equal(
		    is_unjudged(tune,
			"In 4 looks 4.0 threads on average waited at a futex beside "
			"pthreads' locks, conditions and semaphores, most of them in save"),
		    cases[i].said);
		assert_null(find_finding(tune, "lock-contention"));
		pf_tune_free(tune);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(who_waits_for_one_of_few_connections_is_told),
	    cmocka_unit_test(a_lock_of_the_programs_own_is_told),
	    cmocka_unit_test(who_waits_for_work_is_left_alone),
	    cmocka_unit_test(a_thread_that_waits_where_it_began_may_be_a_worker),
	    cmocka_unit_test(a_lock_that_one_at_a_time_has_is_told),
	    cmocka_unit_test(other_waits_at_futexes_are_not_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
