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
 * lock, as in move(a, b) and move(b, a). Without such
 * an order, at least two locks whose every waiter has waited for minutes, or
 * two goroutines that wait for different locks in different functions and
 * nothing else of theirs runs, are a suspicion.
 */
#include "tuner/detect.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/memory.h"

enum { MOST_WAITERS = 2000, MOST_LOCKS = 256, MOST_DISMISSED = 256 };

/* Where a goroutine stands. */
struct standing {
	uint64_t lock; /* the address that it waits for; 0: for no lock, or not printed */
	const struct pf_goroutine_frame
	    *own; /* the leaf-most frame of the service's own, or NULL */
};

struct waiter {
	const struct pf_goroutine *g;
	const struct pf_goroutine_frame *own; /* never NULL */
	size_t lock;                          /* position in locks */
	bool earlier, later; /* others wait at an earlier line of its function; at a later one */
	uint64_t passed[MOST_LOCKS / 64]; /* the locks of those earlier, a bit each; not its own */
};

struct wait_graph {
	const struct pf_goroutines *dump;
	struct standing *standing; /* owned: one for each of the dump */
	struct waiter *waiters;    /* owned */
	size_t count;
	uint64_t locks[MOST_LOCKS];
	size_t lock_count;
};

/*
 * What all of the dump was looked at for in vain: it holds for all goroutines that stand in the same
 * places, of which there may be thousands of pairs.
 */
struct question {
	uint64_t of[6];
};

struct dismissed {
	struct question items[MOST_DISMISSED];
	size_t count;
};

static const char *
name_of(const struct pf_goroutines *d, uint32_t id)
{
	return pf_strings_get(&d->strings, id);
}

static struct standing
standing_of(const struct pf_goroutines *d, const struct pf_goroutine *g)
{
	const struct pf_goroutine_frame *frames = d->frames + g->first_frame;
	struct standing s = {0};

	for (size_t i = 0; !s.own && i < g->frame_count; i++) {
		const char *name = name_of(d, frames[i].function);
		uint32_t traits = pf_code_traits(name, "");

		/* The address is what the slow path of a lock was called with. */
		if ((traits & PF_CODE_LOCK_WAIT) && strstr(name, "utex)") && frames[i].words[0])
			s.lock = frames[i].words[0];
		if (!traits)
			s.own = &frames[i];
	}
	return s;
}

static size_t
position_of(struct wait_graph *w, uint64_t address)
{
	size_t i = 0;

	while (i < w->lock_count && w->locks[i] != address)
		i++;
	if (i == w->lock_count && i < MOST_LOCKS)
		w->locks[w->lock_count++] = address;
	return i;
}

/* Who else waits in its function. */
static void
look_around(const struct wait_graph *w, struct waiter *x)
{
	for (size_t i = 0; i < w->count; i++) {
		const struct waiter *y = &w->waiters[i];

		if (y->own->function != x->own->function)
			continue;
		x->later |= y->own->line > x->own->line;
		if (y->own->line >= x->own->line)
			continue;
		x->earlier = true;
		if (y->lock != x->lock)
			x->passed[y->lock / 64] |= UINT64_C(1) << y->lock % 64;
	}
}

static int
build(struct wait_graph *w, const struct pf_goroutines *dump, struct pf_error *err)
{
	int rc;

	*w = (struct wait_graph){.dump = dump};
	rc = PF_CALLOC(w->standing, dump->count, err);
	if (!rc)
		rc = PF_CALLOC(w->waiters, MOST_WAITERS, err);
	for (size_t i = 0; !rc && i < dump->count; i++) {
		struct standing s = w->standing[i] = standing_of(dump, &dump->items[i]);
		struct waiter new = {.g = &dump->items[i], .own = s.own};

		if (!s.lock || !s.own || w->count == MOST_WAITERS)
			continue;
		new.lock = position_of(w, s.lock);
		if (new.lock < MOST_LOCKS)
			w->waiters[w->count++] = new;
	}
	for (size_t i = 0; i < w->count; i++)
		look_around(w, &w->waiters[i]);
	return rc;
}

/*
 * Whether a waiter for B probably holds A: somebody waits for A in the same
 * function, at an earlier line.
 */
static bool
probably_holds(const struct waiter *x, size_t lock)
{
	return x->passed[lock / 64] >> lock % 64 & 1;
}

static bool
is_dismissed(const struct dismissed *d, const struct question *q)
{
	for (size_t i = 0; i < d->count; i++) {
		if (memcmp(&d->items[i], q, sizeof *q) == 0)
			return true;
	}
	return false;
}

/* False where too many were: the search ends without a finding. */
static bool
dismiss(struct dismissed *d, const struct question *q)
{
	if (d->count == MOST_DISMISSED)
		return false;
	d->items[d->count++] = *q;
	return true;
}

static void
show_waiter(struct pf_findings *f, const struct wait_graph *w, const struct waiter *x, double value)
{
	const struct pf_goroutine_frame *frames = w->dump->frames + x->g->first_frame;

	pf_add_stack(f, value, (double)value / (double)w->count, "goroutines");
	for (size_t i = 0; i < x->g->frame_count && i < 32; i++)
		pf_add_frame(f, name_of(w->dump, frames[i].function));
}

static void
say_waits(
    struct pf_findings *f, const struct wait_graph *w, const struct waiter *x, const char *holds)
{
	struct pf_finding *finding = pf_findings_last(f);

	finding->summary = pf_say(f,
	    "%s%sGoroutine %" PRId64 " in %s (%s:%" PRId64 ") waits for the lock at 0x%" PRIx64
	    "%s.",
	    pf_said(f, finding->summary), finding->summary ? " " : "", x->g->number,
	    name_of(w->dump, x->own->function), pf_base_name(name_of(w->dump, x->own->file)),
	    x->own->line, w->locks[x->lock], holds);
}

static uint32_t
order_locks(struct pf_findings *f)
{
	return pf_say(f, "Take the locks in the same order everywhere, or never hold one while "
			 "taking the other (copy what is needed, unlock, go on).");
}

static void
begin(struct pf_findings *f, const struct wait_graph *w, enum pf_confidence confidence,
    uint32_t title, uint32_t action)
{
	int64_t longest = 0;

	for (size_t i = 0; i < w->count; i++)
		longest = w->waiters[i].g->minutes > longest ? w->waiters[i].g->minutes : longest;
	pf_findings_add(f, "deadlock", PF_SEVERITY_HIGH, confidence, title);
	pf_add_number(f, "goroutines_waiting_for_locks", (double)w->count, "count");
	pf_add_number(f, "locks", (double)w->lock_count, "count");
	if (longest > 0) /* Go tells it from a minute on */
		pf_add_number(f, "longest_wait", (double)longest * 60, "seconds");
	pf_add_advice(
	    f, (struct pf_advice){.action = action,
		   .how = pf_say(f, "the lines above say where each is taken; go test -race with a "
				    "test that does both ways")});
}

/* Two locks, each waited for by a probable holder of the other. */
static bool
find_cycle(struct pf_findings *f, const struct wait_graph *w)
{
	for (size_t i = 0; i < w->count; i++) {
		for (size_t j = 0; j < w->count; j++) {
			const struct waiter *x = &w->waiters[i], *y = &w->waiters[j];
			bool x_holds, y_holds, sure;

			if (x->lock == y->lock || x->own->function == y->own->function)
				continue;
			x_holds = probably_holds(x, y->lock);
			y_holds = probably_holds(y, x->lock);
			if (!x_holds)
				continue;
			/* One direction suffices where both have waited for minutes: nobody else moves either lock. */
			sure = y_holds || (x->g->minutes && y->g->minutes);
			begin(f, w, sure ? PF_CONFIDENCE_HIGH : PF_CONFIDENCE_LOW,
			    pf_say(f, "%s: %s and %s wait for each other's locks",
				sure ? "Deadlock" : "Suspected deadlock",
				name_of(w->dump, x->own->function),
				name_of(w->dump, y->own->function)),
			    order_locks(f));
			if (!sure)
				pf_add_caveat(f, PF_CONFIDENCE_LOW,
				    pf_say(f, "None has waited for a minute yet: if the same "
					      "goroutines stand there in a "
					      "dump a minute later, it is one."));
			say_waits(f, w, x, ", and probably holds the other");
			say_waits(f, w, y, y_holds ? ", and probably holds the other" : "");
			show_waiter(f, w, x, 1);
			show_waiter(f, w, y, 1);
			return true;
		}
	}
	return false;
}

/* The frame of x, a caller of the one that waits, that is past a line at which y waits for the same lock; NULL: none. */
static const struct pf_goroutine_frame *
frame_past(const struct wait_graph *w, const struct waiter *x, const struct waiter *y)
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
has_holder(const struct wait_graph *w, const struct waiter *x, const struct waiter *y)
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
find_self(struct pf_findings *f, const struct wait_graph *w)
{
	struct dismissed dismissed = {.count = 0};

	for (size_t i = 0; i < w->count; i++) {
		for (size_t j = 0; j < w->count; j++) {
			const struct waiter *x = &w->waiters[i], *y = &w->waiters[j];
			const struct pf_goroutine_frame *past = frame_past(w, x, y);
			const struct question q = {{x->lock, x->own->function, y->own->function}};

			if (!past || is_dismissed(&dismissed, &q))
				continue;
			if (has_holder(w, x, y)) {
				if (!dismiss(&dismissed, &q))
					return false;
				continue;
			}
			begin(f, w,
			    x->g->minutes && y->g->minutes ? PF_CONFIDENCE_HIGH
							   : PF_CONFIDENCE_MEDIUM,
			    pf_say(f, "Deadlock: %s takes again, in %s, a lock that it holds",
				name_of(w->dump, past->function),
				name_of(w->dump, x->own->function)),
			    pf_say(f, "Take the lock once: let the inner function be called with "
				      "it held and say so, or drop the outer one where the inner "
				      "protects all that is touched."));
			if (!x->g->minutes)
				pf_add_caveat(f, PF_CONFIDENCE_MEDIUM,
				    pf_say(f, "None has waited for a minute yet: if the same "
					      "goroutine stands there in a dump a minute later, "
					      "it is one."));
			say_waits(f, w, x,
			    ", and has passed the line at which the next took it or waits for it");
			say_waits(f, w, y, "");
			show_waiter(f, w, x, 1);
			show_waiter(f, w, y, 1);
			return true;
		}
	}
	return false;
}

/*
 * Whether its function was passed what holds the lock that it waits for, and the same of the other
 * lock; *offset: of the locks within these.
 */
static bool
was_passed_both(const struct waiter *x, uint64_t waits, uint64_t other, uint64_t *offset)
{
	enum { MOST_OFFSET = 4096 }; /* of a lock within a structure */
	const uint64_t *words = x->own->words;

	for (size_t i = 0; i < PF_GOROUTINE_WORDS; i++) {
		for (size_t k = 0; k < PF_GOROUTINE_WORDS; k++) {
			if (i != k && words[i] && words[k] && waits >= words[i] &&
			    waits - words[i] < MOST_OFFSET &&
			    waits - words[i] == other - words[k]) {
				*offset = waits - words[i];
				return true;
			}
		}
	}
	return false;
}

static bool
was_passed(const struct pf_goroutine_frame *frame, uint64_t object)
{
	for (size_t i = 0; i < PF_GOROUTINE_WORDS; i++) {
		if (frame->words[i] == object)
			return true;
	}
	return false;
}

/*
 * Whether somebody else is in the function where these two wait, or waits for neither lock and was
 * passed what has one of them (at this offset): a holder at work, or a party of another wait. Who waits
 * at an earlier line of the function has nothing yet; who waits at theirs has what it was passed.
 */
static bool
has_other(
    const struct wait_graph *w, const struct waiter *x, const struct waiter *y, uint64_t offset)
{
	const struct pf_goroutines *d = w->dump;
	uint64_t a = w->locks[x->lock], b = w->locks[y->lock];

	for (size_t i = 0; i < d->count; i++) {
		const struct pf_goroutine *g = &d->items[i];
		const struct pf_goroutine_frame *frames = d->frames + g->first_frame,
						*own = w->standing[i].own;
		uint64_t lock = w->standing[i].lock;
		bool waits = lock == a || lock == b,
		     here = lock && own && own->function == x->own->function;

		if (here && (own->line < x->own->line || (waits && own->line == x->own->line)))
			continue;
		here = here && own->line == x->own->line;
		for (size_t k = 0; k < g->frame_count; k++) {
			if ((!here && frames[k].function == x->own->function) ||
			    (!waits && (was_passed(&frames[k], a - offset) ||
					   was_passed(&frames[k], b - offset))))
				return true;
		}
	}
	return false;
}

/* Who stands past a line at which others wait has what is taken there. */
static void
tell_swapped(struct pf_findings *f, const struct wait_graph *w, const struct waiter *x,
    const struct waiter *y)
{
	bool minutes = x->g->minutes && y->g->minutes, past = x->earlier;
	enum pf_confidence sure = past && minutes   ? PF_CONFIDENCE_HIGH
				  : past || minutes ? PF_CONFIDENCE_MEDIUM
						    : PF_CONFIDENCE_LOW;

	begin(f, w, sure,
	    pf_say(f,
		"%s: two goroutines in %s were passed the same two locks and wait for one each",
		sure == PF_CONFIDENCE_HIGH ? "Deadlock" : "Suspected deadlock",
		name_of(w->dump, x->own->function)),
	    order_locks(f));
	pf_add_caveat(f, sure,
	    pf_say(f,
		"A dump does not say who holds a lock: that each holds the other's "
		"follows from what it was passed, and that %s %s %s. If the same "
		"goroutines stand there in a dump a minute later, it is one.",
		past ? "others wait at an earlier line of" : "nobody else is in",
		name_of(w->dump, x->own->function),
		past ? "which these two have passed" : "or was passed one of the two"));
	say_waits(f, w, x, "");
	say_waits(f, w, y, "");
	show_waiter(f, w, x, 1);
	show_waiter(f, w, y, 1);
}

/* Two at the same line of a function that was passed both locks, each waiting for one of them. */
static bool
find_swapped(struct pf_findings *f, const struct wait_graph *w)
{
	struct dismissed dismissed = {.count = 0};

	for (size_t i = 0; i < w->count; i++) {
		const struct waiter *x = &w->waiters[i];
		/* At the first of several such lines it has nothing yet. */
		bool at_first = x->later && !x->earlier;

		for (size_t j = i + 1; !at_first && j < w->count; j++) {
			const struct waiter *y = &w->waiters[j];
			uint64_t a = w->locks[x->lock], b = w->locks[y->lock], of_x, of_y;
			struct question q;

			if (a == b || x->own->function != y->own->function ||
			    x->own->line != y->own->line || !was_passed_both(x, a, b, &of_x) ||
			    !was_passed_both(y, b, a, &of_y))
				continue;
			q = (struct question){
			    {x->own->function, (uint64_t)x->own->line, a, b, of_x, of_y}};
			if (is_dismissed(&dismissed, &q))
				continue;
			if (!has_other(w, x, y, of_x) && !has_other(w, x, y, of_y)) {
				tell_swapped(f, w, x, y);
				return true;
			}
			if (!dismiss(&dismissed, &q))
				return false;
		}
	}
	return false;
}

/* Locks that everybody has been waiting for, for minutes, while no order tells who holds what. */
static void
find_stuck(struct pf_findings *f, const struct wait_graph *w)
{
	const struct waiter *first = NULL, *other = NULL;

	for (size_t i = 0; i < w->count; i++) {
		const struct waiter *x = &w->waiters[i];
		if (x->g->minutes < 1)
			continue;
		if (!first)
			first = x;
		else if (x->lock != first->lock && !other)
			other = x;
	}
	if (!first || !other)
		return;
	begin(f, w, PF_CONFIDENCE_LOW,
	    pf_say(f,
		"Suspected deadlock: goroutines in %s and %s have waited for locks for %" PRId64
		" minutes",
		name_of(w->dump, first->own->function), name_of(w->dump, other->own->function),
		first->g->minutes),
	    order_locks(f));
	say_waits(f, w, first, "");
	say_waits(f, w, other, "");
	show_waiter(f, w, first, 1);
	show_waiter(f, w, other, 1);
	pf_add_caveat(f, PF_CONFIDENCE_LOW,
	    pf_say(f, "A dump does not say who holds a lock: one very long critical section looks "
		      "the same."));
}

int
pf_detect_deadlock(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	struct wait_graph w;
	int rc;

	if (!e->has_goroutines)
		return 0;
	rc = build(&w, &e->goroutines, err);
	if (!rc && w.count > 1 && !find_cycle(f, &w) && !find_self(f, &w) && !find_swapped(f, &w))
		find_stuck(f, &w);
	free(w.waiters);
	free(w.standing);
	return rc ? rc : pf_findings_check(f, err);
}
