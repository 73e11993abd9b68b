/*
 * attribute.c: see attribute.h. Bodies get values as real numbers first, and at
 * the end one scale for the whole profile turns values into counts: a body with
 * one sample over many instructions must not vanish by rounding.
 */
#include "convert/attribute.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "convert/calls.h"
#include "convert/places.h"
#include "core/error.h"
#include "core/memory.h"

#define MAX_COUNT 0x1p22 /* what a place may count after scaling */

/* What the anchors of one body add up to. */
struct tally {
	double sum, largest;
	uint32_t count;
};

struct work {
	const struct pf_program *p;
	const struct pf_anchors *anchors;
	const struct pf_executions *executions;
	enum pf_counts counts;
	const struct pf_line_source *lines;
	struct pf_functions *f;
	struct pf_place_finder finder; /* for names */
	uint8_t *anchored;             /* by instruction */
	struct tally *tallies;         /* by body */
	double *values;                /* by body */
	double *heads;                 /* by node */
	double *target_values;         /* by target */
};

void
pf_attribution_release(struct pf_attribution *a)
{
	free(a->has_anchors);
	free(a->unplaced_blocks);
	*a = (struct pf_attribution){0};
}

static void
measure_block(struct work *w, struct pf_attribution *a, const struct pf_program_block *b)
{
	double samples = 0, unplaced = 0;
	bool any = false;

	for (uint32_t i = b->first; i < b->first + b->count; i++) {
		samples += (double)w->p->values[i];
		if (w->anchored[i])
			any = true;
		else
			unplaced += (double)w->p->values[i];
	}
	if (any)
		a->has_anchors[b->function] = 1;
	a->unplaced += unplaced;
	a->unplaced_blocks[b->function] += any ? 0 : samples;
}

/* Samples in functions without any anchor are counted as that, not as unplaced. */
static int
measure_places(struct work *w, struct pf_attribution *a, struct pf_error *err)
{
	int rc = PF_CALLOC(a->has_anchors, w->p->function_count, err);

	if (!rc)
		rc = PF_CALLOC(a->unplaced_blocks, w->p->function_count, err);
	if (!rc)
		rc = PF_CALLOC(w->anchored, w->p->instruction_count, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < w->anchors->count; i++)
		w->anchored[w->anchors->items[i].instruction] = 1;
	for (size_t i = 0; i < w->p->function_count; i++) {
		const struct pf_program_function *f = &w->p->functions[i];
		double unplaced = a->unplaced;

		for (uint32_t b = f->first_block; b < f->first_block + f->block_count; b++)
			measure_block(w, a, &w->p->blocks[b]);
		if (!a->has_anchors[i]) {
			a->unplaced = unplaced;
			a->unplaced_blocks[i] = 0;
		}
	}
	return 0;
}

static double
tally_value(const struct tally *t, enum pf_counts counts)
{
	if (counts == PF_COUNTS_SUM)
		return t->sum;
	if (counts == PF_COUNTS_MAX)
		return t->largest;
	return t->count ? t->sum / t->count : 0;
}

static void
tally_add(struct tally *t, double value)
{
	t->sum += value;
	t->largest = value > t->largest ? value : t->largest;
	t->count++;
}

static int
value_bodies(struct work *w, struct pf_error *err)
{
	int rc = PF_CALLOC(w->tallies, w->f->body_count, err);

	if (!rc)
		rc = PF_CALLOC(w->values, w->f->body_count, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < w->anchors->count; i++) {
		const struct pf_anchor *anchor = &w->anchors->items[i];
		double value = w->executions->instructions[anchor->instruction];

		/* padding carries its neighbours' lines but never their counts: left out of means */
		if (w->counts == PF_COUNTS_MEAN &&
		    w->p->instructions[anchor->instruction].cost == PF_COST_NOP)
			continue;
		if (w->counts != PF_COUNTS_SUM)
			value *= anchor->duplication;
		tally_add(&w->tallies[anchor->body], value);
	}
	for (size_t i = 0; i < w->f->body_count; i++)
		w->values[i] = tally_value(&w->tallies[i], w->counts);
	free(w->tallies);
	w->tallies = NULL;
	return 0;
}

/* The root that a function of the program belongs to: that of its first anchor. PF_NONE without one. */
static uint32_t
root_of(const struct work *w, const struct pf_program_function *pf, size_t *anchor)
{
	uint32_t node;

	while (*anchor < w->anchors->count &&
	       w->anchors->items[*anchor].instruction < pf->first_instruction)
		++*anchor;
	if (*anchor == w->anchors->count ||
	    w->anchors->items[*anchor].instruction >= pf->first_instruction + pf->instruction_count)
		return PF_NONE;
	node = w->f->bodies[w->anchors->items[*anchor].body].node;
	while (w->f->nodes[node].parent != PF_NONE)
		node = w->f->nodes[node].parent;
	return node;
}

/* A function is entered as often as its first block runs. */
static double
head_value(const struct work *w, size_t function)
{
	const struct pf_program_block *entry = &w->p->blocks[w->p->functions[function].first_block];
	struct tally t = {0};

	if (w->executions->entries[function] >= 0)
		return w->executions->entries[function];
	for (uint32_t j = 0; j < entry->count; j++)
		tally_add(&t, w->executions->instructions[entry->first + j]);
	return tally_value(&t, w->counts == PF_COUNTS_MAX ? PF_COUNTS_MAX : PF_COUNTS_MEAN);
}

static int
value_heads(struct work *w, struct pf_error *err)
{
	size_t anchor = 0;
	int rc = PF_CALLOC(w->heads, w->f->node_count, err);

	for (size_t i = 0; !rc && i < w->p->function_count; i++) {
		const struct pf_program_function *pf = &w->p->functions[i];
		uint32_t root = root_of(w, pf, &anchor);

		if (root != PF_NONE && !pf->part && pf->block_count)
			w->heads[root] += head_value(w, i);
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
		if (w->values[i] > 0)
			least = fmin(least, w->values[i]);
		most = fmax(most, w->values[i]);
	}
	while (least * scale < 1 && most * scale * 2 <= MAX_COUNT)
		scale *= 2;
	while (most * scale > MAX_COUNT)
		scale /= 2;
	return scale;
}

/* What was sampled does not become 0; an estimate from the flow may. */
static uint64_t
to_count(const struct work *w, double value, double scale)
{
	double count = value * scale;

	if (count > 0 && count < 1 && !w->executions->inferred)
		return 1;
	return count >= 0x1p63 ? (uint64_t)1 << 63 : (uint64_t)llround(count);
}

static void
store_counts(struct work *w, double scale)
{
	for (size_t i = 0; i < w->f->body_count; i++)
		w->f->bodies[i].count = to_count(w, w->values[i], scale);
	for (size_t i = 0; i < w->f->node_count; i++)
		w->f->nodes[i].head =
		    w->f->nodes[i].parent == PF_NONE ? to_count(w, w->heads[i], scale) : 0;
	for (size_t i = 0; i < w->f->target_count; i++)
		w->f->targets[i].count = to_count(w, w->target_values[i], scale);
}

int
pf_attribute(struct pf_functions *out, struct pf_attribution *a, const struct pf_program *p,
    const struct pf_anchors *anchors, const struct pf_executions *executions,
    const struct pf_samples *samples, enum pf_counts counts, const struct pf_line_source *lines,
    struct pf_error *err)
{
	struct work w = {.p = p,
	    .anchors = anchors,
	    .executions = executions,
	    .counts = anchors->probes ? PF_COUNTS_SUM : counts,
	    .lines = lines,
	    .f = out};
	int rc;

	*a = (struct pf_attribution){.scale = 1};
	pf_place_finder_init(&w.finder, out);
	rc = measure_places(&w, a, err);
	if (!rc)
		rc = value_bodies(&w, err);
	if (!rc)
		rc = value_heads(&w, err);
	if (!rc)
		rc = pf_calls_attribute(&w.target_values, out, p, executions, anchors->calls,
		    w.values, samples, lines, &w.finder, err);
	if (!rc) {
		a->scale = choose_scale(&w);
		store_counts(&w, a->scale);
	}
	pf_place_finder_release(&w.finder);
	free(w.anchored);
	free(w.tallies);
	free(w.values);
	free(w.heads);
	free(w.target_values);
	return rc;
}
