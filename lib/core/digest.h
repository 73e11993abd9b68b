/*
 * digest.h: 64 bits over a stream of bytes, to tell whether two are the same.
 *
 * Different streams agree by chance only. No defence against somebody who makes
 * two agree on purpose. The digest does not depend on how the stream is cut.
 */
#ifndef PF_CORE_DIGEST_H
#define PF_CORE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

enum { PF_DIGEST_LANES = 4, PF_DIGEST_BLOCK = 8 * PF_DIGEST_LANES };

struct pf_digest {
	uint64_t lanes[PF_DIGEST_LANES];
	uint64_t size; /* bytes so far */
	uint8_t tail[PF_DIGEST_BLOCK]; /* size % PF_DIGEST_BLOCK of them are not yet in the lanes */
};

void pf_digest_init(struct pf_digest *d);
void pf_digest_add(struct pf_digest *d, const void *bytes, size_t size);
/* The digest of what was added so far. */
uint64_t pf_digest_value(const struct pf_digest *d);

#endif
