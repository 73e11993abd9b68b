/* The search for settings, over made-up runs: what it takes for the best, and what it recommends. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "stats/random.h"
#include "stats/spending.h"
#include "support/each_allocation.h"
#include "support/unit.h"
#include "tuner/runner.h"
#include "tuner/search_score.h"
#include "tuner/validate.h"

enum { SETTINGS = 31 }; /* with today's: thirty run in two batches */

struct play {
	struct pf_runner runner;
	struct pf_random rng;
	double effect[SETTINGS], noise; /* of CPU, in the logarithm */
	double rss[SETTINGS];           /* 0: as today's */
	double first_today;             /* added to today's very first run */
	size_t broken; /* a setting that does not run; SETTINGS: today's; 0: none */
	bool others_broken;
	/* The service's p99: a setting's runs have it or not; 0: nobody's do. */
	size_t p99_of_all_but; /* SETTINGS: all have it */
	size_t batches;
	size_t interrupted_at; /* runs of this batch begin and do not all end; 0: never */
	size_t whole_rounds;   /* that it gets to */
	bool interrupted;
};

static int
play(struct pf_runner *runner, const struct pf_search *s, struct pf_batch *batch,
    struct pf_error *err)
{
	struct play *p = (struct play *)runner;
	struct pf_measured *m = batch->measured;

	for (size_t at = batch->n; at-- > 0;) {
		size_t i = batch->trials[at];

		if ((i && p->others_broken) || (p->broken && (i ? i : SETTINGS) == p->broken)) {
			batch->failed = at;
			return pf_error_set(
			    err, PF_EIO, "%s: fell over", i ? s->trials[i].setting.name : "today");
		}
	}
	if (p->interrupted)
		fail_msg("runs after an interruption");
	if (p->batches + 1 == p->interrupted_at && batch->rounds > p->whole_rounds)
		batch->complete = p->whole_rounds;
	else
		batch->complete = batch->rounds;
	for (size_t round = 0; round < batch->complete; round++) {
		double level = pf_random_normal(&p->rng);

		for (size_t v = 0; v < batch->n; v++, m++) {
			size_t i = batch->trials[v];

			m->value[PF_AIM_CPU] =
			    exp(level + p->effect[i] + p->noise * pf_random_normal(&p->rng) +
				(i || p->batches || round ? 0 : p->first_today));
			m->value[PF_AIM_RSS] = p->rss[i] > 0 ? p->rss[i] : 100;
			m->value[PF_AIM_IDLE] = NAN;
			m->value[PF_AIM_P99] =
			    p->p99_of_all_but && i != p->p99_of_all_but ? 0.004 : NAN;
		}
	}
	p->batches++;
	p->interrupted = batch->complete < batch->rounds;
	return p->interrupted ? pf_error_set(err, PF_EINCONCLUSIVE, "interrupted") : 0;
}

static const struct pf_search_extent usual = {0};

static struct play
new_play(double noise)
{
	struct play p = {.runner = {.run = play}, .noise = noise};

	pf_random_init(&p.rng, 5);
	return p;
}

static struct pf_search *
new_search(const char *cap)
{
	struct pf_search *s;

	if (PF_CALLOC(s, 1, NULL))
		return NULL;
	assert_int_equal(pf_aims_parse(s, "cpu=1", &cap, cap != NULL, NULL), 0);
	s->count = SETTINGS;
	s->seed = 11;
	for (size_t i = 0; i < SETTINGS; i++)
		snprintf(
		    s->trials[i].setting.name, sizeof s->trials[i].setting.name, "setting %zu", i);
	return s;
}

static struct pf_search *
searched(struct play *p, const char *cap)
{
	struct pf_search *s = new_search(cap);
	struct pf_error err = {0};

	assert_non_null(s);
	if (pf_search_with(s, &p->runner, &usual, &err))
		fail_msg("%s", err.message);
	return s;
}

static void
the_best_setting_is_found_and_borne_out_in_few_runs(void **state)
{
	struct play p = new_play(0.05);
	struct pf_search *s;
	const struct pf_validation *v;
	(void)state;

	p.effect[17] = -0.4;
	p.effect[3] = -0.2;
	s = searched(&p, NULL);
	v = pf_search_proof(s);
	assert_non_null(v);
	assert_int_equal(v->trial, 17);
	assert_ptr_equal(pf_search_winner(s), &s->trials[17]);
	assert_true(v->low <= expm1(-0.4) && v->high >= expm1(-0.4) && v->high < 0);
	assert_true(v->rounds <= 16); /* a plain case needs no more looks */
	assert_true(v->has_metric[PF_AIM_CPU] && !v->has_metric[PF_AIM_P99]);
	assert_int_equal(s->runs, 2 * (30 + 2)); /* 30 settings in two batches, each with today's */
	assert_true(s->validation_runs <= 2 * 16);
	pf_search_free(s);
}

static void
a_promising_setting_gets_more_pairs_until_it_is_decided(void **state)
{
	struct play p = new_play(0.1);
	struct pf_search *s;
	const struct pf_validation *v;
	(void)state;

	p.effect[9] = -0.12;
	s = searched(&p, NULL);
	v = pf_search_proof(s);
	assert_non_null(v);
	assert_int_equal(v->trial, 9);
	assert_true(v->rounds > 12); /* with a dozen it would not have been */
	assert_true(v->confidence > 0.95 && v->confidence < 1);
	pf_search_free(s);
}

static void
of_several_good_ones_the_best_is_chosen(void **state)
{
	enum { SEARCHES = 100 };
	size_t chosen[SETTINGS] = {0};
	(void)state;

	/* One of them would nearly always be borne out at the first look that may decide. */
	for (uint64_t seed = 0; seed < SEARCHES; seed++) {
		struct play p = new_play(0.1);
		struct pf_search *s;
		const struct pf_validation *v;

		pf_random_init(&p.rng, seed);
		p.effect[4] = p.effect[8] = p.effect[12] = -0.27;
		p.effect[21] = -0.35;
		s = searched(&p, NULL);
		v = pf_search_proof(s);
		chosen[v ? v->trial : 0]++;
		pf_search_free(s);
	}
	assert_int_equal(chosen[0], 0);
	assert_true(chosen[21] >= 70); /* by lot it would be one in four */
}

static void
a_slow_run_of_todays_moves_no_batch_against_another(void **state)
{
	struct play p = new_play(0.01);
	struct pf_search *s;
	(void)state;

	p.first_today = 0.7; /* a factor of two in the only run that its batch has of it */
	s = searched(&p, NULL);
	for (size_t i = 1; i < SETTINGS; i++) {
		for (size_t j = 1; j < i; j++) {
			if (s->trials[i].runs == 1 && s->trials[j].runs == 1)
				assert_true(fabs(s->trials[i].score - s->trials[j].score) < 0.1);
		}
	}
	assert_null(pf_search_winner(s));
	pf_search_free(s);
}

static void
nothing_better_leaves_todays_setting(void **state)
{
	struct play p = new_play(0.05);
	struct pf_search *s;
	(void)state;

	for (size_t i = 1; i < SETTINGS; i++)
		p.effect[i] = 0.05;
	s = searched(&p, NULL);
	assert_null(pf_search_winner(s));
	assert_non_null(strstr(s->verdict, "Today's settings stay"));
	assert_true(s->validation_runs < 48 * 2); /* who can't matter is not run to the end */
	pf_search_free(s);
}

/* Everything ran once: whether nothing is better, or nothing can be told, is a matter of the noise. */
static void
what_noise_leaves_open_is_undecided(void **state)
{
	static const struct {
		double noise;
		bool undecided;
	} cases[] = {{0.005, false}, {0.4, true}};
	(void)state;

	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		struct play p = new_play(cases[k].noise);
		struct pf_search *s = new_search(NULL);
		const struct pf_search_extent extent = {.runs = 1};
		struct pf_error err = {0};

		for (size_t i = 1; i < SETTINGS; i++)
			p.effect[i] = 0.8;
		assert_int_equal(pf_search_with(s, &p.runner, &extent, &err), 0);
		assert_int_equal(s->validation_count, 0);
		assert_non_null(strstr(s->verdict, "Today's settings stay"));
		assert_int_equal(strstr(s->verdict, "undecided") != NULL, cases[k].undecided);
		pf_search_free(s);
	}
}

static void
what_breaks_a_cap_is_not_recommended(void **state)
{
	struct play p = new_play(0.05);
	struct pf_search *s;
	(void)state;

	p.effect[17] = -0.4;
	p.rss[17] = 300;
	p.effect[3] = -0.2;
	s = searched(&p, "rss_peak<=200");
	assert_true(s->trials[17].capped);
	assert_ptr_equal(pf_search_winner(s), &s->trials[3]);
	pf_search_free(s);
}

static void
what_keeps_a_cap_that_todays_breaks_wins_though_it_costs(void **state)
{
	struct play p = new_play(0.05);
	struct pf_search *s;
	const struct pf_validation *v;
	(void)state;

	for (size_t i = 0; i < SETTINGS; i++)
		p.rss[i] = 300;
	p.effect[17] = -0.4; /* faster, and as large as today's */
	p.effect[3] = 0.5;
	p.effect[5] = 0.9;
	p.rss[3] = p.rss[5] = 150;
	s = searched(&p, "rss_peak<=200");
	v = pf_search_proof(s);
	assert_non_null(v);
	assert_int_equal(v->trial, 3); /* of the two that keep it, the one that costs less */
	assert_true(v->low > 0);
	assert_non_null(strstr(s->verdict, "setting 3 keeps the cap that today's settings break: "
					   "rss_peak is 150 B, of at most 200 B"));
	assert_true(s->trials[0].capped && fabs(s->trials[0].score) < 0.01);
	for (size_t i = 1; i < SETTINGS; i++)
		assert_true(fabs(s->trials[i].score) < 2); /* no penalty in what is shown */
	pf_search_free(s);
}

static void
where_nothing_keeps_a_cap_the_nearest_is_named(void **state)
{
	struct play p = new_play(0.05);
	struct pf_search *s;
	(void)state;

	for (size_t i = 0; i < SETTINGS; i++)
		p.rss[i] = 300;
	p.effect[17] = -0.4;
	p.rss[9] = 220;
	s = searched(&p, "rss_peak<=200");
	assert_null(pf_search_winner(s));
	assert_non_null(strstr(s->verdict,
	    "Nothing keeps the cap: with today's settings rss_peak is 300 B, of at most 200 B; "
	    "setting 9 comes nearest: rss_peak is 22"));
	assert_true(pf_search_lists(s, 9));
	pf_search_free(s);
}

static void
a_grid_tells_what_breaks_a_cap(void **state)
{
	struct play p = new_play(0.01);
	struct pf_search *s = new_search("rss_peak<=200");
	(void)state;

	assert_non_null(s);
	for (size_t i = 0; i < SETTINGS; i++)
		p.rss[i] = 300;
	p.rss[3] = p.rss[5] = 150;
	p.effect[5] = 0.5;
	p.effect[17] = -0.4;
	assert_int_equal(
	    pf_search_with(s, &p.runner, &(struct pf_search_extent){.grid = 3}, NULL), 0);
	assert_int_equal(s->runs, 3 * (30 + 2));
	assert_non_null(strstr(s->verdict,
	    "29 of them break a cap, today's among them: rss_peak is 300 B, of at most 200 B. Of "
	    "those that keep it, setting 3 did best"));
	pf_search_free(s);
}

static void
what_pairs_do_not_bear_out_gives_way_to_the_next(void **state)
{
	enum { SEARCHES = 100 };
	size_t second = 0;
	(void)state;

	/* Noise makes one of thirty look better than the one that is. */
	for (uint64_t seed = 0; seed < SEARCHES; seed++) {
		struct play p = new_play(0.4);
		struct pf_search *s;

		pf_random_init(&p.rng, seed);
		p.effect[21] = -0.4;
		s = searched(&p, NULL);
		assert_true(s->validation_count <= PF_CANDIDATES);
		if (s->validation_count == 2) {
			assert_false(s->validations[0].supported);
			assert_true(s->validations[0].trial != s->validations[1].trial);
			second += s->validations[1].trial == 21 && s->validations[1].supported;
		}
		pf_search_free(s);
	}
	assert_true(second > 0);
}

static void
the_fewest_pairs_decide_for_one(void **state)
{
	(void)state;

	assert_int_equal(pf_candidates(PF_TRY_LEAST_PAIRS), 1);
	assert_int_equal(pf_candidates(PF_TRY_LEAST_PAIRS + 1), 2);
	assert_int_equal(pf_candidates(PF_TRY_PAIRS), PF_CANDIDATES);
	for (size_t pairs = PF_TRY_LEAST_PAIRS; pairs < 10; pairs++) {
		struct play p = new_play(0.01);
		struct pf_search *s = new_search(NULL);

		assert_non_null(s);
		p.effect[4] = -0.3;
		assert_int_equal(
		    pf_search_with(s, &p.runner, &(struct pf_search_extent){.pairs = pairs}, NULL),
		    0);
		assert_ptr_equal(pf_search_winner(s), &s->trials[4]);
		assert_int_equal(s->validation_runs, 2 * pairs);
		pf_search_free(s);
	}
}

static void
the_budget_is_kept_whatever_it_is(void **state)
{
	static const size_t budgets[] = {33, 40, 64, 150};
	(void)state;

	for (size_t i = 0; i < sizeof budgets / sizeof *budgets; i++) {
		struct play p = new_play(0.05);
		struct pf_search *s = new_search(NULL);
		size_t runs = 0;
		char spent[160];

		assert_non_null(s);
		p.effect[17] = -0.4;
		assert_int_equal(pf_search_with(s, &p.runner,
				     &(struct pf_search_extent){.runs = budgets[i]}, NULL),
		    0);
		assert_true(
		    s->runs <= budgets[i] && s->runs + 1 >= budgets[i]); /* 33: everything once */
		for (size_t t = 0; t < s->count; t++)
			runs += s->trials[t].runs;
		assert_int_equal(runs, s->runs + s->validation_runs);
		pf_search_spent_text(s, spent, sizeof spent);
		if (budgets[i] == 64)
			assert_non_null(
			    strstr(spent, "64 runs (40 % of a grid of 5 a setting) and "));
		pf_search_free(s);
	}
}

/* Nothing runs after an interruption, what ran is kept, and nothing is recommended, however good it looks. */
static void
an_interrupted_search_shows_what_it_has_and_recommends_nothing(void **state)
{
	static const size_t batches[] = {2, 3, 16, 30, 45};
	(void)state;

	for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
		size_t at = batches[i];
		struct play p = new_play(0.01);
		struct pf_search *s = new_search(NULL);
		size_t runs = 0;

		assert_non_null(s);
		p.effect[17] = -0.4;
		p.interrupted_at = at;
		p.whole_rounds = at % 3; /* 0: the first of a batch is cut */
		assert_int_equal(pf_search_with(s, &p.runner, &usual, NULL), 0);
		for (size_t t = 0; t < s->count; t++)
			runs += s->trials[t].runs;
		assert_int_equal(runs, s->runs + s->validation_runs);
		assert_true(runs > 0);
		assert_int_equal(s->interrupted, p.interrupted);
		if (s->interrupted) {
			assert_null(pf_search_winner(s));
			assert_non_null(strstr(s->verdict, "Interrupted after"));
		}
		pf_search_free(s);
	}
}

static void
a_search_that_measured_nothing_says_so(void **state)
{
	struct play p = new_play(0.01);
	struct pf_search *s = new_search(NULL);
	struct pf_error err = {0};

	(void)state;
	assert_non_null(s);
	p.interrupted_at = 1;
	assert_int_equal(pf_search_with(s, &p.runner, &usual, &err), PF_EINCONCLUSIVE);
	assert_non_null(strstr(err.message, "nothing was measured"));
	pf_search_free(s);
}

static void
settings_tell_about_those_that_set_the_same(void **state)
{
	static const char *const alike[] = {
	    "arenas 1", "arenas 1, trim", "arenas 1, mmap", "trim", "mmap"};
	struct pf_search *s = new_search(NULL);
	(void)state;

	assert_non_null(s);
	s->count = 6;
	for (size_t i = 0; i < 5; i++)
		snprintf(s->trials[i + 1].setting.name, sizeof s->trials[0].setting.name,
		    "glibc %s", alike[i]);
	/* Two of three with "arenas 1" ran, and are far better than the others. */
	for (size_t i = 0; i < s->count; i++) {
		struct pf_trial *t = &s->trials[i];

		if (i == 3)
			continue;
		t->capacity = t->runs = 4;
		assert_int_equal(PF_CALLOC(t->measured, 4, NULL), 0);
		for (size_t r = 0; r < 4; r++)
			t->measured[r] = (struct pf_measured){.round = r,
			    .value = {exp(i == 1 || i == 2 ? -0.5 : 0.01 * (double)(r + i)), NAN,
				NAN, NAN}};
	}
	s->rounds = 4;
	assert_int_equal(pf_search_score(s, NULL), 0);
	assert_true(s->trials[3].rank < -0.2);
	assert_true(s->trials[3].doubt > s->trials[2].doubt);
	assert_true(fabs(s->trials[5].rank) < 0.1);
	pf_search_free(s);
}

/* Of an aim that was asked for and never measured nothing may be said: neither by weight nor by cap. */
static void
an_aim_that_no_run_shows_ends_the_search(void **state)
{
	static const char *const caps[] = {"p99<=5ms"};

	(void)state;
	for (int by_cap = 0; by_cap < 2; by_cap++) {
		struct play p = new_play(0.01);
		struct pf_search *s = new_search(NULL);
		struct pf_error err = {0};

		assert_non_null(s);
		assert_int_equal(pf_aims_parse(s, by_cap ? "cpu=1" : "cpu=1,p99=0.5", caps,
				     (size_t)by_cap, NULL),
		    0);
		assert_int_equal(pf_aims_check(s, &err), PF_EUSAGE);
		assert_non_null(strstr(err.message, by_cap ? "--cap p99" : "--weight p99"));
		assert_non_null(strstr(err.message, "--load"));
		s->service = true;
		assert_int_equal(pf_aims_check(s, &err), 0);
		p.effect[7] = -0.3;
		assert_int_equal(pf_search_with(s, &p.runner, &usual, &err), PF_EIO);
		assert_non_null(strstr(err.message, "p99 was asked for"));
		assert_int_equal(p.batches, 2); /* told after the first round, of two batches */
		pf_search_free(s);
	}
}

static void
a_setting_whose_runs_lack_what_was_asked_for_is_left_out(void **state)
{
	static const char *const caps[] = {"p99<=5ms"};
	struct play p = new_play(0.01);
	struct pf_search *s = new_search(NULL);
	struct pf_error err = {0};

	(void)state;
	assert_non_null(s);
	assert_int_equal(pf_aims_parse(s, "cpu=1", caps, 1, NULL), 0);
	s->service = true;
	p.p99_of_all_but = 7;
	p.effect[7] = -0.5; /* by far the best, if it keeps the cap, which nobody knows */
	p.effect[9] = -0.3;
	if (pf_search_with(s, &p.runner, &usual, &err))
		fail_msg("%s", err.message);
	assert_true(s->trials[7].failed);
	assert_non_null(strstr(s->trials[7].failure, "no p99"));
	assert_ptr_equal(pf_search_winner(s), &s->trials[9]);
	pf_search_free(s);

	/* Where all have it, the best is the one. */
	p = new_play(0.01);
	p.p99_of_all_but = SETTINGS;
	p.effect[7] = -0.5;
	s = searched(&p, caps[0]);
	assert_ptr_equal(pf_search_winner(s), &s->trials[7]);
	pf_search_free(s);
}

static void
breaks_with_todays(struct play *p)
{
	struct pf_search *s = new_search(NULL);
	struct pf_error err = {0};

	p->broken = SETTINGS;
	assert_non_null(s);
	assert_int_equal(pf_search_with(s, &p->runner, &usual, &err), PF_EIO);
	assert_message_has(err, "today: fell over");
	pf_search_free(s);
}

static void
a_setting_that_does_not_run_is_left_out_and_named(void **state)
{
	struct play p = new_play(0.05);
	struct pf_search *s;
	(void)state;

	p.effect[17] = -0.4;
	p.broken = 4;
	s = searched(&p, NULL);
	for (size_t i = 1; i < SETTINGS; i++)
		assert_true(i == 4 || s->trials[i].runs > 0);
	assert_true(s->trials[4].failed);
	assert_string_equal(s->trials[4].failure, "setting 4: fell over");
	assert_ptr_equal(pf_search_winner(s), &s->trials[17]);
	pf_search_free(s);

	breaks_with_todays(&p);
}

static void
that_nothing_runs_is_told_in_whatever_order_it_fails(void **state)
{
	struct play p = new_play(0.05);
	struct pf_search *s;
	(void)state;

	p.others_broken = true;
	s = searched(&p, NULL); /* today's runs: it stays */
	assert_null(pf_search_winner(s));
	assert_true(s->trials[0].runs > 0);
	pf_search_free(s);

	breaks_with_todays(&p);
}

static void
along_a_dial_neighbours_tell_about_each_other(void **state)
{
	struct play p = new_play(0.02);
	struct pf_search *s = new_search(NULL);
	(void)state;

	assert_non_null(s);
	for (size_t i = 0; i < SETTINGS; i++) {
		s->trials[i].setting.dial = 100 * exp(0.1 * ((double)i - 15));
		p.effect[i] = -0.01 * (double)i;
	}
	assert_int_equal(pf_search_with(s, &p.runner, &usual, NULL), 0);
	for (size_t i = 0; i < s->count; i++) {
		assert_true(fabs(s->trials[i].rank - p.effect[i]) < 0.06);
	}
	assert_non_null(pf_search_winner(s));
	pf_search_free(s);
}

/* A random walk that is looked at as planned leaves its bands as often as was to be spent. */
static void
looks_spend_what_they_may(void **state)
{
	static const double share[] = {0.1, 0.25, 0.5, 0.6, 1};
	enum { LOOKS = sizeof share / sizeof *share, WALKS = 200000 };
	double level[LOOKS], spent = 0;
	size_t left[LOOKS] = {0};
	struct pf_random rng;
	(void)state;

	pf_spending_levels((const double[]){1}, 1, 0.05, 1.5, level);
	assert_true(fabs(level[0] - 0.05) < 1e-9);
	pf_spending_levels(share, LOOKS, 0.05, 1.5, level);
	pf_random_init(&rng, 3);
	for (size_t w = 0; w < WALKS; w++) {
		double at = 0, before = 0;

		for (size_t k = 0; k < LOOKS; k++) {
			at += sqrt(share[k] - before) * pf_random_normal(&rng);
			before = share[k];
			if (erfc(fabs(at) / sqrt(2 * share[k])) < level[k]) {
				left[k]++;
				break;
			}
		}
	}
	for (size_t k = 0; k < LOOKS; k++) {
		double may = 0.05 * pow(share[k], 1.5);

		spent += (double)left[k] / WALKS;
		assert_true(fabs(spent - may) < 5 * sqrt(may / WALKS));
	}
}

static int
search_again(void *data, struct pf_error *err)
{
	struct play p = new_play(0.05);
	struct pf_search *s;
	int rc;
	(void)data;

	rc = PF_CALLOC(s, 1, err);
	if (rc)
		return rc;
	s->weight[PF_AIM_CPU] = 1;
	for (int a = 0; a < PF_AIMS; a++)
		s->cap[a] = NAN;
	s->count = 4;
	p.effect[2] = -0.4;
	rc = pf_search_with(s, &p.runner, &usual, err);
	pf_search_free(s);
	return rc;
}

static void
each_failed_allocation_is_told_and_leaks_nothing(void **state)
{
	(void)state;
	fail_each_allocation(search_again, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_best_setting_is_found_and_borne_out_in_few_runs),
	    cmocka_unit_test(a_promising_setting_gets_more_pairs_until_it_is_decided),
	    cmocka_unit_test(of_several_good_ones_the_best_is_chosen),
	    cmocka_unit_test(a_slow_run_of_todays_moves_no_batch_against_another),
	    cmocka_unit_test(nothing_better_leaves_todays_setting),
	    cmocka_unit_test(what_noise_leaves_open_is_undecided),
	    cmocka_unit_test(what_breaks_a_cap_is_not_recommended),
	    cmocka_unit_test(what_keeps_a_cap_that_todays_breaks_wins_though_it_costs),
	    cmocka_unit_test(where_nothing_keeps_a_cap_the_nearest_is_named),
	    cmocka_unit_test(a_grid_tells_what_breaks_a_cap),
	    cmocka_unit_test(what_pairs_do_not_bear_out_gives_way_to_the_next),
	    cmocka_unit_test(the_fewest_pairs_decide_for_one),
	    cmocka_unit_test(the_budget_is_kept_whatever_it_is),
	    cmocka_unit_test(an_interrupted_search_shows_what_it_has_and_recommends_nothing),
	    cmocka_unit_test(a_search_that_measured_nothing_says_so),
	    cmocka_unit_test(settings_tell_about_those_that_set_the_same),
	    cmocka_unit_test(an_aim_that_no_run_shows_ends_the_search),
	    cmocka_unit_test(a_setting_whose_runs_lack_what_was_asked_for_is_left_out),
	    cmocka_unit_test(a_setting_that_does_not_run_is_left_out_and_named),
	    cmocka_unit_test(that_nothing_runs_is_told_in_whatever_order_it_fails),
	    cmocka_unit_test(along_a_dial_neighbours_tell_about_each_other),
	    cmocka_unit_test(looks_spend_what_they_may),
	    cmocka_unit_test(each_failed_allocation_is_told_and_leaks_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
