/* samples.c: see samples.h. */
#include "convert/samples.h"

#include <stdlib.h>

#include "core/error.h"
#include "core/memory.h"
#include "profile/stacks.h"
#include "symbol/binary.h"

void
pf_samples_release(struct pf_samples *samples)
{
	free(samples->leaves);
	free(samples->edges);
	free(samples->binary_values);
	*samples = (struct pf_samples){0};
}

/* One percent of the CPU time gave 3.4 to 5.6 of them a sample on a slow virtual machine, more elsewhere. */
#define LEAST_STEPS 3.0

double
pf_samples_stepped(const struct pf_samples *samples, double unit)
{
	double due = LEAST_STEPS * (double)samples->used / unit;

	return samples->steps > 0 && (double)samples->steps < due ? (double)samples->steps / due
								  : 1;
}

/* A node's parent has a smaller number, so one pass from the end sums all that lies below. */
int
pf_stack_values(int64_t **values, const struct pf_stacks *s, size_t type, struct pf_error *err)
{
	int64_t *v;
	int rc = PF_CALLOC(*values, s->node_count, err);

	if (rc)
		return rc;
	v = *values;
	for (size_t i = s->node_count; i-- > 0;) {
		int64_t own = s->values[i * s->type_count + type];
		bool overflow = __builtin_add_overflow(v[i], own, &v[i]);

		if (i && !overflow)
			overflow = __builtin_add_overflow(
			    v[s->nodes[i].parent], v[i], &v[s->nodes[i].parent]);
		if (own < 0 || overflow) {
			free(*values);
			*values = NULL;
			return own < 0 ? pf_error_set(err, PF_EINPUT,
					     "the profile has negative values: a difference of "
					     "profiles "
					     "cannot be converted, only a profile can")
				       : pf_error_set(err, PF_EINPUT,
					     "the sum of the profile's values exceeds 64 bits");
		}
	}
	return 0;
}

static int
add_leaf(struct pf_samples *out, struct pf_address_count leaf, struct pf_error *err)
{
	int rc = PF_GROW(out->leaves, out->leaf_capacity, out->leaf_count + 1, err);

	if (!rc)
		out->leaves[out->leaf_count++] = leaf;
	return rc;
}

static int
add_edge(struct pf_samples *out, struct pf_call_edge edge, struct pf_error *err)
{
	int rc = PF_GROW(out->edges, out->edge_capacity, out->edge_count + 1, err);

	if (!rc)
		out->edges[out->edge_count++] = edge;
	return rc;
}

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS };

static size_t
digit_of(const struct pf_address_count *leaf, unsigned shift)
{
	return (leaf->address >> shift) & (DIGITS - 1);
}

/* By one digit of the address, keeping the order of those that agree in it. */
static void
sort_by_digit(
    struct pf_address_count *to, const struct pf_address_count *from, size_t count, unsigned shift)
{
	size_t starts[DIGITS] = {0}, sum = 0;

	for (size_t i = 0; i < count; i++)
		starts[digit_of(&from[i], shift)]++;
	for (size_t d = 0; d < DIGITS; d++) {
		size_t n = starts[d];
		starts[d] = sum;
		sum += n;
	}
	for (size_t i = 0; i < count; i++)
		to[starts[digit_of(&from[i], shift)]++] = from[i];
}

/* Digit by digit from the lowest; those in which all addresses agree are left out. */
static int
sort_leaves(struct pf_samples *out, struct pf_error *err)
{
	struct pf_address_count *scratch, *swap;
	uint64_t differing = 0;
	int rc = PF_CALLOC(scratch, out->leaf_count, err);

	if (rc)
		return rc;
	for (size_t i = 1; i < out->leaf_count; i++)
		differing |= out->leaves[i].address ^ out->leaves[0].address;
	for (unsigned shift = 0; shift < 64; shift += DIGIT_BITS) {
		if (!(differing >> shift & (DIGITS - 1)))
			continue;
		sort_by_digit(scratch, out->leaves, out->leaf_count, shift);
		swap = out->leaves;
		out->leaves = scratch;
		scratch = swap;
		out->leaf_capacity = out->leaf_count;
	}
	free(scratch);
	return 0;
}

static int
by_ends(const void *left, const void *right)
{
	const struct pf_call_edge *a = left, *b = right;

	if (a->caller != b->caller)
		return a->caller < b->caller ? -1 : 1;
	return (a->callee > b->callee) - (a->callee < b->callee);
}

/* Sums of parts of a total that was checked: they cannot overflow. */
static int
sort_and_merge(struct pf_samples *out, struct pf_error *err)
{
	size_t n = 0;
	int rc = sort_leaves(out, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < out->leaf_count; i++) {
		if (n && out->leaves[n - 1].address == out->leaves[i].address) {
			out->leaves[n - 1].value += out->leaves[i].value;
			out->leaves[n - 1].steps += out->leaves[i].steps;
		} else {
			out->leaves[n++] = out->leaves[i];
		}
	}
	out->leaf_count = n;
	n = 0;
	if (out->edge_count)
		qsort(out->edges, out->edge_count, sizeof *out->edges, by_ends);
	for (size_t i = 0; i < out->edge_count; i++) {
		struct pf_call_edge *last = n ? &out->edges[n - 1] : NULL;
		if (last && by_ends(last, &out->edges[i]) == 0) {
			/* recursion counts one stack's value several times */
			if (__builtin_add_overflow(last->value, out->edges[i].value, &last->value))
				last->value = INT64_MAX;
			last->steps += out->edges[i].steps;
		} else {
			out->edges[n++] = out->edges[i];
		}
	}
	out->edge_count = n;
	return 0;
}

/* What one node of the stacks holds. */
struct held {
	int64_t own, below, steps;
};

static int
collect_node(struct pf_samples *out, const struct pf_stacks *s, size_t node, struct held held,
    const enum pf_match *matches, const struct pf_binary *binary, struct pf_error *err)
{
	const struct pf_stack_frame *f = &s->frames[s->nodes[node].frame];
	uint32_t parent = s->nodes[node].parent;
	uint64_t address, caller;
	bool here = pf_match_address(f, matches, binary, &address);
	int64_t own = held.own;
	int rc = 0;

	if (own) {
		if (f->binary == PF_NONE)
			out->unmapped += own;
		else
			out->binary_values[f->binary] += own;
		if (here)
			out->used += own;
		else if (f->binary != PF_NONE && pf_match_used(matches[f->binary]))
			out->not_code += own;
	}
	if (here)
		out->steps += held.steps;
	if (here && (own || held.steps))
		rc = add_leaf(out, (struct pf_address_count){address, own, held.steps}, err);
	if (!rc && here && (held.below || held.steps) && parent != 0 &&
	    pf_match_address(&s->frames[s->nodes[parent].frame], matches, binary, &caller))
		rc = add_edge(
		    out, (struct pf_call_edge){caller, address, held.below, held.steps}, err);
	return rc;
}

/* Steps are whole numbers without signs whose sum is one, too. */
static int
check_steps(const struct pf_stacks *s, const struct pf_sample_type *type, struct pf_error *err)
{
	int64_t *sums = NULL;
	int rc = type->steps == PF_NO_TYPE ? 0 : pf_stack_values(&sums, s, type->steps, err);

	free(sums);
	return rc;
}

int
pf_samples_collect(struct pf_samples *out, const struct pf_stacks *s,
    const struct pf_sample_type *type, const enum pf_match *matches, const struct pf_binary *binary,
    struct pf_error *err)
{
	int64_t *below;
	int rc;

	*out = (struct pf_samples){0};
	rc = check_steps(s, type, err);
	if (!rc)
		rc = pf_stack_values(&below, s, type->type, err);
	if (rc)
		return rc;
	out->total = below[0];
	rc = PF_CALLOC(out->binary_values, s->binary_count, err);
	for (size_t i = 1; !rc && i < s->node_count; i++) {
		const int64_t *values = s->values + i * s->type_count;
		struct held held = {values[type->type], below[i],
		    type->steps == PF_NO_TYPE ? 0 : values[type->steps]};
		rc = collect_node(out, s, i, held, matches, binary, err);
	}
	/* a stack without any frame is nobody's */
	if (!rc && s->type_count)
		out->unmapped += s->values[type->type];
	if (!rc)
		rc = sort_and_merge(out, err);
	free(below);
	return rc;
}
