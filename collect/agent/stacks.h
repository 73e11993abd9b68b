/*
 * stacks.h: from captured registers and stack bytes to interned stacks.
 *
 * A location is an address in a mapping, with the way from it to its caller
 * worked out once (a step); a stack is a list of locations, leaf first. Both
 * are numbered from 0 and never removed. Memory has a hard limit: what doesn't
 * fit is reported, not grown for.
 */
#ifndef PF_AGENT_STACKS_H
#define PF_AGENT_STACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collect/agent/slots.h"
#include "collect/agent/modules.h"
#include "core/index.h"

enum { PF_MOST_FRAMES = 512 };

enum pf_step_kind {
	PF_STEP_NONE,   /* no unwind table: by frame pointer */
	PF_STEP_SIMPLE, /* CFA = register + offset, everything saved relative to it */
	PF_STEP_FULL,   /* needs the whole row, worked out each time */
	PF_STEP_END,    /* the outermost function */
};

enum { PF_STEP_SAVED = 6 }; /* rbx, rbp, r12, r13, r14, r15 */

struct pf_step {
	uint8_t kind;
	uint8_t reg; /* the CFA's */
	bool signal_frame;
	int16_t saved[PF_STEP_SAVED]; /* (offset from the CFA) / 8; INT16_MIN: unchanged */
	int32_t offset;
};

struct pf_location {
	uint64_t pc;      /* as the profile has it: callers' −1 */
	uint32_t mapping; /* or PF_NO_MAPPING */
	struct pf_step step;
};

struct pf_stack {
	uint64_t first; /* in frames[] */
	uint32_t count;
	bool unsure; /* whether nobody is missing between the first and the second */
};

struct pf_stacks {
	struct pf_modules *modules; /* not owned */
	struct pf_location *locations;
	size_t location_count, location_capacity;
	struct pf_index location_index;
	uint32_t *frames;
	size_t frame_count, frame_capacity, most_frames;
	struct pf_stack *items;
	size_t count, capacity;
	struct pf_index index;
	struct pf_last_call_seen *last_calls; /* owned */
};

enum pf_stack_end {
	PF_STACK_WHOLE, /* reached the outermost function */
	PF_STACK_CUT,   /* ended for want of stack bytes or tables */
	PF_STACK_DEEP,  /* over PF_MOST_FRAMES */
};

/* What became of one sample. */
struct pf_taken {
	uint32_t stack; /* PF_NONE: no room for it */
	enum pf_stack_end end;
	bool by_frame_pointer; /* some step had no unwind table */
};

/* How many frames of stacks are kept: 48 MiB of them while a profile is taken, 8 MiB for the life of a process. */
enum { PF_FRAMES_FOR_NOW = 12 << 20, PF_FRAMES_FOR_GOOD = 2 << 20 };

void pf_stacks_init(struct pf_stacks *s, struct pf_modules *modules, size_t most_frames);
void pf_stacks_release(struct pf_stacks *s);

/* The stack of an address and, unless it is 0, of the call instruction below it; PF_NONE without room. */
uint32_t pf_stacks_pair(struct pf_stacks *s, uint64_t pc, uint64_t caller, int64_t now);

/* Unwinds and interns one sample. */
struct pf_taken pf_stacks_take(struct pf_stacks *s, const struct pf_slot *slot, int64_t now);

#endif
