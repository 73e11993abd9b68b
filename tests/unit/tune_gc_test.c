/* What Go's heap is judged by: its limit, what is live at the end of a trace, whose cycles count, a base's figures. */
#include <math.h>

#include "support/traced.h"

/* 27 MiB live: GOGC=100 would make a goal of 54, GOMEMLIMIT=40MiB leaves 31. */
static const char *const tight[] = {"3->4->3 MB, 4", "6->6->6 MB, 7", "10->11->10 MB, 12",
    "18->19->18 MB, 21", "27->28->26 MB, 31", "29->30->26 MB, 31", "29->31->27 MB, 31",
    "30->31->27 MB, 31", "30->31->26 MB, 31", "30->31->27 MB, 31", "30->30->27 MB, 31", NULL};

static void
under_a_memory_limit_no_gogc_is_advised(void **state)
{
	struct pf_tune *told = tune_of_trace(
	    tight, 0, "go_gc_gogc_percent 100\ngo_gc_gomemlimit_bytes 4.194304e+07\n");
	struct pf_tune *alone = tune_of_trace(tight, 0, NULL);
	struct pf_go_heap h = heap_of(told);
	(void)state;

	assert_true(h.limited && !h.limited_assumed && h.gogc == 100 && h.limit == 40 << 20);
	assert_true(h.live > 26e6 && h.live < 29e6);
	assert_true(advises(told, "GOMEMLIMIT=6") && !advises(told, "GOGC="));
	assert_non_null(find_finding(told, "gc-settings"));
	assert_true(find_finding(told, "gc-settings")->cpu_saved > 0.3);
	h = heap_of(alone);
	assert_true(h.limited && h.limited_assumed && h.gogc > 80 && h.gogc < 130);
	assert_false(advises(alone, "GOGC="));
	assert_int_equal(find_finding(alone, "gc-settings")->confidence, PF_CONFIDENCE_LOW);
	pf_tune_free(told);
	pf_tune_free(alone);
}

/* Without a trace: the goal is where the limit leaves it. */
static void
metrics_tell_that_the_limit_decides(void **state)
{
	static const char metrics[] =
	    "go_gc_gogc_percent 100\ngo_gc_gomemlimit_bytes 4.194304e+07\n"
	    "go_memstats_heap_alloc_bytes 3.003288e+07\ngo_memstats_heap_idle_bytes 4.9152e+06\n"
	    "go_memstats_heap_sys_bytes 3.7289984e+07\ngo_memstats_next_gc_bytes %s\n"
	    "go_memstats_sys_bytes 4.3292936e+07\n";
	static const struct {
		const char *goal;
		bool limited;
	} cases[] = {{"3.2549608e+07", true}, {"2.4549608e+07", false}};
	(void)state;

	for (size_t i = 0; i < 2; i++) {
		struct pf_tune *tune = new_tune();
		char text[1024];

		snprintf(text, sizeof text, "%.*s%s%s", (int)(strstr(metrics, "%s") - metrics),
		    metrics, cases[i].goal, strstr(metrics, "%s") + 2);
		add_text(tune, "metrics", text, false);
		assert_int_equal(heap_of(tune).limited, cases[i].limited);
		pf_tune_free(tune);
	}
}

static void
gogc_that_is_off_is_no_number(void **state)
{
	static const char *const off[] = {"48->57->35 MB, 46", "45->49->30 MB, 49",
	    "30->44->39 MB, 48", "46->48->25 MB, 48", "43->48->30 MB, 48", "43->48->32 MB, 48",
	    "43->50->37 MB, 48", "44->48->31 MB, 48", "43->50->33 MB, 48", NULL};
	static const char *const values[] = {"-1", "1.8446744073709552e+19", "4294967295"};
	struct pf_tune *tune = tune_of_trace(off, 0, NULL);
	(void)state;

	assert_true(heap_of(tune).limited && isnan(heap_of(tune).gogc));
	assert_false(advises(tune, "GOGC="));
	pf_tune_free(tune);
	for (size_t i = 0; i < 3; i++) {
		char metrics[128];

		snprintf(metrics, sizeof metrics,
		    "go_gc_gogc_percent %s\ngo_gc_gomemlimit_bytes 6.291456e+07\n", values[i]);
		tune = tune_of_trace(off, 0, metrics);
		assert_true(isinf(heap_of(tune).gogc) && heap_of(tune).limited);
		assert_false(advises(tune, "GOGC="));
		assert_true(advises(tune, "GOMEMLIMIT="));
		pf_tune_free(tune);
	}
}

/* What is live at the end counts, not while the service warmed up. */
static void
a_heap_that_outgrows_its_container_is_told(void **state)
{
	static const char *const warm[] = {"3->4->3 MB, 4", "5->7->6 MB, 6", "11->14->13 MB, 13",
	    "23->25->23 MB, 27", "39->43->40 MB, 46", "69->76->72 MB, 81", "123->146->136 MB, 145",
	    "233->299->259 MB, 273", "442->519->270 MB, 519", "460->541->274 MB, 541", NULL};
	struct pf_tune *tune = tune_of_trace(warm, 400e6, NULL);
	struct pf_go_heap h = heap_of(tune);
	(void)state;

	assert_true(h.live > 265e6 && h.live < 290e6 && h.goal > 530e6 && h.gogc == 100);
	assert_false(h.limited || h.growing);
	assert_non_null(find_finding(tune, "gc-settings"));
	assert_non_null(strstr(
	    pf_said(&tune->findings, find_finding(tune, "gc-settings")->title), "container limit"));
	assert_false(advises(tune, "GOGC="));
	pf_tune_free(tune);
}

/* GOGC=25 throughout: at 13 MB the goal was raised by what a start allocates while it marks. */
static void
one_high_goal_of_a_start_is_no_limit(void **state)
{
	static const char *const start[] = {"7->8->7 MB, 7", "9->11->10 MB, 9", "12->14->13 MB, 12",
	    "22->24->24 MB, 23", "30->30->30 MB, 30", "37->39->38 MB, 38", "46->48->47 MB, 47",
	    "58->60->58 MB, 59", "71->73->71 MB, 72", "87->89->87 MB, 88", "107->109->97 MB, 109",
	    "120->122->98 MB, 122", "120->122->97 MB, 123", "120->122->97 MB, 122", NULL};
	struct pf_tune *tune = tune_of_trace(start, 300e6, NULL);
	(void)state;

	assert_false(heap_of(tune).limited);
	assert_true(heap_of(tune).gogc == 25);
	pf_tune_free(tune);
}

static void
a_heap_that_still_grows_is_judged_by_its_end(void **state)
{
	static const char *const cold[] = {"3->4->2 MB, 4", "5->6->4 MB, 6", "8->9->7 MB, 9",
	    "13->13->11 MB, 15", "19->21->17 MB, 23", "30->34->30 MB, 35", "51->55->45 MB, 60",
	    "78->86->72 MB, 91", "122->140->123 MB, 144", NULL};
	struct pf_tune *tune = tune_of_trace(cold, 268435456, NULL);
	struct pf_go_heap h = heap_of(tune);
	(void)state;

	assert_true(h.live > 120e6 && h.live < 132e6 && h.goal > 250e6);
	assert_true(h.growing && !h.limited);
	assert_int_equal(find_finding(tune, "gc-settings")->confidence, PF_CONFIDENCE_LOW);
	pf_tune_free(tune);
}

/* GOGC=off without GOMEMLIMIT: cycles are the program's own, and the goal is no number. */
static void
a_heap_without_a_goal_is_not_bounded(void **state)
{
	static const char *const off[] = {"100->110->100 MB, 17592186044415",
	    "50->55->50 MB, 17592186044415", "100->120->120 MB, 17592186044415",
	    "60->70->60 MB, 17592186044415", NULL};
	struct pf_tune *alone = tune_of_trace(off, 0, NULL);
	struct pf_tune *tune = tune_of_trace(off, 512 << 20, NULL);
	struct pf_go_heap h = heap_of(tune);
	(void)state;

	assert_true(isinf(h.goal) && isinf(h.gogc) && !h.limited && !h.gogc_assumed);
	assert_null(find_finding(alone, "gc-settings"));
	assert_non_null(find_finding(alone, "gc-pressure"));
	assert_non_null(strstr(pf_said(&tune->findings, find_finding(tune, "gc-settings")->title),
	    "nothing bounds the heap"));
	assert_false(advises(tune, "GOGC=") || advises(alone, "GOGC="));
	assert_true(advises(tune, "GOMEMLIMIT="));
	for (size_t i = 0; i < tune->findings.number_count; i++)
		assert_true(tune->findings.numbers[i].value < 1e12);
	pf_tune_free(alone);
	pf_tune_free(tune);
}

/* A limit that only the goals tell is one that the runtime knows. */
static void
goals_that_a_limit_makes_are_within_it(void **state)
{
	struct pf_tune *tune = tune_of_trace(tight, 45 << 20, NULL);
	const struct pf_finding *finding = find_finding(tune, "gc-settings");
	(void)state;

	assert_true(heap_of(tune).limited && isnan(heap_of(tune).limit));
	assert_non_null(finding);
	assert_null(strstr(pf_said(&tune->findings, finding->title), "does not know"));
	pf_tune_free(tune);
}

/* What is allocated may be garbage for the most part. */
static void
what_is_live_by_what_is_allocated_is_unsure(void **state)
{
	struct pf_tune *tune = new_tune();
	(void)state;

	add_text(tune, "metrics",
	    "go_gc_gogc_percent 100\ngo_gc_gomemlimit_bytes 4.194304e+07\n"
	    "go_memstats_heap_alloc_bytes 3.003288e+07\ngo_memstats_heap_idle_bytes 4.9152e+06\n"
	    "go_memstats_heap_sys_bytes 3.7289984e+07\ngo_memstats_next_gc_bytes 3.2549608e+07\n"
	    "go_memstats_sys_bytes 4.3292936e+07\ngo_cpu_classes_gc_total_cpu_seconds_total 50\n"
	    "go_cpu_classes_gc_mark_idle_cpu_seconds_total 0\n"
	    "go_cpu_classes_gc_mark_assist_cpu_seconds_total 0\n"
	    "go_cpu_classes_total_cpu_seconds_total 100\n"
	    "go_cpu_classes_idle_cpu_seconds_total 0\n",
	    false);
	run_tune(tune);
	assert_true(heap_of(tune).limited && heap_of(tune).live_guessed);
	assert_non_null(find_finding(tune, "gc-settings"));
	assert_int_equal(find_finding(tune, "gc-settings")->confidence, PF_CONFIDENCE_LOW);
	assert_int_equal(find_finding(tune, "gc-pressure")->confidence, PF_CONFIDENCE_MEDIUM);
	pf_tune_free(tune);
}

/* Cycles of one millisecond, or of two processes one after the other, have no interval. */
static void
cycles_without_time_between_them_have_no_interval(void **state)
{
	static const double last[] = {1, 0.5};
	(void)state;

	for (size_t i = 0; i < 2; i++) {
		struct pf_tune *tune = new_tune();
		struct pf_buffer trace = {.maximum = 1 << 16};

		for (int k = 0; k < 4; k++)
			add_cycle(&trace, k + 1, k == 3 ? last[i] : 1, "90->95->50 MB, 100", "");
		add_written(tune, "trace", &trace);
		run_tune(tune);
		assert_true(isnan(heap_of(tune).interval));
		assert_null(find_finding(tune, "gc-pressure"));
		pf_tune_free(tune);
	}
}

/* A base is of another time: nothing of its figures is today's. */
static void
statistics_of_a_base_are_nobodys_today(void **state)
{
	static const char *const steady[] = {"90->95->50 MB, 100", "95->100->50 MB, 101",
	    "95->100->50 MB, 101", "95->100->50 MB, 101", NULL};
	struct pf_tune *tune = new_tune();
	struct pf_buffer trace = {.maximum = 1 << 16};
	(void)state;

	add_text(tune, "base",
	    "go_gc_gogc_percent 50\ngo_memstats_heap_idle_bytes 2e8\n"
	    "go_memstats_heap_released_bytes 0\nprocess_resident_memory_bytes 3e8\n",
	    true);
	for (int i = 0; steady[i]; i++)
		add_cycle(&trace, i + 1, i, steady[i], "");
	add_written(tune, "trace", &trace);
	run_tune(tune);
	assert_true(heap_of(tune).gogc == 100);
	assert_null(find_finding(tune, "unreturned-memory"));
	assert_true(isnan(pf_evidence_rss(&tune->evidence)));
	assert_int_equal(tune->unjudged.count, 2); /* and the empty string */
	assert_non_null(strstr(pf_strings_get(&tune->unjudged, 1), "base"));
	pf_tune_free(tune);
}

/* The least goal there is grows with GOGC too. */
static void
a_small_heaps_goal_is_4_mib_per_hundred(void **state)
{
	struct pf_go_heap h = {.live = 1 << 20, .gogc = 100};
	(void)state;

	assert_true(pf_goal_at(&h, 100) == 4 << 20 && pf_goal_at(&h, 200) == 8 << 20);
	assert_true(pf_gogc_for(&h, 8 << 20) == 200);
	h.live = 10 << 20;
	assert_true(pf_goal_at(&h, 100) == 20 << 20 && pf_gogc_for(&h, 30 << 20) == 200);
}

/* Collections that a look at the heap asks for are none of the service's. */
static void
what_a_look_asked_for_is_no_cycle_of_the_services(void **state)
{
	static const char text[] = "heap profile: 1: 5 [1: 5] @ heap/2\n1: 5 [1: 5] @ 0x488aac\n\n"
				   "# runtime.MemStats\n# HeapAlloc = 5\n# NextGC = 10\n"
				   "# LastGC = %d000000000\n# NumGC = %d\n# NumForcedGC = %d\n";
	static const struct {
		int cycles; /* in a hundred seconds, of them four that were asked for */
		double interval;
	} cases[] = {{24, 5}, {4, NAN}};
	(void)state;

	for (size_t i = 0; i < 2; i++) {
		struct pf_tune *tune = new_tune();
		char now[1024];
		struct pf_go_heap h;

		snprintf(now, sizeof now, text, 1000, 10, 1);
		tune->evidence.asked = 1;
		add_text(tune, "heap?debug=1", now, false);
		snprintf(now, sizeof now, text, 1100, 10 + cases[i].cycles, 5);
		tune->evidence.asked = 5;
		add_text(tune, "heap?debug=1", now, false);
		h = heap_of(tune);
		assert_true(
		    isnan(cases[i].interval) ? isnan(h.interval) : h.interval == cases[i].interval);
		assert_false(h.forced > 0);
		pf_tune_free(tune);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(under_a_memory_limit_no_gogc_is_advised),
	    cmocka_unit_test(metrics_tell_that_the_limit_decides),
	    cmocka_unit_test(gogc_that_is_off_is_no_number),
	    cmocka_unit_test(a_heap_that_outgrows_its_container_is_told),
	    cmocka_unit_test(one_high_goal_of_a_start_is_no_limit),
	    cmocka_unit_test(a_heap_that_still_grows_is_judged_by_its_end),
	    cmocka_unit_test(a_heap_without_a_goal_is_not_bounded),
	    cmocka_unit_test(goals_that_a_limit_makes_are_within_it),
	    cmocka_unit_test(what_is_live_by_what_is_allocated_is_unsure),
	    cmocka_unit_test(cycles_without_time_between_them_have_no_interval),
	    cmocka_unit_test(statistics_of_a_base_are_nobodys_today),
	    cmocka_unit_test(a_small_heaps_goal_is_4_mib_per_hundred),
	    cmocka_unit_test(what_a_look_asked_for_is_no_cycle_of_the_services),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
