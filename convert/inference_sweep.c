/* inference_sweep.c: see inference_sweep.h. */
#define PF_FLOW_SWEEP pf_flow_sweep_any
#include "convert/inference_sweep_rows.h"

bool
pf_flow_has_avx2(void)
{
#if defined(__x86_64__)
	return __builtin_cpu_supports("avx2");
#else
	return false;
#endif
}

void
pf_flow_sweep(struct pf_flow_graph *g, double alpha, int first, int sweeps)
{
	if (pf_flow_has_avx2())
		pf_flow_sweep_avx2(g, alpha, first, sweeps);
	else
		pf_flow_sweep_any(g, alpha, first, sweeps);
}
