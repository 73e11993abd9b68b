/*
 * overhead_hooks.c: fixed amounts of work that go through the functions which the agent stands in front
 * of, for a harness that compares the CPU time of whole processes.
 *
 *	allocate N [1] N times, by two threads or by one: reads a document of 200 lines of key=value, comma
 *	               separated, into a tree of allocated nodes and strings, checks and adds it up, and
 *	               frees it; a fifth of the instructions are malloc's and free's
 *	lock N         four threads share a table under 16 mutexes and a reader-writer lock, and hand over
 *	               batches through a queue with two conditions; N thousand operations in all
 *	calls          nanoseconds that calls take when nothing disturbs them: the least of many short blocks,
 *	               which a busy machine can't make longer
 *
 * Prints a sum that depends on the work, so that none of it can be left out.
 */
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CHECKS = 20 };

struct node {
	char *key;
	char **values;
	size_t count;
	struct node *left, *right;
};

static uint64_t state = 88172645463325252;

static uint64_t
next_random(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

static char *
copy(const char *text, size_t size)
{
	char *c = malloc(size + 1);

	if (!c)
		exit(1);
	memcpy(c, text, size);
	c[size] = '\0';
	return c;
}

/* "key=v1,v2,…" into a node. */
static struct node *
parse_line(const char *line, size_t size)
{
	struct node *n = calloc(1, sizeof *n);
	size_t key = strcspn(line, "="), at = key + 1;

	n->key = copy(line, key);
	while (at < size) {
		size_t length = strcspn(line + at, ",\n");
		n->values = realloc(n->values, (n->count + 1) * sizeof *n->values);
		n->values[n->count++] = copy(line + at, length);
		at += length + 1;
	}
	return n;
}

static void
insert(struct node **root, struct node *n)
{
	while (*root)
		root = strcmp(n->key, (*root)->key) < 0 ? &(*root)->left : &(*root)->right;
	*root = n;
}

/* A checksum of text, as whoever reads it from a network would make. */
static uint64_t
check(const char *text, uint64_t sum)
{
	for (int turn = 0; turn < CHECKS; turn++)
		for (const char *c = text; *c; c++)
			sum = (sum ^ (uint64_t)*c) * 0x100000001b3;
	return sum;
}

static uint64_t
add_up_and_free(struct node *n)
{
	uint64_t sum;

	if (!n)
		return 0;
	sum = add_up_and_free(n->left) * 31 + add_up_and_free(n->right);
	for (size_t i = 0; i < n->count; i++) {
		sum = check(n->values[i], sum);
		free(n->values[i]);
	}
	free(n->values);
	free(n->key);
	free(n);
	return sum;
}

static char *
make_document(void)
{
	size_t room = 200 * 120, size = 0;
	char *text = malloc(room);

	for (int line = 0; line < 200; line++) {
		size += (size_t)snprintf(text + size, room - size,
		    "key%llu=", (unsigned long long)(next_random(&state) % 100000));
		for (int i = 0; i < 6; i++)
			size += (size_t)snprintf(text + size, room - size, "%llu,",
			    (unsigned long long)(next_random(&state) >> (20 + i * 5)));
		text[size - 1] = '\n';
	}
	text[size] = '\0';
	return text;
}

static const char *document;
static long times;

static void *
read_documents(void *unused)
{
	uint64_t sum = 0;

	(void)unused;
	for (long i = 0; i < times; i++) {
		struct node *root = NULL;
		for (const char *line = document; *line;) {
			size_t size = strcspn(line, "\n");
			insert(&root, parse_line(line, size));
			line += size + 1;
		}
		sum += add_up_and_free(root);
	}
	return (void *)(uintptr_t)sum;
}

static uint64_t
allocate(long n, bool alone)
{
	pthread_t other;
	void *mine, *others = NULL;

	document = make_document();
	times = alone ? n : n / 2;
	if (!alone && pthread_create(&other, NULL, read_documents, NULL))
		exit(1);
	mine = read_documents(NULL);
	if (!alone)
		pthread_join(other, &others);
	return (uintptr_t)mine + (uintptr_t)others;
}

enum { THREADS = 4, SHARDS = 16, ROOM = 256, BATCH = 32 };

static struct shard {
	pthread_mutex_t mutex;
	uint64_t cells[512];
} shards[SHARDS];

static pthread_rwlock_t settings_lock = PTHREAD_RWLOCK_INITIALIZER;
static uint64_t settings = 7;

static struct {
	pthread_mutex_t mutex;
	pthread_cond_t not_empty, not_full;
	uint64_t items[ROOM];
	size_t count, first;
	int makers;
} queue = {.mutex = PTHREAD_MUTEX_INITIALIZER,
    .not_empty = PTHREAD_COND_INITIALIZER,
    .not_full = PTHREAD_COND_INITIALIZER};

static long operations;

static void
put(const uint64_t *items)
{
	pthread_mutex_lock(&queue.mutex);
	while (queue.count > ROOM - BATCH)
		pthread_cond_wait(&queue.not_full, &queue.mutex);
	for (int i = 0; i < BATCH; i++)
		queue.items[(queue.first + queue.count++) % ROOM] = items[i];
	pthread_cond_signal(&queue.not_empty);
	pthread_mutex_unlock(&queue.mutex);
}

static bool
take(uint64_t *items)
{
	pthread_mutex_lock(&queue.mutex);
	while (queue.count < BATCH && queue.makers)
		pthread_cond_wait(&queue.not_empty, &queue.mutex);
	if (queue.count < BATCH) {
		pthread_mutex_unlock(&queue.mutex);
		return false;
	}
	for (int i = 0; i < BATCH; i++, queue.count--, queue.first++)
		items[i] = queue.items[queue.first % ROOM];
	pthread_cond_signal(&queue.not_full);
	pthread_mutex_unlock(&queue.mutex);
	return true;
}

/* A change of one shard, with settings that are read under their lock. */
static uint64_t
operate(uint64_t item)
{
	struct shard *shard = &shards[item % SHARDS];
	uint64_t factor, result;

	pthread_rwlock_rdlock(&settings_lock);
	factor = settings;
	pthread_rwlock_unlock(&settings_lock);
	pthread_mutex_lock(&shard->mutex);
	for (int i = 0; i < 8; i++)
		shard->cells[(item >> i) % 512] += item * factor + (uint64_t)i;
	result = shard->cells[item % 512];
	pthread_mutex_unlock(&shard->mutex);
	for (int i = 0; i < 40; i++)
		result = (result ^ result >> 29) * 0xbf58476d1ce4e5b9ULL;
	return result;
}

static void *
make(void *seed)
{
	uint64_t s = (uintptr_t)seed, items[BATCH], sum = 0;

	for (long i = 0; i < operations / THREADS / BATCH; i++) {
		for (int j = 0; j < BATCH; j++) {
			items[j] = next_random(&s);
			sum += operate(items[j]);
		}
		put(items);
	}
	pthread_mutex_lock(&queue.mutex);
	queue.makers--;
	pthread_cond_broadcast(&queue.not_empty);
	pthread_mutex_unlock(&queue.mutex);
	return (void *)(uintptr_t)sum;
}

static void *
use(void *unused)
{
	uint64_t items[BATCH], sum = 0;

	(void)unused;
	while (take(items))
		for (int j = 0; j < BATCH; j++)
			sum += operate(items[j]);
	return (void *)(uintptr_t)sum;
}

static uint64_t
lock(long thousands)
{
	pthread_t threads[THREADS];
	uint64_t sum = 0;
	void *result;

	operations = thousands * 1000;
	for (int i = 0; i < SHARDS; i++)
		pthread_mutex_init(&shards[i].mutex, NULL);
	queue.makers = THREADS / 2;
	for (uintptr_t i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, i % 2 ? use : make, (void *)(i + 1)))
			exit(1);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &result);
		sum += (uintptr_t)result;
	}
	return sum;
}

/* Something that is called in pairs, over and over. */
struct call {
	const char *name;
	void (*make)(void);
	double least;
};

static pthread_mutex_t call_mutex = PTHREAD_MUTEX_INITIALIZER,
		       held_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t call_rwlock = PTHREAD_RWLOCK_INITIALIZER;
static void *volatile call_block;

static void
make_malloc(void)
{
	call_block = malloc(72);
	free(call_block);
}

static void
make_mutex(void)
{
	pthread_mutex_lock(&call_mutex);
	pthread_mutex_unlock(&call_mutex);
}

static void
make_rwlock(void)
{
	pthread_rwlock_rdlock(&call_rwlock);
	pthread_rwlock_unlock(&call_rwlock);
}

/* A wait until no time that there is, which libc refuses: all that a wait costs, but the waiting. */
static void
make_wait(void)
{
	static const struct timespec never = {.tv_nsec = -1};

	pthread_mutex_timedlock(&held_mutex, &never);
}

static void *
hold(void *unused)
{
	pthread_mutex_lock(&held_mutex);
	for (;;)
		pause();
	return unused;
}

static double
time_block(void (*call)(void))
{
	enum { TURNS = 200 };
	struct timespec from, to;

	clock_gettime(CLOCK_MONOTONIC, &from);
	for (int i = 0; i < TURNS; i++)
		call();
	clock_gettime(CLOCK_MONOTONIC, &to);
	return ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) /
	       TURNS;
}

static int
time_calls(void)
{
	struct call calls[] = {{"malloc+free", make_malloc, 1e9}, {"mutex", make_mutex, 1e9},
	    {"rwlock", make_rwlock, 1e9}, {"wait", make_wait, 1e9}};
	pthread_t holder;

	if (pthread_create(&holder, NULL, hold, NULL))
		return 1;
	while (!pthread_mutex_trylock(&held_mutex)) {
		pthread_mutex_unlock(&held_mutex);
		sched_yield();
	}
	for (int i = 0; i < 3000; i++)
		for (size_t j = 0; j < sizeof calls / sizeof *calls; j++) {
			double ns = time_block(calls[j].make);
			if (ns < calls[j].least)
				calls[j].least = ns;
		}
	for (size_t j = 0; j < sizeof calls / sizeof *calls; j++)
		printf("%s %.2f\n", calls[j].name, calls[j].least);
	return 0;
}

int
main(int argc, char **argv)
{
	long n = argc > 2 ? strtol(argv[2], NULL, 10) : 0;

	if (n > 0 && !strcmp(argv[1], "allocate"))
		printf("%llu\n", (unsigned long long)allocate(n, argc == 4));
	else if (n > 0 && !strcmp(argv[1], "lock"))
		printf("%llu\n", (unsigned long long)lock(n));
	else if (argc == 2 && !strcmp(argv[1], "calls"))
		return time_calls();
	else
		return 2;
	return 0;
}
