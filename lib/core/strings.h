/*
 * strings.h: each distinct string once, as a small number.
 *
 * String 0 is always "". Bytes live in one blob, NUL-terminated; a string with
 * an embedded NUL keeps its length. Pointers are good until the next insertion.
 */
#ifndef PF_CORE_STRINGS_H
#define PF_CORE_STRINGS_H

#include "core/index.h"

struct pf_strings {
	char *blob; /* owned */
	uint64_t
	    *starts; /* owned; count + 1 of them: starts[i + 1] - starts[i] - 1 is the length */
	uint32_t count;
	size_t blob_size, blob_capacity, starts_capacity;
	struct pf_index index;
};

/* An empty table holding "" only. */
int pf_strings_init(struct pf_strings *s, struct pf_error *err);
void pf_strings_release(struct pf_strings *s);

/* The number of this string, inserted if new. */
int pf_strings_add(
    struct pf_strings *s, const char *bytes, size_t size, uint32_t *id, struct pf_error *err);

/* The same where the caller knows the string's pf_hash_bytes() already. */
int pf_strings_add_hashed(struct pf_strings *s, const char *bytes, size_t size, uint32_t hash,
    uint32_t *id, struct pf_error *err);

/*
 * Appends a string without asking whether it is there: for a table that is only
 * read by number. pf_strings_add() and pf_strings_find() do not know of it.
 */
int pf_strings_append(
    struct pf_strings *s, const char *bytes, size_t size, uint32_t *id, struct pf_error *err);

/* Forgets all but "", keeps the memory. */
void pf_strings_clear(struct pf_strings *s);

/* The number of this string, or PF_NONE; never inserts. */
uint32_t pf_strings_find(const struct pf_strings *s, const char *bytes, size_t size);

static inline const char *
pf_strings_get(const struct pf_strings *s, uint32_t id)
{
	return s->blob + s->starts[id];
}

static inline size_t
pf_strings_size(const struct pf_strings *s, uint32_t id)
{
	return (size_t)(s->starts[id + 1] - s->starts[id] - 1);
}

#endif
