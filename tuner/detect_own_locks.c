/*
 * detect_own_locks.c: threads that wait at the kernel's futexes otherwise than by the C library: at Abseil's or Rust's locks,
 * at std::atomic::wait, at a queue of the program's own. The agent sees that they wait, and where; who holds what, nobody tells.
 *
 * It is a lock where, look after look, one thread is inside of the function that the others wait in, and waits for no futex
 * there, or two, of which one has been woken just now: workers that wait for work are inside in any number, or all of them
 * where the function is the one that they were started with. All else is said, and not judged; those that wait for long wait for work.
 */
#include <math.h>
#include <string.h>

#include "tuner/detect.h"
#include "tuner/locks.h"

enum { LEAST_LOOKS = 3, LEAST_WAITING = 2 };

#define NEARLY_ALL 0.8 /* of the looks */
#define IDLE_S 1.0

struct own_locks {
	const char *function; /* in which most wait; NULL: none do */
	size_t looks, waited; /* all; in which some wait anywhere */
	double waiting;       /* threads over all looks, anywhere */
	/* In the function: */
	size_t met, few,
	    alone; /* looks in which some wait; in which one or two are inside besides; one */
	double here,
	    called; /* threads over all looks; of these by a function of the service's that called it */
	const struct pf_evidence_profile *ep; /* the last look with both */
	size_t waiter, holder;                /* samples of it */
};

static bool
waits(const struct pf_stack *s, const struct pf_evidence_profile *ep, size_t sample)
{
	return strcmp(pf_sample_text(ep->p, sample, "wait"), "futex") == 0 &&
	       pf_sample_waited(ep->p, sample) < IDLE_S && pf_stack_own(s, ep) < s->count &&
	       !pf_stack_in_allocator(s, ep) &&
	       !(s->traits & (PF_CODE_LOCK_WAIT | PF_CODE_CHANNEL));
}

/* Who waits in a look, by function; to be released. */
static int
waiters_of(struct pf_sites *sites, const struct pf_evidence_profile *ep, struct pf_error *err)
{
	struct pf_stack s = {0};
	int rc = 0;

	*sites = (struct pf_sites){0};
	for (size_t i = 0; !rc && i < ep->p->sample_count; i++) {
		rc = pf_stack_read(&s, ep, i, err);
		if (!rc && waits(&s, ep, i))
			rc = pf_sites_add(sites, s.names[pf_stack_own(&s, ep)], 1, 1, i, err);
	}
	pf_stack_release(&s);
	pf_sites_sort(sites);
	return rc;
}

static int
find_function(struct own_locks *l, const struct pf_evidence *e, struct pf_error *err)
{
	struct pf_sites sites;
	double most = 0;
	int rc = 0;

	for (size_t i = 0; !rc && i < e->profile_count; i++) {
		if (!pf_is_look(&e->profiles[i]))
			continue;
		rc = waiters_of(&sites, &e->profiles[i], err);
		l->looks++;
		l->waited += sites.count > 0;
		l->waiting += sites.total;
		if (sites.count && sites.items[0].value > most) {
			most = sites.items[0].value;
			l->function = pf_site_name(&e->profiles[i], sites.items[0].name);
		}
		pf_sites_release(&sites);
	}
	return rc;
}

/* The threads of a look that are in the function: those that wait, and those that don't. */
static int
look_inside(struct own_locks *l, const struct pf_evidence_profile *ep, struct pf_error *err)
{
	struct pf_stack s = {0};
	size_t waiting = 0, inside = 0, waiter = 0, holder = 0;
	int rc = 0;

	for (size_t i = 0; !rc && i < ep->p->sample_count; i++) {
		rc = pf_stack_read(&s, ep, i, err);
		if (rc || !pf_stack_has(&s, ep, l->function))
			continue;
		if (waits(&s, ep, i)) {
			waiting++;
			waiter = i;
			l->called += pf_stack_is_called(&s, ep);
		} else {
			inside++;
			holder = i;
		}
	}
	pf_stack_release(&s);
	if (rc || !waiting)
		return rc;
	l->here += (double)waiting;
	l->met++;
	l->few += inside == 1 || inside == 2;
	l->alone += inside == 1;
	if (inside == 1) {
		l->ep = ep;
		l->waiter = waiter;
		l->holder = holder;
	}
	return 0;
}

static int
find_locks(struct own_locks *l, const struct pf_evidence *e, struct pf_error *err)
{
	int rc = find_function(l, e, err);

	for (size_t i = 0; !rc && l->function && i < e->profile_count; i++) {
		if (pf_is_look(&e->profiles[i]))
			rc = look_inside(l, &e->profiles[i], err);
	}
	return rc;
}

static bool
is_crowded(const struct own_locks *l)
{
	return l->looks >= LEAST_LOOKS && (double)l->waited >= NEARLY_ALL * (double)l->looks &&
	       l->waiting >= LEAST_WAITING * (double)l->looks;
}

static bool
is_lock(const struct own_locks *l)
{
	return is_crowded(l) && *l->function != '[' && l->met >= LEAST_LOOKS &&
	       (double)l->met >= NEARLY_ALL * (double)l->looks &&
	       (double)l->few >= NEARLY_ALL * (double)l->met && 2 * l->alone > l->met &&
	       2 * l->called >= l->here && l->here >= LEAST_WAITING * (double)l->looks;
}

static int
report(struct pf_findings *f, const struct own_locks *l, struct pf_error *err)
{
	double mean = l->here / (double)l->looks;
	struct pf_finding *finding;
	int rc;

	finding = pf_findings_add(f, "lock-contention", PF_SEVERITY_MEDIUM, PF_CONFIDENCE_LOW,
	    pf_say(f, "%.1f threads wait on average for what one at a time has in %s", mean,
		l->function));
	finding->summary = pf_say(f,
	    "They wait at a futex beside pthreads' locks (Abseil's, Rust's, a lock "
	    "of "
	    "the program's own). In %zu of %zu looks with some that waited exactly one more was "
	    "inside "
	    "of the function, and did not wait.",
	    l->alone, l->met);
	pf_add_number(f, "waiting", mean, "threads");
	pf_add_number(f, "looks", (double)l->looks, "count");
	pf_add_number(f, "looks_with_one_inside", (double)l->alone, "count");
	pf_add_caveat(f, PF_CONFIDENCE_LOW,
	    pf_say(f,
		"That it is a lock follows from how many are inside: who holds such a one is not "
		"told by anybody."));
	pf_add_advice(
	    f, (struct pf_advice){
		   .action = pf_say(f,
		       "Hold the lock in %s for less: do what needs no protection (input, output, "
		       "formatting, hashing) outside of it; split it by key (shards).",
		       l->function)});
	pf_add_measurement(f, "p99", "seconds",
	    pf_say(f, "profuse bench --before CMD --after CMD --load URL --rate N, at the rate of "
		      "production"));
	rc = pf_show_stack(f, l->ep, l->waiter, 1, NAN, "threads", err);
	return rc ? rc : pf_show_stack(f, l->ep, l->holder, 1, NAN, "threads", err);
}

int
pf_detect_own_locks(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	struct own_locks l = {0};
	int rc = find_locks(&l, e, err);

	return !rc && is_lock(&l) ? report(f, &l, err) : rc;
}

int
pf_write_own_locks(const struct pf_evidence *e, struct pf_buffer *out, struct pf_error *err)
{
	struct own_locks l = {0};
	int rc = find_locks(&l, e, err);

	if (rc || !is_crowded(&l) || is_lock(&l))
		return rc;
	pf_buffer_printf(out,
	    "In %zu looks %.1f threads on average waited at a futex beside pthreads' locks, "
	    "conditions "
	    "and semaphores, most of them in %s (std::atomic::wait, C++20's semaphores, barriers, "
	    "Rust's or Abseil's locks, a queue of the program's own): whether they wait for each "
	    "other or for work was not judged.",
	    l.looks, l.waiting / (double)l.looks, l.function);
	return 0;
}
