/*
 * executions.h: from samples to how often each instruction ran.
 *
 * Samples are time (unless they are retired instructions): an instruction that
 * waits collects many, its neighbours in the same block, run just as often,
 * few. Each method here turns the samples of a program into one estimate an
 * instruction, in units of samples; only their proportions mean anything.
 */
#ifndef PF_CONVERT_EXECUTIONS_H
#define PF_CONVERT_EXECUTIONS_H

#include <stdbool.h>

#include <profuse/convert.h>

struct pf_error;
struct pf_program;

/*
 * One estimate an instruction, in *executions, to be freed. `unit` is how much
 * of the sample type's value one sample stands for; `time` says that samples
 * are time, so that slow instructions collect more of them. PF_ENOMEM.
 */
int pf_executions_estimate(double **executions, const struct pf_program *p,
    enum pf_inference method, double unit, bool time, struct pf_error *err);

#endif
