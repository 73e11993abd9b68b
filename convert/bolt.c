/* bolt.c: see bolt.h. */
#include "convert/bolt.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "convert/inference_flow.h"
#include "core/error.h"
#include "core/memory.h"
#include "symbol/binary.h"

/* Flows are in samples for a unit of cost; counts are whole numbers. */
#define COUNTS_PER_SAMPLE 1000

struct work {
	struct pf_buffer *out;
	struct pf_bolt_output *written;
	const struct pf_program *p;
	struct pf_program_code code; /* of the function under way */
	const struct pf_symbol *symbols;
	size_t symbol_count;
	uint32_t *ordinals; /* by symbol: which of the local ones of its name and file, from 1 */
	const struct pf_symbol **of_function; /* by function of the program */
	double *counts, *edges;               /* by block, by edge */
	double *entries;                      /* by function */
	double *called;                       /* by function: by calls that were written */
};

static int
by_name_and_file(const void *left, const void *right)
{
	const struct pf_symbol *const *a = left, *const *b = right;
	int order = strcmp((*a)->name, (*b)->name);

	if (!order)
		order = strcmp((*a)->file ? (*a)->file : "", (*b)->file ? (*b)->file : "");
	return order ? order : (*a > *b) - (*a < *b);
}

static bool
same_name_and_file(const struct pf_symbol *a, const struct pf_symbol *b)
{
	return strcmp(a->name, b->name) == 0 &&
	       strcmp(a->file ? a->file : "", b->file ? b->file : "") == 0;
}

/* BOLT tells local functions of one name and file apart by their order in memory. */
static int
number_symbols(struct work *w, struct pf_error *err)
{
	const struct pf_symbol **sorted;
	int rc = PF_CALLOC(w->ordinals, w->symbol_count, err);

	if (!rc)
		rc = PF_CALLOC(sorted, w->symbol_count, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < w->symbol_count; i++)
		sorted[i] = &w->symbols[i];
	if (w->symbol_count)
		qsort(sorted, w->symbol_count, sizeof *sorted, by_name_and_file);
	for (size_t i = 0; i < w->symbol_count; i++) {
		bool again = i && same_name_and_file(sorted[i - 1], sorted[i]);
		w->ordinals[sorted[i] - w->symbols] =
		    again ? w->ordinals[sorted[i - 1] - w->symbols] + 1 : 1;
	}
	free(sorted);
	return 0;
}

static void
put_escaped(struct pf_buffer *out, const char *text)
{
	for (; *text; text++) {
		if (*text == ' ' || *text == '\\')
			pf_buffer_byte(out, '\\');
		pf_buffer_byte(out, (uint8_t)*text);
	}
}

/* "1 name 2a", of a local function "1 name/file.c/1 2a". */
static void
put_place(struct work *w, uint32_t function, uint64_t address)
{
	const struct pf_symbol *s = w->of_function[function];

	pf_buffer_string(w->out, "1 ");
	put_escaped(w->out, s->name);
	if (s->local && s->file) {
		pf_buffer_byte(w->out, '/');
		put_escaped(w->out, s->file);
	}
	if (s->local)
		pf_buffer_printf(w->out, "/%u", w->ordinals[s - w->symbols]);
	pf_buffer_printf(w->out, " %" PRIx64, address - s->start);
}

/* From an instruction to an address, by function; from PF_NONE: nobody knows from where. */
static void
put_branch(struct work *w, uint32_t from, uint64_t from_address, uint32_t to, uint64_t to_address,
    double flow)
{
	long long count = llround(flow * COUNTS_PER_SAMPLE);

	if (count <= 0)
		return;
	if (from == PF_NONE)
		pf_buffer_string(w->out, "0 [unknown] 0");
	else
		put_place(w, from, from_address);
	pf_buffer_byte(w->out, ' ');
	put_place(w, to, to_address);
	pf_buffer_printf(w->out, " 0 %lld\n", count);
	w->written->branches++;
}

/* The function that starts at an address, or PF_NONE. */
static uint32_t
entered_function(const struct pf_program *p, uint64_t address)
{
	uint32_t function = pf_program_function_at(p, address);

	return function != PF_NONE && p->functions[function].start == address ? function : PF_NONE;
}

static void
put_calls(struct work *w, uint32_t block)
{
	const struct pf_program_code *c = &w->code;
	double count = w->counts[c->first_block + block];

	for (uint32_t i = c->starts[block]; i < c->starts[block + 1]; i++) {
		const struct pf_instruction *in = &c->instructions[i];
		uint32_t callee =
		    in->kind == PF_CODE_CALL ? entered_function(w->p, in->target) : PF_NONE;

		if (callee == PF_NONE)
			continue;
		put_branch(w, c->function, in->address, callee, in->target, count);
		w->called[callee] += count;
	}
}

/* The instruction that BOLT knows a block's end by: the last one that is no padding. */
static const struct pf_instruction *
last_instruction(const struct pf_program_code *c, uint32_t block)
{
	uint32_t i = c->starts[block + 1] - 1;

	while (i > c->starts[block] && c->instructions[i].cost == PF_COST_NOP)
		i--;
	return &c->instructions[i];
}

/* Where control goes at a block's end; what no edge takes leaves by a tail call, if it ends with one. */
static void
put_edges(struct work *w, uint32_t block)
{
	const struct pf_program_code *c = &w->code;
	const struct pf_program_block *b = &w->p->blocks[c->first_block + block];
	const struct pf_instruction *last = last_instruction(c, block);
	double left = w->counts[c->first_block + block];
	uint32_t callee;

	for (uint32_t e = b[0].first_edge; e < b[1].first_edge; e++) {
		uint32_t to = c->starts[w->p->edges[e] - c->first_block];

		put_branch(w, c->function, last->address, c->function, c->instructions[to].address,
		    w->edges[e]);
		left -= w->edges[e];
	}
	if (!b->exits || last->kind == PF_CODE_CALL || !last->target)
		return;
	callee = entered_function(w->p, last->target);
	if (callee == PF_NONE || callee == c->function || left <= 0)
		return;
	put_branch(w, c->function, last->address, callee, last->target, left);
	w->called[callee] += left;
}

static int
put_function(struct work *w, uint32_t function, struct pf_error *err)
{
	size_t before = w->written->branches;
	int rc = pf_program_unfold(&w->code, w->p, function, err);

	for (uint32_t b = 0; !rc && b < w->p->functions[function].block_count; b++) {
		if (w->counts[w->code.first_block + b] <= 0)
			continue;
		put_calls(w, b);
		put_edges(w, b);
	}
	w->written->functions += w->written->branches > before;
	return rc;
}

static int
prepare(struct work *w, double unit, bool time, struct pf_error *err)
{
	int rc = PF_CALLOC(w->of_function, w->p->function_count, err);

	if (!rc)
		rc = number_symbols(w, err);
	if (!rc)
		rc = PF_CALLOC(w->counts, w->p->block_count, err);
	if (!rc)
		rc = PF_CALLOC(w->edges, w->p->edge_count, err);
	if (!rc)
		rc = PF_CALLOC(w->entries, w->p->function_count, err);
	if (!rc)
		rc = PF_CALLOC(w->called, w->p->function_count, err);
	return rc ? rc : pf_inference_flow(w->counts, w->edges, w->entries, w->p, unit, time, err);
}

int
pf_bolt_write(struct pf_buffer *out, struct pf_bolt_output *written, const struct pf_binary *binary,
    const struct pf_program *p, double unit, bool time, struct pf_error *err)
{
	struct work w = {.out = out, .written = written, .p = p};
	int rc;

	*written = (struct pf_bolt_output){0};
	w.symbols = pf_binary_symbols(binary, &w.symbol_count);
	rc = prepare(&w, unit, time, err);
	for (uint32_t i = 0; !rc && i < p->function_count; i++)
		w.of_function[i] = pf_binary_symbol_at(binary, p->functions[i].start);
	for (uint32_t i = 0; !rc && i < p->function_count; i++)
		rc = put_function(&w, i, err);
	/* entered from where we do not see: by pointer, or from another binary */
	for (uint32_t i = 0; !rc && i < p->function_count; i++) {
		if (w.entries[i] > w.called[i])
			put_branch(
			    &w, PF_NONE, 0, i, p->functions[i].start, w.entries[i] - w.called[i]);
	}
	pf_program_code_release(&w.code);
	free(w.of_function);
	free(w.ordinals);
	free(w.counts);
	free(w.edges);
	free(w.entries);
	free(w.called);
	return rc ? rc : pf_buffer_check(out, err);
}

bool
pf_bolt_moves_functions(const struct pf_binary *binary)
{
	return pf_binary_has_section(binary, ".rela.text");
}
