/*
 * host_inside.c: hosts whose calls reach the agent from within something.
 *
 *	attributes       threads that allocate first inside of pthread_getattr_np, which holds a lock meanwhile
 *	cancelled        threads that are to be cancelled, and allocate where they must not end
 *	constructor SO   loads a library whose constructor waits for its thread, under the loader's lock
 *	contended        threads that meet in the allocator's own lock; for use with allocator.c
 *	sandbox SECONDS  burns, on coroutines' stacks too, under a filter that ends whoever reads memory
 *	                 through the kernel; set up after the agent has started
 *
 * Each ends with status 0 only if it saw nothing unexpected.
 */
#include <dlfcn.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "tests/agent/burn.h"

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

static int
enter_sandbox(void)
{
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 0, 1),
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

	if (enter_sandbox())
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

int
main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	if (!strcmp(mode, "attributes"))
		return in_threads(ask_for_attributes) != 0;
	if (!strcmp(mode, "cancelled"))
		return cancelled();
	if (!strcmp(mode, "constructor") && argc > 2)
		return constructor(argv[2]);
	if (!strcmp(mode, "contended"))
		return in_threads(allocate) != 0;
	if (!strcmp(mode, "sandbox") && argc > 2)
		return sandbox(strtod(argv[2], NULL));
	return 2;
}
