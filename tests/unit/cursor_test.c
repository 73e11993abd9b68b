/* Bounded reads: every failure is sticky and says where. */
#include "support/unit.h"

#include "core/cursor.h"

static void
a_truncated_varint_names_its_section_and_offset(void **state)
{
	static const uint8_t bytes[] = {0x80, 0x80};
	struct pf_cursor c;
	struct pf_error err = {0};
	(void)state;

	pf_cursor_init(&c, "sample 12", bytes, sizeof bytes);
	assert_int_equal(pf_cursor_varint(&c), 0);
	assert_int_equal(pf_cursor_check(&c, &err), PF_EINPUT);
	assert_string_equal(err.message, "sample 12: truncated varint at offset 2");
}

static void
the_largest_64_bit_varint_is_read_whole(void **state)
{
	static const uint8_t bytes[] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 1};
	struct pf_cursor c;
	(void)state;

	pf_cursor_init(&c, "value", bytes, sizeof bytes);
	assert_true(pf_cursor_varint(&c) == UINT64_MAX);
	assert_false(pf_cursor_more(&c));
	assert_null(c.failure);
}

static void
a_varint_of_more_than_64_bits_or_10_bytes_fails(void **state)
{
	static const uint8_t wide[] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 2};
	static const uint8_t longer[] = {
	    0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1};
	struct pf_cursor c;
	(void)state;

	pf_cursor_init(&c, "value", wide, sizeof wide);
	pf_cursor_varint(&c);
	assert_string_equal(c.failure, "varint over 64 bits");
	pf_cursor_init(&c, "value", longer, sizeof longer);
	pf_cursor_varint(&c);
	assert_string_equal(c.failure, "varint over 10 bytes");
}

static void
a_slice_past_the_end_is_empty_and_fails_its_parent(void **state)
{
	static const uint8_t bytes[] = {1, 2, 3};
	struct pf_cursor c, s;
	(void)state;

	pf_cursor_init(&c, "profile", bytes, sizeof bytes);
	s = pf_cursor_slice(&c, 4);
	assert_false(pf_cursor_more(&s));
	assert_int_equal(pf_cursor_left(&s), 0);
	assert_int_equal(pf_cursor_check(&c, NULL), PF_EINPUT);
	assert_int_equal(pf_cursor_check(&s, NULL), PF_EINPUT);
}

static void
after_a_failure_every_read_is_zero(void **state)
{
	static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8};
	struct pf_cursor c;
	(void)state;

	pf_cursor_init(&c, "header", bytes, sizeof bytes);
	assert_true(pf_cursor_u32(&c) == 0x04030201);
	assert_true(pf_cursor_u64(&c) == 0);
	assert_true(pf_cursor_u32(&c) == 0);
	assert_string_equal(c.failure, "truncated integer");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_truncated_varint_names_its_section_and_offset),
	    cmocka_unit_test(the_largest_64_bit_varint_is_read_whole),
	    cmocka_unit_test(a_varint_of_more_than_64_bits_or_10_bytes_fails),
	    cmocka_unit_test(a_slice_past_the_end_is_empty_and_fails_its_parent),
	    cmocka_unit_test(after_a_failure_every_read_is_zero),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
