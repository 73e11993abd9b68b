/*
 * go_figures.h: what the garbage collector of a Go program did while it was
 * measured: from GODEBUG=gctrace=1 lines on its standard error, or from its
 * Prometheus metrics.
 */
#ifndef PF_BENCH_GO_FIGURES_H
#define PF_BENCH_GO_FIGURES_H

#include "bench/bench.h"
#include "runtime/go_stats.h"

struct pf_go_window {
	int errors;      /* the subject's standard error */
	size_t from, to; /* bytes of it that were written meanwhile */
};

/*
 * Fills the block's gc_… and heap_live values from a trace; its `seconds` and `cpu`
 * are known already. A program that wrote no trace leaves them unknown. PF_ENOMEM.
 */
int pf_go_figures_traced(
    const struct pf_go_window *window, struct pf_block *block, struct pf_error *err);

struct pf_load;

/* The Go runtime's metrics at one moment. A zeroed one is empty. */
struct pf_go_scrape {
	struct pf_exposition_histogram pauses; /* empty: the service exports none */
	struct pf_go_stats stats;
	double pause_sum,
	    pause_count; /* of the older summary, whose quantiles are since the start */
	double at;       /* monotonic seconds */
};

/*
 * Fetches Prometheus text: `url`, or, where it is only a path, that of the service
 * under load. PF_EIO, PF_EINPUT for anything but metrics of Go, PF_ENOMEM.
 */
int pf_go_scrape(
    struct pf_go_scrape *scrape, const char *url, const struct pf_load *load, struct pf_error *err);
void pf_go_scrape_release(struct pf_go_scrape *scrape);

/* Fills the block's gc_…, heap_live and allocated values from the two, of which `to` is changed. PF_EINPUT when the service began anew. */
int pf_go_figures_scraped(struct pf_go_scrape *from, struct pf_go_scrape *to,
    struct pf_block *block, struct pf_error *err);

#endif
