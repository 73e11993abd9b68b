/*
 * go_edges.h: a profile as Go's compiler sees it: weighted call edges.
 *
 * An edge is (caller, callee, line of the call less the caller's start line),
 * its weight the sum of all samples that it lies in. The compiler takes the
 * heaviest edges that hold 99 % of all weight for hot.
 */
#ifndef PF_CONVERT_GO_EDGES_H
#define PF_CONVERT_GO_EDGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/index.h"

struct pf_buffer;
struct pf_profile;

struct pf_go_edge {
	uint32_t caller, callee; /* strings of the profile: the functions' names */
	int64_t offset;
	int64_t weight; /* saturating */
};

/* A zeroed struct is empty. */
struct pf_go_edges {
	struct pf_go_edge *items; /* heaviest first, then by caller, callee and offset */
	size_t count, capacity;
	struct pf_index index; /* good until the items are sorted */
};

/* The edges of a profile of one sample type: of each sample's innermost two locations. PF_ENOMEM. */
int pf_go_edges_read(struct pf_go_edges *edges, const struct pf_profile *p, struct pf_error *err);
void pf_go_edges_release(struct pf_go_edges *edges);

/* The sum of all weights; it is a double because it may exceed 64 bits. */
double pf_go_edges_weight(const struct pf_go_edges *edges);

/*
 * Keeps the heaviest edges that hold `percent` of the weight, at most `most` of
 * them, and nothing else: each sample is replaced by its runs of kept edges (as
 * a rule one, often all of it). The profile's samples must have no labels; what no
 * sample refers to any more stays in its tables. PF_ENOMEM, after which the
 * profile is as it was but for such tables.
 */
int pf_go_edges_trim(const struct pf_go_edges *edges, struct pf_profile *p, double percent,
    uint64_t most, struct pf_error *err);

/* Appends them in the compiler's own text form, "GO PREPROFILE V1". */
void pf_go_edges_print(
    const struct pf_go_edges *edges, const struct pf_profile *p, struct pf_buffer *out);

#endif
