/* calls.c: see calls.h. */
#include "convert/calls.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "core/search.h"

/* A call by pointer whose place is known. */
struct pf_indirect_call {
	uint64_t address;
	uint32_t body;
	uint8_t size;
};

/* What the weights of a body's targets mean. */
struct weights {
	double *rates; /* by function: entries for the stacks' value that led into it */
	double usual_rate;
	double stepped; /* share of the samples that have steps beside them */
	double *sums;   /* by body: of the weights of its indirect targets */
};

void
pf_calls_init(struct pf_calls *c, struct pf_functions *f, const struct pf_program *p,
    const struct pf_line_source *lines, struct pf_place_finder *finder)
{
	*c = (struct pf_calls){.f = f, .p = p, .lines = lines, .finder = finder};
}

void
pf_calls_release(struct pf_calls *c)
{
	free(c->indirect);
	*c = (struct pf_calls){0};
}

static int
find_target(struct pf_calls *c, uint32_t body, const char *symbol, struct pf_call_target **target,
    struct pf_error *err)
{
	const char *name = pf_place_canonical(c->finder, symbol, err);
	uint32_t number;
	int rc;

	if (!name)
		return PF_ENOMEM;
	rc = pf_functions_target(c->f, body, name, &number, err);
	*target = rc ? NULL : &c->f->targets[number];
	return rc;
}

/* A direct target has the value -1 until all have their shares. */
static int
note_direct(struct pf_calls *c, uint32_t function, const struct pf_instruction *in, uint32_t body,
    struct pf_error *err)
{
	struct pf_call_target *target;
	const char *symbol;
	uint32_t to;
	int rc;

	if (!in->target || (in->kind != PF_CODE_CALL && in->kind != PF_CODE_JUMP))
		return 0;
	/* a jump to its own function's start is a loop, to a split-off part it goes on there, to another's start it is a tail call */
	to = pf_program_function_at(c->p, in->target);
	if (in->kind == PF_CODE_JUMP &&
	    (to == function || (to != PF_NONE && c->p->functions[to].part)))
		return 0;
	symbol = c->lines->function_at(c->lines->context, in->target, false);
	if (!symbol)
		return 0;
	rc = find_target(c, body, symbol, &target, err);
	if (!rc)
		target->value = -1;
	return rc;
}

static int
note_indirect(
    struct pf_calls *c, const struct pf_instruction *in, uint32_t body, struct pf_error *err)
{
	int rc = PF_GROW(c->indirect, c->indirect_capacity, c->indirect_count + 1, err);

	if (!rc)
		c->indirect[c->indirect_count++] =
		    (struct pf_indirect_call){in->address, body, in->size};
	return rc;
}

int
pf_calls_note(struct pf_calls *c, const struct pf_program_code *code, const uint32_t *bodies,
    struct pf_error *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < code->count; i++) {
		const struct pf_instruction *in = &code->instructions[i];

		if (bodies[i] == PF_NONE)
			continue;
		if (in->kind == PF_CODE_CALL_INDIRECT)
			rc = note_indirect(c, in, bodies[i], err);
		else
			rc = note_direct(c, code->function, in, bodies[i], err);
	}
	return rc;
}

/*
 * Stacks weigh a callee by the time spent below the call; a function that runs
 * long per call would look called often. Where its entries are known from the
 * flow, they are divided among its callers by those weights instead.
 */
static int
rate_functions(struct weights *w, const struct pf_program *p, const struct pf_samples *samples,
    const struct pf_executions *executions, struct pf_error *err)
{
	double entries = 0, values = 0;
	int rc = PF_CALLOC(w->rates, p->function_count, err);

	w->usual_rate = 1;
	for (size_t i = 0; !rc && i < samples->edge_count; i++) {
		uint32_t callee = pf_program_function_at(p, samples->edges[i].callee);
		if (callee != PF_NONE)
			w->rates[callee] += (double)samples->edges[i].value;
	}
	for (size_t i = 0; !rc && i < p->function_count; i++) {
		if (executions->entries[i] < 0 || w->rates[i] <= 0)
			continue;
		entries += executions->entries[i];
		values += w->rates[i];
	}
	if (values > 0)
		w->usual_rate = entries / values;
	for (size_t i = 0; !rc && i < p->function_count; i++) {
		bool known = executions->entries[i] >= 0 && w->rates[i] > 0;
		w->rates[i] = known ? executions->entries[i] / w->rates[i] : w->usual_rate;
	}
	return rc;
}

/* The indirect call that covers an address, or NULL. */
static const struct pf_indirect_call *
indirect_at(const struct pf_calls *c, uint64_t address)
{
	size_t after = PF_LOWER_BOUND(c->indirect, c->indirect_count, address, address + 1);
	const struct pf_indirect_call *call = after ? &c->indirect[after - 1] : NULL;

	return call && address - call->address < call->size ? call : NULL;
}

static int
add_indirect(
    struct pf_calls *c, struct weights *w, const struct pf_call_edge *edge, struct pf_error *err)
{
	const struct pf_indirect_call *call = indirect_at(c, edge->caller);
	struct pf_call_target *target;
	uint64_t start;
	const char *symbol;
	uint32_t callee;
	double weight;
	int rc;

	if (!call || !c->lines->start_of(c->lines->context, edge->callee, &start))
		return 0;
	symbol = c->lines->function_at(c->lines->context, start, true);
	if (!symbol)
		return 0;
	callee = pf_program_function_at(c->p, edge->callee);
	/* where a part of the samples has no steps beside it, it must not outweigh those of the others */
	weight = (double)edge->value * w->stepped *
		     (callee == PF_NONE ? w->usual_rate : w->rates[callee]) +
		 (double)edge->steps; /* calls that were seen, neither fast nor slow */
	rc = find_target(c, call->body, symbol, &target, err);
	if (!rc && target->value >= 0) {
		target->value += weight;
		w->sums[call->body] += weight;
	}
	return rc;
}

/* Weights become values: shares of the place for indirect targets, the whole of it for direct ones. */
static void
weigh(struct pf_functions *f, const struct weights *w)
{
	for (size_t i = 0; i < f->target_count; i++) {
		struct pf_call_target *t = &f->targets[i];
		double share = 1;

		if (t->value >= 0)
			share = w->sums[t->body] > 0 ? t->value / w->sums[t->body] : 0;
		t->value = share * f->bodies[t->body].value;
	}
}

int
pf_calls_finish(struct pf_calls *c, const struct pf_samples *samples,
    const struct pf_executions *executions, struct pf_error *err)
{
	struct weights w = {0};
	int rc = PF_CALLOC(w.sums, c->f->body_count, err);

	w.stepped = pf_samples_stepped(samples, executions->unit);
	if (!rc)
		rc = rate_functions(&w, c->p, samples, executions, err);
	for (size_t i = 0; !rc && i < samples->edge_count; i++)
		rc = add_indirect(c, &w, &samples->edges[i], err);
	if (!rc)
		weigh(c->f, &w);
	free(w.sums);
	free(w.rates);
	return rc;
}
