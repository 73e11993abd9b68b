/*
 * ranges.c: see ranges.h.
 *
 * A sweep from low to high addresses. The ranges that are open at the sweep's
 * position stand in a heap by rank; closed ones are thrown out only when they
 * come to the top.
 */
#include "symbol/ranges.h"

#include <stdbool.h>
#include <stdlib.h>

#include "core/error.h"
#include "core/memory.h"

void
pf_ranges_release(struct pf_ranges *r)
{
	free(r->items);
	*r = (struct pf_ranges){0};
}

int
pf_ranges_add(struct pf_ranges *r, uint64_t low, uint64_t high, uint32_t rank, struct pf_error *err)
{
	if (low >= high)
		return 0;
	if (PF_GROW(r->items, r->capacity, r->count + 1, err))
		return PF_ENOMEM;
	r->items[r->count++] = (struct pf_range){.low = low, .high = high, .rank = rank};
	return 0;
}

static int
compare_ranges(const void *a, const void *b)
{
	const struct pf_range *x = a, *y = b;

	if (x->low != y->low)
		return x->low < y->low ? -1 : 1;
	return (x->rank > y->rank) - (x->rank < y->rank);
}

/* heap[0] has the highest rank. */
static void
heap_push(struct pf_range *heap, size_t *count, struct pf_range range)
{
	size_t at = (*count)++;

	for (; at > 0 && heap[(at - 1) / 2].rank < range.rank; at = (at - 1) / 2)
		heap[at] = heap[(at - 1) / 2];
	heap[at] = range;
}

static void
heap_pop(struct pf_range *heap, size_t *count)
{
	struct pf_range last = heap[--*count];
	size_t at = 0, child;

	for (; (child = 2 * at + 1) < *count; at = child) {
		if (child + 1 < *count && heap[child + 1].rank > heap[child].rank)
			child++;
		if (heap[child].rank <= last.rank)
			break;
		heap[at] = heap[child];
	}
	heap[at] = last;
}

/* Appends [low, high), joining it with the last piece where that has the same rank and touches it. */
static void
append(struct pf_ranges *out, uint64_t low, uint64_t high, uint32_t rank)
{
	struct pf_range *last = out->count ? &out->items[out->count - 1] : NULL;

	if (last && last->rank == rank && last->high == low)
		last->high = high;
	else
		out->items[out->count++] =
		    (struct pf_range){.low = low, .high = high, .rank = rank};
}

int
pf_ranges_flatten(struct pf_ranges *r, struct pf_error *err)
{
	struct pf_ranges out = {0};
	struct pf_range *heap = NULL;
	size_t open = 0, next = 0;
	uint64_t at = 0;

	if (r->count == 0)
		return 0;
	if (PF_CALLOC(heap, r->count, err))
		return PF_ENOMEM;
	if (PF_GROW(out.items, out.capacity, 2 * r->count, err)) {
		free(heap);
		return PF_ENOMEM;
	}
	qsort(r->items, r->count, sizeof *r->items, compare_ranges);
	while (next < r->count || open > 0) {
		while (open > 0 && heap[0].high <= at)
			heap_pop(heap, &open);
		if (open == 0) {
			if (next == r->count)
				break;
			at = r->items[next].low;
		}
		for (; next < r->count && r->items[next].low <= at; next++)
			heap_push(heap, &open, r->items[next]);
		uint64_t until = heap[0].high;
		if (next < r->count && r->items[next].low < until)
			until = r->items[next].low;
		append(&out, at, until, heap[0].rank);
		at = until;
	}
	free(heap);
	pf_ranges_release(r);
	*r = out;
	return 0;
}

/* Whether exactly the first `n` pieces begin at or before an address. */
static bool
begin_before(const struct pf_ranges *r, size_t n, uint64_t address)
{
	return n <= r->count && (n == 0 || r->items[n - 1].low <= address) &&
	       (n == r->count || r->items[n].low > address);
}

/* How many pieces do; the next question is mostly about the same piece or the one behind it. */
static size_t
count_before(const struct pf_ranges *r, uint64_t address)
{
	size_t low = 0, high = r->count;

	for (size_t n = r->near; n < r->near + 2; n++) {
		if (begin_before(r, n, address))
			return n;
	}
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (r->items[middle].low <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint32_t
pf_ranges_piece(struct pf_ranges *r, uint64_t address, uint64_t *until)
{
	size_t n = count_before(r, address);
	bool covered = n > 0 && address < r->items[n - 1].high;
	uint64_t end = covered ? r->items[n - 1].high : n < r->count ? r->items[n].low : UINT64_MAX;

	r->near = n;
	if (end < *until)
		*until = end;
	return covered ? r->items[n - 1].rank : PF_NONE;
}

uint32_t
pf_ranges_find(const struct pf_ranges *r, uint64_t address)
{
	struct pf_ranges asked = *r; /* the pieces stay where they are, only what is near changes */
	uint64_t until = UINT64_MAX;

	return pf_ranges_piece(&asked, address, &until);
}
