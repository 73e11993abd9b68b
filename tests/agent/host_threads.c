/*
 * host_threads.c: hosts with many threads, short ones, plugins and coroutines.
 *
 *	many SECONDS           a thousand threads that each work a little
 *	churn SECONDS          threads that live for 30 ms of CPU time each
 *	plugins SECONDS A B    dlopen, burn in it, dlclose, in turn, while a second
 *	                       thread burns in the program itself
 *	leave SECONDS          main ends by pthread_exit, another thread a little later
 *	coroutine SECONDS      burns on a stack of 24 KiB made by makecontext
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#include "tests/agent/burn.h"

enum { THREADS = 1000 };

static int64_t end;

static void *
work_a_little(void *unused)
{
	(void)unused;
	while (go_on(end)) {
		burn(0.0003);
		usleep(1000000);
	}
	return NULL;
}

static int
many(void)
{
	static pthread_t threads[THREADS];
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 << 10);
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], &attr, work_a_little, NULL))
			return 1;
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

static void *
live_shortly(void *unused)
{
	(void)unused;
	burn(0.03);
	return NULL;
}

static int
churn(void)
{
	int n = 0;

	for (; go_on(end); n++) {
		pthread_t thread;
		if (pthread_create(&thread, NULL, live_shortly, NULL))
			return 1;
		pthread_join(thread, NULL);
	}
	printf("%d threads\n", n);
	return 0;
}

static void *
stay(void *unused)
{
	(void)unused;
	while (go_on(end))
		burn(0.005);
	return NULL;
}

static int
plugins(char **paths)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, stay, NULL))
		return 1;
	for (int i = 0; go_on(end); i++) {
		void *plugin = dlopen(paths[i % 2], RTLD_NOW);
		void (*use)(double);
		if (!plugin)
			return 1;
		*(void **)&use = dlsym(plugin, "plugin_burn");
		if (!use)
			return 1;
		use(0.04);
		dlclose(plugin);
	}
	pthread_join(thread, NULL);
	return 0;
}

static int
leave(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, stay, NULL))
		return 1;
	pthread_exit(NULL);
}

static ucontext_t outside, inside;

static void
coroutine(void)
{
	while (go_on(end)) {
		burn(0.01);
		swapcontext(&inside, &outside);
	}
}

static int
coroutines(void)
{
	static char room[24 << 10];

	getcontext(&inside);
	inside.uc_stack.ss_sp = room;
	inside.uc_stack.ss_size = sizeof room;
	inside.uc_link = &outside;
	makecontext(&inside, coroutine, 0);
	while (go_on(end))
		swapcontext(&outside, &inside);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *mode = argc > 2 ? argv[1] : "";

	end = clock_ns(CLOCK_MONOTONIC) + (argc > 2 ? (int64_t)(strtod(argv[2], NULL) * 1e9) : 0);
	if (!strcmp(mode, "many"))
		return many();
	if (!strcmp(mode, "churn"))
		return churn();
	if (!strcmp(mode, "leave"))
		return leave();
	if (!strcmp(mode, "plugins") && argc == 5)
		return plugins(argv + 3);
	return !strcmp(mode, "coroutine") ? coroutines() : 2;
}
