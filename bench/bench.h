/*
 * bench.h: what a run holds, shared by the files of this room.
 *
 * A run is a plan (options, seed, orders), then pairs of blocks filled in one
 * after the other, then comparisons and gate results made from complete pairs
 * only.
 */
#ifndef PF_BENCH_BENCH_H
#define PF_BENCH_BENCH_H

#include <profuse/bench.h>

#include "bench/gate.h"
#include "bench/machine.h"
#include "bench/metrics.h"

enum { PF_BEFORE, PF_AFTER };

/* One side run once in a fresh process. */
struct pf_block {
	double value[PF_METRICS]; /* of what the run measures: pf_bench.measured */
	double cpu;            /* of the subject's process tree over the measured time, seconds */
	double seconds;        /* that time */
	double foreign, steal; /* shares of the machine's CPU time over it */
	double ready;          /* services: seconds until the first good answer */
	double start;          /* seconds since the run began */
	double rss_floor;      /* commands: a peak of about this many bytes may be bench's own */
	uint32_t leftovers;    /* commands: processes that outlived it and were stopped */
	/* Services: what the client did. */
	uint64_t requests, completed, failed_status, failed_connection, timed_out, repeated;
	double lag_p50, lag_p99, lag_most; /* sent later than planned, seconds */
	double service_p50, service_p99;   /* from the actual sending */
	double client_cpu;                 /* seconds */
};

struct pf_pair {
	bool after_first;
	struct pf_block side[2];
};

struct pf_bench {
	struct pf_bench_options
	    options;      /* defaults filled in; its pointers are not used after the run */
	char *command[2]; /* owned */
	uint64_t seed;
	struct pf_machine machine;
	bool service, pinned, interrupted;
	char client_cpus[64], server_cpus[64];
	char started[32]; /* UTC, ISO 8601 */
	double elapsed;
	struct pf_pair *pairs; /* owned; `complete` of them are measured */
	size_t complete;
	bool measured[PF_METRICS];
	enum pf_metric primary;
	struct pf_comparison comparison[PF_METRICS];
	bool compared[PF_METRICS]; /* false: values of zero, no ratio */
	double median[2][PF_METRICS];
	struct pf_gate *gates;        /* owned, texts too */
	enum pf_gate_result *results; /* owned */
	double (*bounds)[2];          /* owned: the interval each gate was judged by */
	size_t gate_count;
};

/* Fills comparisons, medians and gate results from the complete pairs. */
int pf_bench_decide(struct pf_bench *bench, struct pf_error *err);

/* What the interval says about a measured metric. */
enum pf_finding {
	PF_FINDING_BETTER,
	PF_FINDING_WORSE,
	PF_FINDING_NONE,      /* the interval holds zero: no difference shown */
	PF_FINDING_UNDECIDED, /* there is no interval */
};
enum pf_finding pf_bench_finding(const struct pf_bench *bench, enum pf_metric metric);
/* In the metric's own words: "faster", "larger", "no difference shown", "undecided". */
const char *pf_bench_word(const struct pf_bench *bench, enum pf_metric metric);

/* Warnings that belong to the result, one sentence each; false when there is no i-th. */
bool pf_bench_warning(const struct pf_bench *bench, size_t i, char *text, size_t size);

#endif
