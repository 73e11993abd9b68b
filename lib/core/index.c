/* index.c: see index.h. The table is kept at most two thirds full. */
#include "core/index.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"

enum { LEAST_ROOM = 16 };

const char pf_hash_anchor = 0;

void
pf_index_release(struct pf_index *ix)
{
	free(ix->slots);
	*ix = (struct pf_index){0};
}

static void
place(struct pf_index *ix, uint32_t hash, uint32_t item)
{
	size_t at = hash & ix->mask;

	while (ix->slots[at].item != PF_NONE)
		at = (at + 1) & ix->mask;
	ix->slots[at] = (struct pf_index_slot){.hash = hash, .item = item};
}

/* `room`: slots, a power of two. */
static int
widen(struct pf_index *ix, size_t room, struct pf_error *err)
{
	struct pf_index old = *ix;

	ix->slots = malloc(room * sizeof *ix->slots);
	if (!ix->slots) {
		*ix = old;
		return pf_error_nomem(err);
	}
	pf_wish_huge_pages(ix->slots, room * sizeof *ix->slots);
	memset(ix->slots, 0xff, room * sizeof *ix->slots);
	ix->mask = room - 1;
	for (size_t i = 0; old.slots && i <= old.mask; i++) {
		if (old.slots[i].item != PF_NONE)
			place(ix, old.slots[i].hash, old.slots[i].item);
	}
	free(old.slots);
	return 0;
}

int
pf_index_reserve(struct pf_index *ix, struct pf_error *err)
{
	if (ix->slots && (ix->count + 1) * 3 <= (ix->mask + 1) * 2)
		return 0;
	return widen(ix, ix->slots ? (ix->mask + 1) * 2 : LEAST_ROOM, err);
}

int
pf_index_expect(struct pf_index *ix, size_t count, struct pf_error *err)
{
	size_t room = ix->slots ? ix->mask + 1 : LEAST_ROOM;

	while (room * 2 < count * 3 && room <= SIZE_MAX / sizeof *ix->slots / 2)
		room *= 2;
	return ix->slots && room == ix->mask + 1 ? 0 : widen(ix, room, err);
}

int
pf_index_add(struct pf_index *ix, uint32_t hash, uint32_t item, struct pf_error *err)
{
	int rc = pf_index_reserve(ix, err);

	if (rc)
		return rc;
	place(ix, hash, item);
	ix->count++;
	return 0;
}

void
pf_index_clear(struct pf_index *ix)
{
	if (ix->slots && ix->count)
		memset(ix->slots, 0xff, (ix->mask + 1) * sizeof *ix->slots);
	ix->count = 0;
}

uint32_t
pf_hash_bytes(const void *bytes, size_t size)
{
	const uint8_t *at = bytes;
	uint64_t h = size, word;

	for (; size >= 8; at += 8, size -= 8) {
		memcpy(&word, at, 8);
		h = pf_hash_step(h, word);
	}
	word = 0;
	memcpy(&word, at, size);
	return pf_hash_pair(h, word);
}
