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

enum { DEFINITIONS = 256 }; /* of one register that are compared */

/* Steps back in a function: many more than compilers' code takes, and no more than that in damaged code. */
enum { STEPS_LEAST = 1000000, STEPS_EACH = 1000 };

const cs_insn *
pf_trace_look(struct pf_machine_code *code, uint32_t at)
{
	struct pf_decoder *d = code->decoder;
	const struct pf_instruction *in = &code->instructions[at];
	const uint8_t *bytes = pf_binary_bytes(d->binary, in->address, in->size);

	return bytes && pf_decoder_read(d, bytes, in->size, in->address) ? d->instruction : NULL;
}

/* A bit for each general register, whole; 0 for others. */
static uint16_t
register_bit(x86_reg whole)
{
	static const x86_reg registers[] = {X86_REG_RBX, X86_REG_RSP, X86_REG_RBP, X86_REG_R12,
	    X86_REG_R13, X86_REG_R14, X86_REG_R15, X86_REG_RAX, X86_REG_RCX, X86_REG_RDX,
	    X86_REG_RSI, X86_REG_RDI, X86_REG_R8, X86_REG_R9, X86_REG_R10, X86_REG_R11};

	for (unsigned k = 0; k < sizeof registers / sizeof *registers; k++) {
		if (registers[k] == whole)
			return (uint16_t)(1 << k);
	}
	return 0;
}

enum { KEPT_BY_CALLS = 0x7f }; /* the first seven */

/* The registers that an instruction writes, as bits. */
static uint16_t
written_by(struct pf_machine_code *code, const cs_insn *i)
{
	cs_regs read, written;
	uint8_t reads, writings;
	uint16_t bits = 0;

	if (i->id == X86_INS_CALL)
		return (uint16_t)~KEPT_BY_CALLS;
	if (cs_regs_access(code->decoder->handle, i, read, &reads, written, &writings) != CS_ERR_OK)
		return UINT16_MAX;
	for (unsigned k = 0; k < writings; k++)
		bits |= register_bit(pf_register_whole(written[k]));
	return bits;
}

bool
pf_trace_writes(struct pf_machine_code *code, const cs_insn *i, x86_reg whole)
{
	return (written_by(code, i) & register_bit(whole)) != 0;
}

/* The same of instruction `at`, and of all that nobody knows. */
static bool
writes(struct pf_machine_code *code, uint32_t at, x86_reg whole)
{
	const struct pf_decoder *d = code->decoder;
	const cs_insn *i;

	if (d->wide)
		return (d->written[at] & register_bit(whole)) != 0;
	i = pf_trace_look(code, at);
	return !i || pf_trace_writes(code, i, whole);
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

/* Counts a step back; true once a function has had its share of them. */
static bool
is_spent(struct pf_decoder *d)
{
	if (d->steps_left == 0)
		return true;
	d->steps_left--;
	return false;
}

uint32_t
pf_trace_definition(struct pf_machine_code *code, uint32_t at, x86_reg whole)
{
	for (unsigned n = 0; n < PF_TRACE_STEPS && (at = pf_trace_before(code, at)) != PF_NONE;
	    n++) {
		if (is_spent(code->decoder))
			break;
		if (writes(code, at, whole))
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

/* What an instruction puts into its first operand: a constant and up to two registers, added. */
struct sum {
	uint64_t constant;
	x86_reg registers[2]; /* whole; INVALID: none */
};

static bool
sum_of(const cs_insn *i, struct sum *sum)
{
	const cs_x86 *x = &i->detail->x86;
	const cs_x86_op *to = &x->operands[0], *from = &x->operands[1];

	*sum = (struct sum){.registers = {X86_REG_INVALID, X86_REG_INVALID}};
	if (constant_of(i, &sum->constant))
		return true;
	if (x->op_count != 2 || !pf_trace_is_register(to))
		return false;
	if (i->id == X86_INS_LEA) {
		sum->constant = (uint64_t)from->mem.disp;
		sum->registers[0] = pf_register_whole(from->mem.base);
		sum->registers[1] = pf_register_whole(from->mem.index);
		return to->size == 8 && from->mem.scale == 1;
	}
	if (!pf_trace_is_register(from))
		return false;
	sum->registers[0] = pf_register_whole(from->reg);
	if (i->id == X86_INS_ADD)
		sum->registers[1] = pf_register_whole(to->reg);
	return i->id == X86_INS_MOV || (i->id == X86_INS_ADD && to->size == 8);
}

static bool value_before(
    struct pf_machine_code *code, uint32_t at, x86_reg reg, unsigned depth, uint64_t *value);

/* The first spill into this slot or behind it, in their order. */
static size_t
first_spill(const struct pf_decoder *d, const x86_op_mem *slot)
{
	size_t low = 0, high = d->spill_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct pf_spill *s = &d->spills[middle];
		if (s->base < slot->base || (s->base == slot->base && s->offset < slot->disp))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The same constant from every spill. */
static bool
value_of_slot(struct pf_machine_code *code, const cs_x86_op *slot, unsigned depth, uint64_t *value)
{
	const struct pf_decoder *d = code->decoder;
	size_t first = first_spill(d, &slot->mem), i = first;
	uint64_t other;

	for (; i < d->spill_count && d->spills[i].base == slot->mem.base &&
	       d->spills[i].offset == slot->mem.disp;
	    i++) {
		const struct pf_spill *s = &d->spills[i];
		if (s->from == X86_REG_INVALID ||
		    !value_before(code, s->at, s->from, depth, &other) ||
		    (i > first && other != *value))
			return false;
		*value = other;
	}
	return i > first;
}

/* The constant that instruction `at` puts into its first operand, found by going back up to `depth` times. */
static bool
value_of(struct pf_machine_code *code, uint32_t at, unsigned depth, uint64_t *value)
{
	const cs_insn *i = pf_trace_look(code, at);
	struct sum sum;
	uint64_t part;

	if (i && i->id == X86_INS_MOV && i->detail->x86.operands[0].size == 8 &&
	    pf_trace_is_slot(&i->detail->x86.operands[1])) {
		const cs_x86_op slot = i->detail->x86.operands[1];
		return depth > 0 && value_of_slot(code, &slot, depth - 1, value);
	}
	if (!i || !sum_of(i, &sum))
		return false;
	*value = sum.constant;
	for (unsigned k = 0; k < 2; k++) {
		if (sum.registers[k] == X86_REG_INVALID)
			continue;
		if (depth == 0 || !value_before(code, at, sum.registers[k], depth - 1, &part))
			return false;
		*value += part;
	}
	return true;
}

bool
pf_trace_slot(struct pf_machine_code *code, const cs_x86_op *slot, uint64_t *value)
{
	return value_of_slot(code, slot, PF_TRACE_DEPTH, value);
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

/* All instructions from which a register may still have its value before `at`; 0: none is seen, or too many. */
static size_t
definitions_of(struct pf_machine_code *code, uint32_t at, x86_reg reg, uint32_t found[DEFINITIONS])
{
	struct pf_decoder *d = code->decoder;
	size_t count = 0, n = 0;

	d->search++;
	add_ways_to(code, at, &count);
	for (unsigned ways = 0; count > 0; ways++) {
		uint32_t way = d->ways[--count];
		if (ways >= PF_TRACE_WAYS || is_spent(d))
			return 0;
		if (!writes(code, way, reg))
			add_ways_to(code, way, &count);
		else if (n < DEFINITIONS)
			found[n++] = way;
		else
			return 0;
	}
	return n;
}

/* The same constant from every definition. */
static bool
value_every_way(
    struct pf_machine_code *code, uint32_t at, x86_reg reg, unsigned depth, uint64_t *value)
{
	uint32_t found[DEFINITIONS];
	size_t n = definitions_of(code, at, reg, found);
	uint64_t other;

	if (n == 0 || !value_of(code, found[0], depth, value))
		return false;
	for (size_t i = 1; i < n; i++) {
		if (!value_of(code, found[i], depth, &other) || other != *value)
			return false;
	}
	return true;
}

bool
pf_trace_every_way(struct pf_machine_code *code, uint32_t at, x86_reg reg, uint64_t *value)
{
	return value_every_way(code, at, reg, PF_TRACE_DEPTH, value);
}

/* Where the near way back does not end, as out of loops, sums are looked for by every way. */
static bool
value_before(
    struct pf_machine_code *code, uint32_t at, x86_reg reg, unsigned depth, uint64_t *value)
{
	uint32_t definition = pf_trace_definition(code, at, reg);

	if (definition != PF_NONE)
		return value_of(code, definition, depth, value);
	return code->decoder->wide && value_every_way(code, at, reg, depth, value);
}

bool
pf_trace_value(struct pf_machine_code *code, uint32_t at, x86_reg reg, uint64_t *value)
{
	return value_before(code, at, reg, PF_TRACE_DEPTH, value);
}

static int
compare_sources(const void *a, const void *b)
{
	const struct pf_jump_source *x = a, *y = b;

	if (x->target != y->target)
		return x->target < y->target ? -1 : 1;
	return (x->from > y->from) - (x->from < y->from);
}

static void
sort_sources(struct pf_decoder *d)
{
	if (d->source_count > 1)
		qsort(d->sources, d->source_count, sizeof *d->sources, compare_sources);
}

static int
add_source(struct pf_decoder *d, uint64_t target, uint32_t from, struct pf_error *err)
{
	int rc = PF_GROW(d->sources, d->source_capacity, d->source_count + 1, err);

	if (!rc)
		d->sources[d->source_count++] =
		    (struct pf_jump_source){.target = target, .from = from};
	return rc;
}

/* Large model: values are looked for far and wide, so what instructions write is found out once. */
static int
note_writes(struct pf_machine_code *code, struct pf_error *err)
{
	struct pf_decoder *d = code->decoder;

	if (PF_GROW(d->written, d->written_capacity, code->instruction_count, err))
		return PF_ENOMEM;
	for (uint32_t i = 0; i < code->instruction_count; i++) {
		const cs_insn *look = pf_trace_look(code, i);
		d->written[i] = look ? written_by(code, look) : UINT16_MAX;
	}
	return 0;
}

int
pf_trace_prepare(struct pf_machine_code *code, struct pf_error *err)
{
	struct pf_decoder *d = code->decoder;

	d->source_count = 0;
	for (size_t i = 0; i < code->instruction_count; i++) {
		const struct pf_instruction *in = &code->instructions[i];
		if ((in->kind == PF_CODE_JUMP || in->kind == PF_CODE_BRANCH) &&
		    add_source(d, in->target, (uint32_t)i, err))
			return PF_ENOMEM;
	}
	if (PF_GROW(d->ways, d->way_capacity, code->instruction_count, err) ||
	    PF_GROW(d->reached, d->reached_capacity, code->instruction_count, err))
		return PF_ENOMEM;
	memset(d->reached, 0, code->instruction_count * sizeof *d->reached);
	d->search = 0;
	d->steps_left = STEPS_LEAST + STEPS_EACH * (uint64_t)code->instruction_count;
	if (d->wide && note_writes(code, err))
		return PF_ENOMEM;
	sort_sources(d);
	return 0;
}

int
pf_trace_add_tables(struct pf_machine_code *code, struct pf_error *err)
{
	struct pf_decoder *d = code->decoder;
	int rc = 0;

	for (size_t i = 0; i < d->target_count && !rc; i++) {
		const struct pf_table_target *t = &d->targets[i];
		if (t->to != PF_NONE)
			rc = add_source(d, code->instructions[t->to].address, t->jump, err);
	}
	sort_sources(d);
	return rc;
}
