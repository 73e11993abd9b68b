/*
 * bench_settings.h: what the command line of `profuse bench` says, shared by its
 * ways of running: comparing (cmd_bench.c), loading one service and searching its
 * highest rate (bench_load.c), old results (bench_past.c).
 */
#ifndef CLI_BENCH_SETTINGS_H
#define CLI_BENCH_SETTINGS_H

#include <profuse/bench.h>

#include "options.h"

enum { MOST_ENVIRONMENT = 64 };
#define BENCH_UNSET UINT64_MAX

struct settings {
	const char *label, *history, *compare_variant;
	struct cli_list slos;
	double precision;
	const char *before, *after, *before_url, *after_url, *primary;
	struct cli_list before_env, after_env, variants, variant_env, gates, urls, headers, outputs;
	uint64_t pairs, seed, connections, warmup_pairs, looks, repeats, calibrate_pairs;
	uint64_t before_pid, after_pid;
	double confidence, max_foreign, grace, run_timeout, tolerance;
	const char *output, *load_file, *replay, *ready, *metrics, *rate, *ca_file;
	double duration, warmup, idle, request_timeout, ready_timeout, replay_speed;
	int arrivals;
	bool pin, calibrate, json, quiet, duet, http2, insecure, go_trace;
};

/* By the name's end; PF_EUSAGE for one we don't write. */
int bench_format_of(const char *path, enum pf_bench_format *format, struct pf_error *err);

/* Everything but the variants. */
int bench_fill_options(const struct settings *s, struct pf_bench_options *o, struct pf_error *err);

/* The variants and what they borrow from the settings. */
struct variants {
	struct pf_bench_variant items[PF_BENCH_VARIANTS];
	size_t count;
	char names[PF_BENCH_VARIANTS][64];
	const char *environment[PF_BENCH_VARIANTS][MOST_ENVIRONMENT];
};

int bench_fill_variants(const struct settings *s, struct variants *v, struct pf_error *err);

/* Runs with progress on a terminal, and an ear for Ctrl-C. */
int bench_run(struct pf_bench **bench, struct pf_bench_options *options, const struct settings *s,
    struct pf_error *err);

/* The report on standard output, and every -o. */
int bench_write_reports(
    const struct pf_bench *bench, const struct settings *s, struct pf_error *err);

/* profuse bench load URL…, compare OLD NEW, trend FILE. */
int bench_load(
    const struct settings *s, const struct cli_arguments *arguments, struct pf_error *err);
int bench_compare(
    const struct settings *s, const struct cli_arguments *arguments, struct pf_error *err);
int bench_trend(
    const struct settings *s, const struct cli_arguments *arguments, struct pf_error *err);

#endif
