/*
 * workload.c: programs' ways of using memory, for trying allocators and their
 * settings on: each does a fixed amount of work, so that CPU time compares.
 *
 *	workload KIND [--scale N] [--stats DIR] [--idle SECONDS]
 *
 *	cross    producers allocate, consumers free: 16 B to 512 KiB, in two phases
 *	phases   a live set grows, is worked on, and nine tenths of it go
 *	small    tables of small objects with churn, from several threads
 *	buffers  big buffers of 64 KiB to 4 MiB come and go
 *	packets  eight threads that each keep a few blocks of 1.1 to 8 KiB, too big for glibc's thread caches
 *	steady   one thread, a small live set, all freed where it was allocated
 *	rows     objects of three small blocks, of which every 300th stays: the rest lies in glibc's fast bins
 *
 * --stats writes what the kernel and the allocator in charge say, at the height
 * (peak.*) and at the end (idle.*): smaps_rollup, status, malloc_info, mallinfo2,
 * jemalloc's JSON and text, gperftools' and mimalloc's texts. --release then asks
 * the allocator to give back what it can, and writes released.*.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { QUEUE = 4096, THREADS = 4 };

static double scale = 1, idle_seconds;
static const char *stats;

static uint64_t
next(uint64_t *state) /* xorshift64*, by Sebastiano Vigna, public domain */
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dULL;
}

/* Log-uniform sizes: as many of 16 to 32 bytes as of 256 to 512 KiB, and so on. */
static size_t
size_between(uint64_t *state, unsigned least_log, unsigned most_log)
{
	uint64_t r = next(state);
	unsigned bits = least_log + (unsigned)(r % (most_log - least_log));

	return ((size_t)1 << bits) + (size_t)((r >> 20) & (((uint64_t)1 << bits) - 1));
}

static void *
filled(size_t size)
{
	char *p = malloc(size);

	if (!p)
		abort();
	for (size_t i = 0; i < size; i += 1024) /* as a program that writes what it asked for */
		p[i] = (char)i;
	return p;
}

static void
copy_file(const char *from, const char *when)
{
	char path[4096], chunk[1 << 14];
	int in, out;
	ssize_t n;

	snprintf(path, sizeof path, "/proc/self/%s", from);
	in = open(path, O_RDONLY);
	snprintf(path, sizeof path, "%s/%s.%s", stats, when, from);
	out = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	while (in >= 0 && out >= 0 && (n = read(in, chunk, sizeof chunk)) > 0) {
		if (write(out, chunk, (size_t)n) != n)
			break;
	}
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
}

/* A buffer that is allocated would have glibc join what lies in fast bins. */
static FILE *
open_stats(const char *when, const char *what)
{
	static char buffer[1 << 16];
	char path[4096];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s.%s", stats, when, what);
	f = fopen(path, "w");
	if (f)
		setvbuf(f, buffer, _IOFBF, sizeof buffer);
	return f;
}

static void
put(const char *text, void *file)
{
	fputs(text, file);
}

static void
put_back(void *file, const char *text)
{
	fputs(text, file);
}

/* Functions of the allocator in charge, whichever it is; a plain cast from dlsym is what POSIX means. */
#define FIND(TYPE, NAME) ((TYPE)(uintptr_t)dlsym(RTLD_DEFAULT, NAME))

static void
write_jemalloc(const char *when)
{
	typedef void print(void (*)(void *, const char *), void *, const char *);
	typedef int control(const char *, void *, size_t *, void *, size_t);
	print *malloc_stats_print = FIND(print *, "malloc_stats_print");
	control *mallctl = FIND(control *, "mallctl");
	uint64_t epoch = 1;
	FILE *f;

	if (!malloc_stats_print || !mallctl)
		return;
	mallctl("epoch", NULL, NULL, &epoch, sizeof epoch);
	f = open_stats(when, "jemalloc.json");
	malloc_stats_print(put_back, f, "J");
	fclose(f);
	f = open_stats(when, "jemalloc.txt");
	malloc_stats_print(put_back, f, NULL);
	fclose(f);
}

static void
write_glibc(const char *when)
{
	struct mallinfo2 m = mallinfo2();
	FILE *f = open_stats(when, "malloc_info.xml");

	malloc_info(0, f);
	fclose(f);
	f = open_stats(when, "mallinfo2.txt");
	fprintf(f,
	    "arena %zu\nordblks %zu\nsmblks %zu\nhblks %zu\nhblkhd %zu\nusmblks %zu\nfsmblks %zu\n"
	    "uordblks %zu\nfordblks %zu\nkeepcost %zu\n",
	    m.arena, m.ordblks, m.smblks, m.hblks, m.hblkhd, m.usmblks, m.fsmblks, m.uordblks,
	    m.fordblks, m.keepcost);
	fclose(f);
}

/* The kernel's figures come first: writing the others allocates. */
static void
write_stats(const char *when)
{
	typedef void get_stats(char *, int);
	typedef void print_out(void (*)(const char *, void *), void *);
	get_stats *tcmalloc = FIND(get_stats *, "MallocExtension_GetStats");
	print_out *mimalloc = FIND(print_out *, "mi_stats_print_out");
	static char text[1 << 16];
	FILE *f;

	if (!stats)
		return;
	copy_file("smaps_rollup", when);
	copy_file("status", when);
	write_jemalloc(when);
	if (tcmalloc) {
		tcmalloc(text, sizeof text);
		f = open_stats(when, "tcmalloc.txt");
		fputs(text, f);
		fclose(f);
	}
	if (mimalloc) {
		f = open_stats(when, "mimalloc.txt");
		mimalloc(put, f);
		fclose(f);
	}
	if (!tcmalloc && !mimalloc && !dlsym(RTLD_DEFAULT, "malloc_stats_print"))
		write_glibc(when);
}

static void
release_memory(void)
{
	typedef void release(void);
	typedef int control(const char *, void *, size_t *, void *, size_t);
	typedef void collect(bool);
	release *tcmalloc = FIND(release *, "MallocExtension_ReleaseFreeMemory");
	control *mallctl = FIND(control *, "mallctl");
	collect *mimalloc = FIND(collect *, "mi_collect");

	if (tcmalloc)
		tcmalloc();
	else if (mallctl)
		mallctl("arena.4096.purge", NULL, NULL, NULL, 0); /* all of them */
	else if (mimalloc)
		mimalloc(true);
	else
		malloc_trim(0);
}

static void
burn(const unsigned char *bytes, size_t size, uint64_t *sum)
{
	for (size_t i = 0; i < size; i += 64)
		*sum = *sum * 31 + bytes[i];
}

/* Blocks on their way from producers to consumers. */
struct queue {
	pthread_mutex_t lock;
	pthread_cond_t more, less;
	struct block {
		void *at;
		size_t size;
	} items[QUEUE];
	size_t head, tail, producers;
};

static struct queue queue = {.lock = PTHREAD_MUTEX_INITIALIZER,
    .more = PTHREAD_COND_INITIALIZER,
    .less = PTHREAD_COND_INITIALIZER};

static void
send(struct block b)
{
	pthread_mutex_lock(&queue.lock);
	while (queue.head - queue.tail == QUEUE)
		pthread_cond_wait(&queue.less, &queue.lock);
	queue.items[queue.head++ % QUEUE] = b;
	pthread_cond_signal(&queue.more);
	pthread_mutex_unlock(&queue.lock);
}

static bool
receive(struct block *b)
{
	bool got;

	pthread_mutex_lock(&queue.lock);
	while (queue.head == queue.tail && queue.producers)
		pthread_cond_wait(&queue.more, &queue.lock);
	got = queue.head != queue.tail;
	if (got) {
		*b = queue.items[queue.tail++ % QUEUE];
		pthread_cond_signal(&queue.less);
	}
	pthread_mutex_unlock(&queue.lock);
	return got;
}

static void *
produce(void *argument)
{
	uint64_t state = 0x9e3779b97f4a7c15ULL ^ (uint64_t)(uintptr_t)argument;
	size_t blocks = (size_t)(24000 * scale);

	for (size_t i = 0; i < blocks; i++) {
		struct block b = {.size = size_between(&state, 4, i % 16 ? 13 : 19)};
		b.at = filled(b.size);
		send(b);
	}
	pthread_mutex_lock(&queue.lock);
	queue.producers--;
	pthread_cond_broadcast(&queue.more);
	pthread_mutex_unlock(&queue.lock);
	return NULL;
}

/* Keeps the latest blocks of its own in a ring, frees what falls out: memory of another thread. */
static void *
consume(void *argument)
{
	enum { RING = 1500 };
	struct block *ring = calloc(RING, sizeof *ring), b;
	uint64_t sum = 0;
	size_t n = 0;
	(void)argument;

	while (receive(&b)) {
		struct block *old = &ring[n++ % RING];
		burn(b.at, b.size, &sum);
		free(old->at);
		*old = b;
	}
	for (size_t i = 0; i < RING; i++) {
		if (i % 10)
			free(ring[i].at); /* a tenth stays: the service's live data */
	}
	free(ring);
	return (void *)(uintptr_t)(sum & 1);
}

static void
run_threads(void *(*work)(void *), size_t n, pthread_t *threads)
{
	for (size_t i = 0; i < n; i++)
		pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)(i + 1));
}

static void
join_threads(size_t n, const pthread_t *threads)
{
	for (size_t i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
}

static void
cross(void)
{
	pthread_t makers[THREADS], takers[THREADS];

	for (int phase = 0; phase < 2; phase++) {
		queue.head = queue.tail = 0;
		queue.producers = THREADS;
		run_threads(consume, THREADS, takers);
		run_threads(produce, THREADS, makers);
		join_threads(THREADS, makers);
		if (phase)
			write_stats("peak");
		join_threads(THREADS, takers);
	}
}

static void *
phase_of_one(void *argument)
{
	uint64_t state = 88172645463325252ULL + (uint64_t)(uintptr_t)argument, sum = 0;
	size_t blocks = (size_t)(40000 * scale);
	struct block *live = calloc(blocks, sizeof *live);

	for (size_t i = 0; i < blocks; i++) {
		live[i].size = size_between(&state, 5, i % 64 ? 12 : 17);
		live[i].at = filled(live[i].size);
	}
	for (size_t i = 0; i < 4 * blocks; i++) {
		struct block *b = &live[next(&state) % blocks];
		burn(b->at, b->size, &sum);
		free(b->at);
		b->size = size_between(&state, 5, i % 64 ? 12 : 17);
		b->at = filled(b->size);
	}
	for (size_t i = 0; i < blocks; i++) {
		if (next(&state) % 10)
			free(live[i].at);
	}
	free(live);
	return (void *)(uintptr_t)(sum & 1);
}

static void
phases(void)
{
	pthread_t threads[THREADS];

	for (int phase = 0; phase < 3; phase++) {
		run_threads(phase_of_one, THREADS, threads);
		join_threads(THREADS, threads);
		if (phase == 1)
			write_stats("peak");
	}
}

/* A chained hash table whose entries come and go. */
struct entry {
	struct entry *next;
	uint64_t key;
	char *value;
};

static void *
table_of_one(void *argument)
{
	enum { SLOTS = 1 << 15 };
	struct entry **slots = calloc(SLOTS, sizeof *slots);
	uint64_t state = 0x123456789abcdefULL * (uint64_t)(uintptr_t)argument;
	size_t operations = (size_t)(1200000 * scale), live = 0;

	for (size_t i = 0; i < operations; i++) {
		struct entry **at = &slots[next(&state) % SLOTS], *e;
		if (live > 2 * SLOTS && *at) {
			e = *at;
			*at = e->next;
			free(e->value);
			free(e);
			live--;
			continue;
		}
		e = filled(sizeof *e);
		*e =
		    (struct entry){.next = *at, .key = i, .value = filled(16 + next(&state) % 112)};
		*at = e;
		live++;
	}
	for (size_t i = 0; i < SLOTS; i++) {
		while (slots[i] && i % 8) {
			struct entry *e = slots[i];
			slots[i] = e->next;
			free(e->value);
			free(e);
		}
	}
	return slots; /* an eighth stays */
}

static void
small(void)
{
	pthread_t threads[THREADS];

	run_threads(table_of_one, THREADS, threads);
	join_threads(THREADS, threads);
	write_stats("peak");
}

static void *
buffers_of_one(void *argument)
{
	enum { HELD = 8 };
	struct block held[HELD] = {{0}};
	uint64_t state = 0xdeadbeefcafef00dULL ^ (uint64_t)(uintptr_t)argument, sum = 0;
	size_t rounds = (size_t)(1500 * scale);

	for (size_t i = 0; i < rounds; i++) {
		struct block *b = &held[next(&state) % HELD];
		free(b->at);
		b->size = size_between(&state, 16, 22);
		b->at = filled(b->size);
		burn(b->at, b->size, &sum);
	}
	for (size_t i = 0; i < HELD; i++)
		free(held[i].at);
	return (void *)(uintptr_t)(sum & 1);
}

static void
buffers(void)
{
	pthread_t threads[THREADS];

	run_threads(buffers_of_one, THREADS, threads);
	join_threads(THREADS, threads);
	write_stats("peak");
}

/* Reads packets: a buffer for each, of which the last few are kept. */
static void *
packets_of_one(void *argument)
{
	enum { KEPT = 64 };
	struct block kept[KEPT] = {{0}};
	uint64_t state = 0xfeedface12345ULL * (uint64_t)(uintptr_t)argument, sum = 0;
	size_t rounds = (size_t)(1500000 * scale);

	for (size_t i = 0; i < rounds; i++) {
		struct block *b = &kept[i % KEPT];
		free(b->at);
		b->size = 1100 + next(&state) % 7000;
		b->at = filled(b->size);
		burn(b->at, 512, &sum);
	}
	for (size_t i = 0; i < KEPT; i++)
		free(kept[i].at);
	return (void *)(uintptr_t)(sum & 1);
}

static void
packets(void)
{
	enum { READERS = 8 };
	pthread_t threads[READERS];

	run_threads(packets_of_one, READERS, threads);
	join_threads(READERS, threads);
	write_stats("peak");
}

static void
steady(void)
{
	enum { LIVE = 1 << 16 };
	static struct block live[LIVE];
	uint64_t state = 42, sum = 0;
	size_t rounds = (size_t)(2000000 * scale);

	for (size_t i = 0; i < rounds; i++) {
		struct block *b = &live[next(&state) % LIVE];
		free(b->at);
		b->size = size_between(&state, 5, 10);
		b->at = filled(b->size);
		burn(b->at, b->size, &sum);
	}
	write_stats("peak");
}

/* Read at once, most of them dropped, in the order in which they came. */
static void
rows(void)
{
	enum { BLOCKS = 3, STAYS = 300 };
	size_t count = (size_t)(600000 * scale);
	void **blocks = calloc(count * BLOCKS, sizeof *blocks);

	if (!blocks)
		abort();
	for (size_t i = 0; i < count; i++) {
		blocks[i * BLOCKS] = filled(56);
		blocks[i * BLOCKS + 1] = filled(40);
		blocks[i * BLOCKS + 2] = filled(64 + i % 40 * 8);
	}
	write_stats("peak");
	for (size_t i = 0; i < count * BLOCKS; i++) {
		if (i / BLOCKS % STAYS)
			free(blocks[i]);
	}
	free(blocks);
}

static const struct kind {
	const char *name;
	void (*run)(void);
} kinds[] = {{"cross", cross}, {"phases", phases}, {"small", small}, {"buffers", buffers},
    {"packets", packets}, {"steady", steady}, {"rows", rows}};

int
main(int argc, char **argv)
{
	const struct kind *kind = NULL;
	bool release = false;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--scale") == 0 && i + 1 < argc)
			scale = strtod(argv[++i], NULL);
		else if (strcmp(argv[i], "--stats") == 0 && i + 1 < argc)
			stats = argv[++i];
		else if (strcmp(argv[i], "--idle") == 0 && i + 1 < argc)
			idle_seconds = strtod(argv[++i], NULL);
		else if (strcmp(argv[i], "--release") == 0)
			release = true;
		for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
			if (strcmp(argv[i], kinds[k].name) == 0)
				kind = &kinds[k];
		}
	}
	if (!kind) {
		fprintf(stderr,
		    "usage: workload cross|phases|small|buffers|packets|steady|rows [--scale N] "
		    "[--stats DIR] [--idle SECONDS] [--release]\n");
		return 2;
	}
	if (stats)
		mkdir(stats, 0755);
	kind->run();
	write_stats("idle");
	if (idle_seconds > 0)
		usleep((useconds_t)(idle_seconds * 1e6));
	if (release) {
		release_memory();
		write_stats("released");
	}
	return 0;
}
