/*
 * reader.h: the small integers of DWARF, on top of core/cursor.h.
 */
#ifndef PF_AGENT_READER_H
#define PF_AGENT_READER_H

#include <string.h>

#include "core/cursor.h"

static inline uint64_t
pf_read_fixed(struct pf_cursor *c, size_t size)
{
	uint64_t value = 0;

	if (pf_cursor_left(c) < size || c->failure)
		return pf_cursor_fail(c, "ends early");
	memcpy(&value, c->at, size);
	c->at += size;
	return value;
}

static inline uint8_t
pf_read_u8(struct pf_cursor *c)
{
	return (uint8_t)pf_read_fixed(c, 1);
}

static inline int64_t
pf_read_signed(struct pf_cursor *c, size_t size)
{
	uint64_t value = pf_read_fixed(c, size);
	unsigned spare = 64 - 8 * (unsigned)size;

	return (int64_t)(value << spare) >> spare;
}

static inline int64_t
pf_read_sleb(struct pf_cursor *c)
{
	uint64_t value = 0;
	unsigned shift = 0;
	uint8_t byte;

	do {
		byte = pf_read_u8(c);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	if ((byte & 0x40) && shift < 64)
		value |= ~UINT64_C(0) << shift;
	return (int64_t)value;
}

#endif
