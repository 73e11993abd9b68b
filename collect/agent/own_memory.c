/*
 * own_memory.c: see own_memory.h.
 *
 * A mapping begins with its size, and its block stands at a place in a page where malloc puts few; whether
 * one there was mapped here says a table of all that are. What finds no room in that is malloc's.
 */
#include "collect/agent/own_memory.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/index.h"

enum { GREAT = 64 << 10, PAGE = 4096, PLACES = 4096, NEAR = 16 };

struct head {
	size_t size;        /* of the block */
	uint64_t unused[7]; /* to a line of the cache, which is its place in the page */
};

static _Atomic bool crowded;             /* a great block had to be malloc's */
static _Atomic uintptr_t places[PLACES]; /* blocks by their address, or next to that; 0: free */

/* The place that has a block, or takes one in where `now` is 0; NULL: none does. */
static _Atomic uintptr_t *
find_place(const void *block, uintptr_t now)
{
	uint32_t first = pf_hash_u64((uintptr_t)block / PAGE);

	for (uint32_t i = 0; i < NEAR; i++) {
		_Atomic uintptr_t *place = &places[(first + i) % PLACES];
		if (atomic_load_explicit(place, memory_order_acquire) == now)
			return place;
	}
	return NULL;
}

/* The head of a block that was mapped here; NULL: it is malloc's. */
static struct head *
head_of(void *p)
{
	if ((uintptr_t)p % PAGE != sizeof(struct head) || !find_place(p, (uintptr_t)p))
		return NULL;
	return (struct head *)p - 1;
}

static void
leave(const void *block)
{
	_Atomic uintptr_t *place = find_place(block, (uintptr_t)block);

	if (place)
		atomic_store_explicit(place, 0, memory_order_release);
}

/* The mapping's block; NULL: there is no room in the table. */
static void *
enter(void *mapping, size_t size)
{
	struct head *h = mapping;
	_Atomic uintptr_t *place;
	uintptr_t nobody = 0;

	h->size = size;
	while ((place = find_place(h + 1, 0))) {
		if (atomic_compare_exchange_strong(place, &nobody, (uintptr_t)(h + 1)))
			return h + 1;
		nobody = 0;
	}
	return NULL;
}

/* NULL also where malloc has to do, which is remembered. */
static void *
map(size_t size)
{
	void *mapping, *block;

	mapping = mmap(NULL, size + sizeof(struct head), PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	block = mapping == MAP_FAILED ? NULL : enter(mapping, size);
	if (!block && mapping != MAP_FAILED)
		munmap(mapping, size + sizeof(struct head));
	if (!block)
		atomic_store(&crowded, true);
	return block;
}

/* Nobody has so much. */
static bool
is_too_much(size_t size)
{
	if (size <= PTRDIFF_MAX - sizeof(struct head))
		return false;
	errno = ENOMEM;
	return true;
}

void *
pf_own_malloc(size_t size)
{
	void *block;

	if (is_too_much(size))
		return NULL;
	block = size < GREAT ? NULL : map(size);
	return block ? block : malloc(size);
}

void *
pf_own_calloc(size_t count, size_t size)
{
	size_t bytes;
	void *block;

	if (is_too_much(__builtin_mul_overflow(count, size, &bytes) ? SIZE_MAX : bytes))
		return NULL;
	block = bytes < GREAT ? NULL : map(bytes);
	return block ? block : calloc(count, size);
}

/* A block that was mapped, of another size: it stays mapped, or becomes malloc's. */
static void *
resize(struct head *h, size_t size)
{
	size_t old = h->size;
	void *moved = pf_own_malloc(size);

	if (moved) {
		memcpy(moved, h + 1, old < size ? old : size);
		pf_own_free(h + 1);
	}
	return moved;
}

/* From malloc's to a mapping: what was malloc's is smaller than a great block, unless one had to be. */
static void *
move_out(void *p, size_t size)
{
	void *small, *moved = atomic_load(&crowded) ? NULL : map(size);

	if (!moved)
		return realloc(p, size);
	small = realloc(p, GREAT - 1);
	if (!small) {
		pf_own_free(moved);
		return NULL;
	}
	memcpy(moved, small, GREAT - 1);
	free(small);
	return moved;
}

void *
pf_own_realloc(void *p, size_t size)
{
	struct head *h = p ? head_of(p) : NULL;

	if (is_too_much(size))
		return NULL;
	if (h)
		return resize(h, size);
	if (!p)
		return pf_own_malloc(size);
	return size < GREAT ? realloc(p, size) : move_out(p, size);
}

void
pf_own_free(void *p)
{
	struct head *h = p ? head_of(p) : NULL;

	if (!h) {
		free(p);
		return;
	}
	leave(p);
	munmap(h, h->size + sizeof *h);
}
