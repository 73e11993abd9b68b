/*
 * functions.h: function profiles, the thing that every LLVM writer writes.
 *
 * A tree of functions: a root is a function with a symbol of its own, a child is
 * one inlined into its parent at a place. A place is (line offset from the
 * function's start line, base discriminator), or a probe's number in the offset. A node has body counts by place,
 * a body count has call targets. Build with _root, _child, _body and _target,
 * each of which finds or adds, and set the counts in the arrays; then _seal
 * sums totals and sorts, after which the ranges are valid and nothing may be
 * added. A child's number is always greater than its parent's.
 *
 * Until the worth of a count is known, whoever builds keeps a real number in its
 * place, its value; a profile of a large program has millions of them.
 *
 * Writing is in LLVM's own order, so that our bytes equal those that
 * llvm-profdata writes: roots by total (largest first), then by name.
 */
#ifndef PF_CONVERT_FUNCTIONS_H
#define PF_CONVERT_FUNCTIONS_H

#include <stdbool.h>

#include "core/index.h"
#include "core/strings.h"

struct pf_error;

enum {
	PF_PLACE_MAX_OFFSET =
	    65535,                 /* a larger one silently ends a record in LLVM's binary reader */
	PF_INLINE_MAX_DEPTH = 100, /* deeper chains are cut by whoever builds: writers recurse */
};

struct pf_place {
	uint16_t offset;
	uint16_t discriminator; /* base: LLVM encodes 12 bits at most */
};

struct pf_call_target {
	uint32_t body, name;
	union {
		uint64_t count;
		double value; /* see above */
	};
};

struct pf_body {
	uint32_t node;
	struct pf_place place;
	union {
		uint64_t count;
		double value; /* see above */
	};
	union {
		uint32_t first_target; /* sealed: into targets */
		uint32_t
		    anchors; /* not sealed: for whoever builds; instructions that speak for it */
	};
	uint32_t target_count; /* sealed */
};

struct pf_function_node {
	uint32_t parent;      /* PF_NONE: a root */
	uint32_t name;        /* string: canonical name */
	struct pf_place site; /* of the call in the parent */
	union {
		uint64_t head; /* entries; roots only */
		double head_value;
	};
	uint64_t checksum; /* of its control flow graph; with probes only */
	uint64_t total;    /* sealed: body counts of this node and all below, saturating */
	uint32_t first_body, body_count;   /* sealed: into bodies */
	uint32_t first_child, child_count; /* sealed: into children */
};

struct pf_function_root {
	uint32_t node;
	uint32_t generation; /* of the indexes that its items are in */
	uint32_t span;       /* its last one */
};

/* Nodes and bodies that were added while one root was the last one asked for, up to the next span's. */
struct pf_function_span {
	uint32_t first_node, first_body;
	uint32_t before; /* the same root's last one before; PF_NONE: none */
};

/*
 * By what children and bodies are found. Programs have millions of them, but
 * they are asked for root by root: now and then the indexes begin a new
 * generation, small and in the cache, and a root of an earlier one that is asked
 * for again is entered once more.
 */
struct pf_function_lookup {
	struct pf_index nodes, bodies; /* of this generation's roots */
	struct pf_index root_names;    /* of all roots */
	struct pf_function_root *roots;
	struct pf_function_span *spans;
	size_t root_count, root_capacity, span_count, span_capacity;
	uint32_t last; /* root that was asked for */
	uint32_t generation;
	size_t renewed; /* items that were entered once more, in all */
};

struct pf_functions {
	struct pf_strings names;
	struct pf_function_node *nodes;
	struct pf_body *bodies;
	struct pf_call_target *targets;
	size_t node_count, node_capacity, body_count, body_capacity, target_count, target_capacity;
	struct pf_function_lookup lookup;
	struct pf_index target_index;
	uint32_t *children; /* sealed: node numbers; the roots come first */
	size_t root_count;
	bool probes; /* places are probes' numbers */
	bool frozen; /* _child, _body and _target only find; what is not there is PF_NONE */
	bool sealed;
};

int pf_functions_init(struct pf_functions *f, struct pf_error *err);
void pf_functions_release(struct pf_functions *f);

/*
 * Each finds the item or adds it with zero counts, and stores its number. By
 * lines, children and bodies can be found only below the root that was asked for
 * last (without probes, a child of PF_NONE is a root). PF_ENOMEM.
 */
int pf_functions_root(
    struct pf_functions *f, const char *name, uint32_t *node, struct pf_error *err);
int pf_functions_child(struct pf_functions *f, uint32_t parent, struct pf_place site,
    const char *name, uint32_t *node, struct pf_error *err);
int pf_functions_body(struct pf_functions *f, uint32_t node, struct pf_place place, uint32_t *body,
    struct pf_error *err);
int pf_functions_target(struct pf_functions *f, uint32_t body, const char *name, uint32_t *target,
    struct pf_error *err);

/* Frees what nodes and bodies are found by: none can be added or found any more, targets can. */
void pf_functions_forget_places(struct pf_functions *f);

/*
 * Sums totals, sorts everything into writing order; what is there twice, bodies of one place and targets of one name,
 * becomes one; call targets that count 0 are dropped. Once.
 */
int pf_functions_seal(struct pf_functions *f, struct pf_error *err);

/* Of a sealed node: the count at its first place, which stands for how often it was entered where that was not counted. */
uint64_t pf_functions_first_count(const struct pf_functions *f, uint32_t node);

static inline int
pf_compare_places(struct pf_place a, struct pf_place b)
{
	if (a.offset != b.offset)
		return a.offset < b.offset ? -1 : 1;
	return a.discriminator < b.discriminator ? -1 : a.discriminator > b.discriminator;
}

static inline uint64_t
pf_add_saturating(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

#endif
