/*
 * What threads of C wait for, as the agent's profiles tell it of a program without names (tests/quality/tuner/waiters.c):
 * waiting for work is healthy, waiting for a lock is not; by agents that name their own frames, and by older ones
 * whose labels must do.
 */
#include <profuse/tune.h>

#include "profile/encode.h"
#include "support/read_fixture.h"
#include "tuner/code.h"
#include "tuner/tune.h"

static struct pf_tune *
new_tune(void)
{
	struct pf_tune *tune;
	struct pf_error err = {0};

	assert_int_equal(pf_tune_new(&tune, NULL, &err), 0);
	return tune;
}

static struct pf_profile *
read_profile(const char *fixture)
{
	struct pf_buffer bytes = read_fixture(fixture);
	struct pf_error err = {0};
	struct pf_profile *p;

	if (pf_profile_parse(&p, fixture, bytes.bytes, bytes.size, NULL, &err))
		fail_msg("%s: %s", fixture, err.message);
	pf_buffer_release(&bytes);
	return p;
}

static void
add(struct pf_tune *tune, const struct pf_profile *p)
{
	struct pf_buffer out = {.maximum = 1 << 20};
	struct pf_error err = {0};

	assert_int_equal(pf_profile_encode(p, &out, &err), 0);
	if (pf_tune_add(tune, "profile", out.bytes, out.size, false, &err))
		fail_msg("%s", err.message);
	pf_buffer_release(&out);
}

static void
add_fixture(struct pf_tune *tune, const char *fixture)
{
	struct pf_profile *p = read_profile(fixture);

	add(tune, p);
	pf_profile_free(p);
}

static void
run(struct pf_tune *tune)
{
	struct pf_error err = {0};

	if (pf_tune_run(tune, &err))
		fail_msg("%s", err.message);
}

static void
expect_none(struct pf_tune *tune)
{
	run(tune);
	if (pf_tune_finding_count(tune))
		fail_msg("%s: %s", pf_tune_finding_kind(tune, 0), pf_tune_finding_title(tune, 0));
	pf_tune_free(tune);
}

/* One finding of this kind whose title begins so. */
static void
expect(struct pf_tune *tune, const char *kind, const char *title)
{
	run(tune);
	assert_int_equal(pf_tune_finding_count(tune), 1);
	assert_string_equal(pf_tune_finding_kind(tune, 0), kind);
	if (strncmp(pf_tune_finding_title(tune, 0), title, strlen(title)) != 0)
		fail_msg("%s", pf_tune_finding_title(tune, 0));
	pf_tune_free(tune);
}

static void
threads_that_wait_for_work_wait_for_no_lock(void **state)
{
	static const char *const healthy[][2] = {{"tune/pool/block.pb.gz", "tune/pool/mutex.pb.gz"},
	    {"tune/pool-older/block.pb.gz", "tune/pool-older/mutex.pb.gz"}};
	(void)state;

	for (size_t i = 0; i < sizeof healthy / sizeof *healthy; i++) {
		struct pf_tune *tune = new_tune();
		add_fixture(tune, healthy[i][0]);
		add_fixture(tune, healthy[i][1]);
		expect_none(tune);
	}
}

static void
threads_that_wait_for_a_lock_are_found(void **state)
{
	static const struct {
		const char *fixture, *title;
	} contended[] = {{"tune/contended/block.pb.gz", "[waiters] waited "},
	    {"tune/contended/mutex.pb.gz", "Others waited "},
	    {"tune/contended-older/block.pb.gz", ""},
	    {"tune/contended-older/mutex.pb.gz", "Others waited "}};
	(void)state;

	for (size_t i = 0; i < sizeof contended / sizeof *contended; i++) {
		struct pf_tune *tune = new_tune();
		add_fixture(tune, contended[i].fixture);
		expect(tune, "lock-contention", contended[i].title);
	}
}

/* The pool's many long waits beside the lock's: only the lock's count. */
static void
what_waits_for_work_is_not_added_to_a_lock(void **state)
{
	struct pf_tune *tune = new_tune();
	struct pf_profile *p = read_profile("tune/pool/block.pb.gz");
	struct pf_error err = {0};
	uint32_t id;
	(void)state;

	/* A hundredth of it, at a lock: too little. */
	assert_int_equal(p->sample_count, 1);
	for (size_t i = 0; i < p->function_count; i++) {
		const char *name = pf_profile_string(p, p->functions[i].name);
		if (strcmp(name, "pthread_cond_wait") != 0)
			continue;
		assert_int_equal(
		    pf_strings_add(&p->strings, "pthread_mutex_lock", 18, &id, &err), 0);
		p->functions[i].name = id;
	}
	for (size_t i = 0; i < p->type_count; i++)
		p->values[i] /= 10000;
	add_fixture(tune, "tune/pool/block.pb.gz");
	add(tune, p);
	pf_profile_free(p);
	expect_none(tune);
}

/* Neither names nor labels: it may be anything, so nothing is said. */
static void
waits_for_who_knows_what_are_no_finding(void **state)
{
	static const char *const unknown[] = {"tune/pool-older/block.pb.gz",
	    "tune/contended-older/block.pb.gz", "tune/contended-older/mutex.pb.gz"};
	(void)state;

	for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
		struct pf_tune *tune = new_tune();
		struct pf_profile *p = read_profile(unknown[i]);
		memset(p->label_starts, 0, (p->sample_count + 1) * sizeof *p->label_starts);
		p->label_count = 0;
		add(tune, p);
		pf_profile_free(p);
		expect_none(tune);
	}
}

/* `times` as many threads as the fixture has, in one snapshot taken at `seconds`. */
static void
add_threads(struct pf_tune *tune, const char *fixture, int64_t times, int64_t seconds)
{
	struct pf_profile *p = read_profile(fixture);

	for (size_t i = 0; i < p->sample_count * p->type_count; i++)
		p->values[i] *= times;
	p->time_nanos = seconds * 1000000000;
	add(tune, p);
	pf_profile_free(p);
}

static void
a_pool_is_no_leak(void **state)
{
	static const char *const pools[] = {
	    "tune/pool/threads.pb.gz", "tune/pool-older/threads.pb.gz"};
	(void)state;

	for (size_t i = 0; i < sizeof pools / sizeof *pools; i++) {
		struct pf_tune *tune = new_tune();
		add_threads(tune, pools[i], 1, 1000);
		expect_none(tune);
	}
}

/* Of main, which sleeps, and 300 that wait for work, nothing is told but what each does. */
static void
threads_that_sleep_are_told_of_those_that_sleep(void **state)
{
	struct pf_tune *tune = new_tune();
	const struct pf_evidence_stack *shown;
	const struct pf_findings *f = &tune->findings;
	(void)state;

	add_threads(tune, "tune/stuck/threads.pb.gz", 1, 1000);
	run(tune);
	assert_int_equal(pf_tune_finding_count(tune), 1);
	assert_string_equal(pf_tune_finding_title(tune, 0), "601 threads are asleep in [waiters]");
	shown = &f->stacks[f->findings[0].first_stack];
	assert_int_equal(f->findings[0].stack_count, 2);
	assert_true(shown[0].value == 600 && shown[1].value == 1);
	pf_tune_free(tune);
}

static void
thousands_that_sleep_are_severe(void **state)
{
	struct pf_tune *tune = new_tune();
	(void)state;

	add_threads(tune, "tune/stuck/threads.pb.gz", 8, 1000);
	run(tune);
	assert_int_equal(pf_tune_finding_count(tune), 1);
	assert_int_equal(tune->findings.findings[0].severity, PF_SEVERITY_HIGH);
	assert_int_equal(tune->findings.findings[0].confidence, PF_CONFIDENCE_HIGH);
	pf_tune_free(tune);
}

/* One snapshot of very many can't tell; a series of them can. */
static void
a_pool_of_very_many_is_unsure_until_a_series_shows_it(void **state)
{
	struct pf_tune *tune = new_tune();
	(void)state;

	add_threads(tune, "tune/pool/threads.pb.gz", 5, 1000);
	run(tune);
	assert_int_equal(pf_tune_finding_count(tune), 1);
	assert_string_equal(pf_tune_finding_title(tune, 0),
	    "1500 threads are waiting for another thread in [waiters]");
	assert_int_equal(tune->findings.findings[0].severity, PF_SEVERITY_MEDIUM);
	assert_int_equal(tune->findings.findings[0].confidence, PF_CONFIDENCE_LOW);
	pf_tune_free(tune);

	tune = new_tune();
	for (int64_t i = 0; i < 6; i++)
		add_threads(tune, "tune/pool/threads.pb.gz", 5, 1000 + 60 * i);
	expect_none(tune);
}

static void
threads_that_become_more_are_a_leak(void **state)
{
	struct pf_tune *tune = new_tune();
	(void)state;

	for (int64_t i = 0; i < 6; i++)
		add_threads(tune, "tune/pool/threads.pb.gz", 1 + i, 1000 + 60 * i);
	expect(tune, "thread-leak",
	    "1806 threads are waiting for another thread in [waiters], and "
	    "they become more");
}

/* Who created the pool is no leak either, as long as they are all there. */
static void
threads_that_were_created_and_live_are_judged_by_what_they_do(void **state)
{
	struct pf_profile *p = read_profile("tune/threads/threadcreate.pb.gz");
	struct pf_tune *tune = new_tune();
	(void)state;

	/* As if the pool's program had created them. */
	assert_int_equal(
	    pf_strings_add(&p->strings, "/waiters", 8, &p->mappings[0].filename, NULL), 0);
	add(tune, p);
	add_threads(tune, "tune/pool/threads.pb.gz", 900, 1000);
	run(tune);
	for (size_t i = 0; i < pf_tune_finding_count(tune); i++)
		assert_null(strstr(pf_tune_finding_title(tune, i), "created"));
	pf_tune_free(tune);

	tune = new_tune();
	add(tune, p);
	add_threads(tune, "tune/pool/threads.pb.gz", 1, 1000);
	run(tune);
	assert_int_equal(pf_tune_finding_count(tune), 1);
	assert_non_null(strstr(pf_tune_finding_title(tune, 0), "created"));
	pf_profile_free(p);
	pf_tune_free(tune);
}

static void
calls_are_known_by_what_they_wait_for(void **state)
{
	static const char *const locks[] = {"pthread_mutex_lock", "pthread_mutex_timedlock",
	    "pthread_mutex_clocklock", "pthread_rwlock_rdlock", "pthread_rwlock_wrlock",
	    "pthread_rwlock_timedrdlock", "pthread_rwlock_clockwrlock", "__pthread_rwlock_rdlock"},
				 *const unlocks[] = {"pthread_mutex_unlock",
				     "pthread_rwlock_unlock", "__pthread_rwlock_unlock",
				     "___pthread_rwlock_unlock"},
				 *const others[] = {"pthread_cond_wait", "pthread_cond_timedwait",
				     "pthread_cond_clockwait", "__pthread_cond_wait",
				     "___pthread_cond_clockwait64", "sem_wait", "sem_timedwait",
				     "sem_clockwait", "pthread_join"};
	(void)state;

	for (size_t i = 0; i < sizeof locks / sizeof *locks; i++)
		assert_true(pf_code_traits(locks[i], "") & PF_CODE_LOCK_WAIT);
	for (size_t i = 0; i < sizeof unlocks / sizeof *unlocks; i++)
		assert_int_equal(pf_code_traits(unlocks[i], ""), PF_CODE_LOCK | PF_CODE_LIBRARY);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		assert_int_equal(pf_code_traits(others[i], ""), PF_CODE_CHANNEL | PF_CODE_LIBRARY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(threads_that_wait_for_work_wait_for_no_lock),
	    cmocka_unit_test(threads_that_wait_for_a_lock_are_found),
	    cmocka_unit_test(what_waits_for_work_is_not_added_to_a_lock),
	    cmocka_unit_test(waits_for_who_knows_what_are_no_finding),
	    cmocka_unit_test(a_pool_is_no_leak),
	    cmocka_unit_test(threads_that_sleep_are_told_of_those_that_sleep),
	    cmocka_unit_test(thousands_that_sleep_are_severe),
	    cmocka_unit_test(a_pool_of_very_many_is_unsure_until_a_series_shows_it),
	    cmocka_unit_test(threads_that_become_more_are_a_leak),
	    cmocka_unit_test(threads_that_were_created_and_live_are_judged_by_what_they_do),
	    cmocka_unit_test(calls_are_known_by_what_they_wait_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
