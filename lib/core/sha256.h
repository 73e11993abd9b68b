/*
 * sha256.h: the name of a run of bytes.
 *
 * FIPS 180-4, whole buffers only. It names profiles and binaries by content; it
 * is not used for secrets.
 */
#ifndef PF_CORE_SHA256_H
#define PF_CORE_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { PF_SHA256_SIZE = 32, PF_SHA256_HEX = 2 * PF_SHA256_SIZE + 1 };

void pf_sha256(uint8_t digest[PF_SHA256_SIZE], const void *bytes, size_t size);

/* The same in hexadecimal, NUL-terminated. */
void pf_sha256_hex(char hex[PF_SHA256_HEX], const void *bytes, size_t size);

#endif
