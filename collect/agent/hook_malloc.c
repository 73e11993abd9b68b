/*
 * hook_malloc.c: malloc and its relatives, in front of the host's own.
 *
 * Each does what the next one in the search order does, and nothing else, but
 * count: an allocation subtracts its size from a number in the thread's own
 * memory, a free looks at one byte. Only sampled ones go further (heap.h).
 */
#include <malloc.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "collect/agent/heap.h"
#include "collect/agent/hooks.h"
#include "collect/agent/live.h"
#include "collect/agent/next.h"
#include "core/index.h"

bool
pf_hook_released(void *p)
{
	if (pf_next_lent(p))
		return false;
	pf_heap_freed(p);
	return true;
}

void *
pf_hook_take(void *p, size_t size, uint64_t period, const void *caller)
{
	if (p && period)
		pf_heap_take(p, size, period, caller);
	return p;
}

const char *
pf_hooks_why_not(void)
{
	if (pf_next_is_ours("malloc"))
		return NULL;
	return "malloc is not the agent's here: preload or link libprofuse-agent.so before any "
	       "other allocator (one inside the program itself can't be watched)";
}

PF_EXPORT void *
malloc(size_t size)
{
	uint64_t period;

	if (PF_COVERED(size))
		return pf_next.malloc(size);
	period = pf_heap_due(size);
	return pf_hook_take(pf_next.malloc(size), size, period, PF_CALLER);
}

PF_EXPORT void
free(void *p)
{
	if (!PF_RARELY(pf_live_maybe(p)) || pf_hook_released(p))
		pf_next.free(p);
}

static __attribute__((noinline)) void *
sampled_calloc(size_t count, size_t size, const void *caller)
{
	uint64_t period = pf_heap_due(count * size);

	return pf_hook_take(pf_next.calloc(count, size), count * size, period, caller);
}

PF_EXPORT void *
calloc(size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes) || PF_COVERED(bytes))
		return pf_next.calloc(count, size);
	return sampled_calloc(count, size, PF_CALLER);
}

/* Memory that the allocator has never seen: copied out of. */
static void *
move_lent(const void *p, size_t size)
{
	size_t old = pf_next_lent_size(p);
	void *moved = pf_next.malloc(size);

	if (moved)
		memcpy(moved, p, old < size ? old : size);
	return moved;
}

static __attribute__((noinline)) void *
reallocate(void *p, size_t size, const void *caller)
{
	uint64_t period = PF_COVERED(size) ? 0 : pf_heap_due(size);
	uint32_t entry;
	void *moved;

	if (pf_next_lent(p))
		return move_lent(p, size);
	entry = pf_live_maybe(p) ? pf_heap_detach(p) : PF_NONE;
	moved = pf_next.realloc(p, size);
	/* NULL for a size of 0 means that it was freed (glibc, jemalloc, tcmalloc). */
	pf_heap_settle(entry, moved || size == 0 ? NULL : p);
	return pf_hook_take(moved, size, period, caller);
}

PF_EXPORT void *
realloc(void *p, size_t size)
{
	if (!PF_RARELY(pf_live_maybe(p)) && PF_COVERED(size))
		return pf_next.realloc(p, size);
	return reallocate(p, size, PF_CALLER);
}

PF_TARGET(reallocarray_next, .name = "reallocarray");

PF_EXPORT void *
reallocarray(void *p, size_t count, size_t size)
{
	void *(*next)(void *, size_t, size_t) =
	    (void *(*)(void *, size_t, size_t))pf_next_target(&reallocarray_next, PF_CALLER);
	size_t bytes;

	if (!reallocarray_next.counts || __builtin_mul_overflow(count, size, &bytes))
		return next(p, count, size);
	return reallocate(p, bytes, PF_CALLER);
}

PF_EXPORT void *
memalign(size_t alignment, size_t size)
{
	uint64_t period;

	if (PF_COVERED(size))
		return pf_next.memalign(alignment, size);
	period = pf_heap_due(size);
	return pf_hook_take(pf_next.memalign(alignment, size), size, period, PF_CALLER);
}

PF_EXPORT void *
aligned_alloc(size_t alignment, size_t size)
{
	uint64_t period;

	if (PF_COVERED(size))
		return pf_next.aligned_alloc(alignment, size);
	period = pf_heap_due(size);
	return pf_hook_take(pf_next.aligned_alloc(alignment, size), size, period, PF_CALLER);
}

PF_EXPORT int
posix_memalign(void **p, size_t alignment, size_t size)
{
	uint64_t period;
	int rc;

	if (PF_COVERED(size))
		return pf_next.posix_memalign(p, alignment, size);
	period = pf_heap_due(size);
	rc = pf_next.posix_memalign(p, alignment, size);
	if (!rc)
		pf_hook_take(*p, size, period, PF_CALLER);
	return rc;
}

PF_EXPORT void *
valloc(size_t size)
{
	uint64_t period;

	if (PF_COVERED(size))
		return pf_next.valloc(size);
	period = pf_heap_due(size);
	return pf_hook_take(pf_next.valloc(size), size, period, PF_CALLER);
}

PF_EXPORT void *
pvalloc(size_t size)
{
	uint64_t period;

	if (PF_COVERED(size))
		return pf_next.pvalloc(size);
	period = pf_heap_due(size);
	return pf_hook_take(pf_next.pvalloc(size), size, period, PF_CALLER);
}
