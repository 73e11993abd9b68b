/*
 * code.h: a function's machine code as instructions and basic blocks.
 *
 * x86-64 only. Instructions are decoded one after the other from the start to
 * the end of the range; a block begins at the start, at every place that a jump
 * or a jump table leads to, and behind every instruction that does not go on.
 * (The struct is not called pf_code: that is the public enum of error codes.)
 */
#ifndef PF_SYMBOL_CODE_H
#define PF_SYMBOL_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pf_error;
struct pf_binary;

enum pf_instruction_kind {
	PF_CODE_OTHER,
	PF_CODE_BRANCH, /* conditional, direct */
	PF_CODE_JUMP,   /* unconditional, direct */
	PF_CODE_JUMP_INDIRECT,
	PF_CODE_CALL,          /* direct; ends no block */
	PF_CODE_CALL_INDIRECT, /* ends no block */
	PF_CODE_RETURN,
	PF_CODE_STOP,    /* ud2, hlt, int3: never continues */
	PF_CODE_UNKNOWN, /* one byte that does not decode */
};

/* A rough class for cost models (see reference/inference.md). */
enum pf_instruction_cost {
	PF_COST_ALU,
	PF_COST_MOVE,
	PF_COST_LOAD,
	PF_COST_ALU_LOAD,
	PF_COST_STACK_LOAD,
	PF_COST_STORE,
	PF_COST_READ_MODIFY_WRITE,
	PF_COST_BRANCH,
	PF_COST_PUSH,
	PF_COST_POP,
	PF_COST_CALL,
	PF_COST_CALL_INDIRECT,
	PF_COST_JUMP_INDIRECT,
	PF_COST_RETURN,
	PF_COST_MULTIPLY,
	PF_COST_DIVIDE,
	PF_COST_FLOAT,
	PF_COST_REPEAT,
	PF_COST_NOP,
	PF_COST_CLASSES
};

struct pf_instruction {
	uint64_t address;
	uint64_t target; /* of a direct branch, jump or call; else 0 */
	uint8_t size;
	uint8_t kind; /* enum pf_instruction_kind */
	uint8_t cost; /* enum pf_instruction_cost */
	uint32_t block;
};

/*
 * `exits`: control may leave the function here, by a return, a tail call or an unknown jump.
 * Padding between blocks is a block without edges.
 */
struct pf_block {
	uint32_t first, count; /* instructions */
	uint32_t successors;   /* start in edges; [successors, next block's successors) */
	bool exits;
};

struct pf_decoder;

struct pf_machine_code {
	struct pf_instruction *instructions; /* by address */
	size_t instruction_count, instruction_capacity;
	struct pf_block *blocks; /* by address; one more at the end closes the last one's edges */
	size_t block_count, block_capacity;
	uint32_t *edges; /* blocks: each successor once, the one fallen through to first */
	size_t edge_count, edge_capacity;
	bool complete;              /* every byte decoded and every jump table resolved */
	struct pf_decoder *decoder; /* owned; scratch of the decoder */
};

/*
 * Disassembles [start, end) into `code` (caller-owned, zeroed at first; reused).
 * Bytes that do not decode are skipped to the next byte, leaving complete false.
 * A jump through a pointer that is no jump table (a virtual tail call) exits and
 * does not make the code incomplete. PF_EINPUT where the range has no bytes in
 * the file, is over 64 MiB, or is not x86-64; PF_ENOMEM.
 */
int pf_code_decode(struct pf_machine_code *code, const struct pf_binary *binary, uint64_t start,
    uint64_t end, struct pf_error *err);
void pf_code_release(struct pf_machine_code *code);

/* The instruction that covers an address, or PF_NONE. */
uint32_t pf_code_find(const struct pf_machine_code *code, uint64_t address);

#endif
