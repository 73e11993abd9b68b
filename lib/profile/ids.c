/* ids.c: see ids.h. */
#include "profile/ids.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/error.h"
#include "core/memory.h"

void
pf_ids_release(struct pf_ids *ids)
{
	free(ids->ids);
	pf_index_release(&ids->index);
	*ids = (struct pf_ids){0};
}

void
pf_ids_clear(struct pf_ids *ids)
{
	ids->count = 0;
	ids->scattered = false;
	pf_index_clear(&ids->index);
}

static int
store(struct pf_ids *ids, uint32_t position, uint64_t id, struct pf_error *err)
{
	int rc = PF_GROW(ids->ids, ids->capacity, (size_t)position + 1, err);

	if (rc)
		return rc;
	ids->ids[position] = id;
	return pf_index_add(&ids->index, pf_hash_u64(id), position, err);
}

static int
scatter(struct pf_ids *ids, struct pf_error *err)
{
	int rc = 0;

	for (uint32_t i = 0; !rc && i < ids->count; i++)
		rc = store(ids, i, (uint64_t)i + 1, err);
	ids->scattered = !rc;
	return rc;
}

static int
refuse(uint64_t id, struct pf_error *err)
{
	return id ? pf_error_set(err, PF_EINPUT, "id %" PRIu64 " twice", id)
		  : pf_error_set(err, PF_EINPUT, "id 0");
}

int
pf_ids_pass(struct pf_ids *ids, uint64_t id, struct pf_error *err)
{
	if (id <= ids->count)
		return refuse(id, err);
	if (ids->scattered || id != (uint64_t)ids->count + 1)
		ids->scattered = true;
	else
		ids->count++;
	return 0;
}

int
pf_ids_add(struct pf_ids *ids, uint64_t id, struct pf_error *err)
{
	int rc = 0;

	if (id == 0 || pf_ids_find(ids, id) != PF_NONE)
		return refuse(id, err);
	if (ids->count == PF_NONE - 1)
		return pf_error_set(err, PF_EINPUT, "more than %" PRIu32 " of them", ids->count);
	if (!ids->scattered && id != (uint64_t)ids->count + 1)
		rc = scatter(ids, err);
	if (!rc && ids->scattered)
		rc = store(ids, ids->count, id, err);
	if (!rc)
		ids->count++;
	return rc;
}

uint32_t
pf_ids_find_scattered(const struct pf_ids *ids, uint64_t id)
{
	uint32_t hash = pf_hash_u64(id);
	size_t at = 0;

	for (uint32_t i = pf_index_first(&ids->index, hash, &at); i != PF_NONE;
	    i = pf_index_next(&ids->index, hash, &at)) {
		if (ids->ids[i] == id)
			return i;
	}
	return PF_NONE;
}
