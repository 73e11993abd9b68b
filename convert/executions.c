/* executions.c: the simple methods; see executions.h. */
#include "convert/executions.h"

#include <stdlib.h>

#include "convert/program.h"
#include "core/error.h"
#include "core/memory.h"

static void
average_blocks(double *executions, const struct pf_program *p)
{
	for (size_t i = 0; i < p->block_count; i++) {
		const struct pf_program_block *b = &p->blocks[i];
		double sum = 0;

		for (uint32_t j = 0; j < b->count; j++)
			sum += executions[b->first + j];
		for (uint32_t j = 0; j < b->count; j++)
			executions[b->first + j] = sum / b->count;
	}
}

int
pf_executions_estimate(double **executions, const struct pf_program *p, enum pf_inference method,
    double unit, bool time, struct pf_error *err)
{
	int rc = PF_CALLOC(*executions, p->instruction_count, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < p->instruction_count; i++)
		(*executions)[i] = (double)p->values[i] / unit;
	if (method == PF_INFERENCE_BLOCK)
		average_blocks(*executions, p);
	(void)time;
	return 0;
}
