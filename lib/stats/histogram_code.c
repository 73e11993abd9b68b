/* histogram_code.c: see histogram_code.h. */
#include "stats/histogram_code.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "core/base64.h"
#include "core/error.h"
#include "core/gzip.h"

enum {
	OUTER = 0x1c849314,
	INNER = 0x1c849313,
	HEADER = 40,
	TEXT_MAXIMUM = 64 << 20,
	TICKS = 5, /* rows for each halving of the distance to 100 % */
};

static void
add_be(struct pf_buffer *out, uint64_t value, int bytes)
{
	while (bytes-- > 0)
		pf_buffer_byte(out, (uint8_t)(value >> 8 * bytes));
}

static uint64_t
be(const uint8_t *at, int bytes)
{
	uint64_t value = 0;

	for (int i = 0; i < bytes; i++)
		value = value << 8 | at[i];
	return value;
}

/* Seven bits a byte, low ones first; a ninth byte carries eight. */
static void
add_zigzag(struct pf_buffer *out, int64_t value)
{
	uint64_t z = (uint64_t)value << 1 ^ (uint64_t)(value >> 63);

	for (int i = 0; i < 8; i++, z >>= 7) {
		if (z < 0x80) {
			pf_buffer_byte(out, (uint8_t)z);
			return;
		}
		pf_buffer_byte(out, (uint8_t)(z | 0x80));
	}
	pf_buffer_byte(out, (uint8_t)z);
}

/* False at a truncated number. */
static bool
take_zigzag(const uint8_t **at, const uint8_t *end, int64_t *value)
{
	uint64_t z = 0;

	for (int i = 0;; i++) {
		uint8_t byte;
		if (*at == end)
			return false;
		byte = *(*at)++;
		z |= (uint64_t)(i < 8 ? byte & 0x7f : byte) << 7 * i;
		if (i == 8 || byte < 0x80)
			break;
	}
	*value = (int64_t)(z >> 1) ^ -(int64_t)(z & 1);
	return true;
}

static void
add_counts(const struct pf_histogram *h, struct pf_buffer *out)
{
	size_t end = h->total ? pf_histogram_index(h, h->most) + 1 : 1;

	for (size_t i = 0; i < end;) {
		size_t zeros = 0;
		while (i + zeros < end && h->counts[i + zeros] == 0)
			zeros++;
		if (zeros) {
			add_zigzag(out, zeros == 1 ? 0 : -(int64_t)zeros);
			i += zeros;
		} else {
			add_zigzag(out, (int64_t)h->counts[i++]);
		}
	}
}

void
pf_histogram_encode(const struct pf_histogram *h, struct pf_buffer *out)
{
	struct pf_buffer counts, inner, packed;

	pf_buffer_init(&counts, TEXT_MAXIMUM);
	pf_buffer_init(&inner, TEXT_MAXIMUM);
	pf_buffer_init(&packed, TEXT_MAXIMUM);
	add_counts(h, &counts);
	add_be(&inner, INNER, 4);
	add_be(&inner, counts.size, 4);
	add_be(&inner, 0, 4);
	add_be(&inner, (uint64_t)h->digits, 4);
	add_be(&inner, (uint64_t)h->lowest, 8);
	add_be(&inner, (uint64_t)h->highest, 8);
	add_be(&inner, 0x3ff0000000000000, 8); /* 1.0 */
	pf_buffer_add(&inner, counts.bytes, counts.size);
	add_be(&packed, OUTER, 4);
	add_be(&packed, 0, 4); /* the stream's length, known below */
	if (counts.failed || inner.failed ||
	    pf_zlib_deflate(&packed, inner.bytes, inner.size, 6, NULL) || packed.failed) {
		out->failed = true;
	} else {
		size_t size = packed.size - 8;
		for (int i = 0; i < 4; i++)
			packed.bytes[4 + i] = (uint8_t)(size >> (24 - 8 * i));
		pf_base64_encode(out, packed.bytes, packed.size);
	}
	pf_buffer_release(&packed);
	pf_buffer_release(&inner);
	pf_buffer_release(&counts);
}

static int
bad(struct pf_error *err, const char *why)
{
	return pf_error_set(err, PF_EINPUT, "an encoded histogram %s", why);
}

static int
take_counts(struct pf_histogram *h, const uint8_t *at, const uint8_t *end, struct pf_error *err)
{
	size_t i = 0;
	int64_t count;

	while (at < end) {
		if (!take_zigzag(&at, end, &count))
			return bad(err, "breaks off within a count");
		if (count < 0 ? (uint64_t)-count > h->counts_size - i : i >= h->counts_size)
			return bad(err, "has more counts than its own range");
		if (count > 0) {
			h->counts[i] = (uint64_t)count;
			h->total += (uint64_t)count;
			if (h->least == INT64_MAX)
				h->least = pf_histogram_value(h, i);
			h->most = pf_histogram_top(h, i);
		}
		i += count < 0 ? (size_t)-count : 1;
	}
	return 0;
}

/* The inner frame, inflated. */
static int
take_inner(struct pf_histogram *h, const uint8_t *bytes, size_t size, struct pf_error *err)
{
	int rc;

	if (size < HEADER || be(bytes, 4) != INNER)
		return bad(err, "is of another version than V2");
	if (be(bytes + 4, 4) > size - HEADER)
		return bad(err, "breaks off");
	if (be(bytes + 8, 4) != 0)
		return bad(err, "has its values shifted, which nobody does");
	rc = pf_histogram_init(
	    h, (int64_t)be(bytes + 16, 8), (int64_t)be(bytes + 24, 8), (int)be(bytes + 12, 4), err);
	if (rc)
		return rc == PF_EUSAGE ? PF_EINPUT : rc;
	rc = take_counts(h, bytes + HEADER, bytes + HEADER + be(bytes + 4, 4), err);
	if (rc)
		pf_histogram_release(h);
	return rc;
}

static int
inflate_into(struct pf_buffer *out, const uint8_t *bytes, size_t size, struct pf_error *err)
{
	z_stream z = {.next_in = (Bytef *)bytes, .avail_in = (uInt)size};
	int rc = inflateInit(&z) == Z_OK ? Z_OK : Z_MEM_ERROR;

	while (rc == Z_OK) {
		uint8_t *room = pf_buffer_reserve(out, 65536);
		if (!room) {
			rc = Z_MEM_ERROR;
			break;
		}
		z.next_out = room;
		z.avail_out = 65536;
		rc = inflate(&z, Z_NO_FLUSH);
		out->size += 65536 - z.avail_out;
		if (rc == Z_OK && z.avail_in == 0 && z.avail_out)
			rc = Z_BUF_ERROR;
	}
	inflateEnd(&z);
	if (rc == Z_MEM_ERROR)
		return pf_error_nomem(err);
	return rc == Z_STREAM_END ? 0 : bad(err, "is not compressed as it should be");
}

int
pf_histogram_decode(struct pf_histogram *h, const char *text, struct pf_error *err)
{
	struct pf_buffer packed, inner;
	size_t size = strlen(text);
	int rc;

	*h = (struct pf_histogram){0};
	if (size > TEXT_MAXIMUM)
		return bad(err, "is over 64 MiB long");
	pf_buffer_init(&packed, TEXT_MAXIMUM);
	pf_buffer_init(&inner, TEXT_MAXIMUM);
	rc = pf_base64_decode(&packed, text, size, err);
	if (!rc && (packed.size < 8 || be(packed.bytes, 4) != OUTER ||
		       be(packed.bytes + 4, 4) > packed.size - 8))
		rc = bad(err, "starts with HISTFAAA and its length; this is none");
	if (!rc)
		rc = inflate_into(&inner, packed.bytes + 8, be(packed.bytes + 4, 4), err);
	if (!rc)
		rc = take_inner(h, inner.bytes, inner.size, err);
	pf_buffer_release(&inner);
	pf_buffer_release(&packed);
	return rc;
}

bool
pf_histogram_next_percentile(
    const struct pf_histogram *h, struct pf_percentile_steps *at, struct pf_percentile *row)
{
	double half;

	if (h->total == 0 || at->ended)
		return false;
	if (at->counted && at->count == h->total) {
		at->ended = true;
		*row = (struct pf_percentile){1, pf_histogram_top(h, at->index), at->count};
		return true;
	}
	for (;; at->index++, at->counted = false) {
		if (!at->counted)
			at->count += h->counts[at->index];
		at->counted = true;
		if (h->counts[at->index] &&
		    100.0 * (double)at->count / (double)h->total >= at->level)
			break;
	}
	*row = (struct pf_percentile){at->level / 100, pf_histogram_top(h, at->index), at->count};
	half = floor(log2(100 / (100 - at->level)));
	at->level += 100 / (TICKS * exp2(half + 1));
	return true;
}

void
pf_histogram_percentiles(const struct pf_histogram *h, double unit, struct pf_buffer *out)
{
	struct pf_percentile_steps at = {0};
	struct pf_percentile row;
	size_t steps = (size_t)2 << h->half_magnitude;

	pf_buffer_printf(out, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount",
	    "1/(1-Percentile)");
	while (pf_histogram_next_percentile(h, &at, &row)) {
		pf_buffer_printf(out, "%12.*f %2.12f %10llu", h->digits, (double)row.value / unit,
		    row.level, (unsigned long long)row.count);
		if (row.level < 1)
			pf_buffer_printf(out, " %14.2f", 1 / (1 - row.level));
		pf_buffer_byte(out, '\n');
	}
	pf_buffer_printf(out,
	    "#[Mean    = %12.*f, StdDeviation   = %12.*f]\n"
	    "#[Max     = %12.*f, Total count    = %12llu]\n"
	    "#[Buckets = %12zu, SubBuckets     = %12zu]\n",
	    h->digits, pf_histogram_mean(h) / unit, h->digits, pf_histogram_deviation(h) / unit,
	    h->digits,
	    h->total ? (double)pf_histogram_top(h, pf_histogram_index(h, h->most)) / unit : 0.0,
	    (unsigned long long)h->total, h->counts_size / (steps / 2) - 1, steps);
}
