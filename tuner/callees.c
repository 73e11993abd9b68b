/* callees.c: see callees.h. */
#include "tuner/callees.h"

/* What the service's own function has called in a stack, of a library that does no allocating itself; PF_NONE: nothing. */
static uint32_t
called(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	size_t own = pf_stack_own(s, ep);
	uint32_t name = own && own < s->count ? s->names[own - 1] : PF_NONE;

	return name != PF_NONE && (ep->traits[name] & PF_CODE_LIBRARY) &&
		       !(ep->traits[name] & PF_CODE_ALLOCATION)
		   ? name
		   : PF_NONE;
}

int
pf_callee_of(struct pf_callee *callee, const struct pf_evidence_profile *ep, uint32_t column,
    pf_sample_wanted *wanted, uint32_t owner, struct pf_error *err)
{
	struct pf_sites some = {0}, all = {0};
	struct pf_stack s = {0};
	double of_owner = 0;
	int rc = 0;

	*callee = (struct pf_callee){0};
	for (size_t i = 0; !rc && i < ep->p->sample_count; i++) {
		double value = pf_value(ep, i, column);
		uint32_t name;

		rc = pf_stack_read(&s, ep, i, err);
		if (rc || !s.count || pf_stack_owner(&s, ep) != owner)
			continue;
		name = called(&s, ep);
		if (wanted(&s, ep)) {
			of_owner += value;
			rc = name == PF_NONE ? 0 : pf_sites_add(&some, name, value, 1, i, err);
		}
		if (!rc && name != PF_NONE)
			rc = pf_sites_add(&all, name, value, 1, i, err);
	}
	pf_stack_release(&s);
	pf_sites_sort(&some);
	if (!rc && some.count && some.items[0].value > 0.5 * of_owner) {
		callee->name = pf_site_name(ep, some.items[0].name);
		callee->share = some.items[0].value / of_owner;
		for (size_t i = 0; i < all.count; i++) {
			if (all.items[i].name == some.items[0].name)
				callee->all = all.items[i].value / pf_column_total(ep, column);
		}
	}
	pf_sites_release(&some);
	pf_sites_release(&all);
	return rc;
}
