/*
 * detect_deadlock.c: goroutines that wait for each other's locks, from a dump
 * with addresses (debug=2).
 *
 * A dump says which lock (by address) each goroutine waits for, and since when,
 * but not who holds it. Who does is inferred from the order of the program: a
 * goroutine that waits for lock B in function f past a line of f at which others
 * wait for lock A has probably taken A on its way. A cycle of "waits for what
 * the other probably holds" is a deadlock that names its parties. Where both
 * wait at the same line, what the function was passed may tell: each the other's
 * lock, as in move(a, b) and move(b, a); or each one's that the next waits for. Who waits at a channel may
 * hold the lock that everybody else who works on its object waits for. Without such
 * an order, two locks that have been waited for since minutes are a suspicion.
 */
#include "tuner/detect.h"

#include "tuner/wait_graph.h"

/*
 * Whether a waiter for B probably holds A: somebody waits for A in the same
 * function, at an earlier line.
 */
static bool
probably_holds(const struct pf_waiter *x, size_t lock)
{
	return x->passed[lock / 64] >> lock % 64 & 1;
}

/* Two locks, each waited for by a probable holder of the other. */
static bool
find_cycle(struct pf_findings *f, const struct pf_wait_graph *w)
{
	for (size_t i = 0; i < w->count; i++) {
		for (size_t j = 0; j < w->count; j++) {
			const struct pf_waiter *x = &w->waiters[i], *y = &w->waiters[j];
			bool x_holds, y_holds, sure;

			if (x->lock == y->lock || x->own->function == y->own->function)
				continue;
			x_holds = probably_holds(x, y->lock);
			y_holds = probably_holds(y, x->lock);
			if (!x_holds)
				continue;
			/* One direction suffices where both have waited for minutes: nobody else moves either lock. */
			sure = y_holds || (x->g->minutes && y->g->minutes);
			pf_begin_deadlock(f, w, sure ? PF_CONFIDENCE_HIGH : PF_CONFIDENCE_LOW,
			    pf_say(f, "%s: %s and %s wait for each other's locks",
				sure ? "Deadlock" : "Suspected deadlock",
				pf_wait_name(w->dump, x->own->function),
				pf_wait_name(w->dump, y->own->function)),
			    pf_say_order_locks(f));
			if (!sure)
				pf_add_caveat(f, PF_CONFIDENCE_LOW,
				    pf_say(f, "None has waited for a minute yet: if the same "
					      "goroutines stand there in a "
					      "dump a minute later, it is one."));
			pf_say_waits(f, w, x, ", and probably holds the other");
			pf_say_waits(f, w, y, y_holds ? ", and probably holds the other" : "");
			pf_show_waiter(f, w, x, 1);
			pf_show_waiter(f, w, y, 1);
			return true;
		}
	}
	return false;
}

/* The frame of x, a caller of the one that waits, that is past a line at which y waits for the same lock; NULL: none. */
static const struct pf_goroutine_frame *
frame_past(const struct pf_wait_graph *w, const struct pf_waiter *x, const struct pf_waiter *y)
{
	const struct pf_goroutine_frame *frames = w->dump->frames + x->g->first_frame;

	if (x == y || x->lock != y->lock)
		return NULL;
	for (size_t i = 0; i < x->g->frame_count; i++) {
		if (&frames[i] > x->own && frames[i].function == y->own->function &&
		    frames[i].line > y->own->line)
			return &frames[i];
	}
	return NULL;
}

/* Whether somebody who does not wait for the lock is in one of the two functions that take it: a holder at work. */
static bool
has_holder(const struct pf_wait_graph *w, const struct pf_waiter *x, const struct pf_waiter *y)
{
	const struct pf_goroutines *d = w->dump;

	for (size_t i = 0; i < d->count; i++) {
		const struct pf_goroutine *g = &d->items[i];
		const struct pf_goroutine_frame *frames = d->frames + g->first_frame;

		if (w->standing[i].lock == w->locks[x->lock])
			continue;
		for (size_t k = 0; k < g->frame_count; k++) {
			if (frames[k].function == x->own->function ||
			    frames[k].function == y->own->function)
				return true;
		}
	}
	return false;
}

/* A lock that its holder takes again. */
static bool
find_self(struct pf_findings *f, const struct pf_wait_graph *w)
{
	struct pf_dismissed dismissed = {.count = 0};

	for (size_t i = 0; i < w->count; i++) {
		for (size_t j = 0; j < w->count; j++) {
			const struct pf_waiter *x = &w->waiters[i], *y = &w->waiters[j];
			const struct pf_goroutine_frame *past = frame_past(w, x, y);
			const struct pf_question q = {
			    {x->lock, x->own->function, y->own->function}};

			if (!past || pf_is_dismissed(&dismissed, &q))
				continue;
			if (has_holder(w, x, y)) {
				if (!pf_dismiss(&dismissed, &q))
					return false;
				continue;
			}
			pf_begin_deadlock(f, w,
			    x->g->minutes && y->g->minutes ? PF_CONFIDENCE_HIGH
							   : PF_CONFIDENCE_MEDIUM,
			    pf_say(f, "Deadlock: %s takes again, in %s, a lock that it holds",
				pf_wait_name(w->dump, past->function),
				pf_wait_name(w->dump, x->own->function)),
			    pf_say(f, "Take the lock once: let the inner function be called with "
				      "it held and say so, or drop the outer one where the inner "
				      "protects all that is touched."));
			if (!x->g->minutes)
				pf_add_caveat(f, PF_CONFIDENCE_MEDIUM,
				    pf_say(f, "None has waited for a minute yet: if the same "
					      "goroutine stands there in a dump a minute later, "
					      "it is one."));
			pf_say_waits(f, w, x,
			    ", and has passed the line at which the next took it or waits for it");
			pf_say_waits(f, w, y, "");
			pf_show_waiter(f, w, x, 1);
			pf_show_waiter(f, w, y, 1);
			return true;
		}
	}
	return false;
}

int
pf_detect_deadlock(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	struct pf_wait_graph w;
	int rc;

	if (!e->has_goroutines)
		return 0;
	rc = pf_wait_graph_build(&w, &e->goroutines, err);
	if (!rc &&
	    (w.count < 2 || (!find_cycle(f, &w) && !find_self(f, &w) && !pf_find_swapped(f, &w) &&
				!pf_find_circle(f, &w) && !pf_find_at_channel(f, &w, e))))
		pf_find_stuck(f, &w);
	pf_wait_graph_release(&w);
	return rc ? rc : pf_findings_check(f, err);
}
