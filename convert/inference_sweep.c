/* inference_sweep.c: see inference_sweep.h. */
#include "convert/inference_sweep.h"

#include <float.h>
#include <math.h>

/* beyond so many samples, more of them weigh little more: stalls make outliers */
#define TRUSTED 6.0

enum { SIDE_BY_SIDE = 8 };

/* A number for each of two blocks: root and division cost as much for two as for one. */
typedef double pair __attribute__((vector_size(16)));

/*
 * A block's count is a compromise between its samples over its weight and the
 * flows through it (their geometric mean m), which then follow it:
 *
 *	count = (alpha + trust samples) / (alpha / m + trust weight),
 *	trust = TRUSTED / (TRUSTED + the samples that it has or should have)
 *
 * Returns the counts of two over in * out, each written as one fraction. `product`: in * out.
 */
static inline pair
compromise(const struct pf_flow_block *a, const struct pf_flow_block *b, pair product, double alpha)
{
	pair samples = {a->samples, b->samples}, weight = {a->weight, b->weight};
	pair middle = {sqrt(product[0]), sqrt(product[1])}, due = middle * weight;
	pair most = {
	    samples[0] > due[0] ? samples[0] : due[0], samples[1] > due[1] ? samples[1] : due[1]};
	pair share = alpha * (TRUSTED + most);

	return middle * (share + TRUSTED * samples) / (product * (share + TRUSTED * due));
}

static void
settle_many(struct pf_flow_graph *g, uint32_t b, double alpha)
{
	const struct pf_flow_block *fb = &g->blocks[b];
	double in = pf_flow_in(g, b), out = pf_flow_out(g, b), product = in * out, ratio;

	if (!(product >= DBL_MIN))
		return;
	ratio = compromise(fb, fb, (pair){product, product}, alpha)[0];
	pf_flow_scale_in(g, b, ratio * out);
	pf_flow_scale_out(g, b, fb->loops ? ratio * product / pf_flow_out(g, b) : ratio * in);
}

static inline double
few_in(const double *flows, const struct pf_flow_block *b)
{
	return b->entry + flows[b->in[0]] + flows[b->in[1]];
}

static inline double
few_out(const double *flows, const struct pf_flow_block *b)
{
	return b->exit + flows[b->out[0]] + flows[b->out[1]];
}

static inline void
scale_few(double *flows, struct pf_flow_block *b, double in_factor, double out_factor)
{
	b->entry *= in_factor;
	flows[b->in[0]] *= in_factor;
	flows[b->in[1]] *= in_factor;
	b->exit *= out_factor;
	flows[b->out[0]] *= out_factor;
	flows[b->out[1]] *= out_factor;
}

static inline void
settle(struct pf_flow_graph *g, struct pf_flow_block *b, double alpha)
{
	double in = few_in(g->flows, b), out = few_out(g->flows, b), product = in * out, ratio;

	if (b->many) {
		settle_many(g, (uint32_t)(b - g->blocks), alpha);
		return;
	}
	if (!(product >= DBL_MIN))
		return;
	ratio = compromise(b, b, (pair){product, product}, alpha)[0];
	scale_few(g->flows, b, ratio * out, ratio * in);
}

/* This is where the time goes: hardly a branch that could be foreseen wrongly. The blocks are of different functions. */
static inline void
settle_pair(struct pf_flow_graph *g, struct pf_flow_block *a, struct pf_flow_block *b, double alpha)
{
	double *flows = g->flows;
	pair in = {few_in(flows, a), few_in(flows, b)},
	     out = {few_out(flows, a), few_out(flows, b)};
	pair product = in * out, in_factor, out_factor, ratio;

	if (a->many || b->many || !(product[0] >= DBL_MIN && product[1] >= DBL_MIN)) {
		settle(g, a, alpha);
		settle(g, b, alpha);
		return;
	}
	ratio = compromise(a, b, product, alpha);
	in_factor = ratio * out;
	out_factor = ratio * in;
	scale_few(flows, a, in_factor[0], out_factor[0]);
	scale_few(flows, b, in_factor[1], out_factor[1]);
}

/* The next block of each of a few functions. */
static inline void
settle_row(
    struct pf_flow_graph *g, struct pf_flow_block **at, size_t count, ptrdiff_t step, double alpha)
{
	size_t k = 0;

	for (; k + 1 < count; k += 2) {
		settle_pair(g, at[k], at[k + 1], alpha);
		at[k] += step;
		at[k + 1] += step;
	}
	if (k < count) {
		settle(g, at[k], alpha);
		at[k] += step;
	}
}

/*
 * A few functions, the shortest first, side by side: within a function each
 * block waits for the one before it, so the others fill the time.
 */
static void
sweep(struct pf_flow_graph *g, const struct pf_flow_range *functions, size_t count, double alpha,
    bool forward)
{
	struct pf_flow_block *at[SIDE_BY_SIDE];
	uint32_t done = 0;

	for (size_t k = 0; k < count; k++)
		at[k] = g->blocks + functions[k].first + (forward ? 0 : functions[k].count - 1);
	for (size_t k = 0; k < count; k++) {
		for (; done < functions[k].count; done++)
			settle_row(g, at + k, count - k, forward ? 1 : -1, alpha);
	}
}

/* Functions know nothing of each other: a few go all their sweeps, in the cache, then the next ones. */
void
pf_flow_sweep(struct pf_flow_graph *g, const struct pf_flow_range *functions, size_t count,
    double alpha, int first, int sweeps)
{
	for (size_t i = 0; i < count; i += SIDE_BY_SIDE) {
		size_t left = count - i;

		for (int n = first; n < first + sweeps; n++)
			sweep(g, functions + i, left < SIDE_BY_SIDE ? left : SIDE_BY_SIDE, alpha,
			    n % 2 == 0);
	}
}
