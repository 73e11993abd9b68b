/*
 * gzip.c: see gzip.h.
 *
 * The common case, one member that states a size within the caps, is inflated
 * at once by libdeflate, at about half of zlib's cost. Everything else (several
 * members, padding, a size that is a lie, damage) goes through zlib's stream,
 * chunk by chunk, which stops a bomb at the cap and can say where the damage is.
 */
#include "core/gzip.h"

#include <libdeflate.h>
#include <string.h>
#include <zlib.h>

#include "core/error.h"

enum {
	RATIO_GRACE = 16 << 20, /* below this much output the ratio is not judged */
	CHUNK = 1 << 17,
};

bool
pf_gzip_is(const void *bytes, size_t size)
{
	const uint8_t *b = bytes;

	return size >= 2 && b[0] == 0x1f && b[1] == 0x8b;
}

struct inflation {
	z_stream z;
	const uint8_t *input;
	size_t size;
	size_t taken; /* input handed to zlib so far; zlib counts in unsigned int */
	const char *name;
	struct pf_buffer *out;
	size_t out_start;
	uint32_t max_ratio;
};

static size_t
consumed(const struct inflation *f)
{
	return f->taken - f->z.avail_in;
}

static int
check_caps(const struct inflation *f, struct pf_error *err)
{
	size_t made = f->out->size - f->out_start;

	if (f->out->size >= f->out->maximum)
		return pf_error_set(err, PF_EINPUT,
		    "%s: inflates to more than %zu bytes; --max-size lifts the cap", f->name,
		    f->out->maximum);
	if (f->max_ratio && made > RATIO_GRACE && made / f->max_ratio > consumed(f))
		return pf_error_set(err, PF_EINPUT,
		    "%s: inflates to more than %u times its size (offset %zu); --max-size lifts "
		    "the cap",
		    f->name, f->max_ratio, consumed(f));
	return 0;
}

/* One call of inflate() into fresh room; *status is zlib's answer. */
static int
step(struct inflation *f, int *status, struct pf_error *err)
{
	size_t left = f->out->maximum - f->out->size;
	size_t room = left < CHUNK ? left : CHUNK;
	uint8_t *to = pf_buffer_reserve(f->out, room);

	if (!to)
		return pf_error_nomem(err);
	if (f->z.avail_in == 0) {
		size_t n = f->size - f->taken < 1u << 30 ? f->size - f->taken : 1u << 30;
		f->z.next_in = (Bytef *)(uintptr_t)(f->input + f->taken);
		f->z.avail_in = (uInt)n;
		f->taken += n;
	}
	f->z.next_out = to;
	f->z.avail_out = (uInt)room;
	*status = inflate(&f->z, Z_NO_FLUSH);
	f->out->size += room - f->z.avail_out;
	if (*status == Z_MEM_ERROR)
		return pf_error_nomem(err);
	if (*status == Z_BUF_ERROR && consumed(f) == f->size)
		return pf_error_set(
		    err, PF_EINPUT, "%s: truncated gzip data at offset %zu", f->name, f->size);
	if (*status != Z_OK && *status != Z_STREAM_END && *status != Z_BUF_ERROR)
		return pf_error_set(err, PF_EINPUT, "%s: bad gzip data at offset %zu: %s", f->name,
		    consumed(f), f->z.msg ? f->z.msg : "unknown reason");
	return 0;
}

static bool
only_zeros(const uint8_t *bytes, size_t size)
{
	while (size && !*bytes)
		bytes++, size--;
	return size == 0;
}

/* What stands after a member: the end, padding, another member (then *again), or an error. */
static int
after_member(struct inflation *f, bool *again, struct pf_error *err)
{
	size_t at = consumed(f);

	*again = false;
	if (only_zeros(f->input + at, f->size - at))
		return 0;
	if (!pf_gzip_is(f->input + at, f->size - at))
		return pf_error_set(err, PF_EINPUT,
		    "%s: %zu bytes after the gzip data at offset %zu", f->name, f->size - at, at);
	*again = true;
	inflateReset(&f->z);
	return 0;
}

/* The last four bytes of a member: its inflated size modulo 2^32 (RFC 1952). */
static size_t
stated_size(const uint8_t *bytes, size_t size)
{
	const uint8_t *at = bytes + size - 4;

	return (size_t)at[0] | (size_t)at[1] << 8 | (size_t)at[2] << 16 | (size_t)at[3] << 24;
}

/* Sets *done if all of the input was one sound member of the stated size, now appended to out. */
static int
inflate_at_once(struct pf_buffer *out, const uint8_t *bytes, size_t size, uint32_t max_ratio,
    bool *done, struct pf_error *err)
{
	size_t want = size < 18 ? 0 : stated_size(bytes, size), taken = 0, made = 0;
	struct libdeflate_decompressor *d;
	uint8_t *to;

	*done = false;
	if (want == 0 || want > out->maximum - out->size ||
	    (max_ratio && want > RATIO_GRACE && want / max_ratio > size))
		return 0;
	to = pf_buffer_reserve(out, want);
	d = to ? libdeflate_alloc_decompressor() : NULL;
	if (!d)
		return pf_error_nomem(err);
	*done = libdeflate_gzip_decompress_ex(d, bytes, size, to, want, &taken, &made) ==
		    LIBDEFLATE_SUCCESS &&
		taken == size && made == want;
	libdeflate_free_decompressor(d);
	if (*done)
		out->size += made;
	return 0;
}

int
pf_gzip_inflate(struct pf_buffer *out, const char *name, const void *bytes, size_t size,
    uint32_t max_ratio, struct pf_error *err)
{
	struct inflation f = {.input = bytes,
	    .size = size,
	    .name = name,
	    .out = out,
	    .out_start = out->size,
	    .max_ratio = max_ratio};
	bool again = true, done;
	int rc = inflate_at_once(out, bytes, size, max_ratio, &done, err);

	if (rc || done)
		return rc;
	if (inflateInit2(&f.z, 15 + 16) != Z_OK)
		return pf_error_nomem(err);
	while (!rc && again) {
		int status = Z_OK;
		rc = check_caps(&f, err);
		if (!rc)
			rc = step(&f, &status, err);
		if (!rc && status == Z_STREAM_END)
			rc = after_member(&f, &again, err);
	}
	inflateEnd(&f.z);
	return rc;
}

/* zlib's and gzip's containers differ only in these two functions. */
typedef size_t (*compress_function)(
    struct libdeflate_compressor *, const void *, size_t, void *, size_t);
typedef size_t (*bound_function)(struct libdeflate_compressor *, size_t);

static int
deflate_whole(struct pf_buffer *out, const void *bytes, size_t size, int level,
    bound_function bound, compress_function compress, struct pf_error *err)
{
	struct libdeflate_compressor *c = libdeflate_alloc_compressor(level);
	size_t most, n = 0;
	uint8_t *to;

	if (!c)
		return pf_error_nomem(err);
	most = bound(c, size);
	to = pf_buffer_reserve(out, most);
	if (to)
		n = compress(c, bytes, size, to, most);
	libdeflate_free_compressor(c);
	if (!n)
		return pf_error_nomem(err);
	out->size += n;
	return 0;
}

int
pf_gzip_deflate(
    struct pf_buffer *out, const void *bytes, size_t size, int level, struct pf_error *err)
{
	return deflate_whole(
	    out, bytes, size, level, libdeflate_gzip_compress_bound, libdeflate_gzip_compress, err);
}

int
pf_zlib_deflate(
    struct pf_buffer *out, const void *bytes, size_t size, int level, struct pf_error *err)
{
	return deflate_whole(
	    out, bytes, size, level, libdeflate_zlib_compress_bound, libdeflate_zlib_compress, err);
}
