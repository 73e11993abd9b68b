/*
 * inference_sweep.h: the inner loop of the flow inference: blocks and the flows
 * along their edges, brought a step closer to agreement again and again.
 */
#ifndef PF_CONVERT_INFERENCE_SWEEP_H
#define PF_CONVERT_INFERENCE_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One cache line. Where there are fewer than two edges, a slot of the block's own, behind all edges, holds a 0. */
struct pf_flow_block {
	double samples, weight;
	double entry, exit;     /* flow from and to outside; 0: there is no such edge */
	uint32_t in[2], out[2]; /* flows of its first edges */
	uint32_t first_in;      /* into in_edges, up to the next block's */
	uint32_t first_out;     /* into flows */
	bool many;              /* has more than two edges on one side, or loops */
	bool loops;             /* has an edge to itself */
};

struct pf_flow_graph {
	struct pf_flow_block *blocks; /* one more at the end */
	double *flows;                /* by edge of the program, then a slot a block */
	uint32_t *in_edges;           /* edges, by target */
};

/* A function's blocks. */
struct pf_flow_range {
	uint32_t first, count;
};

/*
 * Goes `sweeps` times over the blocks of each function, to and fro; `first`
 * counts the sweeps before. `alpha`: how much conservation weighs against
 * evidence. Neighbours in `functions` should be of like size, rising.
 */
void pf_flow_sweep(struct pf_flow_graph *g, const struct pf_flow_range *functions, size_t count,
    double alpha, int first, int sweeps);

/* What flows into and out of a block, and changing it. */

static inline double
pf_flow_in(const struct pf_flow_graph *g, uint32_t b)
{
	double sum = g->blocks[b].entry;

	for (uint32_t i = g->blocks[b].first_in; i < g->blocks[b + 1].first_in; i++)
		sum += g->flows[g->in_edges[i]];
	return sum;
}

static inline double
pf_flow_out(const struct pf_flow_graph *g, uint32_t b)
{
	double sum = g->blocks[b].exit;

	for (uint32_t e = g->blocks[b].first_out; e < g->blocks[b + 1].first_out; e++)
		sum += g->flows[e];
	return sum;
}

static inline void
pf_flow_scale_in(struct pf_flow_graph *g, uint32_t b, double factor)
{
	g->blocks[b].entry *= factor;
	for (uint32_t i = g->blocks[b].first_in; i < g->blocks[b + 1].first_in; i++)
		g->flows[g->in_edges[i]] *= factor;
}

static inline void
pf_flow_scale_out(struct pf_flow_graph *g, uint32_t b, double factor)
{
	g->blocks[b].exit *= factor;
	for (uint32_t e = g->blocks[b].first_out; e < g->blocks[b + 1].first_out; e++)
		g->flows[e] *= factor;
}

#endif
