/* digest.c: see digest.h. Four words side by side: each lane waits only for its own multiplication. */
#include "core/digest.h"

#include <string.h>

static uint64_t
mix(uint64_t h, uint64_t word)
{
	h = (h ^ word) * 0x9fb21c651e98df25ULL;
	return h ^ h >> 32;
}

void
pf_digest_init(struct pf_digest *d)
{
	*d = (struct pf_digest){.lanes = {1, 2, 3, 4}};
}

static void
add_blocks(struct pf_digest *d, const uint8_t *at, size_t count)
{
	uint64_t lanes[PF_DIGEST_LANES], words[PF_DIGEST_LANES];

	memcpy(lanes, d->lanes, sizeof lanes);
	for (; count; count--, at += sizeof words) {
		memcpy(words, at, sizeof words);
		for (int i = 0; i < PF_DIGEST_LANES; i++)
			lanes[i] = mix(lanes[i], words[i]);
	}
	memcpy(d->lanes, lanes, sizeof lanes);
}

void
pf_digest_add(struct pf_digest *d, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;
	size_t held = d->size % PF_DIGEST_BLOCK;

	d->size += size;
	if (held) {
		size_t some = size < PF_DIGEST_BLOCK - held ? size : PF_DIGEST_BLOCK - held;
		memcpy(d->tail + held, at, some);
		if (held + some < PF_DIGEST_BLOCK)
			return;
		add_blocks(d, d->tail, 1);
		at += some;
		size -= some;
	}
	add_blocks(d, at, size / PF_DIGEST_BLOCK);
	if (size % PF_DIGEST_BLOCK)
		memcpy(d->tail, at + size - size % PF_DIGEST_BLOCK, size % PF_DIGEST_BLOCK);
}

uint64_t
pf_digest_value(const struct pf_digest *d)
{
	size_t held = d->size % PF_DIGEST_BLOCK;
	uint64_t words[PF_DIGEST_LANES] = {0}, h = d->size;

	memcpy(words, d->tail, held);
	for (int i = 0; i < PF_DIGEST_LANES; i++)
		h = mix(h, mix(d->lanes[i], words[i]));
	return h;
}
