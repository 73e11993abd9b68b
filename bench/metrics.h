/* metrics.h: what bench can measure and gates can name: one table. */
#ifndef PF_BENCH_METRICS_H
#define PF_BENCH_METRICS_H

#include <stdbool.h>
#include <stddef.h>

#include <profuse/stats.h>

enum pf_metric {
	PF_METRIC_CPU,
	PF_METRIC_CPU_PER_REQUEST,
	PF_METRIC_P50,
	PF_METRIC_P90,
	PF_METRIC_P99,
	PF_METRIC_P999,
	PF_METRIC_THROUGHPUT,
	PF_METRIC_ERRORS,
	PF_METRIC_RSS_PEAK,
	PF_METRIC_WALL,
	PF_METRIC_RSS_IDLE,     /* a gate may name these two: they are in the contract, */
	PF_METRIC_GC_PAUSE_P99, /* but nothing measures them yet */
	PF_METRICS,
};

enum pf_unit {
	PF_UNIT_SECONDS,
	PF_UNIT_BYTES,
	PF_UNIT_PER_SECOND,
	PF_UNIT_SHARE,
};

struct pf_metric_info {
	const char *name;  /* in gates and JSON */
	const char *title; /* in tables */
	enum pf_unit unit;
	enum pf_scale scale;
	bool more_is_better;
};

extern const struct pf_metric_info pf_metric_infos[PF_METRICS];

/* PF_METRICS when there is none of this name (size bytes of it). */
enum pf_metric pf_metric_find(const char *name, size_t size);

/* "1.234 ms", "12.0 MiB", "4,000/s", "0.10 %" into text; returns text. */
const char *pf_metric_format(enum pf_unit unit, double value, char *text, size_t size);
/* "+3.1 %" of a ratio, "+0.10 pp" of a share's difference. */
const char *pf_change_format(enum pf_scale scale, double change, char *text, size_t size);

const char *pf_unit_name(enum pf_unit unit); /* "seconds", "bytes", "per_second", "share" */

#endif
