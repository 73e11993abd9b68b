/* inference_sweep_avx2.c: the sweep where four numbers are one vector; cmake/Library.cmake compiles it for that. */
#define PF_FLOW_SWEEP pf_flow_sweep_avx2
#include "convert/inference_sweep_rows.h"
