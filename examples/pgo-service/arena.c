/* arena.c: see arena.h. Chunks double up to a megabyte; a large wish gets a chunk of its own size. */
#include "arena.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CHUNK ((size_t)64 << 10)
#define LARGEST_CHUNK ((size_t)1 << 20)

struct arena_chunk {
	struct arena_chunk *older;
	size_t size; /* of bytes */
	_Alignas(16) char bytes[];
};

void
arena_init(struct arena *arena, size_t limit)
{
	*arena = (struct arena){.limit = limit};
}

static void
free_chunks(struct arena_chunk *chunk, struct arena_chunk *kept)
{
	while (chunk != kept) {
		struct arena_chunk *older = chunk->older;

		free(chunk);
		chunk = older;
	}
}

void
arena_release(struct arena *arena)
{
	free_chunks(arena->chunks, NULL);
	*arena = (struct arena){.limit = arena->limit};
}

void
arena_reset(struct arena *arena)
{
	struct arena_chunk *first = arena->chunks;

	if (!first)
		return;
	while (first->older)
		first = first->older;
	free_chunks(arena->chunks, first);
	arena->chunks = first;
	arena->held = first->size;
	arena->at = first->bytes;
	arena->end = first->bytes + first->size;
}

void *
arena_grow(struct arena *arena, size_t size)
{
	size_t chunk_size = arena->chunks ? arena->chunks->size * 2 : FIRST_CHUNK;
	struct arena_chunk *chunk;

	if (chunk_size > LARGEST_CHUNK)
		chunk_size = LARGEST_CHUNK;
	if (chunk_size < size)
		chunk_size = size;
	if (chunk_size > arena->limit - arena->held)
		chunk_size = arena->limit - arena->held;
	if (chunk_size < size)
		return NULL;
	chunk = malloc(sizeof *chunk + chunk_size);
	if (!chunk)
		return NULL;
	chunk->older = arena->chunks;
	chunk->size = chunk_size;
	arena->chunks = chunk;
	arena->held += chunk_size;
	arena->at = chunk->bytes + size;
	arena->end = chunk->bytes + chunk_size;
	return chunk->bytes;
}

void *
arena_array(struct arena *arena, size_t count, size_t size)
{
	if (size && count > SIZE_MAX / size)
		return NULL;
	return arena_alloc(arena, count * size);
}

char *
arena_copy(struct arena *arena, const char *bytes, size_t size)
{
	char *copy = arena_alloc(arena, size ? size : 1);

	if (copy && size)
		memcpy(copy, bytes, size);
	return copy;
}
