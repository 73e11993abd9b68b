/* inference_flow.c: see inference_flow.h. */
#include "convert/inference_flow.h"

#include <math.h>
#include <stdlib.h>

#include "convert/program.h"
#include "core/error.h"
#include "core/memory.h"

#define FIRST_GUESS 0.02 /* samples that a block without any is given at first */
/* beyond so many samples, more of them weigh little more: stalls make outliers */
#define TRUSTED 6.0
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

struct flow_edge {
	uint32_t from, to;
	double flow;
};

struct flow_block {
	double samples, weight;
	double entry, exit; /* flow from and to outside; 0: there is no such edge */
	uint32_t first_in;  /* into in_edges, up to the next block's */
	uint32_t first_out; /* into edges */
	bool skipped;       /* in a function whose flow is not known */
};

/* A direct call from a block to a function of the program. */
struct flow_call {
	uint32_t block, function;
};

struct flow {
	const struct pf_program *p;
	struct flow_block *blocks; /* one more at the end */
	struct flow_edge *edges;   /* by source */
	uint32_t *in_edges;        /* edge numbers, by target */
	struct flow_call *calls;
	size_t call_count, call_capacity;
	double *called;      /* by function: sum over its call sites */
	double *adjustments; /* by block: sum of logarithms, and how many */
	uint32_t *adjusted;
	double unit;
	bool time;
};

static void
release(struct flow *f)
{
	free(f->blocks);
	free(f->edges);
	free(f->in_edges);
	free(f->calls);
	free(f->called);
	free(f->adjustments);
	free(f->adjusted);
}

static double
cost_of(const struct flow *f, uint32_t instruction)
{
	return f->time ? costs[f->p->instructions[instruction].cost] : 1;
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
weigh_block(struct flow *f, uint32_t block)
{
	const struct pf_program_block *pb = &f->p->blocks[block];
	struct flow_block *b = &f->blocks[block];
	double samples = 0;

	for (uint32_t i = pb->first; i < pb->first + pb->count; i++) {
		samples += (double)f->p->values[i] / f->unit;
		b->weight += cost_of(f, i);
	}
	for (uint32_t i = pb->first; i < pb->first + pb->count; i++) {
		double own = (double)f->p->values[i] / f->unit;
		b->samples += f->time ? without_stall(own, cost_of(f, i), samples, b->weight) : own;
	}
	if (b->weight < .05)
		b->weight = .05;
	b->skipped = !f->p->functions[pb->function].complete;
}

/* Edges by source, and their numbers by target. */
static int
link_blocks(struct flow *f, struct pf_error *err)
{
	const struct pf_program *p = f->p;
	uint32_t *fill;
	int rc = PF_CALLOC(f->edges, p->edge_count, err);

	if (!rc)
		rc = PF_CALLOC(f->in_edges, p->edge_count, err);
	if (!rc)
		rc = PF_CALLOC(fill, p->block_count + 1, err);
	if (rc)
		return rc;
	for (uint32_t b = 0, e = 0; b < p->block_count; b++) {
		f->blocks[b].first_out = e;
		for (uint32_t i = 0; i < p->blocks[b].edge_count; i++, e++) {
			f->edges[e] =
			    (struct flow_edge){b, p->edges[p->blocks[b].first_edge + i], 0};
			fill[f->edges[e].to]++;
		}
		f->blocks[b + 1].first_out = e;
	}
	for (uint32_t b = 0, sum = 0; b <= p->block_count; b++) {
		uint32_t count = fill[b];
		f->blocks[b].first_in = fill[b] = sum;
		sum += count;
	}
	for (uint32_t e = 0; e < f->blocks[p->block_count].first_out; e++)
		f->in_edges[fill[f->edges[e].to]++] = e;
	free(fill);
	return 0;
}

static uint32_t
in_degree(const struct flow *f, uint32_t b)
{
	return f->blocks[b + 1].first_in - f->blocks[b].first_in + (f->blocks[b].entry > 0);
}

static uint32_t
out_degree(const struct flow *f, uint32_t b)
{
	return f->blocks[b + 1].first_out - f->blocks[b].first_out + (f->blocks[b].exit > 0);
}

/* Where control enters and leaves, and the flows to start from. */
static void
guess_flows(struct flow *f)
{
	const struct pf_program *p = f->p;

	for (uint32_t i = 0; i < p->function_count; i++) {
		if (p->functions[i].block_count)
			f->blocks[p->functions[i].first_block].entry = 1;
	}
	for (uint32_t b = 0; b < p->block_count; b++) {
		struct flow_block *fb = &f->blocks[b];
		if (fb[1].first_in == fb->first_in)
			fb->entry = 1;
		if (fb[1].first_out == fb->first_out || p->blocks[b].exits)
			fb->exit = 1;
	}
	for (uint32_t b = 0; b < p->block_count; b++) {
		struct flow_block *fb = &f->blocks[b];
		double count = (fb->samples + FIRST_GUESS) / fb->weight;

		for (uint32_t e = fb->first_out; e < fb[1].first_out; e++) {
			const struct flow_block *to = &f->blocks[f->edges[e].to];
			f->edges[e].flow = sqrt(count / out_degree(f, b) *
						((to->samples + FIRST_GUESS) / to->weight) /
						in_degree(f, f->edges[e].to));
		}
	}
	for (uint32_t b = 0; b < p->block_count; b++) {
		struct flow_block *fb = &f->blocks[b];
		double count = (fb->samples + FIRST_GUESS) / fb->weight;
		uint32_t in = in_degree(f, b), out = out_degree(f, b);

		if (fb->entry > 0)
			fb->entry = count / in;
		if (fb->exit > 0)
			fb->exit = count / out;
	}
}

static double
inflow(const struct flow *f, uint32_t b)
{
	double sum = f->blocks[b].entry;

	for (uint32_t i = f->blocks[b].first_in; i < f->blocks[b + 1].first_in; i++)
		sum += f->edges[f->in_edges[i]].flow;
	return sum;
}

static double
outflow(const struct flow *f, uint32_t b)
{
	double sum = f->blocks[b].exit;

	for (uint32_t e = f->blocks[b].first_out; e < f->blocks[b + 1].first_out; e++)
		sum += f->edges[e].flow;
	return sum;
}

static void
scale_in(struct flow *f, uint32_t b, double factor)
{
	f->blocks[b].entry *= factor;
	for (uint32_t i = f->blocks[b].first_in; i < f->blocks[b + 1].first_in; i++)
		f->edges[f->in_edges[i]].flow *= factor;
}

static void
scale_out(struct flow *f, uint32_t b, double factor)
{
	f->blocks[b].exit *= factor;
	for (uint32_t e = f->blocks[b].first_out; e < f->blocks[b + 1].first_out; e++)
		f->edges[e].flow *= factor;
}

/*
 * One block: its count is a compromise between its samples over its weight and
 * the flows through it (their geometric mean), which then follow it.
 */
static void
settle(struct flow *f, uint32_t b, double alpha)
{
	const struct flow_block *fb = &f->blocks[b];
	double in = inflow(f, b), out = outflow(f, b), middle = sqrt(in * out), trust, count;

	if (!(middle > 0))
		return;
	trust = TRUSTED / (TRUSTED + fmax(fb->samples, middle * fb->weight));
	count = (alpha + trust * fb->samples) / (alpha / middle + trust * fb->weight);
	scale_in(f, b, count / in);
	scale_out(f, b, count / outflow(f, b));
}

static int
collect_calls(struct flow *f, struct pf_error *err)
{
	const struct pf_program *p = f->p;
	int rc = 0;

	for (size_t i = 0; !rc && i < p->instruction_count; i++) {
		const struct pf_instruction *in = &p->instructions[i];
		uint32_t callee = in->target ? pf_program_function_at(p, in->target) : PF_NONE;
		bool tail = in->kind == PF_CODE_JUMP && callee != p->blocks[in->block].function;

		if (callee == PF_NONE || p->functions[callee].start != in->target ||
		    p->functions[callee].block_count == 0 || f->blocks[in->block].skipped ||
		    !p->functions[callee].complete || (in->kind != PF_CODE_CALL && !tail))
			continue;
		rc = PF_GROW(f->calls, f->call_capacity, f->call_count + 1, err);
		if (!rc)
			f->calls[f->call_count++] = (struct flow_call){in->block, callee};
	}
	return rc;
}

/*
 * A function's entries and the counts of the places that call it move towards
 * each other. One whose address is taken may have more entries than we see calls.
 */
static void
couple_calls(struct flow *f)
{
	const struct pf_program *p = f->p;

	for (size_t i = 0; i < p->function_count; i++)
		f->called[i] = 0;
	for (size_t i = 0; i < p->block_count; i++) {
		f->adjustments[i] = 0;
		f->adjusted[i] = 0;
	}
	for (size_t i = 0; i < f->call_count; i++)
		f->called[f->calls[i].function] += inflow(f, f->calls[i].block);
	for (size_t i = 0; i < f->call_count; i++) {
		const struct pf_program_function *callee = &p->functions[f->calls[i].function];
		double calls = f->called[f->calls[i].function],
		       entries = f->blocks[callee->first_block].entry;

		if (!(calls > 0) || !(entries > 0) || (callee->taken && calls < entries))
			continue;
		f->adjustments[f->calls[i].block] += log(entries / calls) / 2;
		f->adjusted[f->calls[i].block]++;
	}
	for (size_t i = 0; i < p->function_count; i++) {
		const struct pf_program_function *callee = &p->functions[i];
		double *entries =
		    callee->block_count ? &f->blocks[callee->first_block].entry : NULL;

		if (entries && f->called[i] > 0 && *entries > 0 &&
		    !(callee->taken && f->called[i] < *entries))
			*entries = sqrt(*entries * f->called[i]);
	}
	for (uint32_t b = 0; b < p->block_count; b++) {
		double factor = f->adjusted[b] ? exp(f->adjustments[b] / f->adjusted[b]) : 1;
		if (f->adjusted[b]) {
			scale_in(f, b, factor);
			scale_out(f, b, factor);
		}
	}
}

static void
sweep(struct flow *f, double alpha, bool forward)
{
	uint32_t n = (uint32_t)f->p->block_count;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t b = forward ? i : n - 1 - i;
		if (!f->blocks[b].skipped)
			settle(f, b, alpha);
	}
}

static int
prepare(struct flow *f, struct pf_error *err)
{
	int rc = PF_CALLOC(f->blocks, f->p->block_count + 1, err);

	if (!rc)
		rc = PF_CALLOC(f->called, f->p->function_count, err);
	if (!rc)
		rc = PF_CALLOC(f->adjustments, f->p->block_count, err);
	if (!rc)
		rc = PF_CALLOC(f->adjusted, f->p->block_count, err);
	if (!rc)
		rc = link_blocks(f, err);
	for (uint32_t b = 0; !rc && b < f->p->block_count; b++)
		weigh_block(f, b);
	if (!rc) {
		guess_flows(f);
		rc = collect_calls(f, err);
	}
	return rc;
}

int
pf_inference_flow(double *counts, double *edges, double *entries, const struct pf_program *p,
    double unit, bool time, struct pf_error *err)
{
	struct flow f = {.p = p, .unit = unit, .time = time};
	int rc = prepare(&f, err);

	for (size_t r = 0; !rc && r < sizeof rounds / sizeof rounds[0]; r++) {
		for (int i = 0; i < SWEEPS; i++) {
			sweep(&f, rounds[r], i % 2 == 0);
			if (i % SWEEPS_BETWEEN_CALLS == SWEEPS_BETWEEN_CALLS - 1)
				couple_calls(&f);
		}
	}
	for (uint32_t b = 0; !rc && b < p->block_count; b++)
		counts[b] = f.blocks[b].skipped ? -1 : sqrt(inflow(&f, b) * outflow(&f, b));
	for (uint32_t b = 0; !rc && edges && b < p->block_count; b++) {
		for (uint32_t i = 0; i < p->blocks[b].edge_count; i++)
			edges[p->blocks[b].first_edge + i] =
			    f.blocks[b].skipped ? 0 : f.edges[f.blocks[b].first_out + i].flow;
	}
	for (size_t i = 0; !rc && i < p->function_count; i++)
		entries[i] = p->functions[i].block_count && p->functions[i].complete
				 ? f.blocks[p->functions[i].first_block].entry
				 : -1;
	release(&f);
	return rc;
}
