/* search.c: see search.h. */
#include "tuner/search.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "stats/quantile.h"
#include "stats/random.h"

enum {
	BATCH = PF_BENCH_VARIANTS - 1, /* beside today's */
	VALIDATION_PAIRS = 12,
	STAGES = 3,
};

#define DIAL_WIDTH 0.25
#define CAP_PENALTY 10.0 /* a cap that is not kept outweighs every gain */

static const size_t rounds_of[STAGES] = {1, 2, 4};

/* ---- scores ---- */

static double
median(const double *values, size_t n)
{
	double *sorted, m = NAN;

	if (!n || PF_CALLOC(sorted, n, NULL))
		return NAN;
	memcpy(sorted, values, n * sizeof *sorted);
	pf_sort(sorted, n);
	m = pf_quantile(sorted, n, 0.5);
	free(sorted);
	return m;
}

/* Of one run; NaN where something that counts was not measured. */
static double
weighted(const struct pf_search *s, const double *change)
{
	double sum = 0, weights = 0;

	for (int a = 0; a < PF_AIMS; a++) {
		if (s->weight[a] <= 0 || isnan(change[a]))
			continue;
		sum += s->weight[a] * change[a];
		weights += s->weight[a];
	}
	return weights > 0 ? sum / weights : NAN;
}

static void
score(struct pf_search *s, struct pf_trial *t)
{
	double change[PF_AIMS];
	bool today = t == &s->trials[0];

	for (int a = 0; a < PF_AIMS; a++) {
		change[a] = today ? 0 : median(t->change[a], t->runs);
		if (!today && !isnan(change[a]))
			t->value[a] = s->trials[0].value[a] * exp(change[a]);
	}
	t->score = weighted(s, change);
	t->capped = false;
	for (int a = 0; a < PF_AIMS; a++)
		t->capped |= t->value[a] > s->cap[a];
	if (t->capped)
		t->score += CAP_PENALTY;
	if (t->failed || isnan(t->score))
		t->score = INFINITY;
}

/*
 * Along a dial the curve is smooth: each setting is judged by the mean of its own
 * and its neighbours' scores, weighted by their runs and by how near they are (a
 * normal curve in the logarithm, a quarter wide: settings that differ by less than
 * that count nearly as one). Today's is one of them, its score 0.
 */
static double
smoothed(const struct pf_search *s, const struct pf_trial *t)
{
	double sum = 0, weights = 0;

	if (!(t->setting.dial > 0) || t->capped || !isfinite(t->score))
		return t->score;
	for (size_t i = 0; i < s->count; i++) {
		const struct pf_trial *u = &s->trials[i];
		double apart, weight;

		if (!(u->setting.dial > 0) || u->setting.series != t->setting.series || u->capped ||
		    !isfinite(u->score) || !u->runs)
			continue;
		apart = log(u->setting.dial / t->setting.dial) / DIAL_WIDTH;
		weight = (double)u->runs * exp(-apart * apart / 2);
		sum += weight * u->score;
		weights += weight;
	}
	return weights > 0 ? sum / weights : t->score;
}

/* No other setting is better in CPU and in memory. */
static void
mark_pareto(struct pf_search *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct pf_trial *t = &s->trials[i];

		t->pareto = !t->failed && t->runs > 0;
		for (size_t j = 0; j < s->count && t->pareto; j++) {
			const struct pf_trial *u = &s->trials[j];
			if (j == i || u->failed || !u->runs)
				continue;
			t->pareto = !(u->value[PF_AIM_CPU] <= t->value[PF_AIM_CPU] &&
				      u->value[PF_AIM_RSS] <= t->value[PF_AIM_RSS] &&
				      (u->value[PF_AIM_CPU] < t->value[PF_AIM_CPU] ||
					  u->value[PF_AIM_RSS] < t->value[PF_AIM_RSS]));
		}
	}
}

/* ---- runs ---- */

struct running {
	struct pf_search *s;
	const struct pf_try_options *o;
	double *today[PF_AIMS]; /* owned: values of today's runs */
	size_t today_count, today_capacity;
	size_t done, planned; /* blocks, for progress */
	struct pf_random rng;
};

static void
show_progress(void *context, const struct pf_bench_progress *p)
{
	struct running *r = context;

	if (r->o->progress)
		r->o->progress(r->o->progress_context, p->variant, r->done + p->block, r->planned);
}

static int
add_run(struct pf_trial *t, const double *change, struct pf_error *err)
{
	int rc = 0;

	for (int a = 0; !rc && a < PF_AIMS; a++) {
		size_t capacity = t->capacity;
		rc = PF_GROW(t->change[a], capacity, t->runs + 1, err);
		if (!rc)
			t->change[a][t->runs] = change[a];
		if (!rc && a == PF_AIMS - 1)
			t->capacity = capacity;
	}
	if (!rc)
		t->runs++;
	return rc;
}

static int
add_today(struct running *r, const double *value, struct pf_error *err)
{
	int rc = 0;

	for (int a = 0; !rc && a < PF_AIMS; a++) {
		size_t capacity = r->today_capacity;
		rc = PF_GROW(r->today[a], capacity, r->today_count + 1, err);
		if (!rc)
			r->today[a][r->today_count] = value[a];
		if (!rc && a == PF_AIMS - 1)
			r->today_capacity = capacity;
	}
	if (!rc)
		r->today_count++;
	return rc;
}

static void
values_of(const struct pf_search *s, const struct pf_bench *b, size_t round, size_t variant,
    double *value)
{
	for (int a = 0; a < PF_AIMS; a++) {
		if (!pf_bench_value(
			b, round, variant, pf_aim_metric((enum pf_aim)a, s->service), &value[a]) ||
		    !(value[a] > 0))
			value[a] = NAN;
	}
}

/* What a bench of today's and `which` measured. */
static int
take(struct running *r, const struct pf_bench *b, const size_t *which, size_t n,
    struct pf_error *err)
{
	struct pf_search *s = r->s;
	int rc = 0;

	for (size_t round = 0; !rc && round < pf_bench_rounds(b); round++) {
		double today[PF_AIMS], value[PF_AIMS];

		values_of(s, b, round, 0, today);
		rc = add_today(r, today, err);
		for (size_t i = 0; !rc && i < n; i++) {
			values_of(s, b, round, i + 1, value);
			for (int a = 0; a < PF_AIMS; a++)
				value[a] = log(value[a] / today[a]);
			rc = add_run(&s->trials[which[i]], value, err);
		}
	}
	return rc;
}

static int
bench(struct running *r, const size_t *which, size_t n, size_t rounds, struct pf_bench **b,
    struct pf_error *err)
{
	const char *variables[BATCH + 1][PF_SETTING_VARIABLES];
	struct pf_bench_variant variants[BATCH + 1] = {{.name = "today", .command = r->s->command}};
	struct pf_bench_options o = *r->o->bench;
	int rc;

	for (size_t i = 0; i < n; i++) {
		const struct pf_setting *setting = &r->s->trials[which[i]].setting;

		for (size_t v = 0; v < setting->variable_count; v++)
			variables[i][v] = setting->variables[v];
		variants[i + 1] = (struct pf_bench_variant){.name = setting->name,
		    .command = r->s->command,
		    .environment = variables[i],
		    .environment_count = setting->variable_count};
	}
	o.variants = variants;
	o.variant_count = n + 1;
	o.pairs = rounds;
	o.warmup_pairs = 0;
	o.looks = 1;
	o.repeats = 0;
	o.calibrate = 0;
	o.gates = NULL;
	o.gate_count = 0;
	o.has_seed = true;
	o.seed = pf_random_u64(&r->rng) >> 32;
	o.progress = show_progress;
	o.progress_context = r;
	rc = pf_bench_run(b, &o, err);
	r->done += rounds * (n + 1);
	return rc;
}

/* A setting with which the command does not run must not cost the others their runs. */
static int
batch(struct running *r, const size_t *which, size_t n, size_t rounds, struct pf_error *err)
{
	struct pf_bench *b = NULL;
	struct pf_error why = {0};
	int rc = bench(r, which, n, rounds, &b, &why);

	if (rc == PF_EIO && n == 1) {
		struct pf_trial *t = &r->s->trials[which[0]];
		/* Is it the setting, or does today's fail as well? The message begins with the variant's name. */
		if (strncmp(why.message, "today", 5) == 0)
			return pf_error_set(err, rc, "%s", why.message);
		t->failed = true;
		snprintf(t->failure, sizeof t->failure, "%.199s", why.message);
		return 0;
	}
	if (rc == PF_EIO && strncmp(why.message, "today", 5) != 0) {
		rc = 0;
		for (size_t i = 0; !rc && i < n; i++)
			rc = batch(r, &which[i], 1, rounds, err);
		return rc;
	}
	if (rc)
		return pf_error_set(err, rc, "%s", why.message);
	r->s->runs += pf_bench_rounds(b) * (n + 1);
	rc = take(r, b, which, n, err);
	pf_bench_free(b);
	return rc;
}

static void
score_all(struct running *r)
{
	struct pf_search *s = r->s;

	for (int a = 0; a < PF_AIMS; a++)
		s->trials[0].value[a] = median(r->today[a], r->today_count);
	s->trials[0].runs = r->today_count;
	for (size_t i = 0; i < s->count; i++)
		score(s, &s->trials[i]);
	for (size_t i = 0; i < s->count; i++)
		s->trials[i].rank = smoothed(s, &s->trials[i]);
	mark_pareto(s);
}

/* All of `which` for some rounds, in batches that are drawn anew. */
static int
stage(struct running *r, size_t *which, size_t n, size_t rounds, struct pf_error *err)
{
	size_t parts = (n + BATCH - 1) / BATCH, from = 0;
	int rc = 0;

	for (size_t i = n; i > 1; i--) {
		size_t j = pf_random_below(&r->rng, i), keep = which[i - 1];
		which[i - 1] = which[j];
		which[j] = keep;
	}
	/* Parts of equal size, so that no setting runs nearly alone. */
	for (size_t part = 0; !rc && part < parts; part++) {
		size_t to = n * (part + 1) / parts;
		rc = batch(r, which + from, to - from, rounds, err);
		from = to;
	}
	if (!rc)
		score_all(r);
	return rc;
}

/* Puts the better ones first; how many of the first `keep` go on (what failed does not). */
static size_t
cut(struct running *r, size_t *which, size_t n, size_t keep)
{
	const struct pf_trial *trials = r->s->trials;
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
	size_t quarter = (n + 3) / 4;

	return quarter < 4 ? (n < 4 ? n : 4) : quarter;
}

static size_t
planned_blocks(const struct running *r, size_t n)
{
	size_t blocks = 2 * r->o->pairs, all = n;

	for (int stage_at = 0; stage_at < STAGES; stage_at++) {
		blocks += (all + (all + BATCH - 1) / BATCH) * rounds_of[stage_at];
		all = kept(all);
	}
	return blocks;
}

static int
explore(struct running *r, size_t *which, size_t *n, struct pf_error *err)
{
	int rc = 0;

	if (r->o->grid)
		return stage(r, which, *n, r->o->grid, err);
	for (int at = 0; !rc && at < STAGES && *n; at++) {
		rc = stage(r, which, *n, rounds_of[at], err);
		if (!rc)
			*n = cut(r, which, *n, at + 1 < STAGES ? kept(*n) : *n);
	}
	return rc;
}

/* ---- validation ---- */

static int
compare(const struct pf_search *s, const struct pf_bench *b, struct pf_validation *v,
    struct pf_error *err)
{
	size_t n = pf_bench_rounds(b), used = 0;
	struct pf_comparison c;
	double *one = NULL, *other;
	int rc = PF_CALLOC(one, 2 * n + 1, err);

	if (rc)
		return rc;
	other = one + n;
	for (size_t round = 0; round < n; round++) {
		double today[PF_AIMS], value[PF_AIMS], change;

		values_of(s, b, round, 0, today);
		values_of(s, b, round, 1, value);
		for (int a = 0; a < PF_AIMS; a++)
			value[a] = log(value[a] / today[a]);
		change = weighted(s, value);
		if (isnan(change))
			continue;
		one[used] = 1;
		other[used++] = exp(change);
	}
	rc = pf_compare_pairs(one, other, used, PF_SCALE_RATIO, v->confidence, &c, err);
	if (!rc) {
		v->rounds = used;
		v->change = c.change;
		v->low = c.low;
		v->high = c.high;
		v->supported = c.has_interval && c.high < 0;
		for (int a = 0; a < PF_AIMS; a++) {
			v->has_metric[a] = pf_bench_metric(
			    b, 1, pf_aim_metric((enum pf_aim)a, s->service), &v->metric[a]);
			if (v->has_metric[a] && v->metric[a].after > s->cap[a])
				v->supported = false;
		}
	}
	free(one);
	return rc;
}

/* Up to three candidates, each at a confidence that makes all of them 95 % sure together. */
static int
validate(struct running *r, const size_t *which, size_t n, struct pf_error *err)
{
	struct pf_search *s = r->s;
	size_t most = sizeof s->validations / sizeof *s->validations;
	int rc = 0;

	for (size_t i = 0; !rc && i < n && s->validation_count < most; i++) {
		struct pf_validation *v = &s->validations[s->validation_count];
		struct pf_bench *b = NULL;

		if (s->trials[which[i]].rank >= 0)
			break; /* no better than today's: nothing to validate */
		*v = (struct pf_validation){
		    .trial = which[i], .confidence = 1 - 0.05 / (double)most, .done = true};
		rc = bench(r, &which[i], 1, r->o->pairs, &b, err);
		if (rc)
			break;
		s->validation_runs += 2 * pf_bench_rounds(b);
		s->validation_count++;
		rc = compare(s, b, v, err);
		pf_bench_free(b);
		if (!rc && v->supported)
			break;
	}
	return rc;
}

const struct pf_trial *
pf_search_winner(const struct pf_search *s)
{
	for (size_t i = 0; i < s->validation_count; i++) {
		if (s->validations[i].supported)
			return &s->trials[s->validations[i].trial];
	}
	return NULL;
}

static void
conclude(struct pf_search *s)
{
	const struct pf_trial *winner = pf_search_winner(s);
	const struct pf_validation *v = NULL;

	for (size_t i = 0; i < s->validation_count; i++) {
		if (!v || s->validations[i].supported || s->validations[i].change < v->change)
			v = &s->validations[i];
	}
	if (s->exhaustive)
		snprintf(s->verdict, sizeof s->verdict,
		    "Every one of %zu settings ran equally often; nothing was validated.",
		    s->count);
	else if (winner)
		snprintf(s->verdict, sizeof s->verdict,
		    "%s is better than today's settings: %+.1f %% of what was asked to count "
		    "(%+.1f to %+.1f %%), in %zu "
		    "pairs of runs beside the search.",
		    winner->setting.name, v->change * 100, v->low * 100, v->high * 100, v->rounds);
	else if (v)
		snprintf(s->verdict, sizeof s->verdict,
		    "Today's settings stay: the best that was found, %s, showed %+.1f %% (%+.1f to "
		    "%+.1f %%) when compared "
		    "in pairs, which is no proof.",
		    s->trials[v->trial].setting.name, v->change * 100, v->low * 100, v->high * 100);
	else
		snprintf(s->verdict, sizeof s->verdict,
		    "Today's settings stay: none of %zu others was better.", s->count - 1);
}

static int
run(struct running *r, struct pf_error *err)
{
	struct pf_search *s = r->s;
	size_t which[PF_MOST_TRIED], n = 0;
	int rc;

	for (size_t i = 1; i < s->count; i++)
		which[n++] = i;
	r->planned = r->o->grid ? (n + (n + BATCH - 1) / BATCH) * r->o->grid : planned_blocks(r, n);
	rc = explore(r, which, &n, err);
	if (!rc && !r->o->grid)
		rc = validate(r, which, n, err);
	if (!rc)
		conclude(s);
	return rc;
}

int
pf_search_run(
    struct pf_search *s, const struct pf_try_options *o, double memory_limit, struct pf_error *err)
{
	struct pf_setting *settings;
	struct pf_program program;
	struct pf_try_options options = *o;
	struct running r = {.s = s, .o = &options};
	int rc = PF_CALLOC(settings, PF_MOST_TRIED, err);

	if (rc)
		return rc;
	if (!options.pairs)
		options.pairs = VALIDATION_PAIRS;
	pf_program_inspect(&program, s->command);
	if (o->go)
		program.go = true;
	rc = pf_settings_list(settings, &s->count, &program, o->allocators, memory_limit, err);
	for (size_t i = 0; !rc && i < s->count; i++) {
		s->trials[i].setting = settings[i];
		for (int a = 0; a < PF_AIMS; a++)
			s->trials[i].value[a] = NAN;
	}
	free(settings);
	s->exhaustive = o->grid > 0;
	s->service = o->bench->url_count > 0;
	s->seed = o->bench->has_seed ? o->bench->seed : pf_random_seed() >> 32;
	pf_random_init(&r.rng, s->seed);
	if (!rc)
		rc = run(&r, err);
	for (int a = 0; a < PF_AIMS; a++)
		free(r.today[a]);
	return rc;
}

void
pf_search_free(struct pf_search *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++) {
		for (int a = 0; a < PF_AIMS; a++)
			free(s->trials[i].change[a]);
	}
	free(s->command);
	free(s);
}
