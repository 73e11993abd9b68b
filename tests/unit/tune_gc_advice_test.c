/* What is found and advised of Go's collector: settings that have room, with one prediction each, and how severe it is. */
#include <math.h>

#include "support/labelled_profile.h"
#include "support/traced.h"

/* An action that is advised and has this in it. */
static bool
says(const struct pf_tune *tune, const char *words)
{
	const struct pf_findings *f = &tune->findings;

	for (size_t i = 0; i < f->advice_count; i++) {
		if (strstr(pf_said(f, f->advices[i].action), words))
			return true;
	}
	return false;
}

/* Twice GOGC where the limit has room, less where it has less. */
static void
pressure_advises_what_the_container_has_room_for(void **state)
{
	static const char *const steady[] = {"90->95->50 MB, 100", "95->100->50 MB, 101",
	    "95->100->50 MB, 101", "95->100->50 MB, 101", NULL};
	struct pf_tune *tune = tune_of_trace(steady, 0, NULL);
	(void)state;

	assert_non_null(find_finding(tune, "gc-pressure"));
	assert_true(advises(tune, "GOGC=200"));
	pf_tune_free(tune);
	tune = tune_of_trace(steady, 160 << 20, NULL);
	assert_true(advises(tune, "GOGC=150") && !advises(tune, "GOGC=200"));
	pf_tune_free(tune);
	tune = tune_of_trace(steady, 126 << 20, NULL);
	assert_false(advises(tune, "GOGC="));
	pf_tune_free(tune);
}

/* Near a limit more may be live than the goal: the container's last 0.8 MiB are no room. */
static void
what_leaves_no_room_above_what_is_live_saves_nothing(void **state)
{
	static const char *const over[] = {"400->402->401 MB, 400", "400->402->401 MB, 400",
	    "400->402->401 MB, 400", "400->402->401 MB, 400", "400->402->401 MB, 400", NULL};
	struct pf_tune *tune = tune_of_trace(
	    over, 512 << 20, "go_gc_gogc_percent 100\ngo_gc_gomemlimit_bytes 482344960\n");
	const struct pf_finding *finding = find_finding(tune, "gc-settings");
	(void)state;

	assert_true(heap_of(tune).limited && heap_of(tune).live > heap_of(tune).goal);
	assert_non_null(finding);
	assert_true(finding->cpu_saved >= 0 && finding->cpu_saved <= 1);
	assert_non_null(strstr(pf_said(&tune->findings, finding->title), "no room"));
	assert_false(advises(tune, "GOMEMLIMIT="));
	assert_true(says(tune, "give the service more memory"));
	pf_tune_free(tune);
}

/* Where GOGC is higher than what is advised, and nothing is short of memory, nothing is said of it. */
static void
a_high_gogc_without_a_limit_is_not_short_of_memory(void **state)
{
	static const char *const heaps[][5] = {
	    {"55->58->10 MB, 60", "55->58->10 MB, 60", "55->58->10 MB, 60", "55->58->10 MB, 60"},
	    {"85->88->10 MB, 90", "85->88->10 MB, 90", "85->88->10 MB, 90", "85->88->10 MB, 90"}};
	static const char *const metrics[] = {
	    "go_gc_gogc_percent 500\n", "go_gc_gogc_percent 800\n"};
	static const struct {
		double limit; /* 0: none */
		bool is_short;
	} cases[] = {{0, false}, {1 << 30, false}, {90 << 20, true}};
	(void)state;

	for (size_t i = 0; i < 2; i++) {
		for (size_t k = 0; k < 3; k++) {
			struct pf_tune *tune = tune_of_trace(heaps[i], cases[k].limit, metrics[i]);

			assert_non_null(find_finding(tune, "gc-pressure"));
			assert_int_equal(says(tune, "has no room"), cases[k].is_short);
			assert_false(says(tune, "unlimited") || says(tune, "unknown"));
			assert_false(advises(tune, "GOGC="));
			pf_tune_free(tune);
		}
	}
}

/* What GOMEMLIMIT has no room for, no GOGC brings. */
static void
gogc_is_advised_as_far_as_gomemlimit_has_room(void **state)
{
	static const char *const steady[] = {"90->95->50 MB, 100", "95->100->50 MB, 101",
	    "95->100->50 MB, 101", "95->100->50 MB, 101", NULL};
	struct pf_tune *tune =
	    tune_of_trace(steady, 0, "go_gc_gogc_percent 100\ngo_gc_gomemlimit_bytes 1.5e+08\n");
	(void)state;

	assert_false(heap_of(tune).limited);
	assert_true(advises(tune, "GOGC=140") && !advises(tune, "GOGC=200"));
	pf_tune_free(tune);
	tune = tune_of_trace(steady, 0, "go_gc_gogc_percent 100\ngo_gc_gomemlimit_bytes 1.3e+08\n");
	assert_false(heap_of(tune).limited || advises(tune, "GOGC="));
	assert_true(says(tune, "has no room"));
	pf_tune_free(tune);
}

/* The fixture used a fifth of a core in ten seconds; the same in half a minute is little, as for all findings by CPU. */
static void
pressure_is_weighed_by_the_cpu_that_is_used(void **state)
{
	(void)state;

	for (int seconds = 10; seconds <= 60; seconds += 20) {
		struct pf_tune *tune = new_tune();

		add_fixture(tune, "tune/assist/cpu.pb.gz", false);
		tune->evidence.profiles[0].p->duration_nanos = seconds * INT64_C(1000000000);
		run_tune(tune);
		assert_non_null(find_finding(tune, "gc-pressure"));
		assert_int_equal(
		    find_finding(tune, "gc-pressure")->severity == PF_SEVERITY_LOW, seconds > 10);
		pf_tune_free(tune);
	}
}

/* What the heap grows into before the next cycle is not free for all that it is idle after a collection. */
static void
room_below_the_goal_is_not_unreturned(void **state)
{
	static const char metrics[] =
	    "go_memstats_heap_idle_bytes 1.2e8\ngo_memstats_heap_released_bytes 0\n"
	    "go_memstats_heap_inuse_bytes 1e8\ngo_memstats_sys_bytes 2.4e8\n"
	    "process_resident_memory_bytes 2.3e8\ngo_memstats_next_gc_bytes ";
	static const char *const goals[] = {"2e8\n", "1e8\n"};
	(void)state;

	for (size_t i = 0; i < 2; i++) {
		struct pf_tune *tune = new_tune();
		char text[1024];

		snprintf(text, sizeof text, "%s%s", metrics, goals[i]);
		add_text(tune, "metrics", text, false);
		run_tune(tune);
		assert_int_equal(find_finding(tune, "unreturned-memory") != NULL, i);
		if (i)
			assert_true(
			    find_finding(tune, "unreturned-memory")->bytes_saved - 1.1e8 < 1);
		pf_tune_free(tune);
	}
}

/* Half of next to nothing is next to nothing. */
static void
pressure_on_an_idle_service_is_of_low_severity(void **state)
{
	(void)state;

	for (int idle = 0; idle < 2; idle++) {
		struct pf_tune *tune = new_tune();

		add_fixture(tune, "tune/assist/cpu.pb.gz", false);
		if (idle)
			tune->evidence.profiles[0].p->duration_nanos = INT64_C(100000000000000);
		run_tune(tune);
		assert_non_null(find_finding(tune, "gc-pressure"));
		assert_int_equal(
		    find_finding(tune, "gc-pressure")->severity == PF_SEVERITY_LOW, idle);
		pf_tune_free(tune);
	}
}

/* A million small objects, collected rarely: who waits for a cycle meets all of them. */
static void
a_rare_walk_over_many_objects_is_unsure(void **state)
{
	static const char counters[] = "go_gc_cycles_total_gc_cycles_total 10\n"
				       "go_cpu_classes_gc_total_cpu_seconds_total %s\n"
				       "go_cpu_classes_gc_mark_idle_cpu_seconds_total 0\n"
				       "go_cpu_classes_gc_mark_assist_cpu_seconds_total 0\n"
				       "go_cpu_classes_total_cpu_seconds_total 1000\n"
				       "go_cpu_classes_idle_cpu_seconds_total 0\n";
	static const struct {
		const char *gc;
		bool found;
	} cases[] = {{"6", true}, {"0.2", false}}; /* seconds of ten cycles */
	(void)state;

	for (size_t i = 0; i < 2; i++) {
		struct pf_tune *tune = new_tune();
		const struct pf_finding *finding;
		char text[1024];

		add_heap_text(tune, "heap", 2000000, 50, false);
		snprintf(text, sizeof text, "%.*s%s%s", (int)(strstr(counters, "%s") - counters),
		    counters, cases[i].gc, strstr(counters, "%s") + 2);
		add_text(tune, "metrics", text, false);
		run_tune(tune);
		finding = find_finding(tune, "gc-scan");
		assert_int_equal(finding != NULL, cases[i].found);
		if (finding)
			assert_true(finding->confidence <= PF_CONFIDENCE_MEDIUM);
		pf_tune_free(tune);
	}
}

static const struct pf_prediction *
prediction(const struct pf_tune *tune, const char *kind, const char *metric)
{
	const struct pf_findings *f = &tune->findings;
	const struct pf_finding *finding = find_finding(tune, kind);

	for (size_t i = 0; finding && i < finding->prediction_count; i++) {
		const struct pf_prediction *p = &f->predictions[finding->first_prediction + i];
		if (strcmp(pf_said(f, p->metric), metric) == 0)
			return p;
	}
	return NULL;
}

/* As the runtime says it where its goal is at what is live: it collects all the time, and twice nothing is nothing. */
static void
a_limit_at_what_is_live_is_raised_to_what_gogc_makes(void **state)
{
	static const char *const choked[] = {"44->46->44 MB, 44", "44->46->44 MB, 44",
	    "44->46->44 MB, 44", "44->46->44 MB, 44", "44->46->44 MB, 44", NULL};
	static const struct {
		const char *metrics;
		const char *setting;
	} cases[] = {{"go_gc_gogc_percent 100\ngo_gc_gomemlimit_bytes 54525952\n", "GOMEMLIMIT=9"},
	    {"go_gc_gogc_percent -1\ngo_gc_gomemlimit_bytes 54525952\n", "GOMEMLIMIT=7"}};
	(void)state;

	for (size_t i = 0; i < 2; i++) {
		struct pf_tune *tune = tune_of_trace(choked, 0, cases[i].metrics);

		assert_true(heap_of(tune).limited);
		assert_true(advises(tune, cases[i].setting));
		assert_false(advises(tune, "GOMEMLIMIT=5"));
		pf_tune_free(tune);
	}
}

/* What an environment lacks is Go's default: the limit alone is set. */
static void
gogc_that_an_environment_lacks_is_the_default(void **state)
{
	static const char metrics[] =
	    "go_gc_gomemlimit_bytes 54525952\ngo_memstats_heap_alloc_bytes 4.6e7\n"
	    "go_memstats_heap_idle_bytes 1e5\ngo_memstats_heap_sys_bytes 4.65e7\n"
	    "go_memstats_next_gc_bytes 4.6243840e+07\ngo_memstats_sys_bytes 5.2e7\n"
	    "go_cpu_classes_gc_total_cpu_seconds_total 80\n"
	    "go_cpu_classes_gc_mark_idle_cpu_seconds_total 0\n"
	    "go_cpu_classes_gc_mark_assist_cpu_seconds_total 0\n"
	    "go_cpu_classes_total_cpu_seconds_total 100\n"
	    "go_cpu_classes_idle_cpu_seconds_total 0\n";
	struct pf_tune *tune = new_tune();
	(void)state;

	tune->evidence.has_environment = true;
	add_text(tune, "metrics", metrics, false);
	run_tune(tune);
	assert_true(heap_of(tune).limited && isnan(heap_of(tune).gogc));
	assert_true(advises(tune, "GOMEMLIMIT=9"));
	pf_tune_free(tune);
}

/* No cycle has told what is live; that nothing bounds the heap is known all the same. */
static void
gogc_off_is_told_without_a_trace(void **state)
{
	static const char metrics[] =
	    "go_gc_gogc_percent -1\ngo_gc_gomemlimit_bytes 9.223372036854775807e+18\n"
	    "go_memstats_next_gc_bytes 1.8446744073709552e+19\ngo_memstats_sys_bytes 6e7\n"
	    "go_memstats_heap_sys_bytes 5e7\n";
	(void)state;

	for (int i = 0; i < 2; i++) {
		struct pf_tune *tune = new_tune();

		tune->evidence.memory_limit = i ? 150 << 20 : NAN;
		add_text(tune, "metrics", metrics, false);
		run_tune(tune);
		assert_non_null(find_finding(tune, "gc-settings"));
		assert_int_equal(advises(tune, "GOMEMLIMIT=135MiB"), i);
		pf_tune_free(tune);
	}
}

/* 43 MiB live under 150: a limit that the runtime knows of leaves room enough, and the container needs no more. */
static void
room_enough_under_the_container_asks_for_no_more_memory(void **state)
{
	static const char *const loose[] = {"210->214->43 MB, 215", "210->214->43 MB, 215",
	    "210->214->43 MB, 215", "210->214->43 MB, 215", NULL};
	struct pf_tune *tune = tune_of_trace(loose, 150 << 20, "go_gc_gogc_percent 400\n");
	(void)state;

	assert_true(advises(tune, "GOMEMLIMIT=135MiB"));
	assert_false(says(tune, "Give the container more memory"));
	pf_tune_free(tune);
}

/* One setting, one prediction; and the peak begins at what the kernel says that the process has today. */
static void
findings_of_one_setting_predict_the_same(void **state)
{
	static const char *const steady[] = {"90->95->50 MB, 100", "95->100->50 MB, 101",
	    "95->100->50 MB, 101", "95->100->50 MB, 101", NULL};
	struct pf_tune *tune = tune_of_trace(
	    steady, 0, "go_gc_gogc_percent 100\nprocess_resident_memory_bytes 1.3e8\n");
	const struct pf_prediction *one = prediction(tune, "gc-pressure", "cpu"),
				   *other = prediction(tune, "gc-settings", "cpu"),
				   *peak = prediction(tune, "gc-settings", "rss_peak");
	(void)state;

	assert_true(advises(tune, "GOGC=200"));
	assert_non_null(one);
	assert_non_null(other);
	assert_non_null(peak);
	assert_true(
	    one->after == other->after && one->low == other->low && one->high == other->high);
	assert_true(
	    peak->before == 1.3e8 && peak->after > 1.3e8 + 50e6 && peak->high > peak->after);
	pf_tune_free(tune);
	/* Also where it is less than the goal of 100 MB: what was never written may stay so, or not. */
	tune =
	    tune_of_trace(steady, 0, "go_gc_gogc_percent 100\nprocess_resident_memory_bytes 8e7\n");
	peak = prediction(tune, "gc-settings", "rss_peak");
	assert_non_null(peak);
	assert_true(peak->before == 8e7 && peak->after > 8e7 + 50e6 && peak->low < peak->after);
	assert_true(peak->high > peak->after + 20e6);
	pf_tune_free(tune);
}

static bool
asks_for_fewer(const struct pf_tune *tune)
{
	const struct pf_findings *f = &tune->findings;

	return strstr(
		   pf_said(f, f->advices[find_finding(tune, "gc-pressure")->first_advice].action),
		   "runtime.GC()") != NULL;
}

/* Where cycles come because they are asked for, GOGC changes nothing, and the calls are what is to go. */
static void
cycles_that_are_asked_for_are_no_matter_of_gogc(void **state)
{
	(void)state;

	for (int forced = 3; forced <= 9; forced += 6) {
		struct pf_buffer trace = {.maximum = 1 << 16};
		struct pf_tune *tune = new_tune();
		bool mostly = forced > 5;

		for (int n = 1; n <= 10; n++)
			add_cycle(&trace, n, n * 0.2, "95->100->50 MB, 101",
			    n <= forced ? " (forced)" : "");
		add_written(tune, "trace", &trace);
		run_tune(tune);
		assert_non_null(find_finding(tune, "gc-pressure"));
		assert_true(advises(tune, "GOGC=") == !mostly);
		assert_true((find_finding(tune, "gc-settings") != NULL) == !mostly);
		assert_true(asks_for_fewer(tune) == mostly);
		pf_tune_free(tune);
	}
}

/* A walk over many objects that a higher limit makes rarer, or of which all CPU is little, is not the first thing to tell. */
static void
a_walk_that_a_setting_makes_rarer_is_no_severe_finding(void **state)
{
	static const char *const choked[] = {"44->46->44 MB, 44", "44->46->44 MB, 44",
	    "44->46->44 MB, 44", "44->46->44 MB, 44", "44->46->44 MB, 44", NULL};
	struct pf_buffer trace = {.maximum = 1 << 16};
	struct pf_tune *tune = new_tune();
	const struct pf_finding *finding;
	(void)state;

	for (int n = 0; choked[n]; n++)
		pf_buffer_printf(&trace,
		    "gc %d @%.3fs 14%%: 0.1+10+0.1 ms clock, 0.2+4/40/0+0.2 ms cpu, %s MB goal, 0 "
		    "MB "
		    "stacks, 0 MB globals, 2 P\n",
		    n + 1, (n + 1) * 0.06, choked[n]);
	add_written(tune, "trace", &trace);
	add_text(tune, "metrics",
	    "go_gc_gogc_percent 100\ngo_gc_gomemlimit_bytes 54525952\n"
	    "go_cpu_classes_gc_total_cpu_seconds_total 80\n"
	    "go_cpu_classes_gc_mark_idle_cpu_seconds_total 0\n"
	    "go_cpu_classes_gc_mark_assist_cpu_seconds_total 0\n"
	    "go_cpu_classes_total_cpu_seconds_total 100\n"
	    "go_cpu_classes_idle_cpu_seconds_total 0\n",
	    false);
	add_heap_text(tune, "heap", 1400000, 33, false);
	run_tune(tune);
	finding = find_finding(tune, "gc-scan");
	assert_non_null(finding);
	assert_int_equal(finding->severity, PF_SEVERITY_MEDIUM);
	assert_non_null(strstr(pf_said(&tune->findings, finding->title), "one may make it rarer"));
	assert_string_not_equal(tune->findings.findings[0].kind, "gc-scan");
	pf_tune_free(tune);
}

/*
 * Go's gctrace has 4 s of CPU a cycle, and a cycle comes every 2 s. In the live service's profile of 20 s the collector
 * has 8 s: 0.8 s a cycle, and the rest of it was waiting for processors. Of files nobody knows whether they are of one time.
 */
static void
what_the_collector_waits_for_processors_is_no_cpu_time(void **state)
{
	static const char *const types[] = {"samples", "count", "cpu", "nanoseconds", NULL};
	const struct test_sample samples[] = {
	    {{"main.query", "main.serve"}, {200, 2000000000}, {{0}}},
	    {{"runtime.scanobject", "runtime.gcBgMarkWorker"}, {800, 8000000000}, {{0}}},
	    {{NULL}, {0}, {{0}}}};
	(void)state;

	for (size_t live = 0; live < 2; live++) {
		struct pf_buffer trace = {.maximum = 1 << 16};
		struct pf_tune *tune = new_tune();
		const struct pf_finding *finding;
		const struct pf_number *cycle;

		for (int n = 1; n < 20; n++)
			pf_buffer_printf(&trace,
			    "gc %d @%d.000s 80%%: 0.1+1900+0.1 ms clock, 0.2+0/4000/0+0.2 ms cpu, "
			    "200->210->200 MB, 400 MB goal, 0 MB stacks, 0 MB globals, 2 P\n",
			    n, 2 * n);
		add_written(tune, "trace", &trace);
		add_heap_text(tune, "heap", 4000000, 50, false);
		add_labelled(tune, types, samples, 20, 1000, false);
		tune->evidence.asked = live;
		run_tune(tune);
		finding = find_finding(tune, "gc-scan");
		assert_non_null(finding);
		cycle = find_number(tune, finding, "mark_cpu_of_a_cycle");
		assert_non_null(cycle);
		assert_true(fabs(cycle->value - (live ? 0.8 : 4)) < 0.01 * cycle->value);
		assert_int_equal(
		    finding->confidence, live ? PF_CONFIDENCE_MEDIUM : PF_CONFIDENCE_HIGH);
		pf_tune_free(tune);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pressure_advises_what_the_container_has_room_for),
	    cmocka_unit_test(what_leaves_no_room_above_what_is_live_saves_nothing),
	    cmocka_unit_test(a_high_gogc_without_a_limit_is_not_short_of_memory),
	    cmocka_unit_test(gogc_is_advised_as_far_as_gomemlimit_has_room),
	    cmocka_unit_test(pressure_is_weighed_by_the_cpu_that_is_used),
	    cmocka_unit_test(room_below_the_goal_is_not_unreturned),
	    cmocka_unit_test(pressure_on_an_idle_service_is_of_low_severity),
	    cmocka_unit_test(a_rare_walk_over_many_objects_is_unsure),
	    cmocka_unit_test(a_limit_at_what_is_live_is_raised_to_what_gogc_makes),
	    cmocka_unit_test(gogc_that_an_environment_lacks_is_the_default),
	    cmocka_unit_test(gogc_off_is_told_without_a_trace),
	    cmocka_unit_test(room_enough_under_the_container_asks_for_no_more_memory),
	    cmocka_unit_test(findings_of_one_setting_predict_the_same),
	    cmocka_unit_test(what_the_collector_waits_for_processors_is_no_cpu_time),
	    cmocka_unit_test(cycles_that_are_asked_for_are_no_matter_of_gogc),
	    cmocka_unit_test(a_walk_that_a_setting_makes_rarer_is_no_severe_finding),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
