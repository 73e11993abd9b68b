/* gzip.c: see gzip.h. ISA-L inflates (core/inflate.c), libdeflate deflates whole buffers. */
#include "core/gzip.h"

#include <libdeflate.h>

#include "core/error.h"
#include "core/inflate.h"

enum { PIECE = 1 << 20, ROOM = 128 << 10 };

bool
pf_gzip_is(const void *bytes, size_t size)
{
	const uint8_t *b = bytes;

	return size >= 2 && b[0] == 0x1f && b[1] == 0x8b;
}

/* Inflates once into fresh room; *full tells whether that was filled. */
static int
inflate_some(struct pf_inflater *f, struct pf_buffer *out, bool *full, struct pf_error *err)
{
	size_t left = out->maximum - out->size, room = left < ROOM ? left : ROOM, made;
	uint8_t beyond, *to = left ? pf_buffer_reserve(out, room) : &beyond;
	int rc;

	if (!to)
		return pf_error_nomem(err);
	room = left ? room : 1; /* one byte too many is what breaks the cap */
	rc = pf_inflater_step(f, to, room, &made, err);
	out->size += left ? made : 0;
	*full = made == room;
	return rc;
}

int
pf_gzip_inflate(struct pf_buffer *out, const char *name, const void *bytes, size_t size,
    uint32_t max_ratio, struct pf_error *err)
{
	const uint8_t *at = bytes, *end = at + size;
	bool full = false;
	struct pf_inflater *f;
	int rc = pf_inflater_new(&f, err);

	if (rc)
		return rc;
	pf_inflater_begin(f, name, out->maximum - out->size, max_ratio);
	while (!rc && !pf_inflater_ended(f)) {
		if (!full) {
			size_t piece = (size_t)(end - at) < PIECE ? (size_t)(end - at) : PIECE;
			pf_inflater_feed(f, at, piece, at + piece == end);
			at += piece;
		}
		rc = inflate_some(f, out, &full, err);
	}
	pf_inflater_free(f);
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
