/* gate.c: see gate.h. */
#include "bench/gate.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"

struct suffix {
	const char *name;
	double factor;
};

static const struct suffix suffixes[][7] = {
    [PF_UNIT_SECONDS] = {{"ns", 1e-9}, {"us", 1e-6}, {"µs", 1e-6}, {"ms", 1e-3}, {"s", 1}},
    [PF_UNIT_BYTES] = {{"B", 1}, {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824}},
    [PF_UNIT_PER_SECOND] = {{"", 1}, {"/s", 1}},
    [PF_UNIT_SHARE] = {{"%", 0.01}},
    [PF_UNIT_NUMBER] = {{"", 1}},
    [PF_UNIT_BYTES_PER_SECOND] = {{"B/s", 1}, {"KiB/s", 1024}, {"MiB/s", 1048576},
	{"GiB/s", 1073741824}},
};

static const char *const wanted[] = {
    [PF_UNIT_SECONDS] = "a time such as 80ms or 250us",
    [PF_UNIT_BYTES] = "a size such as 512MiB",
    [PF_UNIT_PER_SECOND] = "a number such as 4000",
    [PF_UNIT_SHARE] = "a percentage such as 0.1%",
    [PF_UNIT_NUMBER] = "a number such as 4000",
    [PF_UNIT_BYTES_PER_SECOND] = "a rate such as 10MiB/s",
};

static int
parse_absolute(struct pf_gate *gate, const char *unit, double value, struct pf_error *err)
{
	enum pf_unit kind = pf_metric_infos[gate->metric].unit;

	for (const struct suffix *s = suffixes[kind]; s->name; s++) {
		if (strcmp(s->name, unit) == 0) {
			gate->limit = value * s->factor;
			return 0;
		}
	}
	return pf_error_set(err, PF_EUSAGE,
	    "--gate %s: %s needs %s, or a change relative to before such as +1%%", gate->text,
	    pf_metric_infos[gate->metric].name, wanted[kind]);
}

static int
parse_limit(struct pf_gate *gate, const char *text, struct pf_error *err)
{
	const char *digits = text + (*text == '+' || *text == '-');
	char *unit;
	double value;

	gate->relative = digits != text;
	errno = 0;
	value = strtod(text, &unit);
	/* strtod also takes "inf", "0x1p3" and leading blanks: none of them is a limit. */
	if (!(isdigit((unsigned char)*digits) || *digits == '.') ||
	    tolower((unsigned char)digits[*digits == '0']) == 'x' || unit == text || errno ||
	    !isfinite(value))
		return pf_error_set(err, PF_EUSAGE,
		    "--gate %s: \"%s\" is no limit; write it as in cpu<=+1%% or p99<=80ms",
		    gate->text, text);
	if (!gate->relative)
		return parse_absolute(gate, unit, value, err);
	if (strcmp(unit, "%") != 0)
		return pf_error_set(err, PF_EUSAGE,
		    "--gate %s: a limit with a sign is relative to before and ends in %%, as in "
		    "+1%%",
		    gate->text);
	if (pf_metric_infos[gate->metric].scale != PF_SCALE_RATIO)
		return pf_error_set(err, PF_EUSAGE,
		    "--gate %s: %s may be zero before, so its limit must be absolute, as in "
		    "%s<=0.1%%",
		    gate->text, pf_metric_infos[gate->metric].name,
		    pf_metric_infos[gate->metric].name);
	gate->limit = value / 100;
	return 0;
}

static const char *
skip_blanks(const char *at)
{
	return at + strspn(at, " \t");
}

int
pf_gate_parse(struct pf_gate *gate, const char *text, struct pf_error *err)
{
	const char *name = skip_blanks(text), *at = name + strcspn(name, "<>= \t");
	char names[600];

	*gate = (struct pf_gate){.text = text, .metric = pf_metric_find(name, (size_t)(at - name))};
	if (gate->metric == PF_METRICS)
		return pf_error_set(err, PF_EUSAGE, "--gate %s: no metric %.*s; there are %s", text,
		    (int)(at - name), name,
		    pf_metric_list(PF_OF_COMMANDS | PF_OF_SERVICES, names, sizeof names));
	at = skip_blanks(at);
	if ((at[0] != '<' && at[0] != '>') || at[1] != '=')
		return pf_error_set(err, PF_EUSAGE,
		    "--gate %s: expected METRIC<=LIMIT or METRIC>=LIMIT, as in cpu<=+1%%", text);
	gate->at_least = at[0] == '>';
	return parse_limit(gate, skip_blanks(at + 2), err);
}

enum pf_gate_result
pf_gate_judge(const struct pf_gate *gate, bool has_interval, double low, double high)
{
	if (!has_interval)
		return PF_GATE_UNDECIDED;
	if (gate->at_least ? low >= gate->limit : high <= gate->limit)
		return PF_GATE_PASSED;
	if (gate->at_least ? high < gate->limit : low > gate->limit)
		return PF_GATE_FAILED;
	return PF_GATE_UNDECIDED;
}

const char *
pf_gate_result_name(enum pf_gate_result result)
{
	static const char *const names[] = {"passed", "failed", "inconclusive"};

	return names[result];
}
