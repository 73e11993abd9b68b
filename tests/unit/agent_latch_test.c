/* agent_latch_test.c: a latch that nobody gives back costs its waiters one wait, not one each time. */
#include "support/unit.h"

#include <pthread.h>

#include "collect/agent/host.h"
#include "collect/agent/latch.h"

#define SECOND INT64_C(1000000000)

static struct pf_latch latch;

static bool
take(void)
{
	struct pf_signals signals;
	bool taken;

	pf_signals_block(&signals);
	taken = pf_latch_take(&latch);
	pf_signals_restore(&signals);
	return taken;
}

static void
one_at_a_time(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_true(take());
		pf_latch_give(&latch);
	}
}

static void
left_behind_it_is_given_up(void **state)
{
	int64_t began;
	(void)state;

	assert_true(take());
	began = pf_host_now();
	assert_false(take());
	assert_true(pf_host_now() - began > 2 * SECOND);
	began = pf_host_now();
	for (int i = 0; i < 1000; i++)
		assert_false(take());
	assert_true(pf_host_now() - began < 2 * SECOND);
	pf_latch_give(&latch); /* so it was only held for long */
	one_at_a_time(state);
}

enum { THREADS = 4, TURNS = 100000 };

static long count;

static void *
count_up(void *unused)
{
	for (int i = 0; i < TURNS; i++) {
		if (!take())
			return &latch;
		count++;
		pf_latch_give(&latch);
	}
	return unused;
}

static void
threads_share_it(void **state)
{
	pthread_t threads[THREADS];
	void *result;
	(void)state;

	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count_up, NULL), 0);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_null(result);
	}
	assert_int_equal(count, THREADS * TURNS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_at_a_time),
	    cmocka_unit_test(left_behind_it_is_given_up),
	    cmocka_unit_test(threads_share_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
