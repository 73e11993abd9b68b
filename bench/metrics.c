/* metrics.c: see metrics.h. */
#include "bench/metrics.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const struct pf_metric_info pf_metric_infos[PF_METRICS] = {
    [PF_METRIC_CPU] = {"cpu", "CPU time", PF_UNIT_SECONDS, PF_SCALE_RATIO, false},
    [PF_METRIC_CPU_PER_REQUEST] = {"cpu_per_request", "CPU per request", PF_UNIT_SECONDS,
	PF_SCALE_RATIO, false},
    [PF_METRIC_P50] = {"p50", "latency p50", PF_UNIT_SECONDS, PF_SCALE_RATIO, false},
    [PF_METRIC_P90] = {"p90", "latency p90", PF_UNIT_SECONDS, PF_SCALE_RATIO, false},
    [PF_METRIC_P99] = {"p99", "latency p99", PF_UNIT_SECONDS, PF_SCALE_RATIO, false},
    [PF_METRIC_P999] = {"p999", "latency p99.9", PF_UNIT_SECONDS, PF_SCALE_RATIO, false},
    [PF_METRIC_THROUGHPUT] = {"throughput", "throughput", PF_UNIT_PER_SECOND, PF_SCALE_RATIO, true},
    [PF_METRIC_ERRORS] = {"errors", "errors", PF_UNIT_SHARE, PF_SCALE_DIFFERENCE, false},
    [PF_METRIC_RSS_PEAK] = {"rss_peak", "peak memory", PF_UNIT_BYTES, PF_SCALE_RATIO, false},
    [PF_METRIC_WALL] = {"wall", "wall time", PF_UNIT_SECONDS, PF_SCALE_RATIO, false},
    [PF_METRIC_RSS_IDLE] = {"rss_idle", "idle memory", PF_UNIT_BYTES, PF_SCALE_RATIO, false},
    [PF_METRIC_GC_PAUSE_P99] = {"gc_pause_p99", "GC pause p99", PF_UNIT_SECONDS, PF_SCALE_RATIO,
	false},
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
	}
	return text;
}

const char *
pf_change_format(enum pf_scale scale, double change, char *text, size_t size)
{
	int digits = fabs(change) < 0.0995 ? 2 : 1;

	snprintf(
	    text, size, scale == PF_SCALE_RATIO ? "%+.*f %%" : "%+.*f pp", digits, change * 100);
	return text;
}

const char *
pf_unit_name(enum pf_unit unit)
{
	static const char *const names[] = {"seconds", "bytes", "per_second", "share"};

	return names[unit];
}
