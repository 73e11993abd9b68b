/* graph.c: building a graph from samples; see graph.h. */
#include "report/graph.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "report/units.h"

/* While building, node i is name i. */
struct builder {
	const struct pf_view *r;
	struct pf_graph *g;
	struct pf_graph_node *nodes; /* one per name */
	const uint8_t *wanted;       /* of each name; NULL: all */
	struct pf_index edges;
	size_t *node_seen, *edge_seen; /* the last sample (from 1) that counted it */
	size_t edge_seen_capacity;
};

static int
add_edge(struct builder *b, uint32_t from, uint32_t to, int64_t value, bool inlined, size_t stamp,
    struct pf_error *err)
{
	uint32_t hash = pf_hash_pair(from, to), i;
	struct pf_graph *g = b->g;
	size_t at = 0;
	int rc;

	for (i = pf_index_first(&b->edges, hash, &at); i != PF_NONE;
	    i = pf_index_next(&b->edges, hash, &at)) {
		struct pf_graph_edge *e = &g->edges[i];
		if (e->from != from || e->to != to)
			continue;
		if (b->edge_seen[i] == stamp)
			return 0;
		b->edge_seen[i] = stamp;
		e->weight += value;
		e->inlined &= inlined;
		return 0;
	}
	rc = PF_GROW(g->edges, g->edge_capacity, g->edge_count + 1, err);
	if (!rc)
		rc = PF_GROW(b->edge_seen, b->edge_seen_capacity, g->edge_count + 1, err);
	if (!rc)
		rc = pf_index_add(&b->edges, hash, (uint32_t)g->edge_count, err);
	if (rc)
		return rc;
	b->edge_seen[g->edge_count] = stamp;
	g->edges[g->edge_count++] =
	    (struct pf_graph_edge){.from = from, .to = to, .weight = value, .inlined = inlined};
	return 0;
}

/* Where the walk down a stack stands: the name last counted, and whether one was stepped over since. */
struct walk {
	uint32_t above; /* PF_NONE at the root */
	bool skipped;
};

static int
add_frame(struct builder *b, size_t sample, struct walk *walk, uint32_t name, bool inlined,
    struct pf_error *err)
{
	int64_t value = pf_view_value(b->r, sample);
	int rc = 0;

	if (b->wanted && !b->wanted[name]) {
		walk->skipped = true;
		return 0;
	}
	if (b->node_seen[name] != sample + 1) {
		b->node_seen[name] = sample + 1;
		b->nodes[name].cum += value;
		if (b->r->is_base && b->r->is_base[sample])
			b->nodes[name].base_cum += value;
	}
	if (walk->above != PF_NONE && walk->above != name)
		rc = add_edge(b, walk->above, name, value, inlined, sample + 1, err);
	walk->above = name;
	walk->skipped = false;
	return rc;
}

static int
add_sample(struct builder *b, size_t sample, struct pf_error *err)
{
	const struct pf_frames *f = &b->r->frames;
	const struct pf_profile *p = b->r->p;
	uint64_t leaf = pf_frames_leaf(f, sample);
	struct walk walk = {.above = PF_NONE};
	int rc = 0;

	for (uint64_t i = p->frame_starts[sample + 1]; i-- > leaf;) {
		uint64_t first = f->starts[p->frames[i]], end = f->starts[p->frames[i] + 1];
		for (uint64_t j = end; !rc && j-- > first;)
			rc = add_frame(b, sample, &walk, f->runs[j], j + 1 != end, err);
	}
	if (!rc && walk.above != PF_NONE && !walk.skipped) {
		b->nodes[walk.above].flat += pf_view_value(b->r, sample);
		if (b->r->is_base && b->r->is_base[sample])
			b->nodes[walk.above].base_flat += pf_view_value(b->r, sample);
	}
	return rc;
}

/* A graph of the wanted names (NULL: all), one node per name, zeros included. */
static int
build(struct builder *b, const uint8_t *wanted, struct pf_error *err)
{
	size_t names = b->r->frames.names.count;
	int rc = 0;

	memset(b->nodes, 0, names * sizeof *b->nodes);
	memset(b->node_seen, 0, names * sizeof *b->node_seen);
	pf_index_release(&b->edges);
	b->g->edge_count = 0;
	b->wanted = wanted;
	for (uint32_t i = 0; i < names; i++)
		b->nodes[i].name = i;
	for (size_t i = 0; !rc && i < b->r->p->sample_count; i++) {
		if (b->r->kept[i] && pf_view_value(b->r, i))
			rc = add_sample(b, i, err);
	}
	return rc;
}

/* Moves the nodes that came to anything, and are wanted, to the graph. */
static int
collect_nodes(struct builder *b, const uint8_t *wanted, struct pf_error *err)
{
	struct pf_graph *g = b->g;
	size_t names = b->r->frames.names.count;
	int rc = 0;

	if (!g->nodes)
		rc = PF_CALLOC(g->nodes, names, err);
	g->node_count = 0;
	g->shown = 0;
	for (size_t i = 0; !rc && i < names; i++) {
		const struct pf_graph_node *n = &b->nodes[i];
		if ((wanted && !wanted[i]) || (!n->flat && !n->cum))
			continue;
		g->nodes[g->node_count++] = *n;
		g->shown += n->flat;
	}
	return rc;
}

static int
compare_nodes(const void *a, const void *b, void *data)
{
	const struct pf_graph_node *x = a, *y = b;
	const struct pf_view *r = data;
	int64_t first = pf_magnitude(r->options.sort_by_cum ? x->cum : x->flat);
	int64_t second = pf_magnitude(r->options.sort_by_cum ? y->cum : y->flat);

	if (first != second)
		return first > second ? -1 : 1;
	return strcmp(pf_frames_name(&r->frames, x->name), pf_frames_name(&r->frames, y->name));
}

static void
sort_nodes(struct pf_graph *g, const struct pf_view *r)
{
	if (g->node_count)
		qsort_r(g->nodes, g->node_count, sizeof *g->nodes, compare_nodes, (void *)r);
}

/* The least magnitude that is shown, of a share of everything in the graph. */
static int64_t
cutoff(const struct pf_graph *g, double share)
{
	return pf_magnitude((int64_t)((double)g->shown * share));
}

static size_t
mark_heavy(const struct pf_graph *g, int64_t least, size_t most, uint8_t *wanted, size_t names)
{
	size_t count = 0;

	memset(wanted, 0, names);
	for (size_t i = 0; i < g->node_count && count < most; i++) {
		if (pf_magnitude(g->nodes[i].cum) >= least) {
			wanted[g->nodes[i].name] = 1;
			count++;
		}
	}
	return count;
}

static void
drop_light_edges(struct pf_graph *g, int64_t least)
{
	size_t kept = 0;

	for (size_t i = 0; i < g->edge_count; i++) {
		if (pf_magnitude(g->edges[i].weight) >= least)
			g->edges[kept++] = g->edges[i];
	}
	g->edge_count = kept;
}

/* The unit that suits the graph's least and greatest values. */
static const char *
choose_unit(const struct pf_graph *g, const struct pf_view *r)
{
	int64_t least = 0;

	if (r->options.unit && strcmp(r->options.unit, "auto") != 0)
		return r->options.unit;
	for (size_t i = 0; i < g->node_count; i++) {
		int64_t value = pf_magnitude(g->nodes[i].flat);
		if (!value)
			value = pf_magnitude(g->nodes[i].cum);
		if (value && (!least || value < least))
			least = value;
	}
	return g->node_count ? pf_common_unit(least ? least : r->total, r->total, r->unit)
			     : r->unit;
}

/* First without the light nodes, then, of what remains, the greatest: each time counted anew. */
static int
trim(struct builder *b, uint8_t *wanted, struct pf_error *err)
{
	const struct pf_view_options *o = &b->r->options;
	size_t names = b->r->frames.names.count, count;
	struct pf_graph *g = b->g;
	int64_t least = cutoff(g, o->least_share), least_edge = cutoff(g, o->least_edge);
	int rc = 0;

	count = mark_heavy(g, least, SIZE_MAX, wanted, names);
	g->least_count = g->node_count - count;
	if (g->least_count) {
		rc = build(b, wanted, err);
		if (!rc)
			rc = collect_nodes(b, wanted, err);
	}
	g->all_count = g->node_count;
	sort_nodes(g, b->r);
	if (!rc && o->node_limit && o->node_limit < g->node_count) {
		mark_heavy(g, 0, o->node_limit, wanted, names);
		rc = build(b, wanted, err);
		if (!rc)
			rc = collect_nodes(b, wanted, err);
		sort_nodes(g, b->r);
	}
	drop_light_edges(g, least_edge);
	return rc;
}

int
pf_graph_init(struct pf_graph *g, const struct pf_view *r, struct pf_error *err)
{
	struct builder b = {.r = r, .g = g};
	size_t names = r->frames.names.count;
	uint8_t *wanted = NULL;
	int rc;

	*g = (struct pf_graph){0};
	rc = PF_CALLOC(b.nodes, names, err);
	if (!rc)
		rc = PF_CALLOC(b.node_seen, names, err);
	if (!rc)
		rc = PF_CALLOC(wanted, names, err);
	if (!rc)
		rc = build(&b, NULL, err);
	if (!rc)
		rc = collect_nodes(&b, NULL, err);
	if (!rc)
		rc = trim(&b, wanted, err);
	if (!rc)
		g->unit = choose_unit(g, r);
	free(wanted);
	free(b.nodes);
	free(b.node_seen);
	free(b.edge_seen);
	pf_index_release(&b.edges);
	if (rc)
		pf_graph_release(g);
	return rc;
}

void
pf_graph_release(struct pf_graph *g)
{
	free(g->nodes);
	free(g->edges);
	*g = (struct pf_graph){0};
}
