/*
 * code_blocks.c: cutting instructions into basic blocks and linking them.
 */
#include "symbol/code_private.h"

#include <string.h>

#include "core/error.h"
#include "core/index.h"
#include "core/memory.h"

/* Why a block begins at an instruction: the one before ends a block, or a jump leads here. */
enum { LEADER_NEXT = 1, LEADER_TARGET = 2 };

uint32_t
pf_code_target(struct pf_machine_code *code, uint64_t target)
{
	uint32_t at = pf_code_find(code, target);

	if (at == PF_NONE || code->instructions[at].address == target)
		return at;
	/* Into an instruction: fine where only its lock prefix is jumped over (glibc does). */
	if (code->instructions[at].address + 1 != target ||
	    code->instructions[at].cost != PF_COST_READ_MODIFY_WRITE)
		code->complete = false;
	return at;
}

/* Whether the next instruction is not reached from this one. */
static bool
ends_flow(const struct pf_instruction *i)
{
	return i->kind == PF_CODE_JUMP || i->kind == PF_CODE_JUMP_INDIRECT ||
	       i->kind == PF_CODE_RETURN || i->kind == PF_CODE_STOP;
}

static int
mark_leaders(struct pf_machine_code *code, struct pf_error *err)
{
	struct pf_decoder *d = code->decoder;
	size_t n = code->instruction_count;
	uint32_t to;

	if (PF_GROW(d->leaders, d->leader_capacity, n + 1, err))
		return PF_ENOMEM;
	memset(d->leaders, 0, n + 1);
	d->leaders[0] = LEADER_TARGET;
	for (size_t i = 0; i < n; i++) {
		const struct pf_instruction *in = &code->instructions[i];
		if (ends_flow(in) || in->kind == PF_CODE_BRANCH)
			d->leaders[i + 1] |= LEADER_NEXT;
		if (in->kind == PF_CODE_BRANCH || in->kind == PF_CODE_JUMP) {
			to = pf_code_target(code, in->target);
			if (to != PF_NONE)
				d->leaders[to] |= LEADER_TARGET;
		}
	}
	for (size_t i = 0; i < d->target_count; i++) {
		if (d->targets[i].to != PF_NONE)
			d->leaders[d->targets[i].to] |= LEADER_TARGET;
	}
	return 0;
}

static int
cut(struct pf_machine_code *code, struct pf_error *err)
{
	const uint8_t *leaders = code->decoder->leaders;

	for (size_t i = 0; i < code->instruction_count; i++) {
		if (leaders[i]) {
			if (PF_GROW(code->blocks, code->block_capacity, code->block_count + 2, err))
				return PF_ENOMEM;
			code->blocks[code->block_count++] = (struct pf_block){.first = (uint32_t)i};
		}
		code->blocks[code->block_count - 1].count++;
		code->instructions[i].block = (uint32_t)code->block_count - 1;
	}
	return 0;
}

/* Adds an edge from the block under way unless it has it; to an instruction, or PF_NONE: out. */
static int
add_edge(struct pf_machine_code *code, struct pf_block *from, uint32_t to, struct pf_error *err)
{
	struct pf_decoder *d = code->decoder;
	uint32_t block;

	if (to == PF_NONE) {
		from->exits = true;
		return 0;
	}
	block = code->instructions[to].block;
	if (d->seen[block] == from->first + 1)
		return 0;
	d->seen[block] = from->first + 1;
	if (PF_GROW(code->edges, code->edge_capacity, code->edge_count + 1, err))
		return PF_ENOMEM;
	code->edges[code->edge_count++] = block;
	return 0;
}

/* The edges of an indirect jump: its table's, else it leaves the function. */
static int
link_table(struct pf_machine_code *code, struct pf_block *from, uint32_t jump, size_t *next,
    struct pf_error *err)
{
	const struct pf_decoder *d = code->decoder;
	bool any = false;
	int rc = 0;

	for (; *next < d->target_count && d->targets[*next].jump == jump && !rc; ++*next) {
		any = true;
		rc = add_edge(code, from, d->targets[*next].to, err);
	}
	if (!any)
		from->exits = true;
	return rc;
}

/* Padding that nothing leads to: no-operations up to a block that is aligned. */
static bool
is_padding(const struct pf_machine_code *code, const struct pf_block *b)
{
	uint32_t end = b->first + b->count;

	if (b->first == 0 || !ends_flow(&code->instructions[b->first - 1]) ||
	    code->decoder->leaders[b->first] & LEADER_TARGET)
		return false;
	for (uint32_t i = b->first; i < end; i++) {
		if (code->instructions[i].cost != PF_COST_NOP)
			return false;
	}
	return true;
}

static int
link_block(struct pf_machine_code *code, struct pf_block *b, size_t *table, struct pf_error *err)
{
	uint32_t last = b->first + b->count - 1, next = last + 1;
	const struct pf_instruction *in = &code->instructions[last];
	int rc = 0;

	b->successors = (uint32_t)code->edge_count;
	if (is_padding(code, b))
		return 0;
	if (!ends_flow(in))
		rc = add_edge(code, b, next < code->instruction_count ? next : PF_NONE, err);
	if (rc)
		return rc;
	switch (in->kind) {
	case PF_CODE_BRANCH:
	case PF_CODE_JUMP:
		return add_edge(code, b, pf_code_target(code, in->target), err);
	case PF_CODE_JUMP_INDIRECT:
		return link_table(code, b, last, table, err);
	case PF_CODE_RETURN:
		b->exits = true;
		return 0;
	default:
		return 0;
	}
}

int
pf_code_find_blocks(struct pf_machine_code *code, struct pf_error *err)
{
	size_t table = 0;
	int rc = mark_leaders(code, err);

	if (!rc)
		rc = cut(code, err);
	if (!rc)
		rc = PF_GROW(
		    code->decoder->seen, code->decoder->seen_capacity, code->block_count, err);
	if (rc)
		return rc;
	memset(code->decoder->seen, 0, code->block_count * sizeof *code->decoder->seen);
	for (size_t i = 0; i < code->block_count && !rc; i++)
		rc = link_block(code, &code->blocks[i], &table, err);
	if (!rc)
		code->blocks[code->block_count] =
		    (struct pf_block){.first = (uint32_t)code->instruction_count,
			.successors = (uint32_t)code->edge_count};
	return rc;
}
