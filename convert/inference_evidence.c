/* inference_evidence.c: see inference_evidence.h. */
#include "convert/inference_evidence.h"

#include <math.h>

#include "convert/program.h"
#include "convert/samples.h"

/* What an instruction may collect beyond what its block's others do before it counts as stalled:
 * so many times as much for its cost, and so many samples. */
#define STALL_RATIO 2.0
#define STALL_SAMPLES 5.0
#define STALL_REST 0.2 /* what counts of each e-fold beyond */

/* Steps of one burst go along the same way, so that one is worth far less than a sample of its own. */
#define STEP_WORTH .09
/*
 * Samples say how often a block ran only to a factor, however many there are: beside steps, those
 * of a function that has many for each of its blocks are worth less, down to this where each has
 * steps beside it. Samples of hosts that take no steps are only more of them: the share
 * of those that have steps is what the rest may not outweigh.
 */
#define SAMPLE_WORTH .1
#define MANY_SAMPLES .3 /* for each block: worth half of what there is to lose */
/* A function that ought to have so many steps and has less than this share of them ran on hosts without. */
#define SURE_STEPS 80.0
#define FEW_STEPS .03
/* Of a function's own relation of steps to samples: as if so many instructions more had the usual one. */
#define USUAL_INSTRUCTIONS 20.0

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

static double
cost_of(const struct pf_evidence_source *s, const struct pf_instruction *instruction)
{
	return s->time ? costs[instruction->cost] : 1;
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

static struct pf_evidence
by_samples(const struct pf_evidence_source *s, const struct pf_program_code *code, uint32_t block)
{
	uint32_t first = code->starts[block], end = code->starts[block + 1];
	double samples = 0, weight = 0, evidence = 0;

	for (uint32_t i = first; i < end; i++) {
		if (code->values[i])
			samples += (double)code->values[i] / s->unit;
		weight += cost_of(s, &code->instructions[i]);
	}
	for (uint32_t i = first; i < end; i++) {
		double own, cost = cost_of(s, &code->instructions[i]);

		if (code->values[i] == 0)
			continue;
		own = (double)code->values[i] / s->unit;
		evidence += s->time ? without_stall(own, cost, samples, weight) : own;
	}
	return (struct pf_evidence){evidence, weight < .05 ? .05 : weight};
}

/* Each instruction of a block is stepped through as often. */
static struct pf_evidence
by_steps(const struct pf_program_code *code, uint32_t block)
{
	uint32_t first = code->starts[block], end = code->starts[block + 1];
	double steps = 0;

	for (uint32_t i = first; i < end; i++)
		steps += (double)code->steps[i];
	return (struct pf_evidence){steps, end - first};
}

void
pf_evidence_add(
    struct pf_stepped *sum, const struct pf_evidence_source *s, const struct pf_program_code *code)
{
	uint32_t blocks = s->p->functions[code->function].block_count;

	for (uint32_t b = 0; b < blocks; b++) {
		struct pf_evidence samples = by_samples(s, code, b), steps = by_steps(code, b);
		sum->executed += samples.samples / samples.weight * steps.weight;
		sum->steps += steps.samples;
		sum->samples += samples.samples;
	}
	sum->blocks += blocks;
}

bool
pf_evidence_has_steps(const struct pf_evidence_source *s)
{
	return s->time && s->p->samples->steps > 0;
}

/*
 * Where a part of the hosts takes no steps: whether a function ran on those alone. Zero steps
 * then say nothing. `own`: of the function, as if it had USUAL_INSTRUCTIONS more.
 */
static bool
is_unstepped(const struct pf_evidence_source *s, const struct pf_stepped *own)
{
	double due = s->usual_rate * (own->executed - USUAL_INSTRUCTIONS);

	return s->stepped < 1 && due > SURE_STEPS &&
	       own->steps - s->usual_rate * USUAL_INSTRUCTIONS < FEW_STEPS * due;
}

struct pf_function_evidence
pf_evidence_of_function(const struct pf_evidence_source *s, const struct pf_program_code *code)
{
	struct pf_stepped own = {s->usual_rate * USUAL_INSTRUCTIONS, USUAL_INSTRUCTIONS, 0, 0};
	double least;

	if (!(s->usual_rate > 0))
		return (struct pf_function_evidence){0, 1};
	pf_evidence_add(&own, s, code);
	if (is_unstepped(s, &own))
		return (struct pf_function_evidence){0, 1};
	least = SAMPLE_WORTH * s->stepped;
	return (struct pf_function_evidence){own.steps / own.executed,
	    least + (1 - least) / (1 + own.samples / (MANY_SAMPLES * (double)own.blocks))};
}

struct pf_evidence
pf_evidence_of_block(const struct pf_evidence_source *s, const struct pf_function_evidence *f,
    const struct pf_program_code *code, uint32_t block)
{
	struct pf_evidence samples = by_samples(s, code, block), steps;

	if (!(f->step_rate > 0))
		return samples;
	steps = by_steps(code, block);
	return (struct pf_evidence){f->sample_worth * samples.samples + STEP_WORTH * steps.samples,
	    f->sample_worth * samples.weight + STEP_WORTH * f->step_rate * steps.weight};
}
