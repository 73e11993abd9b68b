/*
 * What is learned of an instruction's shape (lib/symbol/code_shapes.h) is what capstone says of the instruction
 * itself: each one of this program is decoded in its function, and again alone with nothing learned before.
 */
#include "support/unit.h"

#include <string.h>

#include "symbol/binary.h"
#include "symbol/code_private.h"
#include "symbol/code_shapes.h"

enum { MOST = 30000 };

static size_t
compare_function(
    const struct pf_binary *b, const struct pf_symbol *s, struct pf_machine_code *whole)
{
	struct pf_machine_code one = {0};
	size_t count;

	assert_int_equal(pf_code_decode(whole, b, s->start, s->end, NULL), 0);
	count = whole->instruction_count;
	for (size_t i = 0; i < count; i++) {
		const struct pf_instruction *in = &whole->instructions[i];

		if (one.decoder)
			memset(one.decoder->shapes, 0, PF_SHAPES * sizeof *one.decoder->shapes);
		assert_int_equal(
		    pf_code_decode(&one, b, in->address, in->address + in->size, NULL), 0);
		assert_int_equal(one.instruction_count, 1);
		assert_int_equal(one.instructions[0].size, in->size);
		assert_int_equal(one.instructions[0].kind, in->kind);
		assert_int_equal(one.instructions[0].cost, in->cost);
		assert_int_equal(one.instructions[0].target, in->target);
	}
	pf_code_release(&one);
	return count;
}

static void
a_learned_shape_says_what_capstone_says(void **state)
{
	struct pf_machine_code whole = {0};
	struct pf_binary *b;
	size_t count, seen = 0;
	(void)state;

	assert_int_equal(pf_binary_open(&b, "/proc/self/exe", NULL), 0);
	const struct pf_symbol *symbols = pf_binary_symbols(b, &count);
	for (size_t i = 0; i < count && seen < MOST; i++)
		seen += compare_function(b, &symbols[i], &whole);
	assert_true(seen > 1000);
	pf_code_release(&whole);
	pf_binary_free(b);
}

/* The constants that jump tables are found by: learned, they are the same too. */
static void
constants_are_learned_too(void **state)
{
	static const uint8_t code[] = {0x48, 0x8d, 0x05, 0x78, 0x56, 0x34,
	    0x12,                                     /* lea 0x12345678(%rip), %rax */
	    0xff, 0x24, 0xc5, 0x00, 0x10, 0x40, 0x00, /* jmp *0x401000(,%rax,8) */
	    0xb8, 0x10, 0x00, 0x00, 0x00,             /* mov $0x10, %eax */
	    0xc3};
	struct pf_shape *shapes = calloc(PF_SHAPES, sizeof *shapes);
	struct pf_instruction in = {
	    .address = 0x1000, .size = 7, .kind = PF_CODE_OTHER, .cost = PF_COST_MOVE};
	struct pf_constant learned = {.value = 0x1007 + 0x12345678, .reg = X86_REG_RAX}, found;
	struct pf_instruction out = {.address = 0x2000};
	bool any;
	(void)state;

	assert_non_null(shapes);
	assert_false(pf_shape_apply(shapes, code, sizeof code, &out, &found, &any));
	pf_shape_learn(shapes, code, sizeof code, &in, &learned, true);
	assert_true(pf_shape_apply(shapes, code, sizeof code, &out, &found, &any));
	assert_true(any);
	assert_int_equal(found.value, 0x2007 + 0x12345678);
	assert_int_equal(found.reg, X86_REG_RAX);
	/* what does not fit is not taken from what was learned */
	assert_false(pf_shape_apply(shapes, code, 6, &out, &found, &any));

	/* an immediate may be an address, unless it is small */
	in = (struct pf_instruction){.address = 0x1000, .size = 5, .cost = PF_COST_MOVE};
	pf_shape_learn(shapes, code + 14, sizeof code - 14, &in, &learned, false);
	assert_true(pf_shape_apply(shapes, code + 14, sizeof code - 14, &out, &found, &any));
	assert_false(any);
	uint8_t large[] = {0xb8, 0x10, 0x00, 0x40, 0x00};
	assert_false(pf_shape_apply(shapes, large, sizeof large, &out, &found, &any));
	free(shapes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_learned_shape_says_what_capstone_says),
	    cmocka_unit_test(constants_are_learned_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
