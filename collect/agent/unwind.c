/* unwind.c: see unwind.h. */
#include "collect/agent/unwind.h"

#include <string.h>

enum { UNCHANGED = INT16_MIN, REG_BX = 3, REG_12 = 12 };

static const uint8_t saved_registers[PF_STEP_SAVED] = {REG_BX, PF_REG_FP, 12, 13, 14, 15};

/* Eight bytes of the sampled stack, or of the frame-pointer chain beyond the copy. */
static bool
read_stack(const struct pf_memory *memory, uint64_t address, uint64_t *value)
{
	const struct pf_slot *slot = ((const struct pf_frame *)memory)->slot;
	uint64_t offset = address - slot->stack_address;

	if (offset < slot->stack_size && slot->stack_size - offset >= sizeof *value) {
		memcpy(value, slot->stack + offset, sizeof *value);
		return true;
	}
	offset = address - slot->tail_address;
	if (slot->links && offset < slot->tail_size && slot->tail_size - offset >= sizeof *value) {
		memcpy(value, slot->tail + offset, sizeof *value);
		return true;
	}
	for (uint32_t i = 0; i < slot->links; i++) {
		const struct pf_chain_link *link = &slot->chain[i];
		if (address == link->address || address == link->address + 8) {
			*value = address == link->address ? link->frame : link->pc;
			return true;
		}
	}
	return false;
}

void
pf_frame_init(struct pf_frame *frame, const struct pf_slot *slot)
{
	frame->memory.read = read_stack;
	frame->slot = slot;
	memcpy(frame->registers, slot->registers, sizeof frame->registers);
	frame->valid = slot->known;
}

/* Whether the row fits the short form; fills it in. */
static bool
shorten(const struct pf_row *row, struct pf_step *step)
{
	const struct pf_rule *pc = &row->rules[PF_REG_PC];

	if (row->cfa.kind != PF_RULE_REGISTER || row->cfa.value != (int32_t)row->cfa.value ||
	    pc->kind != PF_RULE_AT || pc->value != -8 || row->rules[PF_REG_SP].kind != PF_RULE_SAME)
		return false;
	step->kind = PF_STEP_SIMPLE;
	step->reg = row->cfa.reg;
	step->offset = (int32_t)row->cfa.value;
	for (int i = 0; i < PF_STEP_SAVED; i++) {
		const struct pf_rule *rule = &row->rules[saved_registers[i]];
		if (rule->kind == PF_RULE_SAME)
			step->saved[i] = UNCHANGED;
		else if (rule->kind == PF_RULE_AT && rule->value % 8 == 0 &&
			 rule->value / 8 > INT16_MIN && rule->value / 8 <= INT16_MAX)
			step->saved[i] = (int16_t)(rule->value / 8);
		else
			return false;
	}
	return true;
}

struct pf_step
pf_step_find(const struct pf_cfi *cfi, uint64_t pc)
{
	struct pf_step step = {.kind = PF_STEP_NONE};
	struct pf_row row;

	if (!cfi || !pf_cfi_row(cfi, pc, &row))
		return step;
	step.signal_frame = row.signal_frame;
	if (row.rules[PF_REG_PC].kind == PF_RULE_UNDEFINED)
		step.kind = PF_STEP_END;
	else if (row.signal_frame || !shorten(&row, &step))
		step.kind = PF_STEP_FULL;
	return step;
}

static bool
up_simple(struct pf_frame *frame, const struct pf_step *step)
{
	uint64_t cfa = frame->registers[step->reg] + (uint64_t)(int64_t)step->offset, pc, value;

	if (!(frame->valid >> step->reg & 1) || cfa <= frame->registers[PF_REG_SP] ||
	    !read_stack(&frame->memory, cfa - 8, &pc))
		return false;
	for (int i = 0; i < PF_STEP_SAVED; i++) {
		unsigned reg = saved_registers[i];
		if (step->saved[i] == UNCHANGED)
			continue;
		frame->valid &= ~(1u << reg);
		if (read_stack(
			&frame->memory, cfa + (uint64_t)(8 * (int64_t)step->saved[i]), &value)) {
			frame->registers[reg] = value;
			frame->valid |= 1u << reg;
		}
	}
	frame->registers[PF_REG_SP] = cfa;
	frame->registers[PF_REG_PC] = pc;
	return true;
}

/* A register's value in the caller by its rule; false: lost. */
static bool
apply(const struct pf_frame *frame, const struct pf_rule *rule, uint64_t cfa, unsigned reg,
    uint64_t *value)
{
	uint64_t address;

	switch (rule->kind) {
	case PF_RULE_SAME:
		*value = reg == PF_REG_SP ? cfa : frame->registers[reg];
		return reg == PF_REG_SP || (frame->valid >> reg & 1);
	case PF_RULE_AT:
		return read_stack(&frame->memory, cfa + (uint64_t)rule->value, value);
	case PF_RULE_IS:
		*value = cfa + (uint64_t)rule->value;
		return true;
	case PF_RULE_REGISTER:
		*value = frame->registers[rule->reg < PF_REGISTERS ? rule->reg : 0];
		return rule->reg < PF_REGISTERS && (frame->valid >> rule->reg & 1);
	case PF_RULE_AT_EXPR:
		return pf_cfi_evaluate(
			   rule, frame->registers, frame->valid, &frame->memory, &cfa, &address) &&
		       read_stack(&frame->memory, address, value);
	case PF_RULE_IS_EXPR:
		return pf_cfi_evaluate(
		    rule, frame->registers, frame->valid, &frame->memory, &cfa, value);
	default:
		return false;
	}
}

static bool
up_full(struct pf_frame *frame, const struct pf_cfi *cfi, uint64_t pc)
{
	uint64_t cfa, values[PF_REGISTERS];
	uint32_t valid = 0;
	struct pf_row row;

	if (!cfi || !pf_cfi_row(cfi, pc, &row))
		return false;
	if (row.cfa.kind == PF_RULE_REGISTER) {
		cfa = frame->registers[row.cfa.reg] + (uint64_t)row.cfa.value;
		if (!(frame->valid >> row.cfa.reg & 1))
			return false;
	} else if (!pf_cfi_evaluate(
		       &row.cfa, frame->registers, frame->valid, &frame->memory, NULL, &cfa)) {
		return false;
	}
	/* A handler on a stack of its own returns to a lower address: only signal frames may. */
	if (cfa <= frame->registers[PF_REG_SP] && !row.signal_frame)
		return false;
	for (unsigned i = 0; i < PF_REGISTERS; i++)
		if (apply(frame, &row.rules[i], cfa, i, &values[i]))
			valid |= 1u << i;
	memcpy(frame->registers, values, sizeof values);
	frame->valid = valid;
	return (valid >> PF_REG_PC & 1) && (valid >> PF_REG_SP & 1);
}

static bool
up_by_frame_pointer(struct pf_frame *frame)
{
	uint64_t at = frame->registers[PF_REG_FP], next, pc;

	if (!(frame->valid >> PF_REG_FP & 1) || at % 8 || at < frame->registers[PF_REG_SP] ||
	    !read_stack(&frame->memory, at, &next) || !read_stack(&frame->memory, at + 8, &pc))
		return false;
	frame->registers[PF_REG_FP] = next;
	frame->registers[PF_REG_SP] = at + 16;
	frame->registers[PF_REG_PC] = pc;
	frame->valid = 1u << PF_REG_FP | 1u << PF_REG_SP | 1u << PF_REG_PC;
	return true;
}

bool
pf_frame_up(
    struct pf_frame *frame, const struct pf_step *step, const struct pf_cfi *cfi, uint64_t pc)
{
	switch (step->kind) {
	case PF_STEP_SIMPLE:
		return up_simple(frame, step);
	case PF_STEP_FULL:
		return up_full(frame, cfi, pc);
	case PF_STEP_NONE:
		return up_by_frame_pointer(frame);
	default:
		return false;
	}
}
