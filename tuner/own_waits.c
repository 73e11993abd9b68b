/*
 * own_waits.c: threads that wait at the kernel's futexes otherwise than by the C library: std::atomic::wait, Rust's and
 * Abseil's locks and conditions, a queue of the program's own. The agent sees that they wait, and where; who holds what, or
 * lets them go on, nobody tells. Those that wait for long wait for work.
 */
#include <string.h>

#include "tuner/detect.h"
#include "tuner/locks.h"

enum { LEAST_LOOKS = 3, LEAST_WAITING = 2 };

#define NEARLY_ALL 0.8 /* of the looks */
#define IDLE_S 1.0

struct own_waits {
	size_t looks, waited; /* all; in which some wait */
	double waiting;       /* threads over all looks */
	const char *where;    /* most of those of the last look */
};

static bool
waits(const struct pf_stack *s, const struct pf_evidence_profile *ep, size_t sample)
{
	return strcmp(pf_sample_text(ep->p, sample, "wait"), "futex") == 0 &&
	       pf_sample_waited(ep->p, sample) < IDLE_S && pf_stack_own(s, ep) < s->count &&
	       !pf_stack_in_allocator(s, ep) &&
	       !(s->traits & (PF_CODE_LOCK_WAIT | PF_CODE_CHANNEL));
}

static int
add_look(struct own_waits *w, const struct pf_evidence_profile *ep, struct pf_error *err)
{
	struct pf_sites sites = {0};
	struct pf_stack s = {0};
	int rc = 0;

	for (size_t i = 0; !rc && i < ep->p->sample_count; i++) {
		rc = pf_stack_read(&s, ep, i, err);
		if (!rc && waits(&s, ep, i))
			rc = pf_sites_add(&sites, s.names[pf_stack_own(&s, ep)], 1, 1, i, err);
	}
	pf_stack_release(&s);
	pf_sites_sort(&sites);
	w->looks++;
	w->waited += sites.count > 0;
	w->waiting += sites.total;
	if (sites.count)
		w->where = pf_site_name(ep, sites.items[0].name);
	pf_sites_release(&sites);
	return rc;
}

int
pf_write_own_waits(const struct pf_evidence *e, struct pf_buffer *out, struct pf_error *err)
{
	struct own_waits w = {0};
	int rc = 0;

	for (size_t i = 0; !rc && i < e->profile_count; i++) {
		if (pf_is_look(&e->profiles[i]))
			rc = add_look(&w, &e->profiles[i], err);
	}
	if (rc || w.looks < LEAST_LOOKS || (double)w.waited < NEARLY_ALL * (double)w.looks ||
	    w.waiting < LEAST_WAITING * (double)w.looks)
		return rc;
	pf_buffer_printf(out,
	    "In %zu looks %.1f threads on average waited at a futex that is none of the C "
	    "library's "
	    "locks, most of them in %s (std::atomic::wait, Rust's or Abseil's locks, a queue of "
	    "the "
	    "program's own): whether they wait for each other or for work was not judged.",
	    w.looks, w.waiting / (double)w.looks, w.where);
	return 0;
}
