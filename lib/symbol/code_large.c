/*
 * code_large.c: addresses of the large code model; see code_private.h.
 *
 * Where code and data may be anywhere, an address is a 64-bit constant, and in
 * position-independent code the sum of one and of where the function finds
 * itself:
 *	lea b, [rip - 7]; movabs r, TABLE - HERE; add r, b
 *	movabs r, FUNCTION; call r
 * Nothing computes them again cheaply, so they are kept in registers and on the
 * stack out of loops.
 */
#include <stdlib.h>

#include "core/error.h"
#include "core/memory.h"
#include "symbol/binary_private.h"
#include "symbol/code_trace.h"

/* The register that an instruction may sum addresses into, whole, or INVALID. */
static x86_reg
sum_into(struct pf_machine_code *code, uint32_t at)
{
	const struct pf_instruction *in = &code->instructions[at];
	const cs_insn *i;

	if (in->kind != PF_CODE_OTHER || in->size < 3 || in->size > 5)
		return X86_REG_INVALID; /* no addition of two 64-bit registers */
	i = pf_trace_look(code, at);
	if (!i || (i->id != X86_INS_ADD && i->id != X86_INS_LEA) ||
	    !pf_trace_is_register(&i->detail->x86.operands[0]))
		return X86_REG_INVALID;
	return pf_register_whole(i->detail->x86.operands[0].reg);
}

static int
compare_spills(const void *a, const void *b)
{
	const struct pf_spill *x = a, *y = b;

	if (x->base != y->base)
		return x->base < y->base ? -1 : 1;
	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

/* mov [rsp + offset], r or a constant; also from rbp. */
static bool
is_spill(struct pf_machine_code *code, uint32_t at, struct pf_spill *spill)
{
	const struct pf_instruction *in = &code->instructions[at];
	const uint8_t *bytes = pf_binary_bytes(code->decoder->binary, in->address, in->size);
	const cs_insn *i;
	const cs_x86_op *to, *from;

	if (!bytes || in->size < 4 || (bytes[0] & 0xf8) != 0x48 ||
	    (bytes[1] != 0x89 && bytes[1] != 0xc7))
		return false; /* quick, and right: no move of 64 bits */
	i = pf_trace_look(code, at);
	if (!i || i->id != X86_INS_MOV)
		return false;
	to = &i->detail->x86.operands[0];
	from = &i->detail->x86.operands[1];
	if (!pf_trace_is_slot(to))
		return false;
	*spill = (struct pf_spill){.base = to->mem.base,
	    .offset = to->mem.disp,
	    .at = at,
	    .from = pf_trace_is_register(from) ? from->reg : X86_REG_INVALID};
	return true;
}

static int
find_spills(struct pf_machine_code *code, struct pf_error *err)
{
	struct pf_decoder *d = code->decoder;
	struct pf_spill spill;

	for (uint32_t i = 0; i < code->instruction_count; i++) {
		if (!is_spill(code, i, &spill))
			continue;
		if (PF_GROW(d->spills, d->spill_capacity, d->spill_count + 1, err))
			return PF_ENOMEM;
		d->spills[d->spill_count++] = spill;
	}
	if (d->spill_count > 1)
		qsort(d->spills, d->spill_count, sizeof *d->spills, compare_spills);
	return 0;
}

int
pf_code_find_sums(struct pf_machine_code *code, struct pf_error *err)
{
	struct pf_decoder *d = code->decoder;
	int rc = find_spills(code, err);

	for (uint32_t i = 0; i + 1 < code->instruction_count && !rc; i++) {
		struct pf_constant sum = {.reg = sum_into(code, i)};
		if (sum.reg != X86_REG_INVALID && pf_trace_value(code, i + 1, sum.reg, &sum.value))
			rc = pf_code_add_constant(d, sum, err);
	}
	pf_code_sort_constants(d);
	return rc;
}

/* What a jump or call goes through: a register, or a slot of the stack. */
static bool
holds(struct pf_machine_code *code, uint32_t at, const cs_x86_op *op, uint64_t *target)
{
	if (pf_trace_is_slot(op))
		return pf_trace_slot(code, op, target);
	return pf_trace_is_register(op) &&
	       pf_trace_every_way(code, at, pf_register_whole(op->reg), target);
}

/* A jump or call through what holds the same address whichever way it was reached is a direct one. */
static void
make_direct(struct pf_machine_code *code, uint32_t at)
{
	struct pf_instruction *in = &code->instructions[at];
	const cs_insn *i = pf_trace_look(code, at);
	bool call = in->kind == PF_CODE_CALL_INDIRECT;
	cs_x86_op op; /* what was looked at is gone with the next look */
	uint64_t target;

	if (!i)
		return;
	op = i->detail->x86.operands[0];
	if (!holds(code, at, &op, &target) || !pf_binary_executable(code->decoder->binary, target))
		return;
	in->kind = call ? PF_CODE_CALL : PF_CODE_JUMP;
	in->cost = call ? PF_COST_CALL : PF_COST_BRANCH;
	in->target = target;
}

int
pf_code_make_direct(struct pf_machine_code *code, struct pf_error *err)
{
	int rc = pf_trace_add_tables(code, err);

	for (uint32_t i = 0; i < code->instruction_count && !rc; i++) {
		const struct pf_instruction *in = &code->instructions[i];
		if (in->kind == PF_CODE_CALL_INDIRECT || in->kind == PF_CODE_JUMP_INDIRECT)
			make_direct(code, i);
	}
	return rc;
}
