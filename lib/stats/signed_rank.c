/* signed_rank.c: see signed_rank.h. */
#include "stats/signed_rank.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "stats/quantile.h"

/*
 * table[s] = P(sum of a random half of `weights` == s), for s up to their total.
 * Weights are added one by one, walking down so that each is used at most once.
 */
static int
sum_distribution(
    const uint32_t *weights, size_t n, double **table, size_t *size, struct pf_error *err)
{
	size_t total = 0, reached = 0;
	double *p;
	int rc;

	for (size_t i = 0; i < n; i++)
		total += weights[i];
	rc = PF_CALLOC(p, total + 1, err);
	if (rc)
		return rc;
	p[0] = 1;
	for (size_t i = 0; i < n; i++) {
		reached += weights[i];
		for (size_t s = reached + 1; s-- > 0;)
			p[s] = (p[s] + (s >= weights[i] ? p[s - weights[i]] : 0)) / 2;
	}
	*table = p;
	*size = total + 1;
	return 0;
}

static double
normal_below(double z)
{
	return erfc(-z / sqrt(2)) / 2;
}

/* P(W < k) for large n: W has mean n(n+1)/4 and variance n(n+1)(2n+1)/24. */
static double
approximate_below(size_t n, double k)
{
	double m = (double)n, mean = m * (m + 1) / 4;

	return normal_below((k - 0.5 - mean) / sqrt(m * (m + 1) * (2 * m + 1) / 24));
}

static void
approximate_cut(size_t n, double tail, size_t *k, double *below)
{
	size_t low = 0, high = n * (n + 1) / 4;

	while (low < high) {
		size_t middle = (low + high + 1) / 2;
		if (approximate_below(n, (double)middle) <= tail)
			low = middle;
		else
			high = middle - 1;
	}
	*k = low;
	*below = low ? approximate_below(n, (double)low) : 0;
}

static int
exact_cut(size_t n, double tail, size_t *k, double *below, struct pf_error *err)
{
	uint32_t ranks[PF_SIGNED_RANK_EXACT];
	double *p, sum = 0;
	size_t size;
	int rc;

	for (size_t i = 0; i < n; i++)
		ranks[i] = (uint32_t)i + 1;
	rc = sum_distribution(ranks, n, &p, &size, err);
	if (rc)
		return rc;
	/* A tail such as 0.05/2 has no exact binary form: a hair's breadth keeps 1/32 <= 0.03125 true. */
	for (*k = 0; *k < size && sum + p[*k] <= tail * (1 + 1e-12); ++*k)
		sum += p[*k];
	*below = sum;
	free(p);
	return 0;
}

int
pf_signed_rank_cut(size_t n, double confidence, size_t *k, double *coverage, struct pf_error *err)
{
	double below = 0;
	int rc = 0;

	if (n > PF_SIGNED_RANK_EXACT)
		approximate_cut(n, (1 - confidence) / 2, k, &below);
	else
		rc = exact_cut(n, (1 - confidence) / 2, k, &below, err);
	*coverage = 1 - 2 * below;
	return rc;
}

struct magnitude {
	double size;
	int positive;
};

static int
by_size(const void *a, const void *b)
{
	double x = ((const struct magnitude *)a)->size, y = ((const struct magnitude *)b)->size;

	return (x > y) - (x < y);
}

/* Twice the mid-ranks (whole numbers), and twice the sum over the positive differences. */
static size_t
double_ranks(struct magnitude *m, size_t n, uint32_t *ranks)
{
	size_t positive = 0;

	qsort(m, n, sizeof *m, by_size);
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && m[end].size <= m[i].size;)
			end++;
		for (size_t j = i; j < end; j++) {
			ranks[j] = (uint32_t)(i + 1 + end);
			positive += m[j].positive ? ranks[j] : 0;
		}
	}
	return positive;
}

static double
approximate_p(const uint32_t *ranks, size_t n, size_t positive)
{
	double mean = 0, variance = 0, off;

	for (size_t i = 0; i < n; i++) {
		double rank = ranks[i] / 2.0;
		mean += rank / 2;
		variance += rank * rank / 4;
	}
	off = fabs((double)positive / 2 - mean) - 0.5;
	return off <= 0 ? 1 : 2 * normal_below(-off / sqrt(variance));
}

static int
exact_p(const uint32_t *ranks, size_t n, size_t positive, double *p, struct pf_error *err)
{
	double *table, sum = 0;
	size_t size, end;
	int rc = sum_distribution(ranks, n, &table, &size, err);

	if (rc)
		return rc;
	/* The distribution is symmetric: the nearer tail, doubled. */
	end = positive <= (size - 1) / 2 ? positive : size - 1 - positive;
	for (size_t s = 0; s <= end; s++)
		sum += table[s];
	*p = fmin(1, 2 * sum);
	free(table);
	return 0;
}

int
pf_signed_rank_p(const double *d, size_t n, double *p, struct pf_error *err)
{
	struct magnitude *m = NULL;
	uint32_t *ranks = NULL;
	size_t kept = 0, positive;
	int rc;

	*p = 1;
	if (n == 0)
		return 0;
	rc = PF_CALLOC(m, n, err);
	if (rc)
		return rc;
	rc = PF_CALLOC(ranks, n, err);
	if (rc)
		goto out;
	for (size_t i = 0; i < n; i++) {
		if (d[i] < 0 || d[i] > 0)
			m[kept++] = (struct magnitude){fabs(d[i]), d[i] > 0};
	}
	positive = double_ranks(m, kept, ranks);
	if (kept > PF_SIGNED_RANK_EXACT)
		*p = approximate_p(ranks, kept, positive);
	else if (kept)
		rc = exact_p(ranks, kept, positive, p, err);
out:
	free(ranks);
	free(m);
	return rc;
}

int
pf_walsh_averages(const double *d, size_t n, double **averages, size_t *count, struct pf_error *err)
{
	size_t at = 0;
	double *w;
	int rc = PF_CALLOC(w, n * (n + 1) / 2 + 1, err);

	*averages = NULL;
	if (rc)
		return rc;
	for (size_t i = 0; i < n; i++) {
		for (size_t j = i; j < n; j++)
			w[at++] = d[i] + (d[j] - d[i]) / 2;
	}
	pf_sort(w, at);
	*averages = w;
	*count = at;
	return 0;
}
