/*
 * inference_sweep.h: the inner loop of the flow inference: blocks and the flows
 * along their edges, brought a step closer to agreement again and again.
 */
#ifndef PF_CONVERT_INFERENCE_SWEEP_H
#define PF_CONVERT_INFERENCE_SWEEP_H

#include "convert/inference_graph.h"

/*
 * Goes `sweeps` times over the blocks of each function, to and fro; `first`
 * counts the sweeps before. `alpha`: how much conservation weighs against
 * evidence.
 */
void pf_flow_sweep(struct pf_flow_graph *g, double alpha, int first, int sweeps);

/* What it does, for any processor and for those with AVX2: the same arithmetic in the same order. */
void pf_flow_sweep_any(struct pf_flow_graph *g, double alpha, int first, int sweeps);
void pf_flow_sweep_avx2(struct pf_flow_graph *g, double alpha, int first, int sweeps);
bool pf_flow_has_avx2(void);

#endif
