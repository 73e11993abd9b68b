/* search.c: the halving, and what it hands to the race: see search.h. */
#include "tuner/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "stats/random.h"
#include "tuner/race.h"
#include "tuner/runner.h"
#include "tuner/search_score.h"

enum {
	STAGES = 3,
};

static const size_t rounds_of[STAGES] = {1, 1, 3};

struct searching {
	struct pf_search *s;
	struct pf_runner *runner;
	struct pf_random rng;
};

/* ---- the halving ---- */

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

static int
batch(struct searching *g, const size_t *which, size_t n, size_t rounds, struct pf_error *err)
{
	struct pf_search *s = g->s;
	struct pf_batch b = {.n = n, .rounds = rounds, .seed = pf_random_u64(&g->rng) >> 32};
	const struct pf_measured *at;
	int rc;

	memcpy(b.trials, which, n * sizeof *which);
	rc = pf_run_batch(s, g->runner, &b, err);
	s->runs += b.complete * (b.n + 1);
	at = b.measured;
	for (size_t round = 0; !rc && round < b.complete; round++) {
		for (size_t v = 0; !rc && v <= b.n; v++)
			rc = add_run(&s->trials[v ? b.trials[v - 1] : 0], s->rounds, at++, err);
		s->rounds++;
	}
	free(b.measured);
	return rc;
}

/* All of `which` for some rounds, in batches that are drawn anew. */
static int
stage(struct searching *g, size_t *which, size_t n, size_t rounds, struct pf_error *err)
{
	size_t parts = (n + PF_BATCH - 1) / PF_BATCH, from = 0;
	int rc = 0;

	for (size_t i = n; i > 1; i--) {
		size_t j = pf_random_below(&g->rng, i), keep = which[i - 1];
		which[i - 1] = which[j];
		which[j] = keep;
	}
	/* Parts of equal size, so that no setting runs nearly alone. */
	for (size_t part = 0; !rc && part < parts; part++) {
		size_t to = n * (part + 1) / parts;
		rc = batch(g, which + from, to - from, rounds, err);
		from = to;
	}
	return rc ? rc : pf_search_score(g->s, err);
}

/* Puts the better ones first; how many of the first `keep` go on (what failed does not). */
static size_t
cut(struct searching *g, size_t *which, size_t n, size_t keep)
{
	const struct pf_trial *trials = g->s->trials;
	size_t alive = 0;

	for (size_t i = 1; i < n; i++) {
		size_t moving = which[i], at = i;
		for (; at && trials[which[at - 1]].rank > trials[moving].rank; at--)
			which[at] = which[at - 1];
		which[at] = moving;
	}
	while (alive < n && alive < keep && isfinite(trials[which[alive]].score))
		alive++;
	return alive;
}

/* How many of n go on to the next stage. */
static size_t
kept(size_t n)
{
	size_t better = (2 * n + 4) / 5;

	return better < PF_RACERS ? (n < PF_RACERS ? n : PF_RACERS) : better;
}

/* Runs of the halving: n others, and today's with each batch. */
static size_t
planned_runs(size_t n, size_t grid)
{
	size_t runs = 0, all = n;

	if (grid)
		return (n + (n + PF_BATCH - 1) / PF_BATCH) * grid;
	for (int at = 0; at < STAGES; at++) {
		runs += (all + (all + PF_BATCH - 1) / PF_BATCH) * rounds_of[at];
		all = kept(all);
	}
	return runs;
}

/* Leaves in `which` those that got through, the most promising first. */
static int
halve(struct searching *g, size_t *which, size_t *n, struct pf_error *err)
{
	int rc = 0;

	for (int at = 0; !rc && at < STAGES && *n; at++) {
		rc = stage(g, which, *n, rounds_of[at], err);
		if (!rc)
			*n = cut(g, which, *n, at + 1 < STAGES ? kept(*n) : *n);
	}
	return rc;
}

/* ---- the search ---- */

int
pf_search_with(
    struct pf_search *s, struct pf_runner *runner, size_t pairs, size_t grid, struct pf_error *err)
{
	struct searching g = {.s = s, .runner = runner};
	size_t which[PF_MOST_TRIED], n = 0;
	int rc;

	if (!pairs)
		pairs = PF_TRY_PAIRS;
	pf_random_init(&g.rng, s->seed);
	s->exhaustive = grid > 0;
	for (size_t i = 0; i < s->count; i++) {
		for (int a = 0; a < PF_AIMS; a++)
			s->trials[i].value[a] = NAN;
		if (i)
			which[n++] = i;
	}
	runner->planned = planned_runs(n, grid) + (grid ? 0 : pf_race_runs(pairs));
	if (grid)
		rc = stage(&g, which, n, grid, err);
	else {
		rc = halve(&g, which, &n, err);
		if (!rc)
			rc = pf_race(s, runner, which, n, pairs, &g.rng, err);
	}
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
	s->service = o->bench->url_count > 0;
	s->seed = o->bench->has_seed ? o->bench->seed : pf_random_seed() >> 32;
	pf_bench_runner_init(&runner, o, s->command);
	return rc ? rc : pf_search_with(s, &runner.runner, o->pairs, o->grid, err);
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
