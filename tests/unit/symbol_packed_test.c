/* Instructions packed and unpacked (lib/symbol/code_packed.h) are what they were: those of this program, and hand-made extremes. */
#include "support/unit.h"

#include "symbol/binary.h"
#include "symbol/code_packed.h"

enum { MOST = 200000 };

/* Where a function's instructions and their targets begin. */
struct run {
	size_t first, first_target, count;
};

static void
assert_same(const struct pf_instruction *a, const struct pf_instruction *b)
{
	assert_int_equal(a->address, b->address);
	assert_int_equal(a->target, b->target);
	assert_int_equal(a->size, b->size);
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->cost, b->cost);
	assert_int_equal(b->block, 0);
}

static void
a_program_comes_back_function_by_function(void **state)
{
	struct pf_machine_code code = {0};
	struct pf_packed_code packed = {0};
	struct pf_instruction *out = calloc(MOST, sizeof *out);
	struct pf_binary *b;
	size_t count, targets = 0;
	(void)state;

	assert_non_null(out);
	assert_int_equal(pf_binary_open(&b, "/proc/self/exe", NULL), 0);
	const struct pf_symbol *symbols = pf_binary_symbols(b, &count);
	struct run *runs = calloc(count, sizeof *runs);
	assert_non_null(runs);
	for (size_t i = 0; i < count && packed.count < MOST; i++) {
		runs[i] = (struct run){packed.count, packed.target_count, 0};
		assert_int_equal(
		    pf_code_decode(&code, b, symbols[i].start, symbols[i].end, NULL), 0);
		assert_int_equal(
		    pf_packed_code_add(&packed, code.instructions, code.instruction_count, NULL),
		    0);
		runs[i].count = code.instruction_count;
		for (size_t k = 0; k < code.instruction_count; k++)
			targets += code.instructions[k].target != 0;
	}
	assert_true(packed.count > 1000 && targets > 100);
	assert_int_equal(packed.target_count, targets);
	for (size_t i = 0; i < count && runs[i].count; i++) {
		assert_true(runs[i].count <= MOST);
		pf_packed_code_get(&packed, runs[i].first, runs[i].first_target, symbols[i].start,
		    out, runs[i].count);
		assert_int_equal(
		    pf_code_decode(&code, b, symbols[i].start, symbols[i].end, NULL), 0);
		assert_int_equal(code.instruction_count, runs[i].count);
		for (size_t k = 0; k < runs[i].count; k++)
			assert_same(&code.instructions[k], &out[k]);
	}
	free(runs);
	free(out);
	pf_packed_code_release(&packed);
	pf_code_release(&code);
	pf_binary_free(b);
}

/* The largest size, kind and cost, and targets as far away as there are any. */
static void
extremes_fit(void **state)
{
	static const struct pf_instruction all[] = {
	    {.address = 0x1000, .size = 15, .kind = PF_CODE_UNKNOWN, .cost = PF_COST_CLASSES - 1},
	    {.address = 0x100f, .target = UINT64_MAX, .size = 1, .kind = PF_CODE_JUMP},
	    {.address = 0x1010, .size = 5, .kind = PF_CODE_CALL},
	    {.address = 0x1015, .target = 1, .size = 5, .kind = PF_CODE_CALL, .cost = PF_COST_CALL},
	};
	enum { COUNT = sizeof all / sizeof *all };
	struct pf_packed_code packed = {0};
	struct pf_instruction out[COUNT];
	(void)state;

	assert_int_equal(pf_packed_code_add(&packed, all, COUNT, NULL), 0);
	assert_int_equal(packed.target_count, 2);
	pf_packed_code_get(&packed, 0, 0, 0x1000, out, COUNT);
	for (size_t i = 0; i < COUNT; i++)
		assert_same(&all[i], &out[i]);
	/* from the middle, behind the first target */
	pf_packed_code_get(&packed, 2, 1, 0x1010, out, 2);
	assert_same(&all[2], &out[0]);
	assert_same(&all[3], &out[1]);
	pf_packed_code_release(&packed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_program_comes_back_function_by_function),
	    cmocka_unit_test(extremes_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
