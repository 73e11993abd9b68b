#!/usr/bin/env python3
"""Makes tests/unit/stats_vectors.h: what SciPy and NumPy say about shared samples.

Run by hand when the vectors change, with SciPy >= 1.13 installed (for example in a
virtual environment); the header is committed, so tests need no Python:

    python3 tests/peers/scipy_vectors.py > tests/unit/stats_vectors.h

Intervals come from SciPy's own exact signed-rank distribution, p-values from
scipy.stats.wilcoxon, or where differences are tied from permutation_test over all
2^n sign flips.
"""
import numpy as np
import scipy
from scipy import stats
from scipy.stats._wilcoxon import WilcoxonDistribution

EXACT = 200


def walsh(d):
    i, j = np.triu_indices(len(d))
    return np.sort((d[i] + d[j]) / 2)


def cut(n, confidence):
    """The largest k with 2 P(W < k) <= 1 - confidence, and the coverage it gives."""
    tail = (1 - confidence) / 2
    if n > EXACT:
        mean, sd = n * (n + 1) / 4, np.sqrt(n * (n + 1) * (2 * n + 1) / 24)
        below = lambda k: stats.norm.cdf((k - 0.5 - mean) / sd)
    else:
        distribution = WilcoxonDistribution(n)
        below = lambda k: float(distribution.cdf(k - 1))
    k = 0
    while below(k + 1) <= tail * (1 + 1e-12):
        k += 1
    return k, 1 - 2 * below(k) if k else 1.0


def signed_rank_sum(d, axis=-1):
    ranks = stats.rankdata(np.abs(d), axis=axis)
    return np.sum(np.where(d > 0, ranks, 0), axis=axis)


def p_value(d):
    d = d[d != 0]
    if len(np.unique(np.abs(d))) < len(d):
        return stats.permutation_test((d,), signed_rank_sum, permutation_type="samples",
                                      n_resamples=np.inf, vectorized=True).pvalue
    if len(d) > EXACT:
        return stats.wilcoxon(d, method="asymptotic", correction=True).pvalue
    return stats.wilcoxon(d, method="exact").pvalue


def samples():
    rng = np.random.default_rng(20240229)
    for n, shift in ((5, 0.1), (6, 0.02), (8, 0.0), (10, 0.03), (13, -0.01), (20, 0.01), (30, 0.0), (60, 0.004),
                     (199, 0.002), (250, -0.003)):
        a = np.round(rng.lognormal(0, 0.3, n), 6)
        b = np.round(a * np.exp(shift + rng.standard_t(4, n) * 0.02), 6)
        yield "n%d" % n, a, b
    a = np.array([4.0, 5, 6, 7, 8, 9, 10, 11, 12, 13])
    yield "ties_and_zeros", a, a + np.array([0, 1, 1, -1, 2, 2, 0, 3, -2, 1])


def row(values):
    return "{" + ", ".join(repr(float(v)) for v in values) + "}"


print("/* Made by tests/peers/scipy_vectors.py with SciPy %s and NumPy %s; do not edit. */"
      % (scipy.__version__, np.__version__))
print("/* clang-format off */")
print("#pragma GCC diagnostic ignored \"-Wunused-const-variable\"\n#pragma GCC diagnostic ignored \"-Wunused-variable\"")
print("""struct vector {
	const char *name;
	size_t n;
	const double *a, *b;
	double hodges_lehmann, low, high, coverage, p, deviation, quantile_10;
	size_t cut95, cut99;
};""")
table = []
for name, a, b in samples():
    d = b - a if name.startswith("ties") else np.log(b / a)
    w = walsh(d)
    k95, coverage = cut(len(d), 0.95)
    k99, _ = cut(len(d), 0.99)
    low, high = (w[k95 - 1], w[len(w) - k95]) if k95 else (0, 0)
    print("static const double %s_a[] = %s;" % (name, row(a)))
    print("static const double %s_b[] = %s;" % (name, row(b)))
    numbers = (np.median(w), low, high, coverage, p_value(d), np.std(d, ddof=1), np.quantile(d, 0.1))
    table.append('\t{"%s", %d, %s_a, %s_b, %s, %d, %d},'
                 % (name, len(d), name, name, ", ".join(repr(float(x)) for x in numbers), k95, k99))
print("static const struct vector vectors[] = {")
print("\n".join(table))
print("};")


def unpaired_samples():
    rng = np.random.default_rng(20250311)
    for na, nb, shift in ((3, 4, 0.1), (5, 5, 0.03), (8, 12, -0.02), (20, 20, 0.01), (50, 50, 0.004), (70, 90, 0.0)):
        a = np.round(rng.lognormal(0, 0.05, na), 6)
        b = np.round(rng.lognormal(shift, 0.05, nb), 6)
        yield "u%d_%d" % (na, nb), a, b
    yield "u_ties", np.array([1.0, 2, 2, 3, 4, 5, 5, 6]), np.array([2.0, 3, 3, 5, 6, 7, 8])


def rank_sum_p(a, b):
    """Exact up to 100 values, ties too: over all ways to share the pooled mid-ranks out."""
    if len(a) + len(b) > 100:
        return stats.mannwhitneyu(b, a, method="asymptotic", use_continuity=True).pvalue
    if len(np.unique(np.concatenate((a, b)))) == len(a) + len(b):
        return stats.mannwhitneyu(b, a, method="exact").pvalue
    ranks = stats.rankdata(np.concatenate((a, b)))
    return stats.permutation_test((ranks[len(a):], ranks[:len(a)]), lambda x, y, axis=-1: np.sum(x, axis=axis),
                                  permutation_type="independent", n_resamples=np.inf, vectorized=True).pvalue


def rank_sum_cut(na, nb, confidence):
    tail = (1 - confidence) / 2
    if na + nb > 100:
        mean, sd = na * nb / 2, np.sqrt(na * nb * (na + nb + 1) / 12)
        below = lambda k: stats.norm.cdf((k - 0.5 - mean) / sd)
    else:
        # The exact null distribution of U, by the usual recurrence over its generating function.
        counts = np.zeros(na * nb + 1)
        counts[0] = 1
        for i in range(1, nb + 1):
            for s in range(na * nb, na + i - 1, -1):
                counts[s] -= counts[s - na - i]
            for s in range(i, na * nb + 1):
                counts[s] += counts[s - i]
        cumulative = np.cumsum(counts) / counts.sum()
        below = lambda k: cumulative[k - 1]
    k = 0
    while k < na * nb and below(k + 1) <= tail * (1 + 1e-12):
        k += 1
    return k, 1 - 2 * below(k) if k else 1.0


print("""struct unpaired {
	const char *name;
	size_t na, nb;
	const double *a, *b;
	double shift, low, high, coverage, p;
	size_t cut;
};""")
table = []
for name, a, b in unpaired_samples():
    ratio = name != "u_ties"
    x, y = (np.log(a), np.log(b)) if ratio else (a, b)
    shifts = np.sort((y[None, :] - x[:, None]).ravel())
    k, coverage = rank_sum_cut(len(a), len(b), 0.95)
    low, high = (shifts[k - 1], shifts[len(shifts) - k]) if k else (0, 0)
    print("static const double %s_a[] = %s;" % (name, row(a)))
    print("static const double %s_b[] = %s;" % (name, row(b)))
    numbers = (np.median(shifts), low, high, coverage, rank_sum_p(x, y))
    table.append('\t{"%s", %d, %d, %s_a, %s_b, %s, %d},'
                 % (name, len(a), len(b), name, name, ", ".join(repr(float(v)) for v in numbers), k))
print("static const struct unpaired unpaired[] = {")
print("\n".join(table))
print("};")

p = np.array([0.01, 0.04, 0.03, 0.005, 0.5, 0.012])
order = np.argsort(p)
holm = np.empty(len(p))
holm[order] = np.minimum(1, np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p)))))
print("static const double holm_p[] = %s;" % row(p))
print("static const double holm_adjusted[] = %s;" % row(holm))

# O'Brien and Fleming's levels: the probability that a walk of standard normal steps stays within a band, by
# SciPy's own multivariate normal distribution.
def look_levels(looks, confidence):
    from scipy.optimize import brentq
    cov = np.minimum.outer(np.arange(1, looks + 1), np.arange(1, looks + 1)).astype(float)
    mvn = stats.multivariate_normal(np.zeros(looks), cov, seed=1)
    mvn.maxpts, mvn.abseps, mvn.releps = 10_000_000, 1e-8, 1e-8
    b = brentq(lambda b: mvn.cdf(np.full(looks, b), lower_limit=np.full(looks, -b)) - confidence, 1, 12, xtol=1e-9)
    return [2 * stats.norm.sf(b / np.sqrt(k)) for k in range(1, looks + 1)]


for looks in (2, 3, 4):
    print("static const double look_levels_%d[] = %s;" % (looks, row(look_levels(looks, 0.95))))
