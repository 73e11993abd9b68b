/*
 * plugin_thread.c: a library whose constructor starts a thread and waits for it, as some do that make
 * themselves a pool. The thread must not need the loader's lock, which whoever loads the library has.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <time.h>

__attribute__((visibility("default"))) int plugin_finished;

static sem_t finished;

static void *
use_everything(void *unused)
{
	pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
	struct timespec over = {.tv_sec = 1};
	sem_t none;

	pthread_rwlock_rdlock(&rwlock);
	pthread_rwlock_unlock(&rwlock);
	pthread_rwlock_wrlock(&rwlock);
	pthread_rwlock_unlock(&rwlock);
	pthread_mutex_lock(&mutex);
	pthread_cond_timedwait(&condition, &mutex, &over);
	pthread_mutex_unlock(&mutex);
	sem_init(&none, 0, 0);
	sem_timedwait(&none, &over);
	free(reallocarray(NULL, 3, 5));
	sem_post(&finished);
	return unused;
}

__attribute__((constructor)) static void
begin(void)
{
	struct timespec until;
	pthread_t thread;

	sem_init(&finished, 0, 0);
	if (pthread_create(&thread, NULL, use_everything, NULL))
		return;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 20;
	plugin_finished = !sem_timedwait(&finished, &until);
	pthread_detach(thread);
}
