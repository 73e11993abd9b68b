/* Flow inference on hand-made control flow graphs. */
#include "support/unit.h"

#include <math.h>

#include "convert/inference_flow.h"
#include "convert/program.h"

enum { MOST = 16, WIDEST = 2, BYTES = 8 };

/* Eight bytes of code, in one instruction or two alike. */
struct graph_block {
	uint32_t function, size; /* instructions */
	uint8_t kind, cost;
	uint64_t target;
	int64_t samples[WIDEST], steps;
	size_t edge_count;
	uint32_t edges[2];
};

struct graph {
	struct graph_block blocks[MOST];
	size_t block_count, function_count;
	struct pf_call_edge stacks[2];
	size_t stack_count;
	bool incomplete, taken[3];
	double counts[MOST], entries[3];
};

static uint64_t
address_of(size_t block)
{
	return 0x1000 + BYTES * block;
}

/* One instruction; `first` and `second` are blocks, of which the first edge_count count. */
static void
add_block(struct graph *g, int64_t samples, size_t edge_count, uint32_t first, uint32_t second)
{
	g->blocks[g->block_count++] =
	    (struct graph_block){.function = (uint32_t)g->function_count - 1,
		.size = 1,
		.cost = PF_COST_LOAD,
		.samples = {samples},
		.edge_count = edge_count,
		.edges = {first, second}};
}

static void
set_up(struct graph *g)
{
	*g = (struct graph){.function_count = 1};
}

/* A function as the decoder would give it; returns the first block behind it. */
static size_t
add_function(struct pf_program *p, const struct graph *g, size_t first)
{
	struct pf_instruction instructions[WIDEST * MOST];
	struct pf_block blocks[MOST + 1] = {{0}};
	uint32_t edges[2 * MOST];
	struct pf_machine_code code = {.instructions = instructions,
	    .blocks = blocks,
	    .edges = edges,
	    .complete = !g->incomplete};
	struct pf_program_function f = {.start = address_of(first), .name = "f"};
	size_t at = first;

	for (; at < g->block_count && g->blocks[at].function == g->blocks[first].function; at++) {
		const struct graph_block *b = &g->blocks[at];

		blocks[code.block_count++] =
		    (struct pf_block){.first = (uint32_t)code.instruction_count,
			.count = b->size,
			.successors = (uint32_t)code.edge_count,
			.exits = b->edge_count == 0};
		for (uint32_t i = 0; i < b->size; i++)
			instructions[code.instruction_count++] =
			    (struct pf_instruction){.address = address_of(at) + i * BYTES / b->size,
				.size = (uint8_t)(BYTES / b->size),
				.kind = b->kind,
				.cost = b->cost,
				.target = b->target};
		for (size_t i = 0; i < b->edge_count; i++)
			edges[code.edge_count++] = b->edges[i] - (uint32_t)first;
	}
	blocks[code.block_count].successors = (uint32_t)code.edge_count;
	f.end = address_of(at);
	assert_int_equal(pf_program_add(p, &f, &code, NULL), 0);
	return at;
}

static void
infer(struct graph *g, bool time)
{
	struct pf_address_count leaves[WIDEST * MOST];
	struct pf_samples samples = {
	    .leaves = leaves, .edges = g->stacks, .edge_count = g->stack_count};
	struct pf_program p;

	for (size_t b = 0; b < g->block_count; b++) {
		for (uint32_t i = 0; i < g->blocks[b].size; i++)
			leaves[samples.leaf_count++] =
			    (struct pf_address_count){address_of(b) + i * BYTES / g->blocks[b].size,
				g->blocks[b].samples[i], g->blocks[b].steps};
		samples.steps += g->blocks[b].steps * g->blocks[b].size;
		for (uint32_t i = 0; i < g->blocks[b].size; i++)
			samples.used += g->blocks[b].samples[i];
	}
	pf_program_init(&p, &samples);
	for (size_t at = 0; at < g->block_count;)
		at = add_function(&p, g, at);
	for (size_t i = 0; i < p.function_count; i++)
		p.functions[i].taken = g->taken[i];
	assert_int_equal(pf_inference_flow(g->counts, NULL, g->entries, &p, 1, time, NULL), 0);
	pf_program_release(&p);
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

/*
 * A short loop whose samples contradict those around it: block 1 shows none, and
 * block 6 behind it does. What 6 keeps up, 1 scales down, the way into the loop with it.
 */
static void
contradictions_do_not_wear_a_flow_down_to_nothing(void **state)
{
	struct graph g;
	(void)state;

	/* 0 → 1 | 8; 1 → 2 | 6; 2 → 3; 3 → 4 | 7; 4 → 5 | 3; 5 → 6; 7 → 8 */
	set_up(&g);
	add_block(&g, 14, 2, 1, 8);
	add_block(&g, 0, 2, 2, 6);
	add_block(&g, 0, 1, 3, 0);
	add_block(&g, 16, 2, 4, 7);
	add_block(&g, 13, 2, 5, 3);
	add_block(&g, 0, 1, 6, 0);
	add_block(&g, 19, 0, 0, 0);
	add_block(&g, 0, 1, 8, 0);
	add_block(&g, 12, 0, 0, 0);
	infer(&g, true);
	assert_true(g.counts[2] > 1e-4 * g.counts[3]);
	assert_true(near(g.counts[0], 15));
}

/* Two calls in blocks without samples: the one that stacks went through ran. */
static void
stacks_prove_that_a_call_ran(void **state)
{
	struct graph g;
	double unseen;
	(void)state;

	/* 0 → 1 | 2, which both call 4; → 3 */
	set_up(&g);
	add_block(&g, 100, 2, 1, 2);
	add_block(&g, 0, 1, 3, 0);
	add_block(&g, 40, 1, 3, 0);
	add_block(&g, 100, 0, 0, 0);
	g.function_count++;
	add_block(&g, 60, 0, 0, 0);
	for (int i = 1; i <= 2; i++) {
		g.blocks[i].kind = PF_CODE_CALL;
		g.blocks[i].target = address_of(4);
	}
	infer(&g, true);
	unseen = g.counts[1];
	g.stacks[0] = (struct pf_call_edge){address_of(1) + BYTES - 1, address_of(4) + 1, 60};
	g.stack_count = 1;
	infer(&g, true);
	assert_true(g.counts[1] > 1.5 * unseen);
	assert_true(g.counts[1] > 5 && g.counts[1] < g.counts[0]);
}

/*
 * A loop whose head has more samples than what is around it, so that its body, blocks 2 and 3, may have run;
 * 3 calls or jumps to a second function, and `stacks` show that one under a third's call of `target`.
 */
static struct graph
loop_with_a_call(uint8_t kind, size_t target, int64_t stacks)
{
	struct graph g;

	/* 0 → 1; 1 → 2 | 4; 2 → 3; 3 → 1 */
	set_up(&g);
	add_block(&g, 20, 1, 1, 0);
	add_block(&g, 200, 2, 2, 4);
	add_block(&g, 0, 1, 3, 0);
	add_block(&g, 0, 1, 1, 0);
	add_block(&g, 20, 0, 0, 0);
	g.blocks[3].kind = kind;
	g.blocks[3].target = address_of(5);
	g.function_count++;
	add_block(&g, 60, 0, 0, 0);
	g.function_count++;
	add_block(&g, 20, 0, 0, 0);
	g.blocks[6].kind = PF_CODE_CALL;
	g.blocks[6].target = address_of(target);
	g.stacks[0] = (struct pf_call_edge){address_of(6) + BYTES - 1, address_of(5) + 1, stacks};
	g.stack_count = stacks > 0;
	infer(&g, true);
	return g;
}

static double
runs_of_its_call(uint8_t kind, size_t target, int64_t stacks)
{
	return loop_with_a_call(kind, target, stacks).counts[3];
}

static void
a_call_that_no_stack_shows_ran_seldom(void **state)
{
	double unknown = runs_of_its_call(PF_CODE_CALL, 5, 0);
	(void)state;

	assert_true(unknown > 5);
	assert_true(runs_of_its_call(PF_CODE_CALL, 5, 120) < unknown * .6);
	/* but that of a tail call, or of a function that has no frame, is in none */
	assert_true(
	    near(runs_of_its_call(PF_CODE_JUMP, 5, 60), runs_of_its_call(PF_CODE_JUMP, 5, 0)));
	assert_true(runs_of_its_call(PF_CODE_CALL, 0, 60) > unknown * .8);
}

static void
what_a_call_rules_out_did_not_run(void **state)
{
	struct graph g = loop_with_a_call(PF_CODE_CALL, 5, 1000);
	(void)state;

	assert_true(g.counts[3] == 0 && g.counts[2] == 0); /* nor what leads only to it */
	assert_true(g.counts[0] > 0 && g.counts[1] > 0 && g.counts[4] > 0);
	/* a few stacks are not telling, and a sample tells that it ran */
	assert_true(runs_of_its_call(PF_CODE_CALL, 5, 8) > 0);
	g.blocks[3].samples[0] = 1;
	infer(&g, true);
	assert_true(g.counts[3] > 0 && g.counts[2] > 0);
}

/* A loop of which `samples` hit what runs in each turn, and which has an aside of two blocks, of which `aside` hit the second. */
static struct graph
loop_with_an_aside(int64_t samples, int64_t aside)
{
	struct graph g;

	/* 0 → 1; 1 → 2 | 4; 2 → 3 → 4; 4 → 1 | 5 */
	set_up(&g);
	add_block(&g, 20, 1, 1, 0);
	add_block(&g, samples, 2, 2, 4);
	add_block(&g, 0, 1, 3, 0);
	add_block(&g, aside, 1, 4, 0);
	add_block(&g, samples, 2, 1, 5);
	add_block(&g, 20, 0, 0, 0);
	infer(&g, true);
	return g;
}

static void
what_many_samples_had_the_chance_to_hit_and_none_did_did_not_run(void **state)
{
	struct graph g = loop_with_an_aside(20000, 0);
	(void)state;

	assert_true(g.counts[2] == 0 && g.counts[3] == 0);
	assert_true(g.counts[1] > 10000 && g.counts[4] > 10000);
	/* samples in one of them tell that both ran, and of few samples none may have been there by chance */
	g = loop_with_an_aside(20000, 1000);
	assert_true(g.counts[2] > 0 && g.counts[3] > 0);
	g = loop_with_an_aside(1500, 0);
	assert_true(g.counts[2] > 0 && g.counts[3] > 0);
	/* together they are twice as likely to be hit as one alone */
	g = loop_with_an_aside(3000, 0);
	assert_true(g.counts[2] == 0 && g.counts[3] == 0);
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
	g.function_count++;
	add_block(&g, 0, 2, 4, 5);
	add_block(&g, 500, 2, 4, 5);
	add_block(&g, 0, 0, 0, 0);
	infer(&g, true);
	uncalled = g.entries[1];
	g.blocks[1].kind = PF_CODE_CALL;
	g.blocks[1].target = address_of(3);
	infer(&g, true);
	assert_true(g.entries[1] > 3 * uncalled && g.entries[1] < 60);
	/* and nothing is asked of a function that others may call through a pointer */
	g.taken[1] = true;
	g.blocks[3].samples[0] = 400;
	infer(&g, true);
	assert_true(near(g.counts[1], 50));
	assert_true(g.entries[1] > 100);
}

/* A function with a loop, which calls it again on a rare path: how many of its entries are that call's. */
static double
recursive_share(int64_t outside)
{
	struct graph g;

	/* 0 → 1; 1 → 1 | 2; 2 → 3 | 4; 3, the call, → 4. Of the call there are two samples, of entries hardly more. */
	set_up(&g);
	add_block(&g, 2, 1, 1, 0);
	add_block(&g, 2000, 2, 1, 2);
	add_block(&g, 2, 2, 3, 4);
	add_block(&g, 2, 1, 4, 0);
	add_block(&g, 2, 0, 0, 0);
	g.blocks[3].kind = PF_CODE_CALL;
	g.blocks[3].target = address_of(0);
	g.stacks[0] = (struct pf_call_edge){address_of(3) + BYTES - 1, address_of(1) + 1, 200};
	g.stacks[1] = (struct pf_call_edge){address_of(MOST), address_of(1) + 1, outside};
	g.stack_count = outside ? 2 : 1;
	infer(&g, true);
	return g.counts[3] / g.entries[0];
}

static void
a_recursion_is_also_called_by_functions_without_samples(void **state)
{
	(void)state;

	assert_true(recursive_share(0) > .9);
	assert_true(recursive_share(1800) < .7);
}

static void
instructions_cost_alike_when_samples_are_no_time(void **state)
{
	struct graph g;
	double as_time;
	(void)state;

	set_up(&g);
	add_block(&g, 100, 0, 0, 0);
	g.blocks[0].cost = PF_COST_DIVIDE;
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
		g.blocks[2].size = 2;
		g.blocks[2].cost = PF_COST_ALU;
		g.blocks[2].samples[0] = 10;
		g.blocks[2].samples[1] = stalled ? 2000 : 10;
		infer(&g, true);
		if (!stalled)
			fair = g.counts[2];
	}
	assert_true(g.counts[2] > fair && g.counts[2] < 4 * fair);
}

/* 0 → 1 | 2 → 3: the samples are all on one side, which waits; the steps go by the other. */
static void
lopsided_branch(struct graph *g, int64_t waiting, int64_t working)
{
	set_up(g);
	add_block(g, 20, 2, 1, 2);
	add_block(g, 60, 1, 3, 0);
	add_block(g, 4, 1, 3, 0);
	add_block(g, 20, 0, 0, 0);
	g->blocks[1].steps = waiting;
	g->blocks[2].steps = working;
	g->blocks[0].steps = g->blocks[3].steps = waiting + working;
	infer(g, true);
}

static void
steps_say_what_runs_where_samples_say_what_waits(void **state)
{
	struct graph g;
	double alone;
	(void)state;

	lopsided_branch(&g, 0, 0);
	assert_true(g.counts[1] > 2 * g.counts[2]);
	alone = g.entries[0];
	lopsided_branch(&g, 100, 900);
	assert_true(g.counts[2] > 2 * g.counts[1]);
	assert_true(g.counts[1] > 0); /* seldom, but it ran */
	/* how much the function has of the whole is not theirs to say */
	assert_true(g.entries[0] > alone / 2 && g.entries[0] < alone * 2);
}

/* Samples say one thing, so many times as many as on the machines that took steps, which say another. */
static void
two_sides(struct graph *g, int64_t times, int64_t steps)
{
	set_up(g);
	add_block(g, 20 * times, 2, 1, 2);
	add_block(g, 30 * times, 1, 3, 0);
	add_block(g, 10 * times, 1, 3, 0);
	add_block(g, 20 * times, 0, 0, 0);
	g->blocks[1].steps = steps;
	g->blocks[2].steps = 9 * steps;
	g->blocks[0].steps = g->blocks[3].steps = 10 * steps;
}

static void
samples_of_machines_without_steps_do_not_outweigh_those_of_others(void **state)
{
	struct graph g;
	double all;
	(void)state;

	two_sides(&g, 1, 100);
	infer(&g, true);
	assert_true(g.counts[2] > 1.5 * g.counts[1]);
	two_sides(&g, 100, 100);
	infer(&g, true);
	assert_true(g.counts[2] > g.counts[1]);
	/* how often all of it ran is what all machines' samples say */
	all = g.entries[0];
	two_sides(&g, 100, 0);
	infer(&g, true);
	assert_true(g.counts[1] > 2 * g.counts[2]);
	assert_true(all > g.entries[0] / 2 && all < g.entries[0] * 2);
}

/* Two functions, of which the second has samples and no steps. */
static void
two_functions(struct graph *g, int64_t steps, int64_t other_steps)
{
	two_sides(g, 100, steps);
	g->function_count++;
	add_block(g, 7, 2, 5, 6);
	add_block(g, 900, 1, 7, 0);
	add_block(g, 40, 1, 7, 0);
	add_block(g, 500, 0, 0, 0);
	g->blocks[5].steps = other_steps;
	infer(g, true);
}

static void
a_function_of_machines_without_steps_goes_by_its_samples(void **state)
{
	struct graph alone, beside;
	(void)state;

	two_functions(&alone, 0, 0);
	two_functions(&beside, 100, 0);
	for (size_t b = 4; b < 8; b++)
		assert_true(fabs(beside.counts[b] - alone.counts[b]) < 1e-9 * alone.counts[b]);
	/* had it been stepped through, steps would have their say */
	two_functions(&beside, 100, 500);
	assert_true(fabs(beside.counts[6] - alone.counts[6]) > .1 * alone.counts[6]);
}

/* A few steps against a few samples, and against many. */
static void
samples_beside_steps_are_worth_less_the_more_there_are(void **state)
{
	struct graph g;
	double share[2];
	(void)state;

	for (int many = 0; many < 2; many++) {
		int64_t times = many ? 100 : 1;

		set_up(&g);
		add_block(&g, 4 * times, 2, 1, 2);
		add_block(&g, 3 * times, 1, 3, 0);
		add_block(&g, 1 * times, 1, 3, 0);
		add_block(&g, 4 * times, 0, 0, 0);
		g.blocks[0].steps = g.blocks[3].steps = 40 * times;
		g.blocks[1].steps = 10 * times;
		g.blocks[2].steps = 30 * times;
		infer(&g, true);
		share[many] = g.counts[1] / g.counts[0];
	}
	assert_true(share[0] > share[1] && share[1] > .25);
}

static void
a_function_that_cannot_be_followed_is_left_alone(void **state)
{
	struct graph g;
	(void)state;

	set_up(&g);
	add_block(&g, 100, 0, 0, 0);
	g.incomplete = true;
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
	    cmocka_unit_test(contradictions_do_not_wear_a_flow_down_to_nothing),
	    cmocka_unit_test(stacks_prove_that_a_call_ran),
	    cmocka_unit_test(a_call_that_no_stack_shows_ran_seldom),
	    cmocka_unit_test(what_a_call_rules_out_did_not_run),
	    cmocka_unit_test(what_many_samples_had_the_chance_to_hit_and_none_did_did_not_run),
	    cmocka_unit_test(a_callee_is_entered_as_often_as_it_is_called),
	    cmocka_unit_test(a_recursion_is_also_called_by_functions_without_samples),
	    cmocka_unit_test(instructions_cost_alike_when_samples_are_no_time),
	    cmocka_unit_test(a_stalled_instruction_says_little_about_how_often),
	    cmocka_unit_test(steps_say_what_runs_where_samples_say_what_waits),
	    cmocka_unit_test(samples_of_machines_without_steps_do_not_outweigh_those_of_others),
	    cmocka_unit_test(a_function_of_machines_without_steps_goes_by_its_samples),
	    cmocka_unit_test(samples_beside_steps_are_worth_less_the_more_there_are),
	    cmocka_unit_test(a_function_that_cannot_be_followed_is_left_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
