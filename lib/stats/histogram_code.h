/*
 * histogram_code.h: histograms as others read them: HdrHistogram's V2 encoding
 * (compressed, as base64 text) and its percentile table (.hgrm).
 *
 * Outer frame, big-endian: u32 0x1c849314, u32 length, a zlib stream. In it a
 * header of 40 bytes (u32 0x1c849313, i32 payload length, i32 0, i32 digits, i64
 * lowest, i64 highest, f64 1.0), then a ZigZag LEB128 of at most 9 bytes for each
 * count up to the last recorded one; a negative number is a run of zeros.
 */
#ifndef PF_STATS_HISTOGRAM_CODE_H
#define PF_STATS_HISTOGRAM_CODE_H

#include "core/buffer.h"
#include "stats/histogram.h"

/* Appends the text ("HISTFAAA…"), without a NUL. Failures stick to the buffer. */
void pf_histogram_encode(const struct pf_histogram *h, struct pf_buffer *out);

/*
 * Makes a histogram of a text; h is then to be released. `least` and `most` are
 * those of the steps. PF_EINPUT for anything but an encoded histogram, PF_ENOMEM.
 */
int pf_histogram_decode(struct pf_histogram *h, const char *text, struct pf_error *err);

/* Appends the percentile table, values divided by `unit` (1e6: nanoseconds as milliseconds). */
void pf_histogram_percentiles(const struct pf_histogram *h, double unit, struct pf_buffer *out);

/* One row of it: the share `level` of all values is at or below `value`. */
struct pf_percentile {
	double level; /* 0..1 */
	int64_t value;
	uint64_t count; /* of values up to it */
};

/*
 * Steps through the table, five rows for each halving of the distance to 100 %;
 * start with a zeroed iterator. False at the end.
 */
struct pf_percentile_steps {
	size_t index;
	uint64_t count;
	double level; /* percent; of the next row */
	bool counted, ended;
};
bool pf_histogram_next_percentile(
    const struct pf_histogram *h, struct pf_percentile_steps *at, struct pf_percentile *row);

#endif
