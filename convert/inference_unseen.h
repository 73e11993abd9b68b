/*
 * inference_unseen.h: blocks that did not run, as far as anybody can know.
 *
 * The flow gives every block a little: none of its samples says that a path that a few
 * runs in a thousand would take was taken by none. A call does: where a function is
 * found under other calls again and again and never under this one, the
 * block with this call is ruled out. So does a great number of samples: where even one run in a
 * thousand would have left some in connected blocks, and there are none, those are ruled out. And
 * with either, what leads only to such blocks, or comes only from
 * them. The compiler then leaves the call where it is, in place of making room for it
 * in the path that runs.
 */
#ifndef PF_CONVERT_INFERENCE_UNSEEN_H
#define PF_CONVERT_INFERENCE_UNSEEN_H

#include <stdint.h>

struct pf_error;
struct pf_flow_calls;
struct pf_flow_graph;
struct pf_program;

/*
 * unseen[], one a block of the program, zeroed before: set where a block is ruled out.
 * `counts`: of the flow, by block; -1: of a function that is not in the graph. PF_ENOMEM.
 */
int pf_flow_rule_out(uint8_t *unseen, const struct pf_program *p, const struct pf_flow_graph *g,
    const struct pf_flow_calls *calls, const double *counts, struct pf_error *err);

#endif
