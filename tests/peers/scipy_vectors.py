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
