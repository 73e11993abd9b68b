/* inference_flow.c: see inference_flow.h. */
#include "convert/inference_flow.h"

#include <math.h>
#include <stdlib.h>

#include "convert/inference_calls.h"
#include "convert/inference_evidence.h"
#include "convert/inference_graph.h"
#include "convert/inference_sweep.h"
#include "convert/inference_unseen.h"
#include "convert/program.h"
#include "core/error.h"
#include "core/memory.h"

#define FIRST_GUESS 0.02 /* samples that a block without any is given at first */
enum { SWEEPS = 25, SWEEPS_BETWEEN_CALLS = 5 };

/*
 * How much conservation weighs against evidence, round by round. Evidence does not
 * lead: a block scales all its flows alike, and where its samples contradict those
 * across one edge, it would wear its other edges down to nothing, for good.
 */
static const double rounds[] = {16, 64, 256};

struct flow {
	const struct pf_program *p;
	struct pf_flow_graph graph;
	struct pf_flow_calls calls;
	struct pf_evidence_source source;
};

static void
release(struct flow *f)
{
	pf_flow_graph_release(&f->graph);
	pf_flow_calls_release(&f->calls);
}

/* The place of a function's n-th block. */
static uint32_t
slot_of(const struct flow *f, uint32_t function, uint32_t n)
{
	return f->graph.slots[function] + n * PF_FLOW_LANES;
}

static int
compare_steps(struct flow *f, struct pf_error *err)
{
	struct pf_program_code code = {0};
	struct pf_stepped sum = {0};
	int rc = 0;

	if (!pf_evidence_has_steps(&f->source))
		return 0;
	for (uint32_t i = 0; !rc && i < f->p->function_count; i++) {
		if (f->graph.slots[i] == PF_NONE)
			continue;
		rc = pf_program_unfold(&code, f->p, i, err);
		if (!rc)
			pf_evidence_add(&sum, &f->source, &code);
	}
	pf_program_code_release(&code);
	f->source.usual_rate = sum.executed > 0 ? sum.steps / sum.executed : 0;
	f->source.stepped = pf_samples_stepped(f->p->samples, f->source.unit);
	return rc;
}

static void
weigh_blocks(struct flow *f, const struct pf_program_code *code)
{
	struct pf_function_evidence function = pf_evidence_of_function(&f->source, code);

	for (uint32_t b = 0; b < f->p->functions[code->function].block_count; b++) {
		uint32_t slot = slot_of(f, code->function, b);
		struct pf_flow_row *row = pf_flow_row(&f->graph, slot);
		struct pf_evidence known = pf_evidence_of_block(&f->source, &function, code, b);

		row->samples[slot % PF_FLOW_LANES] = known.samples;
		row->weight[slot % PF_FLOW_LANES] = known.weight;
	}
}

/* What is known of each function's blocks and calls from its instructions. */
static int
read_functions(struct flow *f, struct pf_error *err)
{
	struct pf_program_code code = {0};
	int rc = 0;

	for (uint32_t i = 0; !rc && i < f->p->function_count; i++) {
		if (f->graph.slots[i] == PF_NONE)
			continue;
		rc = pf_program_unfold(&code, f->p, i, err);
		if (!rc)
			weigh_blocks(f, &code);
		for (size_t k = 0; !rc && k < code.count; k++)
			rc =
			    pf_flow_calls_note(&f->calls, &f->graph, i, &code.instructions[k], err);
	}
	pf_program_code_release(&code);
	pf_flow_calls_seal(&f->calls, &f->graph);
	return rc;
}

/* Where control enters and leaves a function: 1 there. */
static void
open_function(struct flow *f, uint32_t function)
{
	const struct pf_program_function *pf = &f->p->functions[function];

	for (uint32_t i = 0; i < pf->block_count; i++) {
		const struct pf_program_block *b = &f->p->blocks[pf->first_block + i];
		uint32_t slot = slot_of(f, function, i);

		if (i == 0 || pf_flow_in_count(&f->graph, slot) == 0)
			*pf_flow_entry(&f->graph, slot) = 1;
		if (b[1].first_edge == b->first_edge || b->exits)
			*pf_flow_exit(&f->graph, slot) = 1;
	}
}

static double
in_degree(const struct flow *f, uint32_t slot)
{
	return pf_flow_in_count(&f->graph, slot) + (*pf_flow_entry(&f->graph, slot) > 0);
}

static double
out_degree(const struct flow *f, uint32_t function, uint32_t n)
{
	const struct pf_program_block *b = &f->p->blocks[f->p->functions[function].first_block + n];

	return b[1].first_edge - b->first_edge +
	       (*pf_flow_exit(&f->graph, slot_of(f, function, n)) > 0);
}

/* How often a block may have run by its samples alone. */
static double
guess(const struct flow *f, uint32_t slot)
{
	const struct pf_flow_row *row = pf_flow_row(&f->graph, slot);

	return (row->samples[slot % PF_FLOW_LANES] + FIRST_GUESS) /
	       row->weight[slot % PF_FLOW_LANES];
}

/* The flows to start from. */
static void
guess_flows(struct flow *f, uint32_t function)
{
	const struct pf_program_function *pf = &f->p->functions[function];

	open_function(f, function);
	for (uint32_t i = 0; i < pf->block_count; i++) {
		const struct pf_program_block *b = &f->p->blocks[pf->first_block + i];
		double out = out_degree(f, function, i);
		uint32_t slot = slot_of(f, function, i);

		for (uint32_t e = b->first_edge; e < b[1].first_edge; e++) {
			uint32_t to = slot_of(f, function, f->p->edges[e] - pf->first_block);

			*pf_flow_out_edge(&f->graph, slot, e - b->first_edge) =
			    sqrt(guess(f, slot) / out * guess(f, to) / in_degree(f, to));
		}
	}
	for (uint32_t i = 0; i < pf->block_count; i++) {
		uint32_t slot = slot_of(f, function, i);
		double in = in_degree(f, slot), out = out_degree(f, function, i);

		if (*pf_flow_entry(&f->graph, slot) > 0)
			*pf_flow_entry(&f->graph, slot) = guess(f, slot) / in;
		if (*pf_flow_exit(&f->graph, slot) > 0)
			*pf_flow_exit(&f->graph, slot) = guess(f, slot) / out;
	}
}

static int
prepare(struct flow *f, struct pf_error *err)
{
	int rc = pf_flow_graph_build(&f->graph, f->p, err);

	if (!rc)
		rc = pf_flow_calls_init(&f->calls, f->p, f->source.unit, err);
	if (!rc)
		rc = compare_steps(f, err);
	if (!rc)
		rc = read_functions(f, err);
	for (uint32_t i = 0; !rc && i < f->p->function_count; i++) {
		if (f->graph.slots[i] != PF_NONE)
			guess_flows(f, i);
	}
	return rc;
}

/* What is known of one function in the end. */
static void
report_function(
    const struct flow *f, uint32_t function, double *counts, double *edges, double *entries)
{
	const struct pf_program_function *pf = &f->p->functions[function];
	bool known = f->graph.slots[function] != PF_NONE;

	entries[function] = known ? *pf_flow_entry(&f->graph, f->graph.slots[function]) : -1;
	for (uint32_t i = 0; i < pf->block_count; i++) {
		const struct pf_program_block *b = &f->p->blocks[pf->first_block + i];
		uint32_t slot = slot_of(f, function, i);

		counts[pf->first_block + i] =
		    known ? sqrt(pf_flow_in(&f->graph, slot) * pf_flow_out(&f->graph, slot)) : -1;
		for (uint32_t e = b->first_edge; edges && e < b[1].first_edge; e++)
			edges[e] =
			    known ? *pf_flow_out_edge(&f->graph, slot, e - b->first_edge) : 0;
	}
}

/* What did not run counts nothing. */
static int
drop_unseen(const struct flow *f, double *counts, double *edges, struct pf_error *err)
{
	uint8_t *unseen;
	int rc = PF_CALLOC(unseen, f->p->block_count, err);

	if (!rc)
		rc = pf_flow_rule_out(unseen, f->p, &f->graph, &f->calls, counts, err);
	for (size_t i = 0; !rc && i < f->p->block_count; i++) {
		const struct pf_program_block *b = &f->p->blocks[i];

		if (unseen[i])
			counts[i] = 0;
		for (uint32_t e = b->first_edge; edges && e < b[1].first_edge; e++) {
			if (unseen[i] || unseen[f->p->edges[e]])
				edges[e] = 0;
		}
	}
	free(unseen);
	return rc;
}

int
pf_inference_flow(double *counts, double *edges, double *entries, const struct pf_program *p,
    double unit, bool time, struct pf_error *err)
{
	struct flow f = {.p = p, .source = {.p = p, .unit = unit, .time = time}};
	int rc = prepare(&f, err);

	for (size_t r = 0; !rc && r < sizeof rounds / sizeof rounds[0]; r++) {
		for (int i = 0; i < SWEEPS; i += SWEEPS_BETWEEN_CALLS) {
			pf_flow_sweep(&f.graph, rounds[r], i, SWEEPS_BETWEEN_CALLS);
			pf_flow_calls_couple(&f.calls, &f.graph);
		}
	}
	for (uint32_t i = 0; !rc && i < p->function_count; i++)
		report_function(&f, i, counts, edges, entries);
	if (!rc)
		rc = drop_unseen(&f, counts, edges, err);
	release(&f);
	return rc;
}
