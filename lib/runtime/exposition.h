/*
 * exposition.h: one scrape of a service's metrics: Prometheus' text exposition
 * format (version 0.0.4) and OpenMetrics 1.0 text.
 *
 * Samples lie in one flat array in the order of the scrape; names, label names
 * and label values are interned strings. Metadata other than types, exemplars
 * and what follows "# EOF" are read over. Values are IEEE doubles, NaN and
 * infinities among them.
 */
#ifndef PF_RUNTIME_EXPOSITION_H
#define PF_RUNTIME_EXPOSITION_H

#include <stdbool.h>

#include "core/strings.h"

enum pf_exposition_kind {
	PF_EXPOSITION_UNTYPED,
	PF_EXPOSITION_COUNTER,
	PF_EXPOSITION_GAUGE,
	PF_EXPOSITION_HISTOGRAM,
	PF_EXPOSITION_SUMMARY,
};

struct pf_exposition_label {
	uint32_t name, value; /* strings */
};

struct pf_exposition_sample {
	uint32_t name; /* string, with its suffix: "rpc_seconds_bucket" */
	uint32_t first_label, label_count;
	uint32_t next; /* sample of the same name; PF_NONE: none */
	bool has_time;
	int64_t time_millis; /* since the epoch, where the scrape gives one */
	double value;
};

struct pf_exposition_family {
	uint32_t name; /* string, without suffix */
	enum pf_exposition_kind kind;
};

struct pf_exposition {
	struct pf_strings strings;
	struct pf_exposition_sample *samples;
	size_t sample_count, sample_capacity;
	struct pf_exposition_label *labels;
	size_t label_count, label_capacity;
	struct pf_exposition_family *families;
	size_t family_count, family_capacity;
	uint32_t *first_of; /* of each string: the first sample of that name; PF_NONE: none */
	struct pf_index family_by_name;
};

/* Whether bytes look like a scrape: a "# HELP" or "# TYPE" line, or "name{…} number", comes first. */
bool pf_exposition_recognise(const void *bytes, size_t size);

/*
 * Reads a whole scrape; `name` stands for it in messages. PF_EINPUT with the
 * line for anything malformed and for a scrape without samples; PF_ENOMEM.
 * Release it after a failure too. Memory is linear in size.
 */
int pf_exposition_parse(struct pf_exposition *e, const char *name, const void *bytes, size_t size,
    struct pf_error *err);
void pf_exposition_release(struct pf_exposition *e);

/*
 * Labels to match: name, value, name, value, …, NULL; NULL matches anything. A
 * sample matches if it has all of them, whatever else it has.
 */
typedef const char *const *pf_label_matchers;

/* The first matching sample after `after` (NULL: from the start) in the order of the scrape, or NULL. */
const struct pf_exposition_sample *pf_exposition_find(const struct pf_exposition *e,
    const char *name, pf_label_matchers matchers, const struct pf_exposition_sample *after);

/* The sum of all matching samples; NaN where there is none. */
double pf_exposition_sum(
    const struct pf_exposition *e, const char *name, pf_label_matchers matchers);

/* The value of a sample's label, "" where it has none of this name. */
const char *pf_exposition_label(
    const struct pf_exposition *e, const struct pf_exposition_sample *s, const char *name);

/* The kind that the scrape gives a family. */
enum pf_exposition_kind pf_exposition_kind(const struct pf_exposition *e, const char *family);

/* A histogram: buckets by upper bound, ascending, the last +Inf; counts are cumulative. */
struct pf_exposition_histogram {
	double *bounds, *counts; /* owned */
	size_t count, bounds_capacity, counts_capacity;
	double sum; /* of the observed values; NaN where the scrape has none */
};

/*
 * Sums the buckets of all matching series of NAME_bucket. PF_EINPUT where there
 * is none, where series differ in their bounds or counts fall; PF_ENOMEM.
 * Release it after a failure too.
 */
int pf_exposition_histogram(const struct pf_exposition *e, const char *name,
    pf_label_matchers matchers, struct pf_exposition_histogram *h, struct pf_error *err);
void pf_exposition_histogram_release(struct pf_exposition_histogram *h);

/*
 * Takes an earlier scrape of the same histogram off: what was observed between
 * the two. PF_EINPUT where bounds differ or a count fell (the service began anew).
 */
int pf_exposition_histogram_subtract(struct pf_exposition_histogram *h,
    const struct pf_exposition_histogram *earlier, struct pf_error *err);

/*
 * The q-quantile by linear interpolation within a bucket, as Prometheus'
 * histogram_quantile() has it: in the last bucket its lower bound. NaN while empty.
 */
double pf_exposition_histogram_quantile(const struct pf_exposition_histogram *h, double q);

#endif
