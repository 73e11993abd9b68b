/* The writers for LLVM and GCC: their bytes, checked by hand and against llvm-profdata in tests/integration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "convert/gcc_profile.h"
#include "convert/llvm.h"
#include "convert/summary.h"
#include "core/error.h"
#include "core/md5.h"

static struct pf_place
at(uint32_t offset, uint32_t discriminator)
{
	return (struct pf_place){offset, discriminator};
}

static void
set_body(struct pf_functions *f, uint32_t node, struct pf_place place, uint64_t count)
{
	uint32_t body;

	assert_int_equal(pf_functions_body(f, node, place, &body, NULL), 0);
	f->bodies[body].count = count;
}

/* main with an inlined helper and an indirect call; leaf, which is smaller. */
static void
build_example(struct pf_functions *f)
{
	uint32_t leaf, root, child, body, target;

	assert_int_equal(pf_functions_init(f, NULL), 0);
	assert_int_equal(pf_functions_root(f, "leaf", &leaf, NULL), 0);
	f->nodes[leaf].head = 7;
	set_body(f, leaf, at(1, 0), 9);
	assert_int_equal(pf_functions_root(f, "main", &root, NULL), 0);
	f->nodes[root].head = 1;
	set_body(f, root, at(300, 2), 100);
	assert_int_equal(pf_functions_body(f, root, at(2, 0), &body, NULL), 0);
	f->bodies[body].count = 50;
	assert_int_equal(pf_functions_target(f, body, "leaf", &target, NULL), 0);
	f->targets[target].count = 2; /* too few to be written */
	assert_int_equal(pf_functions_target(f, body, "other", &target, NULL), 0);
	f->targets[target].count = 30;
	assert_int_equal(pf_functions_target(f, body, "never", &target, NULL), 0);
	assert_int_equal(pf_functions_child(f, root, at(4, 1), "helper", &child, NULL), 0);
	set_body(f, child, at(0, 0), 0);
	set_body(f, child, at(3, 0), 5);
	assert_int_equal(pf_functions_seal(f, NULL), 0);
}

static void
text_is_ordered_by_total_and_place(void **state)
{
	struct pf_functions f;
	struct pf_buffer out;
	(void)state;

	build_example(&f);
	pf_buffer_init(&out, 1 << 16);
	assert_int_equal(pf_llvm_text(&f, &out, NULL), 0);
	pf_buffer_byte(&out, 0);
	assert_string_equal((char *)out.bytes, "main:155:1\n 2: 50 other:30\n 300.2: 100\n "
					       "4.1: helper:5\n  0: 0\n  3: 5\nleaf:9:7\n 1: 9\n");
	pf_buffer_release(&out);
	pf_functions_release(&f);
}

/* Two copies of one call, and three places, in a line. */
static void
by_line_places_become_lines(void **state)
{
	struct pf_functions f, lines;
	struct pf_buffer out;
	uint32_t root, child, body, target;
	(void)state;

	assert_int_equal(pf_functions_init(&f, NULL), 0);
	assert_int_equal(pf_functions_root(&f, "main", &root, NULL), 0);
	f.nodes[root].head = 3;
	set_body(&f, root, at(2, 0), 50);
	set_body(&f, root, at(3, 1), 4);
	for (uint32_t d = 1; d <= 2; d++) {
		assert_int_equal(pf_functions_body(&f, root, at(2, d), &body, NULL), 0);
		f.bodies[body].count = 20 * d;
		assert_int_equal(pf_functions_target(&f, body, "leaf", &target, NULL), 0);
		f.targets[target].count = d;
		assert_int_equal(pf_functions_child(&f, root, at(5, d), "helper", &child, NULL), 0);
		set_body(&f, child, at(1, 0), 7);
		set_body(&f, child, at(1, 1), 6);
	}
	assert_int_equal(pf_functions_seal(&f, NULL), 0);
	assert_int_equal(pf_functions_by_line(&lines, &f, NULL), 0);
	pf_buffer_init(&out, 1 << 16);
	assert_int_equal(pf_llvm_text(&lines, &out, NULL), 0);
	pf_buffer_byte(&out, 0);
	assert_string_equal(
	    (char *)out.bytes, "main:68:3\n 2: 50 leaf:3\n 3: 4\n 5: helper:14\n  1: 14\n");
	pf_buffer_release(&out);
	pf_functions_release(&lines);
	pf_functions_release(&f);
}

static void
gcc_gets_its_own_words(void **state)
{
	static const uint32_t words[] = {
	    0x67636461, 2, 0, 0xaa000000, 0, 3}; /* "gcda", version 2; names: */
	static const uint8_t rest[] = {1, 0, 0, 0, 0, 5, 0, 0, 0, 'm', 'a', 'i', 'n', 0, 2, 0, 0, 0,
	    'f', 0, /* "", main, f */
	    0, 0, 0, 0xac, 0, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0,
	    0,                                               /* one function, head 3: */
	    1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0,              /* main, one count, one call site: */
	    0, 0, 2, 0, 1, 0, 0, 0, 50, 0, 0, 0, 0, 0, 0, 0, /* line 2, one target, 50 times, */
	    1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, /* of which 9 go to f; */
	    0, 0, 5, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* line 5: f, nothing counted */
	    0, 0, 0, 0xae, 0, 0, 0, 0, 0, 0, 0, 0};         /* no modules */
	struct pf_functions f;
	struct pf_buffer out;
	uint32_t root, child, body, target;
	(void)state;

	assert_int_equal(pf_functions_init(&f, NULL), 0);
	assert_int_equal(pf_functions_root(&f, "main", &root, NULL), 0);
	f.nodes[root].head = 3;
	assert_int_equal(pf_functions_body(&f, root, at(2, 0), &body, NULL), 0);
	f.bodies[body].count = 50;
	assert_int_equal(pf_functions_target(&f, body, "f", &target, NULL), 0);
	f.targets[target].count = 9;
	assert_int_equal(pf_functions_child(&f, root, at(5, 0), "f", &child, NULL), 0);
	assert_int_equal(pf_functions_seal(&f, NULL), 0);
	pf_buffer_init(&out, 1 << 16);
	assert_int_equal(pf_gcc_profile(&f, &out, NULL), 0);
	assert_int_equal(out.size, sizeof words + sizeof rest);
	for (size_t i = 0; i < sizeof words / 4; i++)
		for (unsigned b = 0; b < 4; b++)
			assert_int_equal(out.bytes[4 * i + b], (words[i] >> 8 * b) & 255);
	assert_memory_equal(out.bytes + sizeof words, rest, sizeof rest);
	pf_buffer_release(&out);
	pf_functions_release(&f);
}

static uint64_t
u64_at(const uint8_t *bytes)
{
	uint64_t value = 0;

	for (unsigned i = 8; i-- > 0;)
		value = value << 8 | bytes[i];
	return value;
}

static void
extbinary_has_the_bytes_that_llvm_writes(void **state)
{
	static const uint8_t head[] = {
	    0x84, 0xe4, 0xd0, 0xb1, 0xf4, 0xc9, 0x94, 0xa8, 0x53, 0x67, 7};
	static const uint8_t names[] = "\x04helper\0leaf\0main\0other";
	static const uint8_t profiles[] = {1, 2, 0x9b, 1,
	    2,                          /* head 1, main, total 155, two bodies */
	    2, 0, 50, 1, 3, 30,         /* 2: 50 other:30 */
	    0xac, 2, 2, 100, 0,         /* 300.2: 100 */
	    1, 4, 1, 0, 5, 2,           /* one call site, 4.1: helper, total 5, two bodies */
	    0, 0, 0, 0, 3, 0, 5, 0, 0,  /* 0: 0, 3: 5, no call sites */
	    7, 1, 9, 1, 1, 0, 9, 0, 0}; /* head 7, leaf, total 9, 1: 9 */
	static const uint8_t offsets[] = {2, 2, 0, 1, sizeof profiles - 9};
	static const uint64_t types[] = {1, 2, 6, 4, 32, 3, 5};
	struct pf_llvm_options options = {0};
	struct pf_functions f;
	struct pf_buffer out;
	(void)state;

	build_example(&f);
	pf_buffer_init(&out, 1 << 16);
	assert_int_equal(pf_llvm_extbinary(&f, &options, &out, NULL), 0);
	assert_memory_equal(out.bytes, head, sizeof head);
	for (size_t i = 0; i < 7; i++)
		assert_true(u64_at(out.bytes + 18 + 32 * i) == types[i]);
	const uint8_t *entry = out.bytes + 18;
	assert_true(u64_at(entry + 32 + 24) == sizeof names);
	assert_memory_equal(out.bytes + u64_at(entry + 32 + 16), names, sizeof names);
	assert_true(u64_at(entry + 96 + 24) == sizeof offsets);
	assert_memory_equal(out.bytes + u64_at(entry + 96 + 16), offsets, sizeof offsets);
	assert_true(u64_at(entry + 128 + 24) == sizeof profiles);
	assert_memory_equal(out.bytes + u64_at(entry + 128 + 16), profiles, sizeof profiles);
	assert_true(u64_at(entry + 160 + 24) == 0);
	pf_buffer_release(&out);
	pf_functions_release(&f);
}

static void
names_as_md5_are_fixed_eight_bytes(void **state)
{
	struct pf_llvm_options options = {.md5 = true};
	struct pf_functions f;
	struct pf_buffer out;
	(void)state;

	build_example(&f);
	pf_buffer_init(&out, 1 << 16);
	assert_int_equal(pf_llvm_extbinary(&f, &options, &out, NULL), 0);
	const uint8_t *entry = out.bytes + 18 + 32;
	assert_true(u64_at(entry + 8) == (uint64_t)3 << 32);
	assert_true(u64_at(entry + 24) == 1 + 4 * 8);
	assert_true(u64_at(out.bytes + u64_at(entry + 16) + 1 + 2 * 8) == pf_md5_low64("main", 4));
	pf_buffer_release(&out);
	pf_functions_release(&f);
}

static void
the_summary_counts_inlined_bodies_and_heads(void **state)
{
	struct pf_functions f;
	struct pf_summary s;
	(void)state;

	build_example(&f);
	assert_int_equal(pf_summary_build(&s, &f, NULL), 0);
	assert_true(s.total == 164 && s.maximum_count == 100 && s.maximum_head == 7);
	assert_true(s.count_number == 5 && s.function_number == 2);
	assert_true(s.entries[0].minimum_count == 100 && s.entries[0].count_number == 1);
	/* 90 % of 164 is 147: 100 + 50 */
	assert_true(s.entries[9].cutoff == 900000 && s.entries[9].minimum_count == 50);
	assert_true(s.entries[9].count_number == 2);
	pf_functions_release(&f);
}

static void
an_empty_profile_is_still_a_file(void **state)
{
	struct pf_llvm_options options = {0};
	struct pf_functions f;
	struct pf_buffer out;
	(void)state;

	assert_int_equal(pf_functions_init(&f, NULL), 0);
	assert_int_equal(pf_functions_seal(&f, NULL), 0);
	pf_buffer_init(&out, 1 << 16);
	assert_int_equal(pf_llvm_extbinary(&f, &options, &out, NULL), 0);
	assert_true(out.size > 18 + 7 * 32);
	pf_buffer_release(&out);
	pf_functions_release(&f);
}

static void
a_full_buffer_is_reported(void **state)
{
	struct pf_llvm_options options = {0};
	struct pf_error err = {0};
	struct pf_functions f;
	struct pf_buffer out;
	(void)state;

	build_example(&f);
	pf_buffer_init(&out, 300);
	assert_int_equal(pf_llvm_extbinary(&f, &options, &out, &err), PF_ENOMEM);
	pf_buffer_release(&out);
	pf_functions_release(&f);
}

static void
md5_digests_are_those_of_the_rfc(void **state)
{
	static const uint8_t empty[16] = {0xd4, 0x1d, 0x8c, 0xd9, 0x8f, 0x00, 0xb2, 0x04, 0xe9,
	    0x80, 0x09, 0x98, 0xec, 0xf8, 0x42, 0x7e};
	static const uint8_t digits[16] = {0x57, 0xed, 0xf4, 0xa2, 0x2b, 0xe3, 0xc9, 0x55, 0xac,
	    0x49, 0xda, 0x2e, 0x21, 0x07, 0xb6, 0x7a};
	const char *text =
	    "12345678901234567890123456789012345678901234567890123456789012345678901234567890";
	uint8_t digest[16];
	(void)state;

	pf_md5("", 0, digest);
	assert_memory_equal(digest, empty, 16);
	pf_md5(text, strlen(text), digest);
	assert_memory_equal(digest, digits, 16);
	assert_true(pf_md5_low64("main", 4) == 0xdb956436e78dd5faULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text_is_ordered_by_total_and_place),
	    cmocka_unit_test(by_line_places_become_lines),
	    cmocka_unit_test(gcc_gets_its_own_words),
	    cmocka_unit_test(extbinary_has_the_bytes_that_llvm_writes),
	    cmocka_unit_test(names_as_md5_are_fixed_eight_bytes),
	    cmocka_unit_test(the_summary_counts_inlined_bodies_and_heads),
	    cmocka_unit_test(an_empty_profile_is_still_a_file),
	    cmocka_unit_test(a_full_buffer_is_reported),
	    cmocka_unit_test(md5_digests_are_those_of_the_rfc),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
