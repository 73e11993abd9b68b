/*
 * gzip.h: gzip in and out, under caps.
 */
#ifndef PF_CORE_GZIP_H
#define PF_CORE_GZIP_H

#include <stdbool.h>

#include "core/buffer.h"

/* Whether bytes begin as gzip does (1f 8b). */
bool pf_gzip_is(const void *bytes, size_t size);

/*
 * Appends the inflated members of [bytes, bytes + size) to `out`, up to
 * out->maximum; once over 16 MiB of output, output : input may not exceed
 * max_ratio (0: no limit). PF_EINPUT names `name`, the offset and the reason;
 * zeros after the last member are padding, anything else there is an error.
 */
int pf_gzip_inflate(struct pf_buffer *out, const char *name, const void *bytes, size_t size,
    uint32_t max_ratio, struct pf_error *err);

/* Appends one gzip member (no name, no time: the same bytes for the same input). level 1-12. */
int pf_gzip_deflate(
    struct pf_buffer *out, const void *bytes, size_t size, int level, struct pf_error *err);

/* The same as a bare zlib stream (RFC 1950), as LLVM's compressed sections want it. */
int pf_zlib_deflate(
    struct pf_buffer *out, const void *bytes, size_t size, int level, struct pf_error *err);

#endif
