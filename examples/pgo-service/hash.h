/* hash.h: one hash for names in maps, one for entity tags and cache keys. Neither resists an enemy. */
#ifndef FOLIO_HASH_H
#define FOLIO_HASH_H

#include <stddef.h>
#include <stdint.h>

/* For short names: a byte at a time, no set-up. */
uint32_t hash_name(const char *bytes, size_t size);
/* For whole bodies: eight bytes at a time. The same bytes give the same hash on every machine. */
uint64_t hash_bytes(const void *bytes, size_t size);

#endif
