/* Buffers, strings, the hash index and whole files. */
#include "support/unit.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buffer.h"
#include "core/file.h"
#include "core/strings.h"

static void
a_buffer_takes_decimals_and_runs_of_a_byte(void **state)
{
	struct pf_buffer b;
	(void)state;

	pf_buffer_init(&b, 100);
	pf_buffer_decimal(&b, 0);
	pf_buffer_fill(&b, ' ', 3);
	pf_buffer_fill(&b, ' ', 0);
	pf_buffer_decimal(&b, 1234567890);
	pf_buffer_decimal(&b, UINT64_MAX);
	assert_int_equal(b.size, 34);
	assert_memory_equal(b.bytes, "0   123456789018446744073709551615", 34);
	pf_buffer_release(&b);
}

static void
a_buffer_keeps_what_it_had_when_its_maximum_is_met(void **state)
{
	struct pf_buffer b;
	struct pf_error err = {0};
	(void)state;

	pf_buffer_init(&b, 4);
	pf_buffer_string(&b, "abcd");
	assert_int_equal(pf_buffer_check(&b, &err), 0);
	pf_buffer_byte(&b, 'e');
	pf_buffer_string(&b, "");
	assert_int_equal(pf_buffer_check(&b, &err), PF_ENOMEM);
	assert_int_equal(b.size, 4);
	assert_memory_equal(b.bytes, "abcd", 4);
	pf_buffer_release(&b);
}

static void
equal_strings_have_one_number(void **state)
{
	struct pf_strings s;
	uint32_t first, again, other, zero;
	char name[32];
	(void)state;

	assert_int_equal(pf_strings_init(&s, NULL), 0);
	assert_int_equal(pf_strings_add(&s, "main", 4, &first, NULL), 0);
	for (int i = 0; i < 5000; i++) {
		int n = snprintf(name, sizeof name, "function_%d", i);
		assert_int_equal(pf_strings_add(&s, name, (size_t)n, &other, NULL), 0);
	}
	assert_int_equal(pf_strings_add(&s, "main", 4, &again, NULL), 0);
	assert_int_equal(pf_strings_add(&s, "", 0, &zero, NULL), 0);
	assert_int_equal(first, again);
	assert_int_equal(zero, 0);
	assert_int_equal(s.count, 5002);
	assert_string_equal(pf_strings_get(&s, other), "function_4999");
	assert_int_equal(pf_strings_find(&s, "absent", 6), PF_NONE);
	pf_strings_release(&s);
}

/* Numbers and strings that would collide if the secret were only added to what a file says. */
static void
hashes_of_items_made_to_collide_differ(void **state)
{
	char same[16] = {0}, other[16] = {0};
	uint32_t equal_pairs = 0, equal_strings = 0;
	(void)state;

	for (uint64_t i = 1; i <= 1000; i++) {
		equal_pairs += pf_hash_pair(i, 0 - i * 0x9e3779b97f4a7c15ULL) == pf_hash_pair(0, 0);
		same[0] = other[0] = (char)i;
		same[1] = other[1] = (char)(i >> 8);
		other[7] =
		    (char)0x80; /* the highest bit of a word stays alone when the word is multiplied */
		other[12] = 0x04;
		other[15] = (char)0x80;
		equal_strings +=
		    pf_hash_bytes(same, sizeof same) == pf_hash_bytes(other, sizeof other);
	}
	assert_in_range(equal_pairs, 0, 1);
	assert_in_range(equal_strings, 0, 1);
}

static void
a_string_with_a_nul_keeps_its_length(void **state)
{
	struct pf_strings s;
	uint32_t id, shorter;
	(void)state;

	assert_int_equal(pf_strings_init(&s, NULL), 0);
	assert_int_equal(pf_strings_add(&s, "a\0b", 3, &id, NULL), 0);
	assert_int_equal(pf_strings_add(&s, "a", 1, &shorter, NULL), 0);
	assert_int_not_equal(id, shorter);
	assert_int_equal(pf_strings_size(&s, id), 3);
	pf_strings_release(&s);
}

/* A fresh folder of this test's own; the caller frees the name. */
static char *
make_folder(void)
{
	char *folder = strdup("/tmp/profuse-core-XXXXXX");

	assert_non_null(folder);
	assert_non_null(mkdtemp(folder));
	return folder;
}

static void
a_written_file_replaces_the_old_one_whole_and_keeps_its_mode(void **state)
{
	char *folder = make_folder(), path[128];
	struct pf_buffer read;
	struct stat st;
	(void)state;

	snprintf(path, sizeof path, "%s/out", folder);
	assert_int_equal(pf_file_write(path, "old", 3, NULL), 0);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(pf_file_write(path, "new text", 8, NULL), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	pf_buffer_init(&read, 8);
	assert_int_equal(pf_file_read(path, &read, NULL), 0);
	assert_memory_equal(read.bytes, "new text", 8);
	pf_buffer_release(&read);
	unlink(path);
	assert_int_equal(rmdir(folder), 0); /* no temporary file is left behind */
	free(folder);
}

static void
a_file_over_the_maximum_is_refused(void **state)
{
	char *folder = make_folder(), path[128];
	struct pf_buffer read;
	struct pf_error err = {0};
	(void)state;

	snprintf(path, sizeof path, "%s/in", folder);
	assert_int_equal(pf_file_write(path, "123456789", 9, NULL), 0);
	pf_buffer_init(&read, 8);
	assert_int_equal(pf_file_read(path, &read, &err), PF_EINPUT);
	assert_message_has(err, "larger than the 8 bytes allowed");
	pf_buffer_release(&read);
	unlink(path);
	rmdir(folder);
	free(folder);
}

static void
an_unwritable_place_is_an_error_with_its_name(void **state)
{
	struct pf_error err = {0};
	(void)state;

	assert_int_equal(pf_file_write("/nonexistent/folder/out", "x", 1, &err), PF_EIO);
	assert_message_has(err, "/nonexistent/folder/out");
	assert_int_equal(pf_file_write("/dev/full", "x", 1, &err), PF_EIO);
	assert_message_has(err, "No space left");
	assert_int_equal(pf_file_write("/tmp", "x", 1, &err), PF_EIO);
	assert_message_has(err, "it is a folder");
}

static void
a_profile_argument_is_a_file_a_folder_or_a_list(void **state)
{
	char *folder = make_folder(), path[128], list[160];
	struct pf_paths paths = {0};
	struct pf_error err = {0};
	(void)state;

	for (const char *name = "cab"; *name; name++) {
		snprintf(path, sizeof path, "%s/%c", folder, *name);
		assert_int_equal(pf_file_write(path, "x", 1, NULL), 0);
	}
	assert_int_equal(pf_paths_add(&paths, folder, &err), 0);
	assert_int_equal(paths.count, 3);
	assert_string_equal(paths.items[0] + strlen(folder), "/a");
	assert_string_equal(paths.items[2] + strlen(folder), "/c");
	snprintf(path, sizeof path, "%s/.list", folder);
	assert_int_equal(pf_file_write(path, "# two\none.pb.gz\n\nother.pb.gz", 28, NULL), 0);
	snprintf(list, sizeof list, "@%s", path);
	assert_int_equal(pf_paths_add(&paths, list, &err), 0);
	assert_int_equal(pf_paths_add(&paths, "-", &err), 0);
	assert_int_equal(paths.count, 6);
	assert_string_equal(paths.items[4], "other.pb.gz");
	assert_string_equal(paths.items[5], "-");
	pf_paths_release(&paths);
	unlink(path);
	for (const char *name = "abc"; *name; name++) {
		snprintf(path, sizeof path, "%s/%c", folder, *name);
		unlink(path);
	}
	assert_int_equal(pf_paths_add(&paths, folder, &err), PF_EINPUT);
	assert_message_has(err, "no files in this folder");
	pf_paths_release(&paths);
	rmdir(folder);
	free(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_buffer_takes_decimals_and_runs_of_a_byte),
	    cmocka_unit_test(a_buffer_keeps_what_it_had_when_its_maximum_is_met),
	    cmocka_unit_test(equal_strings_have_one_number),
	    cmocka_unit_test(hashes_of_items_made_to_collide_differ),
	    cmocka_unit_test(a_string_with_a_nul_keeps_its_length),
	    cmocka_unit_test(a_written_file_replaces_the_old_one_whole_and_keeps_its_mode),
	    cmocka_unit_test(a_file_over_the_maximum_is_refused),
	    cmocka_unit_test(an_unwritable_place_is_an_error_with_its_name),
	    cmocka_unit_test(a_profile_argument_is_a_file_a_folder_or_a_list),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
