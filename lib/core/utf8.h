/* utf8.h: well-formed UTF-8 (RFC 3629). */
#ifndef PF_CORE_UTF8_H
#define PF_CORE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The length of the well-formed character at `bytes` (`left` > 0 of them), its code point in *point; 0: there is none. */
size_t pf_utf8_character(const uint8_t *bytes, size_t left, uint32_t *point);

/* Whether all of it is well-formed. */
bool pf_utf8_valid(const char *bytes, size_t size);

/* Writes a character and returns its length; 0 for half of a pair of UTF-16, and what is beyond the last. */
size_t pf_utf8_write(char bytes[4], uint32_t point);

/* What a terminal may take for a command. */
static inline bool
pf_utf8_is_control(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point < 0xa0);
}

#endif
