/* inference_unseen.c: see inference_unseen.h. */
#include "convert/inference_unseen.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "convert/inference_calls.h"
#include "convert/inference_graph.h"
#include "convert/program.h"
#include "core/memory.h"

/* Samples of a function that make it telling that there are none in a block of it, or under one of the calls of it. */
#define TELLING 10
/* What runs more often than this share of its function's hottest block is not ruled out: chance may have hidden it. */
#define RARE .05
/*
 * One run for a thousand of the hottest block: had blocks without samples run that often, and so many samples would
 * be expected of them, they run less often, and the compiler may take it for never.
 */
#define AS_GOOD_AS_NEVER .001
#define EXPECTED 4.0

enum { PASSES = 3 };

/* Connected blocks of which nothing says that they ran: what leads to a common place is seen there or nowhere. */
struct region {
	uint32_t parent; /* of a block, on the way to the one that holds the rest */
	double most;     /* count of the one that runs most often */
	double expected; /* samples, by the counts */
};

struct ruling {
	const struct pf_program *p;
	const struct pf_flow_graph *g;
	const double *counts;
	uint8_t *unseen;
	/* Of one function, by block. */
	uint32_t *ways; /* edges from blocks that are not ruled out */
	size_t way_capacity;
	struct region *regions;
	size_t region_capacity;
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

static struct region *
region_of(const struct ruling *r, uint32_t n)
{
	while (r->regions[n].parent != n)
		n = r->regions[n].parent = r->regions[r->regions[n].parent].parent;
	return &r->regions[n];
}

static void
join_regions(struct ruling *r, uint32_t function, double most)
{
	const struct pf_program_function *f = &r->p->functions[function];

	for (uint32_t i = 0; i < f->block_count; i++)
		r->regions[i] = (struct region){.parent = i};
	for (uint32_t i = 0; i < f->block_count; i++) {
		const struct pf_program_block *b = &r->p->blocks[f->first_block + i];

		if (!is_doubtful(r, function, i, most))
			continue;
		for (uint32_t e = b->first_edge; e < b[1].first_edge; e++) {
			uint32_t to = r->p->edges[e] - f->first_block;

			if (is_doubtful(r, function, to, most))
				region_of(r, i)->parent = region_of(r, to)->parent;
		}
	}
}

static void
add_to_region(struct ruling *r, uint32_t function, uint32_t n)
{
	struct region *region = region_of(r, n);
	uint32_t slot = r->g->slots[function] + n * PF_FLOW_LANES;
	double count = r->counts[r->p->functions[function].first_block + n];

	region->most = fmax(region->most, count);
	region->expected += count * pf_flow_row(r->g, slot)->weight[slot % PF_FLOW_LANES];
}

/* What is behind such a region and has a few samples is as rare, by conservation. */
static bool
would_have_samples(const struct region *region, double most)
{
	double least = AS_GOOD_AS_NEVER * most;

	return region->most < least && region->expected * least >= EXPECTED * region->most;
}

/* Blocks that samples would have hit: without any there, they don't run. */
static int
judge_regions(struct ruling *r, uint32_t function, double most, struct pf_error *err)
{
	const struct pf_program_function *f = &r->p->functions[function];
	int rc = PF_GROW(r->regions, r->region_capacity, f->block_count, err);

	if (rc)
		return rc;
	join_regions(r, function, most);
	for (uint32_t i = 0; i < f->block_count; i++)
		add_to_region(r, function, i);
	for (uint32_t i = 0; i < f->block_count; i++) {
		if (is_doubtful(r, function, i, most) && would_have_samples(region_of(r, i), most))
			r->unseen[f->first_block + i] = 1;
	}
	return 0;
}

static void
rule_out(struct ruling *r, const struct pf_program_function *f, uint32_t n)
{
	const struct pf_program_block *b = &r->p->blocks[f->first_block + n];

	r->unseen[f->first_block + n] = 1;
	for (uint32_t e = b->first_edge; e < b[1].first_edge; e++)
		r->ways[r->p->edges[e] - f->first_block]--;
}

/* From calls that no stack shows, and what was not hit, to what is before and behind them. */
static int
spread(struct ruling *r, uint32_t function, struct pf_error *err)
{
	const struct pf_program_function *f = &r->p->functions[function];
	double most = hottest(r, f);
	int rc;

	for (uint32_t i = 0; i < f->block_count; i++) {
		if (!is_doubtful(r, function, i, most))
			r->unseen[f->first_block + i] = 0;
	}
	rc = judge_regions(r, function, most, err);
	if (rc || !memchr(&r->unseen[f->first_block], 1, f->block_count))
		return rc;
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
		if (g->slots[i] != PF_NONE &&
		    (double)p->functions[i].value >= TELLING * calls->unit)
			rc = spread(&r, i, err);
		else
			memset(
			    &unseen[p->functions[i].first_block], 0, p->functions[i].block_count);
	}
	free(r.ways);
	free(r.regions);
	return rc;
}
