/*
 * host_locks.c: hosts whose threads wait for each other.
 *
 *	known              a known wait of each kind by known functions, then sleeps until it is killed:
 *	                   hold_mutex() holds a mutex for 300 ms that wait_for_mutex() wants, and then
 *	                   unlock_last(), whose last call is to unlock it, unlock_after_switch() the same,
 *	                   and pass_on(), whose last call is to unlock_last(); choose() ends with a call of
 *	                   one of two, and call_by_pointer() can't be told from its code whom it calls; likewise
 *	                   hold_rwlock() and wait_to_read(), wait_to_write(), and hold_mtx() and
 *	                   wait_for_mtx(); wait_for_condition(), wait_for_semaphore() and
 *	                   wait_for_thread() wait 200 ms
 *	functions          every function of locks and conditions, their errors, and that they exclude
 *	cancel             threads that are cancelled while they wait, cleaning up after themselves
 *	busy SECONDS       four threads that fight over one mutex, and count under it
 *	stuck              two threads in a deadlock, one in a condition, one in read(), one that burns,
 *	                   which is joined, until it is killed
 *	ended              a thread that has ended with a mutex held, for which another waits, and a mutex between
 *	                   processes, held by one that has ended, until it is killed
 *
 * Each ends with status 0 only if it saw nothing unexpected.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "tests/agent/burn.h"

#define CHECK(X)                                                                        \
	do {                                                                            \
		if (!(X)) {                                                             \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #X); \
			exit(1);                                                        \
		}                                                                       \
	} while (0)

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static mtx_t c11_mutex;
static cnd_t c11_condition;
static sem_t semaphore, started;
static long counted; /* under the mutex */
static volatile bool done;

/* Not in its callers, whose last calls could not be jumps with its time in their frames (clang). */
__attribute__((noinline)) static void
pause_ms(int ms)
{
	struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

	while (nanosleep(&time, &time) && errno == EINTR)
		continue;
}

static struct timespec
from_now(clockid_t clock, int ms)
{
	struct timespec t;

	clock_gettime(clock, &t);
	t.tv_nsec += ms % 1000 * 1000000L;
	t.tv_sec += ms / 1000 + t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

__attribute__((noinline)) static void *
hold_mutex(void *unused)
{
	CHECK(!pthread_mutex_lock(&mutex));
	sem_post(&started);
	pause_ms(300);
	CHECK(!pthread_mutex_unlock(&mutex));
	burn_sink++;
	return unused;
}

/* Its last call is made by a jump. */
__attribute__((noinline)) static int
unlock_last(void)
{
	CHECK(!pthread_mutex_lock(&mutex));
	sem_post(&started);
	pause_ms(300);
	return pthread_mutex_unlock(&mutex);
}

__attribute__((noinline)) static void *
call_unlock_last(void *unused)
{
	CHECK(!unlock_last());
	burn_sink++;
	return unused;
}

/* Its last call is to a function whose last call is made by a jump, too. */
__attribute__((noinline)) static int
pass_on(void)
{
	burn_sink++;
	return unlock_last();
}

__attribute__((noinline)) static void *
call_pass_on(void *unused)
{
	CHECK(!pass_on());
	burn_sink++;
	return unused;
}

/* A jump by a table is none to another function. */
__attribute__((noinline)) static int
unlock_after_switch(int what)
{
	CHECK(!pthread_mutex_lock(&mutex));
	sem_post(&started);
	switch (what) {
	case 0:
		pause_ms(300);
		break;
	case 1:
		burn_sink *= 7;
		pause_ms(1);
		break;
	case 2:
		pause_ms(2);
		burn_sink++;
		break;
	case 3:
		burn(0.01);
		break;
	case 4:
		pause_ms(5);
		burn_sink -= 3;
		break;
	case 5:
		burn_sink = 0;
		pause_ms(9);
		break;
	default:
		break;
	}
	return pthread_mutex_unlock(&mutex);
}

static volatile int zero;

__attribute__((noinline)) static void *
call_unlock_after_switch(void *unused)
{
	CHECK(!unlock_after_switch(zero));
	burn_sink++;
	return unused;
}

__attribute__((noinline)) static int
unlock_another(void)
{
	CHECK(!pthread_mutex_lock(&second));
	burn_sink++;
	return pthread_mutex_unlock(&second);
}

__attribute__((noinline)) static int
choose(int which)
{
	burn_sink++;
	return which ? unlock_another() : unlock_last();
}

__attribute__((noinline)) static void *
call_choose(void *unused)
{
	CHECK(!choose(zero));
	burn_sink++;
	return unused;
}

static int (*volatile by_pointer)(void) = unlock_last;

__attribute__((noinline)) static void *
call_by_pointer(void *unused)
{
	int (*function)(void) = by_pointer;

	CHECK(!function());
	burn_sink++;
	return unused;
}

__attribute__((noinline)) static void
wait_for_mutex(void)
{
	CHECK(!pthread_mutex_lock(&mutex));
	CHECK(!pthread_mutex_unlock(&mutex));
	burn_sink++;
}

__attribute__((noinline)) static void *
hold_rwlock(void *unused)
{
	CHECK(!pthread_rwlock_wrlock(&rwlock));
	sem_post(&started);
	pause_ms(300);
	CHECK(!pthread_rwlock_unlock(&rwlock));
	burn_sink++;
	return unused;
}

__attribute__((noinline)) static void
wait_to_read(void)
{
	CHECK(!pthread_rwlock_rdlock(&rwlock));
	CHECK(!pthread_rwlock_unlock(&rwlock));
	burn_sink++;
}

__attribute__((noinline)) static void
wait_to_write(void)
{
	CHECK(!pthread_rwlock_wrlock(&rwlock));
	CHECK(!pthread_rwlock_unlock(&rwlock));
	burn_sink++;
}

__attribute__((noinline)) static void *
hold_mtx(void *unused)
{
	CHECK(mtx_lock(&c11_mutex) == thrd_success);
	sem_post(&started);
	pause_ms(300);
	CHECK(mtx_unlock(&c11_mutex) == thrd_success);
	burn_sink++;
	return unused;
}

__attribute__((noinline)) static void
wait_for_mtx(void)
{
	CHECK(mtx_lock(&c11_mutex) == thrd_success);
	CHECK(mtx_unlock(&c11_mutex) == thrd_success);
	burn_sink++;
}

__attribute__((noinline)) static void
wait_for_condition(void)
{
	struct timespec until = from_now(CLOCK_REALTIME, 200);

	CHECK(!pthread_mutex_lock(&second));
	while (pthread_cond_timedwait(&condition, &second, &until) != ETIMEDOUT)
		continue;
	CHECK(!pthread_mutex_unlock(&second));
}

__attribute__((noinline)) static void
wait_for_semaphore(void)
{
	struct timespec until = from_now(CLOCK_REALTIME, 200);

	while (sem_timedwait(&semaphore, &until) && errno == EINTR)
		continue;
	CHECK(errno == ETIMEDOUT);
}

static void *
sleep_200(void *unused)
{
	pause_ms(200);
	return unused;
}

__attribute__((noinline)) static void
wait_for_thread(void)
{
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, sleep_200, NULL));
	CHECK(!pthread_join(thread, NULL));
	burn_sink++;
}

/* Runs `holder` in another thread and `waiter` here, while that one holds. */
static void
meet(void *(*holder)(void *), void (*waiter)(void))
{
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, holder, NULL));
	CHECK(!sem_wait(&started));
	waiter();
	pthread_join(thread, NULL);
}

static int
known(void)
{
	meet(hold_mutex, wait_for_mutex);
	meet(call_unlock_last, wait_for_mutex);
	meet(call_unlock_after_switch, wait_for_mutex);
	meet(call_pass_on, wait_for_mutex);
	meet(call_choose, wait_for_mutex);
	meet(call_by_pointer, wait_for_mutex);
	meet(hold_rwlock, wait_to_read);
	meet(hold_rwlock, wait_to_write);
	meet(hold_mtx, wait_for_mtx);
	wait_for_condition();
	wait_for_semaphore();
	wait_for_thread();
	puts("ready");
	fflush(stdout);
	for (;;)
		pause_ms(1000);
	return 0;
}

static void *
held(void *type)
{
	pthread_mutexattr_t attr;
	pthread_mutex_t m;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, (int)(intptr_t)type);
	CHECK(!pthread_mutex_init(&m, &attr));
	CHECK(!pthread_mutex_lock(&m));
	CHECK(pthread_mutex_trylock(&m) == (type == (void *)PTHREAD_MUTEX_RECURSIVE ? 0 : EBUSY));
	if (type == (void *)PTHREAD_MUTEX_RECURSIVE) {
		CHECK(!pthread_mutex_lock(&m));
		CHECK(!pthread_mutex_unlock(&m) && !pthread_mutex_unlock(&m));
	}
	if (type == (void *)PTHREAD_MUTEX_ERRORCHECK)
		CHECK(pthread_mutex_lock(&m) == EDEADLK);
	CHECK(!pthread_mutex_unlock(&m));
	if (type == (void *)PTHREAD_MUTEX_ERRORCHECK)
		CHECK(pthread_mutex_unlock(&m) == EPERM);
	CHECK(!pthread_mutex_destroy(&m));
	return NULL;
}

static void *
time_out(void *unused)
{
	struct timespec real = from_now(CLOCK_REALTIME, 20), mono = from_now(CLOCK_MONOTONIC, 20);

	CHECK(pthread_mutex_timedlock(&mutex, &real) == ETIMEDOUT);
	CHECK(pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &mono) == ETIMEDOUT);
	CHECK(pthread_rwlock_timedrdlock(&rwlock, &real) == ETIMEDOUT);
	CHECK(pthread_rwlock_timedwrlock(&rwlock, &real) == ETIMEDOUT);
	CHECK(pthread_rwlock_clockrdlock(&rwlock, CLOCK_MONOTONIC, &mono) == ETIMEDOUT);
	CHECK(pthread_rwlock_clockwrlock(&rwlock, CLOCK_MONOTONIC, &mono) == ETIMEDOUT);
	CHECK(!pthread_mutex_lock(&second));
	CHECK(pthread_cond_timedwait(&condition, &second, &real) == ETIMEDOUT);
	CHECK(pthread_cond_clockwait(&condition, &second, CLOCK_MONOTONIC, &mono) == ETIMEDOUT);
	CHECK(!pthread_mutex_unlock(&second));
	CHECK(sem_timedwait(&semaphore, &real) == -1 && errno == ETIMEDOUT);
	CHECK(sem_clockwait(&semaphore, CLOCK_MONOTONIC, &mono) == -1 && errno == ETIMEDOUT);
	CHECK(sem_trywait(&semaphore) == -1 && errno == EAGAIN);
	return unused;
}

static int
return_seven(void *unused)
{
	(void)unused;
	return 7;
}

static int
time_out_of_c11(void *unused)
{
	struct timespec real = from_now(CLOCK_REALTIME, 20);
	mtx_t own;

	(void)unused;
	CHECK(mtx_timedlock(&c11_mutex, &real) == thrd_timedout);
	CHECK(mtx_init(&own, mtx_recursive | mtx_timed) == thrd_success);
	CHECK(mtx_lock(&own) == thrd_success && mtx_lock(&own) == thrd_success);
	CHECK(cnd_timedwait(&c11_condition, &own, &real) == thrd_timedout);
	CHECK(mtx_unlock(&own) == thrd_success && mtx_unlock(&own) == thrd_success);
	mtx_destroy(&own);
	return 0;
}

static void
functions_of_c11(void)
{
	thrd_t thread;
	int result;

	CHECK(mtx_lock(&c11_mutex) == thrd_success);
	CHECK(thrd_create(&thread, time_out_of_c11, NULL) == thrd_success);
	CHECK(thrd_join(thread, &result) == thrd_success && result == 0);
	CHECK(thrd_create(&thread, return_seven, NULL) == thrd_success);
	CHECK(thrd_join(thread, &result) == thrd_success && result == 7);
	CHECK(mtx_unlock(&c11_mutex) == thrd_success);
}

static int
functions(void)
{
	pthread_t thread;
	void *result;

	for (intptr_t type = PTHREAD_MUTEX_NORMAL; type <= PTHREAD_MUTEX_ERRORCHECK; type++)
		held((void *)type);
	CHECK(!pthread_mutex_lock(&mutex) && !pthread_rwlock_wrlock(&rwlock));
	CHECK(!pthread_create(&thread, NULL, time_out, &counted));
	CHECK(!pthread_join(thread, &result) && result == &counted);
	CHECK(pthread_join(pthread_self(), NULL) == EDEADLK);
	CHECK(!pthread_mutex_unlock(&mutex) && !pthread_rwlock_unlock(&rwlock));
	CHECK(!pthread_rwlock_rdlock(&rwlock) && !pthread_rwlock_rdlock(&rwlock));
	CHECK(!pthread_rwlock_unlock(&rwlock) && !pthread_rwlock_unlock(&rwlock));
	CHECK(!sem_post(&semaphore) && !sem_wait(&semaphore));
	functions_of_c11();
	puts("functions: in order");
	return 0;
}

static int cleaned;

static void
clean(void *unlock)
{
	cleaned++;
	if (unlock)
		pthread_mutex_unlock(unlock);
}

static void *
wait_in_condition(void *unused)
{
	CHECK(!pthread_mutex_lock(&second));
	pthread_cleanup_push(clean, &second);
	sem_post(&started);
	for (;;)
		pthread_cond_wait(&condition, &second);
	pthread_cleanup_pop(1);
	return unused;
}

static void *
wait_in_semaphore(void *unused)
{
	pthread_cleanup_push(clean, NULL);
	sem_post(&started);
	for (;;)
		sem_wait(&semaphore);
	pthread_cleanup_pop(1);
	return unused;
}

static int
cancel(void)
{
	void *result;

	for (int i = 0; i < 200; i++) {
		pthread_t thread;
		CHECK(!pthread_create(
		    &thread, NULL, i % 2 ? wait_in_condition : wait_in_semaphore, NULL));
		CHECK(!sem_wait(&started));
		if (i % 4)
			pause_ms(1);
		CHECK(!pthread_cancel(thread) && !pthread_join(thread, &result));
		CHECK(result == PTHREAD_CANCELED && cleaned == i + 1);
	}
	CHECK(!pthread_mutex_lock(&second) && !pthread_mutex_unlock(&second));
	puts("cancelled");
	return 0;
}

__attribute__((noinline)) static void *
fight(void *own)
{
	while (!done) {
		CHECK(!pthread_mutex_lock(&mutex));
		for (int i = 0; i < 100; i++)
			__asm__ volatile("incq %0" : "+m"(counted));
		CHECK(!pthread_mutex_unlock(&mutex));
		++*(long *)own;
	}
	return NULL;
}

static int
busy(double seconds)
{
	static long own[4][16];
	pthread_t threads[4];
	long all = 0;

	for (int i = 0; i < 4; i++)
		CHECK(!pthread_create(&threads[i], NULL, fight, own[i]));
	pause_ms((int)(seconds * 1000));
	done = true;
	for (int i = 0; i < 4; i++) {
		CHECK(!pthread_join(threads[i], NULL));
		all += own[i][0];
	}
	CHECK(counted == all * 100);
	printf("%ld turns\n", all);
	return 0;
}

__attribute__((noinline)) static void *
first_then_second(void *unused)
{
	CHECK(!pthread_mutex_lock(&mutex));
	pause_ms(100);
	CHECK(!pthread_mutex_lock(&second));
	return unused;
}

__attribute__((noinline)) static void *
second_then_first(void *unused)
{
	CHECK(!pthread_mutex_lock(&second));
	pause_ms(100);
	CHECK(!pthread_mutex_lock(&mutex));
	return unused;
}

__attribute__((noinline)) static void *
wait_for_ever(void *unused)
{
	static pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER;

	CHECK(!pthread_mutex_lock(&own));
	for (;;)
		pthread_cond_wait(&condition, &own);
	return unused;
}

__attribute__((noinline)) static void *
read_for_ever(void *unused)
{
	int fds[2];
	char byte;

	CHECK(!pipe(fds));
	CHECK(read(fds[0], &byte, 1) == 1);
	return unused;
}

__attribute__((noinline)) static void *
burn_for_ever(void *unused)
{
	for (;;)
		burn(0.01);
	return unused;
}

static int
stuck(void)
{
	static void *(*const runs[])(void *) = {
	    first_then_second, second_then_first, wait_for_ever, read_for_ever, burn_for_ever};
	pthread_t thread;

	for (size_t i = 0; i < sizeof runs / sizeof *runs; i++)
		CHECK(!pthread_create(&thread, NULL, runs[i], NULL));
	pause_ms(500);
	puts("ready");
	fflush(stdout);
	pthread_join(thread, NULL);
	return 1;
}

static pthread_mutex_t *between; /* processes */

__attribute__((noinline)) static void *
lock_and_end(void *m)
{
	CHECK(!pthread_mutex_lock(m));
	return NULL;
}

__attribute__((noinline)) static void *
wait_for_ended(void *unused)
{
	CHECK(!pthread_mutex_lock(&second));
	burn_sink++;
	return unused;
}

__attribute__((noinline)) static void *
wait_for_process(void *unused)
{
	CHECK(!pthread_mutex_lock(between));
	burn_sink++;
	return unused;
}

static int
ended(void)
{
	pthread_mutexattr_t attr;
	pthread_t thread;
	siginfo_t info;
	pid_t child;

	between =
	    mmap(NULL, sizeof *between, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(between != MAP_FAILED && !pthread_mutexattr_init(&attr));
	CHECK(!pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED));
	CHECK(!pthread_mutex_init(between, &attr));
	CHECK((child = fork()) >= 0);
	if (!child) {
		pthread_mutex_lock(between);
		_exit(0);
	}
	/* It stays a zombie, as of a program that asks for none of its children. */
	CHECK(!waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) && !info.si_status);
	CHECK(!pthread_create(&thread, NULL, lock_and_end, &second) && !pthread_join(thread, NULL));
	CHECK(!pthread_create(&thread, NULL, wait_for_ended, NULL));
	CHECK(!pthread_create(&thread, NULL, wait_for_process, NULL));
	puts("ready");
	fflush(stdout);
	for (;;)
		pause_ms(1000);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	CHECK(!sem_init(&semaphore, 0, 0) && !sem_init(&started, 0, 0));
	CHECK(mtx_init(&c11_mutex, mtx_timed) == thrd_success);
	CHECK(cnd_init(&c11_condition) == thrd_success);
	if (!strcmp(mode, "known"))
		return known();
	if (!strcmp(mode, "functions"))
		return functions();
	if (!strcmp(mode, "cancel"))
		return cancel();
	if (!strcmp(mode, "stuck"))
		return stuck();
	if (!strcmp(mode, "ended"))
		return ended();
	return !strcmp(mode, "busy") ? busy(argc > 2 ? strtod(argv[2], NULL) : 1) : 2;
}
