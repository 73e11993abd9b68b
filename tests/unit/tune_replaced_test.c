/* Memory that grows while other memory becomes less: what takes the place of older entries of a bounded table is no leak. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/built_profile.h"

enum { MIB = 1 << 20, SNAPSHOTS = 12, OTHERS = 3 };

/* MiB by snapshot, a minute apart: of who grows, and of others. */
struct course {
	int64_t replace[SNAPSHOTS], others[OTHERS][SNAPSHOTS];
};

static void
add_snapshot(struct pf_tune *tune, const struct course *c, size_t i, bool base)
{
	static const char *const names[OTHERS] = {"fill", "serve", "keep"};
	struct test_row rows[OTHERS + 2] = {{"replace", {c->replace[i], c->replace[i] * MIB}}};
	struct pf_profile *p;
	char name[32];

	for (size_t k = 0; k < OTHERS; k++)
		rows[k + 1] = (struct test_row){names[k], {c->others[k][i], c->others[k][i] * MIB}};
	p = built_profile(&test_heap, rows);
	p->time_nanos = (int64_t)((1e9 + 60 * (double)i) * 1e9);
	snprintf(name, sizeof name, "heap-%zu", i);
	add_built(tune, p, name, base);
}

static struct pf_tune *
watch(const struct course *c, bool pair)
{
	struct pf_tune *tune = new_tune();

	tune->evidence.memory_limit = 2e9;
	for (size_t i = 0; i < SNAPSHOTS; i += pair ? SNAPSHOTS - 1 : 1)
		add_snapshot(tune, c, i, pair && i == 0);
	run_tune(tune);
	return tune;
}

static const struct pf_finding *
leak_of(const struct pf_tune *tune, const char *owner)
{
	const struct pf_findings *f = &tune->findings;

	for (size_t i = 0; i < f->finding_count; i++) {
		const struct pf_finding *finding = &f->findings[i];

		if (strcmp(finding->kind, "leak") == 0 && strstr(pf_said(f, finding->title), owner))
			return finding;
	}
	return NULL;
}

static void
expect_no_promise(const struct pf_tune *tune, const struct pf_finding *leak)
{
	assert_non_null(leak);
	assert_null(strstr(pf_said(&tune->findings, leak->title), "was not freed"));
	assert_int_equal(leak->prediction_count, 0);
	assert_true(leak->bytes_saved == 0);
	assert_null(find_number(tune, leak, "growth"));
	assert_null(find_number(tune, leak, "time_to_limit"));
}

/* One function fills a table at the start, another puts new entries in the place of its own: the table stays as it is. */
static void
what_refreshes_a_table_is_not_told_as_a_leak(void **state)
{
	static const struct course refresh = {
	    {4, 24, 44, 64, 84, 104, 124, 144, 164, 184, 204, 224},
	    {{480, 460, 440, 420, 400, 380, 360, 340, 320, 300, 280, 260},
		{9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9}}};
	(void)state;

	for (int pair = 0; pair <= 1; pair++) {
		struct pf_tune *tune = watch(&refresh, pair);
		const struct pf_finding *leak = leak_of(tune, "replace");

		expect_no_promise(tune, leak);
		assert_int_equal(leak->severity, PF_SEVERITY_LOW);
		assert_int_equal(leak->confidence, PF_UNSURE);
		assert_true(is_caveat(tune, leak,
		    "other memory became less by 220 MiB, most of all what fill allocated"));
		assert_true(is_caveat(tune, leak, "the heap as a whole did not grow"));
		pf_tune_free(tune);
	}
}

/* Beside a leak the heap does grow: which of the two it is that grows isn't known, and neither is sure. */
static void
a_refresh_beside_a_leak_is_not_sure(void **state)
{
	static const struct course both = {{4, 24, 44, 64, 84, 104, 124, 144, 164, 184, 204, 224},
	    {{480, 460, 440, 420, 400, 380, 360, 340, 320, 300, 280, 260},
		{9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9},
		{100, 120, 140, 160, 180, 200, 220, 240, 260, 280, 300, 320}}};
	struct pf_tune *tune = watch(&both, false);
	(void)state;

	for (int i = 0; i < 2; i++) {
		const struct pf_finding *leak = leak_of(tune, i ? "keep" : "replace");

		expect_no_promise(tune, leak);
		assert_int_equal(leak->confidence, PF_CONFIDENCE_LOW);
		assert_true(is_caveat(tune, leak, "the heap as a whole grew by 220 MiB"));
	}
	pf_tune_free(tune);
}

/* Little that shrinks, what goes up and down, and a burst that is freed once, take nothing from a leak that rises steadily. */
static void
a_leak_beside_what_comes_and_goes_is_sure(void **state)
{
	static const struct course courses[] = {
	    {{104, 124, 144, 164, 184, 204, 224, 244, 264, 284, 304, 324},
		{{90, 80, 70, 60, 50, 40, 30, 20, 10, 10, 9, 8}}},
	    {{104, 124, 144, 164, 184, 204, 224, 244, 264, 284, 304, 324},
		{{250, 90, 240, 100, 260, 80, 250, 90, 240, 100, 220, 90}}},
	    {{104, 124, 144, 164, 184, 204, 224, 244, 264, 284, 304, 324},
		{{150, 150, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10}}},
	};
	(void)state;

	for (size_t i = 0; i < sizeof courses / sizeof *courses; i++) {
		struct pf_tune *tune = watch(&courses[i], false);
		const struct pf_finding *leak = leak_of(tune, "replace");

		assert_non_null(leak);
		if (leak->confidence != PF_CONFIDENCE_HIGH || !leak->prediction_count)
			fail_msg("course %zu", i);
		assert_non_null(find_number(tune, leak, "growth"));
		pf_tune_free(tune);
	}
}

/* A leak that something hides that shrinks steadily can't be told from a refresh, and is yet told. */
static void
a_leak_that_is_hidden_is_told_as_unsure(void **state)
{
	static const struct course hidden = {{4, 24, 44, 64, 84, 104, 124, 144, 164, 184, 204, 224},
	    {{900, 700, 500, 300, 200, 100, 80, 60, 40, 30, 20, 10}}};
	struct pf_tune *tune = watch(&hidden, false);
	const struct pf_finding *leak = leak_of(tune, "replace");
	(void)state;

	expect_no_promise(tune, leak);
	assert_int_equal(leak->confidence, PF_UNSURE);
	assert_true(is_caveat(tune, leak, "a leak beside something that shrinks"));
	pf_tune_free(tune);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_refreshes_a_table_is_not_told_as_a_leak),
	    cmocka_unit_test(a_refresh_beside_a_leak_is_not_sure),
	    cmocka_unit_test(a_leak_beside_what_comes_and_goes_is_sure),
	    cmocka_unit_test(a_leak_that_is_hidden_is_told_as_unsure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
