/*
 * cursor.h: the only way untrusted bytes are read.
 *
 * A cursor walks a byte range that somebody else owns. Every read either
 * succeeds or sets a sticky failure naming the section and the offset, so a
 * decoder reads a whole record and checks once. A failed cursor reads zeros
 * and never moves again.
 */
#ifndef PF_CORE_CURSOR_H
#define PF_CORE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pf_error;

struct pf_cursor {
	const uint8_t *at;     /* next byte */
	const uint8_t *end;    /* one past the last */
	const uint8_t *origin; /* offset 0 in messages */
	const char *section;   /* what the bytes are, for messages; outlives the cursor */
	const char *failure;   /* NULL, or why reading stopped */
};

/* Covers [bytes, bytes + size), which must outlive the cursor; NULL is empty. */
void pf_cursor_init(struct pf_cursor *c, const char *section, const void *bytes, size_t size);

/* Stops the cursor with this reason, unless it has one already; returns 0. */
uint64_t pf_cursor_fail(struct pf_cursor *c, const char *why);

/* The next unsigned LEB128 (protobuf's varint): at most 10 bytes, bits past 64 are a failure. */
uint64_t pf_cursor_varint_long(struct pf_cursor *c);
static inline uint64_t
pf_cursor_varint(struct pf_cursor *c)
{
	const uint8_t *at = c->at;

	if (at != c->end && at[0] < 0x80) {
		c->at++;
		return at[0];
	}
	if (c->end - at >= 2 && at[1] < 0x80) {
		c->at += 2;
		return (uint64_t)(at[0] & 0x7f) | (uint64_t)at[1] << 7;
	}
	return pf_cursor_varint_long(c);
}

/* The next integer of 4 or 8 bytes in little-endian order. */
uint32_t pf_cursor_u32(struct pf_cursor *c);
uint64_t pf_cursor_u64(struct pf_cursor *c);

/* Steps over `size` bytes. */
void pf_cursor_skip(struct pf_cursor *c, uint64_t size);

/* A cursor over the next `size` bytes, which this one steps over; empty after a failure. */
struct pf_cursor pf_cursor_slice(struct pf_cursor *c, uint64_t size);

static inline size_t
pf_cursor_left(const struct pf_cursor *c)
{
	return (size_t)(c->end - c->at);
}

/* True while bytes are left and nothing has failed. */
static inline bool
pf_cursor_more(const struct pf_cursor *c)
{
	return !c->failure && c->at != c->end;
}

/* The distance from the origin, for messages. */
static inline size_t
pf_cursor_offset(const struct pf_cursor *c)
{
	return (size_t)(c->at - c->origin);
}

/* 0, or PF_EINPUT with "<section>: <why> at offset N". */
int pf_cursor_check(const struct pf_cursor *c, struct pf_error *err);

#endif
