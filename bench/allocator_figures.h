/*
 * allocator_figures.h: what an allocator printed about itself when the program
 * ended, on its standard error: jemalloc (MALLOC_CONF=stats_print:true), mimalloc
 * (MIMALLOC_SHOW_STATS=1), tcmalloc, glibc's malloc_info.
 */
#ifndef PF_BENCH_ALLOCATOR_FIGURES_H
#define PF_BENCH_ALLOCATOR_FIGURES_H

#include "bench/bench.h"

/*
 * Fills the block's heap_live, held and fragmentation from the end of `errors`;
 * leaves them unknown where no allocator's statistics are there. PF_ENOMEM.
 */
int pf_allocator_figures(int errors, struct pf_block *block, struct pf_error *err);

#endif
