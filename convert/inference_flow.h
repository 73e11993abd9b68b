/*
 * inference_flow.h: how often blocks ran, from samples and the control flow graph.
 *
 * A block's samples are its executions times what it costs, give or take chance
 * and cache misses; its executions are what flows in and what flows out; and a
 * function is entered as often as it is called. Evidence and conservation are
 * brought together by sweeps over the blocks; conservation outweighs evidence
 * from the start and has the last word. The recipe and its constants were found
 * by measurement on real programs (docs/convert.md).
 */
#ifndef PF_CONVERT_INFERENCE_FLOW_H
#define PF_CONVERT_INFERENCE_FLOW_H

#include <stdbool.h>

struct pf_error;
struct pf_program;

/*
 * Fills counts[] (one a block), edges[] (one an edge of the program; NULL: not asked for) and entries[]
 * (one a function) in units of
 * samples per unit of cost. `unit`: value of one sample. `time`: samples are
 * time, so instructions cost what their class says; else each costs one.
 * Steps, where there are any, are joined with samples of time.
 * Functions whose flow is not known wholly are left out: their blocks get -1, their edges 0.
 * PF_ENOMEM.
 */
int pf_inference_flow(double *counts, double *edges, double *entries, const struct pf_program *p,
    double unit, bool time, struct pf_error *err);

#endif
