/* growth.c: see growth.h. */
#include "tuner/growth.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "report/text.h"
#include "tuner/sites.h"

enum { MOST_SNAPSHOTS = 1000, PLOTTED = 6 };

static const char *const in_use[] = {"inuse_space", "space", NULL};
static const char *const objects_in_use[] = {"inuse_objects", "objects", NULL};

static double
variance_of(const struct pf_evidence_profile *ep, double bytes, double objects)
{
	double rate = (double)ep->p->period, size = objects > 0 ? bytes / objects : bytes, p;

	if (rate <= 1 || size <= 0)
		return 0;
	p = -expm1(-size / rate);
	return bytes * size * (1 - p) / p;
}

static int
sum_snapshot(struct pf_growth *g, size_t snapshot, bool counting, struct pf_error *err)
{
	const struct pf_evidence_profile *ep = g->profiles[snapshot];
	uint32_t column = pf_evidence_column(ep, in_use),
		 count = pf_evidence_column(ep, objects_in_use);
	struct pf_stack stack = {0};
	int rc = 0;

	for (size_t i = 0; !rc && i < ep->p->sample_count; i++) {
		double bytes = pf_value(ep, i, column);
		double objects = count == PF_NONE ? 0 : pf_value(ep, i, count);
		const char *name;
		uint32_t id;

		if (bytes <= 0)
			continue;
		rc = pf_stack_read(&stack, ep, i, err);
		if (rc)
			break;
		name = pf_site_name(ep, pf_stack_owner(&stack, ep));
		rc = pf_strings_add(&g->owners, name, strlen(name), &id, err);
		if (rc || counting)
			continue;
		g->bytes[snapshot * g->room + id] += bytes;
		g->variance[snapshot * g->room + id] += variance_of(ep, bytes, objects);
	}
	pf_stack_release(&stack);
	return rc;
}

void
pf_growth_release(struct pf_growth *g)
{
	pf_strings_release(&g->owners);
	free(g->bytes);
	free(g->variance);
	free(g->profiles);
	free(g->times);
}

static double
time_of(const struct pf_evidence *e, const struct pf_evidence_profile *ep, size_t i)
{
	return e->doubts[PF_PROFILE_HEAP].times_missing
		   ? (double)i
		   : (double)pf_profile_time_nanos(ep->p) / 1e9;
}

/* Two rounds: the first names every owner, the second has room for all. */
int
pf_growth_init(struct pf_growth *g, const struct pf_evidence *e,
    const struct pf_evidence_profile *base, struct pf_error *err)
{
	const struct pf_evidence_profile *ep = base;
	int rc;

	*g = (struct pf_growth){0};
	rc = pf_strings_init(&g->owners, err);
	if (!rc)
		rc = PF_CALLOC(g->profiles, e->profile_count + 1, err);
	if (!rc)
		rc = PF_CALLOC(g->times, e->profile_count + 1, err);
	if (rc)
		return rc;
	if (base)
		g->profiles[g->snapshots++] = base;
	for (ep = base ? pf_evidence_last(e, PF_PROFILE_HEAP)
		       : pf_evidence_next(e, PF_PROFILE_HEAP, NULL);
	    ep && g->snapshots < MOST_SNAPSHOTS;
	    ep = base ? NULL : pf_evidence_next(e, PF_PROFILE_HEAP, ep)) {
		g->times[g->snapshots] = time_of(e, ep, g->snapshots);
		g->profiles[g->snapshots++] = ep;
	}
	for (size_t i = 0; !rc && i < g->snapshots; i++)
		rc = sum_snapshot(g, i, true, err);
	g->room = g->owners.count;
	if (!rc)
		rc = PF_CALLOC(g->bytes, g->room * g->snapshots, err);
	if (!rc)
		rc = PF_CALLOC(g->variance, g->room * g->snapshots, err);
	for (size_t i = 0; !rc && i < g->snapshots; i++)
		rc = sum_snapshot(g, i, false, err);
	return rc;
}

struct peak {
	uint32_t owner;
	double last;
};

static int
greatest_first(const void *a, const void *b)
{
	const struct peak *x = a, *y = b;

	if (x->last != y->last)
		return x->last < y->last ? 1 : -1;
	return x->owner < y->owner ? -1 : x->owner > y->owner;
}

static void
write_series(
    const struct pf_growth *g, const struct peak *peaks, size_t count, struct pf_buffer *out)
{
	for (size_t i = 0; i < count; i++) {
		pf_buffer_string(out, i ? ",{\"name\":" : "{\"name\":");
		pf_json_text(out, pf_strings_get(&g->owners, peaks[i].owner));
		pf_buffer_string(out, ",\"values\":[");
		for (size_t s = 0; s < g->snapshots; s++)
			pf_buffer_printf(
			    out, "%s%.0f", s ? "," : "", pf_growth_at(g, s, peaks[i].owner));
		pf_buffer_string(out, "]}");
	}
}

int
pf_growth_json(const struct pf_evidence *e, struct pf_buffer *out, struct pf_error *err)
{
	struct peak *peaks = NULL;
	struct pf_growth g;
	size_t count = 0;
	int rc = pf_growth_init(&g, e, NULL, err);

	if (!rc)
		rc = PF_CALLOC(peaks, g.room + 1, err);
	if (!rc && g.snapshots >= 3) {
		for (uint32_t owner = 1; owner < g.room; owner++)
			peaks[count++] =
			    (struct peak){owner, pf_growth_at(&g, g.snapshots - 1, owner)};
		qsort(peaks, count, sizeof *peaks, greatest_first);
		pf_buffer_printf(out, ",\n\"growth\":{\"timed\":%s,\"times\":[",
		    e->doubts[PF_PROFILE_HEAP].times_missing ? "false" : "true");
		for (size_t i = 0; i < g.snapshots; i++)
			pf_buffer_printf(out, "%s%.3f", i ? "," : "", g.times[i]);
		pf_buffer_string(out, "],\"series\":[");
		write_series(&g, peaks, count < PLOTTED ? count : PLOTTED, out);
		pf_buffer_string(out, "]}");
	}
	free(peaks);
	pf_growth_release(&g);
	return rc;
}
