/*
 * workers.c: see workers.h.
 *
 * Who waits for a client is idle. Who waits at a condition or a semaphore may wait for work, or in the midst of a request
 * for a connection that others have: that is so where the first function that was called on the way there is one
 * that those who wait outside were called by, too.
 */
#include "tuner/workers.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

enum { MOST_ROOTS = 256 };

/* All functions of a binary without names have one name, of which nothing follows. */
static bool
is_named(const char *name)
{
	return *name != '[' && *name != '(';
}

/* What a program that is linked with libc's archive has below each thread's function. */
static bool
starts_threads(const char *name)
{
	return strcmp(name, "start_thread") == 0 || strcmp(name, "clone") == 0 ||
	       strncmp(name, "__clone", 7) == 0 || strcmp(name, "clone3") == 0;
}

/* The outermost of the service's own frames below this position; s->count where there is none. */
static size_t
outermost(const struct pf_stack *s, const struct pf_evidence_profile *ep, size_t below)
{
	while (below && ep->traits[s->names[below - 1]])
		below--;
	return below ? below - 1 : s->count;
}

static bool
read_root(struct pf_workers_root *r, const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	size_t root = outermost(s, ep, s->count), next;

	while (root < s->count && starts_threads(pf_site_name(ep, s->names[root])))
		root = outermost(s, ep, root);
	if (root == s->count || !is_named(pf_site_name(ep, s->names[root])))
		return false;
	next = outermost(s, ep, root);
	*r = (struct pf_workers_root){.root = pf_site_name(ep, s->names[root]),
	    .next = next < s->count ? pf_site_name(ep, s->names[next]) : ""};
	return true;
}

/* Whether it is among the roots; *called: with the same next one. */
static bool
find(const struct pf_workers *w, const struct pf_workers_root *r, bool *called)
{
	bool found = false;

	*called = false;
	for (size_t i = 0; i < w->count; i++) {
		if (strcmp(w->roots[i].root, r->root) != 0)
			continue;
		found = true;
		*called |= strcmp(w->roots[i].next, r->next) == 0;
	}
	return found;
}

bool
pf_workers_has(
    const struct pf_workers *w, const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	struct pf_workers_root r;
	bool called;

	return read_root(&r, s, ep) && find(w, &r, &called);
}

static int
add_roots(struct pf_workers *w, const struct pf_evidence_profile *ep, pf_sample_wanted *waits,
    struct pf_error *err)
{
	struct pf_stack s = {0};
	struct pf_workers_root r;
	bool called;
	int rc = 0;

	for (size_t i = 0; !rc && i < ep->p->sample_count && w->count < MOST_ROOTS; i++) {
		rc = pf_stack_read(&s, ep, i, err);
		if (rc || !waits(&s, ep) || !read_root(&r, &s, ep) ||
		    (find(w, &r, &called) && called))
			continue;
		rc = PF_GROW(w->roots, w->capacity, w->count + 1, err);
		if (!rc)
			w->roots[w->count++] = r;
	}
	pf_stack_release(&s);
	return rc;
}

/* By where it waits: for a client, in the function that it was started with, or for work. */
static bool
is_idle(const struct pf_stack *s, const struct pf_evidence_profile *ep, bool called)
{
	size_t own = pf_stack_own(s, ep);

	if (s->traits & (PF_CODE_LOCK_WAIT | PF_CODE_ASKS | PF_CODE_RESTS))
		return false;
	if (s->traits & (PF_CODE_SERVER | PF_CODE_IDLE))
		return true;
	if (s->traits & PF_CODE_OUTSIDE)
		return outermost(s, ep, s->count) == own;
	return (s->traits & PF_CODE_CHANNEL) && !called;
}

static int
count_profile(struct pf_workers *w, const struct pf_evidence_profile *ep, pf_sample_wanted *waits,
    struct pf_error *err)
{
	uint32_t column = (uint32_t)ep->p->type_count - 1;
	double waiting = 0, idle = 0;
	struct pf_stack s = {0};
	struct pf_workers_root r;
	bool called;
	int rc = 0;

	for (size_t i = 0; !rc && i < ep->p->sample_count; i++) {
		rc = pf_stack_read(&s, ep, i, err);
		if (rc || !read_root(&r, &s, ep) || !find(w, &r, &called))
			continue;
		if (is_idle(&s, ep, called))
			idle += pf_value(ep, i, column);
		else if (waits(&s, ep))
			waiting += pf_value(ep, i, column);
	}
	pf_stack_release(&s);
	*(ep->kind == PF_PROFILE_WALL ? &w->wall_waiting : &w->waiting) += waiting;
	*(ep->kind == PF_PROFILE_WALL ? &w->wall_idle : &w->idle) += idle;
	return rc;
}

int
pf_workers_count(struct pf_workers *w, const struct pf_evidence *e, pf_sample_wanted *waits,
    struct pf_error *err)
{
	int rc = 0;

	*w = (struct pf_workers){0};
	for (size_t i = 0; !rc && i < e->profile_count; i++) {
		if (pf_is_look(&e->profiles[i]))
			rc = add_roots(w, &e->profiles[i], waits, err);
	}
	for (size_t i = 0; !rc && w->count && i < e->profile_count; i++) {
		const struct pf_evidence_profile *ep = &e->profiles[i];

		if (pf_is_look(ep) || pf_evidence_is_look(ep, PF_PROFILE_WALL))
			rc = count_profile(w, ep, waits, err);
	}
	return rc;
}

void
pf_workers_release(struct pf_workers *w)
{
	free(w->roots);
	*w = (struct pf_workers){0};
}
