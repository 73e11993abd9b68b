/* aims.c: what a search is to improve, and what must hold: see search.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "tuner/search.h"

const char *const pf_aim_names[PF_AIMS] = {"cpu", "rss", "idle", "p99"};

const char *
pf_aim_metric(enum pf_aim aim, bool service)
{
	static const char *const names[PF_AIMS] = {"cpu", "rss_peak", "rss_idle", "p99"};

	return aim == PF_AIM_CPU && service ? "cpu_per_request" : names[aim];
}

static int
find_aim(const char *name, size_t size, enum pf_aim *aim)
{
	static const struct {
		const char *name;
		enum pf_aim aim;
	} names[] = {{"cpu", PF_AIM_CPU}, {"cpu_per_request", PF_AIM_CPU}, {"rss", PF_AIM_RSS},
	    {"rss_peak", PF_AIM_RSS}, {"idle", PF_AIM_IDLE}, {"rss_idle", PF_AIM_IDLE},
	    {"p99", PF_AIM_P99}};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (strlen(names[i].name) == size && memcmp(names[i].name, name, size) == 0) {
			*aim = names[i].aim;
			return 0;
		}
	}
	return -1;
}

int
pf_aims_check(const struct pf_search *s, struct pf_error *err)
{
	static const enum pf_aim of_services[] = {PF_AIM_IDLE, PF_AIM_P99};

	for (size_t i = 0; !s->service && i < sizeof of_services / sizeof *of_services; i++) {
		enum pf_aim aim = of_services[i];
		bool counts = s->weight[aim] > 0;

		if (pf_aim_asked(s, aim))
			return pf_error_set(err, PF_EUSAGE,
			    "%s %s: that is measured of a service under load only: name what to "
			    "load with "
			    "--load URL, or leave it out",
			    counts ? "--weight" : "--cap",
			    counts ? pf_aim_names[aim] : pf_aim_metric(aim, false));
	}
	return 0;
}

/* "512MiB", "80ms", "3": bytes, seconds. NaN for anything else. */
static double
parse_amount(const char *text)
{
	static const struct {
		const char *unit;
		double factor;
	} units[] = {{"", 1}, {"KiB", 0x1p10}, {"MiB", 0x1p20}, {"GiB", 0x1p30}, {"B", 1}, {"s", 1},
	    {"ms", 1e-3}, {"us", 1e-6}};
	char *end;
	double value = strtod(text, &end);

	for (size_t i = 0; end != text && i < sizeof units / sizeof *units; i++) {
		if (strcmp(end, units[i].unit) == 0)
			return value * units[i].factor;
	}
	return NAN;
}

static int
parse_cap(struct pf_search *s, const char *text, struct pf_error *err)
{
	const char *sign = strstr(text, "<=");
	enum pf_aim aim;
	double cap = sign ? parse_amount(sign + 2) : NAN;

	if (!sign || find_aim(text, (size_t)(sign - text), &aim) || !(cap > 0))
		return pf_error_set(err, PF_EUSAGE,
		    "--cap %s: METRIC<=AMOUNT, such as rss_peak<=512MiB or p99<=80ms; there are "
		    "cpu, rss_peak, "
		    "rss_idle and p99",
		    text);
	s->cap[aim] = cap;
	return 0;
}

int
pf_aims_parse(struct pf_search *s, const char *weights, const char *const *caps, size_t cap_count,
    struct pf_error *err)
{
	int rc = 0;

	for (int a = 0; a < PF_AIMS; a++) {
		s->weight[a] = 0;
		s->cap[a] = NAN;
	}
	for (const char *at = weights; *at;) {
		size_t name = strcspn(at, "="), item = strcspn(at, ",");
		enum pf_aim aim;
		char *end;

		if (name >= item || find_aim(at, name, &aim))
			return pf_error_set(err, PF_EUSAGE,
			    "--weight %s: NAME=NUMBER,…, such as cpu=1,rss=0.5; there are cpu, "
			    "rss, idle and p99",
			    weights);
		s->weight[aim] = strtod(at + name + 1, &end);
		if (end != at + item || !(s->weight[aim] >= 0) || !isfinite(s->weight[aim]))
			return pf_error_set(
			    err, PF_EUSAGE, "--weight %s: weights are numbers from 0", weights);
		at += item + (at[item] == ',');
	}
	if (s->weight[PF_AIM_CPU] + s->weight[PF_AIM_RSS] + s->weight[PF_AIM_IDLE] +
		s->weight[PF_AIM_P99] <=
	    0)
		return pf_error_set(err, PF_EUSAGE, "--weight %s: something must count", weights);
	for (size_t i = 0; !rc && i < cap_count; i++)
		rc = parse_cap(s, caps[i], err);
	return rc;
}
