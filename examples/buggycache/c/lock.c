/* lock.c: a table with a lock of its own, and a second lock around everything. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "buggycache.h"

enum { ITEMS = 100000, MINUTE = 60 };

static struct {
	pthread_mutex_t lock;
	struct {
		char value[32];
		time_t expires; /* 0: nothing is kept here */
	} items[ITEMS];
} table = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void
put(const char *key, const char *value)
{
	uint32_t h = 0;

	for (; *key; key++)
		h = h * 31 + (unsigned char)*key;
	pthread_mutex_lock(&table.lock);
	snprintf(table.items[h % ITEMS].value, sizeof table.items[0].value, "%s", value);
	table.items[h % ITEMS].expires = time(NULL) + MINUTE;
	pthread_mutex_unlock(&table.lock);
}

static int
drop_expired(time_t now)
{
	int dropped = 0;

	pthread_mutex_lock(&table.lock);
	for (size_t i = 0; i < ITEMS; i++) {
		if (table.items[i].expires && table.items[i].expires < now) {
			table.items[i].expires = 0;
			dropped++;
		}
	}
	pthread_mutex_unlock(&table.lock);
	return dropped;
}

/* The answer of another service, 2 ms away. */
static void
ask_origin(const char *key, char *value, size_t size)
{
	nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
	snprintf(value, size, "value of %.16s", key);
}

static const char *
key_of(const struct request *r)
{
	const char *key = parameter(r, "key");

	return key ? key : "";
}

static pthread_mutex_t request_lock = PTHREAD_MUTEX_INITIALIZER;

static int
clean(void)
{
	int dropped;

	pthread_mutex_lock(&request_lock);
	dropped = drop_expired(time(NULL));
	pthread_mutex_unlock(&request_lock);
	return dropped;
}

/*
 * The bug: a second lock around everything, held while another service is asked: requests queue. And whoever asks for
 * a clean-up takes it twice, and waits for itself.
 */
char *
deadlock_handler(const struct request *r)
{
	char value[32];
	int dropped = 0;

	pthread_mutex_lock(&request_lock);
	ask_origin(key_of(r), value, sizeof value);
	put(key_of(r), value);
	if (parameter(r, "clean"))
		dropped = clean();
	pthread_mutex_unlock(&request_lock);
	return text("{\"data\":\"%s\",\"dropped\":%d}\n", value, dropped);
}

/* The fix: the table's own lock is enough. */
char *
single_lock_handler(const struct request *r)
{
	char value[32];
	int dropped = 0;

	ask_origin(key_of(r), value, sizeof value);
	put(key_of(r), value);
	if (parameter(r, "clean"))
		dropped = drop_expired(time(NULL));
	return text("{\"data\":\"%s\",\"dropped\":%d}\n", value, dropped);
}
