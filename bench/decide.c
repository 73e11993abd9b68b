/*
 * decide.c: from blocks of values to comparisons and gate results.
 *
 * Who may say "no" how often: the primary metric is tested at the full level; all
 * other metrics share it by Holm's method; gates share it among themselves in
 * the same way before one may fail. A gate passes by its own interval: for the
 * whole run to pass, each must.
 */
#include "bench/bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "stats/quantile.h"
#include "stats/rank_sum.h"
#include "stats/signed_rank.h"

/* Room for the work on one metric. */
struct columns {
	double *base, *other, *scratch;
};

size_t
pf_bench_gather(const struct pf_bench *b, enum pf_metric m, size_t variant, double *values)
{
	size_t n = 0;

	for (size_t i = 0; i < b->complete; i++) {
		double value = pf_bench_block(b, i, variant)->value[m];
		if (!isnan(value))
			values[n++] = value;
	}
	return n;
}

/* An optional metric that some block lacks is not measured: what is left would be chosen by chance. */
static void
drop_missing(struct pf_bench *b)
{
	for (enum pf_metric m = 0; m < PF_METRICS; m++) {
		for (size_t i = 0; i < b->complete * b->variant_count && !b->unpaired; i++)
			b->measured[m] = b->measured[m] && !isnan(b->blocks[i].value[m]);
	}
	if (b->measured[b->primary])
		return;
	for (enum pf_metric m = PF_METRICS; m-- > 0;)
		b->primary = b->measured[m] ? m : b->primary;
}

static int
compare(const struct pf_bench *b, const struct columns *c, size_t na, size_t nb,
    enum pf_scale scale, double level, struct pf_comparison *out, struct pf_error *err)
{
	if (b->unpaired)
		return pf_compare_unpaired(c->base, na, c->other, nb, scale, level, out, err);
	return pf_compare_pairs(c->base, c->other, na, scale, level, out, err);
}

static int
compare_metric(struct pf_bench *b, enum pf_metric m, size_t variant, const struct columns *c,
    struct pf_error *err)
{
	struct pf_result *r = pf_bench_result(b, variant, m);
	size_t na = pf_bench_gather(b, m, 0, c->base),
	       nb = pf_bench_gather(b, m, variant, c->other);
	int rc = 0;

	*r = (struct pf_result){.adjusted_p = 1};
	memcpy(c->scratch, c->other, nb * sizeof *c->scratch);
	pf_sort(c->scratch, nb);
	b->medians[variant * PF_METRICS + m] = nb ? pf_quantile(c->scratch, nb, 0.5) : NAN;
	if (variant == 0 || na == 0 || nb == 0)
		return 0;
	rc =
	    compare(b, c, na, nb, pf_metric_infos[m].scale, pf_bench_level(b), &r->comparison, err);
	r->compared = !rc;
	r->adjusted_p = rc ? 1 : r->comparison.p;
	return rc == PF_EINPUT ? 0 : rc;
}

/*
 * The same value always: whatever the truth, a test of these could show nothing,
 * so it takes no part in sharing the level (Tarone 1990).
 */
static bool
never_differs(const struct pf_comparison *c)
{
	return c->spread <= 0 && fabs(c->change) <= 0;
}

/* Holm's method over every metric but the primary one, and every variant. */
static int
adjust(struct pf_bench *b, struct pf_error *err)
{
	double *p;
	size_t n = 0;
	int rc = PF_CALLOC(p, b->variant_count * PF_METRICS, err);

	for (int pass = 0; !rc && pass < 2; pass++) {
		size_t at = 0;
		for (size_t v = 1; v < b->variant_count; v++) {
			for (enum pf_metric m = 0; m < PF_METRICS; m++) {
				struct pf_result *r = pf_bench_result(b, v, m);
				if (!b->measured[m] || m == b->primary || !r->compared ||
				    never_differs(&r->comparison))
					continue;
				if (pass == 0)
					p[n++] = r->comparison.p;
				else
					r->adjusted_p = p[at++];
			}
		}
		if (pass == 0)
			rc = pf_holm(p, n, err);
	}
	free(p);
	return rc;
}

/* The limit itself as if it were the truth: how surprising would what was measured be? */
static int
limit_p(const struct pf_bench *b, const struct pf_gate *gate, const struct columns *c, size_t na,
    size_t nb, double *p, struct pf_error *err)
{
	bool ratio = pf_metric_infos[gate->metric].scale == PF_SCALE_RATIO;
	double shift =
	    ratio ? (gate->relative ? log1p(gate->limit) : log(gate->limit)) : gate->limit;

	*p = 1;
	if (!isfinite(shift))
		return 0;
	for (size_t i = 0; i < na; i++)
		c->base[i] = (ratio ? log(c->base[i]) : c->base[i]) + shift;
	for (size_t i = 0; i < nb; i++)
		c->other[i] = ratio ? log(c->other[i]) : c->other[i];
	if (b->unpaired)
		return pf_rank_sum_p(c->base, na, c->other, nb, p, err);
	for (size_t i = 0; i < na; i++)
		c->scratch[i] = c->other[i] - c->base[i];
	return pf_signed_rank_p(c->scratch, na, p, err);
}

/* For an absolute limit the base is a constant that leaves the other side as it is. */
static int
judge(struct pf_bench *b, size_t gate_number, size_t variant, const struct columns *c,
    struct pf_error *err)
{
	const struct pf_gate *gate = &b->gates[gate_number];
	struct pf_judgement *j = pf_bench_judgement(b, gate_number, variant);
	enum pf_scale scale = pf_metric_infos[gate->metric].scale;
	double neutral = scale == PF_SCALE_RATIO ? 1 : 0, estimate;
	struct pf_comparison found;
	size_t na = pf_bench_gather(b, gate->metric, 0, c->base),
	       nb = pf_bench_gather(b, gate->metric, variant, c->other);
	bool absolute = !gate->relative;
	int rc;

	*j = (struct pf_judgement){.result = PF_GATE_UNDECIDED, .low = NAN, .high = NAN, .p = 1};
	if (!b->measured[gate->metric] || na == 0 || nb == 0)
		return 0;
	if (absolute)
		na = nb;
	for (size_t i = 0; absolute && i < na; i++)
		c->base[i] = neutral;
	rc = absolute
		 ? pf_compare_pairs(c->base, c->other, na, scale, pf_bench_level(b), &found, err)
		 : compare(b, c, na, nb, scale, pf_bench_level(b), &found, err);
	if (rc)
		return rc == PF_EINPUT ? 0 : rc;
	if (found.has_interval) {
		j->low = found.low + (absolute ? neutral : 0);
		j->high = found.high + (absolute ? neutral : 0);
	}
	estimate = found.change + (absolute ? neutral : 0);
	j->beyond = gate->at_least ? estimate < gate->limit : estimate > gate->limit;
	j->result = pf_gate_judge(gate, found.has_interval, j->low, j->high);
	return limit_p(b, gate, c, na, nb, &j->p, err);
}

/* How surprising a gate's result would be if its limit were kept: not at all where it is. */
static double
against(const struct pf_bench *b, size_t at)
{
	return b->judgements[at].beyond ? b->judgements[at].p : 1;
}

/*
 * Gates share the level before any may fail: the k-th smallest p of m must be
 * within the level for one of m - k + 1. At a planned look that level is the
 * look's own for so much of it.
 */
static int
hold_the_level(struct pf_bench *b, struct pf_error *err)
{
	const struct pf_bench_options *o = &b->options;
	size_t m = b->gate_count * (b->variant_count - 1), step = 0;
	bool *done;
	int rc = PF_CALLOC(done, b->gate_count * b->variant_count + 1, err);

	for (bool rejecting = true; !rc && step < m; step++) {
		size_t least = SIZE_MAX;
		double level = (1 - o->confidence) / (double)(m - step);

		for (size_t g = 0; g < b->gate_count; g++) {
			for (size_t v = 1; v < b->variant_count; v++) {
				size_t at = g * b->variant_count + v;
				if (!done[at] &&
				    (least == SIZE_MAX || against(b, at) < against(b, least)))
					least = at;
			}
		}
		done[least] = true;
		rejecting = rejecting && against(b, least) <= level * (1 + 1e-12);
		if (rejecting && b->look) /* a look's level is lower still */
			rejecting = against(b, least) <=
				    pf_look_level(b->look, o->looks, 1 - level) * (1 + 1e-12);
		if (!rejecting && b->judgements[least].result == PF_GATE_FAILED)
			b->judgements[least].result = PF_GATE_UNDECIDED;
	}
	free(done);
	return rc;
}

static int
decide(struct pf_bench *b, const struct columns *c, struct pf_error *err)
{
	int rc = 0;

	for (size_t v = 0; v < b->variant_count; v++) {
		for (enum pf_metric m = 0; !rc && m < PF_METRICS; m++) {
			if (b->measured[m])
				rc = compare_metric(b, m, v, c, err);
		}
	}
	if (!rc)
		rc = adjust(b, err);
	for (size_t g = 0; g < b->gate_count; g++) {
		for (size_t v = 1; !rc && v < b->variant_count; v++)
			rc = judge(b, g, v, c, err);
	}
	return rc ? rc : hold_the_level(b, err);
}

/* The intervals' confidence at this look. */
static void
choose_level(struct pf_bench *b)
{
	const struct pf_bench_options *o = &b->options;

	for (; b->look && b->look_levels_known < o->looks; b->look_levels_known++)
		b->look_levels[b->look_levels_known] =
		    pf_look_level(b->look_levels_known + 1, o->looks, o->confidence);
	b->level = b->look ? 1 - b->look_levels[b->look - 1] : o->confidence;
}

int
pf_bench_decide(struct pf_bench *b, struct pf_error *err)
{
	struct columns c;
	int rc = PF_CALLOC(c.base, 3 * b->complete + 1, err);

	if (rc)
		return rc;
	c.other = c.base + b->complete;
	c.scratch = c.other + b->complete;
	choose_level(b);
	drop_missing(b);
	rc = decide(b, &c, err);
	free(c.base);
	return rc;
}

int
pf_bench_make_room(struct pf_bench *b, struct pf_error *err)
{
	int rc = PF_CALLOC(b->results, b->variant_count * PF_METRICS, err);

	if (!rc)
		rc = PF_CALLOC(b->medians, b->variant_count * PF_METRICS, err);
	if (!rc)
		rc = PF_CALLOC(b->judgements, b->gate_count * b->variant_count + 1, err);
	return rc;
}
