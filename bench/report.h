/* report.h: the formats of a result. */
#ifndef PF_BENCH_REPORT_H
#define PF_BENCH_REPORT_H

#include "bench/bench.h"
#include "core/buffer.h"

/* Appends the one JSON object of docs/bench.md, with a newline. PF_ENOMEM. */
int pf_bench_json(const struct pf_bench *bench, struct pf_buffer *out, struct pf_error *err);

#endif
