/*
 * detect_threads_locked.c: threads that wait for each other's locks, from the
 * agent's `threads` profile, whose labels say of each waiting thread who held
 * the lock when the wait began. Each thread waits for one other at most, so a
 * deadlock is a walk from holder to holder that comes back; a lock that its own
 * holder takes again is a walk of one step.
 *
 * A label may be out of date: the lock may have changed hands during the wait.
 * Threads that have all stood there for seconds make it sure.
 */
#include "tuner/detect.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "tuner/sites.h"

enum { MOST_WAITERS = 4096 };

#define LONG_WAIT 1.0 /* seconds */

struct locked_thread {
	int64_t thread, holder; /* kernel's ids */
	double waited;          /* seconds */
	size_t sample;
	uint32_t owner; /* the function that answers for the wait */
};

struct locked_threads {
	const struct pf_evidence_profile *ep;
	struct locked_thread *items; /* owned */
	size_t count;
};

/* A label's number; a text of digits counts too. */
static int64_t
label_of(const struct pf_profile *p, size_t sample, const char *key)
{
	for (uint64_t i = p->label_starts[sample]; i < p->label_starts[sample + 1]; i++) {
		const struct pf_label *l = &p->labels[i];
		if (strcmp(pf_profile_string(p, l->key), key) == 0)
			return l->string ? strtoll(pf_profile_string(p, l->string), NULL, 10)
					 : l->number;
	}
	return 0;
}

static int
read_waiters(struct locked_threads *w, struct pf_error *err)
{
	const struct pf_profile *p = w->ep->p;
	struct pf_stack stack = {0};
	int rc = PF_CALLOC(w->items, MOST_WAITERS, err);

	for (size_t i = 0; !rc && i < p->sample_count && w->count < MOST_WAITERS; i++) {
		struct locked_thread t = {.thread = label_of(p, i, "tid"),
		    .holder = label_of(p, i, "holder"),
		    .waited = (double)label_of(p, i, "waited") / 1e9,
		    .sample = i};

		if (t.thread <= 0 || t.holder <= 0)
			continue;
		rc = pf_stack_read(&stack, w->ep, i, err);
		t.owner = rc ? PF_NONE : pf_stack_owner(&stack, w->ep);
		w->items[w->count++] = t;
	}
	pf_stack_release(&stack);
	return rc;
}

static const struct locked_thread *
waiter(const struct locked_threads *w, int64_t thread)
{
	for (size_t i = 0; i < w->count; i++) {
		if (w->items[i].thread == thread)
			return &w->items[i];
	}
	return NULL;
}

/* How many steps from this thread come back to it; 0: none do. */
static size_t
steps_around(const struct locked_threads *w, const struct locked_thread *first)
{
	const struct locked_thread *t = first;

	for (size_t steps = 1; t && steps <= w->count; steps++) {
		if (t->holder == first->thread)
			return steps;
		t = waiter(w, t->holder);
	}
	return 0;
}

static uint32_t
title_of(struct pf_findings *f, const struct locked_threads *w, const struct locked_thread *t,
    size_t steps)
{
	const char *name = pf_site_name(w->ep, t->owner);

	if (steps == 1)
		return pf_say(f, "Deadlock: %s takes again a lock that it holds", name);
	if (steps == 2)
		return pf_say(f, "Deadlock: %s and %s wait for each other's locks", name,
		    pf_site_name(w->ep, waiter(w, t->holder)->owner));
	return pf_say(f, "Deadlock: %zu threads wait in a circle for each other's locks, one in %s",
	    steps, name);
}

static int
report(struct pf_findings *f, const struct locked_threads *w, const struct locked_thread *first,
    size_t steps, struct pf_error *err)
{
	const struct locked_thread *t = first;
	double shortest = INFINITY, longest = 0;
	uint32_t summary = 0;
	struct pf_finding *finding;
	int rc = 0;

	finding = pf_findings_add(
	    f, "deadlock", PF_SEVERITY_HIGH, PF_CONFIDENCE_HIGH, title_of(f, w, first, steps));
	for (size_t i = 0; i < steps; i++, t = waiter(w, t->holder)) {
		shortest = fmin(shortest, t->waited);
		longest = fmax(longest, t->waited);
		if (i < 4)
			summary = pf_say(f,
			    "%s%sThread %" PRId64 " in %s waits for a lock that thread %" PRId64
			    " held when the wait began.",
			    pf_said(f, summary), i ? " " : "", t->thread,
			    pf_site_name(w->ep, t->owner), t->holder);
	}
	finding->summary = summary;
	pf_add_number(f, "threads_waiting_for_locks", (double)w->count, "count");
	pf_add_number(f, "threads_in_the_circle", (double)steps, "count");
	pf_add_number(f, "longest_wait", longest, "seconds");
	if (shortest < LONG_WAIT)
		pf_add_caveat(f, PF_CONFIDENCE_MEDIUM,
		    pf_say(f,
			"One of them has waited for %.2g s only, and a lock may have changed "
			"hands since: if the same threads stand there a little later, it is "
			"one.",
			shortest));
	pf_add_advice(f,
	    (struct pf_advice){
		.action =
		    steps == 1
			? pf_say(f, "Take the lock once: let the inner function be called with it "
				    "held and say so, or drop the outer one where the inner "
				    "protects all that is touched.")
			: pf_say(f, "Take the locks in the same order everywhere, or never hold "
				    "one while taking the other."),
		.how = pf_say(f, "GET /debug/pprof/threads?debug=2 shows who holds what")});
	t = first;
	for (size_t i = 0; !rc && i < steps && i < 4; i++, t = waiter(w, t->holder))
		rc = pf_show_stack(f, w->ep, t->sample, 1, 1 / (double)w->count, "threads", err);
	return rc;
}

int
pf_detect_threads_locked(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	struct locked_threads w = {.ep = pf_evidence_last(e, PF_PROFILE_THREADS)};
	bool found = false;
	int rc;

	if (!w.ep)
		return 0;
	rc = read_waiters(&w, err);
	for (size_t i = 0; !rc && !found && i < w.count; i++) {
		size_t steps = steps_around(&w, &w.items[i]);
		found = steps > 0;
		if (found)
			rc = report(f, &w, &w.items[i], steps, err);
	}
	free(w.items);
	return rc ? rc : pf_findings_check(f, err);
}
