/*
 * program.h: the machine code of the sampled functions, with their samples.
 *
 * Flat arrays over all functions: instructions and blocks by address, edges
 * between blocks of one function. A function is one symbol's range; the parts
 * that the compiler split off (".cold") are functions of their own here, taken
 * in whenever their parent was sampled, and the other way round. Of a function
 * that cannot be decoded only the sampled addresses are there, not complete.
 */
#ifndef PF_CONVERT_PROGRAM_H
#define PF_CONVERT_PROGRAM_H

#include "convert/samples.h"
#include "core/index.h"
#include "symbol/code.h"

struct pf_binary;

struct pf_program_block {
	uint32_t first, count; /* instructions */
	uint32_t first_edge, edge_count;
	uint32_t function;
	bool exits;
};

struct pf_program_function {
	uint64_t start, end;
	const char *name; /* the symbol's, owned by the binary */
	uint32_t first_instruction, instruction_count;
	uint32_t first_block, block_count;
	int64_t value; /* samples */
	bool complete; /* the code could be followed wholly */
	bool taken;    /* its address is taken: set by whoever knows */
	bool part;     /* split off another function: its start is no entry */
};

struct pf_program {
	struct pf_program_function *functions; /* by start */
	size_t function_count, function_capacity;
	struct pf_instruction *instructions; /* .block counts over the whole program */
	int64_t *values;                     /* samples, one an instruction */
	size_t instruction_count, instruction_capacity, value_capacity;
	struct pf_program_block *blocks;
	size_t block_count, block_capacity;
	uint32_t *edges; /* blocks */
	size_t edge_count, edge_capacity;

	int64_t no_symbol; /* samples outside every function symbol */
	int64_t no_code;   /* samples where nothing could be decoded */
};

/* Reads the functions that samples fell into. PF_ENOMEM; after a failure release it. */
int pf_program_read(struct pf_program *out, const struct pf_binary *binary,
    const struct pf_samples *samples, struct pf_error *err);
void pf_program_release(struct pf_program *p);
/* Forgets instructions, blocks and edges, which hold the memory; the functions stay. */
void pf_program_forget_code(struct pf_program *p);

/* The instruction, or the function, that covers an address; PF_NONE outside. */
uint32_t pf_program_instruction(const struct pf_program *p, uint64_t address);
uint32_t pf_program_function_at(const struct pf_program *p, uint64_t address);

#endif
