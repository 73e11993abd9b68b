/*
 * allocator.c: an allocator with a lock of its own, to be preloaded behind the agent: libc's, one at a
 * time. Whoever comes back to it from within, or never leaves, ends the process.
 */
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <sched.h>

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void __libc_free(void *);

static pthread_mutex_t lock = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;

static void
enter(void)
{
	if (pthread_mutex_lock(&lock) == EDEADLK)
		abort();
	sched_yield(); /* so that others come to wait */
}

static void
leave(void)
{
	pthread_mutex_unlock(&lock);
}

#define EXPORT __attribute__((visibility("default")))

EXPORT void *
malloc(size_t size)
{
	void *p;

	enter();
	p = __libc_malloc(size);
	leave();
	return p;
}

EXPORT void *
calloc(size_t count, size_t size)
{
	void *p;

	enter();
	p = __libc_calloc(count, size);
	leave();
	return p;
}

EXPORT void *
realloc(void *old, size_t size)
{
	void *p;

	enter();
	p = __libc_realloc(old, size);
	leave();
	return p;
}

EXPORT void
free(void *p)
{
	enter();
	__libc_free(p);
	leave();
}
