/*
 * search.c: the highest rate that keeps the objectives: doubling until one is not
 * kept, then halving the gap. Whether a rate is kept is the median of three
 * blocks once the gap is small, so that one unlucky block doesn't decide.
 */
#include <profuse/bench.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/gate.h"
#include "core/error.h"
#include "core/memory.h"
#include "stats/quantile.h"

enum { MOST_OBJECTIVES = 16, BLOCKS = 3, MOST_TRIALS = 64 };

static const double first_rate = 100, highest_rate = 1e6, answered = 0.98;

struct search {
	struct pf_bench_search *result;
	struct pf_bench_options options;
	struct pf_gate objectives[MOST_OBJECTIVES];
	size_t objective_count;
	void (*tried)(void *context, const struct pf_bench_trial *trial);
	void *context;
};

static double
median_of(const struct pf_bench *b, const char *name)
{
	double values[BLOCKS];
	size_t n = 0;

	for (size_t i = 0; i < pf_bench_rounds(b) && n < BLOCKS; i++)
		n += pf_bench_value(b, i, 0, name, &values[n]);
	pf_sort(values, n);
	return n ? pf_quantile(values, n, 0.5) : NAN;
}

static bool
keeps(const struct pf_gate *objective, const struct pf_bench *b)
{
	double value = median_of(b, pf_metric_infos[objective->metric].name);

	return objective->at_least ? value >= objective->limit : value <= objective->limit;
}

static void
judge(const struct search *s, const struct pf_bench *b, struct pf_bench_trial *t)
{
	t->p99 = median_of(b, "p99");
	t->errors = median_of(b, "errors");
	t->throughput = median_of(b, "throughput");
	t->kept = true;
	for (size_t i = 0; t->kept && i < s->objective_count; i++) {
		t->kept = keeps(&s->objectives[i], b);
		t->reason = t->kept ? NULL : s->objectives[i].text;
	}
	/* Fewer answers than requests: what is left would pile up, however quick the rest. */
	if (t->kept && t->throughput < answered * t->rate * (1 - t->errors)) {
		t->kept = false;
		t->reason = "throughput";
	}
}

/* PF_EIO of the run is an answer too: at this rate nothing works any more. */
static int
try_rate(struct search *s, double rate, size_t blocks, bool *kept, struct pf_error *err)
{
	struct pf_bench_search *r = s->result;
	struct pf_bench_trial *t;
	struct pf_bench *bench = NULL;
	int rc;

	if (r->trial_count == MOST_TRIALS)
		return pf_error_set(err, PF_EINCONCLUSIVE,
		    "%d trials brought no answer: the service is too unsteady for one",
		    MOST_TRIALS);
	t = &r->trials[r->trial_count];
	*t = (struct pf_bench_trial){.rate = rate};
	s->options.rate = rate;
	s->options.pairs = blocks;
	rc = pf_bench_run(&bench, &s->options, err);
	if (rc)
		return rc;
	judge(s, bench, t);
	r->interrupted = pf_bench_rounds(bench) < blocks;
	pf_bench_free(bench);
	r->trial_count++;
	*kept = t->kept;
	if (t->kept)
		r->rate = rate;
	else
		r->failed = rate;
	if (s->tried)
		s->tried(s->context, t);
	return 0;
}

/* From where the caller said, up or down by twos until one rate is kept and one is not. */
static int
bracket(struct search *s, double rate, struct pf_error *err)
{
	struct pf_bench_search *r = s->result;
	bool kept;
	int rc = try_rate(s, rate, 1, &kept, err);

	while (!rc && !r->interrupted && !r->failed && r->rate < highest_rate)
		rc = try_rate(s, fmin(highest_rate, r->rate * 2), 1, &kept, err);
	while (!rc && !r->interrupted && r->rate <= 0 && r->failed * s->options.duration >= 4)
		rc = try_rate(s, r->failed / 2, 1, &kept, err);
	return rc;
}

static int
narrow(struct search *s, double precision, struct pf_error *err)
{
	struct pf_bench_search *r = s->result;
	bool confirmed = false, kept;
	int rc = 0;

	while (!rc && !r->interrupted && r->rate > 0 && r->failed > 0 &&
	       (!confirmed || r->failed > r->rate * (1 + precision))) {
		bool close = r->failed <= r->rate * (1 + 4 * precision);
		/* The last word is about the kept rate itself, by three blocks. */
		bool last = r->failed <= r->rate * (1 + precision);
		double rate = last ? r->rate : sqrt(r->rate * r->failed), below = r->rate;

		rc = try_rate(s, rate, close ? BLOCKS : 1, &kept, err);
		if (!rc && last) {
			confirmed = kept;
			if (!kept)
				r->rate = below / (1 + precision);
		}
	}
	return rc;
}

static int
take_objectives(struct search *s, const char *const *texts, size_t count, struct pf_error *err)
{
	int rc = 0;

	if (count == 0 || count > MOST_OBJECTIVES)
		return pf_error_set(err, PF_EUSAGE,
		    "a search needs 1 to %d objectives, such as p99<=20ms", MOST_OBJECTIVES);
	for (size_t i = 0; !rc && i < count; i++) {
		struct pf_gate *g = &s->objectives[i];
		rc = pf_gate_parse(g, texts[i], err);
		if (!rc && (g->relative || !(pf_metric_infos[g->metric].of & PF_OF_SERVICES)))
			rc = pf_error_set(err, PF_EUSAGE,
			    "--slo %s: an objective is absolute and about a service, as p99<=20ms",
			    texts[i]);
	}
	s->objective_count = count;
	return rc;
}

int
pf_bench_search(struct pf_bench_search *result, const struct pf_bench_options *options,
    const char *const *objectives, size_t objective_count, double precision,
    void (*tried)(void *context, const struct pf_bench_trial *trial), void *context,
    struct pf_error *err)
{
	struct search s = {.result = result, .tried = tried, .context = context};
	int rc;

	if (options->struct_size != sizeof s.options || options->variant_count != 1 ||
	    !(precision >= 0.005 && precision <= 1))
		return pf_error_set(err, PF_EUSAGE,
		    "a search is about one service, to a precision between 0.5 and 100 %%");
	s.options = *options;
	s.options.repeats = 0;
	rc = take_objectives(&s, objectives, objective_count, err);
	if (!rc)
		rc = PF_CALLOC(result->trials, MOST_TRIALS, err);
	if (!rc)
		rc = bracket(&s,
		    options->rate > 0 && !isinf(options->rate) ? options->rate : first_rate, err);
	if (!rc)
		rc = narrow(&s, precision, err);
	if (rc == PF_EINCONCLUSIVE && result->trial_count) {
		result->interrupted = true;
		rc = 0;
	}
	return rc;
}

void
pf_bench_search_release(struct pf_bench_search *r)
{
	free(r->trials);
	*r = (struct pf_bench_search){0};
}
