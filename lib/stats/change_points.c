/* change_points.c: see change_points.h. */
#include "stats/change_points.h"

#include <math.h>
#include <stdlib.h>

#include "core/error.h"
#include "core/memory.h"
#include "stats/random.h"

enum { PERMUTATIONS = 1999 };

struct search {
	const double *values;
	double *ranks; /* room for all values: the mid-ranks of the segment at hand */
	double level;
	struct pf_random rng;
	struct pf_change_point *points;
	size_t count;
};

static void
shuffle(struct pf_random *rng, double *items, size_t n)
{
	for (size_t i = n; i > 1; i--) {
		size_t j = (size_t)pf_random_below(rng, i);
		double swap = items[i - 1];
		items[i - 1] = items[j];
		items[j] = swap;
	}
}

/* The largest standardised rank sum over all places to split, and where. */
static double
largest(const double *ranks, size_t n, size_t *where)
{
	double best = 0, sum = 0, total = (double)n;

	for (size_t i = 1; i + PF_CHANGE_LEAST <= n; i++) {
		double k = (double)i, off;
		sum += ranks[i - 1];
		if (i < PF_CHANGE_LEAST)
			continue;
		off = fabs(sum - k * (total + 1) / 2) / sqrt(k * (total - k) * (total + 1) / 12);
		if (off > best) {
			best = off;
			*where = i;
		}
	}
	return best;
}

/* Mid-ranks of values[from, from + n), in their order. */
static void
rank_segment(struct search *s, size_t from, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t below = 0, same = 0;
		for (size_t j = 0; j < n; j++) {
			below += s->values[from + j] < s->values[from + i];
			same += !(s->values[from + j] < s->values[from + i]) &&
				!(s->values[from + j] > s->values[from + i]);
		}
		s->ranks[i] = (double)below + ((double)same + 1) / 2;
	}
}

static void
look(struct search *s, size_t from, size_t to)
{
	size_t n = to - from, where = 0, ignored, at_least = 1;
	double found, p;

	if (n < 2 * PF_CHANGE_LEAST)
		return;
	rank_segment(s, from, n);
	found = largest(s->ranks, n, &where);
	for (int i = 0; where && i < PERMUTATIONS; i++) {
		shuffle(&s->rng, s->ranks, n);
		at_least += largest(s->ranks, n, &ignored) >= found * (1 - 1e-12);
	}
	p = (double)at_least / (PERMUTATIONS + 1);
	if (!where || p > s->level)
		return;
	look(s, from, from + where);
	s->points[s->count++] = (struct pf_change_point){from + where, p};
	look(s, from + where, to);
}

int
pf_change_points(const double *values, size_t n, double level, uint64_t seed,
    struct pf_change_point *points, size_t *count, struct pf_error *err)
{
	struct search s = {.values = values, .level = level, .points = points};
	int rc = PF_CALLOC(s.ranks, n + 1, err);

	*count = 0;
	if (rc)
		return rc;
	pf_random_init(&s.rng, seed);
	look(&s, 0, n);
	free(s.ranks);
	*count = s.count;
	return 0;
}
