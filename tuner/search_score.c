/* search_score.c: see search_score.h. */
#include "tuner/search_score.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "stats/quantile.h"
#include "tuner/search_model.h"

#define CAP_PENALTY 10.0 /* in ranks: a cap that is not kept outweighs every gain */

double
pf_weighted_change(const struct pf_search *s, const double *change)
{
	double sum = 0, weights = 0;

	for (int a = 0; a < PF_AIMS; a++) {
		if (s->weight[a] <= 0)
			continue;
		sum += s->weight[a] * change[a];
		weights += s->weight[a];
	}
	return weights > 0 ? sum / weights : NAN;
}

double
pf_cap_excess(const struct pf_search *s, const double *value)
{
	double excess = 0;

	for (int a = 0; a < PF_AIMS; a++) {
		if (value[a] > s->cap[a])
			excess += log(value[a] / s->cap[a]);
	}
	return excess;
}

/* ---- the fit ---- */

struct fit {
	double *level, *sum; /* a round each; `sum` while summing up */
	size_t *count;
};

/* Every round's level: the mean of its runs' logarithms less their settings' effects. */
static void
fit_levels(const struct pf_search *s, int aim, const double *effect, struct fit *f)
{
	memset(f->sum, 0, s->rounds * sizeof *f->sum);
	memset(f->count, 0, s->rounds * sizeof *f->count);
	for (size_t i = 0; i < s->count; i++) {
		for (size_t r = 0; r < s->trials[i].runs; r++) {
			const struct pf_measured *m = &s->trials[i].measured[r];
			if (isnan(m->value[aim]))
				continue;
			f->sum[m->round] += log(m->value[aim]) - effect[i];
			f->count[m->round]++;
		}
	}
	for (size_t r = 0; r < s->rounds; r++)
		f->level[r] = f->count[r] ? f->sum[r] / (double)f->count[r] : 0;
}

/* Every setting's effect, with one run of no effect added: it counts for as much as a run. */
static void
fit_effects(const struct pf_search *s, int aim, double *effect, const struct fit *f)
{
	for (size_t i = 0; i < s->count; i++) {
		double sum = 0, count = 1;

		for (size_t r = 0; r < s->trials[i].runs; r++) {
			const struct pf_measured *m = &s->trials[i].measured[r];
			if (isnan(m->value[aim]))
				continue;
			sum += log(m->value[aim]) - f->level[m->round];
			count++;
		}
		effect[i] = sum / count;
	}
}

/* Of a trial's changes, or values; NaN where there is none. */
static int
median(const struct pf_trial *t, int aim, bool change, double *m, struct pf_error *err)
{
	double *sorted;
	size_t n = 0;
	int rc = PF_CALLOC(sorted, t->runs + 1, err);

	*m = NAN;
	if (rc)
		return rc;
	for (size_t i = 0; i < t->runs; i++) {
		double value = change ? t->measured[i].change[aim] : t->measured[i].value[aim];
		if (!isnan(value))
			sorted[n++] = value;
	}
	pf_sort(sorted, n);
	if (n)
		*m = pf_quantile(sorted, n, 0.5);
	free(sorted);
	return 0;
}

/* Fills the changes of one aim: the runs' logarithms less their round's level, today's at 0. */
static int
fit_aim(struct pf_search *s, int aim, struct fit *f, struct pf_error *err)
{
	double effect[PF_MOST_TRIED] = {0}, today;
	size_t most = 0;
	int rc;

	/* With n runs a setting a sweep leaves n / (n + 1) of the error or less: e^-15 of it remain. */
	for (size_t i = 0; i < s->count; i++)
		most = s->trials[i].runs > most ? s->trials[i].runs : most;
	for (size_t sweep = 0; sweep < 15 * (most + 1); sweep++) {
		fit_levels(s, aim, effect, f);
		fit_effects(s, aim, effect, f);
	}
	for (size_t i = 0; i < s->count; i++) {
		for (size_t r = 0; r < s->trials[i].runs; r++) {
			struct pf_measured *m = &s->trials[i].measured[r];
			m->change[aim] = log(m->value[aim]) - f->level[m->round];
		}
	}
	rc = median(&s->trials[0], aim, true, &today, err);
	for (size_t i = 0; !rc && i < s->count; i++) {
		for (size_t r = 0; r < s->trials[i].runs; r++)
			s->trials[i].measured[r].change[aim] -= today;
	}
	return rc;
}

/* ---- scores ---- */

static int
score(struct pf_search *s, struct pf_trial *t, struct pf_error *err)
{
	double change[PF_AIMS];
	int rc = 0;

	for (int a = 0; !rc && a < PF_AIMS; a++) {
		rc = median(t, a, true, &change[a], err);
		t->value[a] = s->trials[0].value[a] * exp(change[a]);
	}
	if (rc)
		return rc;
	t->capped = pf_cap_excess(s, t->value) > 0;
	t->score = pf_weighted_change(s, change);
	if (t->failed || isnan(t->score))
		t->score = INFINITY;
	return 0;
}

/* What was asked for and has no value; PF_AIMS: nothing. */
static int
unmeasured(const struct pf_search *s, const struct pf_trial *t)
{
	int a = 0;

	while (a < PF_AIMS && (!pf_aim_asked(s, a) || !isnan(t->value[a])))
		a++;
	return a;
}

/* By what is left of an aim that was never measured, nothing may be judged. */
static int
check_measured(struct pf_search *s, struct pf_error *err)
{
	int missing = unmeasured(s, &s->trials[0]);

	if (missing < PF_AIMS)
		return pf_error_set(err, PF_EIO,
		    "%s was asked for (--weight, --cap), and none of the runs of today's settings "
		    "shows "
		    "it: leave it out, or see with profuse bench why the command has none",
		    pf_aim_metric((enum pf_aim)missing, s->service));
	for (size_t i = 1; i < s->count; i++) {
		struct pf_trial *t = &s->trials[i];

		missing = unmeasured(s, t);
		if (t->failed || !t->runs || missing == PF_AIMS)
			continue;
		t->failed = true;
		t->score = INFINITY;
		snprintf(t->failure, sizeof t->failure,
		    "%s: its runs show no %s, which was asked for", t->setting.name,
		    pf_aim_metric((enum pf_aim)missing, s->service));
	}
	return 0;
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

int
pf_search_score(struct pf_search *s, struct pf_error *err)
{
	struct fit f = {NULL};
	int rc = PF_CALLOC(f.level, s->rounds + 1, err);

	if (!rc)
		rc = PF_CALLOC(f.sum, s->rounds + 1, err);
	if (!rc)
		rc = PF_CALLOC(f.count, s->rounds + 1, err);
	for (int a = 0; !rc && a < PF_AIMS; a++)
		rc = fit_aim(s, a, &f, err);
	for (int a = 0; !rc && a < PF_AIMS; a++)
		rc = median(&s->trials[0], a, false, &s->trials[0].value[a], err);
	for (size_t i = 0; !rc && i < s->count; i++)
		rc = score(s, &s->trials[i], err);
	if (!rc)
		rc = check_measured(s, err);
	if (!rc)
		rc = pf_search_estimate(s, err);
	for (size_t i = 0; !rc && i < s->count; i++) {
		struct pf_trial *t = &s->trials[i];

		if (t->capped)
			t->rank += CAP_PENALTY + pf_cap_excess(s, t->value);
	}
	if (!rc)
		mark_pareto(s);
	free(f.level);
	free(f.sum);
	free(f.count);
	return rc;
}
