/* verdict.c: what the comparisons mean: findings in words, gates over all variants, the answer. */
#include "bench/bench.h"

#include <math.h>
#include <string.h>

#include "core/error.h"

bool
pf_bench_metric(
    const struct pf_bench *b, size_t variant, const char *name, struct pf_bench_metric *out)
{
	enum pf_metric m = pf_metric_find(name, strlen(name));
	const struct pf_result *r;

	if (m == PF_METRICS || !b->measured[m] || variant < 1 || variant >= b->variant_count)
		return false;
	r = pf_bench_result(b, variant, m);
	if (!r->compared)
		return false;
	*out = (struct pf_bench_metric){.before = pf_bench_median(b, 0, m),
	    .after = pf_bench_median(b, variant, m),
	    .comparison = r->comparison,
	    .adjusted_p = r->adjusted_p,
	    .more_is_better = pf_metric_infos[m].more_is_better};
	return true;
}

size_t
pf_bench_variant_count(const struct pf_bench *b)
{
	return b->variant_count;
}

const char *
pf_bench_variant_name(const struct pf_bench *b, size_t variant)
{
	return variant < b->variant_count ? b->variants[variant].name : NULL;
}

size_t
pf_bench_rounds(const struct pf_bench *b)
{
	return b->complete;
}

const char *
pf_bench_metric_name(const struct pf_bench *b, size_t i)
{
	size_t seen = 0;

	if (i == 0)
		return pf_metric_infos[b->primary].name;
	for (enum pf_metric m = 0; m < PF_METRICS; m++) {
		if (b->measured[m] && m != b->primary && ++seen == i)
			return pf_metric_infos[m].name;
	}
	return NULL;
}

bool
pf_bench_value(
    const struct pf_bench *b, size_t round, size_t variant, const char *name, double *value)
{
	enum pf_metric m = pf_metric_find(name, strlen(name));

	if (m == PF_METRICS || round >= b->complete || variant >= b->variant_count)
		return false;
	*value = pf_bench_block(b, round, variant)->value[m];
	return b->measured[m] && !isnan(*value);
}

enum pf_finding
pf_bench_finding(const struct pf_bench *b, size_t variant, enum pf_metric m)
{
	const struct pf_result *r = pf_bench_result(b, variant, m);
	const struct pf_comparison *c = &r->comparison;

	if (!r->compared || !c->has_interval)
		return PF_FINDING_UNDECIDED;
	if ((c->low <= 0 && c->high >= 0) ||
	    (m != b->primary && r->adjusted_p > 1 - pf_bench_level(b)))
		return PF_FINDING_NONE;
	return (c->low > 0) == pf_metric_infos[m].more_is_better ? PF_FINDING_BETTER
								 : PF_FINDING_WORSE;
}

const char *
pf_bench_word(const struct pf_bench *b, size_t variant, enum pf_metric m)
{
	/* For less and for more; shown, and shown by its own interval only. */
	static const char *const words[][2][2] = {
	    [PF_UNIT_SECONDS] = {{"faster", "slower"}, {"perhaps faster", "perhaps slower"}},
	    [PF_UNIT_BYTES] = {{"smaller", "larger"}, {"perhaps smaller", "perhaps larger"}},
	    [PF_UNIT_PER_SECOND] = {{"lower", "higher"}, {"perhaps lower", "perhaps higher"}},
	    [PF_UNIT_SHARE] = {{"less", "more"}, {"perhaps less", "perhaps more"}},
	    [PF_UNIT_BYTES_PER_SECOND] = {{"less", "more"}, {"perhaps less", "perhaps more"}},
	    [PF_UNIT_NUMBER] = {{"fewer", "more"}, {"perhaps fewer", "perhaps more"}},
	};
	const struct pf_comparison *c = &pf_bench_result(b, variant, m)->comparison;
	enum pf_finding finding = pf_bench_finding(b, variant, m);
	bool perhaps = finding == PF_FINDING_NONE && (c->low > 0 || c->high < 0);

	if (finding == PF_FINDING_UNDECIDED)
		return "undecided";
	if (finding == PF_FINDING_NONE && !perhaps)
		return "no difference shown";
	return words[pf_metric_infos[m].unit][perhaps][c->low > 0];
}

enum pf_gate_result
pf_bench_gate_result(const struct pf_bench *b, size_t gate)
{
	enum pf_gate_result worst = PF_GATE_PASSED;

	for (size_t v = 1; v < b->variant_count; v++) {
		enum pf_gate_result r = pf_bench_judgement(b, gate, v)->result;
		if (r == PF_GATE_FAILED || worst == PF_GATE_PASSED)
			worst = r;
	}
	return worst;
}

/* The first gate with this result, or gate_count. */
static size_t
first_gate(const struct pf_bench *b, enum pf_gate_result result)
{
	size_t i = 0;

	while (i < b->gate_count && pf_bench_gate_result(b, i) != result)
		i++;
	return i;
}

bool
pf_bench_is_decided(const struct pf_bench *b)
{
	if (b->gate_count)
		return first_gate(b, PF_GATE_FAILED) < b->gate_count ||
		       first_gate(b, PF_GATE_UNDECIDED) == b->gate_count;
	for (size_t v = 1; v < b->variant_count; v++) {
		enum pf_finding f = pf_bench_finding(b, v, b->primary);
		if (f == PF_FINDING_NONE || f == PF_FINDING_UNDECIDED)
			return false;
	}
	return true;
}

/* "no difference" is an answer only where one that matters would have been seen. */
static int
check_tolerance(const struct pf_bench *b, struct pf_error *err)
{
	for (size_t v = 1; b->options.tolerance > 0 && v < b->variant_count; v++) {
		const struct pf_comparison *c = &pf_bench_result(b, v, b->primary)->comparison;
		if (pf_bench_finding(b, v, b->primary) == PF_FINDING_NONE &&
		    c->detectable > b->options.tolerance)
			return pf_error_set(err, PF_EINCONCLUSIVE,
			    "no difference in %s was shown, but one of %.3g %% would have been "
			    "missed "
			    "too often: only changes of %.3g %% show with this noise",
			    pf_metric_infos[b->primary].name, b->options.tolerance * 100,
			    c->detectable * 100);
	}
	return 0;
}

static int
undecided_gate(const struct pf_bench *b, size_t i, struct pf_error *err)
{
	const struct pf_gate *gate = &b->gates[i];

	if (!b->measured[gate->metric])
		return pf_error_set(err, PF_EINCONCLUSIVE,
		    "the gate %s is inconclusive: %s could not be measured here", gate->text,
		    pf_metric_infos[gate->metric].name);
	return pf_error_set(err, PF_EINCONCLUSIVE,
	    "the gate %s is inconclusive: its limit lies within the interval%s; more pairs narrow "
	    "it",
	    gate->text,
	    b->gate_count > 1 ? ", or the gates together leave too much to chance" : "");
}

int
pf_bench_verdict(const struct pf_bench *b, struct pf_error *err)
{
	size_t i = b->complete ? first_gate(b, PF_GATE_FAILED) : b->gate_count;

	if (b->refusal[0])
		return pf_error_set(err, PF_EINCONCLUSIVE, "%s", b->refusal);
	if (i < b->gate_count)
		return pf_error_set(err, PF_ENO, "the gate %s failed", b->gates[i].text);
	if (b->variant_count == 1 && !b->interrupted)
		return 0;
	if (!b->unpaired && b->complete < pf_least_pairs(b->options.confidence))
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
		return undecided_gate(b, i, err);
	for (size_t v = 1; v < b->variant_count; v++) {
		const struct pf_result *r = pf_bench_result(b, v, b->primary);
		if (!r->compared)
			return pf_error_set(err, PF_EINCONCLUSIVE,
			    "%s was zero in some block, so there is no ratio to judge by",
			    pf_metric_infos[b->primary].name);
		if (!r->comparison.has_interval)
			return pf_error_set(err, PF_EINCONCLUSIVE,
			    "too few values for a %g %% interval of %s",
			    b->options.confidence * 100, pf_metric_infos[b->primary].name);
	}
	return b->gate_count ? 0 : check_tolerance(b, err);
}
