/* line_samples.c: see line_samples.h. */
#include "convert/line_samples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "convert/places.h"
#include "convert/samples.h"
#include "core/error.h"
#include "core/memory.h"
#include "profile/stacks.h"

struct work {
	const struct pf_stacks *s;
	struct pf_functions *f;
	struct pf_line_samples *l;
	struct pf_place_finder finder;
	struct pf_inline_chain chain;
	double *values;        /* by body */
	double *target_values; /* by target */
	double *target_sums;   /* by body */
	size_t value_capacity, target_capacity;
	double unit;
};

void
pf_line_samples_release(struct pf_line_samples *l)
{
	pf_function_values_release(&l->functions);
	*l = (struct pf_line_samples){0};
}

static uint32_t
line_number(int64_t line)
{
	return line > 0 && line <= UINT32_MAX ? (uint32_t)line : 0;
}

/* The chain of a node's frame and all those that it was inlined into; empty where a line is missing. */
static int
chain_at(struct work *w, uint32_t node, struct pf_error *err)
{
	const struct pf_stacks *s = w->s;
	int rc = 0;

	w->chain.count = 0;
	for (bool more = true; more;) {
		const struct pf_stack_frame *f = &s->frames[s->nodes[node].frame];

		if (f->kind != PF_FRAME_LINE) {
			w->chain.count = 0;
			return 0;
		}
		rc = PF_GROW(w->chain.frames, w->chain.capacity, w->chain.count + 1, err);
		if (rc)
			return rc;
		w->chain.frames[w->chain.count++] = (struct pf_inline_frame){
		    .function = f->function ? pf_strings_get(&s->strings, f->function) : NULL,
		    .line = line_number(f->line),
		    .start_line = line_number(f->start_line),
		};
		node = s->nodes[node].parent;
		more = f->inlined && node != 0;
	}
	return 0;
}

static int
note_function(struct work *w, uint32_t node, int64_t value, bool usable, struct pf_error *err)
{
	const struct pf_stack_frame *f = &w->s->frames[w->s->nodes[node].frame];

	while (f->inlined && w->s->nodes[node].parent != 0) {
		node = w->s->nodes[node].parent;
		f = &w->s->frames[w->s->nodes[node].frame];
	}
	return pf_function_values_add(&w->l->functions,
	    &(struct pf_function_value){
		pf_strings_get(&w->s->strings, f->function), f->function, value, usable},
	    err);
}

/* A stack's own value belongs to the place of its leaf. */
static int
add_leaf(struct work *w, uint32_t node, int64_t value, struct pf_error *err)
{
	uint32_t body = PF_NONE, root = PF_NONE;
	size_t known = w->f->body_count;
	int rc = chain_at(w, node, err);

	if (rc)
		return rc;
	if (w->chain.count == 0) {
		w->l->no_lines += value;
		return 0;
	}
	rc = pf_place_find(&w->finder, &w->chain, &body, &root, err);
	if (!rc)
		rc = PF_GROW(w->values, w->value_capacity, w->f->body_count, err);
	if (rc)
		return rc;
	if (w->f->body_count > known)
		w->values[body] = 0;
	if (body == PF_NONE) {
		w->l->no_start_line += value;
	} else {
		w->l->used += value;
		w->values[body] += (double)value / w->unit;
	}
	return note_function(w, node, value, body != PF_NONE, err);
}

/* A real call from the parent's place, where that place is known from samples of its own. */
static int
add_call(struct work *w, uint32_t node, int64_t below, struct pf_error *err)
{
	const struct pf_stack_frame *f = &w->s->frames[w->s->nodes[node].frame];
	uint32_t body, root, target;
	size_t known = w->f->target_count;
	const char *name;
	int rc;

	if (f->kind != PF_FRAME_LINE || f->inlined || !f->function || w->s->nodes[node].parent == 0)
		return 0;
	rc = chain_at(w, w->s->nodes[node].parent, err);
	w->f->frozen = true;
	if (!rc)
		rc = pf_place_find(&w->finder, &w->chain, &body, &root, err);
	w->f->frozen = false;
	if (rc || body == PF_NONE)
		return rc;
	name = pf_place_canonical(&w->finder, pf_strings_get(&w->s->strings, f->function), err);
	if (!name)
		return PF_ENOMEM;
	rc = pf_functions_target(w->f, body, name, &target, err);
	if (!rc)
		rc = PF_GROW(w->target_values, w->target_capacity, w->f->target_count, err);
	if (rc)
		return rc;
	if (w->f->target_count > known)
		w->target_values[target] = 0;
	w->target_values[target] += (double)below;
	w->target_sums[body] += (double)below;
	return 0;
}

static int
add_stacks(struct work *w, size_t type, const int64_t *below, struct pf_error *err)
{
	const struct pf_stacks *s = w->s;
	int rc = 0;

	for (uint32_t i = 1; !rc && i < s->node_count; i++) {
		int64_t own = s->values[i * s->type_count + type];
		if (own)
			rc = add_leaf(w, i, own, err);
	}
	if (!rc)
		rc = PF_CALLOC(w->target_sums, w->f->body_count, err);
	for (uint32_t i = 1; !rc && i < s->node_count; i++) {
		if (below[i])
			rc = add_call(w, i, below[i], err);
	}
	return rc;
}

static int
store_counts(struct work *w, struct pf_error *err)
{
	struct pf_functions *f = w->f;
	int rc;

	for (size_t i = 0; i < f->body_count; i++)
		f->bodies[i].count = (uint64_t)llround(w->values[i]);
	for (size_t i = 0; i < f->target_count; i++) {
		uint32_t body = f->targets[i].body;
		f->targets[i].count =
		    (uint64_t)llround(w->values[body] * w->target_values[i] / w->target_sums[body]);
	}
	rc = pf_functions_seal(f, err);
	for (size_t i = 0; !rc && i < f->root_count; i++)
		f->nodes[f->children[i]].head = pf_functions_first_count(f, f->children[i]);
	return rc;
}

int
pf_line_samples_convert(struct pf_functions *out, struct pf_line_samples *l,
    const struct pf_stacks *s, size_t type, double unit, struct pf_error *err)
{
	struct work w = {.s = s, .f = out, .l = l, .unit = unit};
	int64_t *below;
	int rc;

	*l = (struct pf_line_samples){.scale = 1};
	rc = pf_stack_values(&below, s, type, err);
	if (rc)
		return rc;
	pf_place_finder_init(&w.finder, out);
	l->total = below[0];
	l->no_lines = s->values[type]; /* stacks without any frame */
	rc = add_stacks(&w, type, below, err);
	if (!rc) {
		pf_function_values_settle(&l->functions);
		rc = store_counts(&w, err);
	}
	pf_place_finder_release(&w.finder);
	pf_inline_chain_release(&w.chain);
	free(w.values);
	free(w.target_values);
	free(w.target_sums);
	free(below);
	return rc;
}
