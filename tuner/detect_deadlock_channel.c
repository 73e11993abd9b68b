/*
 * detect_deadlock_channel.c: who holds a lock waits at a channel for one of those who wait for the lock.
 *
 * A dump says of neither who holds the lock nor whose channel it is. It is told where all that stands in the
 * methods of one type waits for the same lock of it, but for one, which waits to send or to receive: that one may
 * have come past the lock, for nobody else is there who could. While a service works, waiters come and go: it takes
 * minutes, or a number of them that never falls.
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

/* The one at a channel in a method of this type that was passed what has the lock; NULL: none, or others are at work there. */
static const struct pf_goroutine *
find_holder(const struct pf_wait_graph *w, const struct pf_waiter *x, size_t *standing)
{
	const struct pf_goroutines *d = w->dump;
	const char *type = pf_wait_name(d, x->own->function);
	size_t size = type_size(type);
	uint64_t lock = w->locks[x->lock];
	const struct pf_goroutine *holder = NULL;

	for (size_t i = 0; i < d->count; i++) {
		const struct pf_goroutine *g = &d->items[i];
		const struct pf_goroutine_frame *frames = d->frames + g->first_frame,
						*own = w->standing[i].own;
		bool there = false;

		for (size_t k = 0; k < g->frame_count; k++)
			there |= is_of_type(pf_wait_name(d, frames[k].function), type, size);
		if (!there || w->standing[i].lock == lock)
			continue;
		if (holder || !own || !is_at_channel(d, g) ||
		    !is_of_type(pf_wait_name(d, own->function), type, size) || !own->words[0] ||
		    lock < own->words[0] || lock - own->words[0] >= MOST_OFFSET)
			return NULL;
		holder = g;
		*standing = i;
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
tell(struct pf_findings *f, const struct pf_wait_graph *w, const struct pf_waiter *x,
    const struct pf_goroutine *holder, const struct pf_goroutine_frame *own, bool minutes)
{
	const struct pf_goroutines *d = w->dump;
	const char *function = pf_wait_name(d, own->function);
	struct pf_waiter at_channel = {.g = holder, .own = own};
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
	    holder->number, function, pf_base_name(pf_wait_name(d, own->file)), own->line,
	    pf_strings_get(&d->strings, holder->state));
	pf_say_waits(f, w, x, ", as do all others that are in methods of its type");
	pf_add_caveat(f, minutes ? PF_CONFIDENCE_MEDIUM : PF_CONFIDENCE_LOW,
	    pf_say(f, "A dump says neither who holds a lock nor who is at the other end of a "
		      "channel: that it is one of those who wait for the lock follows from that "
		      "nobody else is there. If the same goroutines stand there in a dump a "
		      "minute later, it is one."));
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

bool
pf_find_at_channel(
    struct pf_findings *f, const struct pf_wait_graph *w, const struct pf_evidence *e)
{
	uint64_t asked[PF_MOST_LOCKS / 64] = {0};

	for (size_t i = 0; i < w->count; i++) {
		const struct pf_waiter *x = &w->waiters[i];
		const char *name = pf_wait_name(w->dump, x->own->function);
		uint64_t bit = UINT64_C(1) << x->lock % 64;
		const struct pf_goroutine *holder;
		size_t at;
		bool minutes;

		if ((asked[x->lock / 64] & bit) || !type_size(name))
			continue;
		asked[x->lock / 64] |= bit;
		if (count_at(w, x->lock) < LEAST_WAITERS)
			continue;
		holder = find_holder(w, x, &at);
		minutes = holder && holder->minutes && x->g->minutes;
		if (!holder || !(minutes || never_falls(e, name)))
			continue;
		tell(f, w, x, holder, w->standing[at].own, minutes);
		return true;
	}
	return false;
}
