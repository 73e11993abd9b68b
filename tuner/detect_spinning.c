/*
 * detect_spinning.c: time lost at locks that don't sleep.
 *
 * Who spins waits on the processor, so locks that spin show in a CPU profile: where
 * taking one and waiting for it are functions of their own, the latter alone counts.
 */
#include "tuner/detect.h"

#include "tuner/sites.h"

#define SPINS 0.2 /* of CPU time */

/* On the processor, for a lock of the service's. */
static bool
spins(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	return s->count && (ep->traits[s->names[0]] & PF_CODE_SPIN) &&
	       pf_stack_with(s, ep, PF_CODE_LOCK) < pf_stack_own(s, ep) &&
	       !pf_stack_in_allocator(s, ep);
}

static int
report_spinning(struct pf_findings *f, const struct pf_evidence_profile *ep, uint32_t column,
    const struct pf_sites *sites, double used, struct pf_error *err)
{
	const char *owner = pf_site_name(ep, sites->items[0].name);
	double share = sites->total / used;
	char text[PF_AMOUNT_ROOM];

	pf_findings_add(f, "lock-contention",
	    pf_cpu_severity(ep, column, share >= 0.5 ? PF_SEVERITY_HIGH : PF_SEVERITY_MEDIUM),
	    PF_CONFIDENCE_MEDIUM,
	    pf_say(f, "%s of the CPU time is spent spinning for locks, most of it in %s",
		pf_amount(text, share, "share"), owner));
	pf_add_cpu_share(f, "cpu_share", share, pf_cpu_samples(ep));
	pf_add_number(f, "first_owner_share", sites->items[0].value / sites->total, "share");
	pf_add_caveat(f, PF_CONFIDENCE_MEDIUM,
	    pf_say(f, "Who spins is known, and for how much CPU time: how often, and who held the "
		      "lock meanwhile, no profile says."));
	pf_add_advice(f,
	    (struct pf_advice){
		.action = pf_say(f,
		    "Hold the lock in %s for less, split it by key (shards) or count in atomics; "
		    "and where it is held for more than a few hundred instructions, or there are "
		    "more threads than processors, take one that sleeps (a mutex).",
		    owner),
		.risk = pf_say(f, "A holder that loses its processor makes all others spin until "
				  "it is back.")});
	pf_add_measurement(f, "cpu", "share",
	    pf_say(f, "profuse bench --before CMD --after CMD --load URL --rate N"));
	return pf_show_sites(f, ep, sites, 3, "share_of_spinning", err);
}

int
pf_detect_spinning(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	uint32_t column;
	const struct pf_evidence_profile *ep = pf_cpu_profile(e, &column);
	struct pf_sites sites;
	double used, low, high;
	int rc;

	if (!ep || pf_cpu_is_idle(ep, column))
		return 0;
	rc = pf_cpu_used(ep, column, &used, err);
	if (rc || !(used > 0))
		return rc;
	rc = pf_sites_of(&sites, ep, column, spins, err);
	pf_share_interval(sites.total / used, pf_cpu_samples(ep), &low, &high);
	if (!rc && sites.count && sites.total >= SPINS * used && low > SPINS * 0.7)
		rc = report_spinning(f, ep, column, &sites, used, err);
	pf_sites_release(&sites);
	return rc;
}
