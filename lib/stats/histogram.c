/* histogram.c: see histogram.h. Bucket 0 uses all its steps, each later bucket its upper half only. */
#include "stats/histogram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"

static int
log2_floor(uint64_t x)
{
	return 63 - __builtin_clzll(x);
}

static size_t
steps(const struct pf_histogram *h)
{
	return (size_t)2 << h->half_magnitude;
}

/* Buckets needed until `highest` fits: the first reaches steps << unit, each next one twice as far. */
static size_t
bucket_count(const struct pf_histogram *h)
{
	uint64_t reach = (uint64_t)steps(h) << h->unit_magnitude;
	size_t buckets = 1;

	while (reach <= (uint64_t)h->highest && reach <= (uint64_t)INT64_MAX / 2) {
		reach <<= 1;
		buckets++;
	}
	return reach <= (uint64_t)h->highest ? buckets + 1 : buckets;
}

int
pf_histogram_init(
    struct pf_histogram *h, int64_t lowest, int64_t highest, int digits, struct pf_error *err)
{
	uint64_t distinct = 2;

	*h = (struct pf_histogram){
	    .lowest = lowest, .highest = highest, .digits = digits, .least = INT64_MAX};
	if (lowest < 1 || highest / 2 < lowest || digits < 1 || digits > 5)
		return pf_error_set(err, PF_EUSAGE,
		    "a histogram of %lld to %lld with %d digits cannot be laid out: 1 <= lowest <= "
		    "highest/2 and 1 to 5 digits",
		    (long long)lowest, (long long)highest, digits);
	for (int i = 0; i < digits; i++)
		distinct *= 10;
	h->half_magnitude =
	    log2_floor(distinct - 1); /* steps: the power of two at or above 2·10^digits */
	h->unit_magnitude = log2_floor((uint64_t)lowest);
	if (h->unit_magnitude + h->half_magnitude > 60)
		return pf_error_set(err, PF_EUSAGE,
		    "a histogram from %lld with %d digits does not fit 64 bits", (long long)lowest,
		    digits);
	h->counts_size = (bucket_count(h) + 1) * (steps(h) / 2);
	return PF_CALLOC(h->counts, h->counts_size, err);
}

void
pf_histogram_release(struct pf_histogram *h)
{
	free(h->counts);
	*h = (struct pf_histogram){0};
}

void
pf_histogram_clear(struct pf_histogram *h)
{
	memset(h->counts, 0, h->counts_size * sizeof *h->counts);
	h->total = h->clamped = 0;
	h->least = INT64_MAX;
	h->most = 0;
}

size_t
pf_histogram_index(const struct pf_histogram *h, int64_t value)
{
	uint64_t mask = ((uint64_t)steps(h) << h->unit_magnitude) - 1;
	int bucket = log2_floor((uint64_t)value | mask) - h->unit_magnitude - h->half_magnitude;
	uint64_t step = (uint64_t)value >> (bucket + h->unit_magnitude);

	return ((size_t)bucket << h->half_magnitude) + (size_t)step;
}

int64_t
pf_histogram_value(const struct pf_histogram *h, size_t index)
{
	size_t bucket = index >> h->half_magnitude, step = index & ((steps(h) / 2) - 1);

	if (bucket == 0)
		return (int64_t)(step << h->unit_magnitude);
	return (int64_t)((step + steps(h) / 2) << (bucket - 1 + (size_t)h->unit_magnitude));
}

static int64_t
step_width(const struct pf_histogram *h, size_t index)
{
	size_t bucket = index >> h->half_magnitude;

	return (int64_t)1 << ((bucket ? bucket - 1 : 0) + (size_t)h->unit_magnitude);
}

int64_t
pf_histogram_top(const struct pf_histogram *h, size_t index)
{
	return pf_histogram_value(h, index) + step_width(h, index) - 1;
}

void
pf_histogram_record(struct pf_histogram *h, int64_t value)
{
	if (value < 0)
		value = 0;
	if (value > h->highest) {
		value = h->highest;
		h->clamped++;
	}
	h->counts[pf_histogram_index(h, value)]++;
	h->total++;
	if (value < h->least)
		h->least = value;
	if (value > h->most)
		h->most = value;
}

int
pf_histogram_merge(struct pf_histogram *h, const struct pf_histogram *other, struct pf_error *err)
{
	if (h->lowest != other->lowest || h->highest != other->highest ||
	    h->digits != other->digits)
		return pf_error_set(
		    err, PF_EUSAGE, "histograms of different layouts cannot be added");
	for (size_t i = 0; i < h->counts_size; i++)
		h->counts[i] += other->counts[i];
	h->total += other->total;
	h->clamped += other->clamped;
	h->least = other->least < h->least ? other->least : h->least;
	h->most = other->most > h->most ? other->most : h->most;
	return 0;
}

int64_t
pf_histogram_quantile(const struct pf_histogram *h, double q)
{
	double wanted = ceil(q * (double)h->total - 1e-9);
	uint64_t rank = wanted < 1 ? 1 : (uint64_t)wanted, seen = 0;

	for (size_t i = 0; i < h->counts_size; i++) {
		seen += h->counts[i];
		if (seen >= rank)
			return pf_histogram_top(h, i);
	}
	return 0;
}

double
pf_histogram_mean(const struct pf_histogram *h)
{
	double sum = 0;

	for (size_t i = 0; i < h->counts_size; i++) {
		int64_t middle = pf_histogram_value(h, i) + step_width(h, i) / 2;
		sum += (double)h->counts[i] * (double)middle;
	}
	return h->total ? sum / (double)h->total : 0;
}

double
pf_histogram_deviation(const struct pf_histogram *h)
{
	double mean = pf_histogram_mean(h), sum = 0;

	for (size_t i = 0; i < h->counts_size; i++) {
		double off = (double)(pf_histogram_value(h, i) + step_width(h, i) / 2) - mean;
		sum += (double)h->counts[i] * off * off;
	}
	return h->total ? sqrt(sum / (double)h->total) : 0;
}
