/*
 * step_code.h: what the next instruction means to somebody who follows step by step.
 */
#ifndef PF_AGENT_STEP_CODE_H
#define PF_AGENT_STEP_CODE_H

#include <stddef.h>
#include <stdint.h>

enum pf_step_code {
	PF_INSTRUCTION_PLAIN,
	PF_INSTRUCTION_CALLS,
	PF_INSTRUCTION_ENDS, /* not to be stepped over: it may take the trap flag along, or the thread elsewhere */
};

/* The instruction at `code`, of which `size` bytes may be read (15 are always enough). */
enum pf_step_code pf_step_code(const uint8_t *code, size_t size);

#endif
