/* cache.c: see cache.h. Chained hash table; all entries are also on one list, newest use first. */
#include "cache.h"

#include <stdlib.h>

#include "hash.h"

#define BUCKETS 256

struct cached {
	struct cached *next;          /* in its bucket */
	struct cached *newer, *older; /* by last use */
	uint64_t hash;
	enum source_kind kind;
	struct code *code;
};

struct cache {
	struct cached *buckets[BUCKETS];
	struct cached *newest, *oldest;
	size_t count, most;
};

struct cache *
cache_new(size_t most)
{
	struct cache *cache = calloc(1, sizeof *cache);

	if (cache)
		cache->most = most;
	return cache;
}

static void
unlink_use(struct cache *cache, struct cached *entry)
{
	if (entry->newer)
		entry->newer->older = entry->older;
	else
		cache->newest = entry->older;
	if (entry->older)
		entry->older->newer = entry->newer;
	else
		cache->oldest = entry->newer;
}

static void
link_newest(struct cache *cache, struct cached *entry)
{
	entry->newer = NULL;
	entry->older = cache->newest;
	if (cache->newest)
		cache->newest->newer = entry;
	else
		cache->oldest = entry;
	cache->newest = entry;
}

static void
drop(struct cache *cache, struct cached *entry)
{
	struct cached **link = &cache->buckets[entry->hash % BUCKETS];

	while (*link != entry)
		link = &(*link)->next;
	*link = entry->next;
	unlink_use(cache, entry);
	cache->count--;
	code_free(entry->code);
	free(entry);
}

void
cache_free(struct cache *cache)
{
	if (!cache)
		return;
	while (cache->oldest)
		drop(cache, cache->oldest);
	free(cache);
}

void
cache_sweep(struct cache *cache)
{
	while (cache->count > cache->most)
		drop(cache, cache->oldest);
}

static struct cached *
find(const struct cache *cache, enum source_kind kind, uint64_t hash, struct slice source)
{
	struct cached *entry = cache->buckets[hash % BUCKETS];

	while (entry && (entry->hash != hash || entry->kind != kind ||
			    !slice_equal(entry->code->source, source)))
		entry = entry->next;
	return entry;
}

const struct code *
cache_get(
    struct cache *cache, enum source_kind kind, struct slice source, struct compile_error *error)
{
	uint64_t hash = hash_bytes(source.at, source.size);
	struct cached *entry = find(cache, kind, hash, source);

	if (entry) {
		unlink_use(cache, entry);
		link_newest(cache, entry);
		return entry->code;
	}
	entry = calloc(1, sizeof *entry);
	if (!entry) {
		*error = (struct compile_error){.what = "no memory is left"};
		return NULL;
	}
	entry->hash = hash;
	entry->kind = kind;
	entry->code = kind == SOURCE_TEMPLATE ? compile_template(source, error)
					      : compile_expression(source, error);
	if (!entry->code) {
		free(entry);
		return NULL;
	}
	entry->next = cache->buckets[hash % BUCKETS];
	cache->buckets[hash % BUCKETS] = entry;
	link_newest(cache, entry);
	cache->count++;
	return entry->code;
}
