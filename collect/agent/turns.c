/*
 * turns.c: see turns.h.
 *
 * Objects have a place by their address, or one of those next to it; one that finds none takes the first, and what
 * was known there is forgotten. Counters that two threads change at once may miss one: they are shares of many.
 */
#include "collect/agent/turns.h"

#include <stdatomic.h>

enum {
	OBJECTS = 512,
	NEAR = 4, /* places for one address */
	OWNERS = 8,
	AT_ONCE = 50000, /* ns */
};

static struct turns {
	_Atomic uintptr_t object; /* 0: nobody's place */
	_Atomic uint32_t taken, passed;
	_Atomic uint32_t
	    owners[OWNERS]; /* threads whose turn it is, as many as find room; 0: none */
} table[OBJECTS];

static struct turns *
find(uintptr_t object)
{
	for (size_t i = 0; i < NEAR; i++) {
		struct turns *t = &table[((object >> 3) + i) % OBJECTS];
		if (atomic_load_explicit(&t->object, memory_order_acquire) == object)
			return t;
	}
	return NULL;
}

static struct turns *
find_or_enter(uintptr_t object)
{
	struct turns *t = find(object);
	uintptr_t nobody;

	for (size_t i = 0; !t && i < NEAR; i++) {
		struct turns *free = &table[((object >> 3) + i) % OBJECTS];
		nobody = 0;
		if (atomic_compare_exchange_strong(&free->object, &nobody, object))
			t = free;
	}
	if (t)
		return t;
	t = &table[(object >> 3) % OBJECTS];
	atomic_store(&t->object, object);
	atomic_store(&t->taken, 0);
	atomic_store(&t->passed, 0);
	for (size_t i = 0; i < OWNERS; i++)
		atomic_store(&t->owners[i], 0);
	return t;
}

/* Puts a thread's number in the place of another. */
static void
change_owner(struct turns *t, uint32_t from, uint32_t to)
{
	for (size_t i = 0; i < OWNERS; i++) {
		uint32_t expected = from;
		if (atomic_load_explicit(&t->owners[i], memory_order_relaxed) == from &&
		    atomic_compare_exchange_strong(&t->owners[i], &expected, to))
			return;
	}
}

static void
give_up(uintptr_t object)
{
	struct turns *t = object ? find(object) : NULL;

	if (t)
		change_owner(t, pf_local_thread(), 0);
}

void
pf_turn_taken(const void *at, int64_t since, int64_t now)
{
	uintptr_t object = (uintptr_t)at;
	struct pf_turn *mine = pf_turn_open(at);
	bool again = mine && since - mine->taken < AT_ONCE;
	struct turns *t;

	if (!mine) {
		mine = &pf_local.turns[pf_local.next_turn++ % PF_OPEN_TURNS];
		give_up(mine->object);
	}
	mine->object = object;
	mine->taken = now;
	pf_local.has_turns = true;
	if (again)
		return;
	t = find_or_enter(object);
	atomic_fetch_add_explicit(&t->taken, 1, memory_order_relaxed);
	change_owner(t, pf_local_thread(), 0);
	change_owner(t, 0, pf_local_thread());
}

void
pf_turn_passed(struct pf_turn *mine)
{
	struct turns *t = find(mine->object);

	*mine = (struct pf_turn){0};
	pf_local.has_turns = false;
	for (unsigned i = 0; i < PF_OPEN_TURNS; i++)
		pf_local.has_turns |= pf_local.turns[i].object != 0;
	if (!t)
		return;
	atomic_fetch_add_explicit(&t->passed, 1, memory_order_relaxed);
	change_owner(t, pf_local_thread(), 0);
}

bool
pf_turns_at(uint64_t object, uint32_t *taken, uint32_t *passed)
{
	const struct turns *t = object ? find(object) : NULL;

	if (!t)
		return false;
	*taken = atomic_load_explicit(&t->taken, memory_order_relaxed);
	*passed = atomic_load_explicit(&t->passed, memory_order_relaxed);
	return true;
}

uint64_t
pf_turn_of(uint32_t thread)
{
	for (size_t i = 0; i < OBJECTS; i++) {
		const struct turns *t = &table[i];
		uintptr_t object = atomic_load_explicit(&t->object, memory_order_relaxed);

		for (size_t k = 0; object && k < OWNERS; k++) {
			if (atomic_load_explicit(&t->owners[k], memory_order_relaxed) == thread)
				return object;
		}
	}
	return 0;
}
