/*
 * detect_ended.c: threads that wait for a lock whose holder is no more: nobody lets it go, ever.
 *
 * The agent says so (label holder_state): the lock bears a number that is no thread's any more. Of a lock between
 * processes it can see no further than its own pid namespace, and what forks take over looks the same for a
 * moment, so they must have waited for longer than anybody holds a lock who gets on.
 */
#include "tuner/detect.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "tuner/sites.h"

struct ended {
	const struct pf_evidence_profile *ep;
	struct pf_sites sites; /* of those who wait */
	double shortest, longest;
	int64_t holder;
	bool shared; /* all are between processes */
};

static int
read_ended(struct ended *d, struct pf_error *err)
{
	const struct pf_profile *p = d->ep->p;
	struct pf_stack stack = {0};
	int rc = 0;

	for (size_t i = 0; !rc && i < p->sample_count; i++) {
		const char *state = pf_sample_text(p, i, "holder_state");
		double waited = pf_sample_waited(p, i);
		bool shared = strcmp(state, "unseen") == 0;

		if (!(shared || strcmp(state, "ended") == 0) || waited < PF_STUCK_FOR)
			continue;
		rc = pf_stack_read(&stack, d->ep, i, err);
		if (!rc)
			rc = pf_sites_add(&d->sites, pf_stack_owner(&stack, d->ep), 1, 1, i, err);
		d->shortest = fmin(d->shortest, waited);
		d->longest = fmax(d->longest, waited);
		d->shared &= shared;
		if (!d->holder)
			d->holder = pf_sample_number(p, i, "holder");
	}
	pf_stack_release(&stack);
	pf_sites_sort(&d->sites);
	return rc;
}

static void
advise(struct pf_findings *f, const struct ended *d)
{
	pf_add_advice(
	    f, (struct pf_advice){
		   .action = pf_say(f,
		       "Look for the way out that does not unlock: an early return on an error, an "
		       "exception, a thread that is cancelled or ends, a fork with the lock held. "
		       "Let a "
		       "guard unlock (std::lock_guard, pthread_cleanup_push)."),
		   .how = pf_say(f, "GET /debug/pprof/threads?debug=2 shows who holds what")});
	pf_add_advice(
	    f, (struct pf_advice){
		   .action = pf_say(
		       f, d->shared ? "Make the mutex robust: who waits for it is told "
				      "that its holder has died, and can repair what it protects."
				    : "Where holders may end without warning, make the "
				      "mutex robust: who waits for it is told."),
		   .how = pf_say(f, "pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST), and "
				    "pthread_mutex_consistent() where a lock returns EOWNERDEAD")});
}

static int
report(struct pf_findings *f, const struct ended *d, struct pf_error *err)
{
	const char *owner = pf_site_name(d->ep, d->sites.items[0].name);
	double n = d->sites.total;
	struct pf_finding *finding = pf_findings_add(f, "deadlock", PF_SEVERITY_HIGH,
	    PF_CONFIDENCE_HIGH,
	    pf_say(f, "Deadlock: %s waits for a lock whose holder has ended without letting it go",
		owner));

	finding->summary = pf_say(f,
	    "%.0f thread%s waited %.0f s and longer, and will for ever: the lock says that thread "
	    "%" PRId64 " holds it, and there is no such thread any more%s.",
	    n, n > 1 ? "s have" : " has", d->shortest, d->holder,
	    d->shared ? " in any process that can be seen" : "");
	pf_add_number(f, "threads_waiting_for_locks", n, "count");
	pf_add_number(f, "longest_wait", d->longest, "seconds");
	if (d->shared)
		pf_add_caveat(f, PF_CONFIDENCE_MEDIUM,
		    pf_say(f, "The lock is one between processes: a holder in another pid "
			      "namespace (another container) can't be seen from here."));
	advise(f, d);
	return pf_show_sites(f, d->ep, &d->sites, 3, "threads", err);
}

int
pf_detect_ended(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	struct ended d = {
	    .ep = pf_evidence_last(e, PF_PROFILE_THREADS), .shortest = INFINITY, .shared = true};
	int rc = d.ep ? read_ended(&d, err) : 0;

	if (!rc && d.sites.count)
		rc = report(f, &d, err);
	pf_sites_release(&d.sites);
	return rc ? rc : pf_findings_check(f, err);
}
