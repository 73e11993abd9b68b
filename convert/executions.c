/* executions.c: the simple methods, and the way to the better one; see executions.h. */
#include "convert/executions.h"

#include <stdlib.h>

#include "convert/inference_flow.h"
#include "convert/program.h"
#include "core/error.h"
#include "core/memory.h"

void
pf_executions_release(struct pf_executions *e)
{
	free(e->instructions);
	free(e->entries);
	*e = (struct pf_executions){0};
}

static void
spread_block(double *executions, const struct pf_program_block *b, double count)
{
	for (uint32_t i = 0; i < b->count; i++)
		executions[b->first + i] = count;
}

static void
average_block(double *executions, const struct pf_program_block *b)
{
	double sum = 0;

	for (uint32_t i = 0; i < b->count; i++)
		sum += executions[b->first + i];
	spread_block(executions, b, sum / b->count);
}

/* Block counts from the flow; a function that could not be followed keeps its blocks' averages. */
static int
apply_flow(struct pf_executions *e, const struct pf_program *p, double unit, bool time,
    struct pf_error *err)
{
	double *counts;
	int rc = PF_CALLOC(counts, p->block_count, err);

	if (rc)
		return rc;
	rc = pf_inference_flow(counts, NULL, e->entries, p, unit, time, err);
	for (size_t i = 0; !rc && i < p->block_count; i++) {
		if (counts[i] < 0)
			average_block(e->instructions, &p->blocks[i]);
		else
			spread_block(e->instructions, &p->blocks[i], counts[i]);
	}
	free(counts);
	return rc;
}

int
pf_executions_estimate(struct pf_executions *e, const struct pf_program *p,
    enum pf_inference method, double unit, bool time, struct pf_error *err)
{
	int rc;

	*e = (struct pf_executions){.whole = method == PF_INFERENCE_NONE && unit == 1,
	    .inferred = method == PF_INFERENCE_FLOW};
	rc = PF_CALLOC(e->instructions, p->instruction_count, err);
	if (!rc)
		rc = PF_CALLOC(e->entries, p->function_count, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < p->instruction_count; i++)
		e->instructions[i] = (double)p->values[i] / unit;
	for (size_t i = 0; i < p->function_count; i++)
		e->entries[i] = -1;
	for (size_t i = 0; method == PF_INFERENCE_BLOCK && i < p->block_count; i++)
		average_block(e->instructions, &p->blocks[i]);
	return method == PF_INFERENCE_FLOW ? apply_flow(e, p, unit, time, err) : 0;
}
