/* rank_sum.c: see rank_sum.h. */
#include "stats/rank_sum.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/error.h"
#include "core/memory.h"

/*
 * P(sum of the ranks of a random choice of m among n == s), as table[s] for s up
 * to *size - 1. Row by row: chance[j][s] after i ranks is the probability that a
 * random walk which takes each rank with the chance that is left has j of them
 * with sum s; it never over- or underflows as counts of choices would.
 */
static int
sum_distribution(
    const uint32_t *ranks, size_t n, size_t m, double **table, size_t *size, struct pf_error *err)
{
	size_t total = 0;
	double *chance;
	int rc;

	for (size_t i = 0; i < n; i++)
		total += ranks[i];
	*size = total + 1;
	rc = PF_CALLOC(chance, (m + 1) * *size, err);
	if (rc)
		return rc;
	chance[0] = 1;
	total = 0;
	for (size_t i = 0; i < n; i++) {
		total += ranks[i];
		for (size_t j = (i + 1 < m ? i + 1 : m) + 1; j-- > 0;) {
			/* Having j taken of the i before, rank i is taken with chance (m - j) / (n - i). */
			double stays = j > i ? 0 : 1 - (double)(m - j) / (double)(n - i);
			double comes = j ? (double)(m - j + 1) / (double)(n - i) : 0;
			double *row = chance + j * *size, *below = j ? row - *size : row;

			for (size_t s = total + 1; s-- > 0;)
				row[s] = row[s] * stays +
					 (j && s >= ranks[i] ? below[s - ranks[i]] * comes : 0);
		}
	}
	for (size_t s = 0; s < *size; s++)
		chance[s] = chance[m * *size + s];
	*table = chance;
	return 0;
}

struct tagged {
	double value;
	int of_b;
};

static int
by_value(const void *x, const void *y)
{
	double a = ((const struct tagged *)x)->value, b = ((const struct tagged *)y)->value;

	return (a > b) - (a < b);
}

/* Twice the mid-ranks of all; the sum of b's; Σ(t³ - t) over ties. */
static void
double_ranks(struct tagged *all, size_t n, uint32_t *ranks, size_t *sum, double *ties)
{
	*sum = 0;
	*ties = 0;
	qsort(all, n, sizeof *all, by_value);
	for (size_t i = 0, end; i < n; i = end) {
		double t;
		for (end = i + 1; end < n && all[end].value <= all[i].value;)
			end++;
		t = (double)(end - i);
		*ties += t * t * t - t;
		for (size_t j = i; j < end; j++) {
			ranks[j] = (uint32_t)(i + 1 + end);
			*sum += all[j].of_b ? ranks[j] : 0;
		}
	}
}

static int
exact_p(const uint32_t *ranks, size_t n, size_t nb, size_t sum, double *p, struct pf_error *err)
{
	double *table, below = 0, above = 0;
	size_t size;
	int rc = sum_distribution(ranks, n, nb, &table, &size, err);

	if (rc)
		return rc;
	for (size_t s = 0; s < size; s++) {
		below += s <= sum ? table[s] : 0;
		above += s >= sum ? table[s] : 0;
	}
	*p = fmin(1, 2 * fmin(below, above));
	free(table);
	return 0;
}

/* With the continuity correction and the variance that ties leave. */
static double
approximate_p(size_t na, size_t nb, size_t double_sum, double ties)
{
	double a = (double)na, b = (double)nb, n = a + b;
	double u = (double)double_sum / 2 - b * (b + 1) / 2, mean = a * b / 2;
	double variance = a * b / 12 * (n + 1 - ties / (n * (n - 1)));
	double off = fabs(u - mean) - 0.5;

	return off <= 0 || variance <= 0 ? 1 : fmin(1, erfc(off / sqrt(2 * variance)));
}

int
pf_rank_sum_p(
    const double *a, size_t na, const double *b, size_t nb, double *p, struct pf_error *err)
{
	size_t n = na + nb, sum;
	struct tagged *all = NULL;
	uint32_t *ranks = NULL;
	double ties;
	int rc;

	*p = 1;
	if (na == 0 || nb == 0)
		return 0;
	rc = PF_CALLOC(all, n, err);
	if (!rc)
		rc = PF_CALLOC(ranks, n, err);
	if (rc) {
		free(all);
		return rc;
	}
	for (size_t i = 0; i < n; i++)
		all[i] = i < na ? (struct tagged){a[i], 0} : (struct tagged){b[i - na], 1};
	double_ranks(all, n, ranks, &sum, &ties);
	if (n > PF_RANK_SUM_EXACT)
		*p = approximate_p(na, nb, sum, ties);
	else
		rc = exact_p(ranks, n, nb, sum, p, err);
	free(ranks);
	free(all);
	return rc;
}

static int
exact_cut(size_t na, size_t nb, double tail, size_t *k, double *below, struct pf_error *err)
{
	uint32_t ranks[PF_RANK_SUM_EXACT];
	size_t size, first = nb * (nb + 1) / 2;
	double *table, sum = 0;
	int rc;

	for (size_t i = 0; i < na + nb; i++)
		ranks[i] = (uint32_t)i + 1;
	rc = sum_distribution(ranks, na + nb, nb, &table, &size, err);
	if (rc)
		return rc;
	for (*k = 0; first + *k < size && sum + table[first + *k] <= tail * (1 + 1e-12); ++*k)
		sum += table[first + *k];
	*below = sum;
	free(table);
	return 0;
}

static double
approximate_below(size_t na, size_t nb, double k)
{
	double a = (double)na, b = (double)nb;

	return erfc((a * b / 2 - k + 0.5) / sqrt(a * b * (a + b + 1) / 6)) / 2;
}

int
pf_rank_sum_cut(
    size_t na, size_t nb, double confidence, size_t *k, double *coverage, struct pf_error *err)
{
	double tail = (1 - confidence) / 2, below = 0;
	int rc = 0;

	*k = 0;
	if (na && nb && na + nb <= PF_RANK_SUM_EXACT) {
		rc = exact_cut(na, nb, tail, k, &below, err);
	} else if (na && nb) {
		size_t low = 0, high = na * nb / 2;
		while (low < high) {
			size_t middle = (low + high + 1) / 2;
			if (approximate_below(na, nb, (double)middle) <= tail)
				low = middle;
			else
				high = middle - 1;
		}
		*k = low;
		below = low ? approximate_below(na, nb, (double)low) : 0;
	}
	*coverage = 1 - 2 * below;
	return rc;
}
