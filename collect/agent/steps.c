/* steps.c: see steps.h. */
#include "collect/agent/steps.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collect/agent/hooks.h"
#include "collect/agent/host.h"
#include "collect/agent/latch.h"
#include "collect/agent/slots.h"
#include "collect/agent/step_code.h"
#include "collect/agent/step_ranges.h"

#define TRAP_FLAG 0x100LL
#define CALLS (UINT64_C(1) << 63) /* of a recorded address: the instruction there is a call */

enum {
	MOST_TRAPS = 2 * PF_STEPS, /* a string instruction traps at each of its bytes */
	TRIAL = 64,                /* steps to measure one */
	TRIALS = 3,
	CODE_SEGMENT = 0xffff, /* of REG_CSGSFS */
	SOON = 100,            /* of PF_HOST_MOMENT: 20 ms in all */
	LONG = 5000,
};

static struct {
	struct pf_slots *_Atomic slots; /* where bursts go; NULL: none begin, running ones end */
	_Atomic uint32_t generation;    /* of the slots: a burst of another one is over */
	_Atomic uint32_t every,
	    owed;                 /* periods of the timer: for a burst, and since the last one */
	_Atomic int inside;       /* handlers running now */
	_Atomic int flagged;      /* contexts with the trap flag, running or interrupted */
	_Atomic bool installed;   /* the handler is */
	struct pf_latch changing; /* held while it is changed whose the signal is */
	bool given;               /* to the host, for good */
	double nanos;             /* a step takes; 0: not measured yet */
	struct pf_own_fd status;  /* of the process, which names its debugger */
} steps = {.status = {.fd = -1}};

/* As the kernel has it. */
struct kernel_action {
	void (*handler)(int, siginfo_t *, void *);
	unsigned long flags;
	void *restorer;
	uint64_t mask;
};

/* A thread's burst. */
static __thread struct {
	struct pf_slot *slot; /* NULL: none */
	uint32_t generation;
	uint32_t traps;  /* left */
	uint64_t before; /* where the last step was taken */
	uint32_t trial;  /* steps of a trial still to come */
	int flagged;     /* contexts of this thread's */
} burst __attribute__((tls_model("initial-exec")));

static greg_t *
flags_of(ucontext_t *context)
{
	return &context->uc_mcontext.gregs[REG_EFL];
}

static void
flag(ucontext_t *context)
{
	*flags_of(context) |= TRAP_FLAG;
	burst.flagged++;
	atomic_fetch_add(&steps.flagged, 1);
}

static void
unflag(ucontext_t *context)
{
	*flags_of(context) &= ~TRAP_FLAG;
	if (burst.flagged == 0)
		return; /* a context that has come from another thread */
	burst.flagged--;
	atomic_fetch_sub(&steps.flagged, 1);
}

/* Past libc, where a wrapper of the agent's stands in front of it for the host. */
static int
act(const struct sigaction *action, struct sigaction *before)
{
	return pf_hooks_sigaction ? pf_hooks_sigaction(SIGTRAP, action, before)
				  : sigaction(SIGTRAP, action, before);
}

/* What is at pc, where so many bytes may be entered. */
static enum pf_step_code
code_at(uint64_t pc, size_t room)
{
	return room ? pf_step_code((const uint8_t *)(uintptr_t)pc, room) : PF_INSTRUCTION_ENDS;
}

static uint64_t *
recorded(const struct pf_slot *slot)
{
	return (uint64_t *)(void *)(uintptr_t)slot->stack;
}

static void
finish(struct pf_slots *slots)
{
	pf_slots_ready(slots, burst.slot);
	burst.slot = NULL;
}

/* Writes down where a step has led; whether to take another. */
static bool
record(uint64_t pc)
{
	struct pf_slot *slot = burst.slot;
	size_t room = pf_step_room(pc);
	enum pf_step_code code = code_at(pc, room);
	bool again = pc == burst.before; /* the same string instruction, at its next byte */

	burst.before = pc;
	burst.traps--;
	if (!again && room)
		recorded(slot)[slot->weight++] = pc | (code == PF_INSTRUCTION_CALLS ? CALLS : 0);
	return code != PF_INSTRUCTION_ENDS && slot->weight < PF_STEPS && burst.traps > 0;
}

/* Whether to take another step from here. */
static bool
follow(const ucontext_t *context)
{
	struct pf_slots *slots = atomic_load(&steps.slots);

	if (!slots || burst.generation != atomic_load(&steps.generation))
		burst.slot = NULL; /* of a table that is gone */
	if (!burst.slot)
		return false;
	if (record((uint64_t)context->uc_mcontext.gregs[REG_RIP]))
		return true;
	finish(slots);
	return false;
}

/* After a step: the handler runs without the flag, its return sets it again. */
static void
step(ucontext_t *context)
{
	if (burst.trial) {
		if (--burst.trial == 0)
			*flags_of(context) &= ~TRAP_FLAG;
	} else if (!follow(context)) {
		unflag(context);
	}
}

/* No burst begins any more, and those that run end at their next step. */
static void
end_bursts(void)
{
	atomic_store(&steps.slots, NULL);
	atomic_fetch_add(&steps.generation, 1);
}

/* Waits until no more than this many contexts have the flag; whether it is so. One that was left by longjmp stays. */
static bool
wait_for_bursts(int most, int moments)
{
	return pf_host_wait(&steps.flagged, most, moments);
}

/*
 * Somebody else's trap ends the process, as it would have, and is what its core dump
 * tells of: not a step of another thread's that comes when there is no handler any more.
 */
static void
pass_on(siginfo_t *info, ucontext_t *context)
{
	struct sigaction plain = {.sa_handler = SIG_DFL};

	sigemptyset(&plain.sa_mask);
	end_bursts();
	if (burst.flagged)
		unflag(context);
	wait_for_bursts(burst.flagged, SOON);
	act(&plain, NULL);
	if (syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), SIGTRAP, info))
		__asm__ volatile(
		    "int3"); /* a filter allows no such call: blocked, so it ends all the same */
}

static void
on_trap(int number, siginfo_t *info, void *context)
{
	int saved_errno = errno;

	(void)number;
	atomic_fetch_add(&steps.inside, 1);
	if (info->si_code == TRAP_TRACE ||
	    (info->si_code > 0 && *flags_of(context) & TRAP_FLAG)) /* other kernels' word for it */
		step(context);
	else
		pass_on(info, context);
	atomic_fetch_sub(&steps.inside, 1);
	errno = saved_errno;
}

/*
 * Whether a trap would come to the handler now: asked each time, because a host may have changed that
 * by a system call of its own. One that has put itself under a filter since is not followed:
 * the question could be what it is ended for.
 */
static bool
is_safe(void)
{
	struct kernel_action now;

	if (pf_host_confined())
		return false;
	return !syscall(SYS_rt_sigaction, SIGTRAP, NULL, &now, sizeof now.mask) &&
	       now.handler == on_trap && !pf_host_traced(steps.status.fd);
}

/* Code of another mode reads otherwise. */
static bool
is_our_mode(const ucontext_t *context)
{
	uint16_t segment;

	__asm__("movw %%cs, %0" : "=r"(segment));
	return (context->uc_mcontext.gregs[REG_CSGSFS] & CODE_SEGMENT) == segment;
}

/* Whether enough periods have gone by since the last burst. Threads that ask at once may both be told so. */
static bool
is_due(uint32_t periods)
{
	return atomic_fetch_add_explicit(&steps.owed, periods, memory_order_relaxed) + periods >=
	       atomic_load_explicit(&steps.every, memory_order_relaxed);
}

/* What went by beyond a burst's worth counts for the next one, but makes no two of them. */
static void
pay(void)
{
	uint32_t every = atomic_load_explicit(&steps.every, memory_order_relaxed);
	uint32_t owed = atomic_load_explicit(&steps.owed, memory_order_relaxed);
	uint32_t left = owed > every ? owed - every : 0;

	atomic_store_explicit(&steps.owed, left < every ? left : every - 1, memory_order_relaxed);
}

/*
 * Whether a system call has just returned here. Its time was the kernel's; a burst would say how often
 * one waits, not what the program does.
 */
static bool
after_system_call(uint64_t pc)
{
	const uint8_t *before = (const uint8_t *)(uintptr_t)(pc - 2);

	return pf_step_room(pc - 2) > 2 && before[0] == 0x0f && before[1] == 0x05;
}

void
pf_steps_begin(ucontext_t *context, uint32_t periods)
{
	uint32_t generation =
	    atomic_load(&steps.generation); /* first: a table that comes now is not its own */
	struct pf_slots *slots = atomic_load(&steps.slots);
	uint64_t pc = (uint64_t)context->uc_mcontext.gregs[REG_RIP];

	if (!slots || *flags_of(context) & TRAP_FLAG || !is_due(periods))
		return;
	if (sigismember(&context->uc_sigmask, SIGTRAP) || !is_our_mode(context) ||
	    code_at(pc, pf_step_room(pc)) == PF_INSTRUCTION_ENDS || after_system_call(pc) ||
	    !is_safe())
		return;
	pay();
	/* A burst that was left by a jump out of a signal handler has lost its flag: it ends here. */
	if (burst.slot && burst.generation == generation)
		finish(slots);
	burst.slot = pf_slots_claim(slots);
	if (!burst.slot)
		return;
	burst.generation = generation;
	burst.slot->kind = PF_SLOT_STEPS;
	burst.slot->weight = 0;
	burst.traps = MOST_TRAPS;
	burst.before = 0;
	flag(context);
	if (atomic_load(&steps.slots) !=
	    slots) /* they were ended meanwhile, and who did so may not have seen this one */
		unflag(context);
}

static bool
ours(const struct sigaction *action)
{
	return (action->sa_flags & SA_SIGINFO) && action->sa_sigaction == on_trap;
}

/* Whether traps come to us; takes the signal if nobody has it. */
static bool
install(void)
{
	struct sigaction now, mine = {.sa_sigaction = on_trap};

	mine.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
	/* No sample of the handler itself: what comes meanwhile comes after it. */
	sigfillset(&mine.sa_mask);
	if (steps.given || act(NULL, &now))
		return false;
	if (ours(&now))
		return true;
	if (steps.installed || (now.sa_flags & SA_SIGINFO) || now.sa_handler != SIG_DFL)
		return false;
	steps.installed = !act(&mine, NULL);
	return steps.installed;
}

/* To its default, if it is still ours. */
static void
give_back(void)
{
	struct sigaction now, plain = {.sa_handler = SIG_DFL};

	sigemptyset(&plain.sa_mask);
	if (!act(NULL, &now) && ours(&now) && !act(&plain, NULL))
		steps.installed = false;
}

bool
pf_steps_asked(bool plain)
{
	struct pf_signals before;

	if (!steps.installed || plain)
		return steps.installed;
	pf_signals_block(&before);
	if (pf_latch_take(&steps.changing)) {
		end_bursts();
		wait_for_bursts(burst.flagged, LONG);
		give_back();
		steps.given = true;
		pf_latch_give(&steps.changing);
	}
	pf_signals_restore(&before);
	return false;
}

/* Steps through a loop; the nanoseconds of CPU time that a step took, or 0: there were no traps. */
static double
try_steps(void)
{
	int64_t before = pf_host_thread_cpu();
	uint32_t turns = TRIAL;

	burst.trial = TRIAL;
	__asm__ volatile("subq $128, %%rsp\n\t" /* the red zone */
			 "pushfq\n\t"
			 "orq $0x100, (%%rsp)\n\t"
			 "popfq\n"
			 "0:\n\t"
			 "decl %0\n\t"
			 "jnz 0b\n\t"
			 "addq $128, %%rsp"
	    : "+r"(turns)
	    :
	    : "cc", "memory");
	if (burst.trial) {
		burst.trial = 0;
		return 0;
	}
	return (double)(pf_host_thread_cpu() - before) / TRIAL;
}

/* What a step takes: the least of a few trials. */
static double
measure(void)
{
	double least = 0;
	sigset_t trap, before;

	sigemptyset(&trap);
	sigaddset(&trap, SIGTRAP);
	if (pthread_sigmask(SIG_UNBLOCK, &trap, &before))
		return 0;
	for (int i = 0; i < TRIALS; i++) {
		double nanos = try_steps();
		if (nanos <= 0)
			break;
		least = i == 0 || nanos < least ? nanos : least;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return least;
}

static bool
refuse(struct pf_stepping *stepping, const char *why)
{
	stepping->on = false;
	snprintf(stepping->word, sizeof stepping->word, "none, %s", why);
	return false;
}

static bool
can_step(struct pf_stepping *stepping)
{
	if (pf_host_confined())
		return refuse(stepping, "a filter looks at system calls");
	steps.status = pf_own_fd_take(open("/proc/self/status", O_RDONLY | O_CLOEXEC));
	/* It would get the traps: many take them for their own, and give the program none. */
	if (pf_host_traced(steps.status.fd))
		return refuse(stepping, "a debugger is attached");
	if (!install())
		return refuse(stepping, "the program handles SIGTRAP itself");
	if (steps.nanos <= 0)
		steps.nanos = measure();
	stepping->nanos = steps.nanos;
	if (stepping->nanos <= 0)
		return refuse(stepping, "the processor's trap flag has no effect here");
	return true;
}

/* Takes the signal and begins; a host that asks for it meanwhile waits, and gets it. */
static bool
begin(struct pf_stepping *stepping, struct pf_slots *slots, const struct pf_modules *modules)
{
	if (!pf_latch_take(&steps.changing))
		return refuse(stepping, "the program is about to handle SIGTRAP itself");
	stepping->on = can_step(stepping);
	if (stepping->on) {
		pf_step_ranges_list(modules);
		atomic_fetch_add(&steps.generation, 1);
		atomic_store(&steps.slots, slots);
	}
	pf_latch_give(&steps.changing);
	return stepping->on;
}

void
pf_steps_open(struct pf_stepping *stepping, struct pf_slots *slots,
    const struct pf_modules *modules, int share, int rate)
{
	double samples; /* that must go by until a burst's cost is within its share */

	*stepping = (struct pf_stepping){0};
	if (share <= 0)
		return;
	atomic_store(&steps.every, UINT32_MAX);
	if (!begin(stepping, slots, modules)) {
		pf_steps_close();
		return;
	}
	samples = PF_STEPS * stepping->nanos * rate / 1e9 * 100 / share;
	stepping->every = samples < 1 ? 1 : (unsigned)(samples + 1);
	snprintf(stepping->word, sizeof stepping->word,
	    "%d instructions every %u period%s, %.1f us each: at most %d %% of CPU time", PF_STEPS,
	    stepping->every, stepping->every == 1 ? "" : "s", stepping->nanos / 1e3, share);
	atomic_store(&steps.every, stepping->every);
}

void
pf_steps_follow(struct pf_stepping *stepping, const struct pf_modules *modules)
{
	struct sigaction now;

	if (!stepping->on)
		return;
	pf_step_ranges_follow(modules);
	if (pf_host_traced(steps.status.fd)) {
		pf_steps_close();
		refuse(stepping, "a debugger was attached");
	} else if (act(NULL, &now) || !ours(&now)) {
		pf_steps_close();
		refuse(stepping, "the program has taken SIGTRAP over");
	}
}

bool
pf_steps_close(void)
{
	bool left;

	end_bursts();
	/* A handler of the host's may have been interrupted in a burst: it comes back to it later, so ours stays. */
	if (wait_for_bursts(0, SOON) && pf_latch_take(&steps.changing)) {
		give_back();
		pf_latch_give(&steps.changing);
	}
	left = pf_host_wait(&steps.inside, 0, LONG);
	pf_own_fd_close(&steps.status);
	return left;
}

void
pf_steps_forked(void)
{
	end_bursts();
	atomic_store(&steps.inside, 0);
	atomic_store(&steps.flagged, burst.flagged); /* the other threads are not here */
	steps.changing = (struct pf_latch){0};
	pf_own_fd_close(&steps.status); /* it tells of the parent */
}

uint32_t
pf_steps_count(const struct pf_slot *slot)
{
	return slot->weight;
}

uint64_t
pf_steps_get(const struct pf_slot *slot, uint32_t i, uint64_t *caller)
{
	const uint64_t *at = recorded(slot);

	*caller = i && at[i - 1] & CALLS ? at[i - 1] & ~CALLS : 0;
	return at[i] & ~CALLS;
}
