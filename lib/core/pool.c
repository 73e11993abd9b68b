/* pool.c: see pool.h. */
#include "core/pool.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"

enum { BLOCK = 4000 };

struct pf_pool_block {
	struct pf_pool_block *next;
	alignas(max_align_t) char bytes[];
};

static int
add_block(struct pf_pool *pool, size_t size, struct pf_error *err)
{
	struct pf_pool_block *block;

	if (size > PTRDIFF_MAX / 2)
		return pf_error_nomem(err);
	block = calloc(1, sizeof *block + size);
	if (!block)
		return pf_error_nomem(err);
	block->next = pool->blocks;
	pool->blocks = block;
	pool->used = 0;
	pool->size = size;
	return 0;
}

void *
pf_pool_get(struct pf_pool *pool, size_t size, struct pf_error *err)
{
	size_t align = alignof(max_align_t);
	char *at;

	if (!pool->blocks || size > pool->size - pool->used) {
		if (add_block(pool, size > BLOCK ? size : BLOCK, err))
			return NULL;
	}
	at = pool->blocks->bytes + pool->used;
	pool->used += (size + align - 1) / align * align;
	if (pool->used > pool->size)
		pool->used = pool->size;
	return at;
}

char *
pf_pool_copy(struct pf_pool *pool, const char *string, size_t size, struct pf_error *err)
{
	char *copy = pf_pool_get(pool, size + 1, err);

	if (copy)
		memcpy(copy, string, size);
	return copy;
}

void
pf_pool_release(struct pf_pool *pool)
{
	while (pool->blocks) {
		struct pf_pool_block *next = pool->blocks->next;
		free(pool->blocks);
		pool->blocks = next;
	}
	*pool = (struct pf_pool){0};
}
