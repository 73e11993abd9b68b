/* calls.c: see calls.h. */
#include "convert/calls.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"

struct work {
	struct pf_functions *f;
	const struct pf_program *p;
	const uint32_t *bodies;
	const double *body_values;
	const struct pf_line_source *lines;
	struct pf_place_finder *finder;
	double *rates; /* by function: entries for the stacks' value that led into it */
	double usual_rate;
	double *weights; /* by target: indirect calls seen in stacks; negative: a direct call */
	size_t capacity;
	double *sums; /* by body: of its indirect weights */
};

/* The target's number, its weight ready to be changed. */
static int
target_of(struct work *w, uint32_t body, const char *symbol, uint32_t *target, struct pf_error *err)
{
	const char *name = pf_place_canonical(w->finder, symbol, err);
	size_t known = w->f->target_count;
	int rc;

	if (!name)
		return PF_ENOMEM;
	rc = pf_functions_target(w->f, body, name, target, err);
	if (!rc)
		rc = PF_GROW(w->weights, w->capacity, w->f->target_count, err);
	if (!rc && w->f->target_count > known)
		w->weights[*target] = 0;
	return rc;
}

/*
 * Stacks weigh a callee by the time spent below the call; a function that runs
 * long per call would look called often. Where its entries are known from the
 * flow, they are divided among its callers by those weights instead.
 */
static int
rate_functions(struct work *w, const struct pf_samples *samples,
    const struct pf_executions *executions, struct pf_error *err)
{
	double entries = 0, values = 0;
	int rc = PF_CALLOC(w->rates, w->p->function_count, err);

	w->usual_rate = 1;
	for (size_t i = 0; !rc && i < samples->edge_count; i++) {
		uint32_t callee = pf_program_function_at(w->p, samples->edges[i].callee);
		if (callee != PF_NONE)
			w->rates[callee] += (double)samples->edges[i].value;
	}
	for (size_t i = 0; !rc && i < w->p->function_count; i++) {
		if (executions->entries[i] < 0 || w->rates[i] <= 0)
			continue;
		entries += executions->entries[i];
		values += w->rates[i];
	}
	if (values > 0)
		w->usual_rate = entries / values;
	for (size_t i = 0; !rc && i < w->p->function_count; i++) {
		bool known = executions->entries[i] >= 0 && w->rates[i] > 0;
		w->rates[i] = known ? executions->entries[i] / w->rates[i] : w->usual_rate;
	}
	return rc;
}

static int
add_direct(struct work *w, uint32_t instruction, struct pf_error *err)
{
	const struct pf_instruction *in = &w->p->instructions[instruction];
	const char *symbol;
	uint32_t target;
	int rc;

	if (w->bodies[instruction] == PF_NONE || !in->target)
		return 0;
	if (in->kind != PF_CODE_CALL && in->kind != PF_CODE_JUMP)
		return 0;
	/* a jump to its own function's start is a loop, to another's a tail call */
	if (in->kind == PF_CODE_JUMP &&
	    pf_program_function_at(w->p, in->target) == pf_program_function_at(w->p, in->address))
		return 0;
	symbol = w->lines->function_at(w->lines->context, in->target, false);
	if (!symbol)
		return 0;
	rc = target_of(w, w->bodies[instruction], symbol, &target, err);
	if (!rc)
		w->weights[target] = -1;
	return rc;
}

static int
add_indirect(struct work *w, const struct pf_call_edge *edge, struct pf_error *err)
{
	uint32_t instruction = pf_program_instruction(w->p, edge->caller), target, callee;
	double weight;
	uint64_t start;
	const char *symbol;
	int rc;

	if (instruction == PF_NONE || w->bodies[instruction] == PF_NONE ||
	    w->p->instructions[instruction].kind != PF_CODE_CALL_INDIRECT)
		return 0;
	if (!w->lines->start_of(w->lines->context, edge->callee, &start))
		return 0;
	symbol = w->lines->function_at(w->lines->context, start, true);
	if (!symbol)
		return 0;
	callee = pf_program_function_at(w->p, edge->callee);
	weight = (double)edge->value * (callee == PF_NONE ? w->usual_rate : w->rates[callee]);
	rc = target_of(w, w->bodies[instruction], symbol, &target, err);
	if (!rc && w->weights[target] >= 0) {
		w->weights[target] += weight;
		w->sums[w->bodies[instruction]] += weight;
	}
	return rc;
}

/* Weights become values: shares of the place for indirect targets, the whole of it for direct ones. */
static void
weigh(struct work *w)
{
	for (size_t i = 0; i < w->f->target_count; i++) {
		uint32_t body = w->f->targets[i].body;
		double share = w->weights[i] < 0   ? 1
			       : w->sums[body] > 0 ? w->weights[i] / w->sums[body]
						   : 0;

		w->weights[i] = share * w->body_values[body];
	}
}

int
pf_calls_attribute(double **values, struct pf_functions *f, const struct pf_program *p,
    const struct pf_executions *executions, const uint32_t *bodies, const double *body_values,
    const struct pf_samples *samples, const struct pf_line_source *lines,
    struct pf_place_finder *finder, struct pf_error *err)
{
	struct work w = {.f = f,
	    .p = p,
	    .bodies = bodies,
	    .body_values = body_values,
	    .lines = lines,
	    .finder = finder};
	int rc = PF_CALLOC(w.sums, f->body_count, err);

	if (!rc)
		rc = rate_functions(&w, samples, executions, err);
	for (uint32_t i = 0; !rc && i < p->instruction_count; i++)
		rc = add_direct(&w, i, err);
	for (size_t i = 0; !rc && i < samples->edge_count; i++)
		rc = add_indirect(&w, &samples->edges[i], err);
	if (!rc)
		weigh(&w);
	free(w.sums);
	free(w.rates);
	*values = w.weights;
	return rc;
}
