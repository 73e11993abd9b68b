/* executions.c: the simple methods, and the way to the better one; see executions.h. */
#include "convert/executions.h"

#include <stdlib.h>

#include "convert/inference_flow.h"
#include "core/error.h"
#include "core/memory.h"

void
pf_executions_release(struct pf_executions *e)
{
	free(e->blocks);
	free(e->entries);
	*e = (struct pf_executions){0};
}

static double
block_average(const struct pf_executions *e, const struct pf_program_code *code, uint32_t block)
{
	uint32_t first = code->starts[block], end = code->starts[block + 1];
	double sum = 0;

	for (uint32_t i = first; i < end; i++)
		sum += (double)code->values[i] / e->unit;
	return sum / (end - first);
}

/* Gives blocks their averages: those of all functions, or of those that the flow could not follow. */
static int
average_blocks(struct pf_executions *e, const struct pf_program *p, bool all, struct pf_error *err)
{
	struct pf_program_code code = {0};
	int rc = 0;

	for (uint32_t i = 0; !rc && i < p->function_count; i++) {
		if (!all && p->functions[i].complete)
			continue;
		rc = pf_program_unfold(&code, p, i, err);
		for (uint32_t b = 0; !rc && b < p->functions[i].block_count; b++)
			e->blocks[code.first_block + b] = block_average(e, &code, b);
	}
	pf_program_code_release(&code);
	return rc;
}

int
pf_executions_estimate(struct pf_executions *e, const struct pf_program *p,
    enum pf_inference method, double unit, bool time, struct pf_error *err)
{
	bool flow = method == PF_INFERENCE_FLOW;
	int rc;

	*e = (struct pf_executions){
	    .unit = unit, .whole = method == PF_INFERENCE_NONE && unit == 1, .inferred = flow};
	rc = PF_CALLOC(e->entries, p->function_count, err);
	for (size_t i = 0; !rc && i < p->function_count; i++)
		e->entries[i] = -1;
	if (rc || method == PF_INFERENCE_NONE)
		return rc;
	rc = PF_CALLOC(e->blocks, p->block_count, err);
	if (!rc && flow)
		rc = pf_inference_flow(e->blocks, NULL, e->entries, p, unit, time, err);
	return rc ? rc : average_blocks(e, p, !flow, err);
}
