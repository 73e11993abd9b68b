/*
 * detect_deadlock_channel.c: who holds a lock waits at a channel for one of those who wait for the lock.
 *
 * A dump says of neither who holds the lock nor whose channel it is. It is told where all that stands in the
 * methods of one type waits for the same lock of it, but for one, which waits to send or to receive: that one may
 * have come past the lock, for nobody else is there who could. While a service works, waiters come and go: it takes
 * minutes, or a number of them that never falls.
 *
 * Whose method it is in, the first word says that it was passed. Compilers reuse its register, and Go marks what it
 * prints as stale then: who stands past a line of its function at which others wait for the lock has come past it
 * all the same, if not of another object.
 */
#include "tuner/wait_graph.h"

#include <inttypes.h>
#include <string.h>

#include "core/file.h"

enum { MOST_OFFSET = 4096, LEAST_WAITERS = 2 };

/* The length of a method's name as far as its type goes: "main.(*batcher)."; 0: no method. */
static size_t
type_size(const char *name)
{
	const char *end = strstr(name, ").");

	return end && strstr(name, ".(*") ? (size_t)(end - name) + 2 : 0;
}

static bool
is_of_type(const char *name, const char *type, size_t size)
{
	return strncmp(name, type, size) == 0;
}

static bool
is_at_channel(const struct pf_goroutines *d, const struct pf_goroutine *g)
{
	const char *state = pf_strings_get(&d->strings, g->state);

	return strcmp(state, "chan receive") == 0 || strcmp(state, "chan send") == 0;
}

/* Who waits at a channel, and may hold the lock. */
struct holder {
	const struct pf_goroutine *g; /* NULL: none, or others are at work there */
	const struct pf_goroutine_frame *own;
	bool object_told; /* that it was passed what has the lock is printed */
};

/* Whether others wait for the lock in its function, before the line at which it stands. */
static bool
is_past(const struct pf_wait_graph *w, const struct pf_goroutine_frame *own, size_t lock)
{
	for (size_t i = 0; i < w->count; i++) {
		const struct pf_waiter *x = &w->waiters[i];

		if (x->lock == lock && x->own->function == own->function &&
		    x->own->line < own->line)
			return true;
	}
	return false;
}

/* Whether it stands at a channel in a method of this type, of what has the lock as far as is known. */
static bool
may_hold(
    struct holder *h, const struct pf_wait_graph *w, size_t lock, const char *type, size_t size)
{
	uint64_t address = w->locks[lock], object;

	if (!h->own || !is_at_channel(w->dump, h->g) ||
	    !is_of_type(pf_wait_name(w->dump, h->own->function), type, size))
		return false;
	object = h->own->words[0];
	h->object_told = object != 0;
	return object ? address >= object && address - object < MOST_OFFSET
		      : is_past(w, h->own, lock);
}

/* The only one in methods of this type that does not wait for the lock. */
static struct holder
find_holder(const struct pf_wait_graph *w, const struct pf_waiter *x)
{
	const struct pf_goroutines *d = w->dump;
	const char *type = pf_wait_name(d, x->own->function);
	size_t size = type_size(type);
	struct holder holder = {0};

	for (size_t i = 0; i < d->count; i++) {
		const struct pf_goroutine *g = &d->items[i];
		const struct pf_goroutine_frame *frames = d->frames + g->first_frame;
		bool there = false;

		for (size_t k = 0; k < g->frame_count; k++)
			there |= is_of_type(pf_wait_name(d, frames[k].function), type, size);
		if (!there || w->standing[i].lock == w->locks[x->lock])
			continue;
		if (holder.g)
			return (struct holder){0};
		holder = (struct holder){.g = g, .own = w->standing[i].own};
		if (!may_hold(&holder, w, x->lock, type, size))
			return (struct holder){0};
	}
	return holder;
}

/* Whether those who wait became no fewer, over four snapshots and more. */
static bool
never_falls(const struct pf_evidence *e, const char *function)
{
	uint32_t id = pf_strings_find(&e->strings, function, strlen(function));
	const struct pf_evidence_profile *ep =
	    pf_evidence_next_series(e, PF_PROFILE_GOROUTINE, NULL);
	double before = LEAST_WAITERS;
	size_t count = 0;

	for (; ep && id != PF_NONE; ep = pf_evidence_next(e, ep), count++) {
		const struct pf_holding *held = pf_holdings_find(&ep->held, id);

		if (!held || held->value < before)
			return false;
		before = held->value;
	}
	return count >= PF_LEAST_SERIES;
}

static void
add_caveats(struct pf_findings *f, const struct holder *holder, bool minutes)
{
	pf_add_caveat(f, minutes ? PF_CONFIDENCE_MEDIUM : PF_CONFIDENCE_LOW,
	    pf_say(f, "A dump says neither who holds a lock nor who is at the other end of a "
		      "channel: that it is one of those who wait for the lock follows from that "
		      "nobody else is there. If the same goroutines stand there in a dump a "
		      "minute later, it is one."));
	if (!holder->object_told)
		pf_add_caveat(f, minutes ? PF_CONFIDENCE_MEDIUM : PF_UNSURE,
		    pf_say(f, "Nor does this one say whose method the one at the channel is in: "
			      "that it holds this lock follows from that it has passed the line at "
			      "which others wait for it."));
}

static void
tell(struct pf_findings *f, const struct pf_wait_graph *w, const struct pf_waiter *x,
    const struct holder *holder, bool minutes)
{
	const struct pf_goroutines *d = w->dump;
	const struct pf_goroutine_frame *own = holder->own;
	const char *function = pf_wait_name(d, own->function);
	struct pf_waiter at_channel = {.g = holder->g, .own = own};
	struct pf_finding *finding;

	pf_begin_deadlock(f, w, minutes ? PF_CONFIDENCE_MEDIUM : PF_CONFIDENCE_LOW,
	    pf_say(f,
		"Suspected deadlock: %s waits at a channel, probably with the lock that %s waits "
		"for",
		function, pf_wait_name(d, x->own->function)),
	    pf_say(f,
		"Let the lock of %s go before it sends to a channel, or receives from one: whoever "
		"is to take or send it may need the lock first.",
		function));
	finding = pf_findings_last(f);
	finding->summary = pf_say(f, "Goroutine %" PRId64 " in %s (%s:%" PRId64 ") is in \"%s\".",
	    holder->g->number, function, pf_base_name(pf_wait_name(d, own->file)), own->line,
	    pf_strings_get(&d->strings, holder->g->state));
	pf_say_waits(f, w, x, ", as do all others that are in methods of its type");
	add_caveats(f, holder, minutes);
	pf_show_waiter(f, w, &at_channel, 1);
	pf_show_waiter(f, w, x, 1);
}

static size_t
count_at(const struct pf_wait_graph *w, size_t lock)
{
	size_t count = 0;

	for (size_t i = 0; i < w->count; i++)
		count += w->waiters[i].lock == lock;
	return count;
}

/* Whether those of one function who wait for the lock became no fewer. */
static bool
pile_up(const struct pf_evidence *e, const struct pf_wait_graph *w, size_t lock)
{
	uint32_t asked = PF_NONE;

	for (size_t i = 0; i < w->count; i++) {
		const struct pf_waiter *x = &w->waiters[i];

		if (x->lock != lock || x->own->function == asked)
			continue;
		asked = x->own->function;
		if (never_falls(e, pf_wait_name(w->dump, asked)))
			return true;
	}
	return false;
}

/*
 * Who is to be named of those in methods of x's type who wait for its lock: one who has for minutes, for others have just
 * come; and rather one in another function than the holder's, who may be the other end of the channel.
 */
static const struct pf_waiter *
choose(const struct pf_wait_graph *w, const struct pf_waiter *x, const struct holder *holder)
{
	const char *type = pf_wait_name(w->dump, x->own->function);
	size_t size = type_size(type);

	for (size_t i = 0; i < w->count; i++) {
		const struct pf_waiter *y = &w->waiters[i];
		bool other = y->own->function != holder->own->function,
		     known = x->own->function != holder->own->function;

		if (y->lock != x->lock ||
		    !is_of_type(pf_wait_name(w->dump, y->own->function), type, size))
			continue;
		if ((y->g->minutes && !x->g->minutes) ||
		    (!y->g->minutes == !x->g->minutes && other && !known))
			x = y;
	}
	return x;
}

bool
pf_find_at_channel(
    struct pf_findings *f, const struct pf_wait_graph *w, const struct pf_evidence *e)
{
	uint64_t asked[PF_MOST_LOCKS / 64] = {0};

	for (size_t i = 0; i < w->count; i++) {
		const struct pf_waiter *x = &w->waiters[i];
		uint64_t bit = UINT64_C(1) << x->lock % 64;
		struct holder holder;
		bool minutes;

		if ((asked[x->lock / 64] & bit) ||
		    !type_size(pf_wait_name(w->dump, x->own->function)))
			continue;
		asked[x->lock / 64] |= bit;
		if (count_at(w, x->lock) < LEAST_WAITERS)
			continue;
		holder = find_holder(w, x);
		if (!holder.g)
			continue;
		x = choose(w, x, &holder);
		minutes = holder.g->minutes && x->g->minutes;
		if (!minutes && !pile_up(e, w, x->lock))
			continue;
		tell(f, w, x, &holder, minutes);
		return true;
	}
	return false;
}
