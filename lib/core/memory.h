/*
 * memory.h: growth of flat arrays, with overflow and a hard maximum checked.
 */
#ifndef PF_CORE_MEMORY_H
#define PF_CORE_MEMORY_H

#include <stddef.h>

struct pf_error;

/*
 * Makes room for `need` items of `size` bytes in *items, which has *capacity
 * of them (NULL and 0 at first). On failure both are as they were. New room is
 * not zeroed. Grows by half, so that n appends cost O(n).
 */
int pf_grow(void **items, size_t *capacity, size_t need, size_t size, struct pf_error *err);

/* The same for a typed array; ITEMS and CAPACITY are lvalues. Costs a comparison where there is room. */
#define PF_GROW(ITEMS, CAPACITY, NEED, ERR) \
	((NEED) <= (CAPACITY)               \
		? 0                         \
		: pf_grow((void **)&(ITEMS), &(CAPACITY), (NEED), sizeof *(ITEMS), (ERR)))

/* calloc of n items with the standard error; *items is NULL on failure. */
int pf_calloc(void **items, size_t n, size_t size, struct pf_error *err);
#define PF_CALLOC(ITEMS, N, ERR) pf_calloc((void **)&(ITEMS), (N), sizeof *(ITEMS), (ERR))

/*
 * Asks for huge pages behind a block from malloc() if it is large: a page fault
 * costs more than filling the page. Only a wish: failure changes nothing.
 */
void pf_wish_huge_pages(void *items, size_t size);

/* A copy of a string, to be freed; NULL of NULL. */
int pf_copy_string(char **copy, const char *string, struct pf_error *err);

#endif
