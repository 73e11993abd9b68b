/* fingerprint.c: see fingerprint.h. */
#include "profile/fingerprint.h"

#include <stdlib.h>

#include "core/error.h"
#include "core/memory.h"

int
pf_fingerprints_add(
    struct pf_fingerprints *f, const struct pf_profile *p, bool *known, struct pf_error *err)
{
	uint64_t fingerprint = p->digest;
	uint32_t hash = pf_hash_u64(fingerprint);
	size_t at = 0;
	int rc;

	*known = false;
	if (!fingerprint)
		return 0;
	*known = true;
	for (uint32_t i = pf_index_first(&f->index, hash, &at); i != PF_NONE;
	    i = pf_index_next(&f->index, hash, &at)) {
		if (f->items[i] == fingerprint)
			return 0;
	}
	*known = false;
	rc = PF_GROW(f->items, f->capacity, f->count + 1, err);
	if (!rc)
		rc = pf_index_add(&f->index, hash, (uint32_t)f->count, err);
	if (!rc)
		f->items[f->count++] = fingerprint;
	return rc;
}

void
pf_fingerprints_release(struct pf_fingerprints *f)
{
	free(f->items);
	pf_index_release(&f->index);
	*f = (struct pf_fingerprints){0};
}
