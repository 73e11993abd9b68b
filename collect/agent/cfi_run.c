/* cfi_run.c: see cfi_run.h. Opcodes are those of DWARF 5, table 7.29, and GNU's two. */
#include "collect/agent/cfi_run.h"

#include <string.h>

#include "collect/agent/reader.h"

enum {
	CFA_NOP = 0x00,
	CFA_SET_LOC = 0x01,
	CFA_ADVANCE_LOC1 = 0x02,
	CFA_ADVANCE_LOC2 = 0x03,
	CFA_ADVANCE_LOC4 = 0x04,
	CFA_OFFSET_EXTENDED = 0x05,
	CFA_RESTORE_EXTENDED = 0x06,
	CFA_UNDEFINED = 0x07,
	CFA_SAME_VALUE = 0x08,
	CFA_REGISTER = 0x09,
	CFA_REMEMBER_STATE = 0x0a,
	CFA_RESTORE_STATE = 0x0b,
	CFA_DEF_CFA = 0x0c,
	CFA_DEF_CFA_REGISTER = 0x0d,
	CFA_DEF_CFA_OFFSET = 0x0e,
	CFA_DEF_CFA_EXPRESSION = 0x0f,
	CFA_EXPRESSION = 0x10,
	CFA_OFFSET_EXTENDED_SF = 0x11,
	CFA_DEF_CFA_SF = 0x12,
	CFA_DEF_CFA_OFFSET_SF = 0x13,
	CFA_VAL_OFFSET = 0x14,
	CFA_VAL_OFFSET_SF = 0x15,
	CFA_VAL_EXPRESSION = 0x16,
	CFA_GNU_ARGS_SIZE = 0x2e,
	CFA_GNU_NEGATIVE_OFFSET = 0x2f,
	CFA_ADVANCE_LOC = 0x40,
	CFA_OFFSET = 0x80,
	CFA_RESTORE = 0xc0,
	STATES = 8, /* nesting of remembered states */
};

struct machine {
	const struct pf_common *common;
	struct pf_cursor *c;
	struct pf_row row, initial, states[STATES];
	size_t depth;
	uint64_t at; /* the address the row is for */
};

static void
set(struct machine *m, uint64_t reg, struct pf_rule rule)
{
	if (reg < PF_REGISTERS)
		m->row.rules[reg] = rule; /* others (vector registers) never matter for a stack */
}

/* A factored offset in bytes; a damaged table's may wrap around. */
static int64_t
scaled(const struct machine *m, uint64_t factored)
{
	return (int64_t)(factored * (uint64_t)m->common->data_align);
}

static void
set_offset(struct machine *m, uint64_t reg, uint8_t kind, uint64_t factored)
{
	set(m, reg, (struct pf_rule){.kind = kind, .value = scaled(m, factored)});
}

static void
set_expression(struct machine *m, struct pf_rule *rule, uint8_t kind)
{
	struct pf_cursor block = pf_cursor_slice(m->c, pf_cursor_varint(m->c));

	*rule = (struct pf_rule){
	    .kind = kind, .size = (uint32_t)pf_cursor_left(&block), .expression = block.at};
}

static void
restore(struct machine *m, uint64_t reg)
{
	if (reg < PF_REGISTERS)
		m->row.rules[reg] = m->initial.rules[reg];
}

static void
def_cfa(struct machine *m, uint64_t reg, int64_t offset)
{
	if (reg >= PF_REGISTERS)
		pf_cursor_fail(m->c, "CFA in a register that we don't follow");
	m->row.cfa =
	    (struct pf_rule){.kind = PF_RULE_REGISTER, .reg = (uint8_t)reg, .value = offset};
}

static void
remember(struct machine *m)
{
	if (m->depth == STATES)
		pf_cursor_fail(m->c, "too many remembered states");
	else
		m->states[m->depth++] = m->row;
}

static void
recall(struct machine *m)
{
	bool signal_frame = m->row.signal_frame;

	if (m->depth == 0) {
		pf_cursor_fail(m->c, "no state to restore");
		return;
	}
	m->row = m->states[--m->depth];
	m->row.signal_frame = signal_frame;
}

/* The instructions about the CFA. */
static bool
run_cfa(struct machine *m, uint8_t op)
{
	struct pf_cursor *c = m->c;
	uint64_t reg;

	switch (op) {
	case CFA_DEF_CFA:
		reg = pf_cursor_varint(c);
		def_cfa(m, reg, (int64_t)pf_cursor_varint(c));
		return true;
	case CFA_DEF_CFA_SF:
		reg = pf_cursor_varint(c);
		def_cfa(m, reg, scaled(m, (uint64_t)pf_read_sleb(c)));
		return true;
	case CFA_DEF_CFA_REGISTER:
		def_cfa(m, pf_cursor_varint(c), m->row.cfa.value);
		return true;
	case CFA_DEF_CFA_OFFSET:
		m->row.cfa.value = (int64_t)pf_cursor_varint(c);
		return true;
	case CFA_DEF_CFA_OFFSET_SF:
		m->row.cfa.value = scaled(m, (uint64_t)pf_read_sleb(c));
		return true;
	case CFA_DEF_CFA_EXPRESSION:
		set_expression(m, &m->row.cfa, PF_RULE_IS_EXPR);
		return true;
	default:
		return false;
	}
}

/* A register's rule by expression: its number comes first. */
static void
run_expression(struct machine *m, uint8_t kind)
{
	uint64_t reg = pf_cursor_varint(m->c);
	struct pf_rule rule;

	set_expression(m, &rule, kind);
	set(m, reg, rule);
}

/* The instructions about registers. */
static void
run_register(struct machine *m, uint8_t op)
{
	struct pf_cursor *c = m->c;
	uint64_t reg;

	switch (op) {
	case CFA_EXPRESSION:
		run_expression(m, PF_RULE_AT_EXPR);
		return;
	case CFA_VAL_EXPRESSION:
		run_expression(m, PF_RULE_IS_EXPR);
		return;
	default:
		break;
	}
	reg = pf_cursor_varint(c);
	switch (op) {
	case CFA_OFFSET_EXTENDED:
		set_offset(m, reg, PF_RULE_AT, pf_cursor_varint(c));
		break;
	case CFA_OFFSET_EXTENDED_SF:
		set_offset(m, reg, PF_RULE_AT, (uint64_t)pf_read_sleb(c));
		break;
	case CFA_GNU_NEGATIVE_OFFSET:
		set_offset(m, reg, PF_RULE_AT, -pf_cursor_varint(c));
		break;
	case CFA_VAL_OFFSET:
		set_offset(m, reg, PF_RULE_IS, pf_cursor_varint(c));
		break;
	case CFA_VAL_OFFSET_SF:
		set_offset(m, reg, PF_RULE_IS, (uint64_t)pf_read_sleb(c));
		break;
	case CFA_RESTORE_EXTENDED:
		restore(m, reg);
		break;
	case CFA_UNDEFINED:
		set(m, reg, (struct pf_rule){.kind = PF_RULE_UNDEFINED});
		break;
	case CFA_SAME_VALUE:
		set(m, reg, (struct pf_rule){.kind = PF_RULE_SAME});
		break;
	case CFA_REGISTER:
		set(m, reg,
		    (struct pf_rule){
			.kind = PF_RULE_REGISTER, .reg = (uint8_t)pf_cursor_varint(c)});
		break;
	default:
		pf_cursor_fail(c, "call frame instruction not known");
	}
}

/* The instructions that move on to a later address; false: another kind. */
static bool
run_advance(struct machine *m, uint8_t op)
{
	switch (op) {
	case CFA_ADVANCE_LOC1:
		m->at += pf_read_fixed(m->c, 1) * m->common->code_align;
		return true;
	case CFA_ADVANCE_LOC2:
		m->at += pf_read_fixed(m->c, 2) * m->common->code_align;
		return true;
	case CFA_ADVANCE_LOC4:
		m->at += pf_read_fixed(m->c, 4) * m->common->code_align;
		return true;
	case CFA_SET_LOC:
		pf_cursor_fail(m->c, "set_loc is not used on this machine");
		return true;
	default:
		if ((op & 0xc0) != CFA_ADVANCE_LOC)
			return false;
		m->at += (uint64_t)(op & 0x3f) * m->common->code_align;
		return true;
	}
}

static void
run_other(struct machine *m, uint8_t op)
{
	if ((op & 0xc0) == CFA_OFFSET)
		set_offset(m, op & 0x3f, PF_RULE_AT, pf_cursor_varint(m->c));
	else if ((op & 0xc0) == CFA_RESTORE)
		restore(m, op & 0x3f);
	else if (op == CFA_REMEMBER_STATE)
		remember(m);
	else if (op == CFA_RESTORE_STATE)
		recall(m);
	else if (op == CFA_GNU_ARGS_SIZE)
		pf_cursor_varint(m->c);
	else if (op != CFA_NOP && !run_cfa(m, op))
		run_register(m, op);
}

/* Runs until the program ends or moves past `pc`. */
static bool
run(struct machine *m, uint64_t pc)
{
	while (pf_cursor_more(m->c)) {
		uint8_t op = pf_read_u8(m->c);
		if (!run_advance(m, op))
			run_other(m, op);
		else if (m->at > pc)
			break;
	}
	return !m->c->failure;
}

bool
pf_cfi_run(const struct pf_common *common, struct pf_cursor program, uint64_t start, uint64_t pc,
    struct pf_row *row)
{
	struct pf_cursor first = common->program;
	struct machine m;

	m.common = common;
	m.depth = 0;
	m.at = start;
	memset(&m.row, 0, sizeof m.row);
	m.row.signal_frame = common->signal_frame;
	m.c = &first;
	if (!run(&m, UINT64_MAX))
		return false;
	m.initial = m.row;
	m.c = &program;
	if (!run(&m, pc))
		return false;
	*row = m.row;
	return row->cfa.kind == PF_RULE_REGISTER || row->cfa.kind == PF_RULE_IS_EXPR;
}
