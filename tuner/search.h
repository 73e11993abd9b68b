/*
 * search.h: settings tried on a command, through profuse/bench.h.
 *
 * First every setting runs once, beside today's. From then on a model says what each
 * may be worth (search_model.h), and in each round run today's and the three that may
 * still be the best, until the budget is spent: two runs a setting. What a
 * round cost in general is taken out of it (search_score.h). Then the most promising
 * is validated in pairs with today's (validate.h), and where it is not borne out,
 * what is most promising after that.
 * Only what is borne out is recommended. Where today's setting breaks a cap, those
 * that keep it are validated, and one is borne out by keeping it.
 *
 * What decides here knows nothing of processes: runs come from a runner (runner.h),
 * which is a bench, or a simulation in tests.
 */
#ifndef PF_TUNER_SEARCH_H
#define PF_TUNER_SEARCH_H

#include <profuse/bench.h>
#include <profuse/tune.h>

#include "tuner/settings.h"

enum { PF_CANDIDATES = 2, PF_SCALES = 4 };

enum { PF_GRID_RUNS = 5 }; /* a setting: the grid that a search's runs are held against */

enum pf_aim { PF_AIM_CPU, PF_AIM_RSS, PF_AIM_IDLE, PF_AIM_P99, PF_AIMS };

/* A run of a setting. Every round has one of today's setting as well. */
struct pf_measured {
	size_t round;           /* from 0, over the search and the validation */
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
	 * The same as the model has it (search_model.h), from the runs of similar settings too, and far
	 * behind where a cap is broken: what the search goes by, and nobody is shown.
	 */
	double rank, doubt;
	bool failed, capped, pareto, validated; /* capped: breaks a cap */
	char failure[200];
};

/* What the pairs showed of a setting that the search chose. */
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
	size_t rounds;                /* those of the validation among them */
	double scales[PF_SCALES];     /* the model's; */
	bool estimated;               /* they are of runs */
	size_t runs, validation_runs; /* blocks, today's among them */
	size_t budget;                /* runs before the validation, at most */
	size_t sweep;                 /* runs of every setting once, today's with each batch */
	uint64_t seed;
	bool service, exhaustive;
	bool interrupted; /* nothing runs any more, and nothing is recommended */
	struct pf_validation validations[PF_CANDIDATES];
	size_t validation_count;
	char verdict[800];
};

/* "cpu=1,rss=0.5" and "rss_peak<=512MiB". PF_EUSAGE. */
int pf_aims_parse(struct pf_search *s, const char *weights, const char *const *caps,
    size_t cap_count, struct pf_error *err);

/* Whether it is to count, or must hold. */
static inline bool
pf_aim_asked(const struct pf_search *s, int aim)
{
	return s->weight[aim] > 0 || s->cap[aim] >= 0;
}

/* PF_EUSAGE where something is asked for that only services show, and the command is none. */
int pf_aims_check(const struct pf_search *s, struct pf_error *err);

/*
 * Runs it all on a command, with the settings that there are to try on it. PF_EIO
 * where today's setting does not run; PF_EINPUT, PF_EUSAGE, PF_ENOMEM.
 */
int pf_search_run(
    struct pf_search *s, const struct pf_try_options *o, double memory_limit, struct pf_error *err);

/* How much may run. */
struct pf_search_extent {
	size_t
	    runs; /* before the validation, but everything once; 0: two for each setting and today's */
	size_t pairs; /* of each validation; 0: PF_TRY_PAIRS */
	size_t grid;  /* above 0: every setting so often instead, and nothing is compared */
};

/*
 * The search itself, over the settings in s->trials and the runs that `runner`
 * makes. s->seed decides the order. Fails as the runner does, where that is not
 * the fault of one setting; PF_EIO where no run of today's shows what was asked for; PF_EINCONCLUSIVE where an
 * interruption came before the first round was whole; PF_ENOMEM. Interrupted later, it ends as it stands, with s->interrupted.
 */
struct pf_runner;
int pf_search_with(struct pf_search *s, struct pf_runner *runner,
    const struct pf_search_extent *extent, struct pf_error *err);
void pf_search_free(struct pf_search *s);

/* Writes the verdict (search_verdict.c). */
void pf_search_conclude(struct pf_search *s);
/* Whether short reports list a trial: today's, what no other beats in CPU and memory, what a verdict may name. */
bool pf_search_lists(const struct pf_search *s, size_t trial);

/* What ran, for people: "86 runs (40 % of a grid of 5 a setting) and 24 to validate". */
void pf_search_spent_text(const struct pf_search *s, char *text, size_t room);
/* Runs of that grid. */
size_t pf_search_grid_runs(const struct pf_search *s);

/* What came of the recommended trial in pairs, or NULL: today's setting stays. */
const struct pf_validation *pf_search_proof(const struct pf_search *s);
/* That trial, or NULL. */
const struct pf_trial *pf_search_winner(const struct pf_search *s);

extern const char *const pf_aim_names[PF_AIMS]; /* "cpu", "rss", "idle", "p99" */
/* A value of it for people; `text` has PF_AMOUNT_ROOM. */
const char *pf_aim_amount(char *text, double value, enum pf_aim aim);
/* The metric of bench that stands for an aim. */
const char *pf_aim_metric(enum pf_aim aim, bool service);

#endif
