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

#endif
