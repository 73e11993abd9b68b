/*
 * agent_allocation_test.c: the N-th allocation fails while a profile is taken, for every N until none
 * does: an error or a valid profile, the signal given back, nothing left allocated.
 */
#include "support/unit.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <profuse/profile.h>

#include "collect/agent/capture.h"
#include "collect/agent/files.h"
#include "collect/agent/heap.h"
#include "collect/agent/heap_profile.h"
#include "collect/agent/host.h"
#include "collect/agent/sampler.h"
#include "collect/agent/idle.h"
#include "collect/agent/symbols.h"
#include "collect/agent/thread_profile.h"
#include "collect/agent/wait_profile.h"
#include "collect/agent/waits.h"
#include "support/failing_malloc.h"

/* A signal as a timer of the agent's would send it to this thread. */
__attribute__((noinline)) static void
send_sample(int depth)
{
	siginfo_t info = {.si_signo = SIGPROF, .si_code = SI_TIMER};

	if (depth > 0) {
		send_sample(depth - 1);
		return;
	}
	info.si_value.sival_ptr = pf_capture_cookie(getpid());
	syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), SIGPROF, &info);
}

/* One profile with a few samples; 0 and `out` is it, or what went wrong. */
static int
take_profile(struct pf_buffer *out)
{
	struct pf_buffer raw;
	int rc = pf_sampler_open(PF_WINDOW_HTTP, (struct pf_event_wish){PF_EVENT_CPU, 0});

	if (rc)
		return rc;
	for (int i = 0; i < 8; i++)
		send_sample(i);
	pf_sampler_tick(pf_host_now());
	pf_buffer_init(&raw, 1 << 20);
	rc = pf_sampler_close(PF_WINDOW_HTTP, &raw);
	if (!rc)
		rc = pf_files_gzip(&raw, out);
	pf_buffer_release(&raw);
	return rc;
}

static void
assert_types(const struct pf_buffer *bytes, size_t types)
{
	struct pf_profile *profile;
	struct pf_error err = {0};

	if (pf_profile_parse(&profile, "agent", bytes->bytes, bytes->size, NULL, &err))
		fail_msg("%s", err.message);
	assert_int_equal(pf_profile_type_count(profile), types);
	pf_profile_free(profile);
}

static void
a_profile_fails_or_is_whole(void **state)
{
	unsigned long n = 0, profiles = 0, failures = 0;
	struct pf_buffer out;
	struct sigaction after;
	(void)state;

	pf_host_init();
	do {
		pf_buffer_init(&out, 1 << 20);
		failing_malloc_arm(++n);
		int rc = take_profile(&out);
		bool fired = failing_malloc_fired();
		if (rc)
			assert_true(fired && (rc == -ENOMEM || rc == -EIO));
		*(rc ? &failures : &profiles) += 1;
		assert_false(pf_sampler_running());
		sigaction(SIGPROF, NULL, &after);
		assert_true(after.sa_handler == SIG_DFL);
		if (!fired)
			n = 0; /* done */
		struct pf_buffer copy = out;
		long live = failing_malloc_live() - (out.bytes != NULL);
		failing_malloc_arm(0);
		if (live != 0)
			fail_msg("%ld blocks left after allocation %lu failed", live, n);
		if (!rc)
			assert_types(&copy, 2);
		free(out.bytes);
	} while (n);
	assert_true(profiles > 1 && failures > 5);
}

/* What writes a profile of the sums, with a note to read first. */
static int
write_sums(
    bool waits, int (*write)(const struct pf_moment *, struct pf_buffer *), struct pf_buffer *out)
{
	static char *block = (char *)(uintptr_t)0x500000000000;
	struct pf_moment base = {0};
	int rc;

	pf_heap_take(block, 1000, 1, __builtin_return_address(0));
	pf_heap_freed(block);
	pf_thread_created(__builtin_return_address(0));
	rc = waits ? pf_waits_moment_take(&base) : pf_heap_moment_take(&base);
	if (!rc)
		rc = write(&base, out);
	if (!rc) {
		pf_buffer_clear(out);
		rc = write(NULL, out);
	}
	pf_moment_release(&base);
	return rc;
}

static void
profiles_of_sums_fail_or_are_whole(void **state)
{
	static const struct {
		int (*write)(const struct pf_moment *, struct pf_buffer *);
		bool waits;
		size_t types;
	} writers[] = {{pf_heap_write, false, 4}, {pf_heap_write_allocs, false, 4},
	    {pf_heap_write_frees, false, 2}, {pf_mutex_write, true, 2}, {pf_block_write, true, 2},
	    {pf_threadcreate_write, true, 1}};
	(void)state;

	pf_host_init();
	assert_int_equal(pf_heap_start(PF_HEAP_PERIOD), 0);
	assert_int_equal(pf_waits_start(), 0);
	for (size_t i = 0; i < sizeof writers / sizeof *writers; i++) {
		unsigned long n = 0, failures = 0;
		bool fired = true;
		while (fired) {
			struct pf_buffer out;
			int rc = 0;
			/* First what the notes of this very stack need for good. */
			for (int turn = 0; turn < 2; turn++) {
				pf_buffer_init(&out, 1 << 20);
				if (turn)
					failing_malloc_arm(++n);
				rc = write_sums(writers[i].waits, writers[i].write, &out);
				if (!turn)
					pf_buffer_release(&out);
			}
			fired = failing_malloc_fired();
			long live = failing_malloc_live() - (out.bytes != NULL);
			failing_malloc_arm(0);
			if (live != 0)
				fail_msg("%ld blocks left after allocation %lu failed", live, n);
			assert_true(rc == 0 || (fired && rc == -ENOMEM));
			failures += rc != 0;
			if (!rc)
				assert_types(&out, writers[i].types);
			pf_buffer_release(&out);
		}
		assert_true(failures >= 5);
	}
	pf_heap_stop();
	pf_waits_stop();
}

static int
write_wall(struct pf_buffer *out)
{
	int rc = pf_wall_open();

	if (rc)
		return rc;
	pf_wall_tick(pf_host_now() + 1000000000);
	return pf_wall_close(out);
}

static int
write_text(struct pf_buffer *out)
{
	return pf_threads_write_text(2, out);
}

static void
looks_at_threads_fail_or_are_whole(void **state)
{
	static int (*const writers[])(struct pf_buffer *) = {
	    pf_threads_write, write_wall, write_text};
	struct sigaction after;
	(void)state;

	pf_host_init();
	pf_idle_look(pf_host_now());
	for (size_t i = 0; i < sizeof writers / sizeof *writers; i++) {
		unsigned long n = 0, failures = 0;
		bool fired = true;
		while (fired) {
			struct pf_buffer out;
			pf_buffer_init(&out, 1 << 20);
			failing_malloc_arm(++n);
			int rc = writers[i](&out);
			fired = failing_malloc_fired();
			long live = failing_malloc_live() - (out.bytes != NULL);
			failing_malloc_arm(0);
			if (live != 0)
				fail_msg("%ld blocks left after allocation %lu failed", live, n);
			assert_true(rc == 0 || (fired && (rc == -ENOMEM || rc == -EIO)));
			failures += rc != 0;
			if (!rc && writers[i] != write_text)
				assert_types(&out, writers[i] == write_wall ? 2 : 1);
			sigaction(SIGPROF, NULL, &after);
			assert_true(after.sa_handler == SIG_DFL);
			pf_buffer_release(&out);
		}
		assert_true(failures >= 3);
	}
	pf_idle_release();
}

static void
symbols_fail_without_a_trace(void **state)
{
	struct pf_query query = {.address = (uintptr_t)send_sample + 1};
	unsigned long n = 0;
	bool fired;
	(void)state;

	do {
		failing_malloc_arm(++n);
		pf_symbols_find(&query, 1);
		fired = failing_malloc_fired();
		assert_int_equal(failing_malloc_live(), 0);
		if (!fired)
			assert_string_equal(query.name, "send_sample");
	} while (fired);
	failing_malloc_arm(0);
	assert_true(n > 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_profile_fails_or_is_whole),
	    cmocka_unit_test(profiles_of_sums_fail_or_are_whole),
	    cmocka_unit_test(looks_at_threads_fail_or_are_whole),
	    cmocka_unit_test(symbols_fail_without_a_trace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
