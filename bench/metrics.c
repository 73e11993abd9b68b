/* metrics.c: see metrics.h. */
#include "bench/metrics.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const struct pf_metric_info pf_metric_infos[PF_METRICS] = {
    [PF_METRIC_CPU] = {"cpu", "CPU time", PF_UNIT_SECONDS, PF_SCALE_RATIO, false, PF_OF_COMMANDS,
	false, "user and system time of everything the command started"},
    [PF_METRIC_CPU_PER_REQUEST] = {"cpu_per_request", "CPU per request", PF_UNIT_SECONDS,
	PF_SCALE_RATIO, false, PF_OF_SERVICES, true,
	"the service's CPU time over its good answers"},
    [PF_METRIC_P50] = {"p50", "latency p50", PF_UNIT_SECONDS, PF_SCALE_RATIO, false, PF_OF_SERVICES,
	false, "half of the requests are answered within this time, from when each was due"},
    [PF_METRIC_P90] = {"p90", "latency p90", PF_UNIT_SECONDS, PF_SCALE_RATIO, false, PF_OF_SERVICES,
	false, "the same for 90 % of the requests"},
    [PF_METRIC_P99] = {"p99", "latency p99", PF_UNIT_SECONDS, PF_SCALE_RATIO, false, PF_OF_SERVICES,
	false, "the same for 99 %"},
    [PF_METRIC_P999] = {"p999", "latency p99.9", PF_UNIT_SECONDS, PF_SCALE_RATIO, false,
	PF_OF_SERVICES, false, "the same for 99.9 %"},
    [PF_METRIC_THROUGHPUT] = {"throughput", "throughput", PF_UNIT_PER_SECOND, PF_SCALE_RATIO, true,
	PF_OF_SERVICES, false, "good answers a second"},
    [PF_METRIC_ERRORS] = {"errors", "errors", PF_UNIT_SHARE, PF_SCALE_DIFFERENCE, false,
	PF_OF_SERVICES, false, "share of requests that failed, timed out or got 400 and above"},
    [PF_METRIC_WALL] = {"wall", "wall time", PF_UNIT_SECONDS, PF_SCALE_RATIO, false, PF_OF_COMMANDS,
	false, "until the command's first process ended"},
    [PF_METRIC_RSS_PEAK] = {"rss_peak", "peak memory", PF_UNIT_BYTES, PF_SCALE_RATIO, false,
	PF_OF_COMMANDS | PF_OF_SERVICES, true, "peak of resident memory"},
    [PF_METRIC_RSS] = {"rss", "resident memory", PF_UNIT_BYTES, PF_SCALE_RATIO, false,
	PF_OF_SERVICES, true, "resident memory, mean over the measured time"},
    [PF_METRIC_PSS] = {"pss", "proportional memory", PF_UNIT_BYTES, PF_SCALE_RATIO, false,
	PF_OF_SERVICES, true, "proportional set size at the end of the load"},
    [PF_METRIC_RSS_IDLE] = {"rss_idle", "idle memory", PF_UNIT_BYTES, PF_SCALE_RATIO, false,
	PF_OF_SERVICES, true, "resident memory when the load has ended, after --idle"},
    [PF_METRIC_GC_PAUSE_P99] = {"gc_pause_p99", "GC pause p99", PF_UNIT_SECONDS, PF_SCALE_RATIO,
	false, PF_OF_COMMANDS | PF_OF_SERVICES, true, "stop-the-world pauses of a Go program"},
    [PF_METRIC_GC_PAUSE_MEAN] = {"gc_pause_mean", "GC pause mean", PF_UNIT_SECONDS, PF_SCALE_RATIO,
	false, PF_OF_COMMANDS | PF_OF_SERVICES, true, "the mean of them"},
    [PF_METRIC_GC_PAUSE_TOTAL] = {"gc_pause_total", "GC pauses in all", PF_UNIT_SHARE,
	PF_SCALE_RATIO, false, PF_OF_COMMANDS | PF_OF_SERVICES, true,
	"share of the time in which the program stood still for its GC"},
    [PF_METRIC_GC_CYCLES] = {"gc_cycles", "GC cycles", PF_UNIT_PER_SECOND, PF_SCALE_RATIO, false,
	PF_OF_COMMANDS | PF_OF_SERVICES, true, "collections a second"},
    [PF_METRIC_GC_CPU] = {"gc_cpu", "GC CPU", PF_UNIT_SHARE, PF_SCALE_RATIO, false,
	PF_OF_COMMANDS | PF_OF_SERVICES, true, "share of the CPU time spent on GC"},
    [PF_METRIC_HEAP_LIVE] = {"heap_live", "heap in use", PF_UNIT_BYTES, PF_SCALE_RATIO, false,
	PF_OF_COMMANDS | PF_OF_SERVICES, true, "what the allocator or GC counts as in use"},
    [PF_METRIC_ALLOCATED] = {"allocated", "allocated", PF_UNIT_BYTES_PER_SECOND, PF_SCALE_RATIO,
	false, PF_OF_COMMANDS | PF_OF_SERVICES, true, "bytes allocated a second"},
    [PF_METRIC_HELD] = {"held", "held by allocator", PF_UNIT_BYTES, PF_SCALE_RATIO, false,
	PF_OF_COMMANDS | PF_OF_SERVICES, true,
	"resident memory of the allocator when the program ended, as it printed then"},
    [PF_METRIC_FRAGMENTATION] = {"fragmentation", "fragmentation", PF_UNIT_SHARE,
	PF_SCALE_DIFFERENCE, false, PF_OF_COMMANDS | PF_OF_SERVICES, true,
	"share of the allocator's active pages that was not in use then"},
    [PF_METRIC_FAULTS] = {"faults", "page faults", PF_UNIT_NUMBER, PF_SCALE_DIFFERENCE, false,
	PF_OF_COMMANDS | PF_OF_SERVICES, true, "minor page faults; for services a request"},
    [PF_METRIC_MAJOR_FAULTS] = {"major_faults", "major faults", PF_UNIT_NUMBER, PF_SCALE_DIFFERENCE,
	false, PF_OF_COMMANDS | PF_OF_SERVICES, true, "page faults that waited for a disk"},
    [PF_METRIC_SWITCHES] = {"switches", "waits", PF_UNIT_NUMBER, PF_SCALE_DIFFERENCE, false,
	PF_OF_COMMANDS | PF_OF_SERVICES, true,
	"voluntary context switches; for services a request"},
    [PF_METRIC_PREEMPTIONS] = {"preemptions", "preemptions", PF_UNIT_NUMBER, PF_SCALE_DIFFERENCE,
	false, PF_OF_COMMANDS | PF_OF_SERVICES, true,
	"involuntary context switches; for services a request"},
    [PF_METRIC_INSTRUCTIONS] = {"instructions", "instructions", PF_UNIT_NUMBER, PF_SCALE_RATIO,
	false, PF_OF_COMMANDS | PF_OF_SERVICES, true,
	"retired in user space; for services a request"},
    [PF_METRIC_CYCLES] = {"cycles", "cycles", PF_UNIT_NUMBER, PF_SCALE_RATIO, false,
	PF_OF_COMMANDS | PF_OF_SERVICES, true, "in user space; for services a request"},
    [PF_METRIC_CACHE_MISSES] = {"cache_misses", "cache misses", PF_UNIT_NUMBER, PF_SCALE_RATIO,
	false, PF_OF_COMMANDS | PF_OF_SERVICES, true, "of the last level; for services a request"},
    [PF_METRIC_BRANCH_MISSES] = {"branch_misses", "branch misses", PF_UNIT_NUMBER, PF_SCALE_RATIO,
	false, PF_OF_COMMANDS | PF_OF_SERVICES, true, "for services a request"},
};

enum pf_metric
pf_metric_find(const char *name, size_t size)
{
	enum pf_metric m = 0;

	while (m < PF_METRICS && (strlen(pf_metric_infos[m].name) != size ||
				     strncmp(pf_metric_infos[m].name, name, size) != 0))
		m++;
	return m;
}

const char *
pf_metric_list(unsigned of, char *text, size_t size)
{
	size_t at = 0;

	text[0] = 0;
	for (enum pf_metric m = 0; m < PF_METRICS && at < size; m++) {
		if (pf_metric_infos[m].of & of)
			at += (size_t)snprintf(
			    text + at, size - at, "%s%s", at ? ", " : "", pf_metric_infos[m].name);
	}
	return text;
}

struct step {
	double factor;
	const char *name;
};

/* In the largest unit that leaves at least one whole, with about four digits. */
static void
scaled(const struct step *steps, size_t count, double value, char *text, size_t size)
{
	size_t i = 0;
	double shown;

	while (i + 1 < count && fabs(value) < steps[i].factor)
		i++;
	shown = value / steps[i].factor;
	snprintf(text, size, "%.*f %s",
	    fabs(shown) >= 1000  ? 0
	    : fabs(shown) >= 100 ? 1
	    : fabs(shown) >= 10  ? 2
				 : 3,
	    shown, steps[i].name);
}

/* Four digits, with the thousands as a letter. */
static void
number(double value, char *text, size_t size)
{
	static const struct step steps[] = {{1e9, "G"}, {1e6, "M"}, {1e3, "k"}};

	if (fabs(value) < 10000)
		snprintf(text, size, "%.4g", value);
	else
		scaled(steps, 3, value, text, size);
}

const char *
pf_metric_format(enum pf_unit unit, double value, char *text, size_t size)
{
	static const struct step seconds[] = {{1, "s"}, {1e-3, "ms"}, {1e-6, "µs"}, {1e-9, "ns"}};
	static const struct step bytes[] = {
	    {1073741824, "GiB"}, {1048576, "MiB"}, {1024, "KiB"}, {1, "B"}};

	switch (unit) {
	case PF_UNIT_SECONDS:
		scaled(seconds, 4, value, text, size);
		break;
	case PF_UNIT_BYTES:
		scaled(bytes, 4, value, text, size);
		break;
	case PF_UNIT_PER_SECOND:
		snprintf(text, size, "%.*f/s", value < 100 ? 2 : 0, value);
		break;
	case PF_UNIT_SHARE:
		snprintf(text, size, "%.3f %%", value * 100);
		break;
	case PF_UNIT_NUMBER:
		number(value, text, size);
		break;
	case PF_UNIT_BYTES_PER_SECOND:
		scaled(bytes, 4, value, text, size);
		snprintf(text + strlen(text), size - strlen(text), "/s");
		break;
	}
	return text;
}

const char *
pf_change_format(enum pf_scale scale, enum pf_unit unit, double change, char *text, size_t size)
{
	int digits = fabs(change) < 0.0995 ? 2 : 1;

	if (scale == PF_SCALE_RATIO)
		snprintf(text, size, "%+.*f %%", digits, change * 100);
	else if (unit == PF_UNIT_SHARE)
		snprintf(text, size, "%+.*f pp", digits, change * 100);
	else
		snprintf(text, size, "%+.3g", change);
	return text;
}

const char *
pf_unit_name(enum pf_unit unit)
{
	static const char *const names[] = {
	    "seconds", "bytes", "per_second", "share", "number", "bytes_per_second"};

	return names[unit];
}
