/*
 * search_rates.c: how far from the best setting `profuse tune --try` ends, and how often it
 * recommends what is no better: thousands of searches by the very code, over simulated runs.
 *
 *	search_rates [--searches N] [--seed N] [--runs N] [--pairs N] [--worlds N] [--weight AIMS]
 *	    [--check] RECORD.json…
 *
 * A record is the JSON of a grid (`profuse tune --try CMD --grid 10 --json`): every run of every
 * setting. Its settings' effects are fitted as the search does it, and then drawn together by as much
 * as their noise makes them differ (along a dial by their neighbours, else James and Stein's way),
 * for the best of forty noisy figures is better than it is. A simulated run has its setting's effect,
 * its round's level and the rest of a recorded run, drawn at random: noise as it was, outliers too.
 *
 * --runs and --pairs are those of `profuse tune`, --worlds takes the first N rows only. Printed are
 * the runs of the search and their share of a grid of five runs a setting, and of the validation.
 *
 * Each row is a world: effects and noise as recorded, doubled noise, half the effects, none at all
 * (every recommendation is wrong), every other setting 2 % worse than today's. --check ends with
 * status 1 where wrong recommendations are more than ALARMS by more than chance.
 */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "stats/quantile.h"
#include "stats/random.h"
#include "tuner/runner.h"
#include "tuner/search_score.h"

#define ALARMS 0.025 /* half of the validation's two-sided 5 % */
#define DIAL_WIDTH 0.25
#define ROUNDS_DIFFER 0.2
#define FAR 0.05 /* behind the best: a share */

static const char *const keys[PF_AIMS] = {"cpu", "rss_peak", "rss_idle", "p99"};

struct record {
	size_t count;
	struct pf_setting settings[PF_MOST_TRIED];
	double effect[PF_MOST_TRIED][PF_AIMS];
	double (*rest)[PF_AIMS]; /* owned: of every run */
	size_t rest_count;
};

struct world {
	const char *name;
	double effects, noise, all; /* factors; `all` is added to every other setting's effect */
};

static const struct world worlds[] = {
    {"as recorded", 1, 1, 0},
    {"noise doubled", 1, 2, 0},
    {"half the effects", 0.5, 1, 0},
    {"no effects", 0, 1, 0},
    {"no effects, noise doubled", 0, 2, 0},
    {"all 2 % worse", 0, 1, 0.02},
};

static void
require(bool condition, const char *what)
{
	if (!condition) {
		fprintf(stderr, "search_rates: %s\n", what);
		exit(2);
	}
}

/* ---- the record ---- */

/* By the first word of a setting's name; today's of these records is glibc's. */
static enum pf_allocator
allocator_of(const char *setting)
{
	for (int a = PF_ALLOCATOR_GLIBC; a < PF_ALLOCATORS; a++) {
		const char *name = pf_allocator_name((enum pf_allocator)a);

		if (strncmp(setting, name, strlen(name)) == 0)
			return (enum pf_allocator)a;
	}
	return PF_ALLOCATOR_GLIBC;
}

static void
load_trial(struct pf_search *s, struct pf_trial *t, const json_t *setting)
{
	const json_t *measured = json_object_get(setting, "measured"), *run;
	size_t i;

	snprintf(t->setting.name, sizeof t->setting.name, "%.150s",
	    json_string_value(json_object_get(setting, "name")));
	t->setting.allocator = allocator_of(t->setting.name);
	t->setting.dial = json_number_value(json_object_get(setting, "dial"));
	t->setting.series = (unsigned)json_integer_value(json_object_get(setting, "series"));
	t->capacity = json_array_size(measured);
	require(t->capacity > 0, "a setting without runs");
	require(!PF_CALLOC(t->measured, t->capacity, NULL), "out of memory");
	json_array_foreach(measured, i, run)
	{
		struct pf_measured *m = &t->measured[t->runs++];

		m->round = (size_t)json_integer_value(json_object_get(run, "round"));
		s->rounds = m->round + 1 > s->rounds ? m->round + 1 : s->rounds;
		for (int a = 0; a < PF_AIMS; a++) {
			const json_t *value = json_object_get(run, keys[a]);
			m->value[a] = json_is_number(value) ? json_number_value(value) : NAN;
		}
	}
}

/* What its neighbours on the dial say of a setting. */
static double
neighbours_mean(const struct record *r, const double *effect, size_t i)
{
	double sum = 0, weights = 0;

	for (size_t j = 0; j < r->count; j++) {
		const struct pf_setting *a = &r->settings[i], *b = &r->settings[j];
		double far, weight;

		if (!(b->dial > 0) || a->series != b->series)
			continue;
		far = log(a->dial / b->dial) / DIAL_WIDTH;
		weight = exp(-far * far / 2);
		sum += weight * effect[j];
		weights += weight;
	}
	return sum / weights;
}

/* `error`: the variance of an effect's estimate. */
static void
draw_together(struct record *r, int aim, double error)
{
	double effect[PF_MOST_TRIED], mean, spread, keep;

	for (size_t i = 0; i < r->count; i++)
		effect[i] = r->effect[i][aim];
	mean = pf_mean(effect + 1, r->count - 1);
	spread = pf_deviation(effect + 1, r->count - 1);
	keep = fmax(0, 1 - error / (spread * spread));
	for (size_t i = 1; i < r->count; i++)
		r->effect[i][aim] = r->settings[i].dial > 0 ? neighbours_mean(r, effect, i)
							    : mean + keep * (effect[i] - mean);
}

static void
fit(struct record *r, struct pf_search *s)
{
	require(!pf_search_score(s, NULL), "out of memory");
	for (size_t i = 0; i < s->count; i++)
		r->rest_count += s->trials[i].runs;
	require(!PF_CALLOC(r->rest, r->rest_count, NULL), "out of memory");
	for (int a = 0; a < PF_AIMS; a++) {
		double today = 0, squares = 0;
		size_t at = 0, runs = s->trials[1].runs;

		for (size_t i = 0; i < s->count; i++) {
			const struct pf_trial *t = &s->trials[i];
			double sum = 0;

			for (size_t k = 0; k < t->runs; k++)
				sum += t->measured[k].change[a];
			sum /= (double)t->runs;
			for (size_t k = 0; k < t->runs; k++, at++) {
				/* What remains about a mean of n is smaller than what was about the true one. */
				double n = (double)t->runs;
				r->rest[at][a] =
				    (t->measured[k].change[a] - sum) * sqrt(n / fmax(1, n - 1));
				squares += r->rest[at][a] * r->rest[at][a];
			}
			today = i ? today : sum;
			r->effect[i][a] = sum - today;
		}
		draw_together(r, a, squares / (double)r->rest_count / (double)runs);
	}
}

static void
load(struct record *r, const char *path)
{
	json_error_t why;
	json_t *root = json_load_file(path, 0, &why), *settings;
	struct pf_search *s;
	size_t i;
	const json_t *setting;

	require(root != NULL, path);
	settings = json_object_get(json_object_get(root, "search"), "settings");
	require(json_array_size(settings) > 1 && json_array_size(settings) <= PF_MOST_TRIED,
	    "not a grid's JSON");
	require(!PF_CALLOC(s, 1, NULL), "out of memory");
	pf_aims_parse(s, "cpu=1", NULL, 0, NULL);
	json_array_foreach(settings, i, setting)
	{
		load_trial(s, &s->trials[i], setting);
		r->settings[i] = s->trials[i].setting;
	}
	r->count = s->count = json_array_size(settings);
	fit(r, s);
	pf_search_free(s);
	json_decref(root);
}

/* ---- a search ---- */

struct simulation {
	struct pf_runner runner;
	const struct record *record;
	const struct world *world;
	struct pf_random rng;
};

static double
true_change(const struct simulation *m, size_t setting, int aim)
{
	return setting ? m->world->effects * m->record->effect[setting][aim] + m->world->all : 0;
}

static int
simulate(struct pf_runner *runner, const struct pf_search *s, struct pf_batch *batch,
    struct pf_error *err)
{
	struct simulation *m = (struct simulation *)runner;
	struct pf_measured *at = batch->measured;

	(void)s;
	(void)err;
	for (size_t round = 0; round < batch->rounds; round++) {
		double level = ROUNDS_DIFFER * pf_random_normal(&m->rng);

		for (size_t v = 0; v < batch->n; v++, at++) {
			const double *rest =
			    m->record->rest[pf_random_below(&m->rng, m->record->rest_count)];

			for (int a = 0; a < PF_AIMS; a++)
				at->value[a] = exp(level + true_change(m, batch->trials[v], a) +
						   m->world->noise * rest[a]);
		}
	}
	batch->complete = batch->rounds;
	return 0;
}

struct plan {
	unsigned long searches, seed, worlds;
	struct pf_search_extent extent;
	const char *weights;
	bool check;
};

struct outcome {
	double gap;   /* of the chosen to the truly best, a share */
	double truth; /* ln, of the chosen: below 0 is better than today's */
	double best;
	bool recommended;
	bool validated; /* one within FAR of the best was */
	size_t runs, grid_runs, validation_runs;
};

static double
true_score(const struct simulation *m, const struct pf_search *s, size_t setting)
{
	double change[PF_AIMS];

	for (int a = 0; a < PF_AIMS; a++)
		change[a] = true_change(m, setting, a);
	return pf_weighted_change(s, change);
}

static struct outcome
search(struct simulation *m, const struct plan *plan, uint64_t seed)
{
	struct pf_search *s;
	struct outcome o = {0};
	const struct pf_validation *proof;

	require(!PF_CALLOC(s, 1, NULL), "out of memory");
	require(!pf_aims_parse(s, plan->weights, NULL, 0, NULL), "--weight");
	s->count = m->record->count;
	s->seed = seed;
	for (size_t i = 0; i < s->count; i++)
		s->trials[i].setting = m->record->settings[i];
	require(!pf_search_with(s, &m->runner, &plan->extent, NULL), "the search failed");
	proof = pf_search_proof(s);
	for (size_t i = 0; i < s->count; i++)
		o.best = fmin(o.best, true_score(m, s, i));
	if (proof)
		o.truth = true_score(m, s, proof->trial);
	for (size_t i = 0; i < s->count; i++)
		o.validated |= s->trials[i].validated && expm1(true_score(m, s, i) - o.best) <= FAR;
	o.recommended = proof != NULL;
	o.gap = expm1(o.truth - o.best);
	o.runs = s->runs;
	o.grid_runs = pf_search_grid_runs(s);
	o.validation_runs = s->validation_runs;
	pf_search_free(s);
	return o;
}

/* Prints a row; whether wrong recommendations are as rare as they should be. */
static bool
row(const struct record *r, const struct world *w, const struct plan *plan)
{
	struct simulation m = {.runner = {.run = simulate}, .record = r, .world = w};
	double *gaps, mean = 0, validation = 0, n = (double)plan->searches;
	unsigned long recommended = 0, wrong = 0, far = 0, half = 0, missed = 0;
	size_t most = 0;
	struct outcome o = {0};

	require(!PF_CALLOC(gaps, plan->searches, NULL), "out of memory");
	pf_random_init(&m.rng, plan->seed);
	for (unsigned long i = 0; i < plan->searches; i++) {
		o = search(&m, plan, plan->seed * 1000003 + i);
		gaps[i] = o.gap;
		mean += o.gap / n;
		validation += (double)o.validation_runs / n;
		most = o.validation_runs > most ? o.validation_runs : most;
		recommended += o.recommended;
		wrong += o.recommended && o.truth >= 0;
		far += o.gap > FAR;
		missed += o.gap > FAR && !o.validated;
		half += expm1(o.truth) <= expm1(o.best) / 2;
	}
	pf_sort(gaps, plan->searches);
	printf(
	    "  %-26s best %+6.1f %%  recommended %5.1f %%  wrong %4.2f %%  behind: mean %4.1f %%, "
	    "9 in 10 %4.1f %%, > 5 %%: %4.1f %% (%.1f where none that is near was validated)  "
	    "half the gain %5.1f %%  search %zu runs (%.1f %% of %zu), validation %.0f, at most "
	    "%zu\n",
	    w->name, 100 * expm1(o.best), 100 * (double)recommended / n, 100 * (double)wrong / n,
	    100 * mean, 100 * pf_quantile(gaps, plan->searches, 0.9), 100 * (double)far / n,
	    100 * (double)missed / n, 100 * (double)half / n, o.runs,
	    100 * (double)o.runs / (double)o.grid_runs, o.grid_runs, validation, most);
	fflush(stdout);
	free(gaps);
	return (double)wrong / n <= ALARMS + 3 * sqrt(ALARMS / n);
}

/* All of a record's rows. */
static bool
rows(const char *path, const struct plan *plan)
{
	struct record r = {0};
	bool good = true;

	load(&r, path);
	printf("%s, %s, %zu settings\n", path, plan->weights, r.count);
	for (size_t w = 0; w < sizeof worlds / sizeof *worlds && w < plan->worlds; w++)
		good &= row(&r, &worlds[w], plan);
	free(r.rest);
	return good;
}

int
main(int argc, char **argv)
{
	struct plan plan = {
	    .searches = 1000, .seed = 1, .worlds = SIZE_MAX, .weights = "cpu=1,rss=0.5"};
	bool good = true;

	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;

		if (strcmp(argv[i], "--check") == 0) {
			plan.check = true;
			continue;
		}
		if (argv[i][0] != '-') {
			good &= rows(argv[i], &plan);
			continue;
		}
		require(value != NULL, "an option without its value");
		if (strcmp(argv[i], "--searches") == 0)
			plan.searches = strtoul(value, NULL, 10);
		else if (strcmp(argv[i], "--seed") == 0)
			plan.seed = strtoul(value, NULL, 10);
		else if (strcmp(argv[i], "--runs") == 0)
			plan.extent.runs = strtoul(value, NULL, 10);
		else if (strcmp(argv[i], "--pairs") == 0)
			plan.extent.pairs = strtoul(value, NULL, 10);
		else if (strcmp(argv[i], "--worlds") == 0)
			plan.worlds = strtoul(value, NULL, 10);
		else if (strcmp(argv[i], "--weight") == 0)
			plan.weights = value;
		else
			require(false, "no such option");
		require(plan.searches > 0, "--searches");
		i++;
	}
	return plan.check && !good;
}
