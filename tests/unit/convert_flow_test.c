/* Flow inference on hand-made control flow graphs. */
#include "support/unit.h"

#include <math.h>

#include "convert/inference_flow.h"
#include "convert/program.h"

enum { MOST = 16 };

/* Blocks of one instruction each, so that a block's number is its instruction's. */
struct graph {
	struct pf_program program;
	struct pf_program_function functions[2];
	struct pf_instruction instructions[MOST];
	int64_t values[MOST];
	struct pf_program_block blocks[MOST];
	uint32_t edges[2 * MOST];
	double counts[MOST], entries[2];
};

static void
add_block(struct graph *g, int64_t samples, size_t edge_count, uint32_t first, uint32_t second)
{
	uint32_t b = (uint32_t)g->program.block_count++;
	struct pf_program_function *f = &g->functions[g->program.function_count - 1];

	g->instructions[b] = (struct pf_instruction){
	    .address = 0x1000 + b, .size = 1, .cost = PF_COST_LOAD, .block = b};
	g->values[b] = samples;
	g->blocks[b] = (struct pf_program_block){.first = b,
	    .count = 1,
	    .first_edge = (uint32_t)g->program.edge_count,
	    .edge_count = (uint32_t)edge_count,
	    .function = (uint32_t)g->program.function_count - 1,
	    .exits = edge_count == 0};
	g->edges[g->program.edge_count] = first;
	g->edges[g->program.edge_count + 1] = second;
	g->program.edge_count += edge_count;
	g->program.instruction_count++;
	f->block_count++;
	f->instruction_count++;
	f->end = 0x1001 + b;
}

static void
add_function(struct graph *g)
{
	uint32_t first = (uint32_t)g->program.block_count;

	g->functions[g->program.function_count++] =
	    (struct pf_program_function){.start = 0x1000 + first,
		.name = "f",
		.first_instruction = first,
		.first_block = first,
		.complete = true};
}

static void
set_up(struct graph *g)
{
	*g = (struct graph){.program = {.functions = g->functions,
				.instructions = g->instructions,
				.values = g->values,
				.blocks = g->blocks,
				.edges = g->edges}};
	add_function(g);
}

static void
infer(struct graph *g, bool time)
{
	assert_int_equal(
	    pf_inference_flow(g->counts, NULL, g->entries, &g->program, 1, time, NULL), 0);
}

static bool
near(double a, double b)
{
	return fabs(a - b) <= 0.05 * fmax(a, b);
}

static void
a_blocks_count_is_shared_by_all_that_flows_through_it(void **state)
{
	struct graph g;
	(void)state;

	/* 0 → 1 → 2, all samples on the slow one */
	set_up(&g);
	add_block(&g, 0, 1, 1, 0);
	add_block(&g, 90, 1, 2, 0);
	add_block(&g, 0, 0, 0, 0);
	infer(&g, true);
	assert_true(near(g.counts[0], g.counts[1]) && near(g.counts[1], g.counts[2]));
	assert_true(near(g.entries[0], g.counts[0]));
	/* the mean would be 30; one block's stall does not carry all */
	assert_true(g.counts[1] > 3 && g.counts[1] < 31);
}

static void
a_branch_divides_what_its_sides_show(void **state)
{
	struct graph g;
	(void)state;

	/* 0 → 1 | 2 → 3 */
	set_up(&g);
	add_block(&g, 100, 2, 1, 2);
	add_block(&g, 75, 1, 3, 0);
	add_block(&g, 25, 1, 3, 0);
	add_block(&g, 100, 0, 0, 0);
	infer(&g, true);
	assert_true(near(g.counts[0], 100) && near(g.counts[3], 100));
	assert_true(near(g.counts[1], 75) && near(g.counts[2], 25));
}

static void
a_loop_runs_more_often_than_its_function(void **state)
{
	struct graph g;
	(void)state;

	/* 0 → 1; 1 → 2 | 3; 2 → 1 */
	set_up(&g);
	add_block(&g, 5, 1, 1, 0);
	add_block(&g, 205, 2, 2, 3);
	add_block(&g, 200, 1, 1, 0);
	add_block(&g, 5, 0, 0, 0);
	infer(&g, true);
	assert_true(near(g.counts[1], 205) && near(g.counts[2], 200));
	assert_true(g.entries[0] > 3 && g.entries[0] < 8);
	assert_true(near(g.entries[0] + g.counts[2], g.counts[1]));
}

static void
a_callee_is_entered_as_often_as_it_is_called(void **state)
{
	struct graph g;
	double uncalled;
	(void)state;

	/* the caller's block 1 has the call; the callee's entry was never sampled */
	set_up(&g);
	add_block(&g, 50, 1, 1, 0);
	add_block(&g, 50, 1, 2, 0);
	add_block(&g, 50, 0, 0, 0);
	add_function(&g);
	add_block(&g, 0, 2, 4, 5);
	add_block(&g, 500, 2, 4, 5);
	add_block(&g, 0, 0, 0, 0);
	infer(&g, true);
	uncalled = g.entries[1];
	g.instructions[1].kind = PF_CODE_CALL;
	g.instructions[1].target = g.functions[1].start;
	infer(&g, true);
	assert_true(g.entries[1] > 3 * uncalled && g.entries[1] < 60);
	/* and nothing is asked of a function that others may call through a pointer */
	g.functions[1].taken = true;
	g.values[3] = 400;
	infer(&g, true);
	assert_true(near(g.counts[1], 50));
	assert_true(g.entries[1] > 100);
}

static void
instructions_cost_alike_when_samples_are_no_time(void **state)
{
	struct graph g;
	double as_time;
	(void)state;

	set_up(&g);
	add_block(&g, 100, 0, 0, 0);
	g.instructions[0].cost = PF_COST_DIVIDE;
	infer(&g, true);
	as_time = g.counts[0];
	infer(&g, false);
	assert_true(near(g.counts[0], 100));
	assert_true(as_time < 50);
}

/* Two instructions a block; one of them waits in one of two blocks that run alike. */
static void
a_stalled_instruction_says_little_about_how_often(void **state)
{
	struct graph g;
	double fair;
	(void)state;

	for (int stalled = 0; stalled < 2; stalled++) {
		set_up(&g);
		add_block(&g, 40, 2, 1, 2);
		add_block(&g, 20, 1, 3, 0);
		add_block(&g, 20, 1, 3, 0);
		add_block(&g, 40, 0, 0, 0);
		/* a second instruction for block 2, at the end of the program */
		g.program.blocks[2].first = (uint32_t)g.program.instruction_count;
		g.program.blocks[2].count = 2;
		for (int i = 0; i < 2; i++) {
			uint32_t at = (uint32_t)g.program.instruction_count++;
			g.instructions[at] = (struct pf_instruction){
			    .address = 0x5000 + (uint64_t)i, .size = 1, .block = 2};
			g.values[at] = stalled && i ? 2000 : 10;
		}
		infer(&g, true);
		if (!stalled)
			fair = g.counts[2];
	}
	assert_true(g.counts[2] > fair && g.counts[2] < 4 * fair);
}

static void
a_function_that_cannot_be_followed_is_left_alone(void **state)
{
	struct graph g;
	(void)state;

	set_up(&g);
	add_block(&g, 100, 0, 0, 0);
	g.functions[0].complete = false;
	infer(&g, true);
	assert_true(g.counts[0] == -1 && g.entries[0] == -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_blocks_count_is_shared_by_all_that_flows_through_it),
	    cmocka_unit_test(a_branch_divides_what_its_sides_show),
	    cmocka_unit_test(a_loop_runs_more_often_than_its_function),
	    cmocka_unit_test(a_callee_is_entered_as_often_as_it_is_called),
	    cmocka_unit_test(instructions_cost_alike_when_samples_are_no_time),
	    cmocka_unit_test(a_stalled_instruction_says_little_about_how_often),
	    cmocka_unit_test(a_function_that_cannot_be_followed_is_left_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
