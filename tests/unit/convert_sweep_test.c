/*
 * The flow inference's sweep against the same steps taken one block at a time,
 * bit by bit, for any processor and for AVX2.
 */
#include "support/unit.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

#include "convert/inference_sweep.h"
#include "convert/program.h"

enum { FUNCTIONS = 23, MOST_BLOCKS = 60, MOST_EDGES = 5, SWEEPS = 6 };

/* What the graph holds, in the order of the program. */
struct plain {
	double samples[FUNCTIONS * MOST_BLOCKS], weight[FUNCTIONS * MOST_BLOCKS];
	double entry[FUNCTIONS * MOST_BLOCKS], exit[FUNCTIONS * MOST_BLOCKS];
	double flows[FUNCTIONS * MOST_BLOCKS * MOST_EDGES]; /* by edge */
};

struct fixture {
	struct pf_program p;
	struct pf_program_function functions[FUNCTIONS];
	struct pf_program_block blocks[FUNCTIONS * MOST_BLOCKS + 1];
	uint32_t edges[FUNCTIONS * MOST_BLOCKS * MOST_EDGES];
	struct plain plain;
	uint64_t random;
};

static uint32_t
draw(struct fixture *f, uint32_t below)
{
	f->random = f->random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(f->random >> 33) % below;
}

/* A block goes on to a few others, none of them twice: the next one, any one, itself. */
static void
add_block(struct fixture *f, const struct pf_program_function *in, uint32_t i)
{
	struct pf_program *p = &f->p;
	size_t first = p->edge_count, wanted = draw(f, 10) ? draw(f, 3) : draw(f, MOST_EDGES + 1);

	f->blocks[p->block_count].first_edge = (uint32_t)first;
	f->blocks[p->block_count].exits = draw(f, 8) == 0;
	for (size_t n = 0; n < wanted; n++) {
		uint32_t to =
		    in->first_block +
		    (n == 0 && i + 1 < in->block_count ? i + 1 : draw(f, in->block_count));
		size_t e = first;

		while (e < p->edge_count && f->edges[e] != to)
			e++;
		if (e == p->edge_count)
			f->edges[p->edge_count++] = to;
	}
	p->block_count++;
}

/* Functions of many sizes, one of them not known wholly, and evidence for them. */
static void
set_up(struct fixture *f, uint64_t seed)
{
	struct pf_program *p = &f->p;

	*f = (struct fixture){.random = seed};
	p->functions = f->functions;
	p->blocks = f->blocks;
	p->edges = f->edges;
	for (; p->function_count < FUNCTIONS; p->function_count++) {
		struct pf_program_function *pf = &f->functions[p->function_count];

		*pf = (struct pf_program_function){.first_block = (uint32_t)p->block_count,
		    .block_count = p->function_count == 3 ? 0 : 1 + draw(f, MOST_BLOCKS),
		    .complete = p->function_count != 7};
		for (uint32_t i = 0; i < pf->block_count; i++)
			add_block(f, pf, i);
	}
	f->blocks[p->block_count].first_edge = (uint32_t)p->edge_count;
	for (size_t b = 0; b < p->block_count; b++) {
		f->plain.samples[b] = draw(f, 3) ? 0 : draw(f, 5000) / 7.;
		f->plain.weight[b] = .05 + draw(f, 100) / 9.;
		f->plain.entry[b] = draw(f, 4) ? 0 : draw(f, 100) / 3.;
		f->plain.exit[b] = draw(f, 4) ? 0 : draw(f, 100) / 3.;
	}
	for (size_t e = 0; e < p->edge_count; e++)
		f->plain.flows[e] = draw(f, 20) ? draw(f, 1000) / 11. : 0;
}

static double
flow_into(const struct fixture *f, uint32_t block)
{
	double sum = f->plain.entry[block];

	for (size_t e = 0; e < f->p.edge_count; e++)
		sum += f->edges[e] == block ? f->plain.flows[e] : 0;
	return sum;
}

static double
flow_out_of(const struct fixture *f, uint32_t block)
{
	double sum = f->plain.exit[block];

	for (uint32_t e = f->blocks[block].first_edge; e < f->blocks[block + 1].first_edge; e++)
		sum += f->plain.flows[e];
	return sum;
}

/* One block's step, as convert/inference_sweep_rows.h describes it. */
static void
settle(struct fixture *f, uint32_t block, double alpha)
{
	double samples = f->plain.samples[block], weight = f->plain.weight[block];
	double in = flow_into(f, block), out = flow_out_of(f, block), product = in * out;
	double middle = sqrt(product), due = middle * weight;
	double share = alpha * (6 + (samples > due ? samples : due));
	double ratio = middle * (share + 6 * samples) / (product * (share + 6 * due));
	bool loops = false;

	if (!(product >= DBL_MIN))
		return;
	f->plain.entry[block] *= ratio * out;
	for (size_t e = 0; e < f->p.edge_count; e++)
		f->plain.flows[e] *= f->edges[e] == block ? ratio * out : 1;
	for (uint32_t e = f->blocks[block].first_edge; e < f->blocks[block + 1].first_edge; e++)
		loops |= f->edges[e] == block;
	out = loops ? ratio * product / flow_out_of(f, block) : ratio * in;
	f->plain.exit[block] *= out;
	for (uint32_t e = f->blocks[block].first_edge; e < f->blocks[block + 1].first_edge; e++)
		f->plain.flows[e] *= out;
}

static void
sweep_plainly(struct fixture *f, double alpha)
{
	for (int n = 0; n < SWEEPS; n++) {
		for (size_t i = 0; i < FUNCTIONS; i++) {
			const struct pf_program_function *pf = &f->functions[i];

			for (uint32_t k = 0; pf->complete && k < pf->block_count; k++)
				settle(f, pf->first_block + (n % 2 ? pf->block_count - 1 - k : k),
				    alpha);
		}
	}
}

static bool
same_bits(double a, double b)
{
	return memcmp(&a, &b, sizeof a) == 0;
}

/* Calls visit() with the place of each number of the graph and its counterpart. */
static void
each_number(const struct fixture *f, const struct pf_flow_graph *g, struct plain *plain,
    void (*visit)(double *in_graph, double *plain))
{
	for (uint32_t i = 0; i < FUNCTIONS; i++) {
		const struct pf_program_function *pf = &f->functions[i];

		for (uint32_t k = 0; g->slots[i] != PF_NONE && k < pf->block_count; k++) {
			uint32_t slot = g->slots[i] + k * PF_FLOW_LANES, b = pf->first_block + k;

			visit(&pf_flow_row(g, slot)->samples[slot % PF_FLOW_LANES],
			    &plain->samples[b]);
			visit(
			    &pf_flow_row(g, slot)->weight[slot % PF_FLOW_LANES], &plain->weight[b]);
			visit(pf_flow_entry(g, slot), &plain->entry[b]);
			visit(pf_flow_exit(g, slot), &plain->exit[b]);
			for (uint32_t e = f->blocks[b].first_edge; e < f->blocks[b + 1].first_edge;
			    e++)
				visit(pf_flow_out_edge(g, slot, e - f->blocks[b].first_edge),
				    &plain->flows[e]);
		}
	}
}

static void
put(double *in_graph, double *plain)
{
	*in_graph = *plain;
}

static void
compare(double *in_graph, double *plain)
{
	if (!same_bits(*in_graph, *plain))
		fail_msg("%a in the graph, %a one by one", *in_graph, *plain);
}

static void
agree_one_by_one(void (*sweep)(struct pf_flow_graph *, double, int, int))
{
	static struct fixture f;

	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct pf_flow_graph g;
		double alpha = seed % 3 ? .5 : 256;

		set_up(&f, seed);
		assert_int_equal(pf_flow_graph_build(&g, &f.p, NULL), 0);
		each_number(&f, &g, &f.plain, put);
		sweep(&g, alpha, 0, SWEEPS / 2);
		sweep(&g, alpha, SWEEPS / 2, SWEEPS - SWEEPS / 2);
		sweep_plainly(&f, alpha);
		each_number(&f, &g, &f.plain, compare);
		pf_flow_graph_release(&g);
	}
}

static void
four_functions_at_once_give_what_each_gives_alone(void **state)
{
	(void)state;
	agree_one_by_one(pf_flow_sweep_any);
}

static void
so_they_do_in_one_vector(void **state)
{
	(void)state;
	if (!pf_flow_has_avx2())
		skip();
	agree_one_by_one(pf_flow_sweep_avx2);
}

/* What enters a block is what leaves others: each edge has one number. */
static void
an_edges_flow_is_seen_from_both_its_ends(void **state)
{
	static struct fixture f;
	struct pf_flow_graph g;
	(void)state;

	set_up(&f, 99);
	assert_int_equal(pf_flow_graph_build(&g, &f.p, NULL), 0);
	each_number(&f, &g, &f.plain, put);
	for (uint32_t i = 0; i < FUNCTIONS; i++) {
		const struct pf_program_function *pf = &f.functions[i];

		for (uint32_t k = 0; g.slots[i] != PF_NONE && k < pf->block_count; k++) {
			uint32_t slot = g.slots[i] + k * PF_FLOW_LANES, in = 0;

			for (size_t e = 0; e < f.p.edge_count; e++)
				in += f.edges[e] == pf->first_block + k;
			assert_int_equal(pf_flow_in_count(&g, slot), in);
			assert_true(
			    same_bits(pf_flow_in(&g, slot), flow_into(&f, pf->first_block + k)));
			assert_true(
			    same_bits(pf_flow_out(&g, slot), flow_out_of(&f, pf->first_block + k)));
		}
	}
	assert_int_equal(g.slots[3], PF_NONE);
	assert_int_equal(g.slots[7], PF_NONE);
	pf_flow_graph_release(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(four_functions_at_once_give_what_each_gives_alone),
	    cmocka_unit_test(so_they_do_in_one_vector),
	    cmocka_unit_test(an_edges_flow_is_seen_from_both_its_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
