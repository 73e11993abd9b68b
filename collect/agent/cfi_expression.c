/*
 * cfi_expression.c: the few DWARF expressions that occur in unwind tables.
 *
 * The linker writes one for its call stubs, gcc one for functions that realign
 * the stack, libc some for signal frames. What is not known here ends the stack.
 */
#include "collect/agent/cfi.h"
#include "collect/agent/reader.h"

enum {
	OP_ADDR = 0x03,
	OP_DEREF = 0x06,
	OP_CONST1U = 0x08,
	OP_CONST1S,
	OP_CONST2U,
	OP_CONST2S,
	OP_CONST4U,
	OP_CONST4S,
	OP_CONST8U,
	OP_CONST8S,
	OP_CONSTU,
	OP_CONSTS,
	OP_DUP = 0x12,
	OP_DROP,
	OP_OVER,
	OP_SWAP = 0x16,
	OP_AND = 0x1a,
	OP_MINUS = 0x1c,
	OP_MUL = 0x1e,
	OP_NEG,
	OP_NOT,
	OP_OR,
	OP_PLUS,
	OP_PLUS_UCONST,
	OP_SHL,
	OP_SHR,
	OP_SHRA,
	OP_XOR,
	OP_EQ = 0x29,
	OP_GE,
	OP_GT,
	OP_LE,
	OP_LT,
	OP_NE,
	OP_LIT0 = 0x30,
	OP_BREG0 = 0x70,
	OP_NOP = 0x96,
	DEPTH = 32,
};

struct stack {
	uint64_t values[DEPTH];
	unsigned count;
	struct pf_cursor c;
};

static void
push(struct stack *s, uint64_t value)
{
	if (s->count == DEPTH)
		pf_cursor_fail(&s->c, "expression too deep");
	else
		s->values[s->count++] = value;
}

static uint64_t
pop(struct stack *s)
{
	if (s->count == 0)
		return pf_cursor_fail(&s->c, "expression takes from an empty stack");
	return s->values[--s->count];
}

/* Constants of all sizes; false: not a constant. */
static bool
constant(struct stack *s, uint8_t op)
{
	struct pf_cursor *c = &s->c;

	if (op >= OP_LIT0 && op < OP_LIT0 + 32)
		push(s, (uint64_t)(op - OP_LIT0));
	else if (op == OP_ADDR)
		push(s, pf_read_fixed(c, 8));
	else if (op == OP_CONSTU)
		push(s, pf_cursor_varint(c));
	else if (op == OP_CONSTS)
		push(s, (uint64_t)pf_read_sleb(c));
	else if (op < OP_CONST1U || op > OP_CONST8S)
		return false;
	else if ((op - OP_CONST1U) % 2 == 0)
		push(s, pf_read_fixed(c, (size_t)1 << (op - OP_CONST1U) / 2));
	else
		push(s, (uint64_t)pf_read_signed(c, (size_t)1 << (op - OP_CONST1U) / 2));
	return true;
}

/* Operations on two values; false: another kind. */
static bool
binary(struct stack *s, uint8_t op)
{
	uint64_t b, a;

	if (op != OP_AND && op != OP_MINUS && op != OP_MUL && op != OP_OR && op != OP_PLUS &&
	    !(op >= OP_SHL && op <= OP_XOR) && !(op >= OP_EQ && op <= OP_NE))
		return false;
	b = pop(s);
	a = pop(s);
	switch (op) {
	case OP_AND:
		push(s, a & b);
		break;
	case OP_MINUS:
		push(s, a - b);
		break;
	case OP_MUL:
		push(s, a * b);
		break;
	case OP_OR:
		push(s, a | b);
		break;
	case OP_PLUS:
		push(s, a + b);
		break;
	case OP_SHL:
		push(s, b < 64 ? a << b : 0);
		break;
	case OP_SHR:
		push(s, b < 64 ? a >> b : 0);
		break;
	case OP_SHRA:
		push(s, (uint64_t)((int64_t)a >> (b < 64 ? b : 63)));
		break;
	case OP_XOR:
		push(s, a ^ b);
		break;
	case OP_EQ:
		push(s, a == b);
		break;
	case OP_GE:
		push(s, (int64_t)a >= (int64_t)b);
		break;
	case OP_GT:
		push(s, (int64_t)a > (int64_t)b);
		break;
	case OP_LE:
		push(s, (int64_t)a <= (int64_t)b);
		break;
	case OP_LT:
		push(s, (int64_t)a < (int64_t)b);
		break;
	default:
		push(s, a != b);
		break;
	}
	return true;
}

static void
shuffle(struct stack *s, uint8_t op)
{
	uint64_t a = pop(s), b;

	switch (op) {
	case OP_DUP:
		push(s, a);
		push(s, a);
		break;
	case OP_DROP:
		break;
	case OP_OVER:
	case OP_SWAP:
		b = pop(s);
		push(s, op == OP_OVER ? b : a);
		push(s, op == OP_OVER ? a : b);
		if (op == OP_OVER)
			push(s, b);
		break;
	case OP_NEG:
		push(s, -a);
		break;
	case OP_NOT:
		push(s, ~a);
		break;
	case OP_PLUS_UCONST:
		push(s, a + pf_cursor_varint(&s->c));
		break;
	default:
		pf_cursor_fail(&s->c, "expression operation not known");
	}
}

static void
from_register(struct stack *s, uint8_t op, const uint64_t *registers, uint32_t valid)
{
	unsigned reg = (unsigned)(op - OP_BREG0);
	int64_t offset = pf_read_sleb(&s->c);

	if (reg >= PF_REGISTERS || !(valid >> reg & 1))
		pf_cursor_fail(&s->c, "expression needs a register that is lost");
	else
		push(s, registers[reg] + (uint64_t)offset);
}

static void
dereference(struct stack *s, const struct pf_memory *memory)
{
	uint64_t value = 0;

	if (!memory->read(memory, pop(s), &value))
		pf_cursor_fail(&s->c, "expression needs memory that was not copied");
	push(s, value);
}

bool
pf_cfi_evaluate(const struct pf_rule *rule, const uint64_t *registers, uint32_t valid,
    const struct pf_memory *memory, const uint64_t *start, uint64_t *result)
{
	struct stack s = {.count = 0};

	pf_cursor_init(&s.c, "expression", rule->expression, rule->size);
	if (start)
		push(&s, *start);
	while (pf_cursor_more(&s.c)) {
		uint8_t op = pf_read_u8(&s.c);
		if (op >= OP_BREG0 && op < OP_BREG0 + 32)
			from_register(&s, op, registers, valid);
		else if (op == OP_DEREF)
			dereference(&s, memory);
		else if (op != OP_NOP && !constant(&s, op) && !binary(&s, op))
			shuffle(&s, op);
	}
	*result = pop(&s);
	return !s.c.failure;
}
