/* inference_unseen.c: see inference_unseen.h. */
#include "convert/inference_unseen.h"

#include <stdbool.h>
#include <stdlib.h>

#include "convert/inference_calls.h"
#include "convert/inference_graph.h"
#include "convert/program.h"
#include "core/memory.h"

/* Samples of a function under other calls that make it telling that there are none under this one. */
#define TELLING 10
/* What runs more often than this share of its function's hottest block is not ruled out: chance may have hidden it. */
#define RARE .05

enum { PASSES = 3 };

struct ruling {
	const struct pf_program *p;
	const struct pf_flow_graph *g;
	const double *counts;
	uint8_t *unseen;
	uint32_t *ways; /* by block of the function: edges from blocks that are not ruled out */
	size_t way_capacity;
};

static double
hottest(const struct ruling *r, const struct pf_program_function *f)
{
	double most = 0;

	for (uint32_t b = f->first_block; b < f->first_block + f->block_count; b++)
		most = r->counts[b] > most ? r->counts[b] : most;
	return most;
}

/* Whether nothing says that a block ran. */
static bool
is_doubtful(const struct ruling *r, uint32_t function, uint32_t n, double most)
{
	uint32_t slot = r->g->slots[function] + n * PF_FLOW_LANES,
		 block = r->p->functions[function].first_block + n;

	return pf_flow_row(r->g, slot)->samples[slot % PF_FLOW_LANES] <= 0 &&
	       r->counts[block] < RARE * most;
}

static bool
leads_only_to_unseen(const struct ruling *r, uint32_t block)
{
	const struct pf_program_block *b = &r->p->blocks[block];

	if (b->exits || b[1].first_edge == b->first_edge)
		return false;
	for (uint32_t e = b->first_edge; e < b[1].first_edge; e++) {
		if (!r->unseen[r->p->edges[e]])
			return false;
	}
	return true;
}

static int
count_ways(struct ruling *r, const struct pf_program_function *f, struct pf_error *err)
{
	int rc = PF_GROW(r->ways, r->way_capacity, f->block_count, err);

	for (uint32_t i = 0; !rc && i < f->block_count; i++)
		r->ways[i] = i == 0; /* the way in */
	for (uint32_t i = 0; !rc && i < f->block_count; i++) {
		const struct pf_program_block *b = &r->p->blocks[f->first_block + i];

		for (uint32_t e = b->first_edge; e < b[1].first_edge; e++)
			r->ways[r->p->edges[e] - f->first_block] += !r->unseen[f->first_block + i];
	}
	return rc;
}

static void
rule_out(struct ruling *r, const struct pf_program_function *f, uint32_t n)
{
	const struct pf_program_block *b = &r->p->blocks[f->first_block + n];

	r->unseen[f->first_block + n] = 1;
	for (uint32_t e = b->first_edge; e < b[1].first_edge; e++)
		r->ways[r->p->edges[e] - f->first_block]--;
}

/* From calls that no stack shows to what is before and behind them. */
static int
spread(struct ruling *r, uint32_t function, struct pf_error *err)
{
	const struct pf_program_function *f = &r->p->functions[function];
	double most = hottest(r, f);
	bool any = false;
	int rc;

	for (uint32_t i = 0; i < f->block_count; i++) {
		uint8_t *unseen = &r->unseen[f->first_block + i];
		*unseen = *unseen && is_doubtful(r, function, i, most);
		any |= *unseen;
	}
	if (!any)
		return 0;
	rc = count_ways(r, f, err);
	for (int pass = 0; !rc && pass < PASSES; pass++) {
		for (uint32_t i = 0; i < f->block_count; i++) {
			/* blocks are mostly in the order in which they run: there and back */
			uint32_t n = pass % 2 ? i : f->block_count - 1 - i;
			uint32_t block = f->first_block + n;

			if (!r->unseen[block] && is_doubtful(r, function, n, most) &&
			    (r->ways[n] == 0 || leads_only_to_unseen(r, block)))
				rule_out(r, f, n);
		}
	}
	return rc;
}

int
pf_flow_rule_out(uint8_t *unseen, const struct pf_program *p, const struct pf_flow_graph *g,
    const struct pf_flow_calls *calls, const double *counts, struct pf_error *err)
{
	struct ruling r = {.p = p, .g = g, .counts = counts, .unseen = unseen};
	int rc = 0;

	pf_flow_calls_unseen(calls, TELLING, unseen);
	for (uint32_t i = 0; !rc && i < p->function_count; i++) {
		if (g->slots[i] != PF_NONE)
			rc = spread(&r, i, err);
	}
	free(r.ways);
	return rc;
}
