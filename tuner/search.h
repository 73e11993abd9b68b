/*
 * search.h: settings tried on a command, through profuse/bench.h.
 *
 * First halving: every setting runs once, the better two fifths once more, and the
 * better two fifths of these three times more. Each round has today's setting in it,
 * in random order with the others; what a round cost in general is taken out of it
 * (search_score.h), and along a dial (GOGC) neighbours count for each other. Then a
 * race (race.h): the most promising run beside today's in rounds of their own until
 * the best of them is borne out as better, or none can be better by enough to matter.
 * Only what is borne out is recommended. Where today's setting breaks a cap, those
 * that keep it race, and one is borne out by keeping it.
 *
 * What decides here knows nothing of processes: runs come from a runner (runner.h),
 * which is a bench, or a simulation in tests.
 */
#ifndef PF_TUNER_SEARCH_H
#define PF_TUNER_SEARCH_H

#include <profuse/bench.h>
#include <profuse/tune.h>

#include "tuner/settings.h"

enum { PF_RACERS = 4 };

enum pf_aim { PF_AIM_CPU, PF_AIM_RSS, PF_AIM_IDLE, PF_AIM_P99, PF_AIMS };

/* A run of a setting. Every round has one of today's setting as well. */
struct pf_measured {
	size_t round;           /* from 0, over the whole search, or over the race */
	double value[PF_AIMS];  /* seconds, bytes; NaN: not measured */
	double change[PF_AIMS]; /* ln(value / what today's would have needed in this round) */
};

/* A setting and what came of its runs. */
struct pf_trial {
	struct pf_setting setting;
	struct pf_measured *measured; /* owned */
	size_t runs, capacity;
	double value[PF_AIMS]; /* today's median times the median change; NaN: not measured */
	double score;          /* weighted mean of the median changes; lower is better */
	/*
	 * The same, drawn towards its neighbours' on a dial, and far behind where a cap is broken:
	 * what the search goes by, and nobody is shown.
	 */
	double rank;
	bool failed, capped, pareto; /* capped: breaks a cap */
	char failure[200];
};

/* What the race showed of one of its settings. */
struct pf_validation {
	/*
	 * The whole interval is an improvement, and caps are kept; or, where today's setting breaks
	 * a cap, the interval of this one's runs keeps it, whatever else it costs.
	 */
	bool supported;
	size_t trial, rounds;
	/* Of the weighted change: 0.03 is +3 %. The confidence is that of the last look at it. */
	double change, low, high, confidence;
	struct pf_bench_metric metric[PF_AIMS];
	bool has_metric[PF_AIMS];
};

struct pf_search {
	char *command;                         /* owned */
	double weight[PF_AIMS], cap[PF_AIMS];  /* cap: NaN: none */
	struct pf_trial trials[PF_MOST_TRIED]; /* [0] is today's */
	size_t count;
	size_t rounds;                /* of the halving */
	size_t runs, validation_runs; /* blocks, today's among them */
	uint64_t seed;
	bool service, exhaustive;
	struct pf_validation validations[PF_RACERS];
	size_t validation_count;
	char verdict[800];
};

/* "cpu=1,rss=0.5" and "rss_peak<=512MiB". PF_EUSAGE. */
int pf_aims_parse(struct pf_search *s, const char *weights, const char *const *caps,
    size_t cap_count, struct pf_error *err);

/*
 * Runs it all on a command, with the settings that there are to try on it. PF_EIO
 * where today's setting does not run; PF_EINPUT, PF_EUSAGE, PF_ENOMEM.
 */
int pf_search_run(
    struct pf_search *s, const struct pf_try_options *o, double memory_limit, struct pf_error *err);

/*
 * The search itself, over the settings in s->trials and the runs that `runner`
 * makes: `pairs` bounds the rounds of the race; grid > 0: every setting runs so
 * often instead, and nothing is compared. s->seed decides the order. Fails as the
 * runner does, where that is not the fault of one setting; PF_ENOMEM.
 */
struct pf_runner;
int pf_search_with(
    struct pf_search *s, struct pf_runner *runner, size_t pairs, size_t grid, struct pf_error *err);
void pf_search_free(struct pf_search *s);

/* Writes the verdict (search_verdict.c). */
void pf_search_conclude(struct pf_search *s);
/* Whether short reports list a trial: today's, what no other beats in CPU and memory, what a verdict may name. */
bool pf_search_lists(const struct pf_search *s, size_t trial);

/* What came of the recommended trial in the race, or NULL: today's setting stays. */
const struct pf_validation *pf_search_proof(const struct pf_search *s);
/* That trial, or NULL. */
const struct pf_trial *pf_search_winner(const struct pf_search *s);

extern const char *const pf_aim_names[PF_AIMS]; /* "cpu", "rss", "idle", "p99" */
/* The metric of bench that stands for an aim. */
const char *pf_aim_metric(enum pf_aim aim, bool service);

#endif
