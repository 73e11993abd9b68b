/* options.h: do the options make sense together? */
#ifndef PF_BENCH_OPTIONS_H
#define PF_BENCH_OPTIONS_H

#include <profuse/bench.h>

/* 0, or PF_EUSAGE with what to change. The load's own numbers are checked by pf_load_new(). */
int pf_bench_check_options(const struct pf_bench_options *options, struct pf_error *err);

#endif
