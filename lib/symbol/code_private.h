/*
 * code_private.h: what the decoder's files share.
 *
 * Order of work: code.c decodes the range once, keeping kind, cost and target
 * of each instruction; code_tables.c looks again at the few instructions before
 * an indirect jump to find its table; code_blocks.c cuts and links.
 */
#ifndef PF_SYMBOL_CODE_PRIVATE_H
#define PF_SYMBOL_CODE_PRIVATE_H

#include <capstone/capstone.h>

#include "symbol/code.h"

/* Where a jump through a table may go. Sorted by jump, in the order of the table. */
struct pf_table_target {
	uint32_t jump; /* instruction */
	uint32_t to;   /* instruction; PF_NONE: out of the function */
};

/* An address that the function computes. */
struct pf_constant {
	uint64_t value;
	x86_reg reg; /* that it is put into, whole; INVALID: it is part of a memory operand */
};

enum { PF_SMALL_IMMEDIATE = 0xffff }; /* what is moved up to here is no address */

/* A direct jump or branch. */
struct pf_jump_source {
	uint64_t target;
	uint32_t from; /* instruction */
};

/* A register of 64 bits that is kept on the stack. */
struct pf_spill {
	x86_reg base; /* of the slot's address: rsp or rbp */
	int64_t offset;
	uint32_t at;  /* the instruction that stores */
	x86_reg from; /* whole; INVALID: a constant of 32 bits is stored */
};

struct pf_decoder {
	csh handle;
	cs_insn *instruction;    /* scratch */
	struct pf_shape *shapes; /* what was learned; code_shapes.h */
	uint8_t *costs;          /* by capstone's id: enum cost_rule; 0: not looked at yet */
	struct pf_table_target *targets;
	size_t target_count, target_capacity;
	struct pf_constant *constants; /* where tables may start; by value */
	size_t constant_count, constant_capacity;
	struct pf_jump_source *sources; /* by target; filled only where there are indirect jumps */
	size_t source_count, source_capacity;
	uint32_t *ways; /* by instruction: those still to go back from */
	size_t way_capacity;
	uint32_t *reached; /* by instruction: the last search that came by */
	size_t reached_capacity;
	uint32_t search;
	uint64_t steps_left; /* back in this function */
	uint16_t *written; /* by instruction: general registers, as bits; only in wide functions */
	size_t written_capacity;
	struct pf_spill *spills; /* by base and offset; filled only in wide functions */
	size_t spill_count, spill_capacity;
	bool wide;        /* there are moves as only the large code model has them */
	uint8_t *leaders; /* by instruction */
	size_t leader_capacity;
	uint32_t *seen; /* by block: 1 + first instruction of the last block with an edge to it */
	size_t seen_capacity;
	const struct pf_binary *binary;
	uint64_t start, end;
};

/* code_x86.c */

/* A new decoder; NULL without memory. */
struct pf_decoder *pf_decoder_new(void);
void pf_decoder_free(struct pf_decoder *decoder);
/* Decodes the instruction at these bytes into decoder->instruction, with its details; false if it isn't known. */
bool pf_decoder_read(
    struct pf_decoder *decoder, const uint8_t *bytes, size_t size, uint64_t address);
/* Kind, cost and target of decoder->instruction. */
void pf_decoder_classify(struct pf_decoder *decoder, struct pf_instruction *instruction);
/* The 64-bit register that a register is part of. */
x86_reg pf_register_whole(x86_reg reg);

/*
 * code_length.c: the length of an instruction that capstone does not know
 * (4.0.2 lacks CET, VAES, GFNI, AVX-512 VBMI/VNNI …), or 0. *stops says that it
 * is ud0 or ud1; *reads that it has an operand in memory.
 */
size_t pf_instruction_length(const uint8_t *bytes, size_t size, bool *stops, bool *reads);

/* Whether a byte is a prefix other than REX; whether no ModRM byte follows an opcode of the map 0F. */
bool pf_is_prefix(uint8_t byte);
bool pf_lacks_modrm(uint8_t op);

/* code_tables.c: finds the tables of all indirect jumps; clears code->complete where it can't. */
int pf_code_find_tables(struct pf_machine_code *code, struct pf_error *err);

/* code_large.c, for the large code model (-mcmodel=large), after pf_trace_prepare() */

/* Fills decoder->spills, and adds the addresses that the function computes as sums to decoder->constants. */
int pf_code_find_sums(struct pf_machine_code *code, struct pf_error *err);
/* Calls and jumps through a register whose value is known become direct ones. The tables found so far are followed. */
int pf_code_make_direct(struct pf_machine_code *code, struct pf_error *err);

/* code.c */

/* Notes an address that the function computes. */
int pf_code_add_constant(struct pf_decoder *d, struct pf_constant constant, struct pf_error *err);
void pf_code_sort_constants(struct pf_decoder *d);

/* code_blocks.c */
int pf_code_find_blocks(struct pf_machine_code *code, struct pf_error *err);
/* The instruction that a jump to `target` reaches, or PF_NONE if it leaves the function. */
uint32_t pf_code_target(struct pf_machine_code *code, uint64_t target);

#endif
