/* unlockers.c: see unlockers.h. */
#include "tuner/unlockers.h"

#include <string.h>

#include "tuner/sites.h"

#define HARDLY 0.1 /* of the time that its caller is seen to work */

static const char *const walls[] = {"wall", NULL};
static const char *const cpus[] = {"cpu", "samples", NULL};
static const char *const delays[] = {"delay", NULL};

static int
main_caller(const char **caller, const struct pf_evidence_profile *ep, uint32_t column,
    uint32_t name, struct pf_error *err)
{
	struct pf_sites callers;
	int rc = pf_callers_of(&callers, ep, column, NULL, name, err);

	if (!rc && callers.count && callers.items[0].value > 0.5 * callers.total)
		*caller = pf_site_name(ep, callers.items[0].name);
	pf_sites_release(&callers);
	return rc;
}

/* What stacks with this function in them have in a profile: those that wait at locks, and the others. */
static int
time_in(double *working, double *waiting, const struct pf_evidence_profile *ep, uint32_t column,
    const char *function, struct pf_error *err)
{
	struct pf_stack s = {0};
	int rc = 0;

	*working = *waiting = 0;
	for (size_t i = 0; !rc && i < ep->p->sample_count; i++) {
		rc = pf_stack_read(&s, ep, i, err);
		if (!rc && pf_stack_has(&s, ep, function))
			*(pf_stack_waits_at_lock(&s, ep) ? waiting : working) +=
			    pf_value(ep, i, column);
	}
	pf_stack_release(&s);
	return rc;
}

int
pf_unlocker_caller(const struct pf_evidence *e, const struct pf_evidence_profile *ep,
    uint32_t column, uint32_t name, const char **caller, struct pf_error *err)
{
	const struct pf_evidence_profile *block = pf_evidence_last(e, PF_PROFILE_BLOCK);
	const struct pf_evidence_profile *time = pf_evidence_last(e, PF_PROFILE_WALL);
	uint32_t waits = block ? pf_evidence_column(block, delays) : PF_NONE, spent;
	const char *function = pf_site_name(ep, name), *candidate = NULL;
	double inside, of_caller, waited, unused;
	int rc;

	*caller = NULL;
	if (!time)
		time = pf_evidence_last(e, PF_PROFILE_CPU);
	spent =
	    time ? pf_evidence_column(time, time->kind == PF_PROFILE_WALL ? walls : cpus) : PF_NONE;
	if (waits == PF_NONE || spent == PF_NONE || *function == '[')
		return 0;
	rc = main_caller(&candidate, ep, column, name, err);
	if (rc || !candidate)
		return rc;
	rc = time_in(&unused, &waited, block, waits, function, err);
	if (!rc)
		rc = time_in(&inside, &unused, time, spent, function, err);
	if (!rc)
		rc = time_in(&of_caller, &unused, time, spent, candidate, err);
	if (!rc && waited == 0 && of_caller > 0 && inside <= HARDLY * of_caller)
		*caller = candidate;
	return rc;
}
