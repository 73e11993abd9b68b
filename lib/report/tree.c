/* tree.c: each name between its callers and its callees, for all names or those that match. */
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "report/graph.h"
#include "report/select.h"
#include "report/units.h"

static const char rule[] =
    "----------------------------------------------------------+-------------\n";

static int
compare_edges(const void *a, const void *b, void *data)
{
	const struct pf_graph_edge *x = a, *y = b;
	const struct pf_frames *f = data;
	int64_t first = pf_magnitude(x->weight), second = pf_magnitude(y->weight);
	int order;

	if (x->weight != y->weight && first != second)
		return first > second ? -1 : 1;
	order = strcmp(pf_frames_name(f, x->from), pf_frames_name(f, y->from));
	return order ? order : strcmp(pf_frames_name(f, x->to), pf_frames_name(f, y->to));
}

/* The edges that lead to each name, or from each, heaviest first: name i has [starts[i], starts[i + 1]). */
struct edge_list {
	uint32_t *edges; /* owned; into the graph's edges */
	size_t *starts;  /* owned */
};

struct tree {
	const struct pf_view *r;
	const struct pf_graph *g;
	struct edge_list callers, callees;
	struct pf_buffer *out;
};

static uint32_t
end_of(const struct pf_graph_edge *e, bool callers)
{
	return callers ? e->to : e->from;
}

/* Distributes the edges, already sorted by weight, to their ends. */
static int
list_edges(const struct tree *t, bool callers, struct edge_list *list, struct pf_error *err)
{
	size_t names = t->r->frames.names.count;
	int rc = PF_CALLOC(list->starts, names + 2, err);

	if (!rc)
		rc = PF_CALLOC(list->edges, t->g->edge_count, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < t->g->edge_count; i++)
		list->starts[end_of(&t->g->edges[i], callers) + 2]++;
	for (size_t i = 2; i < names + 2; i++)
		list->starts[i] += list->starts[i - 1];
	for (size_t i = 0; i < t->g->edge_count; i++)
		list->edges[list->starts[end_of(&t->g->edges[i], callers) + 1]++] = (uint32_t)i;
	return 0;
}

static void
print_edges(const struct tree *t, const struct pf_graph_node *n, bool callers)
{
	const struct edge_list *list = callers ? &t->callers : &t->callees;
	char weight[PF_VALUE_TEXT], share[PF_VALUE_TEXT];

	for (size_t i = list->starts[n->name]; i < list->starts[n->name + 1]; i++) {
		const struct pf_graph_edge *e = &t->g->edges[list->edges[i]];
		pf_buffer_printf(t->out, "%50s %s |   %s%s\n",
		    pf_value_text(weight, e->weight, t->r->unit, t->g->unit),
		    pf_share_text(share, e->weight, n->cum),
		    pf_frames_name(&t->r->frames, callers ? e->from : e->to),
		    e->inlined ? " (inline)" : "");
	}
}

static void
print_node(const struct tree *t, const struct pf_graph_node *n, int64_t sum)
{
	char flat[PF_VALUE_TEXT], cum[PF_VALUE_TEXT], flat_share[PF_VALUE_TEXT];
	char sum_share[PF_VALUE_TEXT], cum_share[PF_VALUE_TEXT];
	const struct pf_view *r = t->r;

	pf_buffer_string(t->out, rule);
	print_edges(t, n, true);
	pf_buffer_printf(t->out, "%10s %s %s %10s %s                | %s\n",
	    pf_value_text(flat, n->flat, r->unit, t->g->unit),
	    pf_share_text(flat_share, n->flat, r->total), pf_share_text(sum_share, sum, r->total),
	    pf_value_text(cum, n->cum, r->unit, t->g->unit),
	    pf_share_text(cum_share, n->cum, r->total), pf_frames_name(&r->frames, n->name));
	print_edges(t, n, false);
}

/* All nodes (regex NULL) or those whose name matches; returns how many. */
static size_t
print_nodes(const struct tree *t, const regex_t *regex)
{
	size_t matched = 0;
	int64_t sum = 0;

	pf_view_header(t->r, t->g->unit, t->out);
	pf_graph_summary(t->g, t->r, t->out);
	pf_buffer_string(t->out, rule);
	pf_buffer_string(
	    t->out, "      flat  flat%   sum%        cum   cum%   calls calls% + context\n");
	for (size_t i = 0; i < t->g->node_count; i++) {
		const struct pf_graph_node *n = &t->g->nodes[i];
		const char *name = pf_frames_name(&t->r->frames, n->name);
		if (regex && regexec(regex, name, 0, NULL, 0) != 0)
			continue;
		sum += n->flat;
		matched++;
		print_node(t, n, sum);
	}
	if (t->g->node_count)
		pf_buffer_string(t->out, rule);
	return matched;
}

static int
print(const struct pf_view *r, const regex_t *regex, size_t *matched, struct pf_buffer *out,
    struct pf_error *err)
{
	struct pf_graph g;
	struct tree t = {.r = r, .g = &g, .out = out};
	int rc = pf_graph_init(&g, r, err);

	if (rc)
		return rc;
	if (g.edge_count)
		qsort_r(g.edges, g.edge_count, sizeof *g.edges, compare_edges, (void *)&r->frames);
	rc = list_edges(&t, true, &t.callers, err);
	if (!rc)
		rc = list_edges(&t, false, &t.callees, err);
	if (!rc)
		*matched = print_nodes(&t, regex);
	free(t.callers.edges);
	free(t.callers.starts);
	free(t.callees.edges);
	free(t.callees.starts);
	pf_graph_release(&g);
	return rc ? rc : pf_buffer_check(out, err);
}

int
pf_view_tree(const struct pf_view *r, struct pf_buffer *out, struct pf_error *err)
{
	size_t matched;

	return print(r, NULL, &matched, out, err);
}

int
pf_view_peek(
    const struct pf_view *r, const char *expression, struct pf_buffer *out, struct pf_error *err)
{
	size_t matched = 0;
	regex_t regex;
	int rc = pf_view_compile(&regex, expression, "peek", err);

	if (rc)
		return rc;
	rc = print(r, &regex, &matched, out, err);
	regfree(&regex);
	if (!rc && !matched && r->kept_count)
		rc = pf_error_set(err, PF_EINPUT,
		    "no function of this profile matches %s; profuse show top lists them",
		    expression);
	return rc;
}
