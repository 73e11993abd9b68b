/*
 * unwind.h: one frame after the other, from a copy of the stack.
 */
#ifndef PF_AGENT_UNWIND_H
#define PF_AGENT_UNWIND_H

#include "collect/agent/cfi.h"
#include "collect/agent/stacks.h"

/* The registers of one frame; bit i of `valid`: registers[i] is known. */
struct pf_frame {
	struct pf_memory memory; /* first: expressions read through it */
	const struct pf_slot *slot;
	uint64_t registers[PF_REGISTERS];
	uint32_t valid;
};

void pf_frame_init(struct pf_frame *frame, const struct pf_slot *slot);

/* How to get from an address to its caller; `cfi` may be NULL. */
struct pf_step pf_step_find(const struct pf_cfi *cfi, uint64_t pc);

/*
 * Moves to the caller. False if that can't be done: memory that was not
 * copied, a stack that doesn't grow, a damaged table.
 */
bool pf_frame_up(
    struct pf_frame *frame, const struct pf_step *step, const struct pf_cfi *cfi, uint64_t pc);

#endif
