/*
 * profuse/bench.h: before or after: which is better, and how sure is that?
 *
 * Two or more variants (a command, an environment, a service) run in blocks,
 * each a fresh process, in rounds of one block per variant whose order is random
 * but balanced. A command is measured by the CPU time of its whole process tree;
 * a service is loaded by an open-loop HTTP client at a fixed rate, with the same
 * arrivals for all. Each variant is compared with the first, round by round, as
 * profuse/stats.h says. Gates turn the comparison into a yes, no or "not decided".
 *
 *	struct pf_bench_variant variants[] = {{.name = "default", .command = "./svc"},
 *	    {.name = "one arena", .environment = one_arena, .environment_count = 1}};
 *	struct pf_bench_options options = PF_BENCH_OPTIONS_INIT;
 *	options.variants = variants; options.variant_count = 2; …
 *	rc = pf_bench_run(&bench, &options, &err);
 *	if (!rc && pf_bench_metric(bench, 1, "rss_peak", &metric)) …
 *
 * Nothing is printed. pf_bench_run() forks and waits for children: call it where
 * nobody else in the process waits for any child (waitpid(-1)), and where SIGPIPE
 * does not end the process. When it returns, all processes that it started are gone.
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

enum { PF_BENCH_VARIANTS = 16 };

struct pf_bench; /* what was measured; opaque */

struct pf_bench_variant {
	const char *name; /* in reports; NULL: "before", "after", "variant 3", … */
	/* Plain words are run directly, anything else by /bin/sh -c; NULL: what the first variant runs. */
	const char *command;
	const char *const *environment; /* "NAME=VALUE" on top of the caller's environment */
	size_t environment_count;
	/* Services: http://HOST:PORT where this variant answers; NULL: where the load's URLs lead. */
	const char *origin;
	int pid; /* of a service that runs already; 0: whoever listens at its port */
};

struct pf_bench_progress {
	const char *variant;
	size_t block, blocks; /* from 1; all that are planned, warm-up and repetitions too */
	const char *phase;    /* "warm-up", "calibration", "measuring", "repeating" */
	double elapsed;       /* seconds since the start */
	double left;          /* seconds until the planned end, from blocks so far; 0: unknown */
};

enum pf_bench_arrivals {
	PF_ARRIVALS_CONSTANT, /* evenly spaced */
	PF_ARRIVALS_POISSON,  /* random, the same for all variants of a round */
};

/* Fill with PF_BENCH_OPTIONS_INIT, then change. Pointers are borrowed for the call. */
struct pf_bench_options {
	size_t struct_size;
	/* Up to PF_BENCH_VARIANTS; the first is the base. One alone is measured, not compared. */
	const struct pf_bench_variant *variants;
	size_t variant_count;
	size_t pairs; /* rounds; 0: 10, or 20 when there are gates */
	/* Rounds run first and thrown away; SIZE_MAX: 1 for commands, 0 for services. */
	size_t warmup_pairs;
	size_t
	    looks; /* planned looks at the data, at most 10: stops at the first that decides; 1 */
	size_t repeats; /* disturbed rounds that are run again; SIZE_MAX: a quarter of the pairs */
	size_t calibrate; /* first, pairs of the first variant against itself; 0 */
	double tolerance; /* the smallest change of the primary metric that matters; 0: not said */
	const char *primary; /* the metric that decides; NULL: cpu or cpu_per_request */
	bool duet;           /* commands: all variants of a round at once, each on its own CPU */
	bool has_seed;       /* false: a seed is drawn, and reported */
	uint64_t seed;
	double confidence;        /* of every interval; 0.95 */
	double max_foreign;       /* share of the machine that others may use in a round; 0.1 */
	double grace;             /* seconds between SIGTERM and SIGKILL; 5 */
	double run_timeout;       /* seconds a command may take; 0: no limit */
	const char *output;       /* folder for what the subjects print, or NULL */
	const char *const *gates; /* "cpu<=+1%", "p99<=80ms": see docs/bench.md */
	size_t gate_count;
	/* Services: at least one URL makes the subjects services. */
	const char *const *urls; /* http:// or https://; used in turn */
	size_t url_count;
	const char *load_file; /* requests to send to the (one) URL's host, or NULL */
	const char *replay;    /* a log of requests with their times, instead of a rate; or NULL */
	double replay_speed;   /* 1: as recorded */
	const char *const
	    *headers; /* "Name: value" for every request, or "@FILE" with a header a line */
	size_t header_count;
	const char *ready_url;   /* NULL: the first URL */
	const char *metrics_url; /* Prometheus text of a service, for GC figures; or NULL */
	double rate;             /* requests a second; HUGE_VAL: as many as it can answer */
	double duration, warmup; /* seconds measured, and loaded before that; 10 and 2 */
	double idle; /* seconds at rest after the load, for rss_idle; <0: a tenth of duration */
	double request_timeout; /* 5 s */
	double ready_timeout;   /* 30 s */
	size_t connections;     /* at most this many at once; 32 */
	enum pf_bench_arrivals arrivals;
	bool http2; /* over TLS only */
	const char
	    *ca_file;  /* certificates that https:// trusts instead of the system's; or NULL */
	bool insecure; /* don't verify certificates */
	bool go_trace; /* set GODEBUG=gctrace=1 and read the pauses from standard error */
	bool pin; /* services: client and server on different CPUs, where there are two; true */
	/* Becomes readable when the run shall stop early; -1: never. */
	int stop_fd;
	void (*progress)(void *context, const struct pf_bench_progress *progress); /* or NULL */
	void *progress_context;
};
#define PF_BENCH_OPTIONS_INIT                            \
	{.struct_size = sizeof(struct pf_bench_options), \
	    .warmup_pairs = SIZE_MAX,                    \
	    .looks = 1,                                  \
	    .repeats = SIZE_MAX,                         \
	    .confidence = 0.95,                          \
	    .max_foreign = 0.1,                          \
	    .grace = 5,                                  \
	    .replay_speed = 1,                           \
	    .duration = 10,                              \
	    .warmup = 2,                                 \
	    .idle = -1,                                  \
	    .request_timeout = 5,                        \
	    .ready_timeout = 30,                         \
	    .connections = 32,                           \
	    .pin = true,                                 \
	    .stop_fd = -1}

/*
 * Runs the whole plan. 0 with *bench (to be freed by the caller), also when it
 * was stopped early and at least one round was complete, or when the calibration
 * refused to go on. Otherwise *bench is NULL and: PF_EUSAGE for options that make
 * no sense (also a gate on what isn't measured), PF_EINPUT for a request file that
 * can't be read, PF_EIO for a variant that failed, died, never got ready or whose
 * port was in use, PF_EINCONCLUSIVE when stopped before the first round, PF_ENOMEM.
 */
int pf_bench_run(
    struct pf_bench **bench, const struct pf_bench_options *options, struct pf_error *err);
void pf_bench_free(struct pf_bench *bench);

/*
 * The highest rate of requests at which a service keeps its objectives. `options`
 * is as for pf_bench_run(), with one variant; its rate is where the search begins.
 */
struct pf_bench_trial {
	double rate;
	bool kept;          /* every objective, and no fewer answers than requests */
	double p99, errors; /* medians of its blocks */
	double throughput;
	const char *reason; /* of what was not kept: an objective as written, or "throughput" */
};

struct pf_bench_search {
	double rate;   /* the highest that was kept, 0: none */
	double failed; /* the lowest that was not; 0: none was found up to the client's limit */
	struct pf_bench_trial *trials; /* owned, in the order that they were made */
	size_t trial_count;
	bool interrupted;
};

/*
 * objectives: "p99<=20ms", "errors<=0.1%", absolute. `precision` is how close `rate` and
 * `failed` shall come (0.05: within 5 %). `tried` is told of every trial, or NULL. A
 * zeroed search is to be released in any case. PF_EUSAGE, and as pf_bench_run().
 */
int pf_bench_search(struct pf_bench_search *search, const struct pf_bench_options *options,
    const char *const *objectives, size_t objective_count, double precision,
    void (*tried)(void *context, const struct pf_bench_trial *trial), void *context,
    struct pf_error *err);
void pf_bench_search_release(struct pf_bench_search *search);

size_t pf_bench_variant_count(const struct pf_bench *bench);
const char *pf_bench_variant_name(const struct pf_bench *bench, size_t variant);
/* Complete rounds. */
size_t pf_bench_rounds(const struct pf_bench *bench);
/* The i-th measured metric's name in gates ("cpu", "p99"); NULL past the last. The primary one is first. */
const char *pf_bench_metric_name(const struct pf_bench *bench, size_t i);
/* A metric's value in one block: seconds, bytes, 1/s, a share, a number. False when it was not measured. */
bool pf_bench_value(
    const struct pf_bench *bench, size_t round, size_t variant, const char *name, double *value);

struct pf_bench_metric {
	double before, after; /* medians over the rounds, of the first variant and of this one */
	struct pf_comparison comparison; /* of the rounds */
	double adjusted_p; /* Holm's, over all metrics but the primary and all variants */
	bool more_is_better;
};

/* How a variant (1 or above) compares with the first. False when the metric was not measured. */
bool pf_bench_metric(
    const struct pf_bench *bench, size_t variant, const char *name, struct pf_bench_metric *metric);

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
	PF_BENCH_HTML,     /* one page with plots */
	PF_BENCH_HGRM,     /* latency percentiles as HdrHistogram's tools plot them */
	PF_BENCH_HLOG,     /* every block's latency histogram, HdrHistogram's log format */
};

/* Writes a report, whole or not at all ("-": standard output). PF_EUSAGE for .hgrm/.hlog without a load; PF_EIO, PF_ENOMEM. */
int pf_bench_write(const struct pf_bench *bench, enum pf_bench_format format, const char *path,
    struct pf_error *err);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
