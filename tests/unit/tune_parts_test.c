/* A function that allocates for others hides a leak of one of them: it is told of who has it allocated. */
#include <stdio.h>
#include <string.h>

#include "support/built_profile.h"

enum { MIB = 1 << 20, SNAPSHOTS = 8, STACKS = 6 };

/* Who calls whom, leaf first, and MiB by snapshot. */
struct stack {
	const char *names[5];
	int64_t mib[SNAPSHOTS];
};

static void
add_snapshot(struct pf_tune *tune, const struct stack *stacks, size_t snapshot)
{
	const struct pf_text file = pf_text_of("service.c", 9);
	struct pf_builder b;
	struct pf_profile *p;
	struct pf_error err = {0};
	char name[32];

	assert_int_equal(pf_profile_new(&p, &err), 0);
	pf_builder_init(&b, p, PF_BUILD_ALL);
	assert_int_equal(pf_builder_type(&b, "inuse_objects", "count", &err), 0);
	assert_int_equal(pf_builder_type(&b, "inuse_space", "bytes", &err), 0);
	assert_int_equal(pf_builder_period(&b, "space", "bytes", 524288, &err), 0);
	for (size_t i = 0; i < STACKS && stacks[i].names[0]; i++) {
		const int64_t values[] = {
		    stacks[i].mib[snapshot] * 1024, stacks[i].mib[snapshot] * MIB};

		for (size_t k = 0; stacks[i].names[k]; k++)
			assert_int_equal(
			    pf_builder_function(&b,
				pf_text_of(stacks[i].names[k], strlen(stacks[i].names[k])), file, 0,
				&err),
			    0);
		assert_int_equal(pf_builder_sample(&b, values, &err), 0);
	}
	assert_int_equal(pf_builder_end(&b, &err), 0);
	p->time_nanos = (int64_t)((1e9 + 120 * (double)snapshot) * 1e9);
	pf_builder_release(&b);
	snprintf(name, sizeof name, "heap-%zu", snapshot);
	add_built(tune, p, name, false);
}

static struct pf_tune *
watch(const struct stack *stacks)
{
	struct pf_tune *tune = new_tune();

	for (size_t i = 0; i < SNAPSHOTS; i++)
		add_snapshot(tune, stacks, i);
	run_tune(tune);
	return tune;
}

/* How many leaks are told; the title of the only one. */
static void
expect_leak(const struct stack *stacks, const char *title)
{
	struct pf_tune *tune = watch(stacks);
	const struct pf_findings *f = &tune->findings;
	const struct pf_finding *finding = find_finding(tune, "leak");

	assert_int_equal(f->finding_count, title ? 1 : 0);
	if (title && !strstr(pf_said(f, finding->title), title))
		fail_msg("%s", pf_said(f, finding->title));
	pf_tune_free(tune);
}

#define CHURN {90, 20, 100, 40, 120, 30, 80, 50}
#define TURNS {20, 70, 30, 60, 10, 90, 40, 60}
#define RISES {10, 15, 20, 25, 30, 35, 40, 45}

/* The leak is load's, be it through the wrapper or another one that calls it; what comes and goes for others hides it no more. */
static void
a_leak_is_seen_through_what_allocates(void **state)
{
	static const struct stack stacks[STACKS] = {
	    {{"wrap", "render", "serve"}, CHURN},
	    {{"wrap", "note", "serve"}, TURNS},
	    {{"wrap", "load", "serve"}, RISES},
	    {{"wrap", "copy", "load", "serve"}, RISES},
	    {{"wrap", "copy", "note", "serve"}, {1, 1, 1, 1, 1, 1, 1, 1}},
	};
	struct pf_tune *tune = watch(stacks);
	const struct pf_findings *f = &tune->findings;
	const struct pf_finding *leak = find_finding(tune, "leak");
	(void)state;

	assert_non_null(leak);
	assert_int_equal(f->finding_count, 1);
	assert_non_null(strstr(pf_said(f, leak->title),
	    "Memory that load allocates through wrap grew by 70 MiB and was not freed"));
	assert_non_null(strstr(pf_said(f, leak->summary), "wrap allocates for 3 functions in all"));
	assert_int_equal(leak->stack_count, 2);
	assert_true(leak->bytes_saved == 70.0 * MIB);
	pf_tune_free(tune);
}

/* One that is called by three itself is no culprit, either. */
static void
wrappers_of_wrappers_are_seen_through(void **state)
{
	static const struct stack stacks[STACKS] = {
	    {{"wrap", "render", "serve"}, CHURN},
	    {{"wrap", "note", "serve"}, TURNS},
	    {{"wrap", "copy", "load", "serve"}, RISES},
	    {{"wrap", "copy", "keep", "serve"}, {60, 10, 50, 20, 70, 30, 60, 20}},
	    {{"wrap", "copy", "log", "serve"}, {1, 1, 1, 1, 1, 1, 1, 1}},
	};
	(void)state;

	expect_leak(stacks, "load allocates through wrap grew by 35 MiB");
}

/* Where the owner itself rises, its bytes are told once: of one caller where it is nearly all that one's, else of the owner. */
static void
nothing_is_told_twice(void **state)
{
	static const struct stack one[STACKS] = {
	    {{"wrap", "render", "serve"}, {9, 9, 9, 9, 9, 9, 9, 9}},
	    {{"wrap", "note", "serve"}, {9, 9, 9, 9, 9, 9, 9, 9}},
	    {{"wrap", "load", "serve"}, RISES},
	};
	static const struct stack all[STACKS] = {
	    {{"wrap", "render", "serve"}, RISES},
	    {{"wrap", "note", "serve"}, RISES},
	    {{"wrap", "load", "serve"}, RISES},
	};
	static const struct stack two[STACKS] = {
	    {{"wrap", "render", "serve"}, CHURN},
	    {{"wrap", "load", "serve"}, RISES},
	};
	(void)state;

	expect_leak(one, "load allocates through wrap");
	expect_leak(all, "Memory that wrap allocates grew by 105 MiB");
	expect_leak(two, NULL); /* two callers make no wrapper */
}

/* What comes and goes, is loaded once, or is full, is no leak of a caller's. */
static void
callers_without_a_leak_are_not_told(void **state)
{
	static const struct stack stacks[STACKS] = {
	    {{"wrap", "render", "serve"}, CHURN},
	    {{"wrap", "note", "serve"}, TURNS},
	    {{"wrap", "load", "serve"}, {10, 10, 10, 40, 40, 40, 40, 40}},
	    {{"wrap", "fill", "serve"}, {5, 20, 35, 50, 50, 50, 50, 50}},
	};
	(void)state;

	expect_leak(stacks, NULL);
}

/* A table that one caller fills and another refreshes, through the same wrapper. */
static void
what_a_caller_replaces_is_not_sure(void **state)
{
	static const struct stack stacks[STACKS] = {
	    {{"wrap", "fill", "serve"}, {90, 85, 80, 75, 70, 65, 60, 55}},
	    {{"wrap", "replace", "serve"}, RISES},
	    {{"wrap", "note", "serve"}, {9, 9, 9, 9, 9, 9, 9, 9}},
	};
	struct pf_tune *tune = watch(stacks);
	const struct pf_findings *f = &tune->findings;
	const struct pf_finding *leak = find_finding(tune, "leak");
	(void)state;

	assert_non_null(leak);
	assert_int_equal(leak->confidence, PF_UNSURE);
	assert_non_null(
	    strstr(pf_said(f, leak->title), "while other memory became less by 35 MiB"));
	assert_non_null(strstr(pf_said(f, f->caveats[leak->first_caveat]),
	    "most of all what fill allocated, and the heap as a whole did not grow"));
	pf_tune_free(tune);
}

/* CPU samples of an allocator's function that so many callers have allocate, and of other work. */
static struct pf_tune *
watch_cpu(const char *const *callers, size_t count)
{
	const struct pf_text file = pf_text_of("service.c", 9);
	struct pf_tune *tune = new_tune();
	struct pf_builder b;
	struct pf_profile *p;
	struct pf_error err = {0};

	assert_int_equal(pf_profile_new(&p, &err), 0);
	pf_builder_init(&b, p, PF_BUILD_ALL);
	assert_int_equal(pf_builder_type(&b, "samples", "count", &err), 0);
	assert_int_equal(pf_builder_type(&b, "cpu", "nanoseconds", &err), 0);
	assert_int_equal(pf_builder_period(&b, "cpu", "nanoseconds", 10000000, &err), 0);
	for (size_t i = 0; i <= count; i++) {
		const char *names[] = {"malloc", "wrap", i < count ? callers[i] : "", "serve"};
		int64_t samples = i < count ? 400 / ((int64_t)i + 1) : 300;
		const int64_t values[] = {samples, samples * 10000000};

		for (size_t k = i < count ? 0 : 3; k < 4; k++)
			assert_int_equal(pf_builder_function(&b,
					     pf_text_of(names[k], strlen(names[k])), file, 0, &err),
			    0);
		assert_int_equal(pf_builder_sample(&b, values, &err), 0);
	}
	assert_int_equal(pf_builder_end(&b, &err), 0);
	pf_builder_release(&b);
	add_built(tune, p, "cpu", false);
	run_tune(tune);
	return tune;
}

/* What allocates for three and more is no place to allocate less in; for two it may be. */
static void
who_has_it_allocate_is_named(void **state)
{
	static const char *const callers[] = {"render", "load", "note", "log"};
	(void)state;

	for (size_t count = 2; count <= 4; count++) {
		struct pf_tune *tune = watch_cpu(callers, count);
		const struct pf_finding *heavy = find_finding(tune, "allocation-heavy");
		const char *summary;

		assert_non_null(heavy);
		summary = pf_said(&tune->findings, heavy->summary);
		if (count == 2)
			assert_string_equal(summary, "");
		if (count == 4)
			assert_string_equal(summary,
			    "wrap allocates for 4 functions, most of it for render (48.0 %), load "
			    "(24.0 %), note (16.0 %): allocate less in these.");
		if (count >= 3)
			assert_non_null(strstr(summary, "render ("));
		pf_tune_free(tune);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_leak_is_seen_through_what_allocates),
	    cmocka_unit_test(wrappers_of_wrappers_are_seen_through),
	    cmocka_unit_test(nothing_is_told_twice),
	    cmocka_unit_test(callers_without_a_leak_are_not_told),
	    cmocka_unit_test(who_has_it_allocate_is_named),
	    cmocka_unit_test(what_a_caller_replaces_is_not_sure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
