/* gzip: members, padding, truncation, bombs. */
#include "support/unit.h"

#include <stdio.h>

#include "core/gzip.h"

static void
pack(struct pf_buffer *out, const void *bytes, size_t size)
{
	assert_int_equal(pf_gzip_deflate(out, bytes, size, 6, NULL), 0);
}

static void
several_members_and_zero_padding_are_one_stream(void **state)
{
	struct pf_buffer packed = {.maximum = 1 << 20}, out = {.maximum = 1 << 20};
	(void)state;

	pack(&packed, "hello ", 6);
	pack(&packed, "world", 5);
	pf_buffer_add(&packed, "\0\0\0", 3);
	assert_int_equal(pf_gzip_inflate(&out, "p", packed.bytes, packed.size, 200, NULL), 0);
	assert_int_equal(out.size, 11);
	assert_memory_equal(out.bytes, "hello world", 11);
	pf_buffer_release(&packed);
	pf_buffer_release(&out);
}

static void
every_truncation_is_an_error_that_names_the_file(void **state)
{
	struct pf_buffer packed = {.maximum = 1 << 20}, out = {.maximum = 1 << 20};
	struct pf_error err;
	(void)state;

	pack(&packed, "hello world, hello world", 24);
	for (size_t size = 0; size < packed.size; size++) {
		pf_buffer_clear(&out);
		assert_int_equal(
		    pf_gzip_inflate(&out, "cut.gz", packed.bytes, size, 200, &err), PF_EINPUT);
		assert_message_has(err, "cut.gz");
	}
	pf_buffer_release(&packed);
	pf_buffer_release(&out);
}

static void
a_flipped_bit_is_found(void **state)
{
	struct pf_buffer packed = {.maximum = 1 << 20}, out = {.maximum = 1 << 20};
	(void)state;

	pack(&packed, "hello world, hello world", 24);
	packed.bytes[packed.size - 6] ^= 1; /* the CRC */
	assert_int_equal(
	    pf_gzip_inflate(&out, "p", packed.bytes, packed.size, 200, NULL), PF_EINPUT);
	pf_buffer_release(&packed);
	pf_buffer_release(&out);
}

static void
bytes_after_the_last_member_are_refused(void **state)
{
	struct pf_buffer packed = {.maximum = 1 << 20}, out = {.maximum = 1 << 20};
	struct pf_error err;
	(void)state;

	pack(&packed, "hello", 5);
	pf_buffer_string(&packed, "tail");
	assert_int_equal(
	    pf_gzip_inflate(&out, "p", packed.bytes, packed.size, 200, &err), PF_EINPUT);
	assert_message_has(err, "other bytes after the gzip data at offset 28");
	pf_buffer_release(&packed);
	pf_buffer_release(&out);
}

static void
a_bomb_stops_at_the_ratio_and_at_the_maximum(void **state)
{
	size_t size = 40 << 20;
	uint8_t *zeros = calloc(1, size);
	struct pf_buffer packed = {.maximum = 64 << 20}, out = {.maximum = 256 << 20};
	struct pf_error err;
	(void)state;

	assert_non_null(zeros);
	pack(&packed, zeros, size);
	assert_int_equal(
	    pf_gzip_inflate(&out, "bomb", packed.bytes, packed.size, 200, &err), PF_EINPUT);
	assert_message_has(err, "more than 200 times its size");
	assert_true(out.size < 17 << 20);
	pf_buffer_release(&out);
	out.maximum = 1 << 20;
	assert_int_equal(
	    pf_gzip_inflate(&out, "bomb", packed.bytes, packed.size, 0, &err), PF_EINPUT);
	assert_message_has(err, "inflates to more than 1048576 bytes");
	pf_buffer_release(&out);
	out.maximum = 64 << 20;
	assert_int_equal(pf_gzip_inflate(&out, "bomb", packed.bytes, packed.size, 0, &err), 0);
	assert_int_equal(out.size, size);
	pf_buffer_release(&packed);
	pf_buffer_release(&out);
	free(zeros);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(several_members_and_zero_padding_are_one_stream),
	    cmocka_unit_test(every_truncation_is_an_error_that_names_the_file),
	    cmocka_unit_test(a_flipped_bit_is_found),
	    cmocka_unit_test(bytes_after_the_last_member_are_refused),
	    cmocka_unit_test(a_bomb_stops_at_the_ratio_and_at_the_maximum),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
