/*
 * host_heap.c: hosts that allocate.
 *
 *	functions          every function of malloc's family, also with what they refuse; prints what
 *	                   came of it, which allocators differ in, but must not with the agent
 *	known              a known amount by known functions, then sleeps until it is killed, ten minutes at most:
 *	                   40 MB in blocks of 1000 bytes kept, 400 MB of 200 freed at once, 6 blocks of
 *	                   8 MB kept, 30 MB made by one thread and freed by another
 *	threads SECONDS    threads that allocate, hand over, reallocate and free, while main forks
 *	                   children that do the same
 *	signals SECONDS    a handler that allocates and frees, while main computes
 *	grow SECONDS       leaks a megabyte every 10 ms
 *	apart              waits for the file AGENT_TEST_END, ten minutes at most: then a block of 200 KiB has to
 *	                   have a mapping of its own, as glibc's first thresholds have it
 *
 * Each ends with status 0 only if it saw nothing unexpected.
 */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/agent/burn.h"

#define CHECK(X)                                                                        \
	do {                                                                            \
		if (!(X)) {                                                             \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #X); \
			exit(1);                                                        \
		}                                                                       \
	} while (0)

/* The compiler must not know what these are. */
static void *(*volatile any_malloc)(size_t) = malloc;
static void *(*volatile any_calloc)(size_t, size_t) = calloc;
static void *(*volatile any_realloc)(void *, size_t) = realloc;
static void *(*volatile any_reallocarray)(void *, size_t, size_t) = reallocarray;
static void (*volatile any_free)(void *) = free;

static bool
holds(const unsigned char *p, unsigned char value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (p[i] != value)
			return false;
	return true;
}

/* One line for the transcript, with the errno that a failure left. */
static void
tell(const char *what, bool it_is)
{
	printf("%s: %s", what, it_is ? "yes" : "no");
	if (errno)
		printf(", errno %d", errno);
	putchar('\n');
	errno = 0;
}

static void
refused(void)
{
	void *p = any_malloc(100), *none = NULL;

	memset(p, 7, 100);
	errno = 0;
	tell("malloc of too much", any_malloc(SIZE_MAX));
	tell("malloc of half of all", any_malloc((size_t)PTRDIFF_MAX + 4096));
	tell("calloc that overflows", any_calloc(SIZE_MAX / 2, 3));
	tell("realloc to too much", any_realloc(p, SIZE_MAX - 4096));
	tell("reallocarray that overflows", any_reallocarray(p, SIZE_MAX / 2, 3));
	tell("the old block is whole", holds(p, 7, 100));
	tell("posix_memalign to 24", posix_memalign(&none, 24, 8) != EINVAL);
	tell("memalign of too much", memalign(64, SIZE_MAX / 2));
	errno = 77;
	any_free(p);
	any_free(NULL);
	tell("free", true);
	tell("realloc to nothing", any_realloc(any_malloc(10), 0));
}

static void
resized(size_t size)
{
	unsigned char *p = any_realloc(NULL, size);

	CHECK(p);
	memset(p, 3, size);
	for (int i = 0; i < 6; i++) {
		p = i % 2 ? any_realloc(p, size * 3) : any_reallocarray(p, size, 2);
		CHECK(p && holds(p, 3, size) && malloc_usable_size(p) >= size * 2);
	}
	p = any_realloc(p, size / 2 + 1);
	CHECK(p && holds(p, 3, size / 2 + 1));
	any_free(p);
}

/* One block, however it was made: aligned or not, it can be written to and freed. */
static void
use(void *p, size_t align, size_t size)
{
	CHECK(p);
	if ((uintptr_t)p % align)
		printf("a block of %zu is not aligned to %zu\n", size, align);
	memset(p, 1, size);
	any_free(p);
}

static void
aligned(size_t size)
{
	void *p = NULL;

	for (size_t align = 16; align <= 65536; align *= 4) {
		use(memalign(align, size), align, size);
		use(aligned_alloc(align, (size + align - 1) / align * align), align, size);
		CHECK(!posix_memalign(&p, align, size));
		use(p, align, size);
	}
	use(valloc(size), 4096, size);
}

static int
functions(void)
{
	sigset_t before, after; /* of which the kernel knows 8 bytes */

	sigprocmask(SIG_BLOCK, NULL, &before);
	for (size_t size = 0; size < 3000000; size = size * 3 / 2 + 1) {
		unsigned char *p = any_malloc(size), *zeros = any_calloc(3, size);
		CHECK(p && zeros && holds(zeros, 0, 3 * size));
		CHECK(malloc_usable_size(p) >= size);
		memset(p, 1, size);
		any_free(zeros);
		any_free(p);
		resized(size + 1);
		aligned(size + 1);
	}
	refused();
	sigprocmask(SIG_BLOCK, NULL, &after);
	CHECK(!memcmp(&before, &after, 8));
	puts("functions: in order");
	return 0;
}

__attribute__((noinline)) static void
keep_small(void)
{
	for (int i = 0; i < 40000; i++)
		memset(any_malloc(1000), 1, 1000);
	burn_sink++;
}

__attribute__((noinline)) static void
free_at_once(void)
{
	for (int i = 0; i < 2000000; i++)
		any_free(any_malloc(200));
	burn_sink++;
}

__attribute__((noinline)) static void
keep_large(void)
{
	for (int i = 0; i < 6; i++)
		*(char *)any_malloc(8 << 20) = 1;
	burn_sink++;
}

enum { HANDED = 3000 };

static void *handed[HANDED];

__attribute__((noinline)) static void
make_for_others(void)
{
	for (int i = 0; i < HANDED; i++)
		handed[i] = any_malloc(10000);
	burn_sink++;
}

static void *
free_of_others(void *unused)
{
	(void)unused;
	for (int i = 0; i < HANDED; i++)
		any_free(handed[i]);
	return NULL;
}

static int
known(void)
{
	pthread_t thread;

	keep_large();
	keep_small();
	make_for_others();
	free_at_once(); /* last: over a thousand samples a second make the period longer */
	CHECK(!pthread_create(&thread, NULL, free_of_others, NULL));
	pthread_join(thread, NULL);
	puts("ready");
	fflush(stdout);
	return sleep(600) ? 0 : 1;
}

enum { WORKERS = 4, PLACES = 256 };

static void *places[PLACES];
static volatile bool done;

/* Puts a block somewhere and takes out what was there: blocks wander from thread to thread. */
static void
exchange(unsigned *random)
{
	size_t size;
	unsigned char *p, *old;

	*random = *random * 1664525 + 1013904223;
	size = 8 + (*random >> 8) % (*random >> 29 ? 600 : 60000);
	p = *random & 64 ? any_malloc(size) : any_calloc(1, size);
	CHECK(p);
	memset(p, (int)(size % 251), size < 64 ? size : 64);
	if (*random & 128) {
		p = any_realloc(p, size + size / 2);
		CHECK(p && holds(p, (unsigned char)(size % 251), size < 64 ? size : 64));
	}
	old = __atomic_exchange_n(&places[*random >> 24], p, __ATOMIC_ACQ_REL);
	any_free(old);
}

static void *
worker(void *seed)
{
	unsigned random = (unsigned)(uintptr_t)seed;

	while (!done)
		exchange(&random);
	return NULL;
}

static void
child(unsigned seed)
{
	for (int i = 0; i < 2000; i++)
		exchange(&seed);
	if (seed % 2)
		exit(0);
	_exit(0);
}

static int
threads(double seconds)
{
	int64_t end = clock_ns(CLOCK_MONOTONIC) + (int64_t)(seconds * 1e9);
	pthread_t workers[WORKERS];
	int status, children = 0;

	for (uintptr_t i = 0; i < WORKERS; i++)
		CHECK(!pthread_create(&workers[i], NULL, worker, (void *)(i + 1)));
	for (; clock_ns(CLOCK_MONOTONIC) < end || children < 3; children++) {
		pid_t pid = fork();
		CHECK(pid >= 0);
		if (pid == 0)
			child((unsigned)children);
		CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	}
	done = true;
	for (int i = 0; i < WORKERS; i++)
		pthread_join(workers[i], NULL);
	printf("%d children\n", children);
	return 0;
}

static volatile int handled;

static void
on_alarm(int number)
{
	(void)number;
	for (int i = 0; i < 20; i++)
		any_free(any_realloc(any_malloc((size_t)i * 5000 + 1), (size_t)i * 9000 + 1));
	handled++;
}

static int
signals(double seconds)
{
	struct sigaction action = {.sa_handler = on_alarm};
	struct itimerval every = {{.tv_usec = 2000}, {.tv_usec = 2000}}, never = {0};

	CHECK(!sigaction(SIGALRM, &action, NULL) && !setitimer(ITIMER_REAL, &every, NULL));
	burn_on(seconds);
	while (handled < 10)
		burn(0.01);
	/* What follows allocates: a handler that came in the middle of that would wait for its own thread. */
	CHECK(!setitimer(ITIMER_REAL, &never, NULL));
	printf("%d handlers\n", handled);
	return 0;
}

__attribute__((noinline)) static int
grow(double seconds)
{
	for (int i = 0; i < (int)(seconds * 100); i++) {
		memset(any_malloc(1 << 20), 1, 4096);
		usleep(10000);
	}
	return 0;
}

static int
apart(void)
{
	const char *end = getenv("AGENT_TEST_END");
	size_t before;

	CHECK(end);
	puts("ready");
	fflush(stdout);
	for (int i = 0; i < 60000 && access(end, F_OK); i++)
		usleep(10000);
	before = mallinfo2().hblks;
	any_free(any_malloc(1000));
	CHECK(any_malloc(200 << 10) && mallinfo2().hblks == before + 1);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	double seconds = argc > 2 ? strtod(argv[2], NULL) : 1;

	/* Its address in code: linked to a fixed address, the program has a symbol of its own for it. */
	CHECK(any_malloc == malloc);
	if (!strcmp(mode, "functions"))
		return functions();
	if (!strcmp(mode, "known"))
		return known();
	if (!strcmp(mode, "threads"))
		return threads(seconds);
	if (!strcmp(mode, "signals"))
		return signals(seconds);
	if (!strcmp(mode, "apart"))
		return apart();
	return !strcmp(mode, "grow") ? grow(seconds) : 2;
}
