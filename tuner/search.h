/*
 * search.h: settings tried on a command, through profuse/bench.h.
 *
 * Successive halving: every setting runs once, the better quarter twice more,
 * the best of those four times more. Every round has today's setting in it, in
 * random order with the others, and a setting counts by its ratio to today's
 * of the same round: what drifts on the machine drifts for both. Along a dial
 * (GOGC) neighbours count for each other: what a setting costs changes smoothly
 * there, and a single noisy run should not decide. The winner is
 * then compared with today's in pairs of its own, and recommended only if the
 * whole interval of the weighted change is an improvement.
 */
#ifndef PF_TUNER_SEARCH_H
#define PF_TUNER_SEARCH_H

#include <profuse/bench.h>
#include <profuse/tune.h>

#include "tuner/settings.h"

enum pf_aim { PF_AIM_CPU, PF_AIM_RSS, PF_AIM_IDLE, PF_AIM_P99, PF_AIMS };

/* A setting and what came of its runs. */
struct pf_trial {
	struct pf_setting setting;
	double *change[PF_AIMS]; /* owned: ln(its value / today's), a run each; NaN: not measured */
	size_t runs, capacity;
	double value[PF_AIMS]; /* today's median times the median change; NaN: not measured */
	double score;          /* weighted mean of the median changes; lower is better */
	double
	    rank; /* the same, drawn towards its neighbours' on a dial: what the search goes by */
	bool failed, capped, pareto;
	char failure[200];
};

struct pf_validation {
	bool done, supported;
	size_t trial, rounds;
	double change, low, high, confidence; /* of the weighted change: 0.03 is +3 % */
	struct pf_bench_metric metric[PF_AIMS];
	bool has_metric[PF_AIMS];
};

struct pf_search {
	char *command;                         /* owned */
	double weight[PF_AIMS], cap[PF_AIMS];  /* cap: NaN: none */
	struct pf_trial trials[PF_MOST_TRIED]; /* [0] is today's */
	size_t count;
	size_t runs, validation_runs; /* blocks, today's among them */
	uint64_t seed;
	bool service, exhaustive;
	struct pf_validation validations[3];
	size_t validation_count;
	char verdict[600];
};

/* "cpu=1,rss=0.5" and "rss_peak<=512MiB". PF_EUSAGE. */
int pf_aims_parse(struct pf_search *s, const char *weights, const char *const *caps,
    size_t cap_count, struct pf_error *err);

/* Runs it all. PF_EIO where today's setting does not run; PF_EINPUT, PF_EUSAGE, PF_ENOMEM. */
int pf_search_run(
    struct pf_search *s, const struct pf_try_options *o, double memory_limit, struct pf_error *err);
void pf_search_free(struct pf_search *s);

/* The recommended trial, or NULL: today's setting stays. */
const struct pf_trial *pf_search_winner(const struct pf_search *s);

extern const char *const pf_aim_names[PF_AIMS]; /* "cpu", "rss", "idle", "p99" */
/* The metric of bench that stands for an aim. */
const char *pf_aim_metric(enum pf_aim aim, bool service);

#endif
