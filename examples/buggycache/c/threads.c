/* threads.c: sessions that leave a thread behind, and sessions whose thread ends with them. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "buggycache.h"

enum {
	STACK = 64 << 10,
	MOST = 3000
}; /* MOST: so that an example does not take the machine's threads */

struct session {
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool is_over;
	char token[4096];
};

static int
start_thread(pthread_t *thread, void *(*run)(void *), void *argument, int state)
{
	pthread_attr_t attributes;
	int rc;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK);
	pthread_attr_setdetachstate(&attributes, state);
	rc = pthread_create(thread, &attributes, run, argument);
	pthread_attr_destroy(&attributes);
	return rc;
}

static void *
refresh_for_ever(void *argument)
{
	struct session *s = argument;

	while (nanosleep(&(struct timespec){.tv_sec = 3600}, NULL) == 0)
		s->token[0]++;
	return NULL;
}

/* The bug: whoever asks leaves a thread behind, asleep, with all that it holds. */
char *
thread_leak_handler(const struct request *r)
{
	static atomic_int threads;
	struct session *s = calloc(1, sizeof *s);
	pthread_t thread;

	(void)r;
	if (s && atomic_fetch_add(&threads, 1) < MOST &&
	    start_thread(&thread, refresh_for_ever, s, PTHREAD_CREATE_DETACHED) == 0)
		return text("{\"data\":\"started\"}\n");
	free(s);
	return text("{\"data\":\"too many\"}\n");
}

static void *
refresh_until_ended(void *argument)
{
	struct session *s = argument;
	struct timespec hour;

	clock_gettime(CLOCK_REALTIME, &hour);
	hour.tv_sec += 3600;
	pthread_mutex_lock(&s->lock);
	while (!s->is_over) {
		if (pthread_cond_timedwait(&s->ended, &s->lock, &hour) != 0)
			s->token[0]++;
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* The fix: it ends with the request. */
char *
ended_thread_handler(const struct request *r)
{
	struct session s = {.lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER};
	pthread_t thread;

	(void)r;
	if (start_thread(&thread, refresh_until_ended, &s, PTHREAD_CREATE_JOINABLE) != 0)
		return NULL;
	pthread_mutex_lock(&s.lock);
	s.is_over = true;
	pthread_mutex_unlock(&s.lock);
	pthread_cond_signal(&s.ended); /* not earlier: it would wake up to wait for the lock */
	pthread_join(thread, NULL);
	return text("{\"data\":\"started\"}\n");
}
