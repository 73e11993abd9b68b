/*
 * ids.h: from a file's ids to positions.
 *
 * Writers nearly always number 1, 2, 3 …: then nothing is stored but that
 * fact. The first id out of sequence moves all of them into an index.
 */
#ifndef PF_PROFILE_IDS_H
#define PF_PROFILE_IDS_H

#include <stdbool.h>

#include "core/index.h"

struct pf_ids {
	uint64_t *ids; /* owned; only once scattered */
	uint32_t count;
	size_t capacity;
	bool scattered;
	struct pf_index index;
};

void pf_ids_release(struct pf_ids *ids);
/* Forgets all of them, keeps the memory. */
void pf_ids_clear(struct pf_ids *ids);

/* Gives the next position to this id. PF_EINPUT "id 0" or "id N twice". */
int pf_ids_add(struct pf_ids *ids, uint64_t id, struct pf_error *err);

/*
 * The same, but ids out of sequence are not kept: from the first of them on,
 * `scattered` is set and `count` is that of those in sequence. Not to be mixed
 * with pf_ids_add() and pf_ids_find() until the next pf_ids_clear().
 */
int pf_ids_pass(struct pf_ids *ids, uint64_t id, struct pf_error *err);

uint32_t pf_ids_find_scattered(const struct pf_ids *ids, uint64_t id);

/* The position of an id, or PF_NONE. */
static inline uint32_t
pf_ids_find(const struct pf_ids *ids, uint64_t id)
{
	if (!ids->scattered)
		return id - 1 < ids->count ? (uint32_t)(id - 1) : PF_NONE;
	return pf_ids_find_scattered(ids, id);
}

#endif
