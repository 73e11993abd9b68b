/*
 * executions.h: from samples to how often each instruction ran.
 *
 * Samples are time (unless they are retired instructions): an instruction that
 * waits collects many, its neighbours in the same block, run just as often,
 * few. Each method here turns the samples of a program into one estimate an
 * instruction; only their proportions mean anything.
 */
#ifndef PF_CONVERT_EXECUTIONS_H
#define PF_CONVERT_EXECUTIONS_H

#include <stdbool.h>

#include <profuse/convert.h>

#include "convert/program.h"

struct pf_executions {
	double
	    *blocks; /* owned; one a block of the program; NULL: each instruction has its samples */
	double
	    *entries; /* owned; one a function: how often it was entered; negative: not estimated */
	double unit;  /* value of one sample */
	bool whole;   /* estimates are whole samples */
	bool inferred; /* estimates over 0 do not mean that there was a sample */
};

/*
 * `unit` is how much of the sample type's value one sample stands for; `time`
 * says that samples are time, so that slow instructions collect more of them.
 * PF_ENOMEM. Release it in any case.
 */
int pf_executions_estimate(struct pf_executions *e, const struct pf_program *p,
    enum pf_inference method, double unit, bool time, struct pf_error *err);
void pf_executions_release(struct pf_executions *e);

/* How often an instruction of the unfolded function ran. */
static inline double
pf_executions_of(
    const struct pf_executions *e, const struct pf_program_code *code, uint32_t instruction)
{
	return e->blocks ? e->blocks[code->instructions[instruction].block]
			 : (double)code->values[instruction] / e->unit;
}

#endif
