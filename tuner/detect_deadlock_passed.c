/* detect_deadlock_passed.c: who holds which lock, by what functions were passed: see detect_deadlock.c. */
#include "tuner/wait_graph.h"

enum { MOST_IN_CIRCLE = 8, MOST_STEPS = 100000, MOST_CIRCLES = 16 };

/*
 * Whether its function was passed what holds the lock that it waits for, and the same of the other
 * lock; *offset: of the locks within these.
 */
static bool
was_passed_both(const struct pf_waiter *x, uint64_t waits, uint64_t other, uint64_t *offset)
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

/* Those of whom it is asked whether they wait for each other's locks. */
struct party {
	const struct pf_waiter *of[MOST_IN_CIRCLE];
	size_t count;
	uint64_t offset; /* of the locks within what was passed */
};

static bool
waits_for_one(const struct pf_wait_graph *w, const struct party *p, uint64_t lock)
{
	for (size_t i = 0; lock && i < p->count; i++) {
		if (w->locks[p->of[i]->lock] == lock)
			return true;
	}
	return false;
}

static bool
was_passed_one(
    const struct pf_wait_graph *w, const struct party *p, const struct pf_goroutine_frame *frame)
{
	for (size_t i = 0; i < p->count; i++) {
		if (was_passed(frame, w->locks[p->of[i]->lock] - p->offset))
			return true;
	}
	return false;
}

/*
 * Whether somebody else is in the function where these wait, or waits for none of the locks and was
 * passed what has one of them (at this offset): a holder at work, or a party of another wait. Who waits
 * at an earlier line of the function has nothing yet; who waits at theirs has what it was passed.
 */
static bool
has_other(const struct pf_wait_graph *w, const struct party *p)
{
	const struct pf_goroutines *d = w->dump;
	const struct pf_waiter *x = p->of[0];

	for (size_t i = 0; i < d->count; i++) {
		const struct pf_goroutine *g = &d->items[i];
		const struct pf_goroutine_frame *frames = d->frames + g->first_frame,
						*own = w->standing[i].own;
		uint64_t lock = w->standing[i].lock;
		bool waits = waits_for_one(w, p, lock),
		     here = lock && own && own->function == x->own->function;

		if (here && (own->line < x->own->line || (waits && own->line == x->own->line)))
			continue;
		here = here && own->line == x->own->line;
		for (size_t k = 0; k < g->frame_count; k++) {
			if ((!here && frames[k].function == x->own->function) ||
			    (!waits && was_passed_one(w, p, &frames[k])))
				return true;
		}
	}
	return false;
}

/* Who stands past a line at which others wait has what is taken there. */
static void
tell(struct pf_findings *f, const struct pf_wait_graph *w, const struct party *p)
{
	const struct pf_waiter *x = p->of[0];
	const char *function = pf_wait_name(w->dump, x->own->function);
	bool minutes = true, past = x->earlier;
	enum pf_confidence sure;

	for (size_t i = 0; i < p->count; i++)
		minutes &= p->of[i]->g->minutes > 0;
	sure = past && minutes   ? PF_CONFIDENCE_HIGH
	       : past || minutes ? PF_CONFIDENCE_MEDIUM
				 : PF_CONFIDENCE_LOW;
	pf_begin_deadlock(f, w, sure,
	    p->count == 2
		? pf_say(f,
		      "%s: two goroutines in %s were passed the same two locks and wait for one "
		      "each",
		      sure == PF_CONFIDENCE_HIGH ? "Deadlock" : "Suspected deadlock", function)
		: pf_say(f,
		      "%s: %zu goroutines in %s wait in a circle, each for a lock that the next "
		      "was passed",
		      sure == PF_CONFIDENCE_HIGH ? "Deadlock" : "Suspected deadlock", p->count,
		      function),
	    pf_say_order_locks(f));
	pf_add_caveat(f, sure,
	    pf_say(f,
		"A dump does not say who holds a lock: that each holds the %s "
		"follows from what it was passed, and that %s %s %s. If the same "
		"goroutines stand there in a dump a minute later, it is one.",
		p->count == 2 ? "other's" : "lock that another waits for",
		past ? "others wait at an earlier line of" : "nobody else is in", function,
		past            ? "which these have passed"
		: p->count == 2 ? "or was passed one of the two"
				: "or was passed one of them"));
	for (size_t i = 0; i < p->count; i++)
		pf_say_waits(f, w, p->of[i], "");
	for (size_t i = 0; i < p->count; i++)
		pf_show_waiter(f, w, p->of[i], 1);
}

bool
pf_find_swapped(struct pf_findings *f, const struct pf_wait_graph *w)
{
	struct pf_dismissed dismissed = {.count = 0};

	for (size_t i = 0; i < w->count; i++) {
		const struct pf_waiter *x = &w->waiters[i];
		/* At the first of several such lines it has nothing yet. */
		bool at_first = x->later && !x->earlier;

		for (size_t j = i + 1; !at_first && j < w->count; j++) {
			const struct pf_waiter *y = &w->waiters[j];
			uint64_t a = w->locks[x->lock], b = w->locks[y->lock], of_x, of_y;
			struct party p, turned;
			struct pf_question q;

			if (a == b || x->own->function != y->own->function ||
			    x->own->line != y->own->line || !was_passed_both(x, a, b, &of_x) ||
			    !was_passed_both(y, b, a, &of_y))
				continue;
			q = (struct pf_question){
			    {x->own->function, (uint64_t)x->own->line, a, b, of_x, of_y}};
			if (pf_is_dismissed(&dismissed, &q))
				continue;
			p = (struct party){{x, y}, 2, of_x};
			turned = (struct party){{x, y}, 2, of_y};
			if (!has_other(w, &p) && !has_other(w, &turned)) {
				tell(f, w, &p);
				return true;
			}
			if (!pf_dismiss(&dismissed, &q))
				return false;
		}
	}
	return false;
}

/* A search for circles that begin with party.of[0]. */
struct search {
	const struct pf_wait_graph *w;
	struct party party;
	size_t steps, circles; /* until it is given up */
};

/* Whether the last of the party was passed what x waits for, beside its own. */
static bool
may_hold(struct search *s, const struct pf_waiter *x)
{
	const struct pf_waiter *last = s->party.of[s->party.count - 1];
	uint64_t offset;

	return was_passed_both(last, s->w->locks[last->lock], s->w->locks[x->lock], &offset) &&
	       (s->party.count == 1 || offset == s->party.offset);
}

static bool
can_follow(struct search *s, const struct pf_waiter *y)
{
	const struct party *p = &s->party;

	if (y->own->function != p->of[0]->own->function || y->own->line != p->of[0]->own->line ||
	    (y->later && !y->earlier))
		return false;
	for (size_t i = 0; i < p->count; i++) {
		if (p->of[i]->lock == y->lock)
			return false;
	}
	return may_hold(s, y);
}

/* Goes on from the last of the party; true with a circle that nobody else is in. */
static bool
close_circle(struct search *s)
{
	struct party *p = &s->party;

	if (p->count > 2 && may_hold(s, p->of[0])) {
		s->circles++;
		if (!has_other(s->w, p))
			return true;
	}
	for (size_t i = 0; p->count < MOST_IN_CIRCLE && i < s->w->count; i++) {
		const struct pf_waiter *last = p->of[p->count - 1], *y = &s->w->waiters[i];

		if (++s->steps > MOST_STEPS || s->circles > MOST_CIRCLES)
			return false;
		if (!can_follow(s, y))
			continue;
		if (p->count == 1)
			(void)was_passed_both(
			    last, s->w->locks[last->lock], s->w->locks[y->lock], &p->offset);
		p->of[p->count++] = y;
		if (close_circle(s))
			return true;
		p->count--;
	}
	return false;
}

bool
pf_find_circle(struct pf_findings *f, const struct pf_wait_graph *w)
{
	struct search s = {.w = w};

	for (size_t i = 0; i < w->count; i++) {
		const struct pf_waiter *x = &w->waiters[i];

		if (x->later && !x->earlier)
			continue;
		s.party = (struct party){{x}, 1, 0};
		if (close_circle(&s)) {
			tell(f, w, &s.party);
			return true;
		}
	}
	return false;
}
