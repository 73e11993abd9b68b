/* Memory that grows in steps: an array that is enlarged when it is full, for ever or until it has found its size. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/built_profile.h"

#define MIB (1 << 20)

enum { SNAPSHOTS = 12 };

/* One heap snapshot: what `grow` holds in so many blocks, beside a table that stays. */
static void
add_snapshot(struct pf_tune *tune, size_t number, double seconds, int64_t mib, int64_t blocks)
{
	const struct test_row rows[] = {
	    {"grow", {blocks, mib * MIB}}, {"stay", {400, 4 * MIB}}, {NULL, {0}}};
	struct pf_profile *p = built_profile(&test_heap, rows);
	char name[32];

	p->time_nanos = (int64_t)((1e9 + seconds) * 1e9);
	snprintf(name, sizeof name, "heap-%zu", number);
	add_built(tune, p, name, false);
}

/* What is found where a series holds so many MiB at these times: NULL times are a minute apart. */
static struct pf_tune *
watch(const int64_t *mib, const double *times, size_t count, bool in_one_block)
{
	struct pf_tune *tune = new_tune();

	for (size_t i = 0; i < count; i++)
		add_snapshot(
		    tune, i, times ? times[i] : 60 * (double)i, mib[i], in_one_block ? 1 : mib[i]);
	run_tune(tune);
	return tune;
}

/* An array that doubles again and again has no pace; what it grew by in between is told, and not how fast it will. */
static void
what_is_enlarged_has_no_pace(void **state)
{
	static const int64_t mib[] = {32, 40, 64, 80, 128, 160, 256};
	static const double seconds[] = {0, 2, 4, 6, 8, 10, 12};
	(void)state;

	for (int in_one_block = 0; in_one_block <= 1; in_one_block++) {
		struct pf_tune *tune = watch(mib, seconds, 7, in_one_block);
		const struct pf_finding *found = find_finding(tune, "leak");

		assert_non_null(found);
		assert_int_equal(find_number(tune, found, "growth") != NULL, !in_one_block);
		pf_tune_free(tune);
	}
}

/* Where something grew and was not told, no leak of its size would have shown, either: that is said. */
static void
what_grew_and_stands_still_is_said(void **state)
{
	static const int64_t filled[] = {32, 128, 128, 128, 128, 128, 128, 128},
			     same[] = {32, 32, 32, 32, 32, 32, 32, 32};
	static const double seconds[] = {0, 2, 4, 6, 8, 10, 12, 14};
	struct pf_tune *tune = watch(filled, seconds, 8, false);
	(void)state;

	assert_null(find_finding(tune, "leak"));
	assert_true(is_unjudged(tune, "Memory that grow allocates grew by 96"));
	assert_false(is_unjudged(tune, "a leak of less than"));
	pf_tune_free(tune);
	tune = watch(same, seconds, 8, false);
	assert_false(is_unjudged(tune, "did not rise steadily"));
	assert_true(is_unjudged(tune, "a leak of less than"));
	pf_tune_free(tune);
}

/* The more snapshots, the longer it has stayed as it is when it is looked at last. */
static void
an_array_that_doubles_for_ever_is_found(void **state)
{
	static const int64_t mib[SNAPSHOTS] = {
	    32, 64, 128, 128, 128, 256, 256, 256, 256, 256, 256, 512};
	static const int64_t early[] = {8, 128, 256, 256, 256};
	static const double as_a_service[] = {0, 76, 91, 106, 121};
	struct pf_tune *tune;
	const struct pf_finding *finding;
	(void)state;

	for (size_t count = 5; count <= SNAPSHOTS; count++) {
		tune = watch(mib, NULL, count, true);
		finding = find_finding(tune, "leak");
		if (!finding)
			fail_msg("of %zu snapshots", count);
		pf_tune_free(tune);
	}
	tune = watch(early, as_a_service, 5, true);
	finding = find_finding(tune, "leak");
	assert_int_equal(finding->confidence, PF_UNSURE);
	assert_non_null(strstr(pf_said(&tune->findings, finding->summary), "in 2 steps"));
	pf_tune_free(tune);
}

static void
expect_silence(const int64_t *mib, bool in_one_block)
{
	struct pf_tune *tune = watch(mib, NULL, SNAPSHOTS, in_one_block);

	if (pf_tune_finding_count(tune))
		fail_msg("%s", pf_tune_finding_title(tune, 0));
	pf_tune_free(tune);
}

/* A leak that is seen for seconds may be a cache that fills up, as in a young process. */
static void
a_short_series_is_not_sure(void **state)
{
	static const int64_t mib[SNAPSHOTS] = {
	    100, 110, 120, 130, 140, 150, 160, 170, 180, 190, 200, 210};
	static const struct {
		double apart;
		enum pf_confidence most;
	} series[] = {
	    {1, PF_UNSURE}, {10, PF_UNSURE}, {30, PF_CONFIDENCE_LOW}, {60, PF_CONFIDENCE_HIGH}};
	(void)state;

	for (size_t i = 0; i < sizeof series / sizeof *series; i++) {
		double times[SNAPSHOTS];
		struct pf_tune *tune;

		for (size_t k = 0; k < SNAPSHOTS; k++)
			times[k] = series[i].apart * (double)k;
		tune = watch(mib, times, SNAPSHOTS, false);
		assert_int_equal(find_finding(tune, "leak")->confidence, series[i].most);
		pf_tune_free(tune);
	}
}

/* Beside growth: what is resident, and by whom the process's age is told. */
struct youth {
	double limit;     /* bytes */
	int64_t alive;    /* seconds, by the last snapshot; 0: it doesn't say */
	double allocated; /* bytes, ever, by the first; as much more by the last */
};

static struct pf_tune *
watch_young(const int64_t *mib, size_t count, double apart, bool in_one_block, struct youth y)
{
	static const char metrics[] = "process_resident_memory_bytes 3e8\n"
				      "go_memstats_sys_bytes 3e8\n";
	struct pf_tune *tune = new_tune();
	struct pf_evidence *e = &tune->evidence;
	struct pf_error err = {0};
	bool known;

	e->memory_limit = y.limit;
	for (size_t k = 0; k < count; k++)
		add_snapshot(tune, k, apart * (double)k, mib[k], in_one_block ? 1 : mib[k]);
	e->asked = y.allocated > 0;
	e->profiles[0].allocated = y.allocated;
	e->profiles[count - 1].allocated = 2 * y.allocated;
	e->profiles[count - 1].p->duration_nanos = y.alive * 1000000000;
	assert_int_equal(
	    pf_evidence_add_stats(e, "metrics", metrics, strlen(metrics), false, &known, &err), 0);
	run_tune(tune);
	return tune;
}

/* What may be none is of little consequence, unless a limit is met: and what the next look shows is told. */
static void
what_may_be_a_cache_says_what_to_do_next(void **state)
{
	static const int64_t mib[SNAPSHOTS] = {
	    100, 110, 120, 130, 140, 150, 160, 170, 180, 190, 200, 210};
	static const int64_t in_steps[] = {8, 128, 256, 256, 256};
	static const struct {
		bool steps;
		double apart;
		struct youth youth;
		enum pf_severity severity;
		const char *next;
	} cases[] = {
	    {false, 1, {NAN}, PF_SEVERITY_LOW,
		"Take one more in 10 minutes: a leak has grown by about another 5.9 GiB"},
	    {false, 1, {8e9}, PF_SEVERITY_MEDIUM, "another 5.9 GiB until then"},
	    {false, 1, {8e15}, PF_SEVERITY_LOW, "another 5.9 GiB until then"},
	    {false, 60, {NAN}, PF_SEVERITY_HIGH, NULL},
	    /* whoever tells its age */
	    {false, 1, {NAN, 24}, PF_SEVERITY_LOW,
		"Look again in 10 minutes: a leak has grown by about another 5.9 GiB"},
	    {false, 1, {NAN, 0, 1e8}, PF_SEVERITY_LOW,
		"Look again in 10 minutes: a leak has grown by about another 5.9 GiB"},
	    /* steps have no pace: it is the next one that may meet a limit */
	    {true, 20, {5e8}, PF_SEVERITY_MEDIUM,
		"a leak has grown on until then; a cache that is full by then, or a batch that has "
		"read its input, grows no more."},
	    {true, 20, {8e8}, PF_SEVERITY_LOW, "a leak has grown on until then"},
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_tune *tune = watch_young(cases[i].steps ? in_steps : mib,
		    cases[i].steps ? sizeof in_steps / sizeof *in_steps : SNAPSHOTS, cases[i].apart,
		    cases[i].steps, cases[i].youth);
		const struct pf_finding *leak = find_finding(tune, "leak");

		if (leak->severity != cases[i].severity)
			fail_msg("case %zu: severity %d", i, leak->severity);
		if (cases[i].next && !is_caveat(tune, leak, cases[i].next))
			fail_msg("case %zu: what next", i);
		pf_tune_free(tune);
	}
}

/* No growth in seconds says nothing of slow leaks: how fast one had to be is told. */
static void
a_short_watch_without_growth_is_no_all_clear(void **state)
{
	static const int64_t mib[SNAPSHOTS] = {96, 96, 96, 96, 96, 96, 96, 96, 96, 96, 96, 96};
	static const double apart[] = {1, 60};
	(void)state;

	for (size_t i = 0; i < 2; i++) {
		double times[SNAPSHOTS];
		struct pf_tune *tune;
		size_t told = 0;

		for (size_t k = 0; k < SNAPSHOTS; k++)
			times[k] = apart[i] * (double)k;
		tune = watch(mib, times, SNAPSHOTS, false);
		for (uint32_t k = 1; k < tune->unjudged.count; k++)
			told += strstr(pf_strings_get(&tune->unjudged, k),
				    "watched for 11 s: a leak of less than about 1.1 MiB/s (12 MiB "
				    "in that time) may not show") != NULL;
		assert_int_equal(told, !i);
		assert_int_equal(pf_tune_finding_count(tune), 0);
		pf_tune_free(tune);
	}
}

static void
a_table_that_has_found_its_size_is_none(void **state)
{
	static const int64_t fills[SNAPSHOTS] = {16, 32, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64};
	static const int64_t once[SNAPSHOTS] = {32, 32, 32, 32, 32, 32, 32, 64, 64, 64, 64, 64};
	static const int64_t falls[SNAPSHOTS] = {
	    16, 32, 64, 128, 64, 64, 64, 64, 64, 128, 128, 128};
	static const int64_t loads[SNAPSHOTS] = {
	    20, 60, 60, 60, 60, 60, 120, 120, 120, 120, 120, 120};
	(void)state;

	expect_silence(fills, true);
	expect_silence(once, true);
	expect_silence(falls, true);
	expect_silence(
	    loads, false); /* one table after the other: more blocks, and no bigger ones */
}

/* A function that holds memory in two ways, deep below library code: `ways` of it in the first, in MiB. */
static void
add_ways(struct pf_tune *tune, const int64_t ways[2], double seconds, bool base)
{
	static const char *const inside[][2] = {
	    {"operator new", "std::map::operator[]"}, {"operator new", "std::string::substr"}};
	static const char *const above[] = {"note", "handle", "serve", "main"};
	const struct pf_text file = pf_text_of("service.c", 9);
	struct pf_builder b;
	struct pf_profile *p;
	struct pf_error err = {0};

	assert_int_equal(pf_profile_new(&p, &err), 0);
	pf_builder_init(&b, p, PF_BUILD_ALL);
	assert_int_equal(pf_builder_type(&b, "inuse_objects", "count", &err), 0);
	assert_int_equal(pf_builder_type(&b, "inuse_space", "bytes", &err), 0);
	assert_int_equal(pf_builder_period(&b, "space", "bytes", 524288, &err), 0);
	for (size_t i = 0; i < 2; i++) {
		const int64_t values[] = {ways[i] * 10, ways[i] * MIB};
		const char *names[16] = {inside[i][0]};
		char between[9][32];
		size_t count = 1;

		for (size_t k = 0; k < 9; k++) {
			snprintf(between[k], sizeof between[k], "std::layer%zu::pass", k);
			names[count++] = between[k];
		}
		names[count++] = inside[i][1];
		for (size_t k = 0; k < sizeof above / sizeof *above; k++)
			names[count++] = above[k];
		for (size_t k = 0; k < count; k++)
			assert_int_equal(pf_builder_function(&b,
					     pf_text_of(names[k], strlen(names[k])), file, 0, &err),
			    0);
		assert_int_equal(pf_builder_sample(&b, values, &err), 0);
	}
	assert_int_equal(pf_builder_end(&b, &err), 0);
	p->time_nanos = (int64_t)((1e9 + seconds) * 1e9);
	pf_builder_release(&b);
	assert_int_equal(pf_evidence_add_profile(&tune->evidence, p, "heap", base, &err), 0);
	assert_int_equal(pf_tune_note(tune, "heap", &err), 0);
}

/* Each stack has its own value, the largest first; a short form has the function that is blamed, and its caller. */
static void
a_leak_shows_each_of_its_stacks(void **state)
{
	static const int64_t before[2] = {1, 1}, now[2] = {30, 90};
	struct pf_tune *tune = new_tune();
	const struct pf_findings *f = &tune->findings;
	const struct pf_finding *finding;
	const struct pf_evidence_stack *s;
	struct pf_error err = {0};
	struct pf_buffer text;
	(void)state;

	add_ways(tune, before, 0, true);
	add_ways(tune, now, 60, false);
	run_tune(tune);
	finding = find_finding(tune, "leak");
	assert_non_null(strstr(pf_said(f, finding->title), "note allocates"));
	assert_int_equal(finding->stack_count, 2);
	s = &f->stacks[finding->first_stack];
	assert_near(s[0].share, 0.75, 0.001);
	assert_near(s[1].share, 0.25, 0.001);
	assert_near(s[0].value, 90.0 * MIB, 1);
	assert_true(isnan(s[0].own));
	for (int i = 0; i < 2; i++) {
		pf_buffer_init(&text, PF_BUFFER_NO_MAXIMUM);
		assert_int_equal((i ? pf_tune_markdown : pf_tune_text)(tune, &text, &err), 0);
		pf_buffer_byte(&text, '\0');
		assert_non_null(strstr((const char *)text.bytes,
		    i ? "… ← `note` ← `handle` ← …" : "… ← note ← handle ← 2 more"));
		assert_non_null(strstr(
		    (const char *)text.bytes, i ? "in `operator new` ← " : "  operator new ← "));
		pf_buffer_release(&text);
	}
	pf_tune_free(tune);
}

/* What one function holds, and ever allocated, beside a cache that puts in as much as it throws out; in MiB. */
struct heap {
	int64_t held, allocated, cache_allocated;
	double seconds;
	bool base;
};

enum { OBJECT = 1024, CACHE_MIB = 200 };

static void
add_heap(struct pf_tune *tune, struct heap h)
{
	static const struct test_profile_kind kind = {
	    {"alloc_objects", "alloc_space", "inuse_objects", "inuse_space"},
	    {"count", "bytes", "count", "bytes"}, "space", "bytes", 524288};
	const struct test_row rows[] = {{"keep", {h.allocated * MIB / OBJECT, h.allocated * MIB,
						     h.held * MIB / OBJECT, h.held * MIB}},
	    {"turn", {h.cache_allocated * MIB / OBJECT, h.cache_allocated * MIB,
			 CACHE_MIB * MIB / OBJECT, CACHE_MIB * MIB}},
	    {NULL, {0}}};
	struct pf_profile *p = built_profile(&kind, rows);

	p->time_nanos = (int64_t)((1e9 + h.seconds) * 1e9);
	add_built(tune, p, "heap", h.base);
}

/*
 * What has leaked for long is the same samples in both snapshots. So 49 MiB beside 1,200 are seen, with the error of
 * 49 MiB in objects of 1 KiB: 1.96 times the root of 49 MiB times 512 KiB. Of two processes they may be chance.
 */
static void
an_old_leak_is_seen_as_well_as_a_young_one(void **state)
{
	struct pf_tune *tune = new_tune();
	const struct pf_finding *finding;
	const struct pf_number *grown;
	(void)state;

	add_heap(tune, (struct heap){1200, 1300, 1000, 0, true});
	add_heap(tune, (struct heap){1249, 1349, 9000, 30, false});
	run_tune(tune);
	finding = find_finding(tune, "leak");
	assert_non_null(finding);
	assert_non_null(strstr(pf_said(&tune->findings, finding->title), "keep"));
	grown = &tune->findings.numbers[finding->first_number];
	assert_float_equal(grown->value / MIB, 49, 0.1);
	assert_float_equal((grown->high - grown->value) / MIB, 1.96 * sqrt(49 * 0.5), 0.2);
	pf_tune_free(tune);

	tune = new_tune();
	add_heap(tune, (struct heap){1200, 1300, 1000, 0, true});
	add_heap(tune, (struct heap){1249, 1349, 999, 30, false});
	run_tune(tune);
	assert_null(find_finding(tune, "leak"));
	assert_true(is_unjudged(tune, "Memory was compared over 30 s: a leak of less than about"));
	pf_tune_free(tune);
}

/* As much growth of what is freed as well is load that has gone up. */
static void
what_is_freed_too_grows_with_load(void **state)
{
	struct pf_tune *tune = new_tune();
	(void)state;

	add_heap(tune, (struct heap){1200, 1300, 1000, 0, true});
	add_heap(tune, (struct heap){1249, 2600, 1001, 30, false});
	run_tune(tune);
	assert_null(find_finding(tune, "leak"));
	pf_tune_free(tune);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_enlarged_has_no_pace),
	    cmocka_unit_test(what_grew_and_stands_still_is_said),
	    cmocka_unit_test(an_array_that_doubles_for_ever_is_found),
	    cmocka_unit_test(a_leak_shows_each_of_its_stacks),
	    cmocka_unit_test(a_short_series_is_not_sure),
	    cmocka_unit_test(what_may_be_a_cache_says_what_to_do_next),
	    cmocka_unit_test(a_short_watch_without_growth_is_no_all_clear),
	    cmocka_unit_test(a_table_that_has_found_its_size_is_none),
	    cmocka_unit_test(an_old_leak_is_seen_as_well_as_a_young_one),
	    cmocka_unit_test(what_is_freed_too_grows_with_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
