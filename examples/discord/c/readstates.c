/*
 * readstates.c: the read states in C: entries in one array, linked by their positions in the order of use, found by a
 * table of positions with open addressing. Nothing walks it but those who look something up.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../lib/server.h"

struct entry {
	uint64_t user, channel, message;
	uint32_t mentions, next, previous;
};

static struct {
	pthread_mutex_t lock;
	struct entry *
	    entries; /* [0] closes the ring: its next is the most recent, its previous the oldest */
	uint32_t *table; /* positions in entries, 0: free; at most half full */
	size_t count, capacity, mask;
} states = {.lock = PTHREAD_MUTEX_INITIALIZER};

static size_t
hash(uint64_t user, uint64_t channel)
{
	uint64_t h = (user * 0x9e3779b97f4a7c15U) ^ (channel * 0xc2b2ae3d27d4eb4fU);

	return (size_t)(h ^ (h >> 29));
}

/* Where the key is in the table, or where it would go. */
static size_t
find_slot(uint64_t user, uint64_t channel)
{
	size_t at = hash(user, channel) & states.mask;

	for (uint32_t e; (e = states.table[at]); at = (at + 1) & states.mask) {
		if (states.entries[e].user == user && states.entries[e].channel == channel)
			break;
	}
	return at;
}

/* Frees a slot, and moves up what was pushed behind it. */
static void
clear_slot(size_t hole)
{
	size_t at = hole;

	for (;;) {
		uint32_t e;
		size_t home;

		at = (at + 1) & states.mask;
		e = states.table[at];
		if (!e)
			break;
		home = hash(states.entries[e].user, states.entries[e].channel) & states.mask;
		if (((at - home) & states.mask) >= ((at - hole) & states.mask)) {
			states.table[hole] = e;
			hole = at;
		}
	}
	states.table[hole] = 0;
}

static void
unlink_entry(uint32_t at)
{
	struct entry *e = states.entries;

	e[e[at].next].previous = e[at].previous;
	e[e[at].previous].next = e[at].next;
}

static void
to_front(uint32_t at)
{
	struct entry *e = states.entries;

	e[at].next = e[0].next;
	e[at].previous = 0;
	e[e[0].next].previous = at;
	e[0].next = at;
}

/* The state of this key, made the most recent; a new one takes the place of the oldest where all are taken. */
static struct entry *
use(uint64_t user, uint64_t channel, int *known)
{
	size_t slot = find_slot(user, channel);
	uint32_t at = states.table[slot];

	*known = at != 0;
	if (at) {
		unlink_entry(at);
	} else if (states.count < states.capacity) {
		at = (uint32_t)++states.count;
	} else {
		at = states.entries[0].previous;
		unlink_entry(at);
		clear_slot(find_slot(states.entries[at].user, states.entries[at].channel));
		slot = find_slot(user, channel);
	}
	if (!*known) {
		states.entries[at] = (struct entry){.user = user, .channel = channel};
		states.table[slot] = at;
	}
	to_front(at);
	return &states.entries[at];
}

static char *
acknowledge(const struct request *r)
{
	uint64_t user = (uint64_t)number(r, "user", 0);
	struct entry before, *e;
	int known;

	pthread_mutex_lock(&states.lock);
	e = use(user, user % 97, &known);
	before = *e;
	e->message++;
	e->mentions = 0;
	pthread_mutex_unlock(&states.lock);
	return text("{\"known\":%s,\"message\":%llu,\"mentions\":%u}", known ? "true" : "false",
	    (unsigned long long)before.message, before.mentions);
}

static char *
health(const struct request *r)
{
	(void)r;
	return text("%zu states\n", states.count);
}

int
main(void)
{
	static const struct route routes[] = {
	    {"/ack", acknowledge}, {"/health", health}, {NULL, NULL}};
	long entries = strtol(setting("ENTRIES", "2000000"), NULL, 10);
	size_t slots = 2;
	int known;

	if (entries < 1 || entries > 100000000) {
		fprintf(stderr, "ENTRIES: a number of states\n");
		return EXIT_FAILURE;
	}
	states.capacity = (size_t)entries;
	while (slots < 2 * states.capacity)
		slots *= 2;
	states.mask = slots - 1;
	states.entries = calloc(states.capacity + 1, sizeof *states.entries);
	states.table = calloc(slots, sizeof *states.table);
	if (!states.entries || !states.table) {
		perror("the states");
		return EXIT_FAILURE;
	}
	for (uint64_t i = 0; i < states.capacity; i++) {
		struct entry *e = use(i, i % 97, &known);
		e->message = i;
		e->mentions = (uint32_t)(i % 5);
	}
	return serve(routes, 4);
}
