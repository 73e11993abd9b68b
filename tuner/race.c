/* race.c: see race.h. */
#include "tuner/race.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "stats/quantile.h"
#include "stats/spending.h"
#include "tuner/search_score.h"

enum {
	LOOKS = 8,
	STEP = 4, /* pairs between looks, at least */
	LEAST =
	    12, /* pairs from which a look may decide for a setting: before, looks only drop some */
};

/* Shares of all pairs at which the race is looked at. */
static const double look_share[LOOKS] = {
    1 / 12.0, 1 / 6.0, 1 / 4.0, 1 / 3.0, 1 / 2.0, 2 / 3.0, 5 / 6.0, 1};

static const double alpha = 0.05; /* of the whole race, two-sided */
static const double power = 1.5;  /* how early it may be spent */
static const double matters = 0.03;
/* Who drops out gives up a chance, so these intervals need not be as sure as those that recommend. */
static const double drop_confidence = 0.8;
static const double metric_confidence = 0.95;

struct racer {
	struct pf_measured *own; /* owned; a round each */
	size_t capacity;
	bool running, capped;
};

struct race {
	struct pf_search *s;
	struct racer racers[PF_RACERS];
	struct pf_measured *today; /* owned */
	size_t rounds, capacity;
	bool over_cap; /* today's setting broke a cap in the search: who keeps it is looked for */
};

/* ---- comparisons ---- */

/*
 * The weighted change from `before` to `after` over n rounds; rounds in which nothing that counts
 * was measured are left out. `c` is all zeros where no round is left.
 */
static int
compare(const struct pf_search *s, const struct pf_measured *before,
    const struct pf_measured *after, size_t n, double confidence, struct pf_comparison *c,
    struct pf_error *err)
{
	double *one = NULL, *other;
	size_t used = 0;
	int rc = PF_CALLOC(one, 2 * n + 1, err);

	*c = (struct pf_comparison){0};
	if (rc)
		return rc;
	other = one + n;
	for (size_t i = 0; i < n; i++) {
		double change[PF_AIMS], weighted;

		for (int a = 0; a < PF_AIMS; a++)
			change[a] = log(after[i].value[a] / before[i].value[a]);
		weighted = pf_weighted_change(s, change);
		if (!isfinite(weighted))
			continue;
		one[used] = 1;
		other[used++] = exp(weighted);
	}
	if (used)
		rc = pf_compare_pairs(one, other, used, PF_SCALE_RATIO, confidence, c, err);
	free(one);
	return rc;
}

static double
median(double *values, size_t n)
{
	pf_sort(values, n);
	return pf_quantile(values, n, 0.5);
}

/* One aim by itself, for reports and caps. */
static int
compare_aim(const struct race *race, size_t racer, int aim, struct pf_error *err)
{
	struct pf_validation *v = &race->s->validations[racer];
	struct pf_bench_metric *m = &v->metric[aim];
	const struct pf_measured *own = race->racers[racer].own;
	double *before = NULL, *after;
	size_t used = 0;
	int rc = PF_CALLOC(before, 2 * v->rounds + 1, err);

	if (rc)
		return rc;
	after = before + v->rounds;
	*m = (struct pf_bench_metric){.adjusted_p = 1};
	for (size_t i = 0; i < v->rounds; i++) {
		if (isnan(race->today[i].value[aim]) || isnan(own[i].value[aim]))
			continue;
		before[used] = race->today[i].value[aim];
		after[used++] = own[i].value[aim];
	}
	v->has_metric[aim] = used > 0;
	if (used)
		rc = pf_compare_pairs(
		    before, after, used, PF_SCALE_RATIO, metric_confidence, &m->comparison, err);
	if (used && !rc) {
		m->before = median(before, used);
		m->after = median(after, used);
		m->adjusted_p = m->comparison.p;
	}
	free(before);
	return rc;
}

/* Whether the whole interval of a racer's runs lies within the caps. */
static int
compare_caps(
    const struct race *race, size_t racer, double confidence, bool *kept, struct pf_error *err)
{
	const struct pf_measured *own = race->racers[racer].own;
	double *cap = NULL, *value;
	int rc = PF_CALLOC(cap, 2 * race->rounds + 1, err);

	*kept = !rc;
	value = cap + race->rounds;
	for (int a = 0; !rc && *kept && a < PF_AIMS; a++) {
		struct pf_comparison c = {0};
		size_t used = 0;

		if (isnan(race->s->cap[a]))
			continue;
		for (size_t i = 0; i < race->rounds; i++) {
			if (isnan(own[i].value[a]))
				continue;
			cap[used] = race->s->cap[a];
			value[used++] = own[i].value[a];
		}
		if (used)
			rc =
			    pf_compare_pairs(cap, value, used, PF_SCALE_RATIO, confidence, &c, err);
		*kept = !used || (c.has_interval && c.high <= 0);
	}
	free(cap);
	return rc;
}

/* A look at a racer: what it shows so far, at this two-sided level; 0: nothing is decided yet. */
static int
look_at(struct race *race, size_t racer, double level, struct pf_error *err)
{
	struct pf_search *s = race->s;
	struct pf_validation *v = &s->validations[racer];
	struct racer *r = &race->racers[racer];
	struct pf_comparison c;
	double confidence = level > 0 ? 1 - level : drop_confidence;
	double before[PF_AIMS], after[PF_AIMS];
	bool over, kept = false;
	int rc = compare(s, race->today, r->own, race->rounds, confidence, &c, err);

	v->rounds = race->rounds;
	v->confidence = level > 0 ? 1 - level : NAN;
	v->change = c.change;
	v->low = c.has_interval && level > 0 ? c.low : -1;
	v->high = c.has_interval && level > 0 ? c.high : INFINITY;
	for (int a = 0; !rc && a < PF_AIMS; a++) {
		rc = compare_aim(race, racer, a, err);
		before[a] = v->has_metric[a] ? v->metric[a].before : NAN;
		after[a] = v->has_metric[a] ? v->metric[a].after : NAN;
	}
	if (rc)
		return rc;
	r->capped = pf_cap_excess(s, after) > 0;
	over = race->over_cap && pf_cap_excess(s, before) > 0;
	if (over && level > 0)
		rc = compare_caps(race, racer, confidence, &kept, err);
	v->supported = !r->capped && (over ? kept : v->high < 0);
	return rc;
}

/* ---- the race ---- */

/* The racer with the best change, among those that run or among those that are borne out; PF_RACERS: none. */
static size_t
first(const struct race *race, bool supported)
{
	const struct pf_validation *v = race->s->validations;
	size_t best = PF_RACERS;

	for (size_t i = 0; i < race->s->validation_count; i++) {
		const struct racer *r = &race->racers[i];

		if (supported ? !v[i].supported : !r->running || r->capped)
			continue;
		if (best == PF_RACERS || v[i].change < v[best].change)
			best = i;
	}
	return best;
}

/*
 * Somebody is borne out, and nobody who runs is ahead of it by enough to matter, or may be for all
 * that the pairs tell: a point estimate alone would often stop at the first of several good ones.
 */
static int
decide(const struct race *race, bool *decided, struct pf_error *err)
{
	const struct pf_search *s = race->s;
	size_t proven = first(race, true);
	int rc = 0;

	*decided = proven < PF_RACERS;
	for (size_t i = 0; !rc && *decided && i < s->validation_count; i++) {
		const struct racer *r = &race->racers[i];
		struct pf_comparison c;

		if (i == proven || !r->running || r->capped)
			continue;
		/* Over the rounds that both have: one may be borne out and yet have dropped out. */
		rc = compare(s, race->racers[proven].own, r->own, s->validations[proven].rounds,
		    drop_confidence, &c, err);
		*decided = c.has_interval && c.low > -matters;
	}
	return rc;
}

/* Who is behind the leader, or can't be better than today's by enough to matter, is out. */
static int
drop(struct race *race, struct pf_error *err)
{
	struct pf_search *s = race->s;
	size_t leader = first(race, false);
	int rc = 0;

	for (size_t i = 0; !rc && i < s->validation_count; i++) {
		struct racer *r = &race->racers[i];
		struct pf_comparison today, ahead = {0};

		if (!r->running)
			continue;
		rc = compare(s, race->today, r->own, race->rounds, drop_confidence, &today, err);
		if (!rc && leader < PF_RACERS && i != leader)
			rc = compare(s, race->racers[leader].own, r->own, race->rounds,
			    drop_confidence, &ahead, err);
		r->running = (race->over_cap || !(today.has_interval && today.low > -matters)) &&
			     !(ahead.has_interval && ahead.low > 0);
	}
	return rc;
}

/* So many more rounds of today's setting and of all that still run. */
static int
run(struct race *race, struct pf_runner *runner, size_t rounds, struct pf_random *rng,
    struct pf_error *err)
{
	struct pf_search *s = race->s;
	struct pf_batch batch = {.rounds = rounds, .seed = pf_random_u64(rng) >> 32};
	size_t need = race->rounds + rounds;
	int rc = 0;

	for (size_t i = 0; i < s->validation_count; i++) {
		if (race->racers[i].running)
			batch.trials[batch.n++] = s->validations[i].trial;
	}
	rc = pf_run_batch(s, runner, &batch, err);
	s->validation_runs += batch.complete * (batch.n + 1);
	if (!rc)
		rc = PF_GROW(race->today, race->capacity, need, err);
	for (size_t i = 0, at = 1; !rc && i < s->validation_count; i++) {
		struct racer *r = &race->racers[i];

		r->running &= !s->trials[s->validations[i].trial].failed;
		if (!r->running)
			continue;
		rc = PF_GROW(r->own, r->capacity, need, err);
		for (size_t round = 0; !rc && round < batch.complete; round++)
			r->own[race->rounds + round] = batch.measured[round * (batch.n + 1) + at];
		at++;
	}
	for (size_t round = 0; !rc && round < batch.complete; round++)
		race->today[race->rounds++] = batch.measured[round * (batch.n + 1)];
	free(batch.measured);
	return rc;
}

/*
 * The most promising, none beside its neighbour on a dial, which tells the same: those that seem
 * better than today's, or, where today's breaks a cap, that keep it.
 */
static void
line_up(struct race *race, const size_t *which, size_t n, size_t most)
{
	struct pf_search *s = race->s;

	for (size_t i = 0; i < n && s->validation_count < most; i++) {
		const struct pf_trial *t = &s->trials[which[i]];
		bool near = false, promising = race->over_cap ? !t->capped : t->rank < 0;

		for (size_t j = 0; j < s->validation_count; j++)
			near |= pf_are_neighbours(
			    &t->setting, &s->trials[s->validations[j].trial].setting);
		if (near || !promising)
			continue;
		race->racers[s->validation_count].running = true;
		s->validations[s->validation_count++] = (struct pf_validation){.trial = which[i]};
	}
}

/*
 * So many can race that each may still be decided: with n pairs no two-sided test gives
 * less than 2^(1 - n), and each has its part of alpha. 6 pairs decide one, 8 decide four.
 */
static size_t
most_racers(size_t pairs)
{
	double most = alpha * exp2((double)pairs - 1);

	return most < PF_RACERS ? (size_t)most : PF_RACERS;
}

/* When the race is looked at, and how much each look may decide at. */
struct plan {
	size_t looks, at[LOOKS]; /* pairs so far */
	double level[LOOKS];     /* 0: the look decides for nobody */
};

static void
plan(struct plan *p, size_t pairs, size_t racers)
{
	double share[LOOKS], level[LOOKS];
	size_t deciding = 0;

	*p = (struct plan){0};
	for (size_t k = 0; k < LOOKS; k++) {
		size_t at = (size_t)(look_share[k] * (double)pairs + 0.5);

		if (at < STEP || (p->looks && at < p->at[p->looks - 1] + STEP)) {
			if (k + 1 < LOOKS)
				continue;
			p->looks -= p->looks > 0; /* the last look is at all pairs */
			deciding -= deciding > 0;
		}
		p->at[p->looks++] = at;
		if (at >= LEAST || k + 1 == LOOKS)
			share[deciding++] = (double)at / (double)pairs;
	}
	pf_spending_levels(share, deciding, alpha / (double)racers, power, level);
	memcpy(&p->level[p->looks - deciding], level, deciding * sizeof *level);
}

size_t
pf_race_runs(size_t pairs)
{
	return pairs * (PF_RACERS + 1);
}

int
pf_race(struct pf_search *s, struct pf_runner *runner, const size_t *which, size_t n, size_t pairs,
    struct pf_random *rng, struct pf_error *err)
{
	struct race race = {.s = s, .over_cap = s->trials[0].capped};
	struct plan p;
	bool decided = false;
	int rc = 0;

	line_up(&race, which, n, most_racers(pairs));
	if (!s->validation_count)
		return 0;
	plan(&p, pairs, s->validation_count);
	for (size_t k = 0; !rc && k < p.looks; k++) {
		rc = run(&race, runner, p.at[k] - race.rounds, rng, err);
		for (size_t i = 0; !rc && i < s->validation_count; i++) {
			if (race.racers[i].running)
				rc = look_at(&race, i, p.level[k], err);
		}
		if (!rc)
			rc = decide(&race, &decided, err);
		if (rc || decided)
			break;
		rc = drop(&race, err);
		if (first(&race, false) == PF_RACERS)
			break;
	}
	for (size_t i = 0; i < PF_RACERS; i++)
		free(race.racers[i].own);
	free(race.today);
	return rc;
}
