/* What MemStats tell where neither /metrics nor a process was given: a limit, GOGC that is off, memory of C code. */
#include <math.h>

#include "support/labelled_profile.h"
#include "support/tuned.h"
#include "tuner/gc_said.h"
#include "tuner/detect.h"

#define MIB (1 << 20)

struct look {
	double live, goal, sys, max_rss; /* MiB */
	double second;
};

/* heap?debug=1: a profile without sampling, and MemStats. */
static void
add_look(struct pf_tune *tune, const struct look *l)
{
	char text[2048];
	int objects = 1000, size = (int)(l->live * MIB / objects);
	struct pf_error err = {0};

	snprintf(text, sizeof text,
	    "heap profile: %d: %d [%d: %d] @ heap/2\n"
	    "%d: %d [%d: %d] @ 0x488aac 0x606268\n"
	    "#\t0x606267\tmain.remember+0x47\t\t\t/src/a.go:277\n\n"
	    "# runtime.MemStats\n# Alloc = 5\n# Sys = %.0f\n# HeapAlloc = %.0f\n# NextGC = %.0f\n"
	    "# LastGC = %.0f\n# NumGC = 3\n# MaxRSS = %.0f\n",
	    objects, objects * size, objects, objects * size, objects, objects * size, objects,
	    objects * size, l->sys * MIB, l->live * MIB, l->goal < 0 ? 0x1p64 : l->goal * MIB,
	    (1.7e9 + l->second) * 1e9, l->max_rss * MIB);
	if (pf_tune_add(tune, "heap", text, strlen(text), false, &err))
		fail_msg("%s", err.message);
}

static struct pf_go_heap
heap_of(const struct look *l)
{
	struct pf_tune *tune = new_tune();
	struct pf_go_heap h;
	struct pf_error err = {0};

	add_look(tune, l);
	run_tune(tune);
	assert_int_equal(pf_go_heap(&tune->evidence, &h, &err), 0);
	pf_tune_free(tune);
	return h;
}

/* A goal next to what is live is no GOGC's of 100: half of it isn't what is live, and GOGC=200 would change nothing. */
static void
a_goal_next_to_what_is_live_is_a_limits(void **state)
{
	static const struct look spiral = {.live = 42, .goal = 44, .sys = 62, .max_rss = 58},
				 usual = {.live = 30, .goal = 61, .sys = 80, .max_rss = 75},
				 small = {.live = 3, .goal = 4, .sys = 12, .max_rss = 15};
	struct pf_go_heap h = heap_of(&spiral);
	(void)state;

	assert_true(h.limited && h.limited_assumed && !h.gogc_assumed);
	assert_true(h.live > 40.0 * MIB);
	h = heap_of(&usual);
	assert_true(!h.limited && h.gogc_assumed);
	h = heap_of(&small); /* the least goal there is */
	assert_true(!h.limited && h.gogc_assumed);
}

static void
gogc_off_without_a_limit_is_told(void **state)
{
	static const struct look off = {.live = 42, .goal = -1, .sys = 62, .max_rss = 58},
				 limited = {.live = 42, .goal = 900, .sys = 62, .max_rss = 58};
	(void)state;

	for (int i = 0; i < 2; i++) {
		struct pf_tune *tune = new_tune();
		const struct pf_finding *finding;

		snprintf(tune->evidence.gogc, sizeof tune->evidence.gogc, "off");
		add_look(tune, i ? &limited : &off);
		run_tune(tune);
		finding = find_finding(tune, "gc-settings");
		assert_int_equal(finding != NULL, !i);
		if (finding)
			assert_non_null(
			    strstr(pf_said(&tune->findings, finding->title), "GOGC is off"));
		pf_tune_free(tune);
	}
}

/* The container's limit, told to the runtime, does not take GOGC=off away; what it does then is said. */
static void
gogc_off_in_a_container_is_advised_to_go(void **state)
{
	static const struct look off = {.live = 42, .goal = -1, .sys = 62, .max_rss = 58};
	struct pf_tune *tune = new_tune();
	const struct pf_finding *finding;
	const struct pf_findings *f = &tune->findings;
	const struct pf_advice *advice;
	(void)state;

	tune->evidence.memory_limit = 256.0 * MIB;
	snprintf(tune->evidence.gogc, sizeof tune->evidence.gogc, "off");
	add_look(tune, &off);
	run_tune(tune);
	finding = find_finding(tune, "gc-settings");
	assert_non_null(finding);
	assert_int_equal(finding->advice_count, 2);
	advice = &f->advices[finding->first_advice];
	assert_string_equal(pf_said(f, advice[0].setting), "GOMEMLIMIT=230MiB");
	assert_null(strstr(pf_said(f, advice[0].risk), "Never with"));
	assert_string_equal(pf_said(f, advice[1].setting), "GOGC=100");
	pf_tune_free(tune);
}

/* Who has given the process's environment is not asked for it. */
static void
a_default_that_the_environment_leaves_is_told_as_that(void **state)
{
	static const struct look usual = {.live = 30, .goal = 61, .sys = 80, .max_rss = 75};
	(void)state;

	for (int known = 0; known < 2; known++) {
		struct pf_tune *tune = new_tune();
		struct pf_go_heap h;
		struct pf_error err = {0};

		tune->evidence.has_environment = known;
		add_look(tune, &usual);
		run_tune(tune);
		assert_int_equal(pf_go_heap(&tune->evidence, &h, &err), 0);
		assert_true(h.gogc_assumed && h.gogc_default == (known == 1));
		pf_findings_add(&tune->findings, "x", PF_SEVERITY_LOW, PF_CONFIDENCE_HIGH, 0);
		pf_gc_doubt_gogc(&tune->findings, &h, PF_CONFIDENCE_MEDIUM);
		assert_int_equal(
		    strstr(pf_said(&tune->findings,
			       tune->findings.caveats[tune->findings.caveat_count - 1]),
			"give --pid") == NULL,
		    known == 1);
		pf_tune_free(tune);
	}
}

/* What was resident at most, less all that the runtime asked for. */
static void
memory_of_c_code_that_grows_is_told(void **state)
{
	static const struct {
		struct look then, now;
		bool grows;
	} cases[] = {
	    {{.sys = 20, .max_rss = 30}, {.sys = 21, .max_rss = 80}, true},
	    {{.sys = 20, .max_rss = 30}, {.sys = 75, .max_rss = 80}, false}, /* Go's own */
	    {{.sys = 200, .max_rss = 60}, {.sys = 200, .max_rss = 190}, false},
	    {{.sys = 20, .max_rss = 130}, {.sys = 20, .max_rss = 132}, false},
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct look then = cases[i].then, now = cases[i].now;
		struct pf_tune *tune = new_tune();
		const struct pf_finding *finding;

		then.live = now.live = 10;
		then.goal = now.goal = 20;
		now.second = 20;
		add_look(tune, &then);
		add_look(tune, &now);
		run_tune(tune);
		finding = find_finding(tune, "leak");
		assert_int_equal(finding != NULL, cases[i].grows);
		if (finding)
			assert_int_equal(finding->confidence, PF_CONFIDENCE_LOW);
		pf_tune_free(tune);
	}
}

/* What was resident at most is where the peak begins, if nothing else says what is resident. */
static void
a_peak_begins_at_what_was_resident_at_most(void **state)
{
	static const struct look now = {.live = 50, .goal = 100, .sys = 120, .max_rss = 150};
	struct pf_buffer trace = {.maximum = 1 << 16};
	struct pf_tune *tune = new_tune();
	const struct pf_findings *f = &tune->findings;
	struct pf_error err = {0};
	size_t found = 0;
	(void)state;

	for (int i = 1; i <= 8; i++)
		pf_buffer_printf(&trace,
		    "gc %d @%.3fs 14%%: 0.1+90+0.1 ms clock, 0.2+40/160/0+0.2 ms cpu, "
		    "95->100->50 MB, 101 MB goal, 0 MB stacks, 0 MB globals, 2 P\n",
		    i, i * 0.2);
	assert_int_equal(pf_tune_add(tune, "trace", trace.bytes, trace.size, false, &err), 0);
	pf_buffer_release(&trace);
	add_look(tune, &now);
	run_tune(tune);
	for (size_t i = 0; i < f->prediction_count; i++) {
		if (strcmp(pf_said(f, f->predictions[i].metric), "rss_peak") != 0)
			continue;
		found++;
		assert_true(f->predictions[i].before == 150.0 * MIB);
	}
	assert_int_equal(found, 1);
	pf_tune_free(tune);
}

struct walk {
	int64_t collects, works; /* samples of 10 ms in 4 s */
	double answered;         /* seconds: by collections that were asked for; NaN: of files */
	int forced, cycles;      /* meanwhile: of all four that were asked for, and of its own */
	enum pf_confidence confidence;
	bool found;
};

/* Of 1.5 million objects, in a service that was looked at for 10 s. */
static struct pf_tune *
walk(const struct walk *w)
{
	static const char *const types[] = {"samples", "count", "cpu", "nanoseconds", NULL};
	static const char look[] = "heap profile: 1500000: 57000000 [1500000: 57000000] @ heap/2\n"
				   "1500000: 57000000 [1500000: 57000000] @ 0x488aac 0x606268\n"
				   "#\t0x606267\tmain.build+0x47\t\t\t/src/a.go:277\n\n"
				   "# runtime.MemStats\n# HeapAlloc = 5\n# NextGC = 100000000\n"
				   "# LastGC = %d000000000\n# NumGC = %d\n# NumForcedGC = %d\n";
	const struct test_sample samples[] = {
	    {{"main.query", "main.serve"}, {w->works, 10000000 * w->works}, {{0}}},
	    {{w->collects ? "runtime.scanobject" : NULL, "runtime.gcBgMarkWorker"},
		{w->collects, 10000000 * w->collects}, {{0}}},
	    {{NULL}, {0}, {{0}}}};
	struct pf_tune *tune = new_tune();
	struct pf_error err = {0};
	char text[1024];

	for (int k = 0; k < 2; k++) {
		tune->evidence.asked = isnan(w->answered) ? 0 : k ? 5 : 1;
		snprintf(text, sizeof text, look, 1000 + 10 * k, 10 + k * (w->forced + w->cycles),
		    1 + k * w->forced);
		assert_int_equal(pf_tune_add(tune, "heap", text, strlen(text), false, &err), 0);
	}
	tune->evidence.answered = w->answered;
	add_labelled(tune, types, samples, 4, 1000, false);
	run_tune(tune);
	return tune;
}

/* How long a cycle that was asked for took, as the finding shows it; NaN: it doesn't. */
static double
shown_answer(const struct pf_tune *tune, const struct pf_finding *finding)
{
	const struct pf_number *n = find_number(tune, finding, "a_cycle_asked_for");

	return n ? n->value : NAN;
}

/* Where cycles come rarely, one has to take long: how long at most, those tell that tune asks for. */
static void
rare_walks_are_told_where_one_takes_long(void **state)
{
	static const struct walk cases[] = {
	    {0, 40, 0.07, 4, 1, PF_UNSURE, false},
	    {0, 9, 0.07, 4, 1, PF_UNSURE, false},
	    /* one cycle of its own, which just fell into the profile: no rate */
	    {5, 40, 0.07, 4, 1, PF_UNSURE, false},
	    {0, 40, 0.13, 4, 1, PF_UNSURE, true},
	    {0, 40, 0.5, 4, 1, PF_CONFIDENCE_LOW, true},
	    /* it takes the question for another, and collects nothing */
	    {0, 40, 0.01, 0, 1, PF_UNSURE, true},
	    {0, 40, NAN, 0, 1, PF_UNSURE, true},
	    {0, 9, NAN, 0, 1, PF_UNSURE, true},
	    /* not rare */
	    {15, 40, 0.07, 4, 10, PF_CONFIDENCE_HIGH, true},
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_tune *tune = walk(&cases[i]);
		const struct pf_finding *finding = find_finding(tune, "gc-scan");

		if (!finding != !cases[i].found)
			fail_msg("case %zu", i);
		if (finding && finding->confidence != cases[i].confidence)
			fail_msg("case %zu: confidence %d", i, finding->confidence);
		if (finding && cases[i].forced && shown_answer(tune, finding) != cases[i].answered)
			fail_msg("case %zu: not shown how long it took", i);
		pf_tune_free(tune);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rare_walks_are_told_where_one_takes_long),
	    cmocka_unit_test(a_goal_next_to_what_is_live_is_a_limits),
	    cmocka_unit_test(gogc_off_without_a_limit_is_told),
	    cmocka_unit_test(gogc_off_in_a_container_is_advised_to_go),
	    cmocka_unit_test(a_default_that_the_environment_leaves_is_told_as_that),
	    cmocka_unit_test(memory_of_c_code_that_grows_is_told),
	    cmocka_unit_test(a_peak_begins_at_what_was_resident_at_most),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
