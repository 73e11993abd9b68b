/* leak.c: reports that are kept for ever, and a cache of them that is bounded: LEAK_MB and CACHE_MB say how much. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buggycache.h"

enum { REPORT = 64000, MOST_REPORTS = 40000 };

/* A report takes some work to write, which is why it is kept. */
static char *
write_report(const char *key)
{
	char *report = malloc(REPORT);
	size_t at = 0;

	if (!report)
		return NULL;
	for (int line = 0; at < REPORT - 100; line++)
		at += (size_t)snprintf(report + at, REPORT - at, "%.40s %d\n", key, line);
	return report;
}

static size_t
reports_in(const char *name, const char *otherwise)
{
	size_t n = strtoul(setting(name, otherwise), NULL, 10) * 1000000 / REPORT;

	return n < 1 ? 1 : n > MOST_REPORTS ? MOST_REPORTS : n;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* The bug: a cache that only grows. */
char *
memory_leak_handler(const struct request *r)
{
	static char *reports[MOST_REPORTS];
	static size_t count;
	const char *key = parameter(r, "key");
	char *report = write_report(key ? key : "");

	if (!report)
		return NULL;
	pthread_mutex_lock(&lock);
	if (count < reports_in("LEAK_MB", "400")) {
		reports[count++] = report;
		report = NULL;
	}
	pthread_mutex_unlock(&lock);
	free(report);
	return text("{\"data\":%d,\"first\":\"%.8s\"}\n", REPORT, reports[0]);
}

static uint32_t
hash(const char *key)
{
	uint32_t h = 2166136261U;

	for (; *key; key++)
		h = (h ^ (unsigned char)*key) * 16777619U;
	return h;
}

static struct {
	size_t count;
	char *memory; /* a report a place */
	struct place {
		pthread_mutex_t lock;
		char key[32];
	} *places;
} cache;

static void
make_cache(void)
{
	cache.count = reports_in("CACHE_MB", "100");
	cache.memory = malloc(cache.count * REPORT);
	cache.places = calloc(cache.count, sizeof *cache.places);
	if (!cache.memory || !cache.places)
		abort();
	memset(cache.memory, 0, cache.count * REPORT);
	for (size_t i = 0; i < cache.count; i++)
		pthread_mutex_init(&cache.places[i].lock, NULL);
}

/*
 * The fix: so many places, all there from the first request on, each with the report that was asked for last, and with
 * a lock of its own: who copies a report into one keeps nobody from the others.
 */
char *
bounded_cache_handler(const struct request *r)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	const char *key = parameter(r, "key");
	struct place *place;
	char *report;
	size_t at;
	int known;

	pthread_once(&once, make_cache);
	key = key ? key : "";
	at = hash(key) % cache.count;
	place = &cache.places[at];
	pthread_mutex_lock(&place->lock);
	known = strncmp(place->key, key, sizeof place->key) == 0;
	pthread_mutex_unlock(&place->lock);
	if (!known) {
		report = write_report(key);
		if (!report)
			return NULL;
		pthread_mutex_lock(&place->lock);
		memcpy(cache.memory + at * REPORT, report, REPORT);
		snprintf(place->key, sizeof place->key, "%s", key);
		pthread_mutex_unlock(&place->lock);
		free(report);
	}
	return text("{\"data\":%d}\n", REPORT);
}
