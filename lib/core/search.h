/*
 * search.h: where an address, an id or another 64-bit key is among sorted items.
 */
#ifndef PF_CORE_SEARCH_H
#define PF_CORE_SEARCH_H

#include <stddef.h>
#include <stdint.h>

/* The first of `count` items of `size` bytes, ascending by the uint64_t at `offset`, whose key is at least `key`; else `count`. */
static inline size_t
pf_lower_bound(const void *items, size_t count, size_t size, size_t offset, uint64_t key)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const void *at = (const char *)items + middle * size + offset;
		if (*(const uint64_t *)at < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The same of an array of structs by a member, which has to be a uint64_t. */
#define PF_LOWER_BOUND(items, count, member, key)                  \
	((void)sizeof((const uint64_t *)NULL == &(items)->member), \
	    pf_lower_bound(                                        \
		(items), (count), sizeof *(items), offsetof(__typeof__(*(items)), member), (key)))

#endif
