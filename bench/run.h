/*
 * run.h: how one block of any kind is run; the plan around it is in rounds.c.
 *
 * All return 0 with the block filled, PF_EINCONCLUSIVE when stop_fd became
 * readable, or an error about the subject. In any case no process that they
 * started is left.
 */
#ifndef PF_BENCH_RUN_H
#define PF_BENCH_RUN_H

#include "bench/bench.h"
#include "bench/subject.h"

struct pf_error;
struct pf_load; /* load.h */

struct pf_run {
	struct pf_bench *bench;
	struct pf_load *load[PF_BENCH_VARIANTS]; /* services only; one a variant */
	cpu_set_t client_cpus, server_cpus, own_cpus;
	double started;       /* monotonic seconds when the run began */
	size_t block, blocks; /* done so far, planned */
	const char *phase;    /* for progress */
};

/* Monotonic seconds. */
double pf_run_now(void);

/* "in pair 3", "in warm-up" into text; returns text. */
const char *pf_run_where(const struct pf_run *run, size_t round, char *text, size_t size);

/* What to start for a variant; `output` is room for the path that names its outputs. `round` 0 is warm-up. */
struct pf_subject_spec pf_run_spec(
    const struct pf_run *run, size_t variant, size_t round, char *output, size_t size);

/* A block of which nothing is known yet. */
void pf_block_init(struct pf_block *block, const struct pf_run *run);
void pf_block_release(struct pf_block *block);

int pf_run_command(const struct pf_run *run, size_t variant, size_t round, struct pf_block *block,
    struct pf_error *err);
/* All variants at once, the i-th of `order` on the i-th CPU; blocks by variant. */
int pf_run_duet(const struct pf_run *run, const uint8_t *order, size_t round,
    struct pf_block *blocks, struct pf_error *err);
int pf_run_service(const struct pf_run *run, size_t variant, size_t round, struct pf_block *block,
    struct pf_error *err);

/* The whole plan: warm-up, calibration, rounds with their repetitions, looks. */
int pf_run_rounds(struct pf_run *run, struct pf_error *err);

#endif
