/*
 * hooks.h: what the functions have in common that the agent puts in front of the host's.
 *
 * They are in the shared library only, where the dynamic loader finds them first
 * if the agent is preloaded or linked; the archive has none of them, so these
 * are weak.
 */
#ifndef PF_AGENT_HOOKS_H
#define PF_AGENT_HOOKS_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collect/agent/local.h"
#include "core/buffer.h"

#define PF_EXPORT __attribute__((visibility("default")))
#define PF_CALLER __builtin_return_address(0)
#define PF_RARELY(X) __builtin_expect(!!(X), 0)
/* After a call, so that the compiler makes no jump of it: the wrapper is the leaf of what is told. */
#define PF_STAY_ON_THE_STACK __asm__ volatile("")

/*
 * Counts SIZE down; true if the allocation is not sampled and nothing else is to be done. A subtraction
 * and a jump by its sign: pf_heap_due() gives back what was taken too much.
 */
#define PF_COVERED(SIZE) (!PF_RARELY((int64_t)(pf_local.left -= (SIZE)) < 0))

/* NULL if this process' malloc is the agent's, else a sentence that says what to do. */
const char *pf_hooks_why_not(void) __attribute__((weak));

/* The same for the functions of threads. */
const char *pf_hooks_threads_why_not(void) __attribute__((weak));

/*
 * Writes what the allocator says of itself; the type of the text. NULL: it could
 * not be written; "": an allocator that can't say anything.
 */
const char *pf_hooks_allocator_stats(struct pf_buffer *out) __attribute__((weak));

/* What sigaction does, for the agent itself: the wrapper answers the host as if the agent's handler were not there. */
int pf_hooks_sigaction(int number, const struct sigaction *action, struct sigaction *before)
    __attribute__((weak));

/* Enters a sampled allocation (period 0: it is not); returns p. */
void *pf_hook_take(void *p, size_t size, uint64_t period, const void *caller);
/* A pointer that may be sampled is being freed; false: it must not be. */
bool pf_hook_released(void *p);

#endif
