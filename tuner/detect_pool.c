/*
 * detect_pool.c: threads that wait for one of few connections that a semaphore hands out, while those who
 * have one wait for whom they have asked.
 *
 * A pool of workers that wait for work at a semaphore looks the same, but for one thing: these have their
 * work from there, and threads that serve clients from clients. So it is a pool of connections where
 * the function that goes to the semaphore is called by one that is often seen to wait for clients as well, and for
 * somebody outside. Where no thread has time for clients any more, it can't be told.
 */
#include "tuner/detect.h"

#include <string.h>

#include "tuner/sites.h"

enum { LEAST_WAITING = 4, LEAST_LOOKS = 3 };

#define BUSY 0.6   /* of the CPUs */
#define IDLE_S 5.0 /* seconds: who waits so long waits for work */

struct pool {
	const char *owner, *caller; /* who waits at the semaphore, and in whose service */
	const struct pf_evidence_profile *ep;
	struct pf_sites sites; /* of the look that shows them */
	size_t looks, waiting, asking, serving;
};

static bool
waits_at_semaphore(const struct pf_evidence_profile *ep, size_t sample)
{
	return strcmp(pf_sample_text(ep->p, sample, "wait"), "semaphore") == 0 &&
	       pf_sample_waited(ep->p, sample) < IDLE_S;
}

/* Of a name that many functions have nothing follows. */
static bool
is_distinct(const char *name)
{
	return *name != '[' && strncmp(name, "operator()", 10) != 0;
}

/* The service's function that has called another one of its; s->count: none. */
static size_t
caller_of(const struct pf_stack *s, const struct pf_evidence_profile *ep, size_t own)
{
	size_t i = own + 1;

	while (i < s->count && ep->traits[s->names[i]])
		i++;
	return i;
}

/* Who waits at semaphores in one look; the pool is the most frequent one's. */
static int
find_pool(struct pool *p, const struct pf_evidence_profile *ep, struct pf_error *err)
{
	struct pf_stack s = {0};
	size_t own, caller;
	int rc = 0;

	for (size_t i = 0; !rc && i < ep->p->sample_count; i++) {
		if (!waits_at_semaphore(ep, i))
			continue;
		rc = pf_stack_read(&s, ep, i, err);
		own = rc ? 0 : pf_stack_own(&s, ep);
		if (!rc && caller_of(&s, ep, own) < s.count)
			rc = pf_sites_add(&p->sites, s.names[own], 1, 1, i, err);
	}
	pf_sites_sort(&p->sites);
	if (!rc && p->sites.count) {
		rc = pf_stack_read(&s, ep, p->sites.items[0].sample, err);
		own = rc ? 0 : pf_stack_own(&s, ep);
		caller = rc ? 0 : caller_of(&s, ep, own);
		if (!rc && is_distinct(pf_site_name(ep, s.names[own])) &&
		    is_distinct(pf_site_name(ep, s.names[caller]))) {
			p->ep = ep;
			p->owner = pf_site_name(ep, s.names[own]);
			p->caller = pf_site_name(ep, s.names[caller]);
		}
	}
	pf_stack_release(&s);
	return rc;
}

/* From a client, that is: its next request. */
static bool
reads(const struct pf_evidence_profile *ep, size_t sample)
{
	const char *call = pf_sample_text(ep->p, sample, "wait");

	return strncmp(call, "re", 2) == 0 || strstr(call, "poll");
}

static int
count_look(struct pool *p, const struct pf_evidence_profile *ep, struct pf_error *err)
{
	struct pf_stack s = {0};
	int rc = 0;

	for (size_t i = 0; !rc && i < ep->p->sample_count; i++) {
		rc = pf_stack_read(&s, ep, i, err);
		if (rc || !pf_stack_has(&s, ep, p->caller))
			continue;
		p->waiting += waits_at_semaphore(ep, i) && pf_stack_has(&s, ep, p->owner);
		p->asking += (s.traits & PF_CODE_ASKS) != 0;
		p->serving += (s.traits & PF_CODE_SERVER) && reads(ep, i);
	}
	pf_stack_release(&s);
	p->looks++;
	return rc;
}

static int
report(struct pf_findings *f, const struct pool *p, struct pf_error *err)
{
	double n = (double)p->looks;

	pf_findings_add(f, "external-wait", PF_SEVERITY_MEDIUM, PF_CONFIDENCE_LOW,
	    pf_say(f,
		"%.1f threads wait at a semaphore in %s on average, while %.1f wait for something "
		"outside (network or disk)",
		(double)p->waiting / n, p->owner, (double)p->asking / n));
	pf_add_number(f, "waiting_at_semaphore", (double)p->waiting / n, "threads");
	pf_add_number(f, "waiting_outside", (double)p->asking / n, "threads");
	pf_add_number(f, "looks", n, "count");
	pf_add_caveat(f, PF_CONFIDENCE_LOW,
	    pf_say(f,
		"That the semaphore hands out what these others use (a pool of connections, say) "
		"follows from all of them serving clients in %s.",
		p->caller));
	pf_add_advice(
	    f, (struct pf_advice){.action = pf_say(f,
				      "Let %s hand out more (a larger pool) if the other side has "
				      "room for more at once, or hold each for less time: ask for "
				      "less, and give it back before answering.",
				      p->owner),
		   .how = pf_say(f, "compare the other side's latency with this service's p50")});
	pf_add_measurement(f, "p99", "seconds",
	    pf_say(f,
		"tuning allocators or the collector will not change it; measure the wait itself"));
	return pf_show_sites(f, p->ep, &p->sites, 1, "threads", err);
}

static int
look_through(struct pool *p, const struct pf_evidence *e, struct pf_error *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < e->profile_count; i++) {
		if (pf_is_look(&e->profiles[i]))
			rc = count_look(p, &e->profiles[i], err);
	}
	return rc;
}

/* Some have time for their clients: workers that have to hand what clients send don't, or not for long. */
static bool
is_exhausted(const struct pool *p)
{
	return p->looks >= LEAST_LOOKS && 2 * p->serving >= p->looks && p->asking >= p->looks &&
	       p->waiting >= p->asking && p->waiting + p->asking >= LEAST_WAITING * p->looks;
}

int
pf_detect_pool(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	const struct pf_evidence_profile *last = pf_evidence_last(e, PF_PROFILE_THREADS);
	struct pool p = {0};
	int rc;

	if (!last || pf_busy_share(e) > BUSY)
		return 0;
	rc = find_pool(&p, last, err);
	if (!rc && p.owner)
		rc = look_through(&p, e, err);
	if (!rc && p.owner && is_exhausted(&p))
		rc = report(f, &p, err);
	pf_sites_release(&p.sites);
	return rc;
}
