/*
 * dead_waits.c: see dead_waits.h. A goroutine profile has no addresses of locks: which lock those of a function wait
 * for says the dump.
 */
#include "tuner/dead_waits.h"

#include <string.h>

#include "tuner/wait_graph.h"

/* Where no address is printed, the function that a deadlock names stands for the lock. */
static bool
is_told(const struct pf_findings *f, const struct pf_wait_graph *w, const struct pf_standing *s)
{
	const char *function = pf_wait_name(w->dump, s->own->function);

	for (size_t i = 0; i < f->dead_wait_count; i++) {
		const struct pf_dead_wait *d = &f->dead_waits[i];

		if (s->lock ? s->lock == d->lock : strcmp(pf_said(f, d->function), function) == 0)
			return true;
	}
	return false;
}

/* Whether somebody in this function waits for a lock, and everybody who does is told of. */
static bool
are_told(const struct pf_findings *f, const struct pf_wait_graph *w, const char *function)
{
	uint32_t id = pf_strings_find(&w->dump->strings, function, strlen(function));
	bool any = false;

	for (size_t i = 0; id != PF_NONE && i < w->dump->count; i++) {
		const struct pf_standing *s = &w->standing[i];

		if (!s->kind || !s->own || s->own->function != id)
			continue;
		if (!is_told(f, w, s))
			return false;
		any = true;
	}
	return any;
}

int
pf_leave_out_dead_waits(const struct pf_evidence *e, const struct pf_findings *f,
    const struct pf_evidence_profile *ep, struct pf_sites *sites, double *left_out,
    struct pf_error *err)
{
	struct pf_wait_graph w;
	size_t kept = 0;
	int rc;

	*left_out = 0;
	if (!f->dead_wait_count || !e->has_goroutines || ep->kind != PF_PROFILE_GOROUTINE)
		return 0;
	rc = pf_wait_graph_build(&w, &e->goroutines, err);
	for (size_t i = 0; !rc && i < sites->count; i++) {
		if (are_told(f, &w, pf_site_name(ep, sites->items[i].name)))
			*left_out += sites->items[i].value;
		else
			sites->items[kept++] = sites->items[i];
	}
	if (!rc) {
		sites->count = kept;
		sites->total -= *left_out;
	}
	pf_wait_graph_release(&w);
	return rc;
}
