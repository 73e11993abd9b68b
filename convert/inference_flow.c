/* inference_flow.c: see inference_flow.h. */
#include "convert/inference_flow.h"

#include <math.h>
#include <stdlib.h>

#include "convert/inference_sweep.h"
#include "convert/program.h"
#include "core/error.h"
#include "core/memory.h"

#define FIRST_GUESS 0.02 /* samples that a block without any is given at first */
/* What an instruction may collect beyond what its block's others do before it counts as stalled:
 * so many times as much for its cost, and so many samples. */
#define STALL_RATIO 2.0
#define STALL_SAMPLES 5.0
#define STALL_REST 0.2 /* what counts of each e-fold beyond */

enum { SWEEPS = 25, SWEEPS_BETWEEN_CALLS = 5 };

/* How much conservation weighs against evidence, round by round. */
static const double rounds[] = {.5, .5, 1, 1, 2, 4, 8, 16, 64, 256};

/* Fitted on one program; unit costs lose little (docs/convert.md). By enum pf_instruction_cost. */
static const double costs[PF_COST_CLASSES] = {[PF_COST_ALU] = .5,
    [PF_COST_MOVE] = .25,
    [PF_COST_LOAD] = 1,
    [PF_COST_ALU_LOAD] = 1.5,
    [PF_COST_STACK_LOAD] = .8,
    [PF_COST_STORE] = .5,
    [PF_COST_READ_MODIFY_WRITE] = .7,
    [PF_COST_BRANCH] = .1,
    [PF_COST_PUSH] = .75,
    [PF_COST_POP] = .45,
    [PF_COST_CALL] = .6,
    [PF_COST_CALL_INDIRECT] = 1.8,
    [PF_COST_JUMP_INDIRECT] = 1.1,
    [PF_COST_RETURN] = .25,
    [PF_COST_MULTIPLY] = 1,
    [PF_COST_DIVIDE] = 9,
    [PF_COST_FLOAT] = 1.9,
    [PF_COST_REPEAT] = 15,
    [PF_COST_NOP] = .1};

/* A direct call from a block to a function of the program; those of one block are neighbours. */
struct flow_call {
	uint32_t block, function;
	double factor; /* of the block's first call: by how much the block's flow is to change */
};

struct flow {
	const struct pf_program *p;
	struct pf_flow_graph graph;
	struct pf_flow_range
	    *followed; /* functions whose flow is known wholly, by their number of blocks */
	size_t followed_count;
	struct flow_call *calls;
	size_t call_count, call_capacity;
	double *called; /* by function: sum over its call sites */
	double unit;
	bool time;
};

static void
release(struct flow *f)
{
	free(f->graph.blocks);
	free(f->graph.flows);
	free(f->graph.in_edges);
	free(f->followed);
	free(f->calls);
	free(f->called);
}

static double
cost_of(const struct flow *f, const struct pf_instruction *instruction)
{
	return f->time ? costs[instruction->cost] : 1;
}

/*
 * An instruction that waits for memory collects many times what its neighbours
 * do: samples that say how long, not how often. `samples` and `weight` are the
 * block's; an instruction alone in its block has nothing to be compared with.
 */
static double
without_stall(double own, double cost, double samples, double weight)
{
	double usual = (samples - own + 1) / (weight - cost + 1) * cost;
	double most = STALL_RATIO * usual + STALL_SAMPLES;

	return own > most && weight > cost ? most * (1 + STALL_REST * log(own / most)) : own;
}

static void
weigh_block(struct flow *f, const struct pf_program_code *code, uint32_t block)
{
	struct pf_flow_block *b = &f->graph.blocks[code->first_block + block];
	uint32_t first = code->starts[block], end = code->starts[block + 1];
	double samples = 0;

	for (uint32_t i = first; i < end; i++) {
		samples += (double)code->values[i] / f->unit;
		b->weight += cost_of(f, &code->instructions[i]);
	}
	for (uint32_t i = first; i < end; i++) {
		double own = (double)code->values[i] / f->unit;
		double cost = cost_of(f, &code->instructions[i]);

		b->samples += f->time ? without_stall(own, cost, samples, b->weight) : own;
	}
	if (b->weight < .05)
		b->weight = .05;
}

/* A direct call, or a jump out of its function, to one of the program; both followed wholly. */
static int
note_call(struct flow *f, const struct pf_program_function *caller, const struct pf_instruction *in,
    struct pf_error *err)
{
	const struct pf_program_function *callee;
	uint32_t function;
	int rc;

	if (!in->target || !caller->complete ||
	    (in->kind != PF_CODE_CALL && in->kind != PF_CODE_JUMP))
		return 0;
	function = pf_program_function_at(f->p, in->target);
	if (function == PF_NONE)
		return 0;
	callee = &f->p->functions[function];
	if (callee->start != in->target || callee->block_count == 0 || !callee->complete ||
	    (in->kind == PF_CODE_JUMP && callee == caller))
		return 0;
	rc = PF_GROW(f->calls, f->call_capacity, f->call_count + 1, err);
	if (!rc)
		f->calls[f->call_count++] = (struct flow_call){in->block, function, 1};
	return rc;
}

/* What is known of each function's blocks and calls from its instructions. */
static int
read_functions(struct flow *f, struct pf_error *err)
{
	struct pf_program_code code = {0};
	int rc = 0;

	for (uint32_t i = 0; !rc && i < f->p->function_count; i++) {
		rc = pf_program_unfold(&code, f->p, i, err);
		for (uint32_t b = 0; !rc && b < f->p->functions[i].block_count; b++)
			weigh_block(f, &code, b);
		for (size_t k = 0; !rc && k < code.count; k++)
			rc = note_call(f, &f->p->functions[i], &code.instructions[k], err);
	}
	pf_program_code_release(&code);
	return rc;
}

/* The first two edges of each block. */
static void
note_first_edges(struct flow *f)
{
	for (uint32_t b = 0; b < f->p->block_count; b++) {
		struct pf_flow_block *fb = &f->graph.blocks[b];
		uint32_t in = fb[1].first_in - fb->first_in, out = fb[1].first_out - fb->first_out,
			 none = (uint32_t)f->p->edge_count + b;

		for (uint32_t i = 0; i < 2; i++) {
			fb->in[i] = i < in ? f->graph.in_edges[fb->first_in + i] : none;
			fb->out[i] = i < out ? fb->first_out + i : none;
		}
		fb->many = in > 2 || out > 2 || fb->loops;
	}
}

/* Where each block's edges are, by source and by target. */
static int
link_blocks(struct flow *f, struct pf_error *err)
{
	const struct pf_program *p = f->p;
	uint32_t *fill;
	int rc = PF_CALLOC(f->graph.flows, p->edge_count + p->block_count, err);

	if (!rc)
		rc = PF_CALLOC(f->graph.in_edges, p->edge_count, err);
	if (!rc)
		rc = PF_CALLOC(fill, p->block_count + 1, err);
	if (rc)
		return rc;
	for (uint32_t b = 0; b < p->block_count; b++) {
		f->graph.blocks[b].first_out = p->blocks[b].first_edge;
		for (uint32_t e = p->blocks[b].first_edge; e < p->blocks[b + 1].first_edge; e++) {
			f->graph.blocks[b].loops |= p->edges[e] == b;
			fill[p->edges[e]]++;
		}
	}
	f->graph.blocks[p->block_count].first_out = (uint32_t)p->edge_count;
	for (uint32_t b = 0, sum = 0; b <= p->block_count; b++) {
		uint32_t count = fill[b];
		f->graph.blocks[b].first_in = fill[b] = sum;
		sum += count;
	}
	for (uint32_t e = 0; e < p->edge_count; e++)
		f->graph.in_edges[fill[p->edges[e]]++] = e;
	free(fill);
	note_first_edges(f);
	return 0;
}

static uint32_t
in_degree(const struct flow *f, uint32_t b)
{
	return f->graph.blocks[b + 1].first_in - f->graph.blocks[b].first_in +
	       (f->graph.blocks[b].entry > 0);
}

static uint32_t
out_degree(const struct flow *f, uint32_t b)
{
	return f->graph.blocks[b + 1].first_out - f->graph.blocks[b].first_out +
	       (f->graph.blocks[b].exit > 0);
}

/* Where control enters and leaves, and the flows to start from. */
static void
guess_flows(struct flow *f)
{
	const struct pf_program *p = f->p;

	for (uint32_t i = 0; i < p->function_count; i++) {
		if (p->functions[i].block_count)
			f->graph.blocks[p->functions[i].first_block].entry = 1;
	}
	for (uint32_t b = 0; b < p->block_count; b++) {
		struct pf_flow_block *fb = &f->graph.blocks[b];
		if (fb[1].first_in == fb->first_in)
			fb->entry = 1;
		if (fb[1].first_out == fb->first_out || p->blocks[b].exits)
			fb->exit = 1;
	}
	for (uint32_t b = 0; b < p->block_count; b++) {
		struct pf_flow_block *fb = &f->graph.blocks[b];
		double count = (fb->samples + FIRST_GUESS) / fb->weight;

		for (uint32_t e = fb->first_out; e < fb[1].first_out; e++) {
			const struct pf_flow_block *to = &f->graph.blocks[p->edges[e]];
			f->graph.flows[e] = sqrt(count / out_degree(f, b) *
						 ((to->samples + FIRST_GUESS) / to->weight) /
						 in_degree(f, p->edges[e]));
		}
	}
	for (uint32_t b = 0; b < p->block_count; b++) {
		struct pf_flow_block *fb = &f->graph.blocks[b];
		double count = (fb->samples + FIRST_GUESS) / fb->weight;
		uint32_t in = in_degree(f, b), out = out_degree(f, b);

		if (fb->entry > 0)
			fb->entry = count / in;
		if (fb->exit > 0)
			fb->exit = count / out;
	}
}

/* Whether a function's entries and its calls are to agree: one whose address is taken may have more than we see. */
static bool
is_coupled(const struct flow *f, uint32_t function)
{
	const struct pf_program_function *callee = &f->p->functions[function];
	double calls = f->called[function], entries;

	if (!(calls > 0) || callee->block_count == 0)
		return false;
	entries = f->graph.blocks[callee->first_block].entry;
	return entries > 0 && !(callee->taken && calls < entries);
}

/* The end of the calls of one block. */
static size_t
calls_end(const struct flow *f, size_t first)
{
	size_t end = first + 1;

	while (end < f->call_count && f->calls[end].block == f->calls[first].block)
		end++;
	return end;
}

/* By how much the calls of one block say that its flow should change: the geometric mean. */
static double
calls_factor(const struct flow *f, size_t first, size_t end)
{
	double sum = 0;
	uint32_t count = 0;

	for (size_t i = first; i < end; i++) {
		uint32_t callee = f->calls[i].function;

		if (!is_coupled(f, callee))
			continue;
		sum += log(f->graph.blocks[f->p->functions[callee].first_block].entry /
			   f->called[callee]) /
		       2;
		count++;
	}
	return count ? exp(sum / count) : 1;
}

/* A function's entries and the counts of the places that call it move towards each other. */
static void
couple_calls(struct flow *f)
{
	const struct pf_program *p = f->p;

	for (size_t i = 0; i < p->function_count; i++)
		f->called[i] = 0;
	for (size_t i = 0; i < f->call_count; i++)
		f->called[f->calls[i].function] += pf_flow_in(&f->graph, f->calls[i].block);
	for (size_t i = 0, end; i < f->call_count; i = end) {
		end = calls_end(f, i);
		f->calls[i].factor = calls_factor(f, i, end);
	}
	for (uint32_t i = 0; i < p->function_count; i++) {
		if (is_coupled(f, i)) {
			double *entries = &f->graph.blocks[p->functions[i].first_block].entry;
			*entries = sqrt(*entries * f->called[i]);
		}
	}
	for (size_t i = 0; i < f->call_count; i = calls_end(f, i)) {
		pf_flow_scale_in(&f->graph, f->calls[i].block, f->calls[i].factor);
		pf_flow_scale_out(&f->graph, f->calls[i].block, f->calls[i].factor);
	}
}

static int
by_size(const void *left, const void *right)
{
	const struct pf_flow_range *a = left, *b = right;

	if (a->count != b->count)
		return a->count < b->count ? -1 : 1;
	return (a->first > b->first) - (a->first < b->first);
}

/* Functions of like size are swept together. */
static int
list_followed(struct flow *f, struct pf_error *err)
{
	const struct pf_program *p = f->p;
	int rc = PF_CALLOC(f->followed, p->function_count, err);

	for (size_t i = 0; !rc && i < p->function_count; i++) {
		const struct pf_program_function *pf = &p->functions[i];

		if (pf->complete && pf->block_count)
			f->followed[f->followed_count++] =
			    (struct pf_flow_range){pf->first_block, pf->block_count};
	}
	if (f->followed_count)
		qsort(f->followed, f->followed_count, sizeof *f->followed, by_size);
	return rc;
}

static int
prepare(struct flow *f, struct pf_error *err)
{
	int rc = PF_CALLOC(f->graph.blocks, f->p->block_count + 1, err);

	if (!rc)
		rc = PF_CALLOC(f->called, f->p->function_count, err);
	if (!rc)
		rc = list_followed(f, err);
	if (!rc)
		rc = link_blocks(f, err);
	if (!rc)
		rc = read_functions(f, err);
	if (!rc)
		guess_flows(f);
	return rc;
}

/* What is known of one function in the end. */
static void
report_function(
    const struct flow *f, uint32_t function, double *counts, double *edges, double *entries)
{
	const struct pf_program_function *pf = &f->p->functions[function];

	for (uint32_t b = pf->first_block; b < pf->first_block + pf->block_count; b++) {
		counts[b] =
		    pf->complete ? sqrt(pf_flow_in(&f->graph, b) * pf_flow_out(&f->graph, b)) : -1;
		for (uint32_t e = f->graph.blocks[b].first_out;
		    edges && e < f->graph.blocks[b + 1].first_out; e++)
			edges[e] = pf->complete ? f->graph.flows[e] : 0;
	}
	entries[function] =
	    pf->block_count && pf->complete ? f->graph.blocks[pf->first_block].entry : -1;
}

int
pf_inference_flow(double *counts, double *edges, double *entries, const struct pf_program *p,
    double unit, bool time, struct pf_error *err)
{
	struct flow f = {.p = p, .unit = unit, .time = time};
	int rc = prepare(&f, err);

	for (size_t r = 0; !rc && r < sizeof rounds / sizeof rounds[0]; r++) {
		for (int i = 0; i < SWEEPS; i += SWEEPS_BETWEEN_CALLS) {
			pf_flow_sweep(&f.graph, f.followed, f.followed_count, rounds[r], i,
			    SWEEPS_BETWEEN_CALLS);
			couple_calls(&f);
		}
	}
	for (uint32_t i = 0; !rc && i < p->function_count; i++)
		report_function(&f, i, counts, edges, entries);
	release(&f);
	return rc;
}
