/*
 * detect_spinning.c: time lost at locks that don't sleep.
 *
 * Who spins waits on the processor, so locks that spin show in a CPU profile: where
 * taking one and waiting for it are functions of their own, the latter alone counts.
 * Each channel of Go's has such a lock: who shares one among many spins there.
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

/* On the processor, for the lock of a channel that the service uses. */
static bool
spins_at_channel(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	size_t channel = pf_stack_with(s, ep, PF_CODE_CHANNEL);

	return channel < pf_stack_own(s, ep) && pf_stack_own(s, ep) < s->count &&
	       pf_stack_with(s, ep, PF_CODE_INNER_LOCK) < channel;
}

static void
advise_channels(struct pf_findings *f, const char *owner)
{
	pf_add_advice(
	    f, (struct pf_advice){
		   .action = pf_say(f,
		       "Let fewer goroutines share the channel of %s, and use it less often: send "
		       "batches (slices) in place of single values, give each worker or shard a "
		       "channel of its own, or count in atomics.",
		       owner)});
}

static void
advise_spinning(struct pf_findings *f, const char *owner)
{
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
}

static int
report(struct pf_findings *f, const struct pf_evidence_profile *ep, uint32_t column,
    const struct pf_sites *sites, double used, bool channels, struct pf_error *err)
{
	const char *owner = pf_site_name(ep, sites->items[0].name);
	double share = sites->total / used;
	char text[PF_AMOUNT_ROOM];

	pf_findings_add(f, "lock-contention",
	    pf_cpu_severity(ep, column, share >= 0.5 ? PF_SEVERITY_HIGH : PF_SEVERITY_MEDIUM),
	    PF_CONFIDENCE_MEDIUM,
	    pf_say(f,
		channels ? "%s of the CPU time is spent at the locks of channels, most of it in %s"
			 : "%s of the CPU time is spent spinning for locks, most of it in %s",
		pf_amount(text, share, "share"), owner));
	pf_add_cpu_share(f, "cpu_share", share, pf_cpu_samples(ep));
	pf_add_number(f, "first_owner_share", sites->items[0].value / sites->total, "share");
	(channels ? advise_channels : advise_spinning)(f, owner);
	pf_add_measurement(f, "cpu", "share",
	    pf_say(f, "profuse bench --before CMD --after CMD --load URL --rate N"));
	return pf_show_sites(f, ep, sites, 3, "share_of_spinning", err);
}

static int
judge(const struct pf_evidence_profile *ep, uint32_t column, double used, bool channels,
    struct pf_findings *f, struct pf_error *err)
{
	struct pf_sites sites;
	double low, high;
	int rc = pf_sites_of(&sites, ep, column, channels ? spins_at_channel : spins, err);

	pf_share_interval(sites.total / used, pf_cpu_samples(ep), &low, &high);
	if (!rc && sites.count && sites.total >= SPINS * used && low > SPINS * 0.7)
		rc = report(f, ep, column, &sites, used, channels, err);
	pf_sites_release(&sites);
	return rc;
}

int
pf_detect_spinning(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	uint32_t column;
	const struct pf_evidence_profile *ep = pf_cpu_profile(e, &column);
	double used;
	int rc;

	if (!ep || pf_cpu_is_idle(ep, column))
		return 0;
	rc = pf_cpu_used(ep, column, &used, err);
	if (rc || !(used > 0))
		return rc;
	rc = judge(ep, column, used, false, f, err);
	return rc ? rc : judge(ep, column, used, true, f, err);
}
