/*
 * outside_waits.c: which stacks wait for somebody outside, and how many in a look.
 */
#include "tuner/outside_waits.h"

#include <string.h>

/*
 * A thread for each connection reads the next request in the function that it was
 * started with. Whoever asks somebody else does so further down. (Of goroutines,
 * servers' loops are known by their names, and their own functions ask others too.)
 */
static bool
reads_next_request(const struct pf_stack *s, const struct pf_evidence_profile *ep, size_t own)
{
	if (ep->kind == PF_PROFILE_GOROUTINE || !(s->traits & PF_CODE_OUTSIDE))
		return false;
	for (size_t i = own + 1; i < s->count; i++) {
		if (!ep->traits[s->names[i]])
			return false;
	}
	return true;
}

/* main, where others do the work. */
static bool
joins(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	return ep->kind != PF_PROFILE_GOROUTINE && s->count &&
	       strstr(pf_site_name(ep, s->names[0]), "_join");
}

bool
pf_is_own_work(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	size_t own = pf_stack_own(s, ep);

	/* main and the like sit at the root of everything: at work is what has own code below a wait. */
	return own < s->count && !(s->traits & (PF_CODE_SERVER | PF_CODE_SLEEP | PF_CODE_IDLE)) &&
	       !reads_next_request(s, ep, own) && !joins(s, ep);
}

bool
pf_waits_outside(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	/* In the middle of writing to a socket is no waiting, however busy the processor is. */
	if ((s->traits & (PF_CODE_SOCKET | PF_CODE_PARKED)) == PF_CODE_SOCKET ||
	    s->traits & PF_CODE_RUNS)
		return false;
	return pf_is_own_work(s, ep) && (s->traits & (PF_CODE_OUTSIDE | PF_CODE_POOL)) &&
	       !(s->traits & PF_CODE_LOCK_WAIT);
}

bool
pf_surely_waits_outside(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	return pf_waits_outside(s, ep) &&
	       (ep->kind != PF_PROFILE_THREADS || s->traits & PF_CODE_ASKS);
}

bool
pf_rests_outside(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	return pf_waits_outside(s, ep) && s->traits & PF_CODE_RESTS;
}

bool
pf_work_waits_at_lock(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	return pf_is_own_work(s, ep) && (s->traits & PF_CODE_LOCK_WAIT);
}

bool
pf_queues(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	return pf_is_own_work(s, ep) && (s->traits & PF_CODE_SENDS) &&
	       (s->traits & PF_CODE_REQUEST) &&
	       !(s->traits & (PF_CODE_OUTSIDE | PF_CODE_POOL | PF_CODE_LOCK_WAIT));
}

static int
add_look(struct pf_outside_waits *w, const struct pf_evidence_profile *ep, struct pf_error *err)
{
	uint32_t column = pf_evidence_column(ep, pf_count_columns);
	struct pf_stack s = {0};
	int rc = 0;

	for (size_t i = 0; !rc && column != PF_NONE && i < ep->p->sample_count; i++) {
		double value = pf_value(ep, i, column);

		rc = pf_stack_read(&s, ep, i, err);
		if (rc)
			continue;
		w->outside += pf_waits_outside(&s, ep) ? value : 0;
		w->working += pf_is_own_work(&s, ep) ? value : 0;
		w->locks += pf_work_waits_at_lock(&s, ep) ? value : 0;
		w->queued += pf_queues(&s, ep) ? value : 0;
	}
	w->looks++;
	pf_stack_release(&s);
	return rc;
}

static int
find_shown(const struct pf_outside_waits *w, const struct pf_evidence *e, enum pf_profile_kind kind,
    const struct pf_evidence_profile **shown, struct pf_error *err)
{
	int rc = 0;

	*shown = NULL;
	for (size_t i = e->profile_count; !rc && !*shown && i-- > 0;) {
		struct pf_outside_waits one = {0};

		if (!pf_evidence_is_look(&e->profiles[i], kind))
			continue;
		rc = add_look(&one, &e->profiles[i], err);
		if (one.outside * (double)w->looks >= w->outside)
			*shown = &e->profiles[i];
	}
	return rc;
}

int
pf_outside_waits_count(struct pf_outside_waits *w, const struct pf_evidence *e,
    enum pf_profile_kind kind, const struct pf_evidence_profile **shown, struct pf_error *err)
{
	double looks;
	int rc = 0;

	*w = (struct pf_outside_waits){0};
	for (size_t i = 0; !rc && i < e->profile_count; i++) {
		if (pf_evidence_is_look(&e->profiles[i], kind))
			rc = add_look(w, &e->profiles[i], err);
	}
	if (!rc)
		rc = find_shown(w, e, kind, shown, err);
	looks = w->looks ? (double)w->looks : 1;
	w->outside /= looks;
	w->working /= looks;
	w->locks /= looks;
	w->queued /= looks;
	return rc;
}
