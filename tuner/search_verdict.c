/* search_verdict.c: what a search comes to, in a sentence: see search.h. */
#include <math.h>
#include <stdio.h>

#include "tuner/findings.h"
#include "tuner/search_score.h"
#include "tuner/validate.h"

#define BOUND 1.96 /* standard deviations: 95 % */

const struct pf_validation *
pf_search_proof(const struct pf_search *s)
{
	const struct pf_validation *last =
	    s->validation_count ? &s->validations[s->validation_count - 1] : NULL;

	return last && last->supported ? last : NULL; /* none follows one that is borne out */
}

const struct pf_trial *
pf_search_winner(const struct pf_search *s)
{
	const struct pf_validation *v = pf_search_proof(s);

	return v ? &s->trials[v->trial] : NULL;
}

size_t
pf_search_grid_runs(const struct pf_search *s)
{
	return PF_GRID_RUNS * s->sweep;
}

void
pf_search_spent_text(const struct pf_search *s, char *text, size_t room)
{
	size_t used = (size_t)snprintf(text, room, "%zu run%s", s->runs, s->runs == 1 ? "" : "s");

	if (!s->exhaustive && used < room)
		snprintf(text + used, room - used,
		    " (%.0f %% of a grid of %d a setting) and %zu to validate",
		    100 * (double)s->runs / (double)pf_search_grid_runs(s), PF_GRID_RUNS,
		    s->validation_runs);
}

/* Of those that run, the one that is the least above the caps; today's where no other is nearer. */
static const struct pf_trial *
nearest(const struct pf_search *s)
{
	const struct pf_trial *best = &s->trials[0];

	for (size_t i = 1; i < s->count; i++) {
		const struct pf_trial *t = &s->trials[i];

		if (!t->failed && t->runs &&
		    pf_cap_excess(s, t->value) < pf_cap_excess(s, best->value))
			best = t;
	}
	return best;
}

bool
pf_search_lists(const struct pf_search *s, size_t trial)
{
	return !trial || s->trials[trial].validated || s->trials[trial].pareto ||
	       (s->trials[0].capped && nearest(s) == &s->trials[trial]);
}

/* Of those that were not borne out, the one that showed most. */
static const struct pf_validation *
best_seen(const struct pf_search *s)
{
	const struct pf_validation *best = NULL;

	for (size_t i = 0; i < s->validation_count; i++) {
		const struct pf_validation *v = &s->validations[i];

		if (v->rounds && (!best || v->change < best->change))
			best = v;
	}
	return best;
}

/* ---- caps ---- */

enum { CAP_ROOM = 160 };

/* Whose cap these values break most, or come nearest to breaking. */
static enum pf_aim
worst_aim(const struct pf_search *s, const double *value)
{
	enum pf_aim worst = PF_AIM_CPU;
	double most = 0;

	for (int a = 0; a < PF_AIMS; a++) {
		if (value[a] / s->cap[a] > most) {
			most = value[a] / s->cap[a];
			worst = (enum pf_aim)a;
		}
	}
	return worst;
}

const char *
pf_aim_amount(char *text, double value, enum pf_aim aim)
{
	return pf_amount(text, value, aim == PF_AIM_CPU || aim == PF_AIM_P99 ? "seconds" : "bytes");
}

/* "rss_peak is 18.8 MiB, of at most 10.0 MiB" */
static const char *
cap_text(char text[CAP_ROOM], const struct pf_search *s, const double *value, enum pf_aim aim)
{
	char is[PF_AMOUNT_ROOM], most[PF_AMOUNT_ROOM];

	snprintf(text, CAP_ROOM, "%s is %s, of at most %s", pf_aim_metric(aim, s->service),
	    pf_aim_amount(is, value[aim], aim), pf_aim_amount(most, s->cap[aim], aim));
	return text;
}

/* Today's setting breaks a cap, and nothing is proven. */
static void
say_cap_broken(
    struct pf_search *s, const struct pf_validation *seen, const char *broken, const char *name)
{
	const struct pf_trial *best = nearest(s);
	char text[CAP_ROOM];

	if (seen)
		snprintf(s->verdict, sizeof s->verdict,
		    "Today's settings break a cap: %s. %s kept it in the search, but %zu pairs of "
		    "runs beside it are no proof.",
		    broken, name, seen->rounds);
	else if (!best->capped)
		snprintf(s->verdict, sizeof s->verdict,
		    "Today's settings break a cap: %s. %s kept it in the search, but did not run "
		    "in pairs with them.",
		    broken, best->setting.name);
	else if (best == &s->trials[0])
		snprintf(s->verdict, sizeof s->verdict,
		    "Nothing keeps the cap: with today's settings %s, and no other comes nearer.",
		    broken);
	else
		snprintf(s->verdict, sizeof s->verdict,
		    "Nothing keeps the cap: with today's settings %s; %s comes nearest: %s.",
		    broken, best->setting.name,
		    cap_text(text, s, best->value, worst_aim(s, best->value)));
}

/* ---- the verdict ---- */

static void
say_proven(struct pf_search *s, const struct pf_validation *v, const char *interval)
{
	const char *name = s->trials[v->trial].setting.name;
	const struct pf_bench_metric *cpu = &v->metric[PF_AIM_CPU];
	char text[CAP_ROOM], today[PF_AMOUNT_ROOM], cost[40] = "";
	double before[PF_AIMS], after[PF_AIMS];
	enum pf_aim aim;

	for (int a = 0; a < PF_AIMS; a++) {
		before[a] = v->has_metric[a] ? v->metric[a].before : NAN;
		after[a] = v->has_metric[a] ? v->metric[a].after : NAN;
	}
	aim = worst_aim(s, before);
	if (v->has_metric[PF_AIM_CPU])
		snprintf(cost, sizeof cost, " CPU by %+.1f %%,", cpu->comparison.change * 100);
	if (pf_cap_excess(s, before) > 0)
		snprintf(s->verdict, sizeof s->verdict,
		    "%s keeps the cap that today's settings break: %s; with today's it is %s; "
		    "it changes%s what was asked to count by %+.1f %% (%s), in %zu pairs of runs "
		    "beside the "
		    "search.",
		    name, cap_text(text, s, after, aim), pf_aim_amount(today, before[aim], aim),
		    cost, v->change * 100, interval, v->rounds);
	else
		snprintf(s->verdict, sizeof s->verdict,
		    "%s is better than today's settings: %+.1f %% of what was asked to count (%s), "
		    "in %zu pairs of runs beside the search.",
		    name, v->change * 100, interval, v->rounds);
}

static void
say_grid(struct pf_search *s)
{
	const struct pf_trial *best = NULL;
	const double *today = s->trials[0].value;
	char broken[CAP_ROOM];
	bool capping = false;
	size_t used, breaking = 0;

	for (int a = 0; a < PF_AIMS; a++)
		capping |= !isnan(s->cap[a]);
	for (size_t i = 0; i < s->count; i++) {
		const struct pf_trial *t = &s->trials[i];

		breaking += t->capped;
		if (!t->failed && !t->capped && (!best || t->score < best->score))
			best = t;
	}
	used = (size_t)snprintf(s->verdict, sizeof s->verdict,
	    "Every one of %zu settings ran equally often; nothing was validated.", s->count);
	if (!capping)
		return;
	used += (size_t)snprintf(s->verdict + used, sizeof s->verdict - used,
	    " %zu of them break%s a cap%s%s", breaking, breaking == 1 ? "s" : "",
	    s->trials[0].capped ? ", today's among them: " : "",
	    s->trials[0].capped ? cap_text(broken, s, today, worst_aim(s, today)) : "");
	if (best && used < sizeof s->verdict)
		snprintf(s->verdict + used, sizeof s->verdict - used,
		    ". Of those that keep it, %s did best: %+.1f %% of what counts.",
		    best->setting.name, expm1(best->score) * 100);
	else if (used < sizeof s->verdict)
		snprintf(s->verdict + used, sizeof s->verdict - used, ". None keeps it.");
}

/* Nothing was validated to its end. */
static void
say_interrupted(struct pf_search *s)
{
	size_t ran = 0;

	for (size_t i = 0; i < s->count; i++)
		ran += s->trials[i].runs > 0;
	snprintf(s->verdict, sizeof s->verdict,
	    "Interrupted after %zu runs: what %zu of %zu settings needed is shown, but nothing was "
	    "proven, and "
	    "today's settings stay.",
	    s->runs + s->validation_runs, ran, s->count);
}

/* Nothing was promising enough to be validated: whether that says anything, the noise decides. */
static void
say_none(struct pf_search *s)
{
	const struct pf_trial *open = NULL;
	double best = -PF_MATTERS;

	for (size_t i = 1; i < s->count; i++) {
		const struct pf_trial *t = &s->trials[i];
		double may = t->rank - BOUND * t->doubt;

		if (!t->failed && t->runs && !t->capped && may < best) {
			best = may;
			open = t;
		}
	}
	if (open)
		snprintf(s->verdict, sizeof s->verdict,
		    "Today's settings stay, but that is undecided: none of %zu other%s showed "
		    "better, "
		    "yet from %zu runs that differ as these do, %s may be up to %.0f %% better: "
		    "more --runs, or longer ones, would tell.",
		    s->count - 1, s->count == 2 ? "" : "s", s->runs, open->setting.name,
		    -expm1(best) * 100);
	else
		snprintf(s->verdict, sizeof s->verdict,
		    "Today's settings stay: none of %zu other%s was better.", s->count - 1,
		    s->count == 2 ? "" : "s");
}

void
pf_search_conclude(struct pf_search *s)
{
	const struct pf_validation *proof = pf_search_proof(s);
	const struct pf_validation *seen = proof ? proof : best_seen(s);
	const char *name = seen ? s->trials[seen->trial].setting.name : "";
	const double *today = s->trials[0].value;
	char interval[80] = "too few pairs to say how sure", broken[CAP_ROOM];

	if (seen && isfinite(seen->high))
		snprintf(interval, sizeof interval, "%+.1f to %+.1f %%", seen->low * 100,
		    seen->high * 100);
	if (s->interrupted)
		say_interrupted(s);
	else if (s->exhaustive)
		say_grid(s);
	else if (proof)
		say_proven(s, proof, interval);
	else if (s->trials[0].capped)
		say_cap_broken(s, seen, cap_text(broken, s, today, worst_aim(s, today)), name);
	else if (seen)
		snprintf(s->verdict, sizeof s->verdict,
		    "Today's settings stay: the best that was found, %s, showed %+.1f %% (%s) in "
		    "%zu pairs of runs, which is no proof.",
		    name, seen->change * 100, interval, seen->rounds);
	else
		say_none(s);
}
