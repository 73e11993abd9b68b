/*
 * code.c: decoding a range into instructions; see code.h and code_private.h.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/index.h"
#include "core/memory.h"
#include "symbol/binary_private.h"
#include "symbol/code_private.h"
#include "symbol/code_shapes.h"

/* More than any function; less than what a damaged symbol table could ask for. */
#define RANGE_MAX ((uint64_t)64 << 20)

void
pf_code_release(struct pf_machine_code *code)
{
	free(code->instructions);
	free(code->blocks);
	free(code->edges);
	pf_decoder_free(code->decoder);
	*code = (struct pf_machine_code){0};
}

static bool
set_constant(struct pf_constant *constant, uint64_t value, x86_reg reg)
{
	*constant = (struct pf_constant){.value = value, .reg = pf_register_whole(reg)};
	return true;
}

/* An address in data that the instruction computes: a table may start there. */
static bool
constant_of(const cs_insn *i, struct pf_constant *constant)
{
	const cs_x86 *x = &i->detail->x86;
	x86_reg to = x->op_count == 2 && x->operands[0].type == X86_OP_REG ? x->operands[0].reg
									   : X86_REG_INVALID;

	for (unsigned k = 0; k < x->op_count; k++) {
		const cs_x86_op *op = &x->operands[k];
		if (op->type == X86_OP_MEM && op->mem.base == X86_REG_RIP && i->id == X86_INS_LEA)
			return set_constant(
			    constant, i->address + i->size + (uint64_t)op->mem.disp, to);
		if (op->type == X86_OP_MEM && op->mem.base == X86_REG_INVALID &&
		    op->mem.index != X86_REG_INVALID)
			return set_constant(constant, (uint64_t)op->mem.disp, X86_REG_INVALID);
		if (op->type == X86_OP_IMM && (i->id == X86_INS_MOV || i->id == X86_INS_MOVABS) &&
		    op->imm > PF_SMALL_IMMEDIATE)
			return set_constant(constant, (uint64_t)op->imm, to);
	}
	return false;
}

/* Decodes one instruction by capstone; of bytes that nobody knows, the first. */
static bool
decode_new(struct pf_machine_code *code, const uint8_t *bytes, size_t size,
    struct pf_instruction *out, struct pf_constant *constant)
{
	struct pf_decoder *d = code->decoder;
	bool stops = false, reads = false, found,
	     known = pf_decoder_read(d, bytes, size, out->address);

	/* capstone 4.0.2 takes ud0 and ud1 for shorter than they are. */
	if (known && d->instruction->id != X86_INS_UD0 && d->instruction->id != X86_INS_UD2B) {
		out->size = (uint8_t)d->instruction->size;
		pf_decoder_classify(d, out);
		found = constant_of(d->instruction, constant);
		pf_shape_learn(d->shapes, bytes, size, out, constant, found);
		return found;
	}
	out->size = (uint8_t)pf_instruction_length(bytes, size, &stops, &reads);
	out->kind = stops ? PF_CODE_STOP : PF_CODE_OTHER;
	out->cost = reads ? PF_COST_ALU_LOAD : PF_COST_ALU;
	if (out->size == 0) {
		out->size = 1;
		out->kind = PF_CODE_UNKNOWN;
		code->complete = false;
	}
	return false;
}

int
pf_code_add_constant(struct pf_decoder *d, struct pf_constant constant, struct pf_error *err)
{
	int rc = PF_GROW(d->constants, d->constant_capacity, d->constant_count + 1, err);

	if (!rc)
		d->constants[d->constant_count++] = constant;
	return rc;
}

/*
 * A 64-bit move of a constant that a shorter move could hold: the linker put it
 * there, as the large code model asks.
 */
static bool
is_wide_move(const uint8_t *bytes)
{
	int64_t value;

	if ((bytes[0] & 0xf8) != 0x48 || (bytes[1] & 0xf8) != 0xb8)
		return false;
	memcpy(&value, bytes + 2, sizeof value);
	return value >= INT32_MIN && value <= UINT32_MAX;
}

static int
decode_one(struct pf_machine_code *code, const uint8_t *bytes, size_t size, uint64_t address,
    struct pf_error *err)
{
	struct pf_decoder *d = code->decoder;
	struct pf_instruction out = {.address = address};
	struct pf_constant constant;
	bool found;
	int rc = PF_GROW(
	    code->instructions, code->instruction_capacity, code->instruction_count + 1, err);

	if (rc)
		return rc;
	if (!pf_shape_apply(d->shapes, bytes, size, &out, &constant, &found))
		found = decode_new(code, bytes, size, &out, &constant);
	code->instructions[code->instruction_count++] = out;
	d->wide |= out.size == 10 && is_wide_move(bytes);
	if (!found)
		return 0;
	return pf_code_add_constant(d, constant, err);
}

static int
check_range(const struct pf_binary *binary, uint64_t start, uint64_t end, struct pf_error *err)
{
	if (binary->machine != EM_X86_64)
		return pf_error_set(err, PF_EINPUT,
		    "%s: machine code can be analysed for x86-64 only, and this is AArch64; its "
		    "lines can still be read",
		    binary->main.path);
	if (start >= end || end - start > RANGE_MAX)
		return pf_error_set(err, PF_EINPUT,
		    "%s: 0x%llx to 0x%llx is not the range of a function", binary->main.path,
		    (unsigned long long)start, (unsigned long long)end);
	if (!pf_binary_bytes(binary, start, end - start))
		return pf_error_set(err, PF_EINPUT,
		    "%s: there are no bytes for addresses 0x%llx to 0x%llx", binary->main.path,
		    (unsigned long long)start, (unsigned long long)end);
	return 0;
}

static int
compare_constants(const void *a, const void *b)
{
	const struct pf_constant *x = a, *y = b;

	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	return (x->reg > y->reg) - (x->reg < y->reg);
}

void
pf_code_sort_constants(struct pf_decoder *d)
{
	if (d->constant_count > 1)
		qsort(d->constants, d->constant_count, sizeof *d->constants, compare_constants);
}

int
pf_code_decode(struct pf_machine_code *code, const struct pf_binary *binary, uint64_t start,
    uint64_t end, struct pf_error *err)
{
	const uint8_t *bytes;
	struct pf_decoder *d;
	int rc;

	code->instruction_count = code->block_count = code->edge_count = 0;
	code->complete = true;
	rc = check_range(binary, start, end, err);
	if (rc)
		return rc;
	if (!code->decoder)
		code->decoder = pf_decoder_new();
	if (!code->decoder)
		return pf_error_nomem(err);
	d = code->decoder;
	d->binary = binary;
	d->start = start;
	d->end = end;
	d->target_count = d->constant_count = d->spill_count = 0;
	d->wide = false;
	bytes = pf_binary_bytes(binary, start, end - start);
	for (uint64_t at = start; at < end && !rc;
	    at += code->instructions[code->instruction_count - 1].size) {
		rc = decode_one(code, bytes + (at - start), end - at, at, err);
		if (rc)
			return rc;
	}
	pf_code_sort_constants(d);
	rc = pf_code_find_tables(code, err);
	return rc ? rc : pf_code_find_blocks(code, err);
}

uint32_t
pf_code_find(const struct pf_machine_code *code, uint64_t address)
{
	size_t low = 0, high = code->instruction_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (code->instructions[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 ||
	    address - code->instructions[low - 1].address >= code->instructions[low - 1].size)
		return PF_NONE;
	return (uint32_t)(low - 1);
}
