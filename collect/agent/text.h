/*
 * text.h: the parts that pprof's older text forms have in common.
 */
#ifndef PF_AGENT_TEXT_H
#define PF_AGENT_TEXT_H

#include "collect/agent/stacks.h"
#include "core/buffer.h"

/* " 0x… 0x…": a stack's addresses, leaf first; nothing for PF_NONE. Readers take 1 off each, which we have done. */
void pf_text_stack(struct pf_buffer *out, const struct pf_stacks *stacks, uint32_t number);

/* The section that says which file is mapped where. */
void pf_text_mappings(struct pf_buffer *out, const struct pf_modules *modules);

#endif
