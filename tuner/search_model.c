/* search_model.c: see search_model.h. Matrices are rows one after another, n by n; factors are lower ones. */
#include "tuner/search_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "tuner/search_score.h"

enum { KIND, ALIKE, OWN, NOISE }; /* the scales: standard deviations, as logarithms */

#define DIAL_WIDTH 0.5 /* in the logarithm: a factor of 1.65 of GOGC */
#define PRIOR_DEVIATION 1.0
#define LEAST_VARIANCE 1e-10 /* added on the diagonal, so that factors exist */
#define FIRST_STEP 0.7       /* of the scales, and where a finer one would say no more */
#define LAST_STEP 0.3

/* What such effects were in measurements of allocators, and of Go's collector along GOGC. */
static const double usual_of_allocators[PF_SCALES] = {0.2, 0.1, 0.1, 0.1};
static const double usual_on_a_dial[PF_SCALES] = {0.05, 0.2, 0.03, 0.1};

struct model {
	size_t n;
	double prior[PF_SCALES];
	double *kind, *alike; /* what settings have in common */
	/* The runs, each round less its mean: crossproducts with the settings, and with themselves. */
	double *design, *product, squares;
	size_t contrasts; /* runs less rounds */
	/* Of one choice of scales: factors, and room. */
	double *effects, *posterior, *room, *solved;
};

/* ---- what settings have in common ---- */

/* How many of "arenas 1, mmap 32M" both names have. */
static double
words_in_common(const struct pf_setting *a, const struct pf_setting *b)
{
	const char *at = strchr(a->name, ' '), *other = strchr(b->name, ' ');
	double count = 0;

	if (!at || !other || a->allocator != b->allocator)
		return 0;
	for (at++; *at; at += strspn(at, ", ")) {
		size_t size = strcspn(at, ",");

		for (const char *word = other + 1; *word; word += strspn(word, ", ")) {
			size_t length = strcspn(word, ",");
			count += length == size && memcmp(word, at, size) == 0;
			word += length;
		}
		at += size;
	}
	return count;
}

static void
relate(struct model *m, const struct pf_search *s)
{
	for (size_t i = 0; i < m->n; i++) {
		for (size_t j = 0; j < m->n; j++) {
			const struct pf_setting *a = &s->trials[i].setting,
						*b = &s->trials[j].setting;
			double far = log(a->dial / b->dial) / DIAL_WIDTH, near;
			size_t at = i * m->n + j;

			if (a->dial > 0 && b->dial > 0) {
				near = exp(-far * far / 2);
				m->kind[at] = a->series == b->series ? near : 0;
				m->alike[at] = near;
			} else {
				m->kind[at] = a->allocator == b->allocator;
				m->alike[at] = words_in_common(a, b);
			}
		}
	}
}

/* ---- the runs ---- */

/* One round: its runs less their mean. `count` and `sum` are room for a number a setting. */
static void
add_round(struct model *m, const struct pf_search *s, size_t round, double *count, double *sum)
{
	double all = 0, runs = 0;

	for (size_t i = 0; i < m->n; i++) {
		const struct pf_trial *t = &s->trials[i];

		count[i] = sum[i] = 0;
		for (size_t r = 0; r < t->runs; r++) {
			double change = pf_weighted_change(s, t->measured[r].change);

			if (t->measured[r].round != round || !isfinite(change))
				continue;
			count[i]++;
			sum[i] += change;
			m->squares += change * change;
		}
		runs += count[i];
		all += sum[i];
	}
	if (!(runs > 0))
		return;
	m->contrasts += (size_t)runs - 1;
	m->squares -= all * all / runs;
	for (size_t i = 0; i < m->n; i++) {
		m->product[i] += sum[i] - count[i] * all / runs;
		m->design[i * m->n + i] += count[i];
		for (size_t j = 0; count[i] > 0 && j < m->n; j++)
			m->design[i * m->n + j] -= count[i] * count[j] / runs;
	}
}

/* ---- linear algebra ---- */

/* Turns a positive definite matrix into its factor (Cholesky), zeros above the diagonal. */
static void
factorize(double *a, size_t n)
{
	for (size_t j = 0; j < n; j++) {
		for (size_t i = 0; i < n; i++) {
			double sum = a[i * n + j];

			if (i < j) {
				a[i * n + j] = 0;
				continue;
			}
			for (size_t k = 0; k < j; k++)
				sum -= a[i * n + k] * a[j * n + k];
			a[i * n + j] =
			    i == j ? sqrt(fmax(sum, LEAST_VARIANCE)) : sum / a[j * n + j];
		}
	}
}

/* Puts factor^-1 x in place of x. */
static void
solve(const double *factor, size_t n, double *x)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < i; k++)
			x[i] -= factor[i * n + k] * x[k];
		x[i] /= factor[i * n + i];
	}
}

/*
 * With K = L L' the covariance of effects, A the design and v the noise's variance, what is
 * known of L^-1 effects has the precision B = I + L' A L / v. Leaves L in m->effects and B's
 * factor in m->posterior.
 */
static void
factorize_both(struct model *m, const double *scales)
{
	double variance[PF_SCALES];
	size_t n = m->n;

	for (int i = 0; i < PF_SCALES; i++)
		variance[i] = exp(2 * scales[i]);
	for (size_t i = 0; i < n * n; i++)
		m->effects[i] = variance[KIND] * m->kind[i] + variance[ALIKE] * m->alike[i];
	for (size_t i = 0; i < n; i++)
		m->effects[i * n + i] += variance[OWN] + LEAST_VARIANCE;
	factorize(m->effects, n);
	memset(m->room, 0, n * n * sizeof *m->room); /* A L */
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < n; k++) {
			double a = m->design[i * n + k];
			for (size_t j = 0; a != 0 && j <= k; j++)
				m->room[i * n + j] += a * m->effects[k * n + j];
		}
	}
	memset(m->posterior, 0, n * n * sizeof *m->posterior);
	for (size_t k = 0; k < n; k++) {
		for (size_t i = 0; i <= k; i++) {
			double l = m->effects[k * n + i] / variance[NOISE];
			for (size_t j = 0; j <= i; j++)
				m->posterior[i * n + j] += l * m->room[k * n + j];
		}
	}
	for (size_t i = 0; i < n; i++)
		m->posterior[i * n + i] += 1;
	factorize(m->posterior, n);
}

/* The logarithm of the scales' density given the runs, up to a constant. */
static double
density(struct model *m, const double *scales)
{
	double noise = exp(2 * scales[NOISE]), sum;
	size_t n = m->n;

	factorize_both(m, scales);
	for (size_t j = 0; j < n; j++) {
		m->solved[j] = 0;
		for (size_t i = j; i < n; i++)
			m->solved[j] += m->effects[i * n + j] * m->product[i] / noise;
	}
	solve(m->posterior, n, m->solved);
	sum = -(double)m->contrasts * scales[NOISE] - m->squares / noise / 2;
	for (size_t i = 0; i < n; i++)
		sum += m->solved[i] * m->solved[i] / 2 - log(m->posterior[i * n + i]);
	for (int i = 0; i < PF_SCALES; i++) {
		double off = (scales[i] - m->prior[i]) / PRIOR_DEVIATION;
		sum -= off * off / 2;
	}
	return sum;
}

/* Uphill, one scale at a time, in steps that become finer. */
static void
find_scales(struct model *m, double *scales)
{
	double best = density(m, scales);

	for (double step = FIRST_STEP; step > LAST_STEP;) {
		bool moved = false;

		for (int i = 0; i < 2 * PF_SCALES; i++) {
			double before = scales[i / 2], there;

			scales[i / 2] += i % 2 ? -step : step;
			there = density(m, scales);
			if (there > best + 1e-3) {
				best = there;
				moved = true;
			} else
				scales[i / 2] = before;
		}
		step = moved ? step : step / 2;
	}
}

/* ---- what comes of it ---- */

static void
tell(struct model *m, struct pf_search *s)
{
	size_t n = m->n;
	double today = 0;

	density(m, s->scales);
	for (size_t i = 0; i < n; i++) {
		double mean = 0, variance = 0;

		memcpy(m->room, &m->effects[i * n], n * sizeof *m->room);
		solve(m->posterior, n, m->room);
		for (size_t k = 0; k < n; k++) {
			mean += m->room[k] * m->solved[k];
			variance += m->room[k] * m->room[k];
		}
		today = i ? today : mean;
		s->trials[i].rank = mean - today;
		s->trials[i].doubt = sqrt(variance);
	}
}

int
pf_search_estimate(struct pf_search *s, struct pf_error *err)
{
	const double *usual = s->trials[0].setting.dial > 0 ? usual_on_a_dial : usual_of_allocators;
	struct model m = {.n = s->count};
	size_t size = m.n * m.n;
	double *all;
	int rc = PF_CALLOC(all, 6 * size + 2 * m.n, err);

	if (rc)
		return rc;
	m.kind = all;
	m.alike = m.kind + size;
	m.design = m.alike + size;
	m.effects = m.design + size;
	m.posterior = m.effects + size;
	m.room = m.posterior + size;
	m.product = m.room + size;
	m.solved = m.product + m.n;
	for (int i = 0; i < PF_SCALES; i++) {
		m.prior[i] = log(usual[i]);
		if (!s->estimated)
			s->scales[i] = m.prior[i];
	}
	s->estimated = true;
	relate(&m, s);
	for (size_t round = 0; round < s->rounds; round++)
		add_round(&m, s, round, m.solved, m.room);
	find_scales(&m, s->scales);
	tell(&m, s);
	free(all);
	return 0;
}
