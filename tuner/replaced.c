/* replaced.c: see replaced.h. */
#include "tuner/replaced.h"

#include <math.h>
#include <stdlib.h>

#include "core/memory.h"
#include "stats/trend.h"

#define FALLING_P 0.05
#define STEP_P 0.1 /* without its steepest step nothing falls */
#define FALL_SIGMAS 2.0
#define SMALL \
	0.05 /* of what the owner grew by: a fall of less is looked at only with all others' */

static double
grown(const struct pf_growth *g, uint32_t owner)
{
	return pf_growth_at(g, g->snapshots - 1, owner) - pf_growth_at(g, 0, owner);
}

/* Whether a course, given upside down, rises steadily; of four snapshots nobody can say that it is no step. */
static int
test_fall(const struct pf_growth *g, const double *down, bool *falls, struct pf_error *err)
{
	struct pf_trend trend;
	int rc = pf_trend(g->times, down, g->snapshots, &trend, err);

	*falls = !rc && trend.p_rising <= FALLING_P &&
		 (g->snapshots == PF_LEAST_SERIES || trend.steps_p <= STEP_P);
	return rc;
}

static int
owner_falls(
    const struct pf_growth *g, uint32_t owner, double *room, bool *falls, struct pf_error *err)
{
	*falls = -grown(g, owner) > FALL_SIGMAS * sqrt(pf_growth_variance(g, owner));
	if (!*falls || g->snapshots < PF_LEAST_SERIES)
		return 0;
	for (size_t i = 0; i < g->snapshots; i++)
		room[i] = -pf_growth_at(g, i, owner);
	return test_fall(g, room, falls, err);
}

static double
others_at(const struct pf_growth *g, size_t snapshot, uint32_t but)
{
	double sum = 0;

	for (uint32_t owner = 0; owner < g->room; owner++)
		sum += owner == but ? 0 : pf_growth_at(g, snapshot, owner);
	return sum;
}

/* What all others together gave up. */
static int
others_fell(
    const struct pf_growth *g, uint32_t but, double *room, double *fell, struct pf_error *err)
{
	double variance = 0;
	bool falls;
	int rc = 0;

	*fell = others_at(g, 0, but) - others_at(g, g->snapshots - 1, but);
	for (uint32_t owner = 0; owner < g->room; owner++)
		variance += owner == but ? 0 : pf_growth_variance(g, owner);
	falls = *fell > FALL_SIGMAS * sqrt(variance);
	if (falls && g->snapshots >= PF_LEAST_SERIES) {
		for (size_t i = 0; i < g->snapshots; i++)
			room[i] = -others_at(g, i, but);
		rc = test_fall(g, room, &falls, err);
	}
	if (!falls)
		*fell = 0;
	return rc;
}

int
pf_replaced_of(
    struct pf_replaced *r, const struct pf_growth *g, uint32_t owner, struct pf_error *err)
{
	double *room = NULL, most = 0, together = 0, more = grown(g, owner);
	int rc = PF_CALLOC(room, g->snapshots, err);

	*r = (struct pf_replaced){.total = more};
	for (uint32_t other = 0; !rc && other < g->room; other++) {
		double fell = other == owner ? 0 : -grown(g, other);
		bool falls = false;

		r->total -= fell;
		if (fell > SMALL * more)
			rc = owner_falls(g, other, room, &falls, err);
		if (rc || !falls)
			continue;
		r->bytes += fell;
		if (fell > most) {
			most = fell;
			r->who = pf_strings_get(g->owners, other);
		}
	}
	if (!rc)
		rc = others_fell(g, owner, room, &together, err);
	r->bytes = fmax(r->bytes, together);
	free(room);
	return rc;
}
