/*
 * dwarf_cursor.h: the number formats of DWARF that core/cursor.h lacks.
 */
#ifndef PF_SYMBOL_DWARF_CURSOR_H
#define PF_SYMBOL_DWARF_CURSOR_H

#include "core/cursor.h"

static inline uint8_t
pf_dwarf_u8(struct pf_cursor *c)
{
	if (c->at == c->end)
		return (uint8_t)pf_cursor_fail(c, "truncated byte");
	return *c->at++;
}

static inline uint16_t
pf_dwarf_u16(struct pf_cursor *c)
{
	const uint8_t *at = c->at;

	if (pf_cursor_left(c) < 2)
		return (uint16_t)pf_cursor_fail(c, "truncated integer");
	c->at += 2;
	return (uint16_t)(at[0] | at[1] << 8);
}

/* As pf_cursor_u32() and _u64(), inline: debug information is mostly these. */
static inline uint32_t
pf_dwarf_u32(struct pf_cursor *c)
{
	const uint8_t *at = c->at;

	if (pf_cursor_left(c) < 4)
		return (uint32_t)pf_cursor_fail(c, "truncated integer");
	c->at += 4;
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

static inline uint64_t
pf_dwarf_u64(struct pf_cursor *c)
{
	uint64_t low = pf_dwarf_u32(c);

	return low | (uint64_t)pf_dwarf_u32(c) << 32;
}

/* A signed LEB128; bits past 64 are dropped. */
static inline int64_t
pf_dwarf_sleb(struct pf_cursor *c)
{
	uint64_t value = 0;
	unsigned shift = 0;
	uint8_t byte;

	do {
		byte = pf_dwarf_u8(c);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	if (shift < 64 && (byte & 0x40))
		value |= ~(uint64_t)0 << shift;
	return (int64_t)value;
}

/* An offset: 8 bytes in the 64-bit format of DWARF, else 4. */
static inline uint64_t
pf_dwarf_offset(struct pf_cursor *c, bool wide)
{
	return wide ? pf_dwarf_u64(c) : pf_dwarf_u32(c);
}

/* A NUL-terminated string in place; "" after a failure. */
static inline const char *
pf_dwarf_string(struct pf_cursor *c)
{
	const uint8_t *start = c->at;

	while (c->at != c->end) {
		if (*c->at++ == '\0')
			return (const char *)start;
	}
	pf_cursor_fail(c, "string without an end");
	return "";
}

#endif
