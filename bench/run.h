/*
 * run.h: how one block of either kind is run; the plan around it is in bench.c.
 *
 * Both return 0 with the block filled, PF_EINCONCLUSIVE when stop_fd became
 * readable, or an error about the subject. In any case no process is left.
 */
#ifndef PF_BENCH_RUN_H
#define PF_BENCH_RUN_H

#include "bench/bench.h"
#include "bench/subject.h"

struct pf_error;
struct pf_load; /* load.h */

struct pf_run {
	const struct pf_bench *bench;
	struct pf_load *load; /* services only */
	cpu_set_t client_cpus, server_cpus, own_cpus;
	double started; /* monotonic seconds when the run began */
};

/* Monotonic seconds. */
double pf_run_now(void);

/* What to start for a side; `output` is room for the path that names its outputs. `pair` 0 is warm-up. */
struct pf_subject_spec pf_run_spec(
    const struct pf_run *run, int side, size_t pair, char *output, size_t size);

int pf_run_command(
    const struct pf_run *run, int side, size_t pair, struct pf_block *block, struct pf_error *err);
int pf_run_service(
    const struct pf_run *run, int side, size_t pair, struct pf_block *block, struct pf_error *err);

#endif
