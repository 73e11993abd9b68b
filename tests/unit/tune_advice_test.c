/* What a finding advises fits the evidence: settings that would change nothing are not offered. */
#include <profuse/tune.h>

#include "profile/encode.h"
#include "support/read_fixture.h"
#include "tuner/tune.h"

static struct pf_tune *
tuned(const char *const *fixtures)
{
	struct pf_error err = {0};
	struct pf_tune *tune;

	assert_int_equal(pf_tune_new(&tune, NULL, &err), 0);
	for (size_t i = 0; fixtures[i]; i++) {
		struct pf_buffer bytes = read_fixture(fixtures[i]);

		if (pf_tune_add(tune, fixtures[i], bytes.bytes, bytes.size, false, &err))
			fail_msg("%s", err.message);
		pf_buffer_release(&bytes);
	}
	assert_int_equal(pf_tune_run(tune, &err), 0);
	return tune;
}

static const struct pf_finding *
find(const struct pf_tune *tune, const char *kind)
{
	for (size_t i = 0; i < tune->findings.finding_count; i++) {
		if (strcmp(tune->findings.findings[i].kind, kind) == 0)
			return &tune->findings.findings[i];
	}
	return NULL;
}

/* The advice of a finding whose setting begins so; NULL: none. */
static const struct pf_advice *
advised(const struct pf_tune *tune, const char *kind, const char *setting)
{
	const struct pf_finding *finding = find(tune, kind);
	const struct pf_findings *f = &tune->findings;

	assert_non_null(finding);
	for (size_t i = 0; i < finding->advice_count; i++) {
		const struct pf_advice *a = &f->advices[finding->first_advice + i];
		if (strncmp(pf_said(f, a->setting), setting, strlen(setting)) == 0)
			return a;
	}
	return NULL;
}

/* A trim threshold gives back what is free at the end of the main arena, and nothing below a block that stays. */
static void
a_trim_threshold_is_advised_where_the_end_is_free(void **state)
{
	struct pf_tune *top = tuned((const char *[]){"runtime/glibc-top.malloc_info.xml", NULL});
	struct pf_tune *middle =
	    tuned((const char *[]){"runtime/glibc-middle.malloc_info.xml", NULL});
	(void)state;

	assert_non_null(advised(top, "unreturned-memory", "MALLOC_TRIM_THRESHOLD_=131072"));
	assert_non_null(advised(top, "unreturned-memory", ""));
	assert_null(advised(middle, "unreturned-memory", "MALLOC_TRIM_THRESHOLD_"));
	assert_non_null(
	    strstr(pf_said(&middle->findings, advised(middle, "unreturned-memory", "")->how),
		"malloc_trim"));
	pf_tune_free(top);
	pf_tune_free(middle);
}

/* The same profile with functions by other names. */
static struct pf_tune *
tuned_renamed(const char *fixture, const char *const (*names)[2])
{
	struct pf_buffer bytes = read_fixture(fixture), out = {.maximum = 1 << 20};
	struct pf_error err = {0};
	struct pf_profile *p;
	struct pf_tune *tune;

	assert_int_equal(pf_profile_parse(&p, fixture, bytes.bytes, bytes.size, NULL, &err), 0);
	for (size_t i = 0; i < p->function_count; i++) {
		for (size_t k = 0; names[k][0]; k++) {
			if (strcmp(pf_profile_string(p, p->functions[i].name), names[k][0]) == 0)
				assert_int_equal(
				    pf_strings_add(&p->strings, names[k][1], strlen(names[k][1]),
					&p->functions[i].name, &err),
				    0);
		}
	}
	assert_int_equal(pf_profile_encode(p, &out, &err), 0);
	assert_int_equal(pf_tune_new(&tune, NULL, &err), 0);
	assert_int_equal(pf_tune_add(tune, fixture, out.bytes, out.size, false, &err), 0);
	assert_int_equal(pf_tune_run(tune, &err), 0);
	pf_profile_free(p);
	pf_buffer_release(&bytes);
	pf_buffer_release(&out);
	return tune;
}

/* Thresholds decide what goes back: where a heap only grows they change nothing. */
static void
thresholds_are_advised_where_memory_goes_back(void **state)
{
	static const char *const same[][2] = {{NULL, NULL}};
	static const char *const grows[][2] = {{"__GI_madvise", "__GI_mprotect"},
	    {"shrink_heap", "grow_heap"}, {"heap_trim", "sysmalloc"}, {"_int_free", "_int_malloc"},
	    {"__GI___libc_free", "__GI___libc_malloc"}, {NULL, NULL}};
	static const char *const unmaps[][2] = {{"__GI_madvise", "__GI_munmap"},
	    {"shrink_heap", "munmap_chunk"}, {"heap_trim", "munmap_chunk"},
	    {"_int_free", "munmap_chunk"}, {NULL, NULL}};
	const char *const fixture = "tune/mapping/cpu.pb.gz";
	struct pf_tune *tune = tuned_renamed(fixture, same);
	(void)state;

	assert_non_null(advised(tune, "malloc-thresholds", "GLIBC_TUNABLES="));
	pf_tune_free(tune);
	tune = tuned_renamed(fixture, unmaps);
	assert_non_null(advised(tune, "malloc-thresholds", "GLIBC_TUNABLES="));
	pf_tune_free(tune);
	tune = tuned_renamed(fixture, grows);
	assert_null(find(tune, "malloc-thresholds"));
	pf_tune_free(tune);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_trim_threshold_is_advised_where_the_end_is_free),
	    cmocka_unit_test(thresholds_are_advised_where_memory_goes_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
