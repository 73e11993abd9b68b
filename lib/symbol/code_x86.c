/*
 * code_x86.c: one instruction at a time, through capstone: what it does to the
 * flow of control and which cost class it is of.
 *
 * The class comes from two things: a rule by the instruction's name, looked up
 * once an id, and how its memory operand is used.
 */
#include <stdlib.h>
#include <string.h>

#include "symbol/code_private.h"
#include "symbol/code_shapes.h"

enum cost_rule {
	RULE_NEW,
	RULE_PLAIN,
	RULE_MOVE,
	RULE_MULTIPLY,
	RULE_DIVIDE,
	RULE_FLOAT,
	RULE_PUSH,
	RULE_POP,
	RULE_NOP,
};

/* More than cs_open() allocates: a hundred kilobytes with 4.0.2. */
#define CAPSTONE_NEEDS ((size_t)1 << 20)

struct pf_decoder *
pf_decoder_new(void)
{
	struct pf_decoder *d = calloc(1, sizeof *d);
	void *probe = malloc(CAPSTONE_NEEDS);

	/* capstone does not check its allocations, so see first that there is memory for them. */
	free(probe);
	if (!d || !probe) {
		free(d);
		return NULL;
	}
	if (cs_open(CS_ARCH_X86, CS_MODE_64, &d->handle) != CS_ERR_OK)
		d->handle = 0;
	d->costs = calloc(X86_INS_ENDING, 1);
	d->shapes = calloc(PF_SHAPES, sizeof *d->shapes);
	if (d->handle && d->costs && d->shapes &&
	    cs_option(d->handle, CS_OPT_DETAIL, CS_OPT_ON) == CS_ERR_OK)
		d->instruction = cs_malloc(d->handle);
	if (!d->instruction) {
		pf_decoder_free(d);
		return NULL;
	}
	return d;
}

void
pf_decoder_free(struct pf_decoder *d)
{
	if (!d)
		return;
	if (d->instruction)
		cs_free(d->instruction, 1);
	if (d->handle)
		cs_close(&d->handle);
	free(d->costs);
	free(d->shapes);
	free(d->targets);
	free(d->constants);
	free(d->spills);
	free(d->written);
	free(d->sources);
	free(d->ways);
	free(d->reached);
	free(d->leaders);
	free(d->seen);
	free(d);
}

bool
pf_decoder_read(struct pf_decoder *d, const uint8_t *bytes, size_t size, uint64_t address)
{
	return cs_disasm_iter(d->handle, &bytes, &size, &address, d->instruction);
}

static bool
starts(const char *name, const char *with)
{
	return strncmp(name, with, strlen(with)) == 0;
}

/* Whether a name ends in one of the suffixes of floating-point instructions. */
static bool
is_float_suffix(const char *name)
{
	size_t n = strlen(name);

	return n > 3 && (name[n - 2] == 's' || name[n - 2] == 'p') &&
	       (name[n - 1] == 's' || name[n - 1] == 'd');
}

static enum cost_rule
rule_of(const char *name)
{
	static const char *const moves[] = {"mov", "lea", "lddqu", "cwde", "cdqe", "cdq", "cqo",
	    "cbw", "cwd", "kmov", "broadcast", "pbroadcast", "maskmov", "pmaskmov"};
	static const char *const bitwise[] = {
	    "and", "or", "xor", "unpck", "shuf", "perm", "blend", "insert"};
	const char *bare = name[0] == 'v' ? name + 1 : name;

	if (starts(name, "nop") || starts(name, "endbr") || starts(name, "prefetch") ||
	    strcmp(name, "fnop") == 0)
		return RULE_NOP;
	if (starts(name, "push"))
		return RULE_PUSH;
	if (strcmp(name, "pop") == 0 || starts(name, "popa") || starts(name, "popf") ||
	    strcmp(name, "leave") == 0)
		return RULE_POP;
	if (starts(name, "imul") || starts(name, "mul") ? !is_float_suffix(name) : false)
		return RULE_MULTIPLY;
	if (starts(bare, "div") || starts(bare, "idiv") || starts(bare, "sqrt") ||
	    starts(bare, "fdiv") || starts(bare, "fidiv") || starts(bare, "fsqrt"))
		return RULE_DIVIDE;
	for (size_t i = 0; i < sizeof moves / sizeof *moves; i++) {
		if (starts(bare, moves[i]))
			return RULE_MOVE;
	}
	for (size_t i = 0; i < sizeof bitwise / sizeof *bitwise; i++) {
		if (starts(bare, bitwise[i]))
			return RULE_PLAIN;
	}
	if (name[0] == 'f' || starts(bare, "cvt") || starts(bare, "comis") ||
	    starts(bare, "ucomis") || starts(bare, "fma") || starts(bare, "fm") ||
	    (is_float_suffix(bare) && bare[0] != 'p'))
		return RULE_FLOAT;
	return RULE_PLAIN;
}

static bool
is_stack(const x86_op_mem *mem)
{
	return mem->base == X86_REG_RSP || mem->base == X86_REG_RBP;
}

/* The class of an instruction that computes or moves, by what it does with memory. */
static enum pf_instruction_cost
memory_cost(const cs_insn *i, enum cost_rule rule)
{
	const cs_x86 *x = &i->detail->x86;
	bool reads = false, writes = false, stack = false;

	for (unsigned k = 0; k < x->op_count && i->id != X86_INS_LEA; k++) {
		if (x->operands[k].type != X86_OP_MEM)
			continue;
		reads |= (x->operands[k].access & CS_AC_READ) != 0;
		writes |= (x->operands[k].access & CS_AC_WRITE) != 0;
		stack |= is_stack(&x->operands[k].mem);
	}
	if ((reads || writes) && (x->prefix[0] == X86_PREFIX_LOCK || i->id == X86_INS_XCHG))
		return PF_COST_READ_MODIFY_WRITE;
	if (reads && writes)
		return PF_COST_READ_MODIFY_WRITE;
	if (writes)
		return PF_COST_STORE;
	if (reads && rule == RULE_MOVE)
		return stack ? PF_COST_STACK_LOAD : PF_COST_LOAD;
	if (reads)
		return PF_COST_ALU_LOAD;
	return rule == RULE_MOVE ? PF_COST_MOVE : PF_COST_ALU;
}

static enum pf_instruction_cost
cost_of(struct pf_decoder *d)
{
	const cs_insn *i = d->instruction;
	uint8_t prefix = i->detail->x86.prefix[0];
	const char *name = cs_insn_name(d->handle, i->id);
	enum cost_rule rule = RULE_PLAIN;

	if (i->id < X86_INS_ENDING) {
		if (d->costs[i->id] == RULE_NEW)
			d->costs[i->id] = (uint8_t)rule_of(name ? name : "");
		rule = d->costs[i->id];
	}
	if ((prefix == X86_PREFIX_REP || prefix == X86_PREFIX_REPNE) &&
	    (starts(i->mnemonic, "rep")))
		return PF_COST_REPEAT;
	switch (rule) {
	case RULE_NOP:
		return PF_COST_NOP;
	case RULE_PUSH:
		return PF_COST_PUSH;
	case RULE_POP:
		return PF_COST_POP;
	case RULE_MULTIPLY:
		return PF_COST_MULTIPLY;
	case RULE_DIVIDE:
		return PF_COST_DIVIDE;
	case RULE_FLOAT:
		return PF_COST_FLOAT;
	default:
		return memory_cost(i, rule);
	}
}

static bool
in_group(const cs_insn *i, uint8_t group)
{
	for (unsigned k = 0; k < i->detail->groups_count; k++) {
		if (i->detail->groups[k] == group)
			return true;
	}
	return false;
}

/* Whether the only operand is an address in the instruction itself. */
static bool
is_direct(const cs_insn *i)
{
	return i->detail->x86.op_count == 1 && i->detail->x86.operands[0].type == X86_OP_IMM;
}

static enum pf_instruction_kind
kind_of(const cs_insn *i)
{
	switch (i->id) {
	case X86_INS_JMP:
		return is_direct(i) ? PF_CODE_JUMP : PF_CODE_JUMP_INDIRECT;
	case X86_INS_LJMP:
		return PF_CODE_JUMP_INDIRECT;
	case X86_INS_CALL:
		return is_direct(i) ? PF_CODE_CALL : PF_CODE_CALL_INDIRECT;
	case X86_INS_LCALL:
		return PF_CODE_CALL_INDIRECT;
	case X86_INS_RET:
	case X86_INS_RETF:
	case X86_INS_RETFQ:
	case X86_INS_IRET:
	case X86_INS_IRETD:
	case X86_INS_IRETQ:
	case X86_INS_SYSRET:
	case X86_INS_SYSEXIT:
		return PF_CODE_RETURN;
	case X86_INS_UD2:
	case X86_INS_UD2B:
	case X86_INS_HLT:
	case X86_INS_INT3:
		return PF_CODE_STOP;
	case X86_INS_LOOP:
	case X86_INS_LOOPE:
	case X86_INS_LOOPNE:
		return PF_CODE_BRANCH;
	default:
		return is_direct(i) && in_group(i, CS_GRP_JUMP) ? PF_CODE_BRANCH : PF_CODE_OTHER;
	}
}

void
pf_decoder_classify(struct pf_decoder *d, struct pf_instruction *out)
{
	const cs_insn *i = d->instruction;

	out->kind = (uint8_t)kind_of(i);
	switch (out->kind) {
	case PF_CODE_BRANCH:
	case PF_CODE_JUMP:
	case PF_CODE_CALL:
		out->target = (uint64_t)i->detail->x86.operands[0].imm;
		out->cost = out->kind == PF_CODE_CALL ? PF_COST_CALL : PF_COST_BRANCH;
		break;
	case PF_CODE_JUMP_INDIRECT:
		out->cost = PF_COST_JUMP_INDIRECT;
		break;
	case PF_CODE_CALL_INDIRECT:
		out->cost = PF_COST_CALL_INDIRECT;
		break;
	case PF_CODE_RETURN:
		out->cost = PF_COST_RETURN;
		break;
	default:
		out->cost = (uint8_t)cost_of(d);
		break;
	}
}

x86_reg
pf_register_whole(x86_reg reg)
{
	static const x86_reg parts[][5] = {
	    {X86_REG_RAX, X86_REG_EAX, X86_REG_AX, X86_REG_AL, X86_REG_AH},
	    {X86_REG_RBX, X86_REG_EBX, X86_REG_BX, X86_REG_BL, X86_REG_BH},
	    {X86_REG_RCX, X86_REG_ECX, X86_REG_CX, X86_REG_CL, X86_REG_CH},
	    {X86_REG_RDX, X86_REG_EDX, X86_REG_DX, X86_REG_DL, X86_REG_DH},
	    {X86_REG_RSI, X86_REG_ESI, X86_REG_SI, X86_REG_SIL},
	    {X86_REG_RDI, X86_REG_EDI, X86_REG_DI, X86_REG_DIL},
	    {X86_REG_RBP, X86_REG_EBP, X86_REG_BP, X86_REG_BPL},
	    {X86_REG_RSP, X86_REG_ESP, X86_REG_SP, X86_REG_SPL},
	    {X86_REG_R8, X86_REG_R8D, X86_REG_R8W, X86_REG_R8B},
	    {X86_REG_R9, X86_REG_R9D, X86_REG_R9W, X86_REG_R9B},
	    {X86_REG_R10, X86_REG_R10D, X86_REG_R10W, X86_REG_R10B},
	    {X86_REG_R11, X86_REG_R11D, X86_REG_R11W, X86_REG_R11B},
	    {X86_REG_R12, X86_REG_R12D, X86_REG_R12W, X86_REG_R12B},
	    {X86_REG_R13, X86_REG_R13D, X86_REG_R13W, X86_REG_R13B},
	    {X86_REG_R14, X86_REG_R14D, X86_REG_R14W, X86_REG_R14B},
	    {X86_REG_R15, X86_REG_R15D, X86_REG_R15W, X86_REG_R15B},
	};

	if (reg == X86_REG_INVALID)
		return reg;
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		for (size_t k = 0; k < 5; k++) {
			if (parts[i][k] == reg)
				return parts[i][0];
		}
	}
	return reg;
}
