/*
 * heap.h: which allocations are sampled, and what becomes of them.
 *
 * The wrappers of hook_malloc.c count bytes down in the thread's own memory;
 * what reaches zero is sampled: noted with its stack, entered among the live
 * ones (live.h), and added to a sum when its stack has been unwound. A sum is
 * what one stack has allocated in one class of sizes, already scaled to all
 * allocations, and of what was freed: how long it lived, and whether the thread
 * that freed it was the one that had allocated it.
 */
#ifndef PF_AGENT_HEAP_H
#define PF_AGENT_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collect/agent/local.h"
#include "collect/agent/slots.h"

enum {
	PF_HEAP_PERIOD = 512 << 10,
	PF_HEAP_SAMPLES = 1000, /* a second, at the highest */
	PF_LIFETIMES = 8,       /* up to 1 ms, 10 ms, … 1000 s, and longer */
	PF_MOST_SUMS = 1 << 15,
};

/* Freed allocations of one lifetime. */
struct pf_freed {
	double objects, bytes;
};

struct pf_sum {
	uint32_t stack; /* PF_NONE: not known */
	uint32_t size_class;
	uint64_t samples;
	double objects, bytes;           /* allocated */
	double variance, freed_variance; /* of bytes allocated and freed, by sampling: pf_scale() */
	struct pf_freed freed[PF_LIFETIMES][2]; /* [1]: by another thread */
};

/* The wrappers' side: any thread, at any time. */

/* An allocation that PF_COVERED has found not covered: the period if it is sampled, else 0. */
uint64_t pf_heap_due(size_t size);
/* Enters a sampled allocation; `caller` is where the allocating function returns to. */
void pf_heap_take(void *p, size_t size, uint64_t period, const void *caller);
/* Takes a pointer out that is about to be freed, if it is sampled. */
void pf_heap_freed(void *p);
/* The same before a reallocation, which may fail: its entry, or PF_NONE. */
uint32_t pf_heap_detach(void *p);
/* And after it: the old pointer again if it failed, NULL if it is gone. */
void pf_heap_settle(uint32_t entry, void *p);

/* The agent's side, under its lock. */

/* Starts sampling with this mean of bytes; 0 or a negative errno. */
int pf_heap_start(uint64_t period);
void pf_heap_stop(void);
bool pf_heap_running(void);
/* The stack of a note has been unwound. */
void pf_heap_noted(const struct pf_slot *slot, uint32_t stack);

/* What is known about it all. */
struct pf_heap_facts {
	uint64_t period, highest_period, live, untracked, stackless;
	int64_t began; /* CLOCK_REALTIME */
};
void pf_heap_facts(struct pf_heap_facts *facts);
/* A consistent copy of the sums, to be freed; how many in *count. NULL without memory. */
struct pf_sum *pf_heap_copy(size_t *count);

/* Around a fork, in this order: before; after in the parent, or in the child. */
void pf_heap_before_fork(void);
void pf_heap_after_fork(bool child, bool tidy);

#endif
