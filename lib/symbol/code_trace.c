/*
 * code_trace.c: going back from an instruction to where a register got its
 * value; see code_trace.h.
 */
#include "symbol/code_trace.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/index.h"
#include "core/memory.h"
#include "core/search.h"
#include "symbol/binary.h"

const cs_insn *
pf_trace_look(struct pf_machine_code *code, uint32_t at)
{
	struct pf_decoder *d = code->decoder;
	const struct pf_instruction *in = &code->instructions[at];
	const uint8_t *bytes = pf_binary_bytes(d->binary, in->address, in->size);

	return bytes && pf_decoder_read(d, bytes, in->size, in->address) ? d->instruction : NULL;
}

static bool
is_volatile(x86_reg whole)
{
	return whole != X86_REG_RBX && whole != X86_REG_RBP && whole != X86_REG_RSP &&
	       whole != X86_REG_R12 && whole != X86_REG_R13 && whole != X86_REG_R14 &&
	       whole != X86_REG_R15;
}

bool
pf_trace_writes(struct pf_machine_code *code, const cs_insn *i, x86_reg whole)
{
	cs_regs read, written;
	uint8_t reads, writings;

	if (i->id == X86_INS_CALL)
		return is_volatile(whole);
	if (cs_regs_access(code->decoder->handle, i, read, &reads, written, &writings) != CS_ERR_OK)
		return true;
	for (unsigned k = 0; k < writings; k++) {
		if (pf_register_whole(written[k]) == whole)
			return true;
	}
	return false;
}

/* A jump or branch to this instruction, or PF_NONE: how to get to code that nothing falls into. */
static uint32_t
source_of(const struct pf_machine_code *code, uint32_t at)
{
	const struct pf_decoder *d = code->decoder;
	uint64_t address = code->instructions[at].address;
	size_t low = PF_LOWER_BOUND(d->sources, d->source_count, target, address);

	return low < d->source_count && d->sources[low].target == address ? d->sources[low].from
									  : PF_NONE;
}

static bool
goes_on(const struct pf_instruction *in)
{
	return in->kind != PF_CODE_JUMP && in->kind != PF_CODE_JUMP_INDIRECT &&
	       in->kind != PF_CODE_RETURN && in->kind != PF_CODE_STOP;
}

uint32_t
pf_trace_before(const struct pf_machine_code *code, uint32_t at)
{
	uint32_t last = at;

	while (last > 0 && code->instructions[last - 1].cost == PF_COST_NOP)
		last--; /* padding, most likely, if nothing falls into it */
	if (last > 0 && goes_on(&code->instructions[last - 1]))
		return last - 1;
	return source_of(code, at);
}

uint32_t
pf_trace_definition(struct pf_machine_code *code, uint32_t at, x86_reg whole)
{
	for (unsigned n = 0; n < PF_TRACE_STEPS && (at = pf_trace_before(code, at)) != PF_NONE;
	    n++) {
		const cs_insn *i = pf_trace_look(code, at);
		if (!i || pf_trace_writes(code, i, whole))
			return at;
	}
	return PF_NONE;
}

/* The constant address that an instruction puts into its first operand. */
static bool
constant_of(const cs_insn *i, uint64_t *value)
{
	const cs_x86_op *op = &i->detail->x86.operands[1];

	if (i->detail->x86.op_count != 2)
		return false;
	if (i->id == X86_INS_LEA && op->mem.base == X86_REG_RIP) {
		*value = i->address + i->size + (uint64_t)op->mem.disp;
		return true;
	}
	if ((i->id == X86_INS_MOV || i->id == X86_INS_MOVABS) && op->type == X86_OP_IMM) {
		*value = (uint64_t)op->imm;
		return true;
	}
	return false;
}

bool
pf_trace_value(struct pf_machine_code *code, uint32_t at, x86_reg reg, uint64_t *value)
{
	for (unsigned copies = 0; copies < 4; copies++) {
		const cs_insn *i;
		const cs_x86_op *op;
		at = pf_trace_definition(code, at, reg);
		i = at == PF_NONE ? NULL : pf_trace_look(code, at);
		if (!i)
			return false;
		if (constant_of(i, value))
			return true;
		op = &i->detail->x86.operands[1];
		if (i->id != X86_INS_MOV || i->detail->x86.op_count != 2 ||
		    !pf_trace_is_register(op))
			return false;
		reg = pf_register_whole(op->reg);
	}
	return false;
}

/* Notes an instruction to go back from, once a search. */
static void
add_way(struct pf_decoder *d, uint32_t at, size_t *count)
{
	if (d->reached[at] == d->search)
		return;
	d->reached[at] = d->search;
	d->ways[(*count)++] = at;
}

static void
add_ways_to(const struct pf_machine_code *code, uint32_t at, size_t *count)
{
	struct pf_decoder *d = code->decoder;
	uint64_t address = code->instructions[at].address;
	size_t source = PF_LOWER_BOUND(d->sources, d->source_count, target, address);

	if (at > 0 && goes_on(&code->instructions[at - 1]))
		add_way(d, at - 1, count);
	for (; source < d->source_count && d->sources[source].target == address; source++)
		add_way(d, d->sources[source].from, count);
}

bool
pf_trace_every_way(struct pf_machine_code *code, uint32_t at, x86_reg reg, uint64_t *value)
{
	struct pf_decoder *d = code->decoder;
	size_t count = 0;
	bool found = false;

	d->search++;
	add_ways_to(code, at, &count);
	for (unsigned n = 0; count > 0; n++) {
		uint32_t way = d->ways[--count];
		const cs_insn *i = n < PF_TRACE_WAYS ? pf_trace_look(code, way) : NULL;
		uint64_t constant;
		if (!i)
			return false;
		if (!pf_trace_writes(code, i, reg)) {
			add_ways_to(code, way, &count);
			continue;
		}
		if (!constant_of(i, &constant) || (found && constant != *value))
			return false;
		*value = constant;
		found = true;
	}
	return found;
}

static int
compare_sources(const void *a, const void *b)
{
	const struct pf_jump_source *x = a, *y = b;

	if (x->target != y->target)
		return x->target < y->target ? -1 : 1;
	return (x->from > y->from) - (x->from < y->from);
}

int
pf_trace_prepare(struct pf_machine_code *code, struct pf_error *err)
{
	struct pf_decoder *d = code->decoder;

	d->source_count = 0;
	for (size_t i = 0; i < code->instruction_count; i++) {
		const struct pf_instruction *in = &code->instructions[i];
		if (in->kind != PF_CODE_JUMP && in->kind != PF_CODE_BRANCH)
			continue;
		if (PF_GROW(d->sources, d->source_capacity, d->source_count + 1, err))
			return PF_ENOMEM;
		d->sources[d->source_count++] =
		    (struct pf_jump_source){.target = in->target, .from = (uint32_t)i};
	}
	if (PF_GROW(d->ways, d->way_capacity, code->instruction_count, err) ||
	    PF_GROW(d->reached, d->reached_capacity, code->instruction_count, err))
		return PF_ENOMEM;
	memset(d->reached, 0, code->instruction_count * sizeof *d->reached);
	d->search = 0;
	if (d->source_count > 1)
		qsort(d->sources, d->source_count, sizeof *d->sources, compare_sources);
	return 0;
}
