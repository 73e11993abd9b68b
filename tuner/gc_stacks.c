/* gc_stacks.c: whose work the collector is: the stacks that a finding about it shows. */
#include <string.h>

#include "tuner/detect.h"
#include "tuner/sites.h"

static bool
collects(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	(void)ep;
	return (s->traits & PF_CODE_GC) && !(s->traits & PF_CODE_GC_IDLE);
}

/* What was fetched for this report is no work of the service's. */
static bool
is_no_fetch(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	for (size_t i = 0; i < s->count; i++) {
		const char *name = pf_frames_name(&ep->frames, s->names[i]);
		if (strncmp(name, "runtime/pprof.", 14) == 0 ||
		    strncmp(name, "net/http/pprof.", 15) == 0)
			return false;
	}
	return true;
}

static bool
allocates_for_service(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	return pf_allocates(s, ep) && is_no_fetch(s, ep);
}

int
pf_show_gc_allocators(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	static const char *const allocated[] = {"alloc_space", NULL};
	const struct pf_evidence_profile *ep = pf_evidence_last(e, PF_PROFILE_ALLOCS);
	uint32_t column = PF_NONE;
	struct pf_sites sites;
	int rc;

	if (!ep)
		ep = pf_evidence_last(e, PF_PROFILE_HEAP);
	if (ep)
		column = pf_evidence_column(ep, allocated);
	if (column != PF_NONE) {
		rc = pf_sites_of(&sites, ep, column, is_no_fetch, err);
		if (!rc)
			rc = pf_show_sites(f, ep, &sites, 3, "bytes", err);
	} else {
		ep = pf_cpu_profile(e, &column);
		if (!ep)
			return 0;
		rc = pf_sites_of(&sites, ep, column, allocates_for_service, err);
		if (!rc)
			rc = pf_show_sites(f, ep, &sites, 3, "share_of_allocation", err);
	}
	pf_sites_release(&sites);
	return rc;
}

int
pf_show_gc_collector(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	uint32_t column;
	const struct pf_evidence_profile *ep = pf_cpu_profile(e, &column);
	struct pf_sites sites;
	double used;
	int rc;

	if (!ep)
		return 0;
	rc = pf_cpu_used(ep, column, &used, err);
	if (rc)
		return rc;
	rc = pf_sites_of(&sites, ep, column, collects, err);
	if (!rc && sites.count)
		rc = pf_show_stack(f, ep, sites.items[0].sample, sites.total, sites.total / used,
		    "share_of_cpu", err);
	if (!rc && sites.count)
		pf_set_own_share(f, sites.items[0].sample_value / used);
	pf_sites_release(&sites);
	return rc;
}
