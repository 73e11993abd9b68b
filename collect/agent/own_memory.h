/*
 * own_memory.h: what the agent allocates for itself, out of the host's way.
 *
 * glibc raises its thresholds for good when a block with a mapping of its own is freed (mallopt(3),
 * M_MMAP_THRESHOLD): from then on great blocks come from the heap, and less of that is given back. A
 * guest must not change that for its host, so the agent's great blocks are mapped here, past any
 * allocator; small ones are the host's malloc's as before.
 *
 * cmake/Agent.cmake gives these names to every call of malloc and its relatives in the agent's objects
 * and its libdeflate, but for the functions in front of the host's. What libc has allocated for the
 * agent (strdup) may be freed by these, too.
 */
#ifndef PF_AGENT_OWN_MEMORY_H
#define PF_AGENT_OWN_MEMORY_H

#include <stddef.h>

/* As malloc, calloc, realloc and free. */
void *pf_own_malloc(size_t size);
void *pf_own_calloc(size_t count, size_t size);
void *pf_own_realloc(void *p, size_t size);
void pf_own_free(void *p);

#endif
