/* Threads that wait for somebody outside: beside others of their kind that have nothing to do, without clients, all alone. */
#include <math.h>

#include <profuse/tune.h>

#include "support/labelled_profile.h"

#define SECOND INT64_C(1000000000)

enum { WAITING, AT_POOL, IDLE_AT_CONDITION, IDLE_AT_CLIENT, APART, ACCEPTS, RUNS, KINDS };

static const char listens[] = "threads: the process listens for clients";

static const struct test_sample kinds[KINDS] = {
    [WAITING] = {{"recv", "ask", "handle", "serve", "start_thread"}, {1, 0},
	{{"wait", "recv", 0}, {"waited", NULL, SECOND / 10}, {"peer", "server", 0}}},
    [AT_POOL] = {{"pthread_cond_wait", "borrow", "handle", "serve", "start_thread"}, {1, 0},
	{{"wait", "condition", 0}, {"waited", NULL, SECOND / 10}}},
    [IDLE_AT_CONDITION] = {{"pthread_cond_wait", "take", "serve", "start_thread"}, {1, 0},
	{{"wait", "condition", 0}, {"waited", NULL, SECOND / 10}}},
    [IDLE_AT_CLIENT] = {{"read", "serve", "start_thread"}, {1, 0},
	{{"wait", "read", 0}, {"waited", NULL, SECOND / 10}, {"peer", "client", 0}}},
    [APART] = {{"pthread_cond_wait", "write_log", "start_thread"}, {1, 0},
	{{"wait", "condition", 0}, {"waited", NULL, SECOND / 10}}},
    [ACCEPTS] = {{"accept", "main"}, {1, 0},
	{{"wait", "accept", 0}, {"waited", NULL, SECOND / 10}, {"peer", "client", 0}}},
    [RUNS] = {{"work", "handle", "serve", "start_thread"}, {1, 0}, {{"wait", "running", 0}}},
};

/* So many threads of each kind, in one look. */
static void
add_look(struct pf_tune *tune, const int *counts, int64_t at)
{
	struct test_sample samples[48] = {{{NULL}, {0}, {{0}}}};
	int n = 0;

	for (int k = 0; k < KINDS; k++)
		for (int i = 0; i < counts[k]; i++)
			samples[n++] = kinds[k];
	add_commented(tune, test_threads, samples, 0, at, false, listens);
}

static void
add_cpu(struct pf_tune *tune)
{
	static const char *const cpu[] = {"samples", "count", "cpu", "nanoseconds", NULL};
	static const struct test_sample used[] = {
	    {{"work", "start_thread"}, {50, SECOND / 2}, {{0}}}, {{NULL}, {0}, {{0}}}};

	add_labelled(tune, cpu, used, 10, 1000, false);
}

/* Severity, or -1: no finding. */
static int
severity_of(struct pf_tune *tune)
{
	const struct pf_finding *found;
	int severity;

	add_cpu(tune);
	run_tune(tune);
	found = find_finding(tune, "external-wait");
	severity = found ? (int)found->severity : -1;
	if (found && severity == PF_SEVERITY_LOW)
		assert_int_equal(found->confidence, PF_CONFIDENCE_LOW);
	pf_tune_free(tune);
	return severity;
}

static void
where_others_of_their_kind_are_idle_nobody_waits_for_them(void **state)
{
	static const struct {
		int counts[KINDS];
		int severity;
	} cases[] = {
	    {{[WAITING] = 6}, PF_SEVERITY_HIGH},
	    {{[WAITING] = 6, [IDLE_AT_CLIENT] = 1}, PF_SEVERITY_HIGH},
	    {{[WAITING] = 6, [IDLE_AT_CLIENT] = 2}, PF_SEVERITY_LOW},
	    {{[WAITING] = 6, [IDLE_AT_CLIENT] = 6}, -1},
	    {{[WAITING] = 6, [IDLE_AT_CONDITION] = 2}, PF_SEVERITY_LOW},
	    {{[WAITING] = 6, [IDLE_AT_CONDITION] = 6}, -1},
	    {{[WAITING] = 6, [ACCEPTS] = 1, [APART] = 6}, PF_SEVERITY_HIGH}, /* of other kinds */
	    {{[WAITING] = 6, [AT_POOL] = 6}, PF_SEVERITY_HIGH}, /* in the midst of a request */
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_tune *tune = new_tune();

		add_look(tune, cases[i].counts, 1000);
		if (severity_of(tune) != cases[i].severity)
			fail_msg("case %zu", i);
	}
}

/* One look with ten that wait says little where eight are idle in others. */
static void
all_looks_say_who_is_idle(void **state)
{
	static const int busy[KINDS] = {[WAITING] = 10},
			 idle[KINDS] = {[WAITING] = 3, [IDLE_AT_CLIENT] = 8};
	struct pf_tune *tune = new_tune();
	(void)state;

	for (int64_t i = 0; i < 3; i++)
		add_look(tune, idle, 1000 + i);
	add_look(tune, busy, 1003);
	assert_int_equal(severity_of(tune), -1);
}

/* How many wait is a mean over the looks: neither the last one nor the fullest decides. */
static void
looks_are_averaged(void **state)
{
	static const int many[KINDS] = {[WAITING] = 14, [ACCEPTS] = 1},
			 few[KINDS] = {[WAITING] = 2, [ACCEPTS] = 1, [RUNS] = 3},
			 none[KINDS] = {[ACCEPTS] = 1, [RUNS] = 3};
	static const struct {
		const int *looks[3];
		double waiting; /* 0: no finding */
	} cases[] = {{{few, many, few}, 6}, {{many, none, none}, 14. / 3}, {{few, few, many}, 6},
	    {{few, few, few}, 0}, {{none, none, few}, 0}};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_tune *tune = new_tune();
		const struct pf_finding *found;

		for (int64_t k = 0; k < 3; k++)
			add_look(tune, cases[i].looks[k], 1000 + k);
		add_cpu(tune);
		run_tune(tune);
		found = find_finding(tune, "external-wait");
		assert_int_equal(found != NULL, cases[i].waiting > 0);
		if (found) {
			assert_true(fabs(find_number(tune, found, "waiting_outside")->value -
					 cases[i].waiting) < 1e-9);
			assert_true(find_number(tune, found, "looks")->value == 3);
			assert_non_null(strstr(
			    pf_said(&tune->findings, found->title), "On average over 3 looks"));
		}
		pf_tune_free(tune);
	}
}

/* Threads that only accept have no more time for a request than those that they hand it to. */
static void
few_that_never_have_time_are_found_beside_one_that_accepts(void **state)
{
	static const struct {
		int first[KINDS], others[KINDS]; /* in the first look, and in five more */
		int64_t idle;                    /* of ten seconds of wall-clock time */
		bool found;
	} cases[] = {
	    {{[WAITING] = 3, [ACCEPTS] = 1}, {[WAITING] = 3, [ACCEPTS] = 1}, 0, true},
	    {{[WAITING] = 2, [RUNS] = 1, [ACCEPTS] = 1}, {[WAITING] = 3, [ACCEPTS] = 1}, 0, true},
	    {{[WAITING] = 3, [ACCEPTS] = 1, [APART] = 1},
		{[WAITING] = 3, [ACCEPTS] = 1, [APART] = 1}, 0, true},
	    {{[WAITING] = 3, [ACCEPTS] = 1}, {[WAITING] = 1, [RUNS] = 2, [ACCEPTS] = 1}, 0, false},
	    {{[WAITING] = 3, [ACCEPTS] = 1}, {[WAITING] = 3, [ACCEPTS] = 1}, 2, false},
	    {{[WAITING] = 3, [ACCEPTS] = 1},
		{[WAITING] = 2, [IDLE_AT_CONDITION] = 1, [ACCEPTS] = 1}, 0, false},
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct test_sample wall[] = {
		    {{"recv", "ask", "handle", "serve", "start_thread"},
			{100, (10 - cases[i].idle) * SECOND}, {{"wait", "recv", 0}}},
		    {{"pthread_cond_wait", "take", "serve", "start_thread"},
			{100, cases[i].idle * SECOND + 1}, {{"wait", "condition", 0}}},
		    {{NULL}, {0}, {{0}}}};
		struct pf_tune *tune = new_tune();

		add_look(tune, cases[i].first, 1000);
		for (int64_t k = 1; k < 6; k++)
			add_look(tune, cases[i].others, 1000 + k);
		add_labelled(tune, test_wall, wall, 2, 1000, false);
		if (severity_of(tune) != (cases[i].found ? PF_SEVERITY_MEDIUM : -1))
			fail_msg("case %zu", i);
	}
}

/* The kernel knows when bytes went which way: whoever is told things unasked has subscribed. */
static void
who_hears_unasked_has_nothing_to_wait_for(void **state)
{
	static const struct {
		int64_t asked, heard;
		const char *call;
		bool found;
	} cases[] = {{9 * SECOND, SECOND / 10, "recv", false},
	    {9 * SECOND, 20 * SECOND, "recv", true},
	    {SECOND, SECOND / 10, "recv", true}, /* an answer's first part may be here */
	    {9 * SECOND, SECOND / 10, "sendmsg", true}, {0, 0, "recv", true}};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct test_sample samples[7] = {{{NULL}, {0}, {{0}}}};
		struct pf_tune *tune = new_tune();

		for (int64_t k = 0; k < 6; k++)
			samples[k] =
			    (struct test_sample){{"recv", "next_event", "listen_topic"}, {1, 0},
				{{"tid", NULL, k + 1}, {"wait", cases[i].call, 0},
				    {"waited", NULL, SECOND / 10}, {"peer", "server", 0},
				    {cases[i].asked ? "asked" : NULL, NULL, cases[i].asked},
				    {"heard", NULL, cases[i].heard}}};
		add_labelled(tune, test_threads, samples, 0, 1000, false);
		if ((severity_of(tune) >= 0) != cases[i].found)
			fail_msg("case %zu", i);
	}
}

/* Pipes of helpers: whose word comes is not told, and the process serves nobody whose request could wait for it. */
static void
who_reads_from_helpers_in_a_process_without_clients_is_at_rest(void **state)
{
	static const char *const says[] = {listens, "threads: the process listens for no clients"};
	(void)state;

	for (size_t i = 0; i < 2; i++) {
		struct test_sample samples[7] = {{{NULL}, {0}, {{0}}}};
		struct pf_tune *tune = new_tune();

		for (int64_t k = 0; k < 6; k++)
			samples[k] = (struct test_sample){{"read", "next_sample", "watch"}, {1, 0},
			    {{"tid", NULL, k + 1}, {"wait", "read", 0},
				{"waited", NULL, SECOND / 10}}};
		add_commented(tune, test_threads, samples, 0, 1000, false, says[i]);
		assert_int_equal(severity_of(tune), i == 0 ? PF_SEVERITY_LOW : -1);
	}
}

/*
 * Six threads that wait for another server, each time they are looked at; and main, which pauses. In a service that has
 * clients, a second is as long as a request may take.
 */
static void
threads_of_a_service_without_clients_may_be_subscribers(void **state)
{
	static const char *const cpu[] = {"samples", "count", "cpu", "nanoseconds", NULL};
	static const struct test_sample used[] = {
	    {{"work", "start_thread"}, {50, SECOND / 2}, {{0}}}, {{NULL}, {0}, {{0}}}};
	static const struct {
		const char *main, *peer, *comment;
		int64_t waited; /* at the first look; at the last half a second */
		enum pf_severity severity;
		enum pf_confidence confidence;
	} cases[] = {
	    {"pause", "server", NULL, 3 * SECOND / 2, PF_SEVERITY_LOW, PF_CONFIDENCE_LOW},
	    {"accept", "server", NULL, 3 * SECOND / 2, PF_SEVERITY_HIGH, PF_CONFIDENCE_MEDIUM},
	    {"pause", "server", NULL, SECOND / 2, PF_SEVERITY_HIGH, PF_CONFIDENCE_MEDIUM},
	    {"pause", NULL, NULL, SECOND / 2, PF_SEVERITY_LOW, PF_CONFIDENCE_LOW},
	    {"accept", NULL, NULL, SECOND / 2, PF_SEVERITY_MEDIUM, PF_CONFIDENCE_LOW},
	    {"pause", "server", "threads: the process listens for no clients", SECOND / 10,
		PF_SEVERITY_LOW, PF_CONFIDENCE_LOW},
	    {"pause", "file", "threads: the process listens for no clients", SECOND / 10,
		PF_SEVERITY_HIGH, PF_CONFIDENCE_MEDIUM},
	    {"pause", "server", "threads: the process listens for clients", SECOND / 10,
		PF_SEVERITY_HIGH, PF_CONFIDENCE_MEDIUM},
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_tune *tune = new_tune();
		const struct pf_finding *found;

		for (int64_t look = 0; look < 2; look++) {
			struct test_sample threads[8] = {{{cases[i].main, "main"}, {1, 0},
			    {{"tid", NULL, 1}, {"wait", cases[i].main, 0}}}};

			for (int64_t k = 1; k <= 6; k++)
				threads[k] = (struct test_sample){
				    {"recv", "next_event", "listen_topic"}, {1, 0},
				    {{"tid", NULL, 1 + k}, {"wait", "recv", 0},
					{"waited", NULL, look ? SECOND / 2 : cases[i].waited},
					{cases[i].peer ? "peer" : NULL, cases[i].peer, 0}}};
			add_commented(
			    tune, test_threads, threads, 0, 1000 + look, false, cases[i].comment);
		}
		add_labelled(tune, cpu, used, 10, 1000, false);
		run_tune(tune);
		found = find_finding(tune, "external-wait");
		assert_non_null(found);
		assert_int_equal(found->severity, cases[i].severity);
		assert_int_equal(found->confidence, cases[i].confidence);
		assert_non_null(strstr(pf_said(&tune->findings, found->title), "6 of 6 working"));
		pf_tune_free(tune);
	}
}

/*
 * One thread of a service, which asks a database whenever it is looked at; in other cases it has time for clients once,
 * the process listens for nobody, or it is a disk that is waited for.
 */
static void
one_thread_that_has_no_time_is_enough(void **state)
{
	static const char *const cpu[] = {"samples", "count", "cpu", "nanoseconds", NULL};
	static const struct test_sample used[] = {
	    {{"work", "start_thread"}, {50, SECOND / 2}, {{0}}}, {{NULL}, {0}, {{0}}}};
	static const struct {
		int64_t looks, resting; /* in one of which it waits for a client; -1: in none */
		const char *call, *peer, *comment;
		bool found;
	} cases[] = {
	    {6, -1, "recv", "server", "threads: the process listens for clients", true},
	    {6, 3, "recv", "server", "threads: the process listens for clients", false},
	    {3, -1, "recv", "server", "threads: the process listens for clients", false},
	    {6, -1, "recv", "server", "threads: the process listens for no clients", false},
	    {6, -1, "fsync", "file", "threads: the process listens for no clients", true},
	    {6, -1, "recv", NULL, "threads: the process listens for clients", false},
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_tune *tune = new_tune();
		const struct pf_finding *found;

		for (int64_t look = 0; look < cases[i].looks; look++) {
			bool rests = look == cases[i].resting;
			const char *call = rests ? "epoll_wait" : cases[i].call;
			const char *peer = rests ? "client" : cases[i].peer;
			const struct test_sample threads[] = {
			    {{call, "fetch", "main"}, {1, 0},
				{{"tid", NULL, 1}, {"wait", call, 0}, {"waited", NULL, SECOND / 10},
				    {peer ? "peer" : NULL, peer, 0}}},
			    {{"nanosleep", "tick", "start_thread"}, {1, 0},
				{{"tid", NULL, 2}, {"wait", "nanosleep", 0}}},
			    {{NULL}, {0}, {{0}}}};

			add_commented(
			    tune, test_threads, threads, 0, 1000 + look, false, cases[i].comment);
		}
		add_labelled(tune, cpu, used, 10, 1000, false);
		run_tune(tune);
		found = find_finding(tune, "external-wait");
		assert_int_equal(found != NULL, cases[i].found);
		if (found) {
			assert_int_equal(found->severity, PF_SEVERITY_MEDIUM);
			assert_int_equal(found->confidence, PF_CONFIDENCE_LOW);
		}
		pf_tune_free(tune);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(where_others_of_their_kind_are_idle_nobody_waits_for_them),
	    cmocka_unit_test(all_looks_say_who_is_idle),
	    cmocka_unit_test(looks_are_averaged),
	    cmocka_unit_test(few_that_never_have_time_are_found_beside_one_that_accepts),
	    cmocka_unit_test(who_hears_unasked_has_nothing_to_wait_for),
	    cmocka_unit_test(who_reads_from_helpers_in_a_process_without_clients_is_at_rest),
	    cmocka_unit_test(threads_of_a_service_without_clients_may_be_subscribers),
	    cmocka_unit_test(one_thread_that_has_no_time_is_enough),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
