/*
 * arena.h: memory that is given back all at once: one arena a request, and one
 * a compiled template.
 *
 * What an arena hands out is aligned for any type here and lives until
 * arena_reset() or arena_release(). An arena never holds more than its limit.
 */
#ifndef FOLIO_ARENA_H
#define FOLIO_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks; /* newest first */
	char *at, *end;             /* what is left of the newest */
	size_t held, limit;         /* bytes of chunks */
};

void arena_init(struct arena *arena, size_t limit);
void arena_release(struct arena *arena);
/* Everything handed out is gone; the first chunk is kept for the next round. */
void arena_reset(struct arena *arena);

/* The slow path of arena_alloc(): a new chunk. */
void *arena_grow(struct arena *arena, size_t size);

/* NULL without memory or over the limit. Not cleared. */
static inline void *
arena_alloc(struct arena *arena, size_t size)
{
	char *bytes = arena->at;

	if (size > SIZE_MAX - 15)
		return NULL;
	size = (size + 15) & ~(size_t)15;
	if (size > (size_t)(arena->end - arena->at))
		return arena_grow(arena, size);
	arena->at += size;
	return bytes;
}

/* `count` times `size` bytes, or NULL; the product is checked. */
void *arena_array(struct arena *arena, size_t count, size_t size);
char *arena_copy(struct arena *arena, const char *bytes, size_t size);

#endif
