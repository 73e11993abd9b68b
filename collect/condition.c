/* condition.c: see condition.h. */
#include "condition.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double
pf_counter_rate(double before, double at_before, double value, double at)
{
	if (at_before <= 0 || at <= at_before || isnan(before) || isnan(value) || value < before)
		return NAN;
	return (value - before) / (at - at_before);
}

void
pf_point_release(struct pf_point *p)
{
	free(p->usual);
	*p = (struct pf_point){0};
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The median of what is remembered; NaN while that is too little. */
static double
usual_value(const struct pf_point *p)
{
	double *sorted, median;

	if (!p->usual || p->count < (p->room + 1) / 2)
		return NAN;
	sorted = malloc(p->count * sizeof *sorted);
	if (!sorted)
		return NAN;
	memcpy(sorted, p->usual, p->count * sizeof *sorted);
	qsort(sorted, p->count, sizeof *sorted, by_value);
	median = (sorted[(p->count - 1) / 2] + sorted[p->count / 2]) / 2;
	free(sorted);
	return median;
}

/* Without memory a jump is not seen: better than none of the triggers. */
static void
remember(struct pf_point *p, size_t room, double value)
{
	if (!p->usual) {
		p->usual = calloc(room, sizeof *p->usual);
		p->room = room;
	}
	if (!p->usual)
		return;
	p->usual[p->next] = value;
	p->next = (p->next + 1) % p->room;
	if (p->count < p->room)
		p->count++;
}

static const char *
subject(const struct pf_trigger_config *t)
{
	return t->metric ? t->metric : "the query";
}

/* Whether the value is odd now, and why. */
static bool
is_odd(const struct pf_point *p, const struct pf_trigger_config *t, double value,
    const struct pf_point_context *c, char *reason, size_t room)
{
	char which[48] = "";
	double usual;

	if (t->quantile > 0)
		snprintf(which, sizeof which, " (quantile %g)", t->quantile);
	else if (t->rate)
		snprintf(which, sizeof which, " (per second)");
	switch (t->kind) {
	case PF_TRIGGER_ABOVE:
		snprintf(
		    reason, room, "%s%s is %.4g, above %g", subject(t), which, value, t->above);
		return value > t->above;
	case PF_TRIGGER_BELOW:
		snprintf(
		    reason, room, "%s%s is %.4g, below %g", subject(t), which, value, t->below);
		return value < t->below;
	case PF_TRIGGER_JUMP:
		usual = usual_value(p);
		if (usual == 0)
			snprintf(
			    reason, room, "%s%s is %.4g, and usually 0", subject(t), which, value);
		else
			snprintf(reason, room, "%s%s is %.4g, %.3g times its usual %.4g",
			    subject(t), which, value, value / usual, usual);
		return !isnan(usual) && value > t->floor && value > t->jump * usual;
	default:
		snprintf(reason, room, "takes %.0f %% of its service's %s%s (of %zu instances)",
		    100 * value / c->sum, subject(t), which, c->instances);
		return c->instances > 1 && c->sum > 0 && value > t->floor &&
		       value >= t->share * c->sum;
	}
}

bool
pf_condition_judge(struct pf_point *p, const struct pf_trigger_config *t, double value,
    const struct pf_point_context *context, double now, char *reason, size_t room)
{
	bool odd;

	if (isnan(value))
		return false;
	odd = is_odd(p, t, value, context, reason, room);
	p->value = value;
	p->at = now;
	if (!odd) {
		p->since = 0;
		if (t->kind == PF_TRIGGER_JUMP)
			remember(p, (size_t)t->window, value);
		return false;
	}
	if (p->since <= 0)
		p->since = now;
	return now - p->since >= t->wait;
}
