/* program_code.c: functions of a program packed and unfolded; see program.h. */
#include <stdlib.h>
#include <string.h>

#include "convert/program.h"
#include "core/error.h"
#include "core/memory.h"
#include "core/search.h"

/* The first leaf at or after an address. */
static const struct pf_address_count *
first_leaf(const struct pf_samples *samples, uint64_t address)
{
	return samples->leaves +
	       PF_LOWER_BOUND(samples->leaves, samples->leaf_count, address, address);
}

/* The leaves of a function are those from *leaf up to *end. */
static void
find_leaves(const struct pf_samples *samples, const struct pf_program_function *f,
    const struct pf_address_count **leaf, const struct pf_address_count **end)
{
	*leaf = first_leaf(samples, f->start);
	*end = first_leaf(samples, f->end);
}

static bool
covers(const struct pf_instruction *in, uint64_t address)
{
	return in->address <= address && address < in->address + in->size;
}

/*
 * Gives samples to the instructions that they were taken at, if `code` is
 * there; returns those that no instruction covers. Both are in the order of
 * their addresses: one walk.
 */
static int64_t
place_samples(const struct pf_instruction *instructions, size_t count,
    const struct pf_address_count *leaf, const struct pf_address_count *end,
    struct pf_program_code *code)
{
	int64_t lost = 0;
	size_t at = 0;

	for (; leaf < end; leaf++) {
		while (
		    at < count && instructions[at].address + instructions[at].size <= leaf->address)
			at++;
		if (at == count || !covers(&instructions[at], leaf->address)) {
			lost += leaf->value;
		} else if (code) {
			code->values[at] += leaf->value;
			code->steps[at] += leaf->steps;
		}
	}
	return lost;
}

static void
append_block(struct pf_program *p, size_t count, bool exits)
{
	p->blocks[p->block_count].count = (uint32_t)count & INT32_MAX;
	p->blocks[p->block_count].exits = exits;
	p->blocks[++p->block_count] =
	    (struct pf_program_block){.first_edge = (uint32_t)p->edge_count};
}

static int
append_code(struct pf_program *p, struct pf_program_function *f, const struct pf_machine_code *code,
    const struct pf_address_count *leaf, const struct pf_address_count *end, struct pf_error *err)
{
	int rc = PF_GROW(p->edges, p->edge_capacity, p->edge_count + code->edge_count, err);

	if (!rc)
		rc = pf_packed_code_add(&p->code, code->instructions, code->instruction_count, err);
	for (size_t i = 0; !rc && i < code->block_count; i++) {
		for (uint32_t e = code->blocks[i].successors; e < code->blocks[i + 1].successors;
		    e++)
			p->edges[p->edge_count++] = f->first_block + code->edges[e];
		append_block(p, code->blocks[i].count, code->blocks[i].exits);
	}
	f->instruction_count = (uint32_t)code->instruction_count;
	f->decoded = true;
	f->complete = code->complete;
	p->no_code += place_samples(code->instructions, code->instruction_count, leaf, end, NULL);
	return rc;
}

/*
 * A function that cannot be decoded (another machine's code, bytes that are not
 * in the file) is known by its samples alone: each address is an instruction
 * and a block of its own, what was not sampled stays unknown.
 */
static void
append_samples(struct pf_program *p, struct pf_program_function *f,
    const struct pf_address_count *leaf, const struct pf_address_count *end)
{
	f->instruction_count = (uint32_t)(end - leaf);
	for (; leaf < end; leaf++)
		append_block(p, 1, true);
}

void
pf_program_init(struct pf_program *p, const struct pf_samples *samples)
{
	*p = (struct pf_program){.samples = samples, .no_symbol = samples->used};
}

int
pf_program_add(struct pf_program *p, const struct pf_program_function *f,
    const struct pf_machine_code *code, struct pf_error *err)
{
	const struct pf_address_count *leaf, *end;
	struct pf_program_function *added;
	int rc = PF_GROW(p->functions, p->function_capacity, p->function_count + 1, err);

	find_leaves(p->samples, f, &leaf, &end);
	if (!rc)
		rc = PF_GROW(p->blocks, p->block_capacity,
		    p->block_count + (code ? code->block_count : (size_t)(end - leaf)) + 1, err);
	if (rc)
		return rc;
	if (p->code.count + (code ? code->instruction_count : 0) >= PF_NONE)
		return pf_error_set(err, PF_ENOMEM,
		    "the sampled functions have more than %u instructions", PF_NONE);
	added = &p->functions[p->function_count];
	*added = (struct pf_program_function){.start = f->start,
	    .end = f->end,
	    .name = f->name,
	    .part = f->part,
	    .first_instruction = (uint32_t)p->code.count,
	    .first_target = (uint32_t)p->code.target_count,
	    .first_block = (uint32_t)p->block_count};
	p->blocks[p->block_count].first_edge = (uint32_t)p->edge_count;
	if (code)
		rc = append_code(p, added, code, leaf, end, err);
	else
		append_samples(p, added, leaf, end);
	if (rc)
		return rc;
	for (; leaf < end; leaf++)
		added->value += leaf->value;
	added->block_count = (uint32_t)p->block_count - added->first_block;
	p->no_symbol -= added->value;
	p->function_count++;
	return 0;
}

/* Which block each instruction is in, and where each block begins. */
static void
unfold_blocks(
    struct pf_program_code *code, const struct pf_program *p, const struct pf_program_function *f)
{
	uint32_t at = 0;

	for (uint32_t b = 0; b < f->block_count; b++) {
		code->starts[b] = at;
		for (uint32_t i = p->blocks[f->first_block + b].count; i > 0; i--)
			code->instructions[at++].block = f->first_block + b;
	}
	code->starts[f->block_count] = at;
}

int
pf_program_unfold(struct pf_program_code *code, const struct pf_program *p, uint32_t function,
    struct pf_error *err)
{
	const struct pf_program_function *f = &p->functions[function];
	const struct pf_address_count *leaf, *end;
	int rc = PF_GROW(code->instructions, code->capacity, f->instruction_count, err);

	if (!rc)
		rc = PF_GROW(code->steps, code->step_capacity, f->instruction_count, err);
	if (!rc)
		rc = PF_GROW(code->values, code->value_capacity, f->instruction_count, err);
	if (!rc)
		rc = PF_GROW(code->starts, code->start_capacity, f->block_count + (size_t)1, err);
	if (rc)
		return rc;
	code->function = function;
	code->first_block = f->first_block;
	code->count = f->instruction_count;
	find_leaves(p->samples, f, &leaf, &end);
	if (f->decoded)
		pf_packed_code_get(&p->code, f->first_instruction, f->first_target, f->start,
		    code->instructions, code->count);
	for (size_t i = 0; !f->decoded && i < code->count; i++)
		code->instructions[i] =
		    (struct pf_instruction){.address = leaf[i].address, .size = 1};
	unfold_blocks(code, p, f);
	memset(code->values, 0, code->count * sizeof *code->values);
	memset(code->steps, 0, code->count * sizeof *code->steps);
	place_samples(code->instructions, code->count, leaf, end, code);
	return 0;
}

uint32_t
pf_program_code_find(const struct pf_program_code *code, uint64_t address)
{
	size_t after = PF_LOWER_BOUND(code->instructions, code->count, address, address + 1);

	return after && covers(&code->instructions[after - 1], address) ? (uint32_t)after - 1
									: PF_NONE;
}

void
pf_program_code_release(struct pf_program_code *code)
{
	free(code->instructions);
	free(code->values);
	free(code->steps);
	free(code->starts);
	*code = (struct pf_program_code){0};
}
