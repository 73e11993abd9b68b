/* validate.c: see validate.h. */
#include "tuner/validate.h"

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
	    12, /* pairs from which a look may decide for the setting: before, looks only give up */
};

/* Shares of all pairs at which they are looked at. */
static const double look_share[LOOKS] = {
    1 / 12.0, 1 / 6.0, 1 / 4.0, 1 / 3.0, 1 / 2.0, 2 / 3.0, 5 / 6.0, 1};

static const double alpha = 0.05; /* of all that are compared, two-sided: each has its part of it */
static const double power = 1.5;  /* how early it may be spent */
/* Who gives up gives up a chance only, so this interval need not be as sure as the one that recommends. */
static const double drop_confidence = 0.95;
static const double metric_confidence = 0.95;

struct pairs {
	struct pf_search *s;
	struct pf_validation *v;
	size_t today_before, chosen_before;       /* runs that both had */
	const struct pf_measured *today, *chosen; /* those that they had since, a round each */
	size_t rounds;
	bool over_cap; /* today's setting broke a cap in the search: what keeps it is looked for */
};

/* ---- comparisons ---- */

/*
 * The weighted change from today's setting; rounds in which not all that counts was measured are
 * left out. `c` is all zeros where no round is left.
 */
static int
compare(const struct pairs *p, double confidence, struct pf_comparison *c, struct pf_error *err)
{
	double *one = NULL, *other;
	size_t n = p->rounds, used = 0;
	int rc = PF_CALLOC(one, 2 * n + 1, err);

	*c = (struct pf_comparison){0};
	if (rc)
		return rc;
	other = one + n;
	for (size_t i = 0; i < n; i++) {
		double change[PF_AIMS], weighted;

		for (int a = 0; a < PF_AIMS; a++)
			change[a] = log(p->chosen[i].value[a] / p->today[i].value[a]);
		weighted = pf_weighted_change(p->s, change);
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
compare_aim(const struct pairs *p, int aim, struct pf_error *err)
{
	struct pf_validation *v = p->v;
	struct pf_bench_metric *m = &v->metric[aim];
	double *before = NULL, *after;
	size_t used = 0;
	int rc = PF_CALLOC(before, 2 * p->rounds + 1, err);

	if (rc)
		return rc;
	after = before + p->rounds;
	*m = (struct pf_bench_metric){.adjusted_p = 1};
	for (size_t i = 0; i < p->rounds; i++) {
		if (isnan(p->today[i].value[aim]) || isnan(p->chosen[i].value[aim]))
			continue;
		before[used] = p->today[i].value[aim];
		after[used++] = p->chosen[i].value[aim];
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

/* Whether the whole interval of the chosen one's runs lies within the caps. */
static int
compare_caps(const struct pairs *p, double confidence, bool *kept, struct pf_error *err)
{
	double *cap = NULL, *value;
	int rc = PF_CALLOC(cap, 2 * p->rounds + 1, err);

	*kept = !rc;
	value = cap + p->rounds;
	for (int a = 0; !rc && *kept && a < PF_AIMS; a++) {
		struct pf_comparison c = {0};
		size_t used = 0;

		if (isnan(p->s->cap[a]))
			continue;
		for (size_t i = 0; i < p->rounds; i++) {
			if (isnan(p->chosen[i].value[a]))
				continue;
			cap[used] = p->s->cap[a];
			value[used++] = p->chosen[i].value[a];
		}
		if (used)
			rc =
			    pf_compare_pairs(cap, value, used, PF_SCALE_RATIO, confidence, &c, err);
		*kept = c.has_interval && c.high <= 0;
	}
	free(cap);
	return rc;
}

/* What the pairs show so far, at this two-sided level; 0: nothing is decided yet. */
static int
look(const struct pairs *p, double level, struct pf_error *err)
{
	struct pf_search *s = p->s;
	struct pf_validation *v = p->v;
	struct pf_comparison c;
	double confidence = level > 0 ? 1 - level : drop_confidence;
	double before[PF_AIMS], after[PF_AIMS];
	bool over, kept = false, judged = true; /* of caps */
	int rc = compare(p, confidence, &c, err);

	v->rounds = p->rounds;
	v->confidence = level > 0 ? 1 - level : NAN;
	v->change = c.change;
	v->low = c.has_interval && level > 0 ? c.low : -1;
	v->high = c.has_interval && level > 0 ? c.high : INFINITY;
	for (int a = 0; !rc && a < PF_AIMS; a++) {
		rc = compare_aim(p, a, err);
		before[a] = v->has_metric[a] ? v->metric[a].before : NAN;
		after[a] = v->has_metric[a] ? v->metric[a].after : NAN;
	}
	if (rc)
		return rc;
	over = p->over_cap && pf_cap_excess(s, before) > 0;
	if (over && level > 0)
		rc = compare_caps(p, confidence, &kept, err);
	for (int a = 0; a < PF_AIMS; a++)
		judged &= isnan(s->cap[a]) || v->has_metric[a];
	v->supported = judged && pf_cap_excess(s, after) <= 0 && (over ? kept : v->high < 0);
	return rc;
}

/* Whether it can't be better than today's by enough to matter. */
static int
is_hopeless(const struct pairs *p, bool *hopeless, struct pf_error *err)
{
	struct pf_comparison c;
	int rc = compare(p, drop_confidence, &c, err);

	*hopeless = !p->over_cap && c.has_interval && c.low > -PF_MATTERS;
	return rc;
}

/* ---- the validation ---- */

/* So many more rounds of both. */
static int
run(struct pairs *p, struct pf_runner *runner, size_t rounds, struct pf_random *rng,
    struct pf_error *err)
{
	struct pf_search *s = p->s;
	const struct pf_trial *today = &s->trials[0], *chosen = &s->trials[p->v->trial];
	size_t both[] = {0, p->v->trial};
	int rc = pf_search_rounds(s, runner, both, 2, rounds, rng, &s->validation_runs, err);

	if (rc || chosen->failed) /* then today's ran alone, and no pair is there */
		return rc;
	p->today = today->measured + p->today_before;
	p->chosen = chosen->measured + p->chosen_before;
	p->rounds = chosen->runs - p->chosen_before;
	return 0;
}

size_t
pf_candidates(size_t pairs)
{
	double most = alpha * exp2((double)pairs - 1);

	return most < PF_CANDIDATES ? (size_t)most : PF_CANDIDATES;
}

/* When the pairs are looked at, and how much each look may decide at. */
struct plan {
	size_t looks, at[LOOKS]; /* pairs so far */
	double level[LOOKS];     /* 0: the look decides nothing */
};

static void
plan(struct plan *p, size_t pairs)
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
	pf_spending_levels(share, deciding, alpha / (double)pf_candidates(pairs), power, level);
	memcpy(&p->level[p->looks - deciding], level, deciding * sizeof *level);
}

int
pf_validate(struct pf_search *s, struct pf_runner *runner, size_t chosen, size_t pairs,
    struct pf_random *rng, struct pf_error *err)
{
	struct pf_validation *v = &s->validations[s->validation_count++];
	struct pairs p = {.s = s,
	    .v = v,
	    .today_before = s->trials[0].runs,
	    .chosen_before = s->trials[chosen].runs,
	    .over_cap = s->trials[0].capped};
	struct plan looks;
	bool hopeless = false;
	int rc = 0;

	*v = (struct pf_validation){.trial = chosen};
	s->trials[chosen].validated = true;
	plan(&looks, pairs);
	for (size_t k = 0; !rc && k < looks.looks && !v->supported && !hopeless; k++) {
		rc = run(&p, runner, looks.at[k] - p.rounds, rng, err);
		if (rc || s->trials[chosen].failed)
			break;
		/* Where it was interrupted no look was planned: this one shows, and decides nothing. */
		rc = look(&p, s->interrupted ? 0 : looks.level[k], err);
		if (s->interrupted)
			break;
		if (!rc && !v->supported)
			rc = is_hopeless(&p, &hopeless, err);
	}
	return rc;
}
