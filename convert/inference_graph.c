/* inference_graph.c: see inference_graph.h. */
#include "convert/inference_graph.h"

#include <stdlib.h>

#include "convert/program.h"
#include "core/error.h"
#include "core/memory.h"

#define ROW_DOUBLES (sizeof(struct pf_flow_row) / sizeof(double))
#define CACHE_LINE 64

_Static_assert(sizeof(struct pf_flow_row) == 4 * (size_t)CACHE_LINE, "a row is four cache lines");

/* A function of the program that has a place in the graph. */
struct member {
	uint32_t function, blocks;
};

/* A graph being built. */
struct build {
	struct pf_flow_graph *g;
	const struct pf_program *p;
	struct degree {
		uint32_t in; /* edges */
		bool loops;
	} *degrees; /* by block of the function under way */
	size_t degree_capacity;
	uint64_t more_in, more_out; /* edges of blocks that have more */
};

void
pf_flow_graph_release(struct pf_flow_graph *g)
{
	free(g->memory);
	free(g->groups);
	free(g->more);
	free(g->more_in);
	free(g->slots);
	*g = (struct pf_flow_graph){0};
}

static int
by_size(const void *left, const void *right)
{
	const struct member *a = left, *b = right;

	if (a->blocks != b->blocks)
		return a->blocks < b->blocks ? -1 : 1;
	return (a->function > b->function) - (a->function < b->function);
}

/* Members rise in size, so the last of each four has the most blocks. */
static int
place_members(
    struct pf_flow_graph *g, const struct member *members, size_t count, struct pf_error *err)
{
	int rc = PF_CALLOC(g->groups, count / PF_FLOW_LANES + 1, err);

	for (size_t i = 0; !rc && i < count; i++) {
		struct pf_flow_group *group = &g->groups[i / PF_FLOW_LANES];

		if (i % PF_FLOW_LANES == 0)
			*group = (struct pf_flow_group){.first = (uint32_t)g->row_count};
		g->slots[members[i].function] =
		    group->first * PF_FLOW_LANES + (uint32_t)(i % PF_FLOW_LANES);
		group->count = members[i].blocks;
		if (i + 1 == count || (i + 1) % PF_FLOW_LANES == 0) {
			g->row_count += group->count;
			g->group_count++;
		}
	}
	return rc;
}

static int
place_functions(struct pf_flow_graph *g, const struct pf_program *p, struct pf_error *err)
{
	struct member *members = NULL;
	size_t count = 0;
	int rc = PF_CALLOC(g->slots, p->function_count, err);

	if (!rc)
		rc = PF_CALLOC(members, p->function_count, err);
	for (uint32_t i = 0; !rc && i < p->function_count; i++) {
		const struct pf_program_function *f = &p->functions[i];

		g->slots[i] = PF_NONE;
		if (f->complete && f->block_count)
			members[count++] = (struct member){i, f->block_count};
	}
	if (count)
		qsort(members, count, sizeof *members, by_size);
	if (!rc)
		rc = place_members(g, members, count, err);
	free(members);
	return rc;
}

/* Nothing is counted of a function's blocks. */
static int
begin_function(struct build *w, const struct pf_program_function *f, struct pf_error *err)
{
	int rc = PF_GROW(w->degrees, w->degree_capacity, f->block_count, err);

	for (uint32_t i = 0; !rc && i < f->block_count; i++)
		w->degrees[i] = (struct degree){0};
	return rc;
}

/* The edges of a function lead to blocks of its own. */
static int
count_edges(struct build *w, const struct pf_program_function *f, struct pf_error *err)
{
	int rc = begin_function(w, f, err);

	for (uint32_t i = 0; !rc && i < f->block_count; i++) {
		const struct pf_program_block *b = &w->p->blocks[f->first_block + i];

		for (uint32_t e = b->first_edge; e < b[1].first_edge; e++) {
			uint32_t target = w->p->edges[e] - f->first_block;

			w->degrees[target].in++;
			w->degrees[target].loops |= target == i;
		}
	}
	return rc;
}

/* The blocks of a function that have more edges than their rows have room for. */
static int
note_more(struct build *w, uint32_t function, struct pf_error *err)
{
	const struct pf_program_function *f = &w->p->functions[function];
	struct pf_flow_graph *g = w->g;
	int rc = count_edges(w, f, err);

	for (uint32_t i = 0; !rc && i < f->block_count; i++) {
		const struct pf_program_block *b = &w->p->blocks[f->first_block + i];
		uint32_t in = w->degrees[i].in, out = b[1].first_edge - b->first_edge;

		if (in <= 2 && out <= 2 && !w->degrees[i].loops)
			continue;
		rc = PF_GROW(g->more, g->more_capacity, g->more_count + 1, err);
		if (rc)
			return rc;
		g->more[g->more_count++] =
		    (struct pf_flow_more){.slot = g->slots[function] + i * PF_FLOW_LANES,
			.first_in = (uint32_t)w->more_in,
			.in_count = in,
			.first_out = (uint32_t)w->more_out,
			.out_count = out,
			.loops = w->degrees[i].loops};
		w->more_in += in;
		w->more_out += out;
	}
	return rc;
}

/* Rows without any edge. */
static int
make_rows(struct build *w, struct pf_error *err)
{
	struct pf_flow_graph *g = w->g;
	uint64_t doubles = g->row_count * ROW_DOUBLES + w->more_out;
	char *memory;
	int rc;

	if (doubles > UINT32_MAX)
		return pf_error_set(err, PF_ENOMEM,
		    "the sampled functions have too many blocks (%zu times %d)", g->row_count,
		    PF_FLOW_LANES);
	rc = PF_CALLOC(memory, doubles * sizeof(double) + CACHE_LINE, err);
	if (!rc)
		rc = PF_CALLOC(g->more_in, w->more_in, err);
	g->memory = memory;
	if (rc)
		return rc;
	memory += CACHE_LINE - (uintptr_t)memory % CACHE_LINE;
	g->rows = (struct pf_flow_row *)(void *)memory;
	g->flows = (double *)(void *)memory;
	for (size_t i = 0; i < g->row_count; i++) {
		uint32_t none = (uint32_t)(&g->rows[i].none - g->flows);

		for (int k = 0; k < PF_FLOW_LANES; k++)
			g->rows[i].in[0][k] = g->rows[i].in[1][k] = none;
	}
	for (uint32_t i = 1; i < g->more_count; i++) {
		struct pf_flow_row *row = pf_flow_row(g, g->more[i].slot);

		g->more[i].first_out += (uint32_t)(g->row_count * ROW_DOUBLES);
		row->more[g->more[i].slot % PF_FLOW_LANES] = i;
		row->any_more = true;
	}
	return 0;
}

/* Tells each block of a function where the flows into it are, in the order of the edges. */
static int
link_edges(struct build *w, uint32_t function, struct pf_error *err)
{
	const struct pf_program_function *f = &w->p->functions[function];
	struct pf_flow_graph *g = w->g;
	int rc = begin_function(w, f, err);

	for (uint32_t i = 0; !rc && i < f->block_count; i++) {
		const struct pf_program_block *b = &w->p->blocks[f->first_block + i];

		for (uint32_t e = b->first_edge; e < b[1].first_edge; e++) {
			uint32_t target = w->p->edges[e] - f->first_block,
				 slot = g->slots[function] + target * PF_FLOW_LANES,
				 n = w->degrees[target].in++;
			const struct pf_flow_more *more = pf_flow_more(g, slot);
			uint32_t *in = more ? &g->more_in[more->first_in + n]
					    : &pf_flow_row(g, slot)->in[n][slot % PF_FLOW_LANES];

			*in = (uint32_t)(pf_flow_out_edge(g, g->slots[function] + i * PF_FLOW_LANES,
					     e - b->first_edge) -
					 g->flows);
		}
	}
	return rc;
}

int
pf_flow_graph_build(struct pf_flow_graph *g, const struct pf_program *p, struct pf_error *err)
{
	struct build w = {.g = g, .p = p};
	int rc;

	*g = (struct pf_flow_graph){0};
	rc = place_functions(g, p, err);
	if (!rc)
		rc = PF_GROW(g->more, g->more_capacity, 1, err);
	if (!rc)
		g->more[g->more_count++] = (struct pf_flow_more){.slot = PF_NONE};
	for (uint32_t i = 0; !rc && i < p->function_count; i++)
		rc = g->slots[i] == PF_NONE ? 0 : note_more(&w, i, err);
	if (!rc)
		rc = make_rows(&w, err);
	for (uint32_t i = 0; !rc && i < p->function_count; i++)
		rc = g->slots[i] == PF_NONE ? 0 : link_edges(&w, i, err);
	free(w.degrees);
	return rc;
}
