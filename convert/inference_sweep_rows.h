/*
 * inference_sweep_rows.h: the body of pf_flow_sweep(), compiled once for any
 * processor and once for AVX2 as what PF_FLOW_SWEEP says.
 *
 * Within a function each block waits for the one before it, through a root and a
 * division. So four functions share vectors, and four such groups go side by side
 * (two took half as long again). Lanes in which nothing is to change are multiplied by 1.
 */
#include <float.h>
#include <math.h>

#include "convert/inference_sweep.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

/* beyond so many samples, more of them weigh little more: stalls make outliers */
#define TRUSTED 6.0

enum { SIDE_BY_SIDE = 4 };

/* A number for each lane. */
typedef double lanes __attribute__((vector_size(PF_FLOW_LANES * sizeof(double))));
typedef long long mask __attribute__((vector_size(PF_FLOW_LANES * sizeof(double))));

static inline lanes
load(const double x[PF_FLOW_LANES])
{
	return *(const lanes *)(const void *)x;
}

static inline void
store(double x[PF_FLOW_LANES], lanes v)
{
	*(lanes *)(void *)x = v;
}

static inline lanes
gather(const double *flows, const uint32_t at[PF_FLOW_LANES])
{
	return (lanes){flows[at[0]], flows[at[1]], flows[at[2]], flows[at[3]]};
}

static inline void
scatter(double *flows, const uint32_t at[PF_FLOW_LANES], lanes v)
{
	flows[at[0]] = v[0];
	flows[at[1]] = v[1];
	flows[at[2]] = v[2];
	flows[at[3]] = v[3];
}

static inline lanes
choose(mask yes, lanes a, lanes b)
{
	return (lanes)((yes & (mask)a) | (~yes & (mask)b));
}

static inline lanes
root(lanes v)
{
#if defined(__AVX__)
	return _mm256_sqrt_pd(v);
#elif defined(__SSE2__)
	__m128d low = _mm_sqrt_pd((__m128d){v[0], v[1]}), high = _mm_sqrt_pd((__m128d){v[2], v[3]});

	return (lanes){low[0], low[1], high[0], high[1]};
#else
	return (lanes){sqrt(v[0]), sqrt(v[1]), sqrt(v[2]), sqrt(v[3])};
#endif
}

/*
 * A block's count is a compromise between its samples over its weight and the
 * flows through it (their geometric mean m), which then follow it:
 *
 *	count = (alpha + trust samples) / (alpha / m + trust weight),
 *	trust = TRUSTED / (TRUSTED + the samples that it has or should have)
 *
 * Returns the counts over in * out, each written as one fraction. `product`: in * out.
 */
static inline lanes
compromise(lanes samples, lanes weight, lanes product, double alpha)
{
	lanes middle = root(product), due = middle * weight;
	lanes most = choose(samples > due, samples, due);
	lanes share = alpha * (TRUSTED + most);

	return middle * (share + TRUSTED * samples) / (product * (share + TRUSTED * due));
}

/* A block with more edges than a row has room for; `lane` of its row has its samples and weight. */
static void
settle_one(struct pf_flow_graph *g, struct pf_flow_more *b, lanes samples, lanes weight,
    uint32_t lane, double alpha)
{
	const uint32_t *ins = g->more_in + b->first_in;
	double *flows = g->flows, *outs = flows + b->first_out;
	double in = b->entry, out = b->exit, product, ratio, out_factor;

	for (uint32_t i = 0; i < b->in_count; i++)
		in += flows[ins[i]];
	for (uint32_t i = 0; i < b->out_count; i++)
		out += outs[i];
	product = in * out;
	if (!(product >= DBL_MIN))
		return;
	ratio =
	    compromise(samples, weight, (lanes){product, product, product, product}, alpha)[lane];
	b->entry *= ratio * out;
	for (uint32_t i = 0; i < b->in_count; i++)
		flows[ins[i]] *= ratio * out;
	out_factor = ratio * in;
	if (b->loops) {
		/* the flow from the block to itself is another one already */
		out = b->exit;
		for (uint32_t i = 0; i < b->out_count; i++)
			out += outs[i];
		out_factor = ratio * product / out;
	}
	b->exit *= out_factor;
	for (uint32_t i = 0; i < b->out_count; i++)
		outs[i] *= out_factor;
}

/* Not to be inlined: few rows have such blocks. */
static __attribute__((noinline)) void
settle_more(struct pf_flow_graph *g, const struct pf_flow_row *row, double alpha)
{
	for (uint32_t k = 0; k < PF_FLOW_LANES; k++) {
		if (row->more[k])
			settle_one(g, &g->more[row->more[k]], load(row->samples), load(row->weight),
			    k, alpha);
	}
}

/* This is where the time goes: no branch that could be foreseen wrongly. */
static inline __attribute__((always_inline)) void
settle(struct pf_flow_graph *g, struct pf_flow_row *row, double alpha)
{
	double *flows = g->flows;
	lanes entry = load(row->entry), in0 = gather(flows, row->in[0]),
	      in1 = gather(flows, row->in[1]), in = entry + in0 + in1;
	lanes exit = load(row->exit), out0 = load(row->out[0]), out1 = load(row->out[1]),
	      out = exit + out0 + out1;
	lanes product = in * out, one = {1, 1, 1, 1};
	mask settled = product >= DBL_MIN;
	lanes ratio = compromise(load(row->samples), load(row->weight), product, alpha);
	lanes in_factor = choose(settled, ratio * out, one),
	      out_factor = choose(settled, ratio * in, one);

	store(row->entry, entry * in_factor);
	scatter(flows, row->in[0], in0 * in_factor);
	scatter(flows, row->in[1], in1 * in_factor);
	store(row->exit, exit * out_factor);
	store(row->out[0], out0 * out_factor);
	store(row->out[1], out1 * out_factor);
	if (row->any_more)
		settle_more(g, row, alpha);
}

/* The next row of each of a few groups. */
static inline __attribute__((always_inline)) void
settle_rows(
    struct pf_flow_graph *g, struct pf_flow_row **at, size_t count, ptrdiff_t step, double alpha)
{
	for (size_t k = 0; k < count; k++) {
		settle(g, at[k], alpha);
		at[k] += step;
	}
}

/* A few groups, the one with the fewest rows first. */
static void
sweep(struct pf_flow_graph *g, const struct pf_flow_group *groups, size_t count, double alpha,
    bool forward)
{
	struct pf_flow_row *at[SIDE_BY_SIDE];
	uint32_t done = 0;

	for (size_t k = 0; k < count; k++)
		at[k] = g->rows + groups[k].first + (forward ? 0 : groups[k].count - 1);
	for (size_t k = 0; k < count; k++) {
		for (; done < groups[k].count; done++)
			settle_rows(g, at + k, count - k, forward ? 1 : -1, alpha);
	}
}

/* Functions know nothing of each other: a few go all their sweeps, in the cache, then the next ones. */
void
PF_FLOW_SWEEP(struct pf_flow_graph *g, double alpha, int first, int sweeps)
{
	for (size_t i = 0; i < g->group_count; i += SIDE_BY_SIDE) {
		size_t left = g->group_count - i;

		for (int n = first; n < first + sweeps; n++)
			sweep(g, g->groups + i, left < SIDE_BY_SIDE ? left : SIDE_BY_SIDE, alpha,
			    n % 2 == 0);
	}
}
