/* Allocators' statistics, as a program with four producers and four consumers left them. */
#include <math.h>

#include "runtime/allocator.h"
#include "support/read_fixture.h"

static void
parse_fixture(struct pf_allocator_stats *s, const char *name)
{
	struct pf_buffer bytes = read_fixture(name);
	struct pf_error err = {0};

	if (pf_allocator_parse(s, name, bytes.bytes, bytes.size, &err))
		fail_msg("%s", err.message);
	pf_buffer_release(&bytes);
}

static void
malloc_info_gives_arenas_free_memory_and_what_trimming_returns(void **state)
{
	struct pf_allocator_stats s, m;
	(void)state;

	parse_fixture(&s, "runtime/glibc.malloc_info.xml");
	assert_int_equal(s.allocator, PF_ALLOCATOR_GLIBC);
	assert_true(s.arenas == 9);
	assert_true(s.mapped == 88756224 && s.free_bytes == 82752074);
	assert_true(s.in_use == 88756224 - 82752074);
	assert_true(s.mmapped == 0 && s.peak_committed == 113500160);
	/* The program then had malloc_trim() give back 75,776 KiB of 87,720. */
	assert_near(s.releasable, 75776 * 1024.0, 0.02 * 75776 * 1024);
	parse_fixture(&m, "runtime/glibc.mallinfo2.txt");
	assert_int_equal(m.allocator, PF_ALLOCATOR_GLIBC);
	assert_true(m.mapped == s.mapped && m.in_use == 6001200);
	assert_near(m.free_bytes, s.free_bytes, 4096);
	assert_near(m.releasable, s.releasable, 0.1 * s.releasable);
}

static void
both_forms_of_jemalloc_say_the_same(void **state)
{
	struct pf_allocator_stats json, text;
	(void)state;

	parse_fixture(&json, "runtime/jemalloc.json");
	parse_fixture(&text, "runtime/jemalloc.txt");
	assert_int_equal(json.allocator, PF_ALLOCATOR_JEMALLOC);
	assert_int_equal(text.allocator, PF_ALLOCATOR_JEMALLOC);
	assert_string_equal(json.version, text.version);
	assert_true(strncmp(json.version, "5.3.0", 5) == 0);
	assert_true(json.in_use == 7700336 && json.active == 14409728);
	assert_true(text.active == json.active && text.resident == json.resident);
	assert_true(json.releasable == 16865 * 4096.0 && text.releasable == json.releasable);
	assert_near(json.resident - json.releasable, json.active + json.metadata, 1 << 20);
	assert_true(json.thread_cached == 72768 && text.thread_cached == 72768);
	assert_true(json.purges == 17 && text.purges == 17);
	assert_string_equal(pf_allocator_setting(&json, "opt.dirty_decay_ms"), "10000");
	assert_string_equal(pf_allocator_setting(&text, "opt.dirty_decay_ms"), "10000");
	assert_string_equal(pf_allocator_setting(&json, "opt.background_thread"), "false");
	assert_string_equal(pf_allocator_setting(&text, "opt.metadata_thp"), "disabled");
	assert_null(pf_allocator_setting(&json, "opt.absent"));
	assert_true(json.background_threads == 0 && text.background_threads == 0);
	/* jemalloc 5.3 gives the counters of mutexes in JSON under wrong names; here, without those of bins. */
	assert_true(json.locks > 0 && text.locks >= json.locks);
	assert_true(json.lock_waits <= text.lock_waits && text.lock_waits < 0.01 * text.locks);
	assert_true(isnan(json.lock_wait_seconds) && text.lock_wait_seconds >= 0);
	assert_near(json.uptime_seconds, text.uptime_seconds, 0.1);
}

/* Redis has one arena: no sums of all are printed, and its first is all there is. */
static void
the_only_arena_of_jemalloc_is_read(void **state)
{
	struct pf_allocator_stats s;
	(void)state;

	parse_fixture(&s, "runtime/redis.jemalloc.txt");
	assert_true(s.releasable == 79635 * 4096.0 && s.thread_cached == 2385192);
	assert_true(s.background_threads == 1);
	/* One leaf of 2 MiB, 8 bytes of it written for every page. */
	assert_true(s.metadata_unwritten == (2 << 20) - (s.mapped + s.retained) / 4096 * 8);
}

/* "…     34180     360399982931896842015       379999982 …": total_wait_ns and its rate touch. */
static void
jemallocs_text_tells_how_long_locks_were_waited_for(void **state)
{
	struct pf_allocator_stats s;
	(void)state;

	parse_fixture(&s, "tune/one-arena-stats/jemalloc.txt");
	assert_true(s.lock_waits == 9329);
	assert_near(s.lock_wait_seconds, 39.2320, 0.001);
	assert_near(s.uptime_seconds, 9.3800, 0.001);
}

static void
gperftools_free_list_is_what_a_release_returns(void **state)
{
	struct pf_allocator_stats s;
	(void)state;

	parse_fixture(&s, "runtime/tcmalloc.txt");
	assert_int_equal(s.allocator, PF_ALLOCATOR_TCMALLOC);
	assert_true(s.in_use == 4825368 && s.releasable == 50995200);
	assert_true(s.central_cached == 7345992 + 12324352 && s.thread_cached == 6560);
	assert_true(s.resident == 78118912 && s.metadata == 2621440 && s.threads == 2);
}

static void
mimalloc_says_what_is_committed_and_nothing_of_a_release(void **state)
{
	struct pf_allocator_stats s;
	(void)state;

	parse_fixture(&s, "runtime/mimalloc.txt");
	assert_int_equal(s.allocator, PF_ALLOCATOR_MIMALLOC);
	assert_near(s.resident, 161.5 * 1048576, 1);
	assert_near(s.peak_committed, 233.1 * 1048576, 1);
	assert_true(isnan(s.releasable) && isnan(s.in_use));
}

/* Every prefix is an error or, once all that is needed is there, the same answer; nothing in between. */
static void
what_is_cut_off_is_refused_or_whole(void **state)
{
	static const char *const names[] = {"runtime/glibc.malloc_info.xml",
	    "runtime/jemalloc.json", "runtime/jemalloc.txt", "runtime/tcmalloc.txt",
	    "runtime/mimalloc.txt"};
	(void)state;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct pf_buffer bytes = read_fixture(names[i]);
		struct pf_allocator_stats whole, part;
		size_t step = bytes.size / 97 + 1;

		parse_fixture(&whole, names[i]);
		for (size_t size = 0; size < bytes.size; size += step) {
			struct pf_error err = {0};
			int rc = pf_allocator_parse(&part, names[i], bytes.bytes, size, &err);
			if (rc == 0)
				assert_true(isnan(whole.in_use) || part.in_use == whole.in_use);
			else
				assert_int_equal(rc, PF_EINPUT);
		}
		pf_buffer_release(&bytes);
	}
}

static void
what_is_no_statistic_is_refused_by_name(void **state)
{
	struct pf_allocator_stats s;
	struct pf_error err = {0};
	(void)state;

	assert_int_equal(pf_allocator_parse(&s, "x.txt", "hello", 5, &err), PF_EINPUT);
	assert_message_has(err, "x.txt: no allocator's statistics");
	assert_int_equal(pf_allocator_parse(&s, "x", "{\"jemalloc\":{}}", 15, &err), PF_EINPUT);
	assert_int_equal(pf_allocator_parse(&s, "x", "{\"jemalloc\":[", 13, &err), PF_EINPUT);
	assert_int_equal(pf_allocator_parse(&s, "x", "uordblks x\n", 11, &err), PF_EINPUT);
	assert_message_has(err, "line 1");
	assert_int_equal(
	    pf_allocator_parse(&s, "x",
		"<malloc version=\"1\"><heap nr=\"0\"><total type=\"rest\" size=\"-1\"/>", 64,
		&err),
	    PF_EINPUT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(malloc_info_gives_arenas_free_memory_and_what_trimming_returns),
	    cmocka_unit_test(both_forms_of_jemalloc_say_the_same),
	    cmocka_unit_test(the_only_arena_of_jemalloc_is_read),
	    cmocka_unit_test(jemallocs_text_tells_how_long_locks_were_waited_for),
	    cmocka_unit_test(gperftools_free_list_is_what_a_release_returns),
	    cmocka_unit_test(mimalloc_says_what_is_committed_and_nothing_of_a_release),
	    cmocka_unit_test(what_is_cut_off_is_refused_or_whole),
	    cmocka_unit_test(what_is_no_statistic_is_refused_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
