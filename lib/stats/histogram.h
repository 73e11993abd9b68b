/*
 * histogram.h: counts of values over a wide range at a fixed relative precision.
 *
 * The layout is that of HdrHistogram (Gil Tene), so that its V2 encoding and its
 * tools can read ours: values are grouped in buckets of doubling width, each cut
 * into the same number of equal steps, fine enough for `digits` significant
 * decimal digits. Values over `highest` are counted at it and also in
 * `clamped`; nothing is ever dropped. Recording is O(1) and allocates nothing.
 */
#ifndef PF_STATS_HISTOGRAM_H
#define PF_STATS_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

struct pf_error;

struct pf_histogram {
	int64_t lowest, highest; /* the smallest value told from zero; the largest trackable */
	int digits;
	int unit_magnitude; /* floor(log2(lowest)): the bits below it don't count */
	int half_magnitude; /* log2 of half the steps in a bucket */
	uint64_t *counts;   /* owned */
	size_t counts_size;
	uint64_t total, clamped;
	int64_t least, most; /* recorded values; INT64_MAX and 0 while empty */
};

/* lowest >= 1, highest >= 2·lowest, digits 1..5. PF_EUSAGE otherwise; PF_ENOMEM. */
int pf_histogram_init(
    struct pf_histogram *h, int64_t lowest, int64_t highest, int digits, struct pf_error *err);
void pf_histogram_release(struct pf_histogram *h);
/* Forgets what was recorded, keeps the layout. */
void pf_histogram_clear(struct pf_histogram *h);

/* Counts a value; a negative one counts as 0. */
void pf_histogram_record(struct pf_histogram *h, int64_t value);

/* Adds another histogram of the same layout. PF_EUSAGE if the layouts differ. */
int pf_histogram_merge(
    struct pf_histogram *h, const struct pf_histogram *other, struct pf_error *err);

/*
 * The value at or below which a share q (0..1) of the recorded values lies: the
 * highest value that the histogram can't tell from it, at most the largest
 * recorded one's. 0 while empty.
 */
int64_t pf_histogram_quantile(const struct pf_histogram *h, double q);

/* The mean, each value taken at the middle of its step. 0 while empty. */
double pf_histogram_mean(const struct pf_histogram *h);

/* The standard deviation, likewise. 0 while empty. */
double pf_histogram_deviation(const struct pf_histogram *h);

/* Where a value is counted, and the lowest value counted there: for encoders. */
size_t pf_histogram_index(const struct pf_histogram *h, int64_t value);
int64_t pf_histogram_value(const struct pf_histogram *h, size_t index);
/* The highest value counted there. */
int64_t pf_histogram_top(const struct pf_histogram *h, size_t index);

#endif
