/* decide.c: from pairs of values to comparisons and gate results. */
#include "bench/bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "stats/quantile.h"

static double
median_of(double *scratch, const double *values, size_t n)
{
	memcpy(scratch, values, n * sizeof *values);
	pf_sort(scratch, n);
	return pf_quantile(scratch, n, 0.5);
}

static void
gather(const struct pf_bench *b, enum pf_metric m, int side, double *values)
{
	for (size_t i = 0; i < b->complete; i++)
		values[i] = b->pairs[i].side[side].value[m];
}

/* columns: room for three times the pairs. */
static int
compare(struct pf_bench *b, enum pf_metric m, double *columns, struct pf_error *err)
{
	double *before = columns, *after = columns + b->complete, *scratch = after + b->complete;
	int rc;

	gather(b, m, PF_BEFORE, before);
	gather(b, m, PF_AFTER, after);
	b->median[PF_BEFORE][m] = median_of(scratch, before, b->complete);
	b->median[PF_AFTER][m] = median_of(scratch, after, b->complete);
	rc = pf_compare_pairs(before, after, b->complete, pf_metric_infos[m].scale,
	    b->options.confidence, &b->comparison[m], err);
	b->compared[m] = !rc;
	return rc == PF_EINPUT ? 0 : rc;
}

/* The interval of the after side's own value: compared with a constant that leaves it as it is. */
static int
absolute_interval(const struct pf_bench *b, enum pf_metric m, double *columns,
    struct pf_comparison *c, struct pf_error *err)
{
	enum pf_scale scale = pf_metric_infos[m].scale;
	double neutral = scale == PF_SCALE_RATIO ? 1 : 0;
	int rc;

	for (size_t i = 0; i < b->complete; i++)
		columns[i] = neutral;
	gather(b, m, PF_AFTER, columns + b->complete);
	rc = pf_compare_pairs(
	    columns, columns + b->complete, b->complete, scale, b->options.confidence, c, err);
	c->low += neutral;
	c->high += neutral;
	if (rc == PF_EINPUT)
		c->has_interval = false;
	return rc == PF_EINPUT ? 0 : rc;
}

static int
judge(struct pf_bench *b, size_t i, double *columns, struct pf_error *err)
{
	const struct pf_gate *gate = &b->gates[i];
	struct pf_comparison c = b->comparison[gate->metric];
	int rc = 0;

	if (!gate->relative)
		rc = absolute_interval(b, gate->metric, columns, &c, err);
	else if (!b->compared[gate->metric])
		c.has_interval = false;
	b->results[i] = pf_gate_judge(gate, c.has_interval, c.low, c.high);
	b->bounds[i][0] = c.has_interval ? c.low : NAN;
	b->bounds[i][1] = c.has_interval ? c.high : NAN;
	return rc;
}

int
pf_bench_decide(struct pf_bench *b, struct pf_error *err)
{
	double *columns;
	int rc = PF_CALLOC(columns, 3 * b->complete, err);

	for (enum pf_metric m = 0; !rc && m < PF_METRICS; m++) {
		if (b->measured[m])
			rc = compare(b, m, columns, err);
	}
	for (size_t i = 0; !rc && i < b->gate_count; i++)
		rc = judge(b, i, columns, err);
	free(columns);
	return rc;
}

bool
pf_bench_metric(const struct pf_bench *b, const char *name, struct pf_bench_metric *out)
{
	enum pf_metric m = pf_metric_find(name, strlen(name));

	if (m == PF_METRICS || !b->measured[m] || !b->compared[m])
		return false;
	*out = (struct pf_bench_metric){.before = b->median[PF_BEFORE][m],
	    .after = b->median[PF_AFTER][m],
	    .comparison = b->comparison[m],
	    .more_is_better = pf_metric_infos[m].more_is_better};
	return true;
}

enum pf_finding
pf_bench_finding(const struct pf_bench *b, enum pf_metric m)
{
	const struct pf_comparison *c = &b->comparison[m];

	if (!b->compared[m] || !c->has_interval)
		return PF_FINDING_UNDECIDED;
	if (c->low <= 0 && c->high >= 0)
		return PF_FINDING_NONE;
	return (c->low > 0) == pf_metric_infos[m].more_is_better ? PF_FINDING_BETTER
								 : PF_FINDING_WORSE;
}

const char *
pf_bench_word(const struct pf_bench *b, enum pf_metric m)
{
	static const char *const words[][2] = {
	    [PF_UNIT_SECONDS] = {"faster", "slower"},
	    [PF_UNIT_BYTES] = {"smaller", "larger"},
	    [PF_UNIT_PER_SECOND] = {"higher", "lower"},
	    [PF_UNIT_SHARE] = {"fewer", "more"},
	};
	enum pf_finding finding = pf_bench_finding(b, m);

	if (finding == PF_FINDING_NONE)
		return "no difference shown";
	if (finding == PF_FINDING_UNDECIDED)
		return "undecided";
	return words[pf_metric_infos[m].unit][finding == PF_FINDING_WORSE];
}

/* The first gate with this result, or gate_count. */
static size_t
first_gate(const struct pf_bench *b, enum pf_gate_result result)
{
	size_t i = 0;

	while (i < b->gate_count && b->results[i] != result)
		i++;
	return i;
}

int
pf_bench_verdict(const struct pf_bench *b, struct pf_error *err)
{
	size_t i = first_gate(b, PF_GATE_FAILED);

	if (i < b->gate_count)
		return pf_error_set(err, PF_ENO, "the gate %s failed", b->gates[i].text);
	if (b->complete < pf_least_pairs(b->options.confidence))
		return pf_error_set(err, PF_EINCONCLUSIVE,
		    "%zu pair%s cannot give a %g %% interval: at least %zu are needed (--pairs)",
		    b->complete, b->complete == 1 ? "" : "s", b->options.confidence * 100,
		    pf_least_pairs(b->options.confidence));
	if (b->interrupted)
		return pf_error_set(err, PF_EINCONCLUSIVE,
		    "interrupted after %zu of %zu pairs: what was measured is shown, but decides "
		    "nothing",
		    b->complete, b->options.pairs);
	i = first_gate(b, PF_GATE_UNDECIDED);
	if (i < b->gate_count)
		return pf_error_set(err, PF_EINCONCLUSIVE,
		    "the gate %s is inconclusive: its limit lies within the interval; more pairs "
		    "narrow it",
		    b->gates[i].text);
	if (!b->compared[b->primary])
		return pf_error_set(err, PF_EINCONCLUSIVE,
		    "%s was zero in some block, so there is no ratio to judge by",
		    pf_metric_infos[b->primary].name);
	return 0;
}
