/* sha256_blocks.h: SHA-256's compression of whole blocks, by the processor's own instructions or without. */
#ifndef PF_CORE_SHA256_BLOCKS_H
#define PF_CORE_SHA256_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

enum { PF_SHA256_BLOCK = 64 };

extern const uint32_t pf_sha256_constants[64];

/* Compresses `count` blocks into the state. */
typedef void pf_sha256_compress(uint32_t state[8], const uint8_t *blocks, size_t count);

/* In plain C, anywhere. */
pf_sha256_compress pf_sha256_portable;

/* By x86's SHA extensions, many times as fast; NULL where the processor has none. */
pf_sha256_compress *pf_sha256_x86(void);

#endif
