/*
 * pool.h: memory that is given back all at once.
 *
 * For trees of small things that live and die together, such as a
 * configuration. A zeroed struct is empty.
 */
#ifndef PF_CORE_POOL_H
#define PF_CORE_POOL_H

#include <stddef.h>

struct pf_error;

struct pf_pool_block;

struct pf_pool {
	struct pf_pool_block *blocks; /* owned; the newest first */
	size_t used, size;            /* of the newest */
};

/* Zeroed memory of the pool, aligned for anything; NULL with the standard error. */
void *pf_pool_get(struct pf_pool *pool, size_t size, struct pf_error *err);
/* A copy of a string of this size, NUL-terminated. */
char *pf_pool_copy(struct pf_pool *pool, const char *string, size_t size, struct pf_error *err);
void pf_pool_release(struct pf_pool *pool);

#endif
