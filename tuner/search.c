/* search.c: what runs next, and what is validated: see search.h. */
#include "tuner/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "stats/random.h"
#include "tuner/runner.h"
#include "tuner/search_score.h"
#include "tuner/validate.h"

enum {
	OTHERS = PF_BATCH - 1, /* beside today's, in a batch of the first round */
	WIDTH = 3,             /* beside today's, in each round after it */
	RUNS_A_SETTING = 2,    /* on the average */
};

/* How many standard deviations a setting may be better than it seems, for the sake of finding out. */
static const double hope = 1.5;

struct searching {
	struct pf_search *s;
	struct pf_runner *runner;
	struct pf_random rng;
};

/* ---- runs ---- */

static int
add_run(struct pf_trial *t, size_t round, const struct pf_measured *measured, struct pf_error *err)
{
	int rc = PF_GROW(t->measured, t->capacity, t->runs + 1, err);

	if (rc)
		return rc;
	t->measured[t->runs] = *measured;
	t->measured[t->runs++].round = round;
	return 0;
}

int
pf_search_rounds(struct pf_search *s, struct pf_runner *runner, const size_t *which, size_t n,
    size_t rounds, struct pf_random *rng, size_t *runs, struct pf_error *err)
{
	struct pf_batch b = {.n = n, .rounds = rounds, .seed = pf_random_u64(rng) >> 32};
	const struct pf_measured *at;
	int rc;

	memcpy(b.trials, which, n * sizeof *which);
	rc = pf_run_batch(s, runner, &b, err);
	if (rc == PF_EINCONCLUSIVE) {
		s->interrupted = true;
		rc = 0;
	}
	*runs += b.complete * b.n;
	at = b.measured;
	for (size_t round = 0; !rc && round < b.complete; round++) {
		for (size_t v = 0; !rc && v < b.n; v++)
			rc = add_run(&s->trials[b.trials[v]], s->rounds, at++, err);
		s->rounds++;
	}
	free(b.measured);
	return rc;
}

static size_t
batches_of(size_t n)
{
	return (n + OTHERS - 1) / OTHERS;
}

/* All of `which`, each batch with today's, drawn by lot and of equal size: no setting runs nearly alone. */
static int
run_beside_today(struct searching *g, size_t *which, size_t n, size_t rounds, struct pf_error *err)
{
	size_t parts = batches_of(n), from = 0;
	int rc = 0;

	for (size_t i = n; i > 1; i--) {
		size_t j = pf_random_below(&g->rng, i), keep = which[i - 1];
		which[i - 1] = which[j];
		which[j] = keep;
	}
	for (size_t part = 0; !rc && !g->s->interrupted && part < parts; part++) {
		size_t to = n * (part + 1) / parts, batch[PF_BATCH] = {0};

		memcpy(batch + 1, which + from, (to - from) * sizeof *which);
		rc = pf_search_rounds(
		    g->s, g->runner, batch, to - from + 1, rounds, &g->rng, &g->s->runs, err);
		from = to;
	}
	if (!rc && g->s->interrupted && !g->s->runs)
		return pf_error_set(err, PF_EINCONCLUSIVE,
		    "interrupted before every setting of the first batch had run: nothing was "
		    "measured");
	return rc ? rc : pf_search_score(g->s, err);
}

/* ---- the search ---- */

/* Those others that may be the best, for all that is known: the lowest first. */
static size_t
hopeful(const struct pf_search *s, size_t *which, size_t most)
{
	double hopes[WIDTH];
	size_t n = 0;

	for (size_t i = 1; i < s->count; i++) {
		const struct pf_trial *t = &s->trials[i];
		double hopes_for = t->rank - hope * t->doubt;
		size_t at;

		if (t->failed || (n == most && hopes_for >= hopes[n - 1]))
			continue;
		at = n < most ? n++ : n - 1;
		for (; at && hopes[at - 1] > hopes_for; at--) {
			hopes[at] = hopes[at - 1];
			which[at] = which[at - 1];
		}
		hopes[at] = hopes_for;
		which[at] = i;
	}
	return n;
}

/*
 * Spends what the first round has left of the budget in rounds of those that may be the best.
 * Today's is in each, for it was beside all others: a round of the same few again and again would
 * tell them from each other only, and never show that all of them had been lucky once.
 */
static int
explore(struct searching *g, struct pf_error *err)
{
	struct pf_search *s = g->s;
	int rc = 0;

	while (!rc && !s->interrupted && s->runs + 1 < s->budget) {
		size_t which[1 + WIDTH] = {0}, left = s->budget - s->runs - 1;
		size_t n = hopeful(s, which + 1, left < WIDTH ? left : WIDTH);

		if (!n) /* nothing else runs */
			break;
		rc = pf_search_rounds(s, g->runner, which, n + 1, 1, &g->rng, &s->runs, err);
		if (!rc)
			rc = pf_search_score(s, err);
	}
	return rc;
}

/*
 * The best of those that ran and were not validated yet, if it promises anything; 0: none does.
 * Where today's breaks a cap, its rank is behind all that keep it.
 */
static size_t
candidate(const struct pf_search *s)
{
	size_t best = 0;

	for (size_t i = 1; i < s->count; i++) {
		const struct pf_trial *t = &s->trials[i];

		if (!t->failed && t->runs && !t->capped && !t->validated &&
		    t->rank < s->trials[best].rank)
			best = i;
	}
	return best;
}

/* The most promising, and as many more as it takes until one is borne out. */
static int
validate(struct searching *g, size_t pairs, struct pf_error *err)
{
	struct pf_search *s = g->s;
	int rc = 0;

	while (!rc && !s->interrupted && !pf_search_proof(s) &&
	       s->validation_count < pf_candidates(pairs)) {
		size_t best = candidate(s);

		if (!best)
			break;
		rc = pf_validate(s, g->runner, best, pairs, &g->rng, err);
		if (!rc)
			rc = pf_search_score(s, err);
	}
	return rc;
}

int
pf_search_with(struct pf_search *s, struct pf_runner *runner, const struct pf_search_extent *extent,
    struct pf_error *err)
{
	struct searching g = {.s = s, .runner = runner};
	size_t pairs = extent->pairs ? extent->pairs : PF_TRY_PAIRS, n = s->count - 1;
	size_t all[PF_MOST_TRIED];
	int rc;

	pf_random_init(&g.rng, s->seed);
	s->exhaustive = extent->grid > 0;
	for (size_t i = 0; i < s->count; i++) {
		for (int a = 0; a < PF_AIMS; a++)
			s->trials[i].value[a] = NAN;
	}
	for (size_t i = 0; i < n; i++)
		all[i] = i + 1;
	s->sweep = n + batches_of(n);
	s->budget = extent->runs ? extent->runs : RUNS_A_SETTING * s->sweep;
	runner->planned =
	    s->exhaustive ? extent->grid * s->sweep : s->budget + 2 * PF_CANDIDATES * pairs;
	rc = run_beside_today(&g, all, n, s->exhaustive ? extent->grid : 1, err);
	if (!rc && !s->exhaustive)
		rc = explore(&g, err);
	if (!rc && !s->exhaustive)
		rc = validate(&g, pairs, err);
	if (!rc)
		pf_search_conclude(s);
	return rc;
}

int
pf_search_run(
    struct pf_search *s, const struct pf_try_options *o, double memory_limit, struct pf_error *err)
{
	struct pf_setting *settings;
	struct pf_program program;
	struct pf_bench_runner runner;
	const struct pf_search_extent extent = {
	    .runs = o->runs, .pairs = o->pairs, .grid = o->grid};
	int rc = PF_CALLOC(settings, PF_MOST_TRIED, err);

	if (rc)
		return rc;
	pf_program_inspect(&program, s->command);
	if (o->go)
		program.go = true;
	rc = pf_settings_list(settings, &s->count, &program, o->allocators, memory_limit, err);
	for (size_t i = 0; !rc && i < s->count; i++)
		s->trials[i].setting = settings[i];
	free(settings);
	s->seed = o->bench->has_seed ? o->bench->seed : pf_random_seed() >> 32;
	pf_bench_runner_init(&runner, o, s->command);
	return rc ? rc : pf_search_with(s, &runner.runner, &extent, err);
}

void
pf_search_free(struct pf_search *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++)
		free(s->trials[i].measured);
	free(s->command);
	free(s);
}
