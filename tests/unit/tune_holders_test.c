/* Who holds a lock, as far as the agent's profiles say it, who waits for it, and what holders do. */
#include <profuse/tune.h>

#include "support/labelled_profile.h"

#define SECOND INT64_C(1000000000)

static const char *
title(const struct pf_tune *tune)
{
	return pf_tune_finding_title(tune, 0);
}

static const char *
summary(const struct pf_tune *tune)
{
	return pf_said(&tune->findings, tune->findings.findings[0].summary);
}

static const char *
action(const struct pf_tune *tune, size_t i)
{
	const struct pf_findings *f = &tune->findings;

	assert_true(i < f->findings[0].advice_count);
	return pf_said(f, f->advices[f->findings[0].first_advice + i].action);
}

static double
number(const struct pf_tune *tune, const char *name)
{
	const struct pf_number *n = find_number(tune, &tune->findings.findings[0], name);

	return n ? n->value : -1;
}

static void
run_to_one(struct pf_tune *tune)
{
	run_tune(tune);
	assert_int_equal(pf_tune_finding_count(tune), 1);
	assert_string_equal(pf_tune_finding_kind(tune, 0), "lock-contention");
}

/* 20 s of waiting within 10, let go of by these. */
static void
add_holder(struct pf_tune *tune, const char *first, const char *second, const char *caller)
{
	const struct test_sample samples[] = {
	    {{"pthread_mutex_unlock", first, second, "start_thread"}, {1000, 20 * SECOND},
		{{"object", "mutex", 0}, {caller ? "caller" : NULL, caller, 0}}},
	    {{NULL}, {0}, {{0}}}};

	add_labelled(tune, test_waits, samples, 10, 1000, false);
}

static void
add_waiters(struct pf_tune *tune, const char *own, const char *second, const char *third)
{
	const struct test_sample samples[] = {{{"pthread_mutex_lock", own, second, third},
						  {200, 20 * SECOND}, {{"object", "mutex", 0}}},
	    {{NULL}, {0}, {{0}}}};

	add_labelled(tune, test_waits, samples, 10, 1000, false);
}

/* A look at threads: one that waits for a lock of the second's, which stands in this call of these functions. */
static void
add_look(
    struct pf_tune *tune, const char *const *holder, const char *word, const char *peer, int64_t at)
{
	const struct test_sample samples[] = {
	    {{"pthread_mutex_lock", "take", "work", "start_thread"}, {1, 0},
		{{"tid", NULL, 7}, {"wait", "mutex", 0}, {"waited", NULL, 1000000},
		    {"object", NULL, 4096}, {"holder", NULL, 8}}},
	    {{holder[0], holder[1], holder[2], holder[3]}, {1, 0},
		{{"tid", NULL, 8}, {"wait", word, 0}, {"waited", NULL, 2000000},
		    {peer ? "peer" : NULL, peer, 0}}},
	    {{NULL}, {0}, {{0}}}};

	add_labelled(tune, test_threads, samples, 0, at, false);
}

/* The agent knows by the code whether the stack shows who let go. */
static void
who_may_only_have_called_the_holder_is_not_named_as_it(void **state)
{
	static const struct {
		const char *caller, *title;
		enum pf_confidence confidence;
	} cases[] = {
	    {"known", "Others waited 20 s for locks that dispatch held", PF_CONFIDENCE_HIGH},
	    {"unknown",
		"Others waited 20 s for locks that dispatch, or a function that it called, held",
		PF_CONFIDENCE_MEDIUM}};
	(void)state;

	for (size_t i = 0; i < 2; i++) {
		struct pf_tune *tune = new_tune();

		add_holder(tune, "dispatch", "work", cases[i].caller);
		add_waiters(tune, "take", "work", "start_thread");
		run_to_one(tune);
		assert_string_equal(title(tune), cases[i].title);
		assert_int_equal(tune->findings.findings[0].confidence, cases[i].confidence);
		assert_int_equal(strstr(action(tune, 0), "in what it calls") != NULL, i == 1);
		assert_non_null(strstr(summary(tune), "take waited longest, 20 s in 200 waits"));
		pf_tune_free(tune);
	}
}

/* What was called by a pointer may be any number of calls further down; where the agent knows better, nobody guesses. */
static void
who_waits_below_a_call_by_pointer_is_the_holder(void **state)
{
	static const struct {
		const char *caller, *title;
	} cases[] = {{"unknown", "Others waited 20 s for locks that take held"},
	    {"known", "Others waited 20 s for locks that dispatch held"}};
	(void)state;

	for (size_t i = 0; i < 2; i++) {
		struct pf_tune *tune = new_tune();

		add_holder(tune, "dispatch", "work", cases[i].caller);
		add_waiters(tune, "take", "invoke", "dispatch");
		run_to_one(tune);
		assert_string_equal(title(tune), cases[i].title);
		pf_tune_free(tune);
	}
}

static void
looks_at_threads_show_where_holders_stand(void **state)
{
	static const char *const saves[] = {"nanosleep", "rest", "save_all", "work"},
				 *const elsewhere[] = {"nanosleep", "work", "start_thread", NULL};
	(void)state;

	for (int64_t known = 0; known < 2; known++) {
		struct pf_tune *tune = new_tune();

		add_holder(tune, "store", "work", "unknown");
		for (int64_t i = 0; i < 4; i++)
			add_look(
			    tune, known || i < 2 ? saves : elsewhere, "nanosleep", NULL, 1000 + i);
		run_to_one(tune);
		assert_int_equal(strstr(summary(tune), "In 4 of 4 looks") != NULL, known);
		assert_int_equal(
		    strstr(action(tune, 0), "Hold the lock in save_all for less") != NULL, known);
		pf_tune_free(tune);
	}
}

/* Whoever leads waits for a client with the lock in its hand, and the others for their turn. */
static void
followers_lose_nothing(void **state)
{
	static const char *const leads[] = {"accept", "take", "work", "start_thread"},
				 *const serves[] = {"pread", "take", "work", "start_thread"};
	(void)state;

	for (int i = 0; i < 3; i++) {
		struct pf_tune *tune = new_tune();

		add_holder(tune, "take", "work", "known");
		if (i != 1)
			add_look(tune, leads, "accept", "client", 1000);
		if (i != 0)
			add_look(tune, serves, "pread", "file", 1001);
		run_tune(tune);
		assert_int_equal(pf_tune_finding_count(tune), i != 0);
		pf_tune_free(tune);
	}
}

/* Whom a client keeps waiting while it sends under the lock, it keeps all others waiting. */
static void
sending_under_a_lock_is_no_rest(void **state)
{
	static const char *const sends[] = {"send", "take", "work", "start_thread"};
	struct pf_tune *tune = new_tune();
	(void)state;

	add_holder(tune, "take", "work", "known");
	add_look(tune, sends, "send", "client", 1000);
	run_tune(tune);
	assert_int_equal(pf_tune_finding_count(tune), 1);
	pf_tune_free(tune);
}

/*
 * A thread a connection, all of it in one function: most wait for their clients, also the one that had the lock
 * when the other began to wait; and another works under it now.
 */
static void
clients_that_rest_excuse_no_holder(void **state)
{
	(void)state;

	for (int64_t holder = 8; holder < 10; holder++) {
		const struct test_sample samples[] = {
		    {{"pthread_mutex_lock", "serve_one", "start_thread"}, {1, 0},
			{{"tid", NULL, 7}, {"wait", "mutex", 0}, {"holder", NULL, holder}}},
		    {{"read", "serve_one", "start_thread"}, {1, 0},
			{{"tid", NULL, 8}, {"wait", "read", 0}, {"peer", "client", 0}}},
		    {{"compute", "serve_one", "start_thread"}, {1, 0},
			{{"tid", NULL, 9}, {"wait", "running", 0}}},
		    {{"read", "serve_one", "start_thread"}, {1, 0},
			{{"tid", NULL, 10}, {"wait", "read", 0}, {"peer", "client", 0}}},
		    {{NULL}, {0}, {{0}}}};
		struct pf_tune *tune = new_tune();

		add_holder(tune, "serve_one", "start_thread", "known");
		for (int64_t i = 0; i < 6; i++)
			add_labelled(tune, test_threads, samples, 0, 1000 + i, false);
		run_to_one(tune);
		pf_tune_free(tune);
	}
}

/* Twelve that stand at a lock while the thirteenth waits for a client under it. */
static void
followers_that_stand_at_their_lock_are_none(void **state)
{
	(void)state;

	for (int idle = 0; idle < 2; idle++) {
		struct pf_tune *tune = new_tune();
		const struct test_sample samples[] = {
		    {{"pthread_mutex_lock", "take", "work", "start_thread"}, {12, 0},
			{{"wait", "mutex", 0}, {"holder", NULL, 8}}},
		    {{idle ? "accept" : "pread", "take", "work", "start_thread"}, {1, 0},
			{{"tid", NULL, 8}, {"wait", idle ? "accept" : "pread", 0}}},
		    {{NULL}, {0}, {{0}}}};

		add_labelled(tune, test_threads, samples, 0, 1000, false);
		run_tune(tune);
		assert_int_equal(pf_tune_finding_count(tune), !idle);
		if (!idle)
			assert_non_null(strstr(action(tune, 0), "Find out who holds the lock"));
		pf_tune_free(tune);
	}
}

/* Of a block profile alone, who waits is known, and not who is to hold it for less. */
static void
who_waits_is_not_told_to_hold_for_less(void **state)
{
	struct pf_tune *tune = new_tune();
	(void)state;

	add_waiters(tune, "publish", "work", "start_thread");
	run_to_one(tune);
	assert_string_equal(title(tune), "publish waited 20 s for locks");
	assert_null(strstr(action(tune, 0), "Hold the lock in publish"));
	assert_non_null(strstr(action(tune, 0), "Find out who holds the lock while publish waits"));
	pf_tune_free(tune);
}

/* 40,000 readers let go while one writer waits for its turn, 16 times; or waits still. */
static void
waits_are_those_of_the_block_profile(void **state)
{
	static const struct test_sample releases[] = {
	    {{"pthread_rwlock_unlock", "scan", "work", "start_thread"}, {40000, 16 * SECOND},
		{{"object", "rwlock", 0}, {"caller", "known", 0}}},
	    {{NULL}, {0}, {{0}}}};
	(void)state;

	for (int ended = 0; ended < 2; ended++) {
		const struct test_sample waits[] = {
		    {{"pthread_rwlock_wrlock", "publish", "work", "start_thread"},
			{ended ? 16 : 1, ended ? 16 * SECOND : SECOND}, {{"object", "rwlock", 0}}},
		    {{"pthread_rwlock_rdlock", "scan", "work", "start_thread"}, {184, SECOND / 100},
			{{"object", "rwlock", 0}}},
		    {{NULL}, {0}, {{0}}}};
		struct pf_tune *tune = new_tune();

		add_labelled(tune, test_waits, releases, 16, 1000, false);
		add_labelled(tune, test_waits, waits, 16, 1000, false);
		run_to_one(tune);
		assert_true(number(tune, "releases") == 40000);
		assert_true(number(tune, "waits") == (ended ? 200 : -1));
		if (ended) {
			assert_non_null(
			    strstr(summary(tune), "publish waited longest, 16 s in 16 waits"));
			assert_non_null(strstr(summary(tune), "readers take turns"));
			assert_non_null(strstr(action(tune, 1), "Let writers go first"));
		} else {
			assert_non_null(strstr(summary(tune), "waits still"));
		}
		pf_tune_free(tune);
	}
}

/* A writer whose wait has not ended in any profile of waits is found in the looks at threads. */
static void
a_writer_that_waits_still_is_found_by_looks(void **state)
{
	static const struct test_sample releases[] = {
	    {{"pthread_rwlock_unlock", "scan", "work", "start_thread"}, {16000, 9 * SECOND},
		{{"object", "rwlock", 0}, {"caller", "known", 0}}},
	    {{NULL}, {0}, {{0}}}};
	static const char *const calls[] = {"pthread_rwlock_wrlock", "pthread_rwlock_rdlock"};
	(void)state;

	for (size_t i = 0; i < 2; i++) {
		const struct test_sample waits[] = {{{"pthread_rwlock_rdlock", "scan", "work"},
							{1, 1000}, {{"object", "rwlock", 0}}},
		    {{NULL}, {0}, {{0}}}},
					 threads[] = {{{calls[i], "publish", "write_all"}, {1, 0},
							  {{"tid", NULL, 7}, {"wait", "rwlock", 0},
							      {"waited", NULL, 4 * SECOND}}},
					     {{NULL}, {0}, {{0}}}};
		struct pf_tune *tune = new_tune();

		add_labelled(tune, test_waits, releases, 8, 1000, false);
		add_labelled(tune, test_waits, waits, 8, 1000, false);
		add_labelled(tune, test_threads, threads, 0, 1001, false);
		run_to_one(tune);
		assert_int_equal(
		    strstr(summary(tune), "publish has waited 4 s to write") != NULL, i == 0);
		assert_int_equal(
		    strstr(summary(tune), "let go some 8000 times meanwhile") != NULL, i == 0);
		if (i == 0)
			assert_non_null(strstr(action(tune, 1), "Let writers go first"));
		pf_tune_free(tune);
	}
}

/* Readers behind a writer, of one lock or of two: only of one can a reader be in its own way. */
static void
a_reader_that_reads_again_behind_a_writer_is_suspected(void **state)
{
	(void)state;

	for (int64_t other = 0; other < 2; other++) {
		const struct test_sample threads[] = {
		    {{"pthread_rwlock_rdlock", "look_up", "report", "start_thread"}, {1, 0},
			{{"tid", NULL, 7}, {"wait", "rwlock", 0}, {"object", NULL, 4096},
			    {"waited", NULL, 18 * SECOND}}},
		    {{"pthread_rwlock_rdlock", "look_up", "serve", "start_thread"}, {1, 0},
			{{"tid", NULL, 8}, {"wait", "rwlock", 0}, {"object", NULL, 4096},
			    {"waited", NULL, 17 * SECOND}}},
		    {{"pthread_rwlock_wrlock", "replace", "start_thread"}, {1, 0},
			{{"tid", NULL, 9}, {"wait", "rwlock", 0},
			    {"object", NULL, 4096 + 64 * other}, {"waited", NULL, 19 * SECOND}}},
		    {{NULL}, {0}, {{0}}}};
		struct pf_tune *tune = new_tune();

		add_labelled(tune, test_threads, threads, 0, 1000, false);
		run_tune(tune);
		assert_int_equal(pf_tune_finding_count(tune), 1);
		assert_string_equal(pf_tune_finding_kind(tune, 0), "deadlock");
		assert_int_equal(
		    strstr(action(tune, 0), "holds the lock for reading already") != NULL,
		    other == 0);
		assert_int_equal(
		    strstr(action(tune, 0), "asks to write while it still reads") != NULL,
		    other == 1);
		if (other == 0)
			assert_non_null(
			    strstr(summary(tune), "2 threads wait to read and 1 to write"));
		pf_tune_free(tune);
	}
}

/* Of a disk, that is: who sleeps or waits for clients may do so without the lock. */
static void
what_is_done_under_a_lock_is_told(void **state)
{
	static const char *const calls[] = {"fsync", "nanosleep", "read"};
	(void)state;

	for (size_t i = 0; i < 3; i++) {
		const struct test_sample wall[] = {{{calls[i], "append", "work", "start_thread"},
						       {90, 4 * SECOND}, {{"wait", calls[i], 0}}},
		    {{"write", "append", "work", "start_thread"}, {10, SECOND},
			{{"wait", "write", 0}}},
		    {{"pthread_mutex_lock", "append", "work", "start_thread"}, {500, 20 * SECOND},
			{{"wait", "mutex", 0}}},
		    {{NULL}, {0}, {{0}}}};
		struct pf_tune *tune = new_tune();

		add_holder(tune, "append", "work", "known");
		add_labelled(tune, test_wall, wall, 10, 1000, false);
		run_to_one(tune);
		assert_int_equal(
		    strstr(summary(tune), "spend 80.0 % of that time in fsync") != NULL, i == 0);
		pf_tune_free(tune);
	}
}

/* Waits that have ended are of 0.1 s; one that has not is in no profile of them. */
static void
who_waits_still_for_far_longer_is_told(void **state)
{
	static const double stood[] = {6, 0.9};
	(void)state;

	for (size_t i = 0; i < 2; i++) {
		const struct test_sample look[] = {
		    {{"pthread_rwlock_rdlock", "read_config", "work", "start_thread"}, {1, 0},
			{{"tid", NULL, 7}, {"wait", "rwlock", 0},
			    {"waited", NULL, (int64_t)(stood[i] * SECOND)}}},
		    {{NULL}, {0}, {{0}}}};
		struct pf_tune *tune = new_tune();
		const struct pf_finding *finding;

		add_holder(tune, "dispatch", "work", "known");
		add_waiters(tune, "take", "work", "start_thread");
		add_labelled(tune, test_threads, look, 0, 1000, false);
		run_tune(tune);
		finding = find_finding(tune, "lock-contention");
		assert_non_null(finding);
		assert_int_equal(strstr(pf_said(&tune->findings, finding->summary),
				     "read_config had waited 6 s for a lock in one look") != NULL,
		    i == 0);
		pf_tune_free(tune);
	}
}

/* Looks know who holds, so what that one does is told whatever it is; for whom it waits, too. */
static void
what_the_holder_does_is_told_by_looks(void **state)
{
	static const struct {
		const char *call, *peer, *said;
		int64_t looks;
	} cases[] = {{"recv", "server",
			 "In 4 of 4 looks at all threads in which others waited, the only one that "
			 "was in append "
			 "without waiting for a lock was in recv, for another server's answer.",
			 4},
	    {"nanosleep", NULL, "without waiting for a lock was in nanosleep.", 4},
	    /* Two are too few, and on a processor is in no call. */
	    {"nanosleep", NULL, NULL, 2}, {"running", NULL, NULL, 4}};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *const holder[] = {cases[i].call, "append", "work", "start_thread"};
		struct pf_tune *tune = new_tune();

		add_holder(tune, "append", "work", "known");
		for (int64_t at = 0; at < cases[i].looks; at++)
			add_look(tune, holder, cases[i].call, cases[i].peer, 1000 + at);
		run_to_one(tune);
		if (cases[i].said)
			assert_non_null(strstr(summary(tune), cases[i].said));
		else
			assert_null(strstr(summary(tune), "without waiting for a lock"));
		pf_tune_free(tune);
	}
}

/* Of wall-clock time nobody knows who holds: for whom they wait say the looks. */
static void
a_servers_answer_under_a_lock_is_told(void **state)
{
	static const char *const peers[] = {"server", "client"};
	const struct test_sample wall[] = {
	    {{"recv", "append", "work", "start_thread"}, {90, 4 * SECOND}, {{"wait", "recv", 0}}},
	    {{"pthread_mutex_lock", "append", "work", "start_thread"}, {500, 20 * SECOND},
		{{"wait", "mutex", 0}}},
	    {{NULL}, {0}, {{0}}}};
	(void)state;

	for (size_t i = 0; i < 2; i++) {
		const struct test_sample look[] = {
		    {{"recv", "append", "work", "start_thread"}, {1, 0},
			{{"tid", NULL, 8}, {"wait", "recv", 0}, {"waited", NULL, 2000000},
			    {"peer", peers[i], 0}}},
		    {{NULL}, {0}, {{0}}}};
		struct pf_tune *tune = new_tune();

		add_holder(tune, "append", "work", "known");
		add_labelled(tune, test_wall, wall, 10, 1000, false);
		for (int64_t at = 0; at < 4; at++)
			add_labelled(tune, test_threads, look, 0, 1000 + at, false);
		run_to_one(tune);
		assert_int_equal(
		    strstr(summary(tune),
			"spend 100.0 % of that time in recv, for another server's answer") != NULL,
		    i == 0);
		pf_tune_free(tune);
	}
}

/*
 * One thread waits for the mutex of another, which waits to write, for as long: others that tick are no excuse. If
 * readers let such locks go meanwhile, nobody waits for ever.
 */
static void
who_waits_behind_a_writer_may_be_its_reader(void **state)
{
	static const struct test_sample releases[] = {
	    {{"pthread_rwlock_unlock", "scan", "work", "start_thread"}, {20, 2 * SECOND},
		{{"object", "rwlock", 0}, {"caller", "known", 0}}},
	    {{NULL}, {0}, {{0}}}};
	static const struct {
		int64_t waited;
		bool releases, found;
	} cases[] = {
	    {12 * SECOND, false, true}, {SECOND, false, false}, {12 * SECOND, true, false}};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct test_sample threads[] = {
		    {{"pthread_mutex_lock", "read_then_log", "start_thread"}, {1, 0},
			{{"tid", NULL, 7}, {"wait", "mutex", 0}, {"holder", NULL, 8},
			    {"waited", NULL, 12 * SECOND}}},
		    {{"pthread_rwlock_wrlock", "log_then_write", "start_thread"}, {1, 0},
			{{"tid", NULL, 8}, {"wait", "rwlock", 0},
			    {"waited", NULL, cases[i].waited}}},
		    {{"work", "tick", "start_thread"}, {1, 0},
			{{"tid", NULL, 9}, {"wait", "running", 0}}},
		    {{NULL}, {0}, {{0}}}};
		struct pf_tune *tune = new_tune();
		const struct pf_finding *found;

		add_labelled(tune, test_threads, threads, 0, 1000, false);
		if (cases[i].releases)
			add_labelled(tune, test_waits, releases, 10, 1000, false);
		run_tune(tune);
		found = find_finding(tune, "deadlock");
		assert_int_equal(found != NULL, cases[i].found);
		if (found)
			assert_int_equal(found->confidence, PF_CONFIDENCE_LOW);
		pf_tune_free(tune);
	}
}

/* A base of waiting has nothing to say about today's. */
static void
a_base_that_is_compared_with_nothing_is_told(void **state)
{
	static const struct test_sample waits[] = {
	    {{"pthread_mutex_lock", "take", "work", "start_thread"}, {200, 20 * SECOND},
		{{"object", "mutex", 0}}},
	    {{NULL}, {0}, {{0}}}};
	struct pf_tune *tune = new_tune();
	(void)state;

	add_labelled(tune, test_waits, waits, 10, 1000, true);
	add_labelled(tune, test_waits, waits, 10, 2000, false);
	run_tune(tune);
	assert_true(is_unjudged(tune, "with the base"));
	pf_tune_free(tune);
}

/* Of 20 s that the mutex profile has three quarters are for one holder's lock; waits of 24 s were counted. */
static void
a_locks_figures_are_of_one_profile(void **state)
{
	static const struct test_sample held[] = {
	    {{"pthread_mutex_unlock", "save", "start_thread"}, {750, 15 * SECOND},
		{{"object", "mutex", 0}, {"caller", "known", 0}}},
	    {{"pthread_mutex_unlock", "load", "start_thread"}, {250, 5 * SECOND},
		{{"object", "mutex", 0}, {"caller", "known", 0}}},
	    {{NULL}, {0}, {{0}}}};
	static const struct test_sample waits[] = {
	    {{"pthread_mutex_lock", "find", "start_thread"}, {200, 22 * SECOND},
		{{"object", "mutex", 0}}},
	    {{"pthread_mutex_lock", "save", "start_thread"}, {40, 2 * SECOND},
		{{"object", "mutex", 0}}},
	    {{NULL}, {0}, {{0}}}};
	struct pf_tune *tune = new_tune();
	(void)state;

	add_labelled(tune, test_waits, held, 10, 1000, false);
	add_labelled(tune, test_waits, waits, 10, 1000, false);
	run_to_one(tune);
	assert_string_equal(title(tune), "Others waited 18 s for locks that save held");
	assert_non_null(strstr(summary(tune),
	    "Of 24 s at all locks find waited longest, 22 s in 200 waits of 110 ms on average"));
	assert_true(number(tune, "waited") == 18);
	assert_true(number(tune, "waited_at_all_locks") == 24);
	assert_true(
	    number(tune, "waits_at_all_locks") * number(tune, "mean_wait_at_all_locks") == 24);
	assert_true(number(tune, "waiting_on_average_at_all_locks") == 2.4);
	pf_tune_free(tune);
}

/* A function that only unlocks held nothing: its caller did. One that waits, or works, is no such function. */
static void
who_calls_what_only_unlocks_is_the_holder(void **state)
{
	static const struct {
		const char *waits; /* the function that calls pthread_mutex_lock */
		int64_t inside;    /* seconds that it is seen to work before it unlocks */
		const char *owner;
	} cases[] = {{"enter", 0, "rebuild"}, {"leave", 0, "leave"}, {"enter", 4, "leave"}};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_tune *tune = new_tune();
		const struct test_sample wall[] = {{{"rebuild", "work", "start_thread"},
						       {500, 5 * SECOND}, {{"wait", "running", 0}}},
		    {{"leave", "rebuild", "work", "start_thread"},
			{400, cases[i].inside * SECOND + 1}, {{"wait", "running", 0}}},
		    {{"pthread_mutex_lock", cases[i].waits, "rebuild", "work"}, {900, 9 * SECOND},
			{{"wait", "mutex", 0}}},
		    {{NULL}, {0}, {{0}}}};
		char words[128];

		add_holder(tune, "leave", "rebuild", "known");
		add_waiters(tune, cases[i].waits, "rebuild", "work");
		add_labelled(tune, test_wall, wall, 10, 1000, false);
		run_to_one(tune);
		snprintf(words, sizeof words, "Others waited 20 s for locks that %s held",
		    cases[i].owner);
		assert_string_equal(title(tune), words);
		assert_int_equal(tune->findings.findings[0].confidence,
		    i ? PF_CONFIDENCE_HIGH : PF_CONFIDENCE_MEDIUM);
		assert_int_equal(tune->findings.findings[0].caveat_count, i ? 0 : 1);
		pf_tune_free(tune);
	}
}

/* What waits for a disk waits for no server. */
static void
a_disk_is_no_server(void **state)
{
	static const char *const syncs[] = {"fsync", "commit", "work", "start_thread"};
	struct pf_tune *tune = new_tune();
	(void)state;

	add_holder(tune, "commit", "work", "known");
	add_waiters(tune, "commit", "work", "start_thread");
	for (int64_t i = 0; i < 4; i++)
		add_look(tune, syncs, "fsync", "file", 1000 + i);
	run_to_one(tune);
	assert_non_null(strstr(summary(tune), "was in fsync"));
	assert_null(strstr(summary(tune), "another server"));
	pf_tune_free(tune);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(who_may_only_have_called_the_holder_is_not_named_as_it),
	    cmocka_unit_test(who_waits_below_a_call_by_pointer_is_the_holder),
	    cmocka_unit_test(looks_at_threads_show_where_holders_stand),
	    cmocka_unit_test(followers_lose_nothing),
	    cmocka_unit_test(sending_under_a_lock_is_no_rest),
	    cmocka_unit_test(clients_that_rest_excuse_no_holder),
	    cmocka_unit_test(followers_that_stand_at_their_lock_are_none),
	    cmocka_unit_test(who_waits_is_not_told_to_hold_for_less),
	    cmocka_unit_test(waits_are_those_of_the_block_profile),
	    cmocka_unit_test(a_locks_figures_are_of_one_profile),
	    cmocka_unit_test(a_writer_that_waits_still_is_found_by_looks),
	    cmocka_unit_test(a_reader_that_reads_again_behind_a_writer_is_suspected),
	    cmocka_unit_test(what_is_done_under_a_lock_is_told),
	    cmocka_unit_test(who_waits_still_for_far_longer_is_told),
	    cmocka_unit_test(what_the_holder_does_is_told_by_looks),
	    cmocka_unit_test(a_servers_answer_under_a_lock_is_told),
	    cmocka_unit_test(who_waits_behind_a_writer_may_be_its_reader),
	    cmocka_unit_test(a_base_that_is_compared_with_nothing_is_told),
	    cmocka_unit_test(who_calls_what_only_unlocks_is_the_holder),
	    cmocka_unit_test(a_disk_is_no_server),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
