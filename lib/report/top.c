/* top.c: the table of the heaviest names, and the words above every table. */
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "report/graph.h"
#include "report/units.h"

void
pf_graph_summary(const struct pf_graph *g, const struct pf_view *r, struct pf_buffer *out)
{
	char shown[PF_VALUE_TEXT], share[PF_VALUE_TEXT], total[PF_VALUE_TEXT];
	const char *percent = pf_share_text(share, g->shown, r->total);

	pf_buffer_printf(out, "Showing nodes accounting for %s, %s of %s total\n",
	    pf_value_text(shown, g->shown, r->unit, g->unit), percent + strspn(percent, " "),
	    pf_value_text(total, r->total, r->unit, g->unit));
	if (r->total && g->least_count) {
		int64_t least = (int64_t)((double)r->total * r->options.least_share);
		pf_buffer_printf(out, "Dropped %zu node%s (cum <= %s)\n", g->least_count,
		    g->least_count > 1 ? "s" : "", pf_value_text(shown, least, r->unit, g->unit));
	}
	if (r->total && g->node_count && g->node_count < g->all_count)
		pf_buffer_printf(
		    out, "Showing top %zu nodes out of %zu\n", g->node_count, g->all_count);
}

int
pf_graph_inline_marks(
    const struct pf_graph *g, const struct pf_view *r, const char ***marks, struct pf_error *err)
{
	static const char whole[] = " (inline)", part[] = " (partial-inline)", none[] = "";
	uint8_t *seen; /* bit 0: an inlined edge leads here; bit 1: a call does */
	size_t names = r->frames.names.count;
	int rc = PF_CALLOC(seen, names, err);

	*marks = NULL;
	if (!rc)
		rc = PF_CALLOC(*marks, names, err);
	for (size_t i = 0; !rc && i < g->edge_count; i++)
		seen[g->edges[i].to] |= g->edges[i].inlined ? 1 : 2;
	for (size_t i = 0; !rc && i < names; i++)
		(*marks)[i] = seen[i] == 1 ? whole : seen[i] == 3 ? part : none;
	free(seen);
	return rc;
}

static void
top_row(const struct pf_graph *g, const struct pf_view *r, const struct pf_graph_node *n,
    int64_t sum, const char *mark, struct pf_buffer *out)
{
	char flat[PF_VALUE_TEXT], cum[PF_VALUE_TEXT], flat_share[PF_VALUE_TEXT];
	char sum_share[PF_VALUE_TEXT], cum_share[PF_VALUE_TEXT];

	pf_buffer_printf(out, "%10s %s %s %10s %s  %s%s\n",
	    pf_value_text(flat, n->flat, r->unit, g->unit),
	    pf_share_text(flat_share, n->flat, r->total), pf_share_text(sum_share, sum, r->total),
	    pf_value_text(cum, n->cum, r->unit, g->unit),
	    pf_share_text(cum_share, n->cum, r->total), pf_frames_name(&r->frames, n->name), mark);
}

int
pf_view_top(const struct pf_view *r, struct pf_buffer *out, struct pf_error *err)
{
	const char **marks = NULL;
	struct pf_graph g;
	int64_t sum = 0;
	int rc = pf_graph_init(&g, r, err);

	if (rc)
		return rc;
	rc = pf_graph_inline_marks(&g, r, &marks, err);
	if (!rc) {
		pf_view_header(r, g.unit, out);
		pf_graph_summary(&g, r, out);
		pf_buffer_printf(
		    out, "%10s %5s%% %5s%% %10s %5s%%\n", "flat", "flat", "sum", "cum", "cum");
	}
	for (size_t i = 0; !rc && i < g.node_count; i++) {
		sum += g.nodes[i].flat;
		top_row(&g, r, &g.nodes[i], sum, marks[g.nodes[i].name], out);
	}
	free(marks);
	pf_graph_release(&g);
	return rc ? rc : pf_buffer_check(out, err);
}
