/* strings.c: see strings.h. */
#include "core/strings.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"

int
pf_strings_init(struct pf_strings *s, struct pf_error *err)
{
	uint32_t id;
	int rc;

	*s = (struct pf_strings){0};
	rc = pf_strings_add(s, "", 0, &id, err);
	if (rc)
		pf_strings_release(s);
	return rc;
}

void
pf_strings_release(struct pf_strings *s)
{
	free(s->blob);
	free(s->starts);
	pf_index_release(&s->index);
	*s = (struct pf_strings){0};
}

static uint32_t
find(const struct pf_strings *s, const char *bytes, size_t size, uint32_t hash)
{
	size_t at = 0;

	for (uint32_t i = pf_index_first(&s->index, hash, &at); i != PF_NONE;
	    i = pf_index_next(&s->index, hash, &at)) {
		if (pf_strings_size(s, i) == size && memcmp(pf_strings_get(s, i), bytes, size) == 0)
			return i;
	}
	return PF_NONE;
}

uint32_t
pf_strings_find(const struct pf_strings *s, const char *bytes, size_t size)
{
	return find(s, bytes, size, pf_hash_bytes(bytes, size));
}

int
pf_strings_append(
    struct pf_strings *s, const char *bytes, size_t size, uint32_t *id, struct pf_error *err)
{
	int rc = 0;

	if (s->count == PF_NONE - 2)
		return pf_error_set(err, PF_ENOMEM, "more than %u distinct strings", s->count);
	rc = PF_GROW(s->blob, s->blob_capacity, s->blob_size + size + 1, err);
	if (!rc)
		rc = PF_GROW(s->starts, s->starts_capacity, (size_t)s->count + 2, err);
	if (rc)
		return rc;
	memcpy(s->blob + s->blob_size, bytes, size);
	s->blob[s->blob_size + size] = '\0';
	s->starts[s->count] = s->blob_size;
	s->blob_size += size + 1;
	s->starts[s->count + 1] = s->blob_size;
	*id = s->count++;
	return 0;
}

int
pf_strings_add(
    struct pf_strings *s, const char *bytes, size_t size, uint32_t *id, struct pf_error *err)
{
	return pf_strings_add_hashed(s, bytes, size, pf_hash_bytes(bytes, size), id, err);
}

int
pf_strings_add_hashed(struct pf_strings *s, const char *bytes, size_t size, uint32_t hash,
    uint32_t *id, struct pf_error *err)
{
	int rc;

	*id = find(s, bytes, size, hash);
	if (*id != PF_NONE)
		return 0;
	rc = pf_index_reserve(&s->index, err);
	if (!rc)
		rc = pf_strings_append(s, bytes, size, id, err);
	if (!rc)
		rc = pf_index_add(&s->index, hash, *id, err);
	return rc;
}

void
pf_strings_clear(struct pf_strings *s)
{
	pf_index_clear(&s->index);
	s->count = 1;
	s->blob_size = 1;
	/* "" is at 0 and stays; there is room for it, so this cannot fail. */
	(void)pf_index_add(&s->index, pf_hash_bytes("", 0), 0, NULL);
}
