/*
 * own_memory.c: see own_memory.h.
 *
 * A mapping begins with a head, and its block stands at a place in a page where malloc puts few: only
 * there the head is looked for, in the same page. It has the block's own address in it, so that no bytes
 * of anybody else's are taken for one.
 */
#include "collect/agent/own_memory.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { GREAT = 64 << 10, PAGE = 4096 };

#define MARK UINT64_C(0x70726f667573656d)

struct head {
	uint64_t mark, self; /* MARK and the block's address, mixed */
	size_t size;         /* of the block */
	uint64_t unused[5];  /* to a line of the cache */
};

_Static_assert(sizeof(struct head) == 64, "blocks are aligned as malloc's, and to a line");

/* The head of a block that was mapped here; NULL: it is malloc's. */
static struct head *
head_of(void *p)
{
	struct head *h;

	if ((uintptr_t)p % PAGE != sizeof *h)
		return NULL;
	h = (struct head *)p - 1;
	return h->mark == MARK && h->self == ((uintptr_t)p ^ MARK) ? h : NULL;
}

static void *
enter(void *mapping, size_t size)
{
	struct head *h = mapping;

	*h = (struct head){.mark = MARK, .self = (uintptr_t)(h + 1) ^ MARK, .size = size};
	return h + 1;
}

static void *
map(size_t size)
{
	void *mapping;

	if (size > PTRDIFF_MAX - sizeof(struct head)) {
		errno = ENOMEM;
		return NULL;
	}
	mapping = mmap(NULL, size + sizeof(struct head), PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return mapping == MAP_FAILED ? NULL : enter(mapping, size);
}

void *
pf_own_malloc(size_t size)
{
	return size < GREAT ? malloc(size) : map(size);
}

void *
pf_own_calloc(size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return bytes < GREAT ? calloc(count, size) : map(bytes);
}

/* From a block of `old` bytes to one of the other kind. */
static void *
move(void *p, size_t old, size_t size)
{
	void *moved = pf_own_malloc(size);

	if (moved) {
		memcpy(moved, p, old < size ? old : size);
		pf_own_free(p);
	}
	return moved;
}

void *
pf_own_realloc(void *p, size_t size)
{
	struct head *h = p ? head_of(p) : NULL;
	void *mapping;

	if (!p || (!h && size < GREAT))
		return p ? realloc(p, size) : pf_own_malloc(size);
	if (!h) { /* it was malloc's, which is not asked for so much: nothing is lost by that */
		void *small = realloc(p, GREAT - 1);
		return small ? move(small, GREAT - 1, size) : NULL;
	}
	if (size < GREAT)
		return move(p, h->size, size);
	if (size > PTRDIFF_MAX - sizeof *h) {
		errno = ENOMEM;
		return NULL;
	}
	mapping = mremap(h, h->size + sizeof *h, size + sizeof *h, MREMAP_MAYMOVE);
	return mapping == MAP_FAILED ? NULL : enter(mapping, size);
}

void
pf_own_free(void *p)
{
	struct head *h = p ? head_of(p) : NULL;

	if (h)
		munmap(h, h->size + sizeof *h);
	else
		free(p);
}
