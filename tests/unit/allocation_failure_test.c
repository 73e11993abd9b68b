/*
 * The N-th allocation fails, for every N until none does: each time a clear
 * error, no crash, nothing left allocated.
 */
#include "support/unit.h"

#include <unistd.h>

#include "core/gzip.h"
#include "profile/stacks.h"
#include "support/each_allocation.h"
#include "support/fixtures.h"
#include "support/sample_profile.h"

static int
read_and_sum(void *data, struct pf_error *err)
{
	struct pf_buffer *bytes = data;
	struct pf_profile *p;
	struct pf_stacks s;
	int rc = pf_profile_parse(&p, "test", bytes->bytes, bytes->size, NULL, err);

	if (rc)
		return rc;
	rc = pf_stacks_init(&s, err);
	if (!rc)
		rc = pf_stacks_add(&s, p, "test", NULL, err);
	if (!rc)
		rc = pf_stacks_add(&s, p, "again", NULL, err);
	pf_stacks_release(&s);
	pf_profile_free(p);
	return rc;
}

static int
write_file(void *data, struct pf_error *err)
{
	int rc = pf_profile_write(data, "/tmp/profuse-allocation-test", err);

	if (rc)
		assert_int_equal(access("/tmp/profuse-allocation-test", F_OK), -1);
	unlink("/tmp/profuse-allocation-test");
	return rc;
}

static void
reading_and_summing_survives_every_failed_allocation(void **state)
{
	struct pf_buffer plain = {.maximum = 1 << 20}, packed = {.maximum = 1 << 20};
	(void)state;

	sample_profile(&plain, 0x10000, 1);
	add_function(&plain, 40, 1, 9);
	add_location(&plain, 77, 0, 0, 40, 12);
	add_sample(&plain, (uint64_t[]){77, 1}, 2, (int64_t[]){1, 1}, 2, 1);
	pf_wire_varint(&plain, PF_PROFILE_COMMENT, 1);
	assert_int_equal(pf_gzip_deflate(&packed, plain.bytes, plain.size, 6, NULL), 0);
	fail_each_allocation(read_and_sum, &plain);
	fail_each_allocation(read_and_sum, &packed);
	pf_buffer_release(&plain);
	pf_buffer_release(&packed);
}

static int
read_only(void *data, struct pf_error *err)
{
	const struct pf_buffer *bytes = data;
	struct pf_profile *p;
	int rc = pf_profile_parse(&p, "test", bytes->bytes, bytes->size, NULL, err);

	if (!rc)
		pf_profile_free(p);
	return rc;
}

static void
read_failing(const struct pf_buffer *bytes, const char *name, void *data)
{
	(void)name;
	(void)data;
	fail_each_allocation(read_only, (void *)(uintptr_t)bytes);
}

static void
reading_older_formats_survives_every_failed_allocation(void **state)
{
	(void)state;
	for_each_fixture(read_failing, NULL);
}

static void
a_failed_allocation_leaves_no_file(void **state)
{
	struct pf_buffer b = {.maximum = 1 << 20};
	struct pf_profile *p;
	(void)state;

	sample_profile(&b, 0x10000, 1);
	assert_int_equal(pf_profile_parse(&p, "test", b.bytes, b.size, NULL, NULL), 0);
	fail_each_allocation(write_file, p);
	pf_profile_free(p);
	pf_buffer_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reading_and_summing_survives_every_failed_allocation),
	    cmocka_unit_test(reading_older_formats_survives_every_failed_allocation),
	    cmocka_unit_test(a_failed_allocation_leaves_no_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
