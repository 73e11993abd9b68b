/* What Go's runtime says of itself, from three kinds of sources. */
#include <math.h>

#include "runtime/go_stats.h"
#include "support/read_fixture.h"

static void
memstats_are_read_from_a_heap_profile(void **state)
{
	struct pf_buffer bytes = read_fixture("runtime/go-leak.debug1");
	struct pf_go_stats s;
	struct pf_error err = {0};
	(void)state;

	pf_go_stats_init(&s);
	assert_true(pf_go_memstats_recognise(bytes.bytes, bytes.size));
	assert_int_equal(pf_go_memstats_parse(&s, "heap", bytes.bytes, bytes.size, &err), 0);
	assert_true(s.heap_alloc == 9852400 && s.total_alloc == 28875040 && s.sys == 21600520);
	assert_true(s.heap_objects == 4321 && s.stack == 393216 && s.next_gc == 17252922);
	assert_true(s.cycles == 9 && s.forced_cycles == 8);
	assert_near(s.last_gc, 1795645527.129392, 1e-3);
	assert_near(s.pause_max, 246770e-9, 1e-12);
	assert_near(s.pause_total, 1.399669e-3, 1e-9);
	assert_true(isnan(s.live) && isnan(s.goroutines) && isnan(s.pause_p99));
	/* Cut off before the last figures that are needed: an error, not a guess. */
	assert_int_equal(
	    pf_go_memstats_parse(&s, "heap", bytes.bytes, bytes.size / 2, &err), PF_EINPUT);
	pf_buffer_release(&bytes);
}

static void
read_metrics(struct pf_go_stats *s, const char *name)
{
	struct pf_buffer bytes = read_fixture(name);
	struct pf_exposition e;
	struct pf_error err = {0};

	pf_go_stats_init(s);
	if (pf_exposition_parse(&e, name, bytes.bytes, bytes.size, &err) ||
	    pf_go_metrics_read(s, name, &e, &err))
		fail_msg("%s", err.message);
	pf_exposition_release(&e);
	pf_buffer_release(&bytes);
}

static void
metrics_of_the_runtime_are_read_under_client_golangs_names(void **state)
{
	struct pf_go_stats all, few;
	(void)state;

	read_metrics(&all, "runtime/go-all.metrics");
	assert_string_equal(all.version, "go1.26.8");
	assert_true(all.gogc == 100 && all.gomemlimit == 512 << 20 && all.gomaxprocs == 2);
	assert_true(all.live == 16834272);
	assert_true(all.gc_cpu > 0 && all.assist_cpu < all.gc_cpu && all.total_cpu > all.user_cpu);
	assert_true(all.pause_p50 > 0 && all.pause_p99 >= all.pause_p50);
	assert_true(all.scan_heap > 0 && all.goroutines >= 1);
	read_metrics(&few, "runtime/go-default.metrics");
	assert_true(few.heap_alloc > 0 && few.next_gc > 0 && few.goroutines > 0 && few.gogc == 100);
	assert_true(isnan(few.live) && isnan(few.gc_cpu));
}

static void
a_scrape_of_something_else_is_refused(void **state)
{
	struct pf_exposition e;
	struct pf_go_stats s;
	struct pf_error err = {0};
	(void)state;

	pf_go_stats_init(&s);
	assert_int_equal(
	    pf_exposition_parse(&e, "m", "process_cpu_seconds_total 1\n", 28, &err), 0);
	assert_int_equal(pf_go_metrics_read(&s, "m", &e, &err), PF_EINPUT);
	assert_message_has(err, "no metrics of Go's runtime");
	pf_exposition_release(&e);
}

static void
gctrace_is_read_among_other_output(void **state)
{
	static const char noise[] =
	    "starting\n2026/11/25 gc 7 @1.5s 3%: 0.018+1.2+0.003 ms clock, "
	    "0.037+0.20/1.1/0.3+0.006 ms cpu, 7->8->4 MB, 8 MB goal, 2 P (forced)\n"
	    "gc 8 @1.6s 3%: 0.01\nscvg: nothing\n";
	struct pf_gctrace t;
	struct pf_error err = {0};
	(void)state;

	assert_true(pf_gctrace_recognise(noise, sizeof noise - 1));
	assert_int_equal(pf_gctrace_parse(&t, "log", noise, sizeof noise - 1, &err), 0);
	assert_int_equal(t.count, 1);
	assert_int_equal(t.malformed, 1);
	assert_true(t.cycles[0].number == 7 && t.cycles[0].at == 1.5 && t.cycles[0].forced);
	assert_near(t.cycles[0].cpu_assist, 0.20e-3, 1e-12);
	assert_near(t.cycles[0].cpu_background, 1.1e-3, 1e-12);
	assert_true(t.cycles[0].live == 4 << 20 && t.cycles[0].goal == 8 << 20);
	pf_gctrace_release(&t);
	assert_int_equal(pf_gctrace_parse(&t, "log", "gc is fine\n", 11, &err), PF_EINPUT);
	pf_gctrace_release(&t);
}

static void
a_real_trace_is_read_to_its_end(void **state)
{
	struct pf_buffer bytes = read_fixture("runtime/go-cache.gctrace");
	struct pf_gctrace t;
	struct pf_error err = {0};
	(void)state;

	assert_int_equal(pf_gctrace_parse(&t, "log", bytes.bytes, bytes.size, &err), 0);
	assert_int_equal(t.count, 10);
	assert_int_equal(t.malformed, 0);
	assert_true(t.cycles[9].live == 120.0 * (1 << 20) && t.cycles[9].forced);
	assert_near(t.cycles[9].concurrent, 1.428, 1e-9);
	pf_gctrace_release(&t);
	pf_buffer_release(&bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(memstats_are_read_from_a_heap_profile),
	    cmocka_unit_test(metrics_of_the_runtime_are_read_under_client_golangs_names),
	    cmocka_unit_test(a_scrape_of_something_else_is_refused),
	    cmocka_unit_test(gctrace_is_read_among_other_output),
	    cmocka_unit_test(a_real_trace_is_read_to_its_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
