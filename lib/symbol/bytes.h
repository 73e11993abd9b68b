/*
 * bytes.h: a section as a run of bytes that somebody else owns.
 */
#ifndef PF_SYMBOL_BYTES_H
#define PF_SYMBOL_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct pf_bytes {
	const uint8_t *at; /* NULL: no such section */
	size_t size;
};

/* The NUL-terminated string at an offset; NULL where there is none that ends inside. */
static inline const char *
pf_bytes_string(struct pf_bytes b, uint64_t offset)
{
	if (offset >= b.size || !memchr(b.at + offset, '\0', b.size - offset))
		return NULL;
	return (const char *)b.at + offset;
}

#endif
