/* program.c: see program.h. */
#include "convert/program.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "symbol/binary.h"

/* Bytes of code that are kept in memory. */
#define TRIM_EVERY ((uint64_t)8 << 20)

void
pf_program_forget_code(struct pf_program *p)
{
	free(p->instructions);
	free(p->values);
	free(p->blocks);
	free(p->edges);
	p->instructions = NULL;
	p->values = NULL;
	p->blocks = NULL;
	p->edges = NULL;
	p->instruction_count = p->instruction_capacity = p->value_capacity = 0;
	p->block_count = p->block_capacity = p->edge_count = p->edge_capacity = 0;
}

void
pf_program_release(struct pf_program *p)
{
	pf_program_forget_code(p);
	free(p->functions);
	*p = (struct pf_program){0};
}

uint32_t
pf_program_function_at(const struct pf_program *p, uint64_t address)
{
	size_t low = 0, high = p->function_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (p->functions[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < p->function_count && p->functions[low].start <= address ? (uint32_t)low
									     : PF_NONE;
}

uint32_t
pf_program_instruction(const struct pf_program *p, uint64_t address)
{
	uint32_t function = pf_program_function_at(p, address);
	size_t low, high;

	if (function == PF_NONE)
		return PF_NONE;
	low = p->functions[function].first_instruction;
	high = low + p->functions[function].instruction_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (p->instructions[middle].address + p->instructions[middle].size <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == (size_t)p->functions[function].first_instruction +
		       p->functions[function].instruction_count ||
	    p->instructions[low].address > address)
		return PF_NONE;
	return (uint32_t)low;
}

/* A name's length without the ".cold" that marks a split-off part; *part says whether there was one. */
static size_t
parent_size(const char *name, bool *part)
{
	const char *cold = strstr(name, ".cold");

	*part = cold && cold != name && (cold[5] == 0 || cold[5] == '.');
	return *part ? (size_t)(cold - name) : strlen(name);
}

struct named_symbol {
	const char *name;
	size_t size; /* of the parent's name */
	uint32_t symbol;
};

static int
by_parent_name(const void *left, const void *right)
{
	const struct named_symbol *a = left, *b = right;
	int order = memcmp(a->name, b->name, a->size < b->size ? a->size : b->size);

	if (order)
		return order;
	return (a->size > b->size) - (a->size < b->size);
}

/* Marks, beside the sampled symbols, their split-off parts and their parents. */
static int
mark_relatives(uint8_t *wanted, const struct pf_symbol *symbols, size_t count, struct pf_error *err)
{
	struct named_symbol *names;
	bool part, any;
	int rc = PF_CALLOC(names, count, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < count; i++)
		names[i] = (struct named_symbol){
		    symbols[i].name, parent_size(symbols[i].name, &part), (uint32_t)i};
	if (count)
		qsort(names, count, sizeof *names, by_parent_name);
	for (size_t i = 0, end; i < count; i = end) {
		any = part = false;
		for (end = i; end < count && by_parent_name(&names[i], &names[end]) == 0; end++) {
			any |= wanted[names[end].symbol];
			part |= names[end].name[names[end].size] != 0;
		}
		/* without a split-off part equal names are different functions */
		for (size_t j = i; any && part && j < end; j++)
			wanted[names[j].symbol] = 1;
	}
	free(names);
	return 0;
}

static int
append_blocks(struct pf_program *p, const struct pf_machine_code *code, uint32_t function,
    struct pf_error *err)
{
	uint32_t first_instruction = p->functions[function].first_instruction;
	uint32_t first_block = p->functions[function].first_block;
	int rc = PF_GROW(p->blocks, p->block_capacity, p->block_count + code->block_count, err);

	if (!rc)
		rc = PF_GROW(p->edges, p->edge_capacity, p->edge_count + code->edge_count, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < code->block_count; i++) {
		const struct pf_block *b = &code->blocks[i];
		p->blocks[p->block_count++] = (struct pf_program_block){
		    .first = first_instruction + b->first,
		    .count = b->count,
		    .first_edge = (uint32_t)p->edge_count + b->successors,
		    .edge_count = code->blocks[i + 1].successors - b->successors,
		    .function = function,
		    .exits = b->exits,
		};
	}
	for (size_t i = 0; i < code->edge_count; i++)
		p->edges[p->edge_count++] = first_block + code->edges[i];
	return 0;
}

static int
append_instructions(struct pf_program *p, const struct pf_machine_code *code, uint32_t first_block,
    struct pf_error *err)
{
	size_t need = p->instruction_count + code->instruction_count;
	int rc;

	if (need >= PF_NONE)
		return pf_error_set(err, PF_ENOMEM,
		    "the sampled functions have more than %u instructions", PF_NONE);
	rc = PF_GROW(p->instructions, p->instruction_capacity, need, err);
	if (!rc)
		rc = PF_GROW(p->values, p->value_capacity, need, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < code->instruction_count; i++) {
		p->instructions[p->instruction_count] = code->instructions[i];
		p->instructions[p->instruction_count].block += first_block;
		p->values[p->instruction_count++] = 0;
	}
	return 0;
}

/* The first leaf at or after an address. */
static size_t
first_leaf(const struct pf_samples *samples, uint64_t address)
{
	size_t low = 0, high = samples->leaf_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (samples->leaves[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * A function that cannot be decoded (another machine's code, bytes that are not
 * in the file) is known by its samples alone: each address is an instruction
 * and a block of its own, what was not sampled stays unknown.
 */
static int
append_samples(struct pf_program *p, const struct pf_samples *samples, struct pf_error *err)
{
	struct pf_program_function *f = &p->functions[p->function_count];
	int rc = 0;

	for (size_t i = first_leaf(samples, f->start);
	    !rc && i < samples->leaf_count && samples->leaves[i].address < f->end; i++) {
		size_t n = p->instruction_count;

		rc = PF_GROW(p->instructions, p->instruction_capacity, n + 1, err);
		if (!rc)
			rc = PF_GROW(p->values, p->value_capacity, n + 1, err);
		if (!rc)
			rc = PF_GROW(p->blocks, p->block_capacity, p->block_count + 1, err);
		if (rc)
			break;
		p->values[n] = 0;
		p->instructions[n] = (struct pf_instruction){.address = samples->leaves[i].address,
		    .size = 1,
		    .block = (uint32_t)p->block_count};
		p->blocks[p->block_count++] = (struct pf_program_block){.first = (uint32_t)n,
		    .count = 1,
		    .first_edge = (uint32_t)p->edge_count,
		    .function = (uint32_t)p->function_count,
		    .exits = true};
		p->instruction_count++;
		f->instruction_count++;
		f->block_count++;
	}
	return rc;
}

static int
append_code(struct pf_program *p, const struct pf_machine_code *code, struct pf_error *err)
{
	struct pf_program_function *f = &p->functions[p->function_count];
	int rc = append_instructions(p, code, f->first_block, err);

	if (!rc)
		rc = append_blocks(p, code, (uint32_t)p->function_count, err);
	f->instruction_count = (uint32_t)code->instruction_count;
	f->block_count = (uint32_t)code->block_count;
	f->complete = code->complete;
	return rc;
}

static int
append_function(struct pf_program *p, struct pf_machine_code *code, const struct pf_binary *binary,
    const struct pf_symbol *symbol, const struct pf_samples *samples, struct pf_error *err)
{
	struct pf_program_function f = {.start = symbol->start,
	    .end = symbol->end,
	    .name = symbol->name,
	    .first_instruction = (uint32_t)p->instruction_count,
	    .first_block = (uint32_t)p->block_count};
	int rc = PF_GROW(p->functions, p->function_capacity, p->function_count + 1, err);

	if (rc)
		return rc;
	parent_size(symbol->name, &f.part);
	p->functions[p->function_count] = f;
	rc = pf_code_decode(code, binary, symbol->start, symbol->end, err);
	if (rc == PF_EINPUT)
		rc = append_samples(p, samples, err);
	else if (!rc)
		rc = append_code(p, code, err);
	if (!rc)
		p->function_count++;
	return rc;
}

/* Samples and instructions are in the order of their addresses: one walk over both. */
static void
place_samples(struct pf_program *p, const struct pf_samples *samples)
{
	size_t leaf = 0;

	for (size_t i = 0; i < p->function_count; i++) {
		struct pf_program_function *f = &p->functions[i];
		size_t at = f->first_instruction, end = at + f->instruction_count;

		for (; leaf < samples->leaf_count && samples->leaves[leaf].address < f->start;
		    leaf++)
			p->no_symbol += samples->leaves[leaf].value;
		for (; leaf < samples->leaf_count && samples->leaves[leaf].address < f->end;
		    leaf++) {
			const struct pf_address_count *l = &samples->leaves[leaf];

			f->value += l->value;
			while (at < end &&
			       p->instructions[at].address + p->instructions[at].size <= l->address)
				at++;
			if (at < end && p->instructions[at].address <= l->address)
				p->values[at] += l->value;
			else if (f->instruction_count)
				p->no_code += l->value;
		}
	}
	for (; leaf < samples->leaf_count; leaf++)
		p->no_symbol += samples->leaves[leaf].value;
}

int
pf_program_read(struct pf_program *out, const struct pf_binary *binary,
    const struct pf_samples *samples, struct pf_error *err)
{
	size_t count;
	const struct pf_symbol *symbols = pf_binary_symbols(binary, &count);
	struct pf_machine_code code = {0};
	uint64_t read = 0;
	uint8_t *wanted;
	int rc;

	*out = (struct pf_program){0};
	rc = PF_CALLOC(wanted, count, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < samples->leaf_count; i++) {
		const struct pf_symbol *symbol =
		    pf_binary_symbol_at(binary, samples->leaves[i].address);
		if (symbol)
			wanted[symbol - symbols] = 1;
	}
	rc = mark_relatives(wanted, symbols, count, err);
	for (size_t i = 0; !rc && i < count; i++) {
		if (!wanted[i])
			continue;
		rc = append_function(out, &code, binary, &symbols[i], samples, err);
		read += symbols[i].end - symbols[i].start;
		if (read > TRIM_EVERY) {
			pf_binary_trim(binary);
			read = 0;
		}
	}
	if (!rc)
		place_samples(out, samples);
	pf_code_release(&code);
	free(wanted);
	return rc;
}
