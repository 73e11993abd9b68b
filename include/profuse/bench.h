/*
 * profuse/bench.h: before or after: which is better, and how sure is that?
 *
 * Both sides run in blocks, each a fresh process, in pairs whose order is
 * random but balanced (before-after as often as after-before). A command is
 * measured by the CPU time of its whole process tree; a service is loaded by an
 * open-loop HTTP client at a fixed rate, with the same arrivals for both sides.
 * Pairs are compared as profuse/stats.h says. Gates turn the comparison into a
 * yes, no or "not decided".
 *
 * pf_bench_run() forks and waits for children: call it where nobody else in the
 * process waits for any child (waitpid(-1)). When it returns, all processes that
 * it started are gone.
 */
#ifndef PROFUSE_BENCH_H
#define PROFUSE_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <profuse/error.h>
#include <profuse/stats.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct pf_bench; /* what was measured; opaque */

struct pf_bench_side {
	const char *command; /* plain words are run directly, anything else by /bin/sh -c */
	const char *const *environment; /* "NAME=VALUE" on top of the caller's environment */
	size_t environment_count;
};

struct pf_bench_progress {
	const char *side;     /* "before", "after" */
	size_t block, blocks; /* from 1; warm-up blocks are counted too */
	bool warmup;
	double elapsed; /* seconds since the start */
};

/* Fill with PF_BENCH_OPTIONS_INIT, then change. Pointers are borrowed for the call. */
struct pf_bench_options {
	size_t struct_size;
	struct pf_bench_side before, after;
	size_t pairs; /* 0: 10, or 20 when there are gates */
	size_t
	    warmup_pairs; /* run first and thrown away; SIZE_MAX: 1 for commands, 0 for services */
	bool has_seed;    /* false: a seed is drawn, and reported */
	uint64_t seed;
	double confidence;        /* of every interval; 0.95 */
	double max_foreign;       /* share of the machine others may use before a warning; 0.1 */
	double grace;             /* seconds between SIGTERM and SIGKILL; 5 */
	double run_timeout;       /* seconds a command may take; 0: no limit */
	const char *output;       /* folder for what the subjects print, or NULL */
	const char *const *gates; /* "cpu<=+1%", "p99<=80ms": see docs/bench.md */
	size_t gate_count;
	/* Services: at least one URL makes the subjects services. */
	const char *const *urls; /* http:// only; used in turn */
	size_t url_count;
	const char *load_file;      /* requests to send to the (one) URL's host, or NULL */
	const char *const *headers; /* "Name: value" for every request */
	size_t header_count;
	const char *ready_url;   /* NULL: the first URL */
	double rate;             /* requests a second */
	double duration, warmup; /* seconds measured, and loaded before that; 10 and 2 */
	double request_timeout;  /* 5 s */
	double ready_timeout;    /* 30 s */
	size_t connections;      /* at most this many at once; 32 */
	bool poisson;            /* random arrivals; otherwise evenly spaced */
	bool pin; /* services: client and server on different CPUs, where there are two; true */
	/* Becomes readable when the run shall stop early; -1: never. */
	int stop_fd;
	void (*progress)(void *context, const struct pf_bench_progress *progress); /* or NULL */
	void *progress_context;
};
#define PF_BENCH_OPTIONS_INIT                            \
	{.struct_size = sizeof(struct pf_bench_options), \
	    .warmup_pairs = SIZE_MAX,                    \
	    .confidence = 0.95,                          \
	    .max_foreign = 0.1,                          \
	    .grace = 5,                                  \
	    .duration = 10,                              \
	    .warmup = 2,                                 \
	    .request_timeout = 5,                        \
	    .ready_timeout = 30,                         \
	    .connections = 32,                           \
	    .pin = true,                                 \
	    .stop_fd = -1}

/*
 * Runs the whole plan. 0 with *bench (to be freed by the caller), also when it
 * was stopped early and at least one pair was complete. Otherwise *bench is NULL
 * and: PF_EUSAGE for options that make no sense (also a gate on what isn't
 * measured), PF_EIO for a side that failed, died, never got ready or whose port
 * was in use, PF_EINCONCLUSIVE when stopped before the first pair, PF_ENOMEM.
 */
int pf_bench_run(
    struct pf_bench **bench, const struct pf_bench_options *options, struct pf_error *err);
void pf_bench_free(struct pf_bench *bench);

struct pf_bench_metric {
	double before, after; /* medians over the pairs; seconds, bytes, 1/s or a share */
	struct pf_comparison comparison; /* of the pairs */
	bool more_is_better;
};

/* A metric by its name in gates ("cpu", "p99"). False when it was not measured. */
bool pf_bench_metric(
    const struct pf_bench *bench, const char *name, struct pf_bench_metric *metric);

/*
 * The answer as a code: PF_OK; PF_ENO a gate failed; PF_EINCONCLUSIVE a gate, or
 * without gates the primary metric, could not be decided. The sentence in err
 * says which.
 */
int pf_bench_verdict(const struct pf_bench *bench, struct pf_error *err);

enum pf_bench_format {
	PF_BENCH_TEXT,     /* for a terminal */
	PF_BENCH_MARKDOWN, /* for a pull request */
	PF_BENCH_JSON,     /* everything, one object: docs/bench.md has the schema */
};

/* Writes a report, whole or not at all ("-": standard output). PF_EIO, PF_ENOMEM. */
int pf_bench_write(const struct pf_bench *bench, enum pf_bench_format format, const char *path,
    struct pf_error *err);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
