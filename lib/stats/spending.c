/* spending.c: see spending.h. */
#include "stats/spending.h"

#include <math.h>

enum { GRID = 101, HALVINGS = 50 }; /* an odd number of points, for Simpson's rule */

/* The walk's density over [-band, band] among those that never left their bands before. */
struct walk {
	double band, at; /* `at`: the share of the data, which is the walk's variance */
	double density[GRID];
};

static double
place(const struct walk *w, int i)
{
	return w->band * (2.0 * i / (GRID - 1) - 1);
}

static double
simpson(const struct walk *w, int i)
{
	double h = 2 * w->band / (GRID - 1);

	return h / 3 * (i == 0 || i == GRID - 1 ? 1 : i % 2 ? 4 : 2);
}

/* The chance that the walk is outside [-band, band] when it has come to share `to`. */
static double
leaves(const struct walk *w, double to, double band)
{
	double sum = 0, deviation = sqrt(2 * (to - w->at));

	if (w->at <= 0)
		return erfc(band / deviation);
	for (int i = 0; i < GRID; i++) {
		double x = place(w, i);
		sum += simpson(w, i) * w->density[i] *
		       (erfc((band - x) / deviation) + erfc((band + x) / deviation)) / 2;
	}
	return sum;
}

static void
step(struct walk *w, double to, double band)
{
	struct walk next = {.band = band, .at = to};
	double variance = to - w->at, top = 1 / sqrt(2 * M_PI * variance);

	for (int i = 0; i < GRID; i++) {
		double y = place(&next, i), sum = 0;

		for (int j = 0; w->at > 0 && j < GRID; j++) {
			double far = y - place(w, j);
			sum += simpson(w, j) * w->density[j] * exp(-far * far / (2 * variance));
		}
		next.density[i] = top * (w->at > 0 ? sum : exp(-y * y / (2 * variance)));
	}
	*w = next;
}

void
pf_spending_levels(const double *share, size_t looks, double alpha, double power, double *level)
{
	struct walk w = {0};
	double spent = 0;

	for (size_t k = 0; k < looks; k++) {
		double low = 0, high = 40, now = alpha * pow(share[k], power);

		for (int i = 0; i < HALVINGS; i++) {
			double middle = (low + high) / 2;

			if (leaves(&w, share[k], middle) > now - spent)
				low = middle;
			else
				high = middle;
		}
		level[k] = erfc(high / sqrt(2 * share[k]));
		step(&w, share[k], high);
		spent = now;
	}
}
