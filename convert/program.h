/*
 * program.h: the machine code of the sampled functions, with their samples.
 *
 * A function is one symbol's range; the parts that the compiler split off
 * (".cold") are functions of their own here, taken in whenever their parent was
 * sampled, and the other way round. Blocks and the edges between those of one
 * function are flat arrays over all functions. Instructions are kept packed, and
 * unfolded one function at a time by whoever works on them.
 */
#ifndef PF_CONVERT_PROGRAM_H
#define PF_CONVERT_PROGRAM_H

#include "convert/samples.h"
#include "core/index.h"
#include "symbol/code_packed.h"

struct pf_binary;

struct pf_program_block {
	uint32_t first_edge; /* the edges go up to the next block's first one */
	uint32_t count : 31; /* instructions */
	uint32_t exits : 1;
};

struct pf_program_function {
	uint64_t start, end;
	const char *name; /* the symbol's, owned by the binary */
	uint32_t first_instruction, first_target, instruction_count; /* into the packed code */
	uint32_t first_block, block_count;
	int64_t value; /* samples */
	bool decoded;  /* else its instructions are the addresses with samples, a block each */
	bool complete; /* the code could be followed wholly */
	bool taken;    /* its address is taken: set by whoever knows */
	bool part;     /* split off another function: its start is no entry */
};

struct pf_program {
	const struct pf_samples *samples;
	struct pf_program_function *functions; /* by start */
	size_t function_count, function_capacity;
	struct pf_packed_code code;
	struct pf_program_block *blocks; /* one more at the end closes the last one's edges */
	size_t block_count, block_capacity;
	uint32_t *edges; /* blocks */
	size_t edge_count, edge_capacity;

	int64_t no_symbol; /* samples outside every function symbol */
	int64_t no_code;   /* samples where nothing could be decoded */
};

/* One function, unfolded. Zeroed at first; reused from function to function. */
struct pf_program_code {
	uint32_t function, first_block;
	struct pf_instruction *instructions; /* .block counts over the whole program */
	int64_t *values, *steps;             /* samples and steps, one an instruction */
	uint32_t *starts; /* by block of the function: its first instruction; one more at the end */
	size_t count;     /* instructions */
	size_t capacity, value_capacity, step_capacity, start_capacity;
};

/* Reads the functions that samples fell into. `samples` outlives it. PF_ENOMEM; after a failure release it. */
int pf_program_read(struct pf_program *out, const struct pf_binary *binary,
    const struct pf_samples *samples, struct pf_error *err);
void pf_program_release(struct pf_program *p);
/* Forgets instructions, blocks and edges, which hold the memory; the functions stay. */
void pf_program_forget_code(struct pf_program *p);

/* An empty program; `samples` outlives it. */
void pf_program_init(struct pf_program *p, const struct pf_samples *samples);
/*
 * Adds a function behind all others: its range, name and `part` are taken from
 * *f, the rest from its code, or from its samples where `code` is NULL: it
 * cannot be decoded. PF_ENOMEM.
 */
int pf_program_add(struct pf_program *p, const struct pf_program_function *f,
    const struct pf_machine_code *code, struct pf_error *err);

/* Unfolds one function. PF_ENOMEM; release it in any case. */
int pf_program_unfold(struct pf_program_code *code, const struct pf_program *p, uint32_t function,
    struct pf_error *err);
void pf_program_code_release(struct pf_program_code *code);
/* The instruction that covers an address, PF_NONE: none does. */
uint32_t pf_program_code_find(const struct pf_program_code *code, uint64_t address);

/* The function that covers an address; PF_NONE outside. */
uint32_t pf_program_function_at(const struct pf_program *p, uint64_t address);

#endif
