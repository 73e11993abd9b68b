/*
 * host_turns.c: a host whose threads take turns, and wait for work.
 *
 * Two have a place of a semaphore's at a time (under_limit()) and one that of a condition's (under_lock()), for 5 ms,
 * while four wait, each that had it lets the next one go on; a thread brings work to two others (for_work()), by a condition of theirs, every 2 ms. Runs until
 * it is killed.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static sem_t places;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, queue_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t released = PTHREAD_COND_INITIALIZER, filled = PTHREAD_COND_INITIALIZER;
static bool taken;  /* under the mutex */
static int waiting; /* work, under the queue's */

static void
pause_ms(int ms)
{
	nanosleep(&(struct timespec){.tv_nsec = ms * 1000000L}, NULL);
}

__attribute__((noinline)) static void *
under_limit(void *unused)
{
	for (;;) {
		sem_wait(&places);
		pause_ms(5);
		sem_post(&places);
		pause_ms(1);
	}
	return unused;
}

__attribute__((noinline)) static void *
under_lock(void *unused)
{
	for (;;) {
		pthread_mutex_lock(&mutex);
		while (taken)
			pthread_cond_wait(&released, &mutex);
		taken = true;
		pthread_mutex_unlock(&mutex);
		pause_ms(5);
		pthread_mutex_lock(&mutex);
		taken = false;
		pthread_mutex_unlock(&mutex);
		pthread_cond_signal(&released);
		pause_ms(1);
	}
	return unused;
}

__attribute__((noinline)) static void *
for_work(void *unused)
{
	for (;;) {
		pthread_mutex_lock(&queue_mutex);
		while (!waiting)
			pthread_cond_wait(&filled, &queue_mutex);
		waiting--;
		pthread_mutex_unlock(&queue_mutex);
		pause_ms(1);
	}
	return unused;
}

int
main(void)
{
	static void *(*const runs[])(void *) = {under_limit, under_lock};
	pthread_t thread;

	if (sem_init(&places, 0, 2))
		return 1;
	for (int i = 0; i < 14; i++) {
		if (pthread_create(&thread, NULL, i < 12 ? runs[i % 2] : for_work, NULL))
			return 1;
	}
	puts("ready");
	fflush(stdout);
	for (;;) {
		pthread_mutex_lock(&queue_mutex);
		waiting++;
		pthread_cond_signal(&filled);
		pthread_mutex_unlock(&queue_mutex);
		pause_ms(2);
	}
}
