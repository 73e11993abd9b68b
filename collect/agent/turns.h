/*
 * turns.h: whether those who wait at a semaphore or a condition are the same who let others go on there.
 *
 * Workers wait there for work, which others bring. But a limit, of so many connections or so many at once, is
 * handed on by those who have waited for it themselves: their wait is a request's, as at a lock. Nothing else in
 * how they wait tells one from the other. So a wait that has ended at one is a turn taken, which is passed on
 * when the same thread wakes somebody at the same object; until then it is that thread's.
 */
#ifndef PF_AGENT_TURNS_H
#define PF_AGENT_TURNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collect/agent/local.h"

/* The calling thread's turn at this object, which it would pass on by waking somebody there; NULL: it has none. */
static inline struct pf_turn *
pf_turn_open(const void *object)
{
	for (unsigned i = 0; pf_local.has_turns && i < PF_OPEN_TURNS; i++) {
		if (pf_local.turns[i].object == (uintptr_t)object)
			return &pf_local.turns[i];
	}
	return NULL;
}

/*
 * After a wait at an object, from `since` to `now` (CLOCK_MONOTONIC). One that follows at once upon another's end
 * has found nothing for it the first time, and is the same turn.
 */
void pf_turn_taken(const void *object, int64_t since, int64_t now);
/* Before the call that wakes somebody, of the thread whose turn it is. */
void pf_turn_passed(struct pf_turn *mine);

/* How many turns were taken at an object, and passed on by who had taken them; false: none is known. */
bool pf_turns_at(uint64_t object, uint32_t *taken, uint32_t *passed);
/* The object at which it is a thread's turn, or 0. */
uint64_t pf_turn_of(uint32_t thread);

#endif
