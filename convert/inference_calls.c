/* inference_calls.c: see inference_calls.h. */
#include "convert/inference_calls.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "convert/inference_graph.h"
#include "convert/program.h"
#include "convert/samples.h"
#include "core/memory.h"
#include "core/search.h"

/* A call runs at least this often, of what its share of the callee's stacks says; */
#define LEAST_SHARE 0.5
/* and at most so many times that, were there so many samples more. */
#define MOST_SHARE 6.0
#define UNSEEN_SAMPLES 1.0

/* A direct call from a block to a function, both in the graph; those of one block are neighbours. */
struct pf_flow_call {
	uint32_t slot, block, caller, function;
	bool jump;     /* a tail call, which no stack shows */
	double below;  /* samples in the callee, and in what it called, under this call */
	double around; /* those of stacks that lack this call's function, and lead through it */
	double factor; /* of the block's first call: by how much the block's flow is to change */
};

/*
 * Samples of a function under a call of another one: that one jumped to it, or called
 * it from a frame that the stack lacks, as it does where frames are followed by a
 * register that the function does not set.
 */
struct pf_flow_detour {
	uint64_t functions; /* the one between, and the one of the samples: detour_of() */
	double samples;
	bool shared; /* some call may have been it */
};

int
pf_flow_calls_init(
    struct pf_flow_calls *c, const struct pf_program *p, double unit, struct pf_error *err)
{
	int rc = PF_CALLOC(c->called, p->function_count, err);

	c->p = p;
	c->unit = unit;
	if (!rc)
		rc = PF_CALLOC(c->below, p->function_count, err);
	return rc ? rc : PF_CALLOC(c->outside, p->function_count, err);
}

void
pf_flow_calls_release(struct pf_flow_calls *c)
{
	free(c->calls);
	free(c->detours);
	free(c->called);
	free(c->below);
	free(c->outside);
}

static uint64_t
detour_of(uint32_t through, uint32_t function)
{
	return (uint64_t)through << 32 | function;
}

static int
note_detour(struct pf_flow_calls *c, uint64_t functions, double samples, struct pf_error *err)
{
	int rc = PF_GROW(c->detours, c->detour_capacity, c->detour_count + 1, err);

	if (!rc)
		c->detours[c->detour_count++] = (struct pf_flow_detour){functions, samples, false};
	return rc;
}

/* What stacks say of a call: the samples below it, in the function that it calls and in others. */
static int
note_stacks(struct pf_flow_calls *c, const struct pf_instruction *call, uint32_t target,
    double *below, struct pf_error *err)
{
	const struct pf_samples *s = c->p->samples;
	int rc = 0;

	for (size_t i = PF_LOWER_BOUND(s->edges, s->edge_count, caller, call->address);
	    !rc && i < s->edge_count && s->edges[i].caller - call->address < call->size; i++) {
		uint32_t function = pf_program_function_at(c->p, s->edges[i].callee);
		double samples = (double)s->edges[i].value / c->unit;

		if (function == PF_NONE)
			continue;
		if (function != target && target != PF_NONE) {
			rc = note_detour(c, detour_of(target, function), samples, err);
			continue;
		}
		c->below[function] += samples;
		*below += samples;
	}
	return rc;
}

/* The function that an instruction calls or jumps to the start of; PF_NONE: none that is known. */
static uint32_t
callee_of(const struct pf_flow_calls *c, const struct pf_instruction *in)
{
	uint32_t callee = in->target ? pf_program_function_at(c->p, in->target) : PF_NONE;

	return callee != PF_NONE && c->p->functions[callee].start == in->target ? callee : PF_NONE;
}

int
pf_flow_calls_note(struct pf_flow_calls *c, const struct pf_flow_graph *g, uint32_t caller,
    const struct pf_instruction *in, struct pf_error *err)
{
	bool jump = in->kind == PF_CODE_JUMP, indirect = in->kind == PF_CODE_CALL_INDIRECT;
	uint32_t callee;
	double below = 0;
	int rc = 0;

	if (!jump && !indirect && in->kind != PF_CODE_CALL)
		return 0;
	callee = indirect ? PF_NONE : callee_of(c, in);
	if (indirect || (!jump && callee != PF_NONE))
		rc = note_stacks(c, in, callee, &below, err);
	if (rc || callee == PF_NONE || g->slots[callee] == PF_NONE || (jump && callee == caller))
		return rc;
	rc = PF_GROW(c->calls, c->call_capacity, c->call_count + 1, err);
	if (!rc)
		c->calls[c->call_count++] = (struct pf_flow_call){
		    .slot = g->slots[caller] +
			    (in->block - c->p->functions[caller].first_block) * PF_FLOW_LANES,
		    .block = in->block,
		    .caller = caller,
		    .function = callee,
		    .jump = jump,
		    .below = below,
		    .factor = 1};
	return rc;
}

static int
by_functions(const void *left, const void *right)
{
	const struct pf_flow_detour *a = left, *b = right;

	return (a->functions > b->functions) - (a->functions < b->functions);
}

/* Sorted, one for each two functions. */
static void
sum_detours(struct pf_flow_calls *c)
{
	size_t kept = 0;

	if (c->detour_count)
		qsort(c->detours, c->detour_count, sizeof *c->detours, by_functions);
	for (size_t i = 0; i < c->detour_count; i++) {
		if (kept && c->detours[kept - 1].functions == c->detours[i].functions)
			c->detours[kept - 1].samples += c->detours[i].samples;
		else
			c->detours[kept++] = c->detours[i];
	}
	c->detour_count = kept;
}

/* Callers without samples of their own are not in the program: that they call is all that is known of them. */
static void
note_outside(struct pf_flow_calls *c, const struct pf_flow_graph *g)
{
	const struct pf_samples *s = c->p->samples;

	for (size_t i = 0; i < s->edge_count; i++) {
		uint32_t function = pf_program_function_at(c->p, s->edges[i].callee);
		uint32_t caller = pf_program_function_at(c->p, s->edges[i].caller);

		if (function != PF_NONE && (caller == PF_NONE || g->slots[caller] == PF_NONE))
			c->outside[function] += (double)s->edges[i].value / c->unit;
	}
}

void
pf_flow_calls_seal(struct pf_flow_calls *c, const struct pf_flow_graph *g)
{
	note_outside(c, g);
	sum_detours(c);
	for (size_t i = 0; i < c->call_count; i++) {
		struct pf_flow_call *call = &c->calls[i];
		uint64_t functions = detour_of(call->caller, call->function);
		size_t at = PF_LOWER_BOUND(c->detours, c->detour_count, functions, functions);
		struct pf_flow_detour *d;

		if (at == c->detour_count || c->detours[at].functions != functions)
			continue;
		d = &c->detours[at];
		call->around = d->samples;
		c->below[call->function] += d->shared ? 0 : d->samples;
		d->shared = true;
	}
}

void
pf_flow_calls_unseen(const struct pf_flow_calls *c, double telling, uint8_t *unseen)
{
	for (size_t i = 0; i < c->call_count; i++) {
		const struct pf_flow_call *call = &c->calls[i];

		if (!call->jump && call->below + call->around <= 0 &&
		    c->below[call->function] >= telling)
			unseen[call->block] = 1;
	}
}

/*
 * How often functions were called at least, by the calls that we see: some of what stacks have under others are entries
 * too. Above all of a recursion, whose own call would else be taken for all of them.
 */
static void
sum_calls(struct pf_flow_calls *c, const struct pf_flow_graph *g)
{
	for (size_t i = 0; i < c->p->function_count; i++)
		c->called[i] = 0;
	for (size_t i = 0; i < c->call_count; i++)
		c->called[c->calls[i].function] += pf_flow_in(g, c->calls[i].slot);
	for (size_t i = 0; i < c->p->function_count; i++) {
		double outside = c->outside[i];

		if (outside > 0)
			c->called[i] /= 1 - LEAST_SHARE * outside / (outside + c->below[i]);
	}
}

/*
 * Whether a function's entries and its calls are to agree: one whose address is taken, or that stacks have under calls
 * which we don't see, may have more.
 */
static bool
is_coupled(const struct pf_flow_calls *c, const struct pf_flow_graph *g, uint32_t function)
{
	double calls = c->called[function], entries;

	if (!(calls > 0))
		return false;
	entries = *pf_flow_entry(g, g->slots[function]);
	return entries > 0 &&
	       !((c->p->functions[function].taken || c->outside[function] > 0) && calls < entries);
}

/* The end of the calls of one block. */
static size_t
calls_end(const struct pf_flow_calls *c, size_t first)
{
	size_t end = first + 1;

	while (end < c->call_count && c->calls[end].slot == c->calls[first].slot)
		end++;
	return end;
}

/* How often a call ran, were all that its callee is called for as long: by so many of its stacks. */
static double
share_of(const struct pf_flow_calls *c, const struct pf_flow_graph *g,
    const struct pf_flow_call *call, double samples)
{
	double entry = *pf_flow_entry(g, g->slots[call->function]);

	return entry * samples / c->below[call->function];
}

/*
 * What the stacks say of how often the calls of one block ran. They prove that it ran,
 * and where a function is often found under other calls and never under this one,
 * that it did so seldom; how often they say only roughly, for a call may take longer here than there.
 */
static double
within_bounds(const struct pf_flow_calls *c, const struct pf_flow_graph *g, size_t first,
    size_t end, double flow)
{
	uint32_t slot = c->calls[first].slot;
	const struct pf_flow_row *row = pf_flow_row(g, slot);
	double least = 0, most = DBL_MAX;

	for (size_t i = first; i < end; i++) {
		const struct pf_flow_call *call = &c->calls[i];

		if (call->jump || !(c->below[call->function] > 0))
			continue;
		least = fmax(least, LEAST_SHARE * share_of(c, g, call, call->below));
		most = fmin(most,
		    MOST_SHARE * share_of(c, g, call, call->below + call->around + UNSEEN_SAMPLES));
	}
	/* samples of its own prove the same, how long the calls may take */
	most = fmax(most, row->samples[slot % PF_FLOW_LANES] / row->weight[slot % PF_FLOW_LANES]);
	return fmax(fmin(flow, most), least);
}

/* By how much the calls of one block say that its flow should change: the geometric mean, within bounds. */
static double
calls_factor(const struct pf_flow_calls *c, const struct pf_flow_graph *g, size_t first, size_t end)
{
	double sum = 0, factor, flow = pf_flow_in(g, c->calls[first].slot);
	uint32_t count = 0;

	for (size_t i = first; i < end; i++) {
		uint32_t callee = c->calls[i].function;

		if (!is_coupled(c, g, callee))
			continue;
		sum += log(*pf_flow_entry(g, g->slots[callee]) / c->called[callee]) / 2;
		count++;
	}
	factor = count ? exp(sum / count) : 1;
	return flow >= FLT_MIN ? within_bounds(c, g, first, end, factor * flow) / flow : factor;
}

void
pf_flow_calls_couple(struct pf_flow_calls *c, struct pf_flow_graph *g)
{
	sum_calls(c, g);
	for (size_t i = 0, end; i < c->call_count; i = end) {
		end = calls_end(c, i);
		c->calls[i].factor = calls_factor(c, g, i, end);
	}
	for (uint32_t i = 0; i < c->p->function_count; i++) {
		if (is_coupled(c, g, i)) {
			double *entries = pf_flow_entry(g, g->slots[i]);
			*entries = sqrt(*entries * c->called[i]);
		}
	}
	for (size_t i = 0; i < c->call_count; i = calls_end(c, i)) {
		pf_flow_scale_in(g, c->calls[i].slot, c->calls[i].factor);
		pf_flow_scale_out(g, c->calls[i].slot, c->calls[i].factor);
	}
}
