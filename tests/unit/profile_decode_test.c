/* profile.proto: what is read, and what is refused as the reference refuses it. */
#include "support/unit.h"

#include "core/gzip.h"
#include "profile/model.h"
#include "support/sample_profile.h"

static struct pf_profile *
read_profile(const struct pf_buffer *b)
{
	struct pf_profile *p;
	struct pf_error err = {0};

	if (pf_profile_parse(&p, "test", b->bytes, b->size, NULL, &err))
		fail_msg("%s", err.message);
	return p;
}

/* The profile must be refused with a sentence that has this part. */
static void
assert_refused(struct pf_buffer *b, const char *part)
{
	struct pf_profile *p;
	struct pf_error err = {0};

	assert_int_equal(pf_buffer_check(b, NULL), 0);
	assert_int_equal(pf_profile_parse(&p, "bad.pb", b->bytes, b->size, NULL, &err), PF_EINPUT);
	assert_null(p);
	assert_message_has(err, "bad.pb");
	assert_message_has(err, part);
	pf_buffer_release(b);
}

static struct pf_buffer
start(void)
{
	struct pf_buffer b = {.maximum = 1 << 20};

	add_string(&b, "");
	add_string(&b, "cpu");
	add_string(&b, "nanoseconds");
	add_type(&b, 1, 2);
	return b;
}

static void
samples_come_out_in_columns(void **state)
{
	struct pf_buffer b = {.maximum = 1 << 20};
	struct pf_profile *p;
	(void)state;

	sample_profile(&b, 0x10000, 1);
	p = read_profile(&b);
	assert_int_equal(pf_profile_sample_count(p), 2);
	assert_string_equal(pf_profile_type_name(p, 1), "cpu");
	assert_string_equal(pf_profile_type_unit(p, 1), "nanoseconds");
	assert_int_equal(p->frame_starts[1], 3);
	assert_int_equal(p->frames[0], 0);
	assert_int_equal(p->frames[3], 3);
	assert_int_equal(p->values[1], 20);
	assert_int_equal(p->values[3], 10);
	assert_int_equal(p->mappings[0].offset, 0x1000);
	assert_string_equal(pf_profile_string(p, p->mappings[1].filename), "/lib/libc.so.6");
	assert_int_equal(p->locations[3].mapping, 1);
	assert_int_equal(pf_profile_duration_nanos(p), 30000000000);
	assert_int_equal(pf_profile_find_type(p, "cpu"), 1);
	assert_int_equal(pf_profile_find_type(p, "alloc_space"), PF_NONE);
	pf_profile_free(p);
	pf_buffer_release(&b);
}

static void
gzip_in_several_members_reads_like_plain_bytes(void **state)
{
	struct pf_buffer b = {.maximum = 1 << 20}, z = {.maximum = 1 << 20};
	struct pf_profile *p;
	(void)state;

	sample_profile(&b, 0x10000, 1);
	assert_int_equal(pf_gzip_deflate(&z, b.bytes, 40, 6, NULL), 0);
	assert_int_equal(pf_gzip_deflate(&z, b.bytes + 40, b.size - 40, 6, NULL), 0);
	p = read_profile(&z);
	assert_int_equal(pf_profile_sample_count(p), 2);
	pf_profile_free(p);
	pf_buffer_release(&b);
	pf_buffer_release(&z);
}

static void
ids_out_of_sequence_are_resolved(void **state)
{
	struct pf_buffer b = start();
	struct pf_profile *p;
	(void)state;

	add_string(&b, "f");
	add_location(&b, 900, 7, 0x10, UINT64_MAX, 3);
	add_location(&b, 5, 0, 0x20, 0, 0);
	add_function(&b, UINT64_MAX, 3, 1);
	add_mapping(&b, 7, 0, 0x1000, 0, 0, 0);
	add_sample(&b, (uint64_t[]){5, 900}, 2, (int64_t[]){-4}, 1, 1);
	p = read_profile(&b);
	assert_int_equal(p->frames[0], 1);
	assert_int_equal(p->frames[1], 0);
	assert_int_equal(p->values[0], -4);
	assert_int_equal(p->locations[0].mapping, 0);
	assert_int_equal(p->locations[1].mapping, PF_NONE);
	assert_int_equal(p->lines[0].function, 0);
	pf_profile_free(p);
	pf_buffer_release(&b);
}

static void
fields_in_any_order_are_read(void **state)
{
	struct pf_buffer b = start();
	struct pf_profile *p;
	(void)state;

	for (uint64_t i = 1; i <= 100; i++) {
		add_sample(&b, (uint64_t[]){101 - i}, 1, (int64_t[]){(int64_t)i}, 1, 1);
		add_string(&b, "s");
		add_location(&b, i, 0, i, i, 7);
		add_function(&b, i, 3, i);
	}
	p = read_profile(&b);
	assert_int_equal(pf_profile_sample_count(p), 100);
	assert_int_equal(p->values[99], 100);
	assert_int_equal(p->locations[p->frames[99]].address, 1);
	assert_int_equal(p->functions[p->lines[p->line_starts[41]].function].start_line, 42);
	pf_profile_free(p);
	pf_buffer_release(&b);
}

static void
a_valid_profile_without_samples_is_read(void **state)
{
	struct pf_buffer b = start();
	struct pf_profile *p = read_profile(&b);
	(void)state;

	assert_int_equal(pf_profile_sample_count(p), 0);
	pf_profile_free(p);
	pf_buffer_release(&b);
}

static void
unknown_fields_are_passed_over(void **state)
{
	struct pf_buffer b = start();
	struct pf_profile *p;
	(void)state;

	pf_wire_varint(&b, 99, 5);
	pf_wire_bytes(&b, 100, "future", 6);
	p = read_profile(&b);
	pf_profile_free(p);
	pf_buffer_release(&b);
}

static void
what_the_reference_rejects_is_rejected_with_offset_and_reason(void **state)
{
	struct pf_buffer b;
	(void)state;

	b = start(), add_type(&b, 3, 0);
	assert_refused(&b, "string index out of range at offset");
	b = start(), pf_wire_varint(&b, PF_PROFILE_COMMENT, 3);
	assert_refused(&b, "string index out of range");
	b = start(), add_sample(&b, NULL, 0, (int64_t[]){1, 2}, 2, 1);
	assert_refused(&b, "sample 0 at offset 28 has 2 values for 1 sample types");
	b = start(), add_sample(&b, NULL, 0, NULL, 0, 1);
	assert_refused(&b, "has 0 values for 1 sample types");
	b = start(), add_sample(&b, (uint64_t[]){1}, 1, (int64_t[]){1}, 1, 1);
	assert_refused(&b, "a sample of the unknown location 1");
	b = start(), add_location(&b, 0, 0, 1, 0, 0);
	assert_refused(&b, "location at offset 28: id 0");
	b = start(), add_location(&b, 2, 0, 1, 0, 0), add_location(&b, 2, 0, 1, 0, 0);
	assert_refused(&b, "id 2 twice");
	b = start(), add_location(&b, 1, 0, 1, 0, 0), add_location(&b, 1, 0, 1, 0, 0);
	assert_refused(&b, "id 1 twice");
	b = start(), add_location(&b, 1, 0, 1, 4, 9);
	assert_refused(&b, "a line of the unknown function 4");
	b = start(), add_mapping(&b, 0, 1, 2, 0, 0, 0);
	assert_refused(&b, "mapping at offset 28: id 0");
	b = start(), add_function(&b, 3, 0, 0), add_function(&b, 3, 0, 0);
	assert_refused(&b, "function at offset 32: id 3 twice");
	b = start(), pf_wire_varint(&b, PF_PROFILE_TIME_NANOS, 1),
	pf_wire_varint(&b, PF_PROFILE_TIME_NANOS, 2);
	assert_refused(&b, "concatenated profiles");
	b = start(), pf_wire_varint(&b, PF_PROFILE_SAMPLE, 1);
	assert_refused(&b, "a message was expected");
	b = start(), pf_wire_varint(&b, PF_PROFILE_SAMPLE, INT64_MAX);
	assert_refused(&b, "a message was expected");
	b = start(), pf_buffer_add(&b, "\x0b", 1);
	assert_refused(&b, "unknown wire type");
	b = start(), pf_buffer_add(&b, "\x48\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12);
	assert_refused(&b, "varint over 10 bytes");
	b = (struct pf_buffer){.maximum = 1 << 20}, add_string(&b, "not empty"), add_type(&b, 0, 0);
	assert_refused(&b, "string_table[0] is not empty");
	b = (struct pf_buffer){.maximum = 1 << 20}, add_string(&b, ""),
	pf_wire_varint(&b, PF_PROFILE_PERIOD, 1);
	assert_refused(&b, "no sample types");
}

static void
what_people_save_by_mistake_is_named(void **state)
{
	struct pf_buffer b = {.maximum = 1 << 20};
	(void)state;

	pf_buffer_string(&b, "<html><head><title>502 Bad Gateway</title></head>\n");
	assert_refused(&b, "not a profile but text: \"<html><head>");
	pf_buffer_string(&b, "\n\n");
	assert_refused(&b, "not a profile but empty lines");
	pf_buffer_string(&b, "\n<html>");
	assert_refused(&b, "not a profile but text: \"<html>");
	assert_refused(&b, "empty");
	pf_buffer_add(&b, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16);
	assert_refused(&b, "bad.pb: not a profile of a format that profuse knows");
	pf_buffer_add(&b, "\x52\xb0\x11\xe6\x0a\x71\xf3\x9d\x42\x17\xc8\x05", 12);
	assert_refused(&b, "gperftools, jemalloc's heap profiles");
}

/* A damaged one is told by where the damage is. */
static void
what_begins_as_a_profile_is_called_one(void **state)
{
	struct pf_buffer b = {.maximum = 1 << 20};
	struct pf_profile *p;
	struct pf_error err = {0};
	(void)state;

	sample_profile(&b, 0x10000, 1);
	assert_int_equal(pf_profile_parse(&p, "cut", b.bytes, b.size - 1, NULL, &err), PF_EINPUT);
	assert_message_has(err, "at offset");
	assert_null(strstr(err.message, "profuse knows"));
	pf_buffer_release(&b);
}

static void
every_truncation_ends_with_an_error_or_a_shorter_profile(void **state)
{
	struct pf_buffer b = {.maximum = 1 << 20};
	struct pf_profile *p;
	struct pf_error err;
	(void)state;

	sample_profile(&b, 0x10000, 1);
	for (size_t size = 0; size < b.size; size++) {
		uint8_t *cut =
		    malloc(size ? size : 1); /* so that a sanitizer sees reads past the end */
		assert_non_null(cut);
		memcpy(cut, b.bytes, size);
		if (pf_profile_parse(&p, "cut", cut, size, NULL, &err) == 0)
			pf_profile_free(p);
		else
			assert_int_equal(err.code, PF_EINPUT);
		free(cut);
	}
	pf_buffer_release(&b);
}

static void
the_cap_on_size_holds_for_plain_and_inflated_bytes(void **state)
{
	struct pf_read_options options = PF_READ_OPTIONS_INIT;
	struct pf_buffer b = {.maximum = 1 << 20}, z = {.maximum = 1 << 20};
	struct pf_profile *p;
	struct pf_error err = {0};
	(void)state;

	sample_profile(&b, 0x10000, 1);
	assert_int_equal(pf_gzip_deflate(&z, b.bytes, b.size, 6, NULL), 0);
	options.max_size = 64;
	assert_int_equal(pf_profile_parse(&p, "big", b.bytes, b.size, &options, &err), PF_EINPUT);
	assert_message_has(err, "larger than the 64 bytes allowed");
	assert_int_equal(pf_profile_parse(&p, "big", z.bytes, z.size, &options, &err), PF_EINPUT);
	assert_message_has(err, "larger than the 64 bytes allowed");
	pf_buffer_release(&z);
	for (int i = 0; i < 100; i++) /* so that it is worth packing */
		add_string(&b, "a string that is the same again and again");
	assert_int_equal(pf_gzip_deflate(&z, b.bytes, b.size, 6, NULL), 0);
	options.max_size = b.size - 1;
	assert_int_equal(pf_profile_parse(&p, "big", z.bytes, z.size, &options, &err), PF_EINPUT);
	assert_message_has(err, "inflates to more than");
	pf_buffer_release(&b);
	pf_buffer_release(&z);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(samples_come_out_in_columns),
	    cmocka_unit_test(gzip_in_several_members_reads_like_plain_bytes),
	    cmocka_unit_test(ids_out_of_sequence_are_resolved),
	    cmocka_unit_test(fields_in_any_order_are_read),
	    cmocka_unit_test(a_valid_profile_without_samples_is_read),
	    cmocka_unit_test(unknown_fields_are_passed_over),
	    cmocka_unit_test(what_the_reference_rejects_is_rejected_with_offset_and_reason),
	    cmocka_unit_test(what_people_save_by_mistake_is_named),
	    cmocka_unit_test(what_begins_as_a_profile_is_called_one),
	    cmocka_unit_test(every_truncation_ends_with_an_error_or_a_shorter_profile),
	    cmocka_unit_test(the_cap_on_size_holds_for_plain_and_inflated_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
