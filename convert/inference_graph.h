/*
 * inference_graph.h: the blocks that the flow inference works on, and the flows
 * along their edges.
 *
 * Functions know nothing of each other while their blocks are brought into
 * agreement, so four of like size go side by side: a row holds the n-th block of
 * each of them, each in its lane. What is behind a shorter function's last block
 * is all 0 and stays so.
 */
#ifndef PF_CONVERT_INFERENCE_GRAPH_H
#define PF_CONVERT_INFERENCE_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pf_error;
struct pf_program;

enum { PF_FLOW_LANES = 4 };

/*
 * Four blocks: four cache lines. A flow is stored once, with the block that it
 * comes from; where the ones that come in are is said in doubles from the
 * graph's first.
 */
struct pf_flow_row {
	double samples[PF_FLOW_LANES], weight[PF_FLOW_LANES];
	double entry[PF_FLOW_LANES], exit[PF_FLOW_LANES]; /* from and to outside; 0: no such edge */
	double out[2][PF_FLOW_LANES]; /* along the first two edges; 0: no such edge */
	double none;                  /* 0: what comes in where there is no such edge */
	uint32_t in[2][PF_FLOW_LANES];
	uint32_t more[PF_FLOW_LANES]; /* which of the graph's `more`; 0: none */
	bool any_more;
	uint8_t unused[7];
};

/* A block with more than two edges on one side or one to itself: all its flows are here, none in its row. */
struct pf_flow_more {
	double entry, exit;
	uint32_t slot;                 /* its place */
	uint32_t first_in, in_count;   /* into more_in */
	uint32_t first_out, out_count; /* in doubles */
	bool loops;                    /* has an edge to itself */
};

/* Four functions, or fewer: one behind the other, each block of theirs. */
struct pf_flow_group {
	uint32_t first, count; /* rows */
};

struct pf_flow_graph {
	struct pf_flow_row *rows; /* flows of blocks with more edges are behind them */
	size_t row_count;
	double *flows;                /* the same memory, all of it */
	struct pf_flow_group *groups; /* by rising size */
	size_t group_count;
	struct pf_flow_more *more; /* the first is none */
	size_t more_count, more_capacity;
	uint32_t *more_in; /* where the flows into those blocks are, in doubles */
	uint32_t
	    *slots;   /* by function: the slot of its first block; PF_NONE: it has no place here */
	void *memory; /* of the rows, which begin on a cache line */
};

/*
 * The graph of all functions whose control flow is known wholly, without any
 * flow. A slot is a block's place: four times its row, plus its lane; the next
 * block of a function is PF_FLOW_LANES slots on. PF_ENOMEM; release it in any case.
 */
int pf_flow_graph_build(struct pf_flow_graph *g, const struct pf_program *p, struct pf_error *err);
void pf_flow_graph_release(struct pf_flow_graph *g);

static inline struct pf_flow_row *
pf_flow_row(const struct pf_flow_graph *g, uint32_t slot)
{
	return &g->rows[slot / PF_FLOW_LANES];
}

static inline struct pf_flow_more *
pf_flow_more(const struct pf_flow_graph *g, uint32_t slot)
{
	uint32_t more = pf_flow_row(g, slot)->more[slot % PF_FLOW_LANES];

	return more ? &g->more[more] : NULL;
}

static inline double *
pf_flow_entry(const struct pf_flow_graph *g, uint32_t slot)
{
	struct pf_flow_more *more = pf_flow_more(g, slot);

	return more ? &more->entry : &pf_flow_row(g, slot)->entry[slot % PF_FLOW_LANES];
}

static inline double *
pf_flow_exit(const struct pf_flow_graph *g, uint32_t slot)
{
	struct pf_flow_more *more = pf_flow_more(g, slot);

	return more ? &more->exit : &pf_flow_row(g, slot)->exit[slot % PF_FLOW_LANES];
}

/* The flow along a block's n-th edge out, or in; beyond two, only where there are more. */
static inline double *
pf_flow_out_edge(const struct pf_flow_graph *g, uint32_t slot, uint32_t n)
{
	struct pf_flow_more *more = pf_flow_more(g, slot);

	return more ? &g->flows[more->first_out + n]
		    : &pf_flow_row(g, slot)->out[n][slot % PF_FLOW_LANES];
}

static inline double *
pf_flow_in_edge(const struct pf_flow_graph *g, uint32_t slot, uint32_t n)
{
	struct pf_flow_more *more = pf_flow_more(g, slot);

	return &g->flows[more ? g->more_in[more->first_in + n]
			      : pf_flow_row(g, slot)->in[n][slot % PF_FLOW_LANES]];
}

/* How many edges lead to a block. */
static inline uint32_t
pf_flow_in_count(const struct pf_flow_graph *g, uint32_t slot)
{
	const struct pf_flow_more *more = pf_flow_more(g, slot);
	const struct pf_flow_row *row = pf_flow_row(g, slot);
	uint32_t none = (uint32_t)(&row->none - g->flows), lane = slot % PF_FLOW_LANES;

	return more ? more->in_count
		    : (uint32_t)(row->in[0][lane] != none) + (row->in[1][lane] != none);
}

/* What flows into and out of a block, and changing it. */

static inline double
pf_flow_in(const struct pf_flow_graph *g, uint32_t slot)
{
	const struct pf_flow_more *more = pf_flow_more(g, slot);
	uint32_t count = more ? more->in_count : 2;
	double sum = *pf_flow_entry(g, slot);

	for (uint32_t i = 0; i < count; i++)
		sum += *pf_flow_in_edge(g, slot, i);
	return sum;
}

static inline double
pf_flow_out(const struct pf_flow_graph *g, uint32_t slot)
{
	const struct pf_flow_more *more = pf_flow_more(g, slot);
	uint32_t count = more ? more->out_count : 2;
	double sum = *pf_flow_exit(g, slot);

	for (uint32_t i = 0; i < count; i++)
		sum += *pf_flow_out_edge(g, slot, i);
	return sum;
}

static inline void
pf_flow_scale_in(struct pf_flow_graph *g, uint32_t slot, double factor)
{
	const struct pf_flow_more *more = pf_flow_more(g, slot);
	uint32_t count = more ? more->in_count : 2;

	*pf_flow_entry(g, slot) *= factor;
	for (uint32_t i = 0; i < count; i++)
		*pf_flow_in_edge(g, slot, i) *= factor;
}

static inline void
pf_flow_scale_out(struct pf_flow_graph *g, uint32_t slot, double factor)
{
	const struct pf_flow_more *more = pf_flow_more(g, slot);
	uint32_t count = more ? more->out_count : 2;

	*pf_flow_exit(g, slot) *= factor;
	for (uint32_t i = 0; i < count; i++)
		*pf_flow_out_edge(g, slot, i) *= factor;
}

#endif
