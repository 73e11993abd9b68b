/*
 * graph.h: flat and cumulative values per name, and the calls between names.
 *
 * Counted per sample: a name once in cum however often it recurs, an edge once
 * however often it is walked, no edge from a name to itself. Names that are left
 * out are stepped over: the edge across them joins what is on both sides.
 */
#ifndef PF_REPORT_GRAPH_H
#define PF_REPORT_GRAPH_H

#include "report/view.h"

struct pf_graph_node {
	uint32_t name; /* of the report's frames */
	int64_t flat, cum;
	int64_t base_flat, base_cum; /* the part that samples of the base have in them */
};

struct pf_graph_edge {
	uint32_t from, to; /* names: caller, callee */
	int64_t weight;
	bool inlined; /* in every sample */
};

struct pf_graph {
	struct pf_graph_node *nodes; /* sorted by the report's options */
	size_t node_count;
	struct pf_graph_edge *edges; /* above the least weight; unsorted */
	size_t edge_count, edge_capacity;
	size_t least_count; /* nodes that were left out for their cum */
	size_t all_count;   /* nodes that were not: node_count of them are here */
	int64_t shown;      /* sum of flat */
	const char *unit;   /* for all values of this graph */
};

/* Builds the graph and leaves out what the options say (rows, then edges). PF_ENOMEM. */
int pf_graph_init(struct pf_graph *g, const struct pf_view *r, struct pf_error *err);
void pf_graph_release(struct pf_graph *g);

/* The lines between a report's head and its table: what is shown and what is left out. */
void pf_graph_summary(const struct pf_graph *g, const struct pf_view *r, struct pf_buffer *out);

/* Of each name: " (inline)", " (partial-inline)" or "", by how its edges lead to it. To be freed. */
int pf_graph_inline_marks(
    const struct pf_graph *g, const struct pf_view *r, const char ***marks, struct pf_error *err);

static inline int64_t
pf_magnitude(int64_t value)
{
	return value < 0 ? -value : value;
}

#endif
