/*
 * multiple.c: many chances to be wrong, kept at one level: several metrics (Holm)
 * and several looks at growing data (O'Brien–Fleming); see profuse/stats.h.
 */
#include <profuse/stats.h>

#include <math.h>
#include <stdlib.h>

#include "core/error.h"
#include "core/memory.h"

struct ranked {
	double p;
	size_t at;
};

static int
by_p(const void *a, const void *b)
{
	double x = ((const struct ranked *)a)->p, y = ((const struct ranked *)b)->p;

	return (x > y) - (x < y);
}

int
pf_holm(double *p, size_t n, struct pf_error *err)
{
	struct ranked *order;
	double most = 0;
	int rc;

	if (n == 0)
		return 0;
	rc = PF_CALLOC(order, n, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < n; i++)
		order[i] = (struct ranked){p[i], i};
	qsort(order, n, sizeof *order, by_p);
	for (size_t i = 0; i < n; i++) {
		most = fmax(most, fmin(1, order[i].p * (double)(n - i)));
		p[order[i].at] = most;
	}
	free(order);
	return 0;
}

enum { GRID = 101, MOST_LOOKS = 20 }; /* an odd number of points, for Simpson's rule */

/*
 * The chance that a walk of `looks` standard normal steps stays within [-b, b]:
 * its density among those that did is carried from step to step on a grid.
 */
static double
stays_within(double b, size_t looks)
{
	double kernel[GRID], now[GRID], next[GRID], h = 2 * b / (GRID - 1), inside = 0;

	for (int i = 0; i < GRID; i++) {
		double x = h * i, y = h * i - b;
		kernel[i] = exp(-x * x / 2) / sqrt(2 * M_PI);
		now[i] = exp(-y * y / 2) / sqrt(2 * M_PI);
	}
	for (size_t look = 1; look < looks; look++) {
		for (int i = 0; i < GRID; i++) {
			double sum = 0;
			for (int j = 0; j < GRID; j++)
				sum += now[j] * kernel[abs(i - j)] *
				       (j == 0 || j == GRID - 1 ? 1
					   : j % 2              ? 4
								: 2);
			next[i] = sum * h / 3;
		}
		for (int i = 0; i < GRID; i++)
			now[i] = next[i];
	}
	for (int j = 0; j < GRID; j++)
		inside += now[j] * (j == 0 || j == GRID - 1 ? 1 : j % 2 ? 4 : 2);
	return inside * h / 3;
}

/*
 * The half-width of the band that a walk of so many steps leaves with chance
 * 1 - confidence: halving until the answer is near, then false position.
 */
static double
band(size_t looks, double confidence)
{
	double low = 0.5, high = 40, below = -confidence, above = 1 - confidence, middle = high;

	for (int i = 0; i < 20 && high - low > 1e-10; i++) {
		double off;
		middle = high - low > 0.5 ? (low + high) / 2
					  : (low * above - high * below) / (above - below);
		off = stays_within(middle, looks) - confidence;
		/* An end that stays is given half its weight, so that it moves too (the Illinois rule). */
		if (off < 0) {
			low = middle;
			below = off;
			above /= high - low > 0.5 ? 1 : 2;
		} else {
			high = middle;
			above = off;
			below /= high - low > 0.5 ? 1 : 2;
		}
		if (fabs(off) < 1e-12)
			break;
	}
	return middle;
}

/*
 * O'Brien and Fleming (1979): look k decides where |Z| >= c·sqrt(looks/k), that is
 * where the walk of Z·sqrt(k), whose steps are standard normal, leaves a band of
 * constant half-width c·sqrt(looks).
 */
double
pf_look_level(size_t look, size_t looks, double confidence)
{
	if (look < 1 || look > looks || looks > MOST_LOOKS || !(confidence > 0 && confidence < 1))
		return 0;
	if (looks == 1)
		return 1 - confidence;
	return erfc(band(looks, confidence) / sqrt(2 * (double)look));
}
