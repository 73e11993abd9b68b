/*
 * host_signals.c: hosts with signal handling of their own.
 *
 *	early SECONDS    profiles itself with SIGPROF and setitimer from the start
 *	late SECONDS     installs that handler soon after the agent has installed its own
 *	blocked SECONDS  every thread blocks every signal, one waits for them all
 *	handler SECONDS  spends its time in a signal handler
 *	altstack SECONDS the same, on a stack of its own
 *	eintr SECONDS    counts interrupted system calls of a thread that only sleeps
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "tests/agent/burn.h"

static _Atomic int own, strange;

static void
on_prof(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	atomic_fetch_add(info->si_code == SI_TIMER ? &strange : &own, 1);
}

static int
install(void)
{
	struct sigaction action = {.sa_sigaction = on_prof, .sa_flags = SA_SIGINFO | SA_RESTART};
	struct itimerval every = {{.tv_usec = 10000}, {.tv_usec = 10000}};

	return sigaction(SIGPROF, &action, NULL) || setitimer(ITIMER_PROF, &every, NULL);
}

static int
profiled(double seconds, int late)
{
	int64_t end = clock_ns(CLOCK_MONOTONIC) + (int64_t)(seconds * 1e9);
	struct sigaction now;

	if (late) {
		do /* on a busy machine the agent may have come and gone meanwhile */
			burn(0.01);
		while (go_on(end) && !sigaction(SIGPROF, NULL, &now) && now.sa_handler == SIG_DFL);
		burn(0.1);
	}
	if (install())
		return 1;
	burn_on(seconds);
	for (int i = 0; own < 3 && i < 100; i++)
		burn(0.01);
	sigaction(SIGPROF, NULL, &now);
	printf("own %d strange %d\n", own, strange);
	if (now.sa_sigaction != on_prof || own < 3)
		return 1;
	/* Installed late, a few of the agent's signals may come before it notices. */
	return late ? strange > 60 : strange > 0;
}

static void *
wait_for_all(void *result)
{
	sigset_t all;
	int signal = 0;

	sigfillset(&all);
	for (int i = 0; i < 200; i++) /* not idle: its own CPU clock runs too */
		burn(0.005);
	sigwait(&all, &signal);
	*(int *)result = signal;
	return NULL;
}

static void *
burn_for(void *seconds)
{
	burn_on(*(double *)seconds);
	return NULL;
}

static int
blocked(double seconds)
{
	pthread_t waiter, worker;
	sigset_t all;
	int got = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	if (pthread_create(&waiter, NULL, wait_for_all, &got) ||
	    pthread_create(&worker, NULL, burn_for, &seconds))
		return 1;
	burn_on(seconds);
	kill(getpid(), SIGUSR1);
	pthread_join(waiter, NULL);
	pthread_join(worker, NULL);
	printf("sigwait got %d\n", got);
	return got != SIGUSR1;
}

__attribute__((noinline)) static void
on_alarm(int signal)
{
	(void)signal;
	burn(0.1);
	burn_sink++;
}

__attribute__((noinline)) static void
interrupted(double seconds)
{
	int64_t end = clock_ns(CLOCK_MONOTONIC) + (int64_t)(seconds * 1e9);

	while (go_on(end))
		raise(SIGALRM);
}

static int
handler(double seconds, int flags)
{
	static char room[1 << 16];
	stack_t stack = {.ss_sp = room, .ss_size = sizeof room};
	struct sigaction action = {.sa_handler = on_alarm, .sa_flags = flags};

	if (sigaltstack(&stack, NULL) || sigaction(SIGALRM, &action, NULL))
		return 1;
	interrupted(seconds);
	return 0;
}

static int
eintr(double seconds)
{
	int64_t end = clock_ns(CLOCK_MONOTONIC) + (int64_t)(seconds * 1e9);
	int interruptions = 0, sleeps = 0;
	pthread_t worker;

	if (pthread_create(&worker, NULL, burn_for, &seconds))
		return 1;
	while (go_on(end)) {
		interruptions += poll(NULL, 0, 5) < 0 && errno == EINTR;
		sleeps++;
	}
	pthread_join(worker, NULL);
	printf("%d of %d sleeps interrupted\n", interruptions, sleeps);
	return interruptions > sleeps / 10;
}

int
main(int argc, char **argv)
{
	double seconds = argc > 2 ? strtod(argv[2], NULL) : 1;
	const char *mode = argc > 1 ? argv[1] : "";

	if (!strcmp(mode, "early") || !strcmp(mode, "late"))
		return profiled(seconds, *mode == 'l');
	if (!strcmp(mode, "blocked"))
		return blocked(seconds);
	if (!strcmp(mode, "handler"))
		return handler(seconds, 0);
	if (!strcmp(mode, "altstack"))
		return handler(seconds, SA_ONSTACK);
	return !strcmp(mode, "eintr") ? eintr(seconds) : 2;
}
