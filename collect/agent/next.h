/*
 * next.h: the host's own functions behind those that the agent stands in front of.
 *
 * The wrappers of hook_*.c come first in the search order of a program that the
 * agent is preloaded into or linked with; what they call is what would have been
 * called without the agent. Everything points to a stub at first, which looks
 * all of them up: a constructor would be too late, since the loader and other
 * libraries allocate before it runs.
 */
#ifndef PF_AGENT_NEXT_H
#define PF_AGENT_NEXT_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

struct pf_next {
	void *(*malloc)(size_t);
	void (*free)(void *);
	void *(*calloc)(size_t, size_t);
	void *(*realloc)(void *, size_t);
	void *(*memalign)(size_t, size_t);
	void *(*aligned_alloc)(size_t, size_t);
	int (*posix_memalign)(void **, size_t, size_t);
	void *(*valloc)(size_t);
	void *(*pvalloc)(size_t);
};

extern struct pf_next pf_next __attribute__((visibility("hidden")));

typedef void pf_function(void); /* of any type: to be cast */

/* Another function of the host's. */
struct pf_target {
	const char *name;
	pf_function *_Atomic function; /* NULL, or a stub of the target's own, until it is found */
	_Atomic bool counts;           /* known once it is */
	_Atomic bool found;
};

/*
 * Defines one, and has it looked up when the agent is loaded: later, when it is
 * first called, the loader's lock may be held by somebody who waits for the
 * caller. One that a library brings which is loaded later is looked up then all
 * the same.
 */
#define PF_TARGET(VARIABLE, ...)                                                    \
	static struct pf_target VARIABLE = {__VA_ARGS__};                           \
	__attribute__((constructor(101))) static void VARIABLE##_is_looked_up(void) \
	{                                                                           \
		pf_next_find(&VARIABLE);                                            \
	}                                                                           \
	static struct pf_target VARIABLE

/*
 * What is behind the wrapper of this name, where its target is NAME_next, its type NAME_function, and a stub
 * of its own stands there until it is found.
 */
#define PF_NEXT(NAME) \
	((NAME##_function *)atomic_load_explicit(&NAME##_next.function, memory_order_relaxed))

/* Looks it up, if it is not yet and there is one. */
void pf_next_find(struct pf_target *target);

/*
 * Looks one up: the next function of that name, or, in a program whose plugins
 * bring a library of their own, the one that the caller at this address would
 * have found. target->counts: it is the allocator's own and must be counted by
 * the wrapper; else it calls malloc, free or realloc by their names, and is
 * counted there.
 */
pf_function *pf_next_look_up(struct pf_target *target, const void *caller);

/* The function of a target without a stub, looked up if need be. */
static inline pf_function *
pf_next_target(struct pf_target *target, const void *caller)
{
	pf_function *function = atomic_load_explicit(&target->function, memory_order_acquire);

	return __builtin_expect(function != NULL, 1) ? function : pf_next_look_up(target, caller);
}

/* Whether what this process calls `name` is the agent's. Signals must be blocked. */
bool pf_next_is_ours(const char *name);

/* Whether a function is in the same file as the malloc of this process; between pf_loader_enter and pf_loader_leave. */
bool pf_next_is_allocator(const void *function);

/* Whether this memory was lent while the allocator was being looked for: it is never given back. */
bool pf_next_lent(const void *p);
/* The size of what was lent. */
size_t pf_next_lent_size(const void *p);

#endif
