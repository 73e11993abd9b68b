/* diff.c: what changed against a base: before, after and the difference per name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "report/graph.h"
#include "report/units.h"

/* A difference with its sign, and its share of the base. */
static void
difference(
    const struct pf_graph *g, const struct pf_view *r, int64_t value, char *text, char *share)
{
	char number[PF_VALUE_TEXT], percent[PF_VALUE_TEXT];
	const char *sign = value > 0 ? "+" : value < 0 ? "-" : "";
	const char *at;

	pf_value_text(number, pf_magnitude(value), r->unit, g->unit);
	snprintf(text, PF_VALUE_TEXT, "%s%.40s", sign, number);
	pf_share_text(percent, value, r->total);
	at = percent + strspn(percent, " ");
	snprintf(share, PF_VALUE_TEXT, "%s%.40s", sign, at);
}

static void
diff_row(const struct pf_graph *g, const struct pf_view *r, const struct pf_graph_node *n,
    struct pf_buffer *out)
{
	char before[PF_VALUE_TEXT], after[PF_VALUE_TEXT], flat[PF_VALUE_TEXT], cum[PF_VALUE_TEXT];
	char flat_share[PF_VALUE_TEXT], cum_share[PF_VALUE_TEXT];

	difference(g, r, n->flat, flat, flat_share);
	difference(g, r, n->cum, cum, cum_share);
	pf_buffer_printf(out, "%10s %10s %10s %8s %10s %8s  %s\n",
	    pf_value_text(before, -n->base_flat, r->unit, g->unit),
	    pf_value_text(after, n->flat - n->base_flat, r->unit, g->unit), flat, flat_share, cum,
	    cum_share, pf_frames_name(&r->frames, n->name));
}

/* The totals of all samples that are shown, before and after. */
static void
diff_totals(const struct pf_graph *g, const struct pf_view *r, struct pf_buffer *out)
{
	char before[PF_VALUE_TEXT], after[PF_VALUE_TEXT], text[PF_VALUE_TEXT], share[PF_VALUE_TEXT];
	int64_t base = 0, now = 0;

	for (size_t i = 0; i < r->p->sample_count; i++) {
		if (!r->kept[i])
			continue;
		if (r->is_base && r->is_base[i])
			base -= pf_view_value(r, i);
		else
			now += pf_view_value(r, i);
	}
	difference(g, r, now - base, text, share);
	pf_buffer_printf(out, "Before: %s, after: %s, difference: %s (%s)\n",
	    pf_value_text(before, base, r->unit, g->unit),
	    pf_value_text(after, now, r->unit, g->unit), text, share);
}

int
pf_view_diff(const struct pf_view *r, struct pf_buffer *out, struct pf_error *err)
{
	struct pf_graph g;
	int rc = pf_graph_init(&g, r, err);

	if (rc)
		return rc;
	pf_view_header(r, g.unit, out);
	diff_totals(&g, r, out);
	if (g.least_count)
		pf_buffer_printf(out, "Dropped %zu node%s that changed less\n", g.least_count,
		    g.least_count > 1 ? "s" : "");
	if (g.node_count < g.all_count)
		pf_buffer_printf(
		    out, "Showing top %zu nodes out of %zu\n", g.node_count, g.all_count);
	pf_buffer_printf(out, "%10s %10s %10s %8s %10s %8s\n", "before", "after", "flat", "flat%",
	    "cum", "cum%");
	for (size_t i = 0; i < g.node_count; i++)
		diff_row(&g, r, &g.nodes[i], out);
	pf_graph_release(&g);
	return pf_buffer_check(out, err);
}
