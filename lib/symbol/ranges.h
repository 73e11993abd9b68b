/*
 * ranges.h: which of many nested address ranges is the innermost at an address.
 *
 * Ranges are added in any order, then flattened once into sorted pieces that do
 * not overlap: where several cover an address, the one of the highest rank wins.
 * n ranges give at most 2n - 1 pieces; flattening costs n log n, a lookup log n.
 */
#ifndef PF_SYMBOL_RANGES_H
#define PF_SYMBOL_RANGES_H

#include <stddef.h>
#include <stdint.h>

#include "core/index.h"

struct pf_range {
	uint64_t low, high; /* [low, high) */
	uint32_t rank;
};

/* A zeroed struct is empty. */
struct pf_ranges {
	struct pf_range *items;
	size_t count, capacity;
	size_t near; /* how many pieces began at or before the address asked for last */
};

void pf_ranges_release(struct pf_ranges *r);
/* Empty ranges are left out. */
int pf_ranges_add(
    struct pf_ranges *r, uint64_t low, uint64_t high, uint32_t rank, struct pf_error *err);
/* Sorts and cuts; afterwards nothing may be added. On failure the ranges are as they were. */
int pf_ranges_flatten(struct pf_ranges *r, struct pf_error *err);
/* The rank of the piece that covers an address, or PF_NONE. */
uint32_t pf_ranges_find(const struct pf_ranges *r, uint64_t address);
/* The same, cheapest in rising order; lowers *until to where the answer becomes another one. */
uint32_t pf_ranges_piece(struct pf_ranges *r, uint64_t address, uint64_t *until);

#endif
