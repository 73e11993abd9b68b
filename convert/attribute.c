/*
 * attribute.c: see attribute.h. One walk over the functions gives bodies values
 * as real numbers, and at the end one scale for the whole profile turns values
 * into counts: a body with one sample over many instructions must not vanish by
 * rounding.
 */
#include "convert/attribute.h"

#include <math.h>
#include <stdlib.h>

#include "convert/calls.h"
#include "core/error.h"
#include "core/memory.h"

#define MAX_COUNT 0x1p22 /* what a place may count after scaling */

struct work {
	const struct pf_program *p;
	struct pf_anchors *anchors;
	const struct pf_executions *executions;
	enum pf_counts counts;
	struct pf_functions *f;
	struct pf_attribution *a;
	struct pf_calls calls;
	struct pf_program_code code; /* of the function under way */
	uint8_t *anchored;           /* by its instruction */
	size_t anchored_capacity;
};

void
pf_attribution_release(struct pf_attribution *a)
{
	free(a->has_anchors);
	free(a->unplaced_blocks);
	*a = (struct pf_attribution){0};
}

static int
mark_anchored(struct work *w, struct pf_error *err)
{
	int rc = PF_GROW(w->anchored, w->anchored_capacity, w->code.count, err);

	for (size_t i = 0; !rc && i < w->code.count; i++)
		w->anchored[i] = 0;
	for (size_t i = 0; !rc && i < w->anchors->count; i++)
		w->anchored[w->anchors->items[i].instruction] = 1;
	return rc;
}

/* Samples in functions without any anchor are counted as that, not as unplaced. */
static int
measure_places(struct work *w, struct pf_error *err)
{
	const struct pf_program_code *c = &w->code;
	struct pf_attribution *a = w->a;
	int rc;

	if (w->anchors->count == 0)
		return 0;
	a->has_anchors[c->function] = 1;
	rc = mark_anchored(w, err);
	for (uint32_t b = 0; !rc && b < w->p->functions[c->function].block_count; b++) {
		double samples = 0, unplaced = 0;
		bool any = false;

		for (uint32_t i = c->starts[b]; i < c->starts[b + 1]; i++) {
			samples += (double)c->values[i];
			any |= w->anchored[i];
			if (!w->anchored[i])
				unplaced += (double)c->values[i];
		}
		a->unplaced += unplaced;
		a->unplaced_blocks[c->function] += any ? 0 : samples;
	}
	return rc;
}

/* What the anchors of a body say so far: their sum, for a mean divided in the end, or their maximum. */
static void
value_bodies(struct work *w)
{
	const struct pf_program_code *c = &w->code;

	for (size_t i = 0; i < w->anchors->count; i++) {
		const struct pf_anchor *anchor = &w->anchors->items[i];
		struct pf_body *body = &w->f->bodies[anchor->body];
		double value = pf_executions_of(w->executions, c, anchor->instruction);

		/* padding carries its neighbours' lines but never their counts: left out of means */
		if (w->counts == PF_COUNTS_MEAN &&
		    c->instructions[anchor->instruction].cost == PF_COST_NOP)
			continue;
		if (w->counts != PF_COUNTS_SUM)
			value *= anchor->duplication;
		if (w->counts != PF_COUNTS_MAX)
			body->value += value;
		else if (value > body->value)
			body->value = value;
		body->anchors++;
	}
}

/* A function is entered as often as its first block runs. */
static double
head_value(const struct work *w)
{
	const struct pf_program_code *c = &w->code;
	double sum = 0, largest = 0;

	if (w->executions->entries[c->function] >= 0)
		return w->executions->entries[c->function];
	for (uint32_t i = c->starts[0]; i < c->starts[1]; i++) {
		double value = pf_executions_of(w->executions, c, i);

		sum += value;
		largest = value > largest ? value : largest;
	}
	return w->counts == PF_COUNTS_MAX ? largest : sum / (c->starts[1] - c->starts[0]);
}

/* The root that a function of the program belongs to is that of its first anchor. */
static void
value_head(struct work *w)
{
	const struct pf_program_function *pf = &w->p->functions[w->code.function];
	uint32_t node;

	if (w->anchors->count == 0 || pf->part || pf->block_count == 0)
		return;
	node = w->f->bodies[w->anchors->items[0].body].node;
	while (w->f->nodes[node].parent != PF_NONE)
		node = w->f->nodes[node].parent;
	w->f->nodes[node].head_value += head_value(w);
}

static int
attribute_function(struct work *w, uint32_t function, struct pf_error *err)
{
	int rc = pf_program_unfold(&w->code, w->p, function, err);

	if (!rc)
		rc = pf_anchors_find(w->anchors, &w->code, err);
	if (!rc)
		rc = measure_places(w, err);
	if (rc)
		return rc;
	value_bodies(w);
	value_head(w);
	return pf_calls_note(&w->calls, &w->code, w->anchors->calls, err);
}

static int
attribute_functions(struct work *w, struct pf_error *err)
{
	int rc = PF_CALLOC(w->a->has_anchors, w->p->function_count, err);

	if (!rc)
		rc = PF_CALLOC(w->a->unplaced_blocks, w->p->function_count, err);
	for (uint32_t i = 0; !rc && i < w->p->function_count; i++)
		rc = attribute_function(w, i, err);
	for (size_t i = 0; w->counts == PF_COUNTS_MEAN && i < w->f->body_count; i++) {
		struct pf_body *body = &w->f->bodies[i];

		body->value = body->anchors ? body->value / body->anchors : 0;
	}
	return rc;
}

/*
 * A power of two that lifts every value over 0 to 1 or more, unless the largest
 * would then exceed MAX_COUNT: with counts far beyond it clang's own inference
 * makes worse choices, so large values are even scaled down.
 */
static double
choose_scale(const struct work *w)
{
	double least = HUGE_VAL, most = 0, scale = 1;

	if (w->counts != PF_COUNTS_MEAN && w->executions->whole)
		return 1;
	for (size_t i = 0; i < w->f->body_count; i++) {
		double value = w->f->bodies[i].value;

		if (value > 0)
			least = fmin(least, value);
		most = fmax(most, value);
	}
	while (least * scale < 1 && most * scale * 2 <= MAX_COUNT)
		scale *= 2;
	while (most * scale > MAX_COUNT)
		scale /= 2;
	return scale;
}

/* What was sampled does not become 0; an estimate from the flow may. */
static uint64_t
to_count(const struct work *w, double value)
{
	double count = value * w->a->scale;

	if (count > 0 && count < 1 && !w->executions->inferred)
		return 1;
	return count >= 0x1p63 ? (uint64_t)1 << 63 : (uint64_t)llround(count);
}

static void
store_counts(struct work *w)
{
	struct pf_functions *f = w->f;

	for (size_t i = 0; i < f->body_count; i++)
		f->bodies[i].count = to_count(w, f->bodies[i].value);
	for (size_t i = 0; i < f->node_count; i++)
		f->nodes[i].head = to_count(w, f->nodes[i].head_value);
	for (size_t i = 0; i < f->target_count; i++)
		f->targets[i].count = to_count(w, f->targets[i].value);
}

int
pf_attribute(struct pf_functions *out, struct pf_attribution *a, const struct pf_program *p,
    struct pf_anchors *anchors, const struct pf_executions *executions, enum pf_counts counts,
    const struct pf_line_source *lines, struct pf_error *err)
{
	struct work w = {.p = p,
	    .anchors = anchors,
	    .executions = executions,
	    .counts = anchors->by_probes ? PF_COUNTS_SUM : counts,
	    .f = out,
	    .a = a};
	int rc;

	*a = (struct pf_attribution){.scale = 1};
	pf_calls_init(&w.calls, out, p, lines, &anchors->finder);
	rc = attribute_functions(&w, err);
	pf_functions_forget_places(out);
	if (!rc)
		rc = pf_calls_finish(&w.calls, p->samples, executions, err);
	if (!rc) {
		a->scale = choose_scale(&w);
		store_counts(&w);
	}
	pf_calls_release(&w.calls);
	pf_program_code_release(&w.code);
	free(w.anchored);
	return rc;
}
