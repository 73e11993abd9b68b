/* A circle of locks by a dump of goroutines: who holds one and waits for the other is named, however many wait. */
#include <time.h>

#include "support/tuned.h"
#include "tuner/detect.h"

static void
add_waiter(struct pf_buffer *b, int number, const char *state, const char *call, const char *lock,
    int line)
{
	pf_buffer_printf(b,
	    "goroutine %d [sync.Mutex.Lock%s]:\n"
	    "internal/sync.(*Mutex).lockSlow(%s)\n\t/usr/local/go/src/internal/sync/mutex.go:149 "
	    "+0x15d\n"
	    "sync.(*Mutex).Lock(...)\n\t/usr/local/go/src/sync/mutex.go:46\n"
	    "main.transfer(%s, 0x1)\n\t/src/main.go:%d +0x4d\n\n",
	    number, state, lock, call, line);
}

/* Those at the first lock's line hold nothing: who stands past it, with the locks the other way round, does. */
static void
who_is_past_the_first_lock_is_named(void **state)
{
	static const char *const states[] = {"", ", 1 minutes"};
	(void)state;

	for (size_t i = 0; i < 2; i++) {
		struct pf_tune *tune = new_tune();
		struct pf_buffer text = {.maximum = 1 << 16};
		const struct pf_finding *finding;
		const char *summary;

		add_waiter(&text, 24, states[i], "0xd07040, 0xd07050", "0xd07040", 22);
		add_waiter(&text, 9, states[i], "0xd07050, 0xd07040", "0xd07050", 22);
		add_waiter(&text, 26, states[i], "0xd07040, 0xd07050", "0xd07050", 25);
		add_waiter(&text, 5, states[i], "0xd07050, 0xd07040", "0xd07040", 25);
		add_waiter(&text, 33, states[i], "0xd07020, 0xd07030", "0xd07030", 25);
		add_waiter(&text, 34, states[i], "0xd07030, 0xd07020", "0xd07020", 25);
		add_written(tune, "dump", &text);
		run_tune(tune);
		finding = find_finding(tune, "deadlock");
		assert_non_null(finding);
		assert_int_equal(
		    finding->confidence, i ? PF_CONFIDENCE_HIGH : PF_CONFIDENCE_MEDIUM);
		summary = pf_said(&tune->findings, finding->summary);
		assert_non_null(strstr(summary, "Goroutine 26 in main.transfer (main.go:25) "));
		assert_non_null(strstr(summary, "Goroutine 5 "));
		pf_tune_free(tune);
	}
}

/* At the first lock nobody holds what the other waits for. */
static void
who_is_at_the_first_lock_is_no_party(void **state)
{
	struct pf_tune *tune = new_tune();
	struct pf_buffer text = {.maximum = 1 << 16};
	(void)state;

	add_waiter(&text, 24, "", "0xd07040, 0xd07050", "0xd07040", 22);
	add_waiter(&text, 9, "", "0xd07050, 0xd07040", "0xd07050", 22);
	add_waiter(&text, 26, "", "0xd07040, 0xd07060", "0xd07060", 25);
	add_written(tune, "dump", &text);
	run_tune(tune);
	assert_null(find_finding(tune, "deadlock"));
	pf_tune_free(tune);
}

enum { MANY = 5000 };

/* All at one lock; two locks that functions were passed; a lock of two functions; two locks of two functions. */
static void
add_one_of_many(struct pf_buffer *b, int shape, int i)
{
	bool odd = i % 2;

	switch (shape) {
	case 0:
		add_waiter(b, i, "", "0xd07040, 0xd07050", "0xd07040", 22);
		break;
	case 1:
		add_waiter(b, i, "", odd ? "0xd07040, 0xd07050" : "0xd07050, 0xd07040",
		    odd ? "0xd07040" : "0xd07050", 22);
		break;
	default:
		pf_buffer_printf(b,
		    "goroutine %d [sync.Mutex.Lock]:\n"
		    "internal/sync.(*Mutex).lockSlow(0xd0%s40)\n"
		    "\t/usr/local/go/src/internal/sync/mutex.go:149 +0x15d\n"
		    "sync.(*Mutex).Lock(...)\n\t/usr/local/go/src/sync/mutex.go:46\n"
		    "main.%s(0xd0%s40)\n\t/src/main.go:%d +0x4d\n"
		    "main.outer(0xd07040)\n\t/src/main.go:30 +0x4d\n\n",
		    i, odd && shape == 3 ? "80" : "70", odd ? "inner" : "outer",
		    odd && shape == 3 ? "80" : "70", odd ? 40 : 22);
	}
}

/* A busy lock is no deadlock, and is judged at once however many wait for it. */
static void
thousands_of_waiters_are_judged_at_once(void **state)
{
	(void)state;
	for (int shape = 0; shape < 4; shape++) {
		struct pf_tune *tune = new_tune();
		struct pf_buffer text = {.maximum = 1 << 23};
		struct pf_error err = {0};
		clock_t begun;

		for (int i = 1; i <= MANY; i++)
			add_one_of_many(&text, shape, i);
		/* Who holds it is at work, and the last that a search for such comes to. */
		pf_buffer_printf(&text,
		    "goroutine %d [runnable]:\nmain.%s(0xd07040)\n\t/src/main.go:50 +0x4d\n"
		    "main.outer(0xd07040)\n\t/src/main.go:30 +0x4d\n",
		    MANY + 1, shape < 2 ? "transfer" : "inner");
		assert_int_equal(pf_tune_add(tune, "dump", text.bytes, text.size, false, &err), 0);
		pf_buffer_release(&text);
		begun = clock();
		assert_int_equal(pf_detect_deadlock(&tune->evidence, &tune->findings, &err), 0);
		/* By pairs of all, each looked at among all, it takes minutes. */
		assert_true(clock() - begun < 2 * CLOCKS_PER_SEC);
		assert_null(find_finding(tune, "deadlock"));
		pf_tune_free(tune);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(who_is_past_the_first_lock_is_named),
	    cmocka_unit_test(who_is_at_the_first_lock_is_no_party),
	    cmocka_unit_test(thousands_of_waiters_are_judged_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
