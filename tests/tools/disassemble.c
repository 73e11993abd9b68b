/*
 * disassemble.c: prints what lib/symbol/code.h makes of every function symbol of
 * a binary, for comparison with other disassemblers. Usage: disassemble BINARY
 * [-b]. Without -b: the address of each instruction, and ".byte" behind those
 * that did not decode. With -b: functions (name, start, end, whether complete),
 * blocks (from their first instruction that is not padding on) and edges.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <profuse/error.h>

#include "symbol/binary.h"
#include "symbol/code.h"

static void
print_instructions(const struct pf_machine_code *code)
{
	for (size_t i = 0; i < code->instruction_count; i++) {
		const struct pf_instruction *in = &code->instructions[i];
		printf("%" PRIx64 "%s\n", in->address, in->kind == PF_CODE_UNKNOWN ? " .byte" : "");
	}
}

static void
print_blocks(const struct pf_symbol *symbol, const struct pf_machine_code *code)
{
	printf("%s %" PRIx64 " %" PRIx64 " %s\n", symbol->name, symbol->start, symbol->end,
	    code->complete ? "complete" : "incomplete");
	for (size_t b = 0; b < code->block_count; b++) {
		const struct pf_block *block = &code->blocks[b];
		uint32_t first = block->first, end = first + block->count;
		while (first < end && code->instructions[first].cost == PF_COST_NOP)
			first++;
		if (first == end && block->successors == block[1].successors)
			continue;
		printf("  %zu %" PRIx64 " %u%s:", b,
		    code->instructions[first < end ? first : block->first].address, block->count,
		    block->exits ? " exits" : "");
		for (uint32_t e = block->successors; e < block[1].successors; e++)
			printf(" %u", code->edges[e]);
		putchar('\n');
	}
}

int
main(int argc, char **argv)
{
	struct pf_machine_code code = {0};
	struct pf_binary *binary;
	struct pf_error err;
	const struct pf_symbol *symbols;
	size_t count;
	int rc = 0;

	if (argc < 2) {
		fprintf(stderr, "usage: disassemble BINARY [-b]\n");
		return 2;
	}
	if (pf_binary_open(&binary, argv[1], &err) != 0) {
		fprintf(stderr, "%s\n", err.message);
		return err.code;
	}
	symbols = pf_binary_symbols(binary, &count);
	for (size_t i = 0; i < count; i++) {
		if (pf_code_decode(&code, binary, symbols[i].start, symbols[i].end, &err) != 0) {
			fprintf(stderr, "%s: %s\n", symbols[i].name, err.message);
			rc = err.code;
		} else if (argc > 2 && strcmp(argv[2], "-b") == 0) {
			print_blocks(&symbols[i], &code);
		} else {
			print_instructions(&code);
		}
	}
	pf_code_release(&code);
	pf_binary_free(binary);
	return rc;
}
