/* failing_malloc.c: see failing_malloc.h. Single-threaded by design: so are the tests that use it. */
#include "support/failing_malloc.h"

#include <errno.h>
#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *block, size_t size);
void __wrap_free(void *block);

static unsigned long fail_at, count;
static long live;

void
failing_malloc_arm(unsigned long n)
{
	fail_at = n;
	count = 0;
	live = 0;
}

bool
failing_malloc_fired(void)
{
	return fail_at && count >= fail_at;
}

long
failing_malloc_live(void)
{
	return live;
}

static bool
fails(void)
{
	if (++count != fail_at)
		return false;
	errno = ENOMEM;
	return true;
}

void *
__wrap_malloc(size_t size)
{
	void *block = fails() ? NULL : __real_malloc(size);

	live += block != NULL;
	return block;
}

void *
__wrap_calloc(size_t n, size_t size)
{
	void *block = fails() ? NULL : __real_calloc(n, size);

	live += block != NULL;
	return block;
}

void *
__wrap_realloc(void *block, size_t size)
{
	void *moved = fails() ? NULL : __real_realloc(block, size);

	live += moved && !block;
	return moved;
}

void
__wrap_free(void *block)
{
	live -= block != NULL;
	__real_free(block);
}
