/* memory.c: see memory.h. */
#include "core/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/error.h"

enum { PAGE = 4 << 10, LARGE = 4 << 20 };

/* All of the block's pages are named, so that it stays one mapping, which realloc() can move without copying. */
void
pf_wish_huge_pages(void *items, size_t size)
{
	uintptr_t from = (uintptr_t)items & ~(uintptr_t)(PAGE - 1);
	uintptr_t to = ((uintptr_t)items + size + PAGE - 1) & ~(uintptr_t)(PAGE - 1);

	if (size >= LARGE)
		(void)madvise((void *)from, to - from, MADV_HUGEPAGE);
}

int
pf_grow(void **items, size_t *capacity, size_t need, size_t size, struct pf_error *err)
{
	size_t room = *capacity;
	void *moved;

	if (need <= room)
		return 0;
	room += room / 2 + 8;
	if (room < need)
		room = need;
	if (room > PTRDIFF_MAX / size)
		return pf_error_nomem(err);
	moved = realloc(*items, room * size);
	if (!moved)
		return pf_error_nomem(err);
	*items = moved;
	*capacity = room;
	pf_wish_huge_pages(moved, room * size);
	return 0;
}

int
pf_calloc(void **items, size_t n, size_t size, struct pf_error *err)
{
	*items = calloc(n ? n : 1, size);
	if (!*items)
		return pf_error_nomem(err);
	pf_wish_huge_pages(
	    *items, n * size); /* not yet touched: large blocks come from the kernel as zeros */
	return 0;
}

int
pf_copy_string(char **copy, const char *string, struct pf_error *err)
{
	size_t size = string ? strlen(string) + 1 : 0;

	*copy = size ? malloc(size) : NULL;
	if (size && !*copy)
		return pf_error_nomem(err);
	if (size)
		memcpy(*copy, string, size);
	return 0;
}
