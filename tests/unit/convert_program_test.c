/* Functions of a program packed and unfolded: instructions, blocks and samples, and samples that have no place. */
#include "support/unit.h"

#include "convert/program.h"

/* Three instructions at 0x1000, 0x1004 and 0x1005, in two blocks; what decodes ends at 0x1008. */
static struct pf_instruction instructions[] = {
    {.address = 0x1000, .size = 4, .cost = PF_COST_LOAD},
    {.address = 0x1004,
	.target = 0x9000,
	.size = 1,
	.kind = PF_CODE_BRANCH,
	.cost = PF_COST_BRANCH},
    {.address = 0x1005, .size = 3, .kind = PF_CODE_RETURN, .cost = PF_COST_RETURN},
};
static struct pf_block blocks[] = {
    {.first = 0, .count = 2, .successors = 0},
    {.first = 2, .count = 1, .successors = 2, .exits = true},
    {.first = 3, .successors = 2},
};
static uint32_t edges[] = {1, 0};
static const struct pf_machine_code code = {.instructions = instructions,
    .instruction_count = 3,
    .blocks = blocks,
    .block_count = 2,
    .edges = edges,
    .edge_count = 2,
    .complete = true};

static struct pf_address_count leaves[] = {{0x10, 1}, {0x1001, 2}, {0x1003, 4}, {0x1005, 8},
    {0x1008, 16}, {0x2000, 32}, {0x2007, 64}, {0x3004, 128}, {0x4000, 256}};
static struct pf_samples samples = {
    .leaves = leaves, .leaf_count = sizeof leaves / sizeof *leaves, .used = 511};

/* One that decodes, one that does not, and the first one again further up. */
static void
set_up(struct pf_program *p)
{
	static struct pf_instruction moved[3];
	struct pf_machine_code again = code;

	pf_program_init(p, &samples);
	assert_int_equal(
	    pf_program_add(
		p, &(struct pf_program_function){.start = 0x1000, .end = 0x1010}, &code, NULL),
	    0);
	assert_int_equal(
	    pf_program_add(
		p, &(struct pf_program_function){.start = 0x2000, .end = 0x2010}, NULL, NULL),
	    0);
	for (size_t i = 0; i < 3; i++) {
		moved[i] = instructions[i];
		moved[i].address += 0x2000;
	}
	again.instructions = moved;
	assert_int_equal(
	    pf_program_add(
		p, &(struct pf_program_function){.start = 0x3000, .end = 0x3008}, &again, NULL),
	    0);
}

static void
samples_are_counted_wherever_they_are(void **state)
{
	struct pf_program p;
	(void)state;

	set_up(&p);
	assert_int_equal(p.no_symbol, 1 + 256);
	assert_int_equal(p.no_code, 16);
	assert_int_equal(p.functions[0].value, 2 + 4 + 8 + 16);
	assert_int_equal(p.functions[1].value, 32 + 64);
	assert_int_equal(p.functions[2].value, 128);
	assert_true(p.functions[0].complete && !p.functions[1].complete);
	pf_program_release(&p);
}

static void
a_function_unfolds_with_its_blocks_and_samples(void **state)
{
	static const int64_t values[] = {0, 128, 0};
	struct pf_program_code c = {0};
	struct pf_program p;
	(void)state;

	set_up(&p);
	assert_int_equal(p.block_count, 2 + 2 + 2);
	assert_int_equal(pf_program_unfold(&c, &p, 2, NULL), 0);
	assert_int_equal(c.count, 3);
	assert_int_equal(c.first_block, 4);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(c.instructions[i].address, instructions[i].address + 0x2000);
		assert_int_equal(c.instructions[i].target, instructions[i].target);
		assert_int_equal(c.instructions[i].cost, instructions[i].cost);
		assert_int_equal(c.instructions[i].block, i < 2 ? 4 : 5);
		assert_int_equal(c.values[i], values[i]);
	}
	assert_int_equal(c.starts[0], 0);
	assert_int_equal(c.starts[1], 2);
	assert_int_equal(c.starts[2], 3);
	assert_int_equal(p.blocks[4].first_edge, 2);
	assert_int_equal(p.blocks[5].first_edge, 4);
	assert_int_equal(p.blocks[6].first_edge, 4);
	assert_int_equal(p.edges[2], 5);
	assert_int_equal(p.edges[3], 4);
	assert_true(p.blocks[5].exits && !p.blocks[4].exits);
	/* reused for a larger count of samples on one instruction */
	assert_int_equal(pf_program_unfold(&c, &p, 0, NULL), 0);
	assert_int_equal(c.values[0], 2 + 4);
	assert_int_equal(c.values[2], 8);
	assert_int_equal(pf_program_code_find(&c, 0x1003), 0);
	assert_int_equal(pf_program_code_find(&c, 0x1007), 2);
	assert_int_equal(pf_program_code_find(&c, 0x1008), PF_NONE);
	assert_int_equal(pf_program_code_find(&c, 0xfff), PF_NONE);
	pf_program_code_release(&c);
	pf_program_release(&p);
}

static void
a_function_that_does_not_decode_is_its_samples(void **state)
{
	struct pf_program_code c = {0};
	struct pf_program p;
	(void)state;

	set_up(&p);
	assert_int_equal(pf_program_unfold(&c, &p, 1, NULL), 0);
	assert_int_equal(c.count, 2);
	assert_int_equal(c.instructions[1].address, 0x2007);
	assert_int_equal(c.instructions[1].block, 3);
	assert_int_equal(c.values[0], 32);
	assert_int_equal(c.values[1], 64);
	assert_int_equal(c.starts[1], 1);
	assert_int_equal(pf_program_code_find(&c, 0x2001), PF_NONE);
	pf_program_code_release(&c);
	pf_program_release(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(samples_are_counted_wherever_they_are),
	    cmocka_unit_test(a_function_unfolds_with_its_blocks_and_samples),
	    cmocka_unit_test(a_function_that_does_not_decode_is_its_samples),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
