/*
 * The N-th allocation fails, for every N until none does: each time a clear
 * error, no crash, nothing left allocated.
 */
#include "support/unit.h"

#include <sys/mman.h>
#include <unistd.h>

#include "core/gzip.h"
#include "profile/encode.h"
#include "profile/merge.h"
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

/* A file added to a merge, read through a window that is smaller than it, and the sum written. */
static int
merge_through_a_window(void *data, struct pf_error *err)
{
	struct pf_merge_options options = PF_MERGE_OPTIONS_INIT;
	struct pf_profile *sum = NULL;
	struct pf_merge *m;
	int rc;

	options.merge_by_filename = true;
	rc = pf_merge_new(&m, &options, err);
	if (rc)
		return rc;
	m->reader.source.most_whole = 64;
	m->reader.source.window = 32;
	rc = pf_merge_add_file(m, data, NULL, err);
	if (!rc)
		rc = pf_merge_add_file(m, data, NULL, err);
	if (!rc)
		rc = pf_merge_finish(m, &sum, err);
	pf_profile_free(sum);
	pf_merge_free(m);
	return rc;
}

static int
merge_and_write(void *data, struct pf_error *err)
{
	struct pf_profile *sum = NULL;
	struct pf_merge *m;
	int rc = pf_merge_new(&m, NULL, err);

	if (rc)
		return rc;
	rc = pf_merge_add_file(m, data, NULL, err);
	if (!rc)
		rc = pf_merge_settle(m, &sum, err);
	if (!rc)
		rc = pf_profile_write_spending(sum, "/dev/null", err);
	pf_profile_free(sum);
	pf_merge_free(m);
	return rc;
}

static void
merge_failing(const struct pf_buffer *bytes, const char *name, void *data)
{
	int fd = memfd_create("profile", MFD_CLOEXEC);
	char path[64];
	(void)name;
	(void)data;

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	assert_int_equal(pwrite(fd, bytes->bytes, bytes->size, 0), bytes->size);
	fail_each_allocation(merge_through_a_window, path);
	fail_each_allocation(merge_and_write, path);
	close(fd);
}

static void
merging_files_survives_every_failed_allocation(void **state)
{
	struct pf_buffer plain = {.maximum = 1 << 20}, packed = {.maximum = 1 << 20};
	(void)state;

	sample_profile(&plain, 0x10000, 1);
	add_location(&plain, 77, 0, 0, 40, 12);
	add_function(&plain, 40, 1, 9);
	assert_int_equal(pf_gzip_deflate(&packed, plain.bytes, plain.size, 6, NULL), 0);
	merge_failing(&plain, "plain", NULL);
	merge_failing(&packed, "packed", NULL);
	for_each_fixture(merge_failing, NULL);
	pf_buffer_release(&plain);
	pf_buffer_release(&packed);
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
	    cmocka_unit_test(merging_files_survives_every_failed_allocation),
	    cmocka_unit_test(a_failed_allocation_leaves_no_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
