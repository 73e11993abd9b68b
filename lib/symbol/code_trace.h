/*
 * code_trace.h: going back from an instruction to where a register got its value.
 *
 * The way back is in address order where one instruction falls through to the
 * next, else over a jump that leads there; of several ways in, one. That is
 * right for what compilers emit before an indirect jump, and what is found is
 * checked against the table it leads to.
 */
#ifndef PF_SYMBOL_CODE_TRACE_H
#define PF_SYMBOL_CODE_TRACE_H

#include "symbol/code_private.h"

#define PF_TRACE_DEPTH 6   /* copies and additions between a constant and its use */
#define PF_TRACE_WAYS 4096 /* the same over all branches */
#define PF_TRACE_STEPS \
	256 /* instructions; near the jump but for locals that clang reloads in between */

/* Once for a function, before the others: sorts its direct jumps by where they go. */
int pf_trace_prepare(struct pf_machine_code *code, struct pf_error *err);

/* The ways through the tables found so far are ways from then on. */
int pf_trace_add_tables(struct pf_machine_code *code, struct pf_error *err);

/* Decodes an instruction again, with its operands; NULL for what capstone doesn't know. Good until the next call. */
const cs_insn *pf_trace_look(struct pf_machine_code *code, uint32_t at);
/* Whether an instruction writes a register; calls write all that the callee may. */
bool pf_trace_writes(struct pf_machine_code *code, const cs_insn *i, x86_reg whole);
/* The instruction before this one, or PF_NONE where no way in is seen. */
uint32_t pf_trace_before(const struct pf_machine_code *code, uint32_t at);
/* The nearest instruction before `at` that writes a register, or PF_NONE. */
uint32_t pf_trace_definition(struct pf_machine_code *code, uint32_t at, x86_reg whole);
/* The constant, or sum of constants, that a register holds before instruction `at`; false if that can't be seen. */
bool pf_trace_value(struct pf_machine_code *code, uint32_t at, x86_reg reg, uint64_t *value);
/*
 * The same by every way back, over all branches: false unless all that find something find this one constant. Ways
 * that only a table leads to end there. For registers that are set out of a loop.
 */
bool pf_trace_every_way(struct pf_machine_code *code, uint32_t at, x86_reg reg, uint64_t *value);

/* The constant that every store into a slot of the stack stores, of functions whose decoder->spills are filled. */
bool pf_trace_slot(struct pf_machine_code *code, const cs_x86_op *slot, uint64_t *value);

/* Whether an operand is a place at a fixed distance from rsp or rbp. */
static inline bool
pf_trace_is_slot(const cs_x86_op *op)
{
	return op->type == X86_OP_MEM && op->mem.index == X86_REG_INVALID &&
	       op->mem.segment == X86_REG_INVALID &&
	       (op->mem.base == X86_REG_RSP || op->mem.base == X86_REG_RBP);
}

static inline bool
pf_trace_is_register(const cs_x86_op *op)
{
	return op->type == X86_OP_REG;
}

#endif
