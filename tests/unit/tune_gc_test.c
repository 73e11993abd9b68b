/* What Go's heap is judged by: its memory limit, what is live at the end of a trace, a base's figures. */
#include <math.h>
#include <time.h>

#include "support/tuned.h"
#include "tuner/detect.h"

static void
add_text(struct pf_tune *tune, const char *name, const char *text, bool base)
{
	struct pf_error err = {0};

	if (pf_tune_add(tune, name, text, strlen(text), base, &err))
		fail_msg("%s", err.message);
}

static struct pf_go_heap
heap_of(const struct pf_tune *tune)
{
	struct pf_go_heap h;
	struct pf_error err = {0};

	assert_int_equal(pf_go_heap(&tune->evidence, &h, &err), 0);
	return h;
}

/* One line of gctrace: cycles that cost 0.2 s of CPU. */
static void
add_cycle(struct pf_buffer *b, int number, double at, const char *heap, const char *end)
{
	pf_buffer_printf(b,
	    "gc %d @%.3fs 14%%: 0.1+90+0.1 ms clock, 0.2+40/160/0+0.2 ms cpu, %s MB goal, 0 MB "
	    "stacks, 0 MB globals, 2 P%s\n",
	    number, at, heap, end);
}

static struct pf_tune *
tune_of_trace(const char *const *heaps, double limit, const char *metrics)
{
	struct pf_tune_options o = PF_TUNE_OPTIONS_INIT;
	struct pf_buffer trace = {.maximum = 1 << 16};
	struct pf_error err = {0};
	struct pf_tune *tune;
	int n = 0;

	o.memory_limit = limit;
	assert_int_equal(pf_tune_new(&tune, &o, &err), 0);
	for (; heaps[n]; n++)
		add_cycle(&trace, n + 1, (n + 1) * 0.2, heaps[n], "");
	pf_buffer_add(&trace, "", 1);
	add_text(tune, "trace", (const char *)trace.bytes, false);
	if (metrics)
		add_text(tune, "metrics", metrics, false);
	pf_buffer_release(&trace);
	run_tune(tune);
	return tune;
}

static bool
advises(const struct pf_tune *tune, const char *setting)
{
	const struct pf_findings *f = &tune->findings;

	for (size_t i = 0; i < f->advice_count; i++) {
		if (strncmp(pf_said(f, f->advices[i].setting), setting, strlen(setting)) == 0)
			return true;
	}
	return false;
}

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
		pf_buffer_add(&trace, "", 1);
		add_text(tune, "trace", (const char *)trace.bytes, false);
		pf_buffer_release(&trace);
		run_tune(tune);
		assert_true(isnan(heap_of(tune).interval));
		assert_null(find_finding(tune, "gc-pressure"));
		pf_tune_free(tune);
	}
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
	pf_buffer_add(&trace, "", 1);
	add_text(tune, "trace", (const char *)trace.bytes, false);
	pf_buffer_release(&trace);
	run_tune(tune);
	assert_true(heap_of(tune).gogc == 100);
	assert_null(find_finding(tune, "unreturned-memory"));
	assert_true(isnan(pf_evidence_rss(&tune->evidence)));
	assert_int_equal(tune->unjudged.count, 2); /* and the empty string */
	assert_non_null(strstr(pf_strings_get(&tune->unjudged, 1), "base"));
	pf_tune_free(tune);
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
		pf_buffer_add(&text, "", 1);
		add_text(tune, "dump", (const char *)text.bytes, false);
		pf_buffer_release(&text);
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
	pf_buffer_add(&text, "", 1);
	add_text(tune, "dump", (const char *)text.bytes, false);
	pf_buffer_release(&text);
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

/* Shares of different things say of what, and a stack that stands for several what is its own. */
static void
shares_say_what_they_are_of(void **state)
{
	struct pf_findings f;
	struct pf_error err = {0};
	char text[PF_SHARE_ROOM];
	(void)state;

	assert_int_equal(pf_findings_init(&f, &err), 0);
	pf_findings_add(&f, "a", PF_SEVERITY_HIGH, PF_CONFIDENCE_HIGH, 0);
	pf_add_stack(&f, 5, 0.5, "bytes");
	assert_string_equal(pf_stack_share_text(text, &f, &f.findings[0], &f.stacks[0]), "50.0 %");
	pf_add_stack(&f, 5, 0.25, "share_of_cpu");
	pf_set_own_share(&f, 0.125);
	assert_string_equal(pf_stack_share_text(text, &f, &f.findings[0], &f.stacks[0]),
	    "50.0 % of bytes allocated");
	assert_string_equal(pf_stack_share_text(text, &f, &f.findings[0], &f.stacks[1]),
	    "25.0 % of CPU time, of which this stack 12.5 %");
	pf_findings_release(&f);
}

/* As /debug/pprof/heap?debug=1 writes it: functions are in comments, without the runtime's at both ends. */
static void
add_heap_text(struct pf_tune *tune, const char *name, int objects, int size, bool base)
{
	char text[2048];

	snprintf(text, sizeof text,
	    "heap profile: %d: %d [%d: %d] @ heap/2\n"
	    "%d: %d [%d: %d] @ 0x488aac 0x606268 0x604d4e 0x4929e1\n"
	    "#\t0x606267\tmain.remember+0x47\t\t\t/src/a.go:277\n"
	    "#\t0x604d4d\tmain.(*T[go.shape.int]).serve+0x12d\t/src/b:c.go:12\n\n"
	    "# runtime.MemStats\n# Alloc = 5\n# HeapAlloc = 5\n# NextGC = 10\n# NumGC = 3\n",
	    objects, objects * size, objects, objects * size, objects, objects * size, objects,
	    objects * size);
	add_text(tune, name, text, base);
}

static void
names_in_comments_are_names(void **state)
{
	struct pf_tune *tune = new_tune();
	const struct pf_evidence_profile *ep;
	const struct pf_finding *finding;
	(void)state;

	add_heap_text(tune, "then", 20000, 1024, true);
	add_heap_text(tune, "now", 200000, 1024, false);
	run_tune(tune);
	finding = find_finding(tune, "leak");
	assert_non_null(finding);
	assert_non_null(strstr(pf_said(&tune->findings, finding->title), "main.remember"));
	ep = pf_evidence_last(&tune->evidence, PF_PROFILE_HEAP);
	assert_int_equal(ep->p->line_count, 4);
	assert_int_equal(ep->p->lines[1].line, 277);
	assert_string_equal(
	    pf_profile_string(ep->p, ep->p->functions[ep->p->lines[1].function].name),
	    "main.remember");
	assert_string_equal(
	    pf_profile_string(ep->p, ep->p->functions[ep->p->lines[2].function].name),
	    "main.(*T[go.shape.int]).serve");
	assert_string_equal(
	    pf_profile_string(ep->p, ep->p->functions[ep->p->lines[2].function].filename),
	    "/src/b:c.go");
	pf_tune_free(tune);
}

/* A sentence of what was not judged that has this in it. */
static bool
leaves_open(const struct pf_tune *tune, const char *words)
{
	for (uint32_t i = 1; i < tune->unjudged.count; i++) {
		if (strstr(pf_strings_get(&tune->unjudged, i), words))
			return true;
	}
	return false;
}

static void
what_is_cut_off_is_said(void **state)
{
	static const char whole[] =
	    "goroutine 1 [running]:\nmain.main()\n\t/src/main.go:12 +0x2f\n";
	static const char *const trace[] = {"90->95->50 MB, 100", NULL};
	struct pf_tune *tune = new_tune();
	char cut[sizeof whole];
	(void)state;

	add_text(tune, "dump", whole, false);
	run_tune(tune);
	assert_false(leaves_open(tune, "goroutine dump"));
	pf_tune_free(tune);
	memcpy(cut, whole, sizeof whole);
	cut[sizeof whole - 5] = '\0';
	tune = new_tune();
	add_text(tune, "dump", cut, false);
	run_tune(tune);
	assert_true(leaves_open(tune, "The goroutine dump ends within a line"));
	pf_tune_free(tune);
	tune = tune_of_trace(trace, 0, NULL);
	assert_true(leaves_open(tune, "The gctrace has 1 cycle,"));
	pf_tune_free(tune);
	tune = new_tune();
	add_text(tune, "trace",
	    "gc 1 @0.200s 14%: 0.1+90+0.1 ms clock, 0.2+40/160/0+0.2 ms cpu, 9->9->5 MB, 10 MB "
	    "goal, 2 P\ngc 2 @0.400s 14%: 0.1+90",
	    false);
	run_tune(tune);
	assert_true(leaves_open(tune, "1 of 2 lines of the gctrace"));
	pf_tune_free(tune);
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

/* One goroutine for each who subscribed is no leak for all that one moment shows. */
static void
subscribers_of_one_moment_are_unsure(void **state)
{
	struct pf_buffer text = {.maximum = 1 << 20};
	struct pf_error err = {0};
	(void)state;

	pf_buffer_printf(&text, "goroutine profile: total 3000\n3000 @ 0x48b2ae 0x7b1933\n"
				"#\t0x7b1932\tmain.(*sub).listen+0x72\t/src/main.go:15\n\n");
	for (int snapshots = 1; snapshots <= 5; snapshots += 4) {
		struct pf_tune *tune = new_tune();
		const struct pf_finding *finding;

		for (int i = 0; i < snapshots; i++)
			assert_int_equal(
			    pf_tune_add(tune, "goroutine", text.bytes, text.size, false, &err), 0);
		run_tune(tune);
		finding = find_finding(tune, "goroutine-leak");
		if (snapshots == 1) {
			assert_non_null(finding);
			assert_int_equal(finding->severity, PF_SEVERITY_LOW);
			assert_int_equal(finding->confidence, PF_CONFIDENCE_LOW);
			assert_int_equal(finding->caveat_count, 1);
		} else {
			assert_null(finding); /* they stay as many as they are */
		}
		pf_tune_free(tune);
	}
	pf_buffer_release(&text);
}

/* Nobody knows whether nothing waited, or nothing was recorded. */
static void
waiting_that_was_not_recorded_is_said(void **state)
{
	struct pf_tune *tune = new_tune();
	(void)state;

	add_text(tune, "goroutine", "goroutine profile: total 1\n1 @ 0x48b2ae 0x7b1933\n\n", false);
	add_text(tune, "mutex", "--- mutex:\ncycles/second=1000000\nsampling period=0\n", false);
	run_tune(tune);
	assert_int_equal(tune->unjudged.count > 1, 1);
	for (uint32_t i = 1; i < tune->unjudged.count; i++) {
		if (strstr(pf_strings_get(&tune->unjudged, i), "SetMutexProfileFraction"))
			break;
		assert_true(i + 1 < tune->unjudged.count);
	}
	pf_tune_free(tune);
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
		pf_buffer_add(&trace, "", 1);
		add_text(tune, "trace", (const char *)trace.bytes, false);
		pf_buffer_release(&trace);
		run_tune(tune);
		assert_non_null(find_finding(tune, "gc-pressure"));
		assert_true(advises(tune, "GOGC=") == !mostly);
		assert_true((find_finding(tune, "gc-settings") != NULL) == !mostly);
		assert_true(asks_for_fewer(tune) == mostly);
		pf_tune_free(tune);
	}
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

/* What C code or a mapping holds is in no profile of Go's. */
static void
memory_outside_of_go_is_said(void **state)
{
	static const char status[] =
	    "Name:\tthumbs\nTgid:\t7\nVmRSS:\t  510000 kB\nRssAnon:\t  500000 kB\n"
	    "RssFile:\t   10000 kB\nThreads:\t8\n";
	static const struct {
		const char *sys;
		bool said;
	} cases[] = {{"1.7e7", true}, {"4.9e8", false}};
	(void)state;

	for (size_t i = 0; i < 2; i++) {
		struct pf_tune *tune = new_tune();
		char text[128];

		snprintf(text, sizeof text, "go_memstats_sys_bytes %s\n", cases[i].sys);
		add_text(tune, "metrics", text, false);
		add_text(tune, "status", status, false);
		run_tune(tune);
		assert_int_equal(leaves_open(tune, "are not of Go's runtime"), cases[i].said);
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
	pf_buffer_add(&trace, "", 1);
	add_text(tune, "trace", (const char *)trace.bytes, false);
	pf_buffer_release(&trace);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(under_a_memory_limit_no_gogc_is_advised),
	    cmocka_unit_test(metrics_tell_that_the_limit_decides),
	    cmocka_unit_test(gogc_that_is_off_is_no_number),
	    cmocka_unit_test(a_heap_that_outgrows_its_container_is_told),
	    cmocka_unit_test(a_heap_that_still_grows_is_judged_by_its_end),
	    cmocka_unit_test(pressure_advises_what_the_container_has_room_for),
	    cmocka_unit_test(what_leaves_no_room_above_what_is_live_saves_nothing),
	    cmocka_unit_test(a_high_gogc_without_a_limit_is_not_short_of_memory),
	    cmocka_unit_test(gogc_is_advised_as_far_as_gomemlimit_has_room),
	    cmocka_unit_test(a_heap_without_a_goal_is_not_bounded),
	    cmocka_unit_test(goals_that_a_limit_makes_are_within_it),
	    cmocka_unit_test(what_is_live_by_what_is_allocated_is_unsure),
	    cmocka_unit_test(cycles_without_time_between_them_have_no_interval),
	    cmocka_unit_test(pressure_is_weighed_by_the_cpu_that_is_used),
	    cmocka_unit_test(statistics_of_a_base_are_nobodys_today),
	    cmocka_unit_test(room_below_the_goal_is_not_unreturned),
	    cmocka_unit_test(who_is_past_the_first_lock_is_named),
	    cmocka_unit_test(who_is_at_the_first_lock_is_no_party),
	    cmocka_unit_test(thousands_of_waiters_are_judged_at_once),
	    cmocka_unit_test(a_small_heaps_goal_is_4_mib_per_hundred),
	    cmocka_unit_test(pressure_on_an_idle_service_is_of_low_severity),
	    cmocka_unit_test(shares_say_what_they_are_of),
	    cmocka_unit_test(names_in_comments_are_names),
	    cmocka_unit_test(what_is_cut_off_is_said),
	    cmocka_unit_test(a_rare_walk_over_many_objects_is_unsure),
	    cmocka_unit_test(subscribers_of_one_moment_are_unsure),
	    cmocka_unit_test(waiting_that_was_not_recorded_is_said),
	    cmocka_unit_test(a_limit_at_what_is_live_is_raised_to_what_gogc_makes),
	    cmocka_unit_test(gogc_that_an_environment_lacks_is_the_default),
	    cmocka_unit_test(gogc_off_is_told_without_a_trace),
	    cmocka_unit_test(room_enough_under_the_container_asks_for_no_more_memory),
	    cmocka_unit_test(findings_of_one_setting_predict_the_same),
	    cmocka_unit_test(cycles_that_are_asked_for_are_no_matter_of_gogc),
	    cmocka_unit_test(what_a_look_asked_for_is_no_cycle_of_the_services),
	    cmocka_unit_test(memory_outside_of_go_is_said),
	    cmocka_unit_test(one_high_goal_of_a_start_is_no_limit),
	    cmocka_unit_test(a_walk_that_a_setting_makes_rarer_is_no_severe_finding),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
