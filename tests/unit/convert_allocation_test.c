/*
 * A whole conversion under every failed allocation: a clear error, nothing left
 * allocated. The profiled program is tests/data/convert/shapes.c.
 */
#include "support/unit.h"

#include <stdio.h>
#include <unistd.h>

#include <profuse/convert.h>
#include <profuse/profile.h>

#include "core/buffer.h"
#include "support/each_allocation.h"
#include "support/sample_profile.h"
#include "symbol/binary.h"

struct job {
	struct pf_convert_options options;
	struct pf_profile *profile;
};

static int
convert(void *data, struct pf_error *err)
{
	const struct job *job = data;
	struct pf_convert *c;
	char *report = NULL;
	int rc = pf_convert_new(&c, &job->options, err);

	if (rc)
		return rc;
	rc = pf_convert_add(c, job->profile, "test", err);
	if (!rc)
		rc = pf_convert_run(c, err);
	if (!rc)
		rc = pf_convert_report_text(c, "out", &report, err);
	free(report);
	pf_convert_free(c);
	return rc;
}

/* Samples on every other byte of two functions, called from main. */
static void
sample_binary(struct pf_profile **profile, const char *path, const char *first, const char *second)
{
	struct pf_buffer b = {.maximum = 1 << 20};
	struct pf_binary *binary;
	uint64_t id = 1;
	size_t count;

	assert_int_equal(pf_binary_open(&binary, path, NULL), 0);
	add_type(&b, 1, 2);
	add_mapping(&b, 1, 0, 0, 0, 3, 4);
	const struct pf_symbol *symbols = pf_binary_symbols(binary, &count);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(symbols[i].name, "main") == 0)
			add_location(&b, id++, 1, symbols[i].start + 1, 0, 0);
	}
	assert_int_equal(id, 2);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(symbols[i].name, first) != 0 && strcmp(symbols[i].name, second) != 0)
			continue;
		for (uint64_t at = symbols[i].start; at < symbols[i].end; at += 2, id++) {
			add_location(&b, id, 1, at, 0, 0);
			add_sample(
			    &b, (uint64_t[]){id, 1}, 2, (int64_t[]){(int64_t)(id % 7 + 1)}, 1, 0);
		}
	}
	add_string(&b, "");
	add_string(&b, "samples");
	add_string(&b, "count");
	add_string(&b, path);
	add_string(&b, pf_binary_build_id(binary));
	assert_int_equal(pf_profile_parse(profile, "test", b.bytes, b.size, NULL, NULL), 0);
	pf_binary_free(binary);
	pf_buffer_release(&b);
}

static void
a_conversion_survives_every_failed_allocation(void **state)
{
	const char *folder = getenv("PROFUSE_BUILD_DIR");
	struct job job = {.options = PF_CONVERT_OPTIONS_INIT};
	char path[4096];
	(void)state;

	assert_non_null(folder);
	snprintf(path, sizeof path, "%s/tests/data/shapes", folder);
	sample_binary(&job.profile, path, "walk", "sum");
	job.options.binary = path;
	job.options.md5 = job.options.symbol_list = true;
	fail_each_allocation(convert, &job);
	job.options.md5 = job.options.symbol_list = false;
	job.options.stale_against = path;
	fail_each_allocation(convert, &job);
	job.options.stale_against = NULL;
	job.options.format = PF_CONVERT_FOLDED;
	fail_each_allocation(convert, &job);
	job.options.format = PF_CONVERT_GCC;
	fail_each_allocation(convert, &job);
	job.options.format = PF_CONVERT_BOLT;
	fail_each_allocation(convert, &job);
	pf_profile_free(job.profile);
}

static void
a_conversion_by_probes_survives_every_failed_allocation(void **state)
{
	const char *folder = getenv("PROFUSE_BUILD_DIR");
	struct job job = {.options = PF_CONVERT_OPTIONS_INIT};
	char path[4096];
	(void)state;

	assert_non_null(folder);
	snprintf(path, sizeof path, "%s/tests/fixtures/inline-probe", folder);
	if (access(path, R_OK) != 0)
		skip(); /* built by clang-19 only */
	sample_binary(&job.profile, path, "outer", "elsewhere");
	job.options.binary = job.options.stale_against = path;
	fail_each_allocation(convert, &job);
	pf_profile_free(job.profile);
}

static void
a_symbolized_conversion_survives_every_failed_allocation(void **state)
{
	struct pf_buffer b = {.maximum = 1 << 20};
	struct job job = {.options = PF_CONVERT_OPTIONS_INIT};
	(void)state;

	add_type(&b, 1, 2);
	add_function(&b, 1, 3, 10);
	add_function(&b, 2, 4, 20);
	add_location(&b, 1, 0, 0, 1, 12);
	add_location(&b, 2, 0, 0, 2, 25);
	add_sample(&b, (uint64_t[]){2, 1}, 2, (int64_t[]){9}, 1, 0);
	add_sample(&b, (uint64_t[]){1}, 1, (int64_t[]){4}, 1, 0);
	add_string(&b, "");
	add_string(&b, "samples");
	add_string(&b, "count");
	add_string(&b, "main");
	add_string(&b, "work");
	assert_int_equal(pf_profile_parse(&job.profile, "test", b.bytes, b.size, NULL, NULL), 0);
	job.options.format = PF_CONVERT_TEXT;
	fail_each_allocation(convert, &job);
	job.options.format = PF_CONVERT_GO_PGO;
	fail_each_allocation(convert, &job);
	job.options.format = PF_CONVERT_GO_PREPROFILE;
	fail_each_allocation(convert, &job);
	pf_profile_free(job.profile);
	pf_buffer_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_conversion_survives_every_failed_allocation),
	    cmocka_unit_test(a_conversion_by_probes_survives_every_failed_allocation),
	    cmocka_unit_test(a_symbolized_conversion_survives_every_failed_allocation),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
