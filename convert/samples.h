/*
 * samples.h: what of the merged stacks belongs to one binary: a count an
 * address where samples were taken, and one an edge between a call and what it
 * called. Both are sorted and distinct, so they do not depend on the order in
 * which profiles were merged.
 *
 * Values are those of the chosen sample type, unscaled. Steps are instructions that
 * the agent followed one by one (sample type "steps"), where the profile has any.
 */
#ifndef PF_CONVERT_SAMPLES_H
#define PF_CONVERT_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

#include "convert/match.h"
#include "convert/sample_type.h"

struct pf_binary;

struct pf_address_count {
	uint64_t address;     /* virtual, as linked */
	int64_t value, steps; /* one of them greater than 0 */
};

struct pf_call_edge {
	uint64_t caller; /* within the call instruction */
	uint64_t callee; /* where the called function stood, any instruction of it */
	int64_t value;   /* of all stacks with this edge */
	int64_t steps;   /* that were this call; the callee is then where it led */
};

struct pf_samples {
	struct pf_address_count *leaves;
	size_t leaf_count, leaf_capacity;
	struct pf_call_edge *edges;
	size_t edge_count, edge_capacity;

	int64_t *binary_values; /* by binary of the stacks: of stacks whose leaf is in it */
	int64_t total;          /* of all stacks */
	int64_t used;           /* the sum of the leaves */
	int64_t steps;          /* the same of steps */
	int64_t unmapped;       /* no binary known for the leaf */
	int64_t not_code;       /* in this binary, but not in a segment with code */
};

/*
 * Takes the sample type of the stacks apart that was chosen. `matches` says which binaries
 * are meant (match.h). PF_EINPUT on negative values (a difference is no profile)
 * and on overflow; after a failure release it.
 */
int pf_samples_collect(struct pf_samples *out, const struct pf_stacks *s,
    const struct pf_sample_type *type, const enum pf_match *matches, const struct pf_binary *binary,
    struct pf_error *err);
void pf_samples_release(struct pf_samples *samples);

/*
 * The share of the samples that have steps beside them, as far as their numbers
 * tell; 1 where there are none. Summed profiles of a fleet don't say which hosts took
 * steps, but a host that does has several a sample. `unit`: the value of one sample.
 */
double pf_samples_stepped(const struct pf_samples *samples, double unit);

/* Values of each stack and all below it, one a node, checked; *values is to be freed. */
int pf_stack_values(int64_t **values, const struct pf_stacks *s, size_t type, struct pf_error *err);

#endif
