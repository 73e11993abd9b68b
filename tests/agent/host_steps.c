/*
 * host_steps.c: hosts that an agent with single steps could break.
 *
 *	default SECONDS    resets SIGTRAP to what it was, as some runtimes do to all signals at their start
 *	raw SECONDS        the same past libc
 *	ignore SECONDS     ignores SIGTRAP, and sends it
 *	take SECONDS       handles SIGTRAP itself while other threads work: its handler must see its own alone
 *	chain SECONDS      asks what was there, takes it, and puts it back
 *	int3, kill         a trap of its own, and one that is sent, while others work
 *	flags SECONDS      looks at the flags: by pushf, behind system calls, in a handler
 *	mask SECONDS       blocks and unblocks all signals
 *	jump SECONDS       leaves handlers by siglongjmp, in threads that end there
 *	slow SECONDS       a handler that takes longer than a sample
 *	alt SECONDS        handlers on the smallest stack of their own
 *	cancel SECONDS     threads that are cancelled in the middle of their work
 *	spawn SECONDS      fork, also in handlers, vfork and exec, posix_spawn
 *	coroutines SECONDS many small stacks in turn
 *	faults SECONDS     a handler that mends the access which it was called for
 *	code SECONDS       code in memory that no file backs, written anew each time
 *	restart SECONDS    stops and starts the agent while threads work
 *
 * What is printed and returned is the same with and without an agent.
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "tests/agent/burn.h"

enum { WORKERS = 3, PAGE = 4096, COROUTINES = 8 };

#define TRAP_FLAG 0x100UL

static int64_t end;
static _Atomic int traps, strange;
static _Atomic bool over;

/* Short calls of many kinds, so that bursts meet all of them. */
__attribute__((noinline)) static uint64_t
mix(uint64_t x, int depth)
{
	char text[32];

	snprintf(text, sizeof text, "%llx", (unsigned long long)x);
	return depth ? mix(x * 31 + strlen(text), depth - 1) : x ^ strtoull(text, NULL, 16);
}

static pid_t parent; /* 0: nobody forks */

/* In children: something to do, then the end. */
static void
end_if_child(void)
{
	if (!parent || getpid() == parent)
		return;
	for (uint64_t x = 0; x < 100; x++)
		burn_sink += mix(x, 3);
	_exit(0);
}

/* A handler that forks may have interrupted any thread: its child goes on as this one. */
static void *
work(void *unused)
{
	(void)unused;
	for (uint64_t x = 1; !over; burn_sink += mix(x++, 3))
		if (x % 64 == 0)
			end_if_child();
	return NULL;
}

static pthread_t workers[WORKERS];

static int
start_workers(void)
{
	for (int i = 0; i < WORKERS; i++)
		if (pthread_create(&workers[i], NULL, work, NULL))
			return 1;
	burn(.1);
	return 0;
}

static int
end_workers(void)
{
	over = true;
	return pthread_join(workers[0], NULL) | pthread_join(workers[1], NULL) |
	       pthread_join(workers[2], NULL);
}

static int
set(int number, void (*handler)(int), int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

	return sigaction(number, &action, NULL);
}

static int
set_info(int number, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = flags | SA_SIGINFO};

	return sigaction(number, &action, NULL);
}

/* SIGALRM every so many microseconds. */
static int
alarms(int micros)
{
	struct itimerval every = {{.tv_usec = micros}, {.tv_usec = micros}};

	return setitimer(ITIMER_REAL, &every, NULL);
}

static int
reset(void)
{
	if (start_workers() || signal(SIGTRAP, SIG_DFL) == SIG_ERR)
		return 1;
	while (go_on(end))
		burn_sink += mix(3, 3);
	return end_workers();
}

/* As runtimes without a libc do: before any other thread is there. */
static int
reset_raw(void)
{
	struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		uint64_t mask;
	} plain = {0};

	burn(.1);
	if (syscall(SYS_rt_sigaction, SIGTRAP, &plain, NULL, 8) || start_workers())
		return 1;
	while (go_on(end))
		burn_sink += mix(3, 3);
	return end_workers();
}

static int
ignore(void)
{
	if (start_workers() || set(SIGTRAP, SIG_IGN, 0))
		return 1;
	while (go_on(end)) {
		burn(.01);
		if (kill(getpid(), SIGTRAP))
			return 1;
	}
	return end_workers();
}

static void
on_trap(int number, siginfo_t *info, void *context)
{
	(void)number, (void)context;
	atomic_fetch_add(info->si_code == TRAP_TRACE ? &strange : &traps, 1);
}

static int
take(void)
{
	if (start_workers() || set_info(SIGTRAP, on_trap, 0))
		return 1;
	__asm__ volatile("int3");
	raise(SIGTRAP);
	while (go_on(end))
		burn(.01);
	printf("%d traps, %d strange\n", traps, strange);
	return end_workers();
}

static int
chain(void)
{
	struct sigaction before, again, mine = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};

	if (start_workers())
		return 1;
	sigaction(SIGTRAP, NULL, &before);
	printf("handled before: %d\n", before.sa_handler != SIG_DFL);
	sigaction(SIGTRAP, &mine, &before);
	printf("handled before: %d\n", before.sa_handler != SIG_DFL);
	__asm__ volatile("int3");
	sigaction(SIGTRAP, &before, &again);
	printf("mine: %d, %d traps, %d strange\n", again.sa_sigaction == on_trap, traps, strange);
	while (go_on(end))
		burn(.01);
	return end_workers();
}

static int
breakpoint(void)
{
	if (start_workers())
		return 1;
	burn(.2);
	__asm__ volatile("int3");
	puts("still here");
	return end_workers();
}

static int
sent(void)
{
	if (start_workers())
		return 1;
	burn(.2);
	kill(getpid(), SIGTRAP);
	sleep(1);
	puts("still here");
	return end_workers();
}

static unsigned long
flags_pushed(void)
{
	unsigned long flags;

	__asm__ volatile("subq $128, %%rsp\n\tpushfq\n\tpopq %0\n\taddq $128, %%rsp"
	    : "=r"(flags)
	    :
	    : "cc", "memory");
	return flags;
}

static unsigned long
flags_of_call(void)
{
	unsigned long flags;
	long result;

	__asm__ volatile("syscall\n\tmovq %%r11, %1"
	    : "=a"(result), "=r"(flags)
	    : "0"(SYS_getppid)
	    : "rcx", "r11", "memory");
	return flags;
}

static void
on_flags(int number)
{
	(void)number;
	traps |= (flags_pushed() & TRAP_FLAG) != 0;
}

static int
flags(void)
{
	if (start_workers() || set(SIGALRM, on_flags, SA_RESTART) || alarms(500))
		return 1;
	while (go_on(end))
		for (int i = 0; i < 100; i++)
			strange |= ((flags_pushed() | flags_of_call()) & TRAP_FLAG) != 0;
	alarms(0);
	printf("seen %d, in a handler %d\n", strange, traps);
	return end_workers();
}

static int
mask(void)
{
	sigset_t all, before;

	if (start_workers())
		return 1;
	sigfillset(&all);
	while (go_on(end)) {
		for (int i = 0; i < 100; i++) {
			pthread_sigmask(SIG_SETMASK, &all, &before);
			burn_sink += mix(7, 2);
			pthread_sigmask(SIG_SETMASK, &before, NULL);
			burn_sink += mix(7, 2);
		}
	}
	return end_workers();
}

static __thread sigjmp_buf out;
static __thread volatile bool may_jump;

static void
on_jump(int number)
{
	(void)number;
	if (may_jump)
		siglongjmp(out, 1);
}

static void *
jump_and_end(void *unused)
{
	(void)unused;
	if (!sigsetjmp(out, 1)) {
		may_jump = true;
		for (uint64_t x = 1;; x++)
			burn_sink += x * 3;
	}
	may_jump = false;
	return NULL;
}

static int
jump(void)
{
	set(SIGUSR1, on_jump, 0);
	while (go_on(end)) {
		pthread_t threads[WORKERS];
		for (int i = 0; i < WORKERS; i++)
			if (pthread_create(&threads[i], NULL, jump_and_end, NULL))
				return 1;
		burn(.01);
		for (int i = 0; i < WORKERS; i++) {
			while (pthread_tryjoin_np(threads[i], NULL)) {
				pthread_kill(threads[i], SIGUSR1);
				usleep(500);
			}
		}
	}
	return 0;
}

static void
on_slow(int number)
{
	(void)number;
	burn(.02);
}

static int
slow(void)
{
	struct itimerval once = {.it_value = {.tv_usec = 2000}};

	if (start_workers() || set(SIGALRM, on_slow, SA_RESTART))
		return 1;
	while (go_on(end)) {
		setitimer(ITIMER_REAL, &once, NULL);
		for (uint64_t i = 0; i < 10000; i++)
			burn_sink += mix(i, 3);
	}
	once.it_value.tv_usec = 0;
	setitimer(ITIMER_REAL, &once, NULL);
	return end_workers();
}

static void
on_alt(int number)
{
	(void)number;
	for (int i = 0; i < 100; i++)
		burn_sink += (uint64_t)i * 3;
}

static int
alt(void)
{
	size_t size = (size_t)sysconf(_SC_SIGSTKSZ);
	stack_t stack = {.ss_sp = malloc(size), .ss_size = size};

	if (start_workers() || sigaltstack(&stack, NULL) ||
	    set(SIGALRM, on_alt, SA_ONSTACK | SA_RESTART) || alarms(300))
		return 1;
	while (go_on(end))
		burn_sink += mix(5, 3);
	alarms(0);
	stack.ss_flags = SS_DISABLE;
	sigaltstack(&stack, NULL);
	free(stack.ss_sp);
	return end_workers();
}

static void *
endless(void *unused)
{
	(void)unused; /* but cancelled */
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	for (uint64_t x = 1;; x++)
		burn_sink += x;
	return NULL;
}

static int
cancel(void)
{
	while (go_on(end)) {
		pthread_t thread;
		void *result;
		if (pthread_create(&thread, NULL, endless, NULL))
			return 1;
		burn(.004);
		pthread_cancel(thread);
		pthread_join(thread, &result);
		if (result != PTHREAD_CANCELED)
			return 1;
	}
	return 0;
}

static void
on_fork(int number)
{
	pid_t child = fork();
	int status = 1;

	(void)number;
	if (child == 0)
		return; /* into the middle of whatever was interrupted */
	if (child > 0 && waitpid(child, &status, 0) == child && status)
		atomic_fetch_add(&strange, 1);
}

static int
spawn(void)
{
	static char name[] = "true";
	char *arguments[] = {name, NULL}, *environment[] = {NULL};
	pid_t child;
	int status;

	parent = getpid();
	if (start_workers() || set(SIGALRM, on_fork, SA_RESTART) || alarms(20000))
		return 1;
	while (go_on(end)) {
		for (int i = 0; i < 50; i++) {
			burn_sink += mix((uint64_t)i, 3);
			end_if_child();
		}
		status = 1;
		if (posix_spawn(&child, "/bin/true", NULL, NULL, arguments, environment) ||
		    (waitpid(child, &status, 0) == child && status))
			strange++;
		end_if_child();
		child = vfork();
		if (child == 0) {
			execve("/bin/true", arguments, environment);
			_exit(1);
		}
		if (waitpid(child, &status, 0) == child && status)
			strange++;
		end_if_child();
	}
	/* The last alarm may still be on its way, to a worker as well: its child must find nothing to print. */
	if (alarms(0) || set(SIGALRM, SIG_IGN, 0))
		return 1;
	end_if_child();
	if (end_workers())
		return 1;
	printf("%d went wrong\n", strange);
	return 0;
}

static ucontext_t home, coroutine[COROUTINES];

static void
run(int number)
{
	for (uint64_t x = (uint64_t)number;; x++) {
		burn_sink += mix(x, 1);
		swapcontext(&coroutine[number], &home);
	}
}

static int
coroutines(void)
{
	static _Alignas(16) char stacks[COROUTINES][16 << 10];

	for (int i = 0; i < COROUTINES; i++) {
		getcontext(&coroutine[i]);
		coroutine[i].uc_stack.ss_sp = stacks[i];
		coroutine[i].uc_stack.ss_size = sizeof stacks[i];
		makecontext(&coroutine[i], (void (*)(void))run, 1, i);
	}
	while (go_on(end))
		for (int i = 0; i < COROUTINES * 10; i++)
			swapcontext(&home, &coroutine[i % COROUTINES]);
	return 0;
}

static char *guarded;

static void
on_fault(int number, siginfo_t *info, void *context)
{
	(void)number, (void)context;
	if ((char *)info->si_addr < guarded || (char *)info->si_addr >= guarded + PAGE)
		abort();
	mprotect(guarded, PAGE, PROT_READ | PROT_WRITE);
}

static int
faults(void)
{
	guarded = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (guarded == MAP_FAILED || start_workers() || set_info(SIGSEGV, on_fault, 0))
		return 1;
	while (go_on(end)) {
		for (int i = 0; i < 200; i++) {
			((volatile char *)guarded)[i]++;
			mprotect(guarded, PAGE, PROT_NONE);
		}
	}
	return end_workers();
}

/* lea 1(%rdi), %rax; ret, behind nops. */
static int
code(void)
{
	static const uint8_t add_one[] = {0x48, 0x8d, 0x47, 0x01, 0xc3};
	uint64_t x = 0, calls = 0;

	if (start_workers())
		return 1;
	while (go_on(end)) {
		uint8_t *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (page == MAP_FAILED)
			return 1;
		memset(page, 0x90, PAGE);
		memcpy(page + PAGE - sizeof add_one, add_one, sizeof add_one);
		for (int i = 0; i < 50; i++, calls++)
			x = ((uint64_t (*)(uint64_t))(uintptr_t)page)(x);
		munmap(page, PAGE);
	}
	printf("%d\n", x == calls);
	return end_workers();
}

int profuse_agent_start(void) __attribute__((weak));
void profuse_agent_stop(void) __attribute__((weak));

static int
restart(void)
{
	struct sigaction now;

	if (start_workers())
		return 1;
	while (go_on(end)) {
		burn(.05);
		if (profuse_agent_stop)
			profuse_agent_stop();
		burn(.01);
		if (profuse_agent_start)
			profuse_agent_start();
	}
	if (profuse_agent_stop)
		profuse_agent_stop();
	syscall(SYS_rt_sigaction, SIGTRAP, NULL, &now,
	    8); /* the kernel's begins with the handler, too */
	printf("handled in the end: %d\n", now.sa_handler != SIG_DFL);
	return end_workers();
}

static const struct {
	const char *name;
	int (*run)(void);
} modes[] = {{"default", reset}, {"raw", reset_raw}, {"ignore", ignore}, {"take", take},
    {"chain", chain}, {"int3", breakpoint}, {"kill", sent}, {"flags", flags}, {"mask", mask},
    {"jump", jump}, {"slow", slow}, {"alt", alt}, {"cancel", cancel}, {"spawn", spawn},
    {"coroutines", coroutines}, {"faults", faults}, {"code", code}, {"restart", restart}};

int
main(int argc, char **argv)
{
	double seconds = argc > 2 ? strtod(argv[2], NULL) : 1;
	const char *mode = argc > 1 ? argv[1] : "";

	end = clock_ns(CLOCK_MONOTONIC) + (int64_t)(seconds * 1e9);
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
		if (!strcmp(mode, modes[i].name))
			return modes[i].run();
	return 2;
}
