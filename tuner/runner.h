/* runner.h: where the search's runs come from. */
#ifndef PF_TUNER_RUNNER_H
#define PF_TUNER_RUNNER_H

#include "stats/random.h"
#include "tuner/search.h"

enum { PF_BATCH = PF_BENCH_VARIANTS }; /* settings that run beside each other in one batch */

/* Settings in rounds of a run each. */
struct pf_batch {
	size_t trials[PF_BATCH]; /* their numbers; today's (0) is one like any other */
	size_t n, rounds;
	uint64_t seed; /* of the order */
	/* Out: n a round, in their order; room for all rounds, `round` and `change` untouched. */
	struct pf_measured *measured;
	size_t complete; /* out: rounds, the first ones of `measured` */
	size_t
	    failed; /* out, with PF_EIO: which of `trials` does not run; n or more: none of them */
};

struct pf_runner {
	/*
	 * 0; PF_EIO where a setting does not run; PF_EINCONCLUSIVE when interrupted, `complete` rounds are whole
	 * then; other errors end the search.
	 */
	int (*run)(struct pf_runner *runner, const struct pf_search *s, struct pf_batch *batch,
	    struct pf_error *err);
	size_t done, planned; /* runs, for progress; the search sets `planned` */
};

/* Runs of a command, measured by bench. Pointers are borrowed. */
struct pf_bench_runner {
	struct pf_runner runner;
	const struct pf_try_options *options;
	const char *command;
};
void pf_bench_runner_init(
    struct pf_bench_runner *r, const struct pf_try_options *options, const char *command);

/*
 * Runs a batch, as often as it takes: a setting that does not run is marked as
 * failed, taken out of the batch, and the others run again; where none is left the
 * batch ends without a round. batch->measured is allocated, the caller frees it in
 * any case. PF_EIO where today's setting does not run.
 */
int pf_run_batch(
    struct pf_search *s, struct pf_runner *runner, struct pf_batch *batch, struct pf_error *err);

/*
 * Runs `which` beside each other and adds what they needed to their trials, as rounds
 * of the search; *runs grows by as many as there were. An interruption is no failure: s->interrupted is
 * set, and the rounds before it count. Fails as pf_run_batch does.
 */
int pf_search_rounds(struct pf_search *s, struct pf_runner *runner, const size_t *which, size_t n,
    size_t rounds, struct pf_random *rng, size_t *runs, struct pf_error *err);

#endif
