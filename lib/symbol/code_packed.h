/*
 * code_packed.h: the instructions of many functions, two bytes each.
 *
 * A decoded instruction takes 24 bytes, which a few functions can afford and a
 * whole program cannot. Packed, its size, kind and cost share 16 bits; the few
 * that have a target keep it in a list of its own. Addresses are not kept: one
 * instruction stands directly behind the other, so they follow from the first.
 */
#ifndef PF_SYMBOL_CODE_PACKED_H
#define PF_SYMBOL_CODE_PACKED_H

#include "symbol/code.h"

/* A zeroed struct is empty. */
struct pf_packed_code {
	uint16_t *items;
	size_t count, capacity;
	uint64_t *targets; /* of the instructions that have one, in their order */
	size_t target_count, target_capacity;
};

/* Appends the instructions of a range, each of which ends where the next one begins. PF_ENOMEM. */
int pf_packed_code_add(struct pf_packed_code *c, const struct pf_instruction *instructions,
    size_t count, struct pf_error *err);
/*
 * Fills out[] with `count` instructions from number `first` on, whose targets
 * begin at `first_target`; the first one stands at `address`. Blocks are not
 * kept: all are 0.
 */
void pf_packed_code_get(const struct pf_packed_code *c, size_t first, size_t first_target,
    uint64_t address, struct pf_instruction *out, size_t count);
void pf_packed_code_release(struct pf_packed_code *c);

#endif
