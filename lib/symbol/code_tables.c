/*
 * code_tables.c: where indirect jumps through tables go.
 *
 * Shapes understood (Intel order):
 *	jmp [table + i*8]                     gcc and clang, not position-independent
 *	jmp [base + i*8]                      computed goto; base computed earlier, often out of the loop
 *	mov r, [base + i*8]; jmp r
 *	movsxd r, [base + i*4]; add r, base; jmp r    position-independent switch
 *	add base, [base + i*8]; jmp base              the same in the large code model
 * A jump through a pointer without an index is a tail call, not a table; so is one
 * through a register after the frame was torn down.
 *
 * The number of entries comes from the comparison (or mask) of the index before
 * the jump. Where it can't be seen, a table ends before the next address that
 * the function computes and before the first entry that leads to no
 * instruction of the function.
 */
#include "symbol/code_trace.h"

#include <string.h>

#include "core/error.h"
#include "core/index.h"
#include "core/memory.h"
#include "symbol/binary_private.h"

#define ENTRIES_MAX 65536
#define GUESS_MAX 512 /* entries looked at to tell a table from other data */
#define GAP_MAX 64    /* entries in a row that leave the function, in a table without a bound */

/* A table, as far as it is known. */
struct table {
	uint64_t address;
	uint64_t origin;   /* added to entries that are relative */
	unsigned size;     /* of an entry: 4 or 8 */
	x86_reg index;     /* whole register */
	uint32_t load;     /* the instruction that reads the entry */
	x86_reg base;      /* register that holds the address, whole; INVALID: address is known */
	int64_t offset;    /* added to the base */
	x86_reg from;      /* register that holds the origin; INVALID: entries are absolute */
	uint32_t from_use; /* the instruction that adds it */
};

static bool
is_relative(const struct table *t)
{
	return t->from != X86_REG_INVALID;
}

enum shape { SHAPE_TABLE, SHAPE_POINTER, SHAPE_UNKNOWN };

/* Fills in a table read through this memory operand. False: it has no index, so it is no table. */
static bool
table_of(struct table *t, const cs_insn *i, const cs_x86_op *op, uint32_t at)
{
	const x86_op_mem *mem = &op->mem;

	if (op->type != X86_OP_MEM || mem->segment != X86_REG_INVALID ||
	    mem->index == X86_REG_INVALID)
		return false;
	*t = (struct table){.index = pf_register_whole(mem->index),
	    .size = (unsigned)mem->scale,
	    .load = at,
	    .base = pf_register_whole(mem->base),
	    .offset = mem->disp,
	    .from = X86_REG_INVALID};
	if (mem->scale == 1 && mem->base != X86_REG_INVALID)
		return false; /* the index was scaled before: rare, not followed */
	if (mem->base == X86_REG_INVALID)
		t->address = (uint64_t)mem->disp;
	return (t->size == 8 &&
		   (i->id == X86_INS_JMP || i->id == X86_INS_MOV || i->id == X86_INS_ADD)) ||
	       (t->size == 4 && i->id == X86_INS_MOVSXD);
}

/* r = entry + origin, at instruction `at`: which of the two operands was read from a table? */
static enum shape
relative_shape(struct pf_machine_code *code, uint32_t at, x86_reg a, x86_reg b, struct table *t)
{
	x86_reg both[2] = {a, b};

	for (int k = 0; k < 2; k++) {
		uint32_t def = pf_trace_definition(code, at, both[k]);
		const cs_insn *i = def == PF_NONE ? NULL : pf_trace_look(code, def);
		if (i && (i->id == X86_INS_MOVSXD || i->id == X86_INS_MOV) &&
		    table_of(t, i, &i->detail->x86.operands[1], def)) {
			t->from = both[1 - k];
			t->from_use = at;
			return SHAPE_TABLE;
		}
	}
	return SHAPE_UNKNOWN;
}

/* What an indirect jump reads its target from. */
static enum shape
shape_of(struct pf_machine_code *code, uint32_t jump, struct table *t)
{
	const cs_insn *i = pf_trace_look(code, jump);
	const cs_x86_op *op = i ? &i->detail->x86.operands[0] : NULL;
	uint32_t at = jump;
	x86_reg reg;

	if (!i || i->detail->x86.op_count != 1)
		return SHAPE_UNKNOWN;
	if (op->type == X86_OP_MEM)
		return table_of(t, i, op, jump) ? SHAPE_TABLE : SHAPE_POINTER;
	for (unsigned copies = 0; copies < 4; copies++) {
		reg = pf_register_whole(op->reg);
		at = pf_trace_definition(code, at, reg);
		i = at == PF_NONE ? NULL : pf_trace_look(code, at);
		if (!i)
			return SHAPE_UNKNOWN;
		const cs_x86 *x = &i->detail->x86;
		op = &x->operands[1];
		if (i->id == X86_INS_ADD && pf_trace_is_register(op))
			return relative_shape(code, at, reg, pf_register_whole(op->reg), t);
		if (i->id == X86_INS_ADD && table_of(t, i, op, at)) {
			t->from = reg;
			t->from_use = at;
			return SHAPE_TABLE;
		}
		if (i->id == X86_INS_LEA && op->mem.scale == 1 && op->mem.disp == 0)
			return relative_shape(code, at, pf_register_whole(op->mem.base),
			    pf_register_whole(op->mem.index), t);
		if (i->id != X86_INS_MOV)
			return SHAPE_UNKNOWN;
		if (op->type == X86_OP_MEM)
			return table_of(t, i, op, at) ? SHAPE_TABLE : SHAPE_POINTER;
		if (op->type == X86_OP_IMM)
			return SHAPE_POINTER;
	}
	return SHAPE_UNKNOWN;
}

/*
 * How many entries the comparison before the jump allows; 0: none seen. Of
 * "cmp i, N; ja" the index is at most N. An index that was masked or read from
 * a byte sets *most instead: the table may be shorter.
 */
static size_t
bound_of(struct pf_machine_code *code, const struct table *t, size_t *most)
{
	x86_reg reg = t->index;
	bool above = false, not_below = false;

	for (uint32_t at = t->load, n = 0; n < PF_TRACE_STEPS; n++) {
		const struct pf_instruction *in;
		const cs_insn *i;
		const cs_x86_op *to, *from;
		at = pf_trace_before(code, at);
		if (at == PF_NONE)
			return 0;
		in = &code->instructions[at];
		if (in->kind == PF_CODE_JUMP)
			continue;
		if (in->kind != PF_CODE_OTHER && in->kind != PF_CODE_BRANCH)
			return 0;
		i = pf_trace_look(code, at);
		if (!i)
			return 0;
		to = &i->detail->x86.operands[0];
		from = &i->detail->x86.operands[1];
		if (in->kind == PF_CODE_BRANCH) {
			above = i->id == X86_INS_JA;
			not_below = i->id == X86_INS_JAE;
			continue;
		}
		if (i->id == X86_INS_CMP && (above || not_below) && from->type == X86_OP_IMM &&
		    pf_trace_is_register(to) && pf_register_whole(to->reg) == reg)
			return from->imm >= 0 && from->imm < ENTRIES_MAX ? (size_t)from->imm + above
									 : 0;
		if (!pf_trace_writes(code, i, reg))
			continue;
		if (i->id == X86_INS_AND && from->type == X86_OP_IMM) {
			if (from->imm >= 0 && from->imm < ENTRIES_MAX)
				*most = (size_t)from->imm + 1;
			return 0;
		}
		if (i->id == X86_INS_MOVZX && from->size == 1) {
			*most = 256;
			if (!pf_trace_is_register(from))
				return 0;
		}
		if ((i->id == X86_INS_MOV || i->id == X86_INS_MOVZX || i->id == X86_INS_MOVSXD) &&
		    pf_trace_is_register(from))
			reg = pf_register_whole(from->reg);
		else
			return 0;
	}
	return 0;
}

/* Where entry n of a table leads; false if there is none in the file. */
static bool
entry_target(const struct pf_binary *binary, const struct table *t, size_t n, uint64_t *target)
{
	uint64_t at = t->address + n * t->size;
	const uint8_t *bytes;
	int64_t distance;
	int32_t near;

	if (!is_relative(t) && t->size == 8)
		return pf_binary_pointer(binary, at, target);
	bytes = pf_binary_bytes(binary, at, t->size);
	if (!bytes)
		return false;
	memcpy(&near, bytes, sizeof near);
	distance = near;
	if (t->size == 8)
		memcpy(&distance, bytes, sizeof distance);
	*target = t->origin + (uint64_t)distance;
	return true;
}

/* The instruction that starts exactly at a place in the function, or PF_NONE. */
static uint32_t
instruction_at(const struct pf_machine_code *code, uint64_t address)
{
	uint32_t at = pf_code_find(code, address);

	return at != PF_NONE && code->instructions[at].address == address ? at : PF_NONE;
}

/* The next address after a table's start that the function computes too. */
static uint64_t
next_constant(const struct pf_decoder *d, uint64_t address)
{
	size_t low = 0, high = d->constant_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (d->constants[middle].value <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < d->constant_count ? d->constants[low].value : UINT64_MAX;
}

/*
 * How many entries a table without a known bound has, up to the last that leads
 * to an instruction of the function. Absolute entries may lead out in between,
 * to the function's cold part.
 */
static size_t
count_entries(const struct pf_machine_code *code, const struct table *t, size_t most)
{
	const struct pf_decoder *d = code->decoder;
	uint64_t limit = next_constant(d, t->address), target;
	size_t count = 0;

	for (size_t n = 0; n < most && t->address + n * t->size < limit; n++) {
		if (!entry_target(d->binary, t, n, &target))
			break;
		if (instruction_at(code, target) != PF_NONE)
			count = n + 1;
		else if (is_relative(t) || n - count >= GAP_MAX ||
			 !pf_binary_executable(d->binary, target))
			break;
	}
	return count;
}

static int
take_entries(struct pf_machine_code *code, uint32_t jump, const struct table *t, size_t count,
    struct pf_error *err)
{
	struct pf_decoder *d = code->decoder;
	uint64_t target;

	for (size_t n = 0; n < count; n++) {
		if (!entry_target(d->binary, t, n, &target)) {
			code->complete = false;
			return 0;
		}
		if (PF_GROW(d->targets, d->target_capacity, d->target_count + 1, err))
			return PF_ENOMEM;
		d->targets[d->target_count++] =
		    (struct pf_table_target){.jump = jump, .to = instruction_at(code, target)};
	}
	return 0;
}

/*
 * The table's address where its register was set too far away to see: the one
 * constant that is put into this register (INVALID: into any) and from which
 * entries lead into the function. Returns how many such constants there are.
 */
static size_t
guess_address(const struct pf_machine_code *code, x86_reg reg, struct table *t)
{
	const struct pf_decoder *d = code->decoder;
	struct table try = *t;
	uint64_t last = 0;
	size_t found = 0;

	for (size_t i = 0; i < d->constant_count && found < 2; i++) {
		uint64_t value = d->constants[i].value;
		if (found > 0 && value == last)
			continue;
		if ((reg != X86_REG_INVALID && d->constants[i].reg != reg) ||
		    (value >= d->start && value < d->end))
			continue;
		try.address = value + (uint64_t)t->offset;
		try.origin = value;
		if (count_entries(code, &try, GUESS_MAX) > 1) {
			found++;
			last = value;
			*t = try;
		}
	}
	return found;
}

/* Fills in where the table lies and what its entries are relative to. */
static enum shape
locate(struct pf_machine_code *code, struct table *t)
{
	uint64_t base;
	size_t found;

	if (t->base != X86_REG_INVALID) {
		if (!pf_trace_value(code, t->load, t->base, &base)) {
			if (t->from != X86_REG_INVALID && t->from != t->base)
				return SHAPE_UNKNOWN;
			found = guess_address(code, t->base, t);
			if (found == 0)
				found = guess_address(code, X86_REG_INVALID, t);
			if (found == 1)
				return SHAPE_TABLE;
			/* Pointers that are none of this function's own addresses: an array of functions. */
			if (found == 0)
				return is_relative(t) ? SHAPE_UNKNOWN : SHAPE_POINTER;
			/* Several tables took turns in the register. */
			if (!pf_trace_every_way(code, t->load, t->base, &base))
				return SHAPE_UNKNOWN;
		}
		t->address = base + (uint64_t)t->offset;
	}
	if (!is_relative(t))
		return SHAPE_TABLE;
	if (t->from == t->base && t->base != X86_REG_INVALID) {
		t->origin = t->address - (uint64_t)t->offset;
		return SHAPE_TABLE;
	}
	return pf_trace_value(code, t->from_use, t->from, &t->origin) ? SHAPE_TABLE : SHAPE_UNKNOWN;
}

/*
 * Whether a jump through a register is a tail call by what is done before: the frame is torn down, or nothing but
 * moves have happened since the function began.
 */
static bool
leaves_frame(struct pf_machine_code *code, uint32_t jump)
{
	uint32_t at = jump;

	for (unsigned n = 0; n < 8 && at > 0; n++) {
		const cs_insn *i = pf_trace_look(code, --at);
		if (!i || code->instructions[at].kind != PF_CODE_OTHER)
			return false;
		if (i->id == X86_INS_POP || i->id == X86_INS_LEAVE ||
		    (i->id == X86_INS_ADD && i->detail->x86.operands[0].reg == X86_REG_RSP))
			return true;
	}
	return at == 0;
}

static int
find_table(struct pf_machine_code *code, uint32_t jump, struct pf_error *err)
{
	size_t count, most = ENTRIES_MAX;
	struct table t;
	enum shape shape = shape_of(code, jump, &t);

	if (shape == SHAPE_TABLE)
		shape = locate(code, &t);
	if (shape == SHAPE_POINTER || (shape == SHAPE_UNKNOWN && leaves_frame(code, jump)))
		return 0;
	count = shape == SHAPE_TABLE ? bound_of(code, &t, &most) : 0;
	if (shape == SHAPE_TABLE && count == 0) {
		count = count_entries(code, &t, most);
		if (count == 0 && !is_relative(&t))
			return 0; /* an array of functions */
	}
	if (count == 0)
		code->complete = false;
	return take_entries(code, jump, &t, count, err);
}

static int
find_all(struct pf_machine_code *code, struct pf_error *err)
{
	int rc = 0;

	code->decoder->target_count = 0;
	for (size_t i = 0; i < code->instruction_count && !rc; i++) {
		if (code->instructions[i].kind == PF_CODE_JUMP_INDIRECT)
			rc = find_table(code, (uint32_t)i, err);
	}
	return rc;
}

static bool
has_indirect_jumps(const struct pf_machine_code *code)
{
	for (size_t i = 0; i < code->instruction_count; i++) {
		if (code->instructions[i].kind == PF_CODE_JUMP_INDIRECT)
			return true;
	}
	return false;
}

int
pf_code_find_tables(struct pf_machine_code *code, struct pf_error *err)
{
	bool wide = code->decoder->wide, complete = code->complete;
	int rc = 0;

	if (!wide && !has_indirect_jumps(code))
		return 0;
	rc = pf_trace_prepare(code, err);
	if (!rc && wide)
		rc = pf_code_find_sums(code, err);
	if (!rc)
		rc = find_all(code, err);
	if (rc || !wide)
		return rc;
	rc = pf_code_make_direct(code, err);
	code->complete = complete;
	return rc ? rc : find_all(code, err);
}
