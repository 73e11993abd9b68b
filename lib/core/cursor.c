/*
 * cursor.c: bounded reads with a sticky failure; see cursor.h.
 *
 * A failed cursor's end is pulled to its position, so the one bounds check of
 * each read serves both "no bytes left" and "failed before".
 */
#include "core/cursor.h"

#include <string.h>

#include "core/error.h"

uint64_t
pf_cursor_fail(struct pf_cursor *c, const char *why)
{
	if (!c->failure)
		c->failure = why;
	c->end = c->at;
	return 0;
}

void
pf_cursor_init(struct pf_cursor *c, const char *section, const void *bytes, size_t size)
{
	if (!bytes) { /* no section: C forbids even adding 0 to a null pointer */
		bytes = "";
		size = 0;
	}
	*c = (struct pf_cursor){
	    .at = bytes,
	    .end = (const uint8_t *)bytes + size,
	    .origin = bytes,
	    .section = section,
	};
}

uint64_t
pf_cursor_varint_long(struct pf_cursor *c)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		if (c->at == c->end)
			return pf_cursor_fail(c, "truncated varint");
		uint8_t byte = *c->at++;
		if (shift == 63 && byte > 1)
			return pf_cursor_fail(
			    c, byte < 0x80 ? "varint over 64 bits" : "varint over 10 bytes");
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return value;
	}
	return pf_cursor_fail(c, "varint over 10 bytes");
}

static void
take(struct pf_cursor *c, void *to, size_t size)
{
	if (size > pf_cursor_left(c)) {
		pf_cursor_fail(c, "truncated integer");
		memset(to, 0, size);
		return;
	}
	memcpy(to, c->at, size);
	c->at += size;
}

static uint64_t
little_endian(const uint8_t *bytes, size_t size)
{
	uint64_t value = 0;

	while (size--)
		value = value << 8 | bytes[size];
	return value;
}

uint32_t
pf_cursor_u32(struct pf_cursor *c)
{
	uint8_t bytes[4];

	take(c, bytes, sizeof bytes);
	return (uint32_t)little_endian(bytes, sizeof bytes);
}

uint64_t
pf_cursor_u64(struct pf_cursor *c)
{
	uint8_t bytes[8];

	take(c, bytes, sizeof bytes);
	return little_endian(bytes, sizeof bytes);
}

void
pf_cursor_skip(struct pf_cursor *c, uint64_t size)
{
	if (size > pf_cursor_left(c))
		pf_cursor_fail(c, "length past the end");
	else
		c->at += size;
}

struct pf_cursor
pf_cursor_slice(struct pf_cursor *c, uint64_t size)
{
	struct pf_cursor slice = *c;

	pf_cursor_skip(c, size);
	slice.failure = c->failure;
	slice.end = c->failure ? slice.at : c->at;
	return slice;
}

int
pf_cursor_check(const struct pf_cursor *c, struct pf_error *err)
{
	if (!c->failure)
		return 0;
	return pf_error_set(
	    err, PF_EINPUT, "%s: %s at offset %zu", c->section, c->failure, pf_cursor_offset(c));
}
