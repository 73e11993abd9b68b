/* report.h: the formats of a result, each appended to a buffer whose failures stick. */
#ifndef PF_BENCH_REPORT_H
#define PF_BENCH_REPORT_H

#include "bench/bench.h"
#include "core/buffer.h"

/* For a terminal, and for a pull request. */
void pf_bench_text(const struct pf_bench *bench, struct pf_buffer *out);
void pf_bench_markdown(const struct pf_bench *bench, struct pf_buffer *out);

/* The one JSON object of docs/bench.md, with a newline. PF_ENOMEM. */
int pf_bench_json(const struct pf_bench *bench, struct pf_buffer *out, struct pf_error *err);

/* A page with plots. PF_ENOMEM. */
int pf_bench_html(const struct pf_bench *bench, struct pf_buffer *out, struct pf_error *err);

/* Every block's latency histogram, one line each (HdrHistogram log format 1.3). */
void pf_bench_hlog(const struct pf_bench *bench, struct pf_buffer *out);

#endif
