/*
 * attribute.c: see attribute.h. First every instruction gets its place, then
 * places get values as real numbers, and at the end one scale for the whole
 * profile turns values into counts: a place with one sample over many
 * instructions must not vanish by rounding.
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

/* What the instructions of one place add up to. */
struct tally {
	double sum, largest;
	uint32_t count;
};

struct work {
	const struct pf_program *p;
	const struct pf_executions *executions;
	enum pf_counts counts;
	const struct pf_line_source *lines;
	struct pf_functions *f;
	struct pf_place_finder finder;
	struct pf_inline_chain chain;
	uint32_t *bodies; /* by instruction, PF_NONE: no place */
	uint16_t *duplications;
	struct tally *tallies; /* by body */
	double *values;        /* by body */
	double *heads;         /* by node */
	double *target_values; /* by target */
};

void
pf_attribution_release(struct pf_attribution *a)
{
	free(a->has_lines);
	free(a->unplaced_blocks);
	*a = (struct pf_attribution){0};
}

static uint16_t
duplication_of(const struct pf_inline_chain *chain)
{
	uint32_t factor = pf_discriminator_duplication(chain->frames[0].discriminator);

	return factor > UINT16_MAX ? UINT16_MAX : (uint16_t)factor;
}

static int
place_instruction(struct work *w, uint32_t i, struct pf_error *err)
{
	uint32_t root;
	int rc = w->lines->chain(w->lines->context, w->p->instructions[i].address, &w->chain, err);

	if (!rc)
		rc = pf_place_find(&w->finder, &w->chain, &w->bodies[i], &root, err);
	if (!rc && w->bodies[i] != PF_NONE)
		w->duplications[i] = duplication_of(&w->chain);
	return rc;
}

static int
place_block(struct work *w, struct pf_attribution *a, const struct pf_program_block *b,
    struct pf_error *err)
{
	double samples = 0, unplaced = 0;
	bool any = false;
	int rc = 0;

	for (uint32_t i = b->first; !rc && i < b->first + b->count; i++) {
		rc = place_instruction(w, i, err);
		samples += (double)w->p->values[i];
		if (!rc && w->bodies[i] == PF_NONE)
			unplaced += (double)w->p->values[i];
		else if (!rc)
			any = true;
	}
	if (any)
		a->has_lines[b->function] = 1;
	a->unplaced += unplaced;
	a->unplaced_blocks[b->function] += any ? 0 : samples;
	return rc;
}

/* Samples in functions without any line are counted as that, not as unplaced. */
static int
place_function(struct work *w, struct pf_attribution *a, size_t function, struct pf_error *err)
{
	const struct pf_program_function *pf = &w->p->functions[function];
	double unplaced = a->unplaced;
	int rc = 0;

	for (uint32_t i = pf->first_block; !rc && i < pf->first_block + pf->block_count; i++)
		rc = place_block(w, a, &w->p->blocks[i], err);
	if (!a->has_lines[function]) {
		a->unplaced = unplaced;
		a->unplaced_blocks[function] = 0;
	}
	return rc;
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
tally_add(struct tally *t, const struct work *w, uint32_t instruction)
{
	double value = w->executions->instructions[instruction];

	if (w->counts != PF_COUNTS_SUM)
		value *= w->duplications[instruction];
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
	/* padding carries its neighbours' lines but never their counts: left out of means */
	for (uint32_t i = 0; i < w->p->instruction_count; i++) {
		bool padding = w->p->instructions[i].cost == PF_COST_NOP;
		if (w->bodies[i] != PF_NONE && !(padding && w->counts == PF_COUNTS_MEAN))
			tally_add(&w->tallies[w->bodies[i]], w, i);
	}
	for (size_t i = 0; i < w->f->body_count; i++)
		w->values[i] = tally_value(&w->tallies[i], w->counts);
	return 0;
}

/* A function is entered as often as its first block runs. Its root is that of the first placed instruction. */
static int
value_heads(struct work *w, struct pf_error *err)
{
	int rc = PF_CALLOC(w->heads, w->f->node_count, err);

	for (size_t i = 0; !rc && i < w->p->function_count; i++) {
		const struct pf_program_function *pf = &w->p->functions[i];
		const struct pf_program_block *entry = &w->p->blocks[pf->first_block];
		uint32_t node = PF_NONE, last = pf->first_instruction + pf->instruction_count;
		struct tally t = {0};

		for (uint32_t j = pf->first_instruction; node == PF_NONE && j < last; j++)
			node = w->bodies[j] == PF_NONE ? PF_NONE : w->f->bodies[w->bodies[j]].node;
		if (node == PF_NONE || pf->part || !pf->block_count)
			continue;
		while (w->f->nodes[node].parent != PF_NONE)
			node = w->f->nodes[node].parent;
		if (w->executions->entries[i] >= 0) {
			w->heads[node] += w->executions->entries[i];
			continue;
		}
		for (uint32_t j = 0; j < entry->count; j++) {
			double value = w->executions->instructions[entry->first + j];
			t.sum += value;
			t.largest = value > t.largest ? value : t.largest;
			t.count++;
		}
		w->heads[node] +=
		    tally_value(&t, w->counts == PF_COUNTS_MAX ? PF_COUNTS_MAX : PF_COUNTS_MEAN);
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

static int
place_program(struct work *w, struct pf_attribution *a, struct pf_error *err)
{
	int rc = PF_CALLOC(a->has_lines, w->p->function_count, err);

	if (!rc)
		rc = PF_CALLOC(a->unplaced_blocks, w->p->function_count, err);
	if (!rc)
		rc = PF_CALLOC(w->bodies, w->p->instruction_count, err);
	if (!rc)
		rc = PF_CALLOC(w->duplications, w->p->instruction_count, err);
	for (size_t i = 0; !rc && i < w->p->function_count; i++)
		rc = place_function(w, a, i, err);
	a->far_lines = w->finder.far_lines;
	a->deep_chains = w->finder.deep_chains;
	return rc;
}

int
pf_attribute(struct pf_functions *out, struct pf_attribution *a, const struct pf_program *p,
    const struct pf_executions *executions, const struct pf_samples *samples, enum pf_counts counts,
    const struct pf_line_source *lines, struct pf_error *err)
{
	struct work w = {
	    .p = p, .executions = executions, .counts = counts, .lines = lines, .f = out};
	int rc;

	w.chain.without_files = true;
	*a = (struct pf_attribution){.scale = 1};
	pf_place_finder_init(&w.finder, out);
	rc = place_program(&w, a, err);
	if (!rc)
		rc = value_bodies(&w, err);
	if (!rc)
		rc = value_heads(&w, err);
	if (!rc)
		rc = pf_calls_attribute(&w.target_values, out, p, executions, w.bodies, w.values,
		    samples, lines, &w.finder, err);
	if (!rc) {
		a->scale = choose_scale(&w);
		store_counts(&w, a->scale);
		rc = pf_functions_seal(out, err);
	}
	pf_inline_chain_release(&w.chain);
	pf_place_finder_release(&w.finder);
	free(w.bodies);
	free(w.duplications);
	free(w.tallies);
	free(w.values);
	free(w.heads);
	free(w.target_values);
	return rc;
}
