/* metrics.h: what bench can measure and gates can name: one table. */
#ifndef PF_BENCH_METRICS_H
#define PF_BENCH_METRICS_H

#include <stdbool.h>
#include <stddef.h>

#include <profuse/stats.h>

/* In the order of reports. */
enum pf_metric {
	PF_METRIC_CPU,
	PF_METRIC_CPU_PER_REQUEST,
	PF_METRIC_P50,
	PF_METRIC_P90,
	PF_METRIC_P99,
	PF_METRIC_P999,
	PF_METRIC_THROUGHPUT,
	PF_METRIC_ERRORS,
	PF_METRIC_WALL,
	PF_METRIC_RSS_PEAK,
	PF_METRIC_RSS,
	PF_METRIC_PSS,
	PF_METRIC_RSS_IDLE,
	PF_METRIC_GC_PAUSE_P99,
	PF_METRIC_GC_PAUSE_MEAN,
	PF_METRIC_GC_PAUSE_TOTAL,
	PF_METRIC_GC_CYCLES,
	PF_METRIC_GC_CPU,
	PF_METRIC_HEAP_LIVE,
	PF_METRIC_ALLOCATED,
	PF_METRIC_HELD,
	PF_METRIC_FRAGMENTATION,
	PF_METRIC_FAULTS,
	PF_METRIC_MAJOR_FAULTS,
	PF_METRIC_SWITCHES,
	PF_METRIC_PREEMPTIONS,
	PF_METRIC_INSTRUCTIONS,
	PF_METRIC_CYCLES,
	PF_METRIC_CACHE_MISSES,
	PF_METRIC_BRANCH_MISSES,
	PF_METRICS,
};

enum pf_unit {
	PF_UNIT_SECONDS,
	PF_UNIT_BYTES,
	PF_UNIT_PER_SECOND,
	PF_UNIT_SHARE,
	PF_UNIT_NUMBER,
	PF_UNIT_BYTES_PER_SECOND,
};

/* Which kinds of subject have it. */
enum {
	PF_OF_COMMANDS = 1,
	PF_OF_SERVICES = 2,
};

struct pf_metric_info {
	const char *name;  /* in gates and JSON */
	const char *title; /* in tables */
	enum pf_unit unit;
	enum pf_scale scale;
	bool more_is_better;
	unsigned of;
	bool optional; /* not every system or service tells it: left out where it is missing */
	const char *help;
};

extern const struct pf_metric_info pf_metric_infos[PF_METRICS];

/* PF_METRICS when there is none of this name (size bytes of it). */
enum pf_metric pf_metric_find(const char *name, size_t size);

/* "cpu, wall, …" of what `of` has into text; returns text. */
const char *pf_metric_list(unsigned of, char *text, size_t size);

/* "1.234 ms", "12.0 MiB", "4,000/s", "0.10 %" into text; returns text. */
const char *pf_metric_format(enum pf_unit unit, double value, char *text, size_t size);
/* "+3.1 %" of a ratio; of a difference "+0.10 pp" for a share, else in the unit. */
const char *pf_change_format(
    enum pf_scale scale, enum pf_unit unit, double change, char *text, size_t size);

const char *pf_unit_name(enum pf_unit unit); /* "seconds", "bytes", "per_second", … */

#endif
