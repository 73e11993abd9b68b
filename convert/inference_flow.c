/* inference_flow.c: see inference_flow.h. */
#include "convert/inference_flow.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "convert/inference_graph.h"
#include "convert/inference_sweep.h"
#include "convert/program.h"
#include "core/error.h"
#include "core/memory.h"
#include "core/search.h"

#define FIRST_GUESS 0.02 /* samples that a block without any is given at first */
/* What an instruction may collect beyond what its block's others do before it counts as stalled:
 * so many times as much for its cost, and so many samples. */
#define STALL_RATIO 2.0
#define STALL_SAMPLES 5.0
#define STALL_REST 0.2 /* what counts of each e-fold beyond */
/* A call runs at least this often, of what its share of the callee's stacks says. */
#define SEEN_SHARE 0.5

/*
 * Steps say how often, whatever an instruction takes; but those of one burst go
 * along the same way, so that one is worth far less than a sample of its own; and
 * samples beside them say little besides where there are none.
 */
#define STEP_WORTH (1.0 / 16)
#define SAMPLE_WORTH .15
/*
 * That is how they were weighed where each sample had steps beside it. Where a part of
 * the fleet took none, its samples would outweigh the others' steps: samples are
 * then worth less, but for the first of a block.
 */
#define KEPT_SAMPLES .5
/*
 * And a function that ought to have many steps and has next to none ran where none were
 * taken: its samples are all that is known of it.
 */
#define SURE_STEPS 80.0
#define FEW_STEPS .03
/* Of a function's own relation of steps to samples: as if so many instructions more had the usual one. */
#define USUAL_INSTRUCTIONS 20.0

enum { SWEEPS = 25, SWEEPS_BETWEEN_CALLS = 5 };

/*
 * How much conservation weighs against evidence, round by round. Evidence does not
 * lead: a block scales all its flows alike, and where its samples contradict those
 * across one edge, it would wear its other edges down to nothing, for good.
 */
static const double rounds[] = {16, 64, 256};

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

/* A direct call from a block to a function, both in the graph; those of one block are neighbours. */
struct flow_call {
	uint32_t slot, function;
	double below;  /* samples in the callee, and in what it called, under this call */
	double factor; /* of the block's first call: by how much the block's flow is to change */
};

struct flow {
	const struct pf_program *p;
	struct pf_flow_graph graph;
	struct flow_call *calls;
	size_t call_count, call_capacity;
	double *called; /* by function: sum over its call sites */
	double *below;  /* by function: sum of its calls' */
	double unit;
	double stepped; /* share of the samples that have steps beside them */
	double
	    step_rate; /* steps of an instruction for each count of its block, in this function */
	double usual_rate; /* in all of them; 0: there are no steps */
	bool time;
};

static void
release(struct flow *f)
{
	pf_flow_graph_release(&f->graph);
	free(f->calls);
	free(f->called);
	free(f->below);
}

/* The place of a function's n-th block. */
static uint32_t
slot_of(const struct flow *f, uint32_t function, uint32_t n)
{
	return f->graph.slots[function] + n * PF_FLOW_LANES;
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
	double usual, most;

	if (own <= STALL_SAMPLES || weight <= cost)
		return own; /* the usual case, without a division */
	usual = (samples - own + 1) / (weight - cost + 1) * cost;
	most = STALL_RATIO * usual + STALL_SAMPLES;
	return own > most ? most * (1 + STALL_REST * log(own / most)) : own;
}

/* What a block's instructions tell. */
struct evidence {
	double samples, weight; /* count = samples / weight, give or take chance */
};

static struct evidence
by_samples(const struct flow *f, const struct pf_program_code *code, uint32_t block)
{
	uint32_t first = code->starts[block], end = code->starts[block + 1];
	double samples = 0, weight = 0, evidence = 0;

	for (uint32_t i = first; i < end; i++) {
		if (code->values[i])
			samples += (double)code->values[i] / f->unit;
		weight += cost_of(f, &code->instructions[i]);
	}
	for (uint32_t i = first; i < end; i++) {
		double own, cost = cost_of(f, &code->instructions[i]);

		if (code->values[i] == 0)
			continue;
		own = (double)code->values[i] / f->unit;
		evidence += f->time ? without_stall(own, cost, samples, weight) : own;
	}
	return (struct evidence){evidence, weight < .05 ? .05 : weight};
}

/* Each instruction of a block is stepped through as often. */
static struct evidence
by_steps(const struct pf_program_code *code, uint32_t block)
{
	uint32_t first = code->starts[block], end = code->starts[block + 1];
	double steps = 0;

	for (uint32_t i = first; i < end; i++)
		steps += (double)code->steps[i];
	return (struct evidence){steps, end - first};
}

/* What each of so many samples of a block is worth beside steps. */
static double
sample_worth(const struct flow *f, double samples)
{
	double worth = SAMPLE_WORTH * f->stepped;

	if (worth * samples < KEPT_SAMPLES)
		worth = fmin(SAMPLE_WORTH, KEPT_SAMPLES / samples);
	return worth;
}

static void
weigh_block(struct flow *f, const struct pf_program_code *code, uint32_t block)
{
	uint32_t slot = slot_of(f, code->function, block);
	struct evidence known = by_samples(f, code, block), steps;
	double worth;

	if (f->step_rate > 0) {
		steps = by_steps(code, block);
		worth = sample_worth(f, known.samples);
		known.samples = worth * known.samples + STEP_WORTH * steps.samples;
		known.weight = worth * known.weight + STEP_WORTH * f->step_rate * steps.weight;
	}
	pf_flow_row(&f->graph, slot)->samples[slot % PF_FLOW_LANES] = known.samples;
	pf_flow_row(&f->graph, slot)->weight[slot % PF_FLOW_LANES] = known.weight;
}

/* The samples whose stacks go through this call into the function. */
static double
samples_below(const struct flow *f, const struct pf_instruction *call, uint32_t function)
{
	const struct pf_samples *s = f->p->samples;
	double sum = 0;

	for (size_t i = PF_LOWER_BOUND(s->edges, s->edge_count, caller, call->address);
	    i < s->edge_count && s->edges[i].caller - call->address < call->size; i++) {
		if (pf_program_function_at(f->p, s->edges[i].callee) == function)
			sum += (double)s->edges[i].value / f->unit;
	}
	return sum;
}

/* A direct call, or a jump out of its function, to one of the program; both followed wholly. */
static int
note_call(struct flow *f, uint32_t caller, const struct pf_instruction *in, struct pf_error *err)
{
	uint32_t callee;
	double below;
	int rc;

	if (!in->target || (in->kind != PF_CODE_CALL && in->kind != PF_CODE_JUMP))
		return 0;
	callee = pf_program_function_at(f->p, in->target);
	if (callee == PF_NONE || f->graph.slots[callee] == PF_NONE ||
	    f->p->functions[callee].start != in->target ||
	    (in->kind == PF_CODE_JUMP && callee == caller))
		return 0;
	rc = PF_GROW(f->calls, f->call_capacity, f->call_count + 1, err);
	if (rc)
		return rc;
	below = samples_below(f, in, callee);
	f->below[callee] += below;
	f->calls[f->call_count++] = (struct flow_call){
	    slot_of(f, caller, in->block - f->p->functions[caller].first_block), callee, below, 1};
	return 0;
}

/* The steps of some code, and how many instructions it executes for each count, by its samples. */
struct stepped {
	double steps, executed;
};

static void
add_steps(const struct flow *f, const struct pf_program_code *code, struct stepped *sum)
{
	for (uint32_t b = 0; b < f->p->functions[code->function].block_count; b++) {
		struct evidence samples = by_samples(f, code, b), steps = by_steps(code, b);
		sum->executed += samples.samples / samples.weight * steps.weight;
		sum->steps += steps.samples;
	}
}

static int
compare_steps(struct flow *f, struct pf_error *err)
{
	struct pf_program_code code = {0};
	struct stepped sum = {0};
	int rc = 0;

	if (!f->time || f->p->samples->steps == 0)
		return 0;
	for (uint32_t i = 0; !rc && i < f->p->function_count; i++) {
		if (f->graph.slots[i] == PF_NONE)
			continue;
		rc = pf_program_unfold(&code, f->p, i, err);
		if (!rc)
			add_steps(f, &code, &sum);
	}
	pf_program_code_release(&code);
	f->usual_rate = sum.executed > 0 ? sum.steps / sum.executed : 0;
	f->stepped = pf_samples_stepped(f->p->samples, f->unit);
	return rc;
}

/* Whether a function of a fleet of which a part takes steps ran in the other part alone. */
static bool
is_unstepped(const struct flow *f, struct stepped own)
{
	double due = f->usual_rate * own.executed;

	return f->stepped < 1 && due > SURE_STEPS && own.steps < FEW_STEPS * due;
}

/*
 * Bursts begin where time goes, so a function that waits has too many of them: how
 * often it runs as a whole is left to its samples, and steps say what runs inside.
 * So they do where it ran on more or fewer of the machines that take steps than others did.
 * 0: there are none to say anything.
 */
static double
rate_of(const struct flow *f, const struct pf_program_code *code)
{
	const struct stepped usual = {f->usual_rate * USUAL_INSTRUCTIONS, USUAL_INSTRUCTIONS};
	struct stepped sum = usual;

	if (!(f->usual_rate > 0))
		return 0;
	add_steps(f, code, &sum);
	if (is_unstepped(
		f, (struct stepped){sum.steps - usual.steps, sum.executed - usual.executed}))
		return 0;
	return sum.steps / sum.executed;
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
			f->step_rate = rate_of(f, &code);
		for (uint32_t b = 0; !rc && b < f->p->functions[i].block_count; b++)
			weigh_block(f, &code, b);
		for (size_t k = 0; !rc && k < code.count; k++)
			rc = note_call(f, i, &code.instructions[k], err);
	}
	pf_program_code_release(&code);
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

/* Whether a function's entries and its calls are to agree: one whose address is taken may have more than we see. */
static bool
is_coupled(const struct flow *f, uint32_t function)
{
	double calls = f->called[function], entries;

	if (!(calls > 0))
		return false;
	entries = *pf_flow_entry(&f->graph, f->graph.slots[function]);
	return entries > 0 && !(f->p->functions[function].taken && calls < entries);
}

/* The end of the calls of one block. */
static size_t
calls_end(const struct flow *f, size_t first)
{
	size_t end = first + 1;

	while (end < f->call_count && f->calls[end].slot == f->calls[first].slot)
		end++;
	return end;
}

/*
 * How often the calls of one block ran at least. Stacks under a call prove that
 * it ran; how often they say only roughly, for a call may take longer here than there.
 */
static double
least_calls(const struct flow *f, size_t first, size_t end)
{
	double most = 0;

	for (size_t i = first; i < end; i++) {
		const struct flow_call *c = &f->calls[i];
		double entry = *pf_flow_entry(&f->graph, f->graph.slots[c->function]);

		if (c->below > 0)
			most = fmax(most, SEEN_SHARE * entry * c->below / f->below[c->function]);
	}
	return most;
}

/* By how much the calls of one block say that its flow should change: the geometric mean. */
static double
calls_factor(const struct flow *f, size_t first, size_t end)
{
	double sum = 0, factor, flow = pf_flow_in(&f->graph, f->calls[first].slot);
	uint32_t count = 0;

	for (size_t i = first; i < end; i++) {
		uint32_t callee = f->calls[i].function;

		if (!is_coupled(f, callee))
			continue;
		sum +=
		    log(*pf_flow_entry(&f->graph, f->graph.slots[callee]) / f->called[callee]) / 2;
		count++;
	}
	factor = count ? exp(sum / count) : 1;
	return flow >= FLT_MIN ? fmax(factor, least_calls(f, first, end) / flow) : factor;
}

/* A function's entries and the counts of the places that call it move towards each other. */
static void
couple_calls(struct flow *f)
{
	const struct pf_program *p = f->p;

	for (size_t i = 0; i < p->function_count; i++)
		f->called[i] = 0;
	for (size_t i = 0; i < f->call_count; i++)
		f->called[f->calls[i].function] += pf_flow_in(&f->graph, f->calls[i].slot);
	for (size_t i = 0, end; i < f->call_count; i = end) {
		end = calls_end(f, i);
		f->calls[i].factor = calls_factor(f, i, end);
	}
	for (uint32_t i = 0; i < p->function_count; i++) {
		if (is_coupled(f, i)) {
			double *entries = pf_flow_entry(&f->graph, f->graph.slots[i]);
			*entries = sqrt(*entries * f->called[i]);
		}
	}
	for (size_t i = 0; i < f->call_count; i = calls_end(f, i)) {
		pf_flow_scale_in(&f->graph, f->calls[i].slot, f->calls[i].factor);
		pf_flow_scale_out(&f->graph, f->calls[i].slot, f->calls[i].factor);
	}
}

static int
prepare(struct flow *f, struct pf_error *err)
{
	int rc = pf_flow_graph_build(&f->graph, f->p, err);

	if (!rc)
		rc = PF_CALLOC(f->called, f->p->function_count, err);
	if (!rc)
		rc = PF_CALLOC(f->below, f->p->function_count, err);
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

int
pf_inference_flow(double *counts, double *edges, double *entries, const struct pf_program *p,
    double unit, bool time, struct pf_error *err)
{
	struct flow f = {.p = p, .unit = unit, .time = time};
	int rc = prepare(&f, err);

	for (size_t r = 0; !rc && r < sizeof rounds / sizeof rounds[0]; r++) {
		for (int i = 0; i < SWEEPS; i += SWEEPS_BETWEEN_CALLS) {
			pf_flow_sweep(&f.graph, rounds[r], i, SWEEPS_BETWEEN_CALLS);
			couple_calls(&f);
		}
	}
	for (uint32_t i = 0; !rc && i < p->function_count; i++)
		report_function(&f, i, counts, edges, entries);
	release(&f);
	return rc;
}
