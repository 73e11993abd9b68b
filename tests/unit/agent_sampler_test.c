/*
 * agent_sampler_test.c: the sampler inside this very process: real timers, real signals, a real
 * profile; signals given back; a slot table that overflows; memory that can't be read.
 */
#include "support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <profuse/profile.h>

#include "agent/burn.h"
#include "collect/agent/capture.h"
#include "collect/agent/files.h"
#include "collect/agent/host.h"
#include "collect/agent/sampler.h"
#include "collect/agent/symbols.h"

/* Uses CPU time while somebody must drive the sampler: in between, as the agent's thread would. */
static void
work(double seconds)
{
	int64_t next = 0;

	for (double done = 0; done < seconds; done += 0.01) {
		burn(0.01);
		if (pf_host_now() >= next)
			next = pf_sampler_tick(pf_host_now());
	}
}

static struct pf_profile *
close_window(enum pf_window window)
{
	struct pf_buffer raw = {.maximum = 64 << 20}, zipped = {.maximum = 64 << 20};
	struct pf_profile *profile;
	struct pf_error err = {0};

	assert_int_equal(pf_sampler_close(window, &raw), 0);
	assert_int_equal(pf_files_gzip(&raw, &zipped), 0);
	assert_true(zipped.size > 2 && zipped.bytes[0] == 0x1f && zipped.bytes[1] == 0x8b);
	if (pf_profile_parse(&profile, "agent", zipped.bytes, zipped.size, NULL, &err))
		fail_msg("%s", err.message);
	pf_buffer_release(&raw);
	pf_buffer_release(&zipped);
	return profile;
}

static void
a_profile_of_this_process_is_read_back(void **state)
{
	struct pf_profile *profile;
	struct sigaction after;
	(void)state;

	pf_host_init();
	assert_int_equal(
	    pf_sampler_open(PF_WINDOW_HTTP, (struct pf_event_wish){PF_EVENT_CPU, 0}), 0);
	assert_int_equal(
	    pf_sampler_open(PF_WINDOW_HTTP, (struct pf_event_wish){PF_EVENT_CPU, 0}), -EALREADY);
	assert_true(pf_sampler_running());
	work(0.5);
	profile = close_window(PF_WINDOW_HTTP);
	assert_false(pf_sampler_running());
	assert_int_equal(pf_profile_type_count(profile), 2);
	assert_string_equal(pf_profile_type_name(profile, 0), "samples");
	assert_string_equal(pf_profile_type_name(profile, 1), "cpu");
	assert_string_equal(pf_profile_type_unit(profile, 1), "nanoseconds");
	assert_int_equal(pf_profile_period(profile), 10000000);
	assert_true(pf_profile_sample_count(profile) > 0);
	assert_true(pf_profile_duration_nanos(profile) > 0);
	pf_profile_free(profile);
	sigaction(SIGPROF, NULL, &after);
	assert_true(after.sa_handler == SIG_DFL);
}

static void
two_windows_overlap(void **state)
{
	struct pf_profile *inner, *outer;
	(void)state;

	assert_int_equal(
	    pf_sampler_open(PF_WINDOW_FILE, (struct pf_event_wish){PF_EVENT_CPU, 0}), 0);
	work(0.2);
	assert_int_equal(
	    pf_sampler_open(PF_WINDOW_HTTP, (struct pf_event_wish){PF_EVENT_CPU, 0}), 0);
	work(0.2);
	inner = close_window(PF_WINDOW_HTTP);
	assert_true(pf_sampler_running());
	outer = close_window(PF_WINDOW_FILE);
	assert_false(pf_sampler_running());
	assert_true(pf_profile_duration_nanos(outer) > pf_profile_duration_nanos(inner));
	assert_true(pf_profile_sample_count(outer) > 0 && pf_profile_sample_count(inner) > 0);
	assert_int_equal(pf_sampler_close(PF_WINDOW_HTTP, NULL), -EINVAL);
	pf_profile_free(inner);
	pf_profile_free(outer);
}

static void
ignore_signal(int number)
{
	(void)number;
}

static void
a_host_s_signals_are_left_alone(void **state)
{
	struct pf_capture c;
	struct sigaction now;
	(void)state;

	assert_int_equal(pf_capture_open(&c, 1), 0);
	signal(SIGPROF, ignore_signal);
	assert_int_equal(pf_capture_hook(&c, false), 0);
	assert_int_equal(c.signal, SIGSTKFLT);
	pf_capture_unhook(&c);
	signal(SIGSTKFLT, ignore_signal);
	assert_int_equal(pf_capture_hook(&c, false), -EBUSY);
	assert_int_equal(pf_capture_hook(&c, true), 0);
	assert_true(c.signal > SIGRTMIN && c.signal < SIGRTMAX);
	assert_true(pf_capture_hooked(&c));
	signal(c.signal, ignore_signal); /* the host takes it over: it stays the host's */
	assert_false(pf_capture_hooked(&c));
	int taken = c.signal;
	pf_capture_unhook(&c);
	sigaction(taken, NULL, &now);
	assert_true(now.sa_handler == ignore_signal);
	signal(taken, SIG_DFL);
	signal(SIGPROF, SIG_DFL);
	signal(SIGSTKFLT, SIG_DFL);
	pf_capture_close(&c);
}

/* A signal as a timer of ours would send it to this thread. */
static void
send_sample(int number)
{
	siginfo_t info = {.si_signo = number, .si_code = SI_TIMER};

	info.si_value.sival_ptr = pf_capture_cookie(getpid());
	info.si_overrun = 2;
	syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), number, &info);
}

static void
a_full_table_counts_what_it_loses(void **state)
{
	struct pf_capture c;
	struct pf_slot *slot;
	size_t at = 0, ready = 0;
	(void)state;

	pf_host_init();
	assert_int_equal(pf_capture_open(&c, 1), 0);
	assert_int_equal(pf_capture_hook(&c, true), 0);
	errno = 77;
	for (size_t i = 0; i < c.slots.count + 5; i++)
		send_sample(c.signal);
	assert_int_equal(errno, 77); /* the handler leaves it as it was */
	raise(c.signal);
	assert_int_equal(c.foreign, 1); /* survived, and not counted as ours */
	pf_slots_gather(&c.slots);
	while ((slot = pf_slots_next(&c.slots, &at))) {
		assert_int_equal(slot->weight, 3);
		assert_int_equal(slot->thread, getpid());
		assert_true(slot->stack_size > 0);
		pf_slots_done(&c.slots, slot);
		ready++;
	}
	assert_int_equal(ready, c.slots.count);
	assert_int_equal(c.lost, 5 * 3);
	pf_capture_unhook(&c);
	pf_capture_close(&c);
}

static void
memory_that_is_not_there_reads_short(void **state)
{
	long page = sysconf(_SC_PAGESIZE);
	char *pages = mmap(
	    NULL, (size_t)page * 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char copy[8192];
	(void)state;

	assert_ptr_not_equal(pages, MAP_FAILED);
	memset(pages, 'x', (size_t)page);
	munmap(pages + page, (size_t)page);
	assert_int_equal(pf_host_read(copy, (uintptr_t)pages + (uintptr_t)page - 100, 200), 100);
	assert_int_equal(copy[99], 'x');
	assert_int_equal(pf_host_read(copy, 8, 8), 0);
	assert_int_equal(pf_host_read(copy, UINTPTR_MAX - 4, 8), 0);
	assert_false(pf_host_read_all(copy, (uintptr_t)pages + (uintptr_t)page - 4, 8));
	munmap(pages, (size_t)page);
}

static void
a_descriptor_that_was_replaced_is_not_closed(void **state)
{
	int pipes[2], other[2];
	struct pf_own_fd own;
	(void)state;

	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(pipe(other), 0);
	own = pf_own_fd_take(pipes[0]);
	assert_true(own.fd > 100);
	assert_true(pf_own_fd_valid(&own));
	assert_int_equal(dup2(other[0], own.fd), own.fd); /* the host takes the number */
	assert_false(pf_own_fd_valid(&own));
	int number = own.fd;
	pf_own_fd_close(&own);
	assert_int_equal(own.fd, -1);
	assert_true(fcntl(number, F_GETFD) >= 0); /* still open: it was not ours to close */
	close(number);
	close(pipes[1]);
	close(other[0]);
	close(other[1]);
}

static void
symbols_are_found_in_files_and_in_the_vdso(void **state)
{
	struct pf_query queries[3] = {{.address = (uintptr_t)work + 1}, {.address = 16},
	    {.address = (uintptr_t)pf_symbols_find + 2}};
	int named = 0;
	(void)state;

	pf_symbols_find(queries, 3);
	for (int i = 0; i < 3; i++) {
		if (queries[i].address == 16)
			assert_string_equal(queries[i].name, "");
		else
			named += !strcmp(queries[i].name,
			    queries[i].address == (uintptr_t)work + 1 ? "work" : "pf_symbols_find");
	}
	assert_int_equal(named, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_profile_of_this_process_is_read_back),
	    cmocka_unit_test(two_windows_overlap),
	    cmocka_unit_test(a_host_s_signals_are_left_alone),
	    cmocka_unit_test(a_full_table_counts_what_it_loses),
	    cmocka_unit_test(memory_that_is_not_there_reads_short),
	    cmocka_unit_test(a_descriptor_that_was_replaced_is_not_closed),
	    cmocka_unit_test(symbols_are_found_in_files_and_in_the_vdso),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
