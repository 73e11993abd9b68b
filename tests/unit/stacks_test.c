/* Sums of profiles: binaries told apart, order without influence, overflow an error. */
#include "support/unit.h"

#include "profile/stacks.h"
#include "support/sample_profile.h"

static struct pf_profile *
make(uint64_t app_start, int with_build_id)
{
	struct pf_buffer b = {.maximum = 1 << 20};
	struct pf_profile *p;

	sample_profile(&b, app_start, with_build_id);
	assert_int_equal(pf_profile_parse(&p, "test", b.bytes, b.size, NULL, NULL), 0);
	pf_buffer_release(&b);
	return p;
}

/* The value of type t over all nodes whose frame is this one. */
static int64_t
leaf_value(const struct pf_stacks *s, enum pf_frame_kind kind, uint64_t address, size_t t)
{
	int64_t sum = 0;

	for (size_t i = 1; i < s->node_count; i++) {
		const struct pf_stack_frame *f = &s->frames[s->nodes[i].frame];
		if (f->kind == kind && f->address == address)
			sum += s->values[i * s->type_count + t];
	}
	return sum;
}

static void
processes_at_different_bases_sum_at_the_same_offsets(void **state)
{
	struct pf_profile *low = make(0x10000, 1), *high = make(0x55550000, 1);
	struct pf_stacks s;
	(void)state;

	assert_int_equal(pf_stacks_init(&s, NULL), 0);
	assert_int_equal(pf_stacks_add(&s, low, "low", NULL, NULL), 0);
	assert_int_equal(pf_stacks_add(&s, high, "high", NULL, NULL), 0);
	assert_int_equal(s.binary_count, 2);
	assert_int_equal(s.node_count, 5); /* root, 0x1030, 0x1020, two leaves */
	assert_int_equal(leaf_value(&s, PF_FRAME_OFFSET, 0x1010, 0), 4);
	assert_int_equal(leaf_value(&s, PF_FRAME_OFFSET, 0x2040, 1), 20);
	assert_int_equal(leaf_value(&s, PF_FRAME_OFFSET, 0x1020, 0), 0);
	assert_int_equal(pf_stacks_total(&s, 1), 60);
	assert_int_equal(s.duration_nanos, 60000000000);
	assert_string_equal(pf_strings_get(&s.strings, s.binaries[0].build_id), "ab12");
	for (size_t i = 1; i < s.node_count; i++)
		assert_true(s.nodes[i].parent < i);
	pf_stacks_release(&s);
	pf_profile_free(low);
	pf_profile_free(high);
}

static void
binaries_of_one_name_without_build_id_merge_only_on_request(void **state)
{
	struct pf_profile *first = make(0x10000, 0), *second = make(0x20000, 0);
	struct pf_stacks_options by_name = {.merge_by_filename = true},
				 named = {.identity = "release-7"};
	struct pf_error err = {0};
	struct pf_stacks s;
	(void)state;

	assert_int_equal(pf_stacks_init(&s, NULL), 0);
	assert_int_equal(pf_stacks_add(&s, first, "first", NULL, &err), 0);
	assert_int_equal(pf_stacks_add(&s, second, "second", NULL, &err), PF_EINPUT);
	assert_message_has(err, "second: samples in /srv/app, which has no build id");
	pf_stacks_release(&s);

	assert_int_equal(pf_stacks_init(&s, NULL), 0);
	assert_int_equal(pf_stacks_add(&s, first, "first", &by_name, &err), 0);
	assert_int_equal(pf_stacks_add(&s, second, "second", &by_name, &err), 0);
	assert_int_equal(leaf_value(&s, PF_FRAME_OFFSET, 0x1010, 0), 4);
	pf_stacks_release(&s);

	assert_int_equal(pf_stacks_init(&s, NULL), 0);
	assert_int_equal(pf_stacks_add(&s, first, "first", &named, &err), 0);
	assert_int_equal(pf_stacks_add(&s, second, "second", &named, &err), 0);
	assert_int_equal(leaf_value(&s, PF_FRAME_OFFSET, 0x1010, 0), 4);
	pf_stacks_release(&s);
	pf_profile_free(first);
	pf_profile_free(second);
}

static void
a_build_id_and_none_are_two_binaries(void **state)
{
	struct pf_profile *with = make(0x10000, 1), *without = make(0x10000, 0);
	struct pf_stacks s;
	(void)state;

	assert_int_equal(pf_stacks_init(&s, NULL), 0);
	assert_int_equal(pf_stacks_add(&s, with, "with", NULL, NULL), 0);
	assert_int_equal(pf_stacks_add(&s, without, "without", NULL, NULL), 0);
	assert_int_equal(s.binary_count, 3);
	pf_stacks_release(&s);
	pf_profile_free(with);
	pf_profile_free(without);
}

static void
a_sum_over_64_bits_is_an_error(void **state)
{
	struct pf_profile *p = make(0x10000, 1);
	struct pf_error err = {0};
	struct pf_stacks s;
	(void)state;

	p->values[1] = INT64_MAX;
	assert_int_equal(pf_stacks_init(&s, NULL), 0);
	assert_int_equal(pf_stacks_add(&s, p, "one", NULL, &err), 0);
	assert_true(pf_stacks_total(&s, 1) == INT64_MAX);
	assert_int_equal(pf_stacks_add(&s, p, "two", NULL, &err), PF_EINPUT);
	assert_message_has(err, "two: sample 0: the sum of cpu exceeds 64 bits");
	pf_stacks_release(&s);
	pf_profile_free(p);
}

static void
lines_stand_in_where_there_is_no_address_and_where_they_are_preferred(void **state)
{
	struct pf_stacks_options lines = {.prefer_lines = true};
	struct pf_buffer b = {.maximum = 1 << 20};
	struct pf_profile *p;
	struct pf_stacks s;
	(void)state;

	add_string(&b, "");
	add_string(&b, "main.work");
	add_string(&b, "/srv/app");
	add_type(&b, 0, 0);
	add_function(&b, 1, 1, 40);
	add_mapping(&b, 1, 0x1000, 0x2000, 0, 2, 0);
	add_location(&b, 1, 0, 0, 1, 42);
	add_location(&b, 2, 1, 0x1800, 1, 44);
	add_sample(&b, (uint64_t[]){1, 2}, 2, (int64_t[]){1}, 1, 1);
	assert_int_equal(pf_profile_parse(&p, "test", b.bytes, b.size, NULL, NULL), 0);

	assert_int_equal(pf_stacks_init(&s, NULL), 0);
	assert_int_equal(pf_stacks_add(&s, p, "p", NULL, NULL), 0);
	assert_int_equal(s.frame_count, 2);
	assert_int_equal(s.frames[0].kind, PF_FRAME_LINE);
	assert_int_equal(s.frames[0].line, 42);
	assert_int_equal(s.frames[0].start_line, 40);
	assert_string_equal(pf_strings_get(&s.strings, s.frames[0].function), "main.work");
	assert_int_equal(s.frames[1].kind, PF_FRAME_OFFSET);
	pf_stacks_release(&s);

	assert_int_equal(pf_stacks_init(&s, NULL), 0);
	assert_int_equal(pf_stacks_add(&s, p, "p", &lines, NULL), 0);
	assert_int_equal(s.frames[1].kind, PF_FRAME_LINE);
	assert_int_equal(s.frames[1].line, 44);
	pf_stacks_release(&s);
	pf_profile_free(p);
	pf_buffer_release(&b);
}

/* A JIT compiler's code, the vdso: no file could say what lies there. */
static void
names_of_code_in_no_file_are_kept(void **state)
{
	struct pf_buffer b = {.maximum = 1 << 20};
	struct pf_profile *p;
	struct pf_stacks s;
	(void)state;

	add_string(&b, "");
	add_string(&b, "Builtin:Add");
	add_string(&b, "/tmp/perf-77.map");
	add_type(&b, 0, 0);
	add_function(&b, 1, 1, 0);
	add_mapping(&b, 1, 0x1000, 0x2000, 0, 2, 0);
	add_location(&b, 1, 1, 0x1800, 1, 0);
	add_location(&b, 2, 1, 0x1900, 0, 0);
	add_location(&b, 3, 0, 0xffffffff81000010, 0, 0);
	add_sample(&b, (uint64_t[]){1, 2, 3}, 3, (int64_t[]){1}, 1, 1);
	assert_int_equal(pf_profile_parse(&p, "test", b.bytes, b.size, NULL, NULL), 0);
	assert_int_equal(pf_stacks_init(&s, NULL), 0);
	assert_int_equal(pf_stacks_add(&s, p, "p", NULL, NULL), 0);
	assert_int_equal(s.frame_count, 3);
	assert_int_equal(s.frames[0].kind, PF_FRAME_LINE);
	assert_string_equal(pf_strings_get(&s.strings, s.frames[0].function), "Builtin:Add");
	assert_string_equal(pf_strings_get(&s.strings, s.binaries[s.frames[0].binary].filename),
	    "/tmp/perf-77.map");
	assert_int_equal(s.frames[1].kind, PF_FRAME_OFFSET);
	assert_string_equal(
	    pf_strings_get(&s.strings, s.binaries[s.frames[2].binary].filename), "[kernel]");
	pf_stacks_release(&s);
	pf_profile_free(p);
	pf_buffer_release(&b);
}

static void
a_mapping_without_bounds_says_the_addresses_are_those_of_the_file(void **state)
{
	struct pf_buffer b = {.maximum = 1 << 20};
	struct pf_profile *p;
	struct pf_stacks s;
	(void)state;

	add_string(&b, "");
	add_type(&b, 0, 0);
	add_mapping(&b, 1, 0, 0, 0, 0, 0);
	add_mapping(&b, 2, 0x4000, 0x5000, 0, 0, 0);
	add_location(&b, 1, 1, 0x401234, 0, 0);
	add_location(&b, 2, 2, 0x9000, 0, 0);
	add_sample(&b, (uint64_t[]){1, 2}, 2, (int64_t[]){1}, 1, 1);
	assert_int_equal(pf_profile_parse(&p, "test", b.bytes, b.size, NULL, NULL), 0);
	assert_int_equal(pf_stacks_init(&s, NULL), 0);
	assert_int_equal(pf_stacks_add(&s, p, "p", NULL, NULL), 0);
	assert_int_equal(s.frames[0].kind, PF_FRAME_ADDRESS);
	assert_int_equal(s.frames[0].address, 0x401234);
	assert_int_equal(s.frames[1].kind, PF_FRAME_UNKNOWN); /* outside its own mapping */
	pf_stacks_release(&s);
	pf_profile_free(p);
	pf_buffer_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(processes_at_different_bases_sum_at_the_same_offsets),
	    cmocka_unit_test(binaries_of_one_name_without_build_id_merge_only_on_request),
	    cmocka_unit_test(a_build_id_and_none_are_two_binaries),
	    cmocka_unit_test(a_sum_over_64_bits_is_an_error),
	    cmocka_unit_test(lines_stand_in_where_there_is_no_address_and_where_they_are_preferred),
	    cmocka_unit_test(names_of_code_in_no_file_are_kept),
	    cmocka_unit_test(a_mapping_without_bounds_says_the_addresses_are_those_of_the_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
