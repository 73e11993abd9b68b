/*
 * bench.h: what a run holds, shared by the files of this room.
 *
 * A run is a plan (options, seed, orders), then rounds of blocks filled in one
 * after the other, then comparisons and gate results made from complete rounds
 * only. The first variant is the base that all others are compared with. A
 * result read back for `bench compare` has the same shape, unpaired.
 */
#ifndef PF_BENCH_BENCH_H
#define PF_BENCH_BENCH_H

#include <profuse/bench.h>

#include "bench/gate.h"
#include "bench/machine.h"
#include "bench/metrics.h"
#include "stats/histogram.h"

/* One variant run once. Values that were not measured are NaN. */
struct pf_block {
	double value[PF_METRICS];
	double cpu;            /* of the subject's process tree over the measured time, seconds */
	double seconds;        /* that time */
	double foreign, steal; /* shares of the machine's CPU time over it */
	double pressure;  /* share of the time in which something waited for a CPU; NaN: not told */
	double ready;     /* services: seconds until the first good answer */
	double start;     /* seconds since the run began */
	double rss_floor; /* commands: a peak of about this many bytes may be bench's own */
	uint32_t leftovers; /* commands: processes that outlived it and were stopped */
	/* Services: what the client did. */
	uint64_t requests, completed, failed_status, failed_connection, timed_out, repeated;
	double lag_p50, lag_p99, lag_most; /* sent later than planned, seconds */
	double service_p50, service_p99;   /* from the actual sending */
	double client_cpu;                 /* seconds */
	size_t left_open;                  /* sockets of the service that the load left behind */
	char *
	    latency; /* owned: the whole histogram, encoded (histogram_code.h); NULL for commands */
	double latency_most; /* seconds */
};

struct pf_round {
	uint8_t order[PF_BENCH_VARIANTS]; /* which variant ran first, second, … */
	bool disturbed;                   /* others used more of the machine than allowed */
	size_t repetitions;               /* how often it was run again */
};

struct pf_variant {
	char *name, *command; /* owned */
	char **environment;   /* owned, each */
	size_t environment_count;
	char *origin; /* owned; NULL: the load's */
};

/* How a variant compares with the base in one metric. */
struct pf_result {
	struct pf_comparison comparison;
	bool compared; /* false: values of zero, no ratio */
	double adjusted_p;
};

/* A gate judged for one variant. */
struct pf_judgement {
	enum pf_gate_result result;
	double low, high; /* the interval it was judged by; NaN: none */
	double p;         /* of the limit itself as the truth, two-sided */
	bool beyond;      /* the estimate lies beyond the limit */
};

struct pf_bench {
	struct pf_bench_options
	    options; /* defaults filled in; its pointers are not used after the run */
	struct pf_variant variants[PF_BENCH_VARIANTS];
	size_t variant_count;
	int pids[PF_BENCH_VARIANTS]; /* of services that run already; 0: whoever listens */
	uint64_t seed;
	struct pf_machine machine;
	bool service, running, pinned, interrupted, unpaired;
	char client_cpus[64], server_cpus[64];
	char started[32];  /* UTC, ISO 8601 */
	double started_at; /* the same, seconds since the epoch */
	double elapsed;
	struct pf_round *rounds; /* owned; `complete` of them are measured */
	struct pf_block *blocks; /* owned: rounds × variants; see pf_bench_block */
	size_t complete;
	size_t repeated,
	    disturbed; /* blocks' rounds run again; complete ones that stayed disturbed */
	bool measured[PF_METRICS];
	enum pf_metric primary;
	struct pf_result *results;       /* owned: variants × metrics */
	double *medians;                 /* owned: variants × metrics */
	struct pf_gate *gates;           /* owned, texts too */
	struct pf_judgement *judgements; /* owned: gates × variants */
	size_t gate_count;
	size_t look;  /* at which it stopped, from 1; 0: no looks were planned */
	double level; /* of the intervals: what the look leaves of the confidence; 0: all of it */
	double look_levels[10]; /* of each planned look; computed when first needed */
	size_t look_levels_known;
	/* Calibration: the base against itself in the primary metric. */
	bool calibrated;
	struct pf_comparison calibration;
	char refusal[400];                              /* why no verdict is given; empty: none */
	char notes[4][300];                             /* further warnings: of `bench compare` */
	struct pf_histogram latency[PF_BENCH_VARIANTS]; /* services: of all complete rounds */
	bool has_latency;
};

static inline struct pf_block *
pf_bench_block(const struct pf_bench *b, size_t round, size_t variant)
{
	return &b->blocks[round * b->variant_count + variant];
}

static inline struct pf_result *
pf_bench_result(const struct pf_bench *b, size_t variant, enum pf_metric m)
{
	return &b->results[variant * PF_METRICS + m];
}

static inline double
pf_bench_median(const struct pf_bench *b, size_t variant, enum pf_metric m)
{
	return b->medians[variant * PF_METRICS + m];
}

static inline struct pf_judgement *
pf_bench_judgement(const struct pf_bench *b, size_t gate, size_t variant)
{
	return &b->judgements[gate * b->variant_count + variant];
}

/* The complete rounds' values of one variant that are numbers; returns how many. */
size_t pf_bench_gather(const struct pf_bench *b, enum pf_metric m, size_t variant, double *values);

/* Room for results, medians and judgements of what is measured. PF_ENOMEM. */
int pf_bench_make_room(struct pf_bench *bench, struct pf_error *err);

/* Adds up the blocks' latencies into b->latency. PF_EINPUT for text that is no histogram; PF_ENOMEM. */
int pf_bench_sum_latency(struct pf_bench *bench, struct pf_error *err);

/* The confidence of the intervals: as asked for, or what the look at which the run is leaves of it. */
static inline double
pf_bench_level(const struct pf_bench *b)
{
	return b->level > 0 ? b->level : b->options.confidence;
}

/* Fills comparisons, medians and gate results from the complete rounds. */
int pf_bench_decide(struct pf_bench *bench, struct pf_error *err);
/* Whether a look may stop the run: every gate, or else the primary metric, is decided. */
bool pf_bench_is_decided(const struct pf_bench *bench);

/* A gate's result over all variants: failed if any failed, else inconclusive if any is. */
enum pf_gate_result pf_bench_gate_result(const struct pf_bench *bench, size_t gate);

/* What the interval says about a measured metric. */
enum pf_finding {
	PF_FINDING_BETTER,
	PF_FINDING_WORSE,
	PF_FINDING_NONE,      /* no difference shown */
	PF_FINDING_UNDECIDED, /* there is no interval */
};
enum pf_finding pf_bench_finding(
    const struct pf_bench *bench, size_t variant, enum pf_metric metric);
/*
 * In the metric's own words: "faster", "larger", "no difference shown", "undecided";
 * "perhaps slower" where only its own interval says so, one among many metrics.
 */
const char *pf_bench_word(const struct pf_bench *bench, size_t variant, enum pf_metric metric);

/* Warnings that belong to the result, one sentence each; false when there is no i-th. */
bool pf_bench_warning(const struct pf_bench *bench, size_t i, char *text, size_t size);

#endif
