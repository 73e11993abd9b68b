/*
 * host_inside.c: hosts whose calls reach the agent from within something.
 *
 *	attributes       threads that allocate first inside of pthread_getattr_np, which holds a lock meanwhile
 *	cancelled        threads that are to be cancelled, and allocate where they must not end
 *	constructor SO   loads a library whose constructor waits for its thread, under the loader's lock
 *	contended        threads that meet in the allocator's own lock; for use with allocator.c
 *	jumped           a thread leaves its waits by a handler's longjmp, and then ends
 *	loader           forks while another thread than its own has the loader's lock for 2 s; the child loads something
 *	descriptors      may have none any more; nobody is busy because of that
 *	leaves           a signal comes while the agent ends: no handler runs in the middle of what it does
 *	closed           a filter that ends whoever opens a file; set up after the agent has started
 *	sandbox SECONDS  burns, on coroutines' stacks too, under a filter that ends whoever reads memory
 *	                 through the kernel; set up after the agent has started
 *
 * Each ends with status 0 only if it saw nothing unexpected.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <link.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "tests/agent/burn.h"

#define IN_FRONT __attribute__((visibility("default")))

enum { THREADS = 16, BLOCKS = 2000 };

/* The compiler must not know what these are. */
static void *(*volatile any_malloc)(size_t) = malloc;
static void (*volatile any_free)(void *) = free;

static int
in_threads(void *(*run)(void *))
{
	pthread_t threads[THREADS];
	int failures = 0;
	void *result;

	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, run, NULL))
			exit(1);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &result);
		failures += result != NULL;
	}
	return failures;
}

static void *
ask_for_attributes(void *unused)
{
	pthread_attr_t attr;

	if (!pthread_getattr_np(pthread_self(), &attr))
		pthread_attr_destroy(&attr);
	return unused;
}

static _Atomic int allocated;

/* malloc is no cancellation point, so the thread gets to testcancel. */
static void *
allocate_cancelled(void *unused)
{
	void *blocks[BLOCKS];

	(void)unused;
	pthread_cancel(pthread_self());
	for (int i = 0; i < BLOCKS; i++)
		blocks[i] = any_malloc(1000);
	for (int i = 0; i < BLOCKS; i++)
		any_free(blocks[i]);
	allocated++;
	pthread_testcancel();
	return NULL;
}

static int
cancelled(void)
{
	int ends = in_threads(allocate_cancelled); /* PTHREAD_CANCELED is not NULL */

	printf("%d of %d allocated, %d cancelled\n", allocated, THREADS, ends);
	return allocated != THREADS || ends != THREADS;
}

static int
constructor(const char *path)
{
	void *plugin = dlopen(path, RTLD_NOW);
	int *finished = plugin ? dlsym(plugin, "plugin_finished") : NULL;

	if (!finished || !*finished)
		fprintf(stderr, "%s\n", plugin ? "the thread has not finished" : dlerror());
	return !finished || !*finished;
}

static void *
allocate(void *unused)
{
	(void)unused;
	for (int i = 0; i < BLOCKS; i++) {
		void *one = any_malloc(100), *other = any_malloc(300);
		any_free(one);
		any_free(other);
	}
	return NULL;
}

static ucontext_t outside, inside;

static void
coroutine(void)
{
	for (;;) {
		burn(0.01);
		swapcontext(&inside, &outside);
	}
}

/* A filter for all threads that ends the process at this system call. */
static int
enter_sandbox(unsigned forbidden)
{
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, forbidden, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof code / sizeof *code, code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	return (int)syscall(
	    SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
}

static int
sandbox(double seconds)
{
	static char room[24 << 10];
	int64_t end = clock_ns(CLOCK_MONOTONIC) + (int64_t)(seconds * 1e9);

	if (enter_sandbox(SYS_process_vm_readv))
		return 77;
	getcontext(&inside);
	inside.uc_stack.ss_sp = room;
	inside.uc_stack.ss_size = sizeof room;
	inside.uc_link = &outside;
	makecontext(&inside, coroutine, 0);
	while (go_on(end)) {
		swapcontext(&outside, &inside);
		allocate(NULL);
	}
	return 0;
}

/* The agent's looks come after 1 and 3 seconds; a library that is loaded makes it read the mappings. */
static int
closed(void)
{
	int64_t end = clock_ns(CLOCK_MONOTONIC) + INT64_C(4000000000);

	if (!dlopen("libm.so.6", RTLD_NOW))
		return 1;
	if (enter_sandbox(SYS_openat))
		return 77;
	while (clock_ns(CLOCK_MONOTONIC) < end)
		allocate(NULL);
	return 0;
}

static sigjmp_buf way_out;
static sem_t never;
static _Atomic pid_t jumper;
static _Atomic int waits_begun;
static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;

static void
leave(int number)
{
	(void)number;
	siglongjmp(way_out, 1);
}

__attribute__((noinline)) static void
use_the_stack_below(void)
{
	volatile char room[64 << 10];

	for (size_t i = 0; i < sizeof room; i++)
		room[i] = 'A';
}

static void *
jump_out(void *unused)
{
	(void)unused;
	jumper = gettid();
	if (!sigsetjmp(way_out, 1)) {
		waits_begun = 1;
		sem_wait(&never);
	}
	if (!sigsetjmp(way_out, 1)) {
		waits_begun = 2;
		pthread_mutex_lock(&held);
	}
	use_the_stack_below();
	pthread_exit(&held);
}

/* Whether the thread with this id sleeps. */
static bool
sleeps(pid_t thread)
{
	char path[64], text[512], *at;
	size_t n = 0;

	snprintf(path, sizeof path, "/proc/self/task/%d/stat", thread);
	FILE *file = fopen(path, "r");
	if (file) {
		n = fread(text, 1, sizeof text - 1, file);
		fclose(file);
	}
	text[n] = '\0';
	at = strrchr(text, ')');
	return at && at[2] == 'S';
}

static int
jumped(void)
{
	struct sigaction action = {.sa_handler = leave};
	pthread_t thread;
	void *result;

	sem_init(&never, 0, 0);
	pthread_mutex_lock(&held);
	sigaction(SIGUSR1, &action, NULL);
	if (pthread_create(&thread, NULL, jump_out, NULL))
		return 1;
	for (int i = 1; i <= 2; i++) {
		while (waits_begun < i || !sleeps(jumper))
			usleep(1000);
		pthread_kill(thread, SIGUSR1);
	}
	pthread_join(thread, &result);
	return result != &held;
}

enum { HOLD_NOT, HOLD_WANTED, HOLD_BEGUN };

static _Atomic int holding;
static pid_t main_thread;

/* A pause inside of the loader's lock, once. */
static int
pause_inside(struct dl_phdr_info *info, size_t size, void *data)
{
	(void)info, (void)size, (void)data;
	holding = HOLD_BEGUN;
	sleep(2);
	return 1;
}

/* In front of libc's, for the agent. */
IN_FRONT int
dl_iterate_phdr(int (*callback)(struct dl_phdr_info *, size_t, void *), void *data)
{
	__typeof__(dl_iterate_phdr) *next =
	    (__typeof__(next))(uintptr_t)dlsym(RTLD_NEXT, "dl_iterate_phdr");
	int wanted = HOLD_WANTED;

	if (gettid() != main_thread && atomic_compare_exchange_strong(&holding, &wanted, HOLD_NOT))
		next(pause_inside, NULL);
	return next(callback, data);
}

/* The agent looks at the loader once a second. */
static int
loader(void)
{
	int status = 1;
	pid_t child;

	holding = HOLD_WANTED;
	while (holding != HOLD_BEGUN)
		usleep(1000);
	child = fork();
	if (child == 0) {
		alarm(30);
		_exit(!dlopen("libm.so.6", RTLD_NOW));
	}
	waitpid(child, &status, 0);
	return status;
}

static int
descriptors(void)
{
	struct rlimit few = {0, 0};
	int64_t before = clock_ns(CLOCK_PROCESS_CPUTIME_ID), used;

	if (setrlimit(RLIMIT_NOFILE, &few))
		return 1;
	sleep(3);
	used = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - before;
	fprintf(stderr, "%.3f s used in 3\n", (double)used / 1e9);
	return used > 500000000;
}

static _Atomic bool leaving, interrupted;

static void
on_signal(int number)
{
	(void)number;
	interrupted = true;
}

/* In front of libc's, for the agent, which tidies its folder at the end. */
IN_FRONT DIR *
opendir(const char *name)
{
	__typeof__(opendir) *next = (__typeof__(next))(uintptr_t)dlsym(RTLD_NEXT, "opendir");

	if (leaving && gettid() == main_thread) {
		raise(SIGUSR1);
		_exit(interrupted ? 1 : 0);
	}
	return next(name);
}

/* With PROFUSE_RUN_DIR; status 3 says that nobody has looked into that folder. */
static int
leaves(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGUSR1, &action, NULL);
	leaving = true;
	return 3;
}

int
main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	main_thread = gettid();

	if (!strcmp(mode, "attributes"))
		return in_threads(ask_for_attributes) != 0;
	if (!strcmp(mode, "cancelled"))
		return cancelled();
	if (!strcmp(mode, "constructor") && argc > 2)
		return constructor(argv[2]);
	if (!strcmp(mode, "contended"))
		return in_threads(allocate) != 0;
	if (!strcmp(mode, "jumped"))
		return jumped();
	if (!strcmp(mode, "loader"))
		return loader();
	if (!strcmp(mode, "descriptors"))
		return descriptors();
	if (!strcmp(mode, "leaves"))
		return leaves();
	if (!strcmp(mode, "closed"))
		return closed();
	if (!strcmp(mode, "sandbox") && argc > 2)
		return sandbox(strtod(argv[2], NULL));
	return 2;
}
