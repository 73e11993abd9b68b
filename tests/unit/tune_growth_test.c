/* Memory that grows in steps: an array that is enlarged when it is full, for ever or until it has found its size. */
#include <stdio.h>
#include <string.h>

#include "profile/builder.h"
#include "support/tuned.h"

#define MIB (1 << 20)

enum { SNAPSHOTS = 12 };

/* One heap snapshot: what `grow` holds in so many blocks, beside a table that stays. */
static void
add_snapshot(struct pf_tune *tune, size_t number, double seconds, int64_t mib, int64_t blocks)
{
	const struct pf_text file = pf_text_of("service.c", 9);
	const int64_t grows[] = {blocks, mib * MIB}, stays[] = {400, 4 * MIB};
	struct pf_builder b;
	struct pf_profile *p;
	struct pf_error err = {0};
	char name[32];

	assert_int_equal(pf_profile_new(&p, &err), 0);
	pf_builder_init(&b, p, PF_BUILD_ALL);
	assert_int_equal(pf_builder_type(&b, "inuse_objects", "count", &err), 0);
	assert_int_equal(pf_builder_type(&b, "inuse_space", "bytes", &err), 0);
	assert_int_equal(pf_builder_period(&b, "space", "bytes", 524288, &err), 0);
	assert_int_equal(pf_builder_function(&b, pf_text_of("grow", 4), file, 0, &err), 0);
	assert_int_equal(pf_builder_sample(&b, grows, &err), 0);
	assert_int_equal(pf_builder_function(&b, pf_text_of("stay", 4), file, 0, &err), 0);
	assert_int_equal(pf_builder_sample(&b, stays, &err), 0);
	assert_int_equal(pf_builder_end(&b, &err), 0);
	p->time_nanos = (int64_t)((1e9 + seconds) * 1e9);
	pf_builder_release(&b);
	snprintf(name, sizeof name, "heap-%zu", number);
	assert_int_equal(pf_evidence_add_profile(&tune->evidence, p, name, false, &err), 0);
	assert_int_equal(pf_tune_note(tune, name, &err), 0);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_array_that_doubles_for_ever_is_found),
	    cmocka_unit_test(a_table_that_has_found_its_size_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
