/*
 * cache.h: compiled templates and expressions, the least recently used given up.
 *
 * Keys are the source itself (its hash finds it, its bytes confirm it). What
 * was got stays valid until cache_sweep(), which a request calls when it is
 * over: code that runs is never freed under its feet.
 */
#ifndef FOLIO_CACHE_H
#define FOLIO_CACHE_H

#include "code.h"

enum source_kind { SOURCE_TEMPLATE, SOURCE_EXPRESSION };

struct cache;

/* To be freed; NULL without memory. Holds `most` sources after a sweep. */
struct cache *cache_new(size_t most);
void cache_free(struct cache *cache);
/* The code of `source`, compiled if need be; NULL fills *error. */
const struct code *cache_get(
    struct cache *cache, enum source_kind kind, struct slice source, struct compile_error *error);
void cache_sweep(struct cache *cache);

#endif
