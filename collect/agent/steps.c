/* steps.c: see steps.h. */
#include "collect/agent/steps.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "collect/agent/host.h"
#include "collect/agent/modules.h"
#include "collect/agent/slots.h"
#include "collect/agent/step_code.h"

#define TRAP_FLAG 0x100LL
#define CALLS (UINT64_C(1) << 63) /* of a recorded address: the instruction there is a call */

enum {
	MOST_RANGES = 512,
	MOST_TRAPS = 2 * PF_STEPS, /* a string instruction traps at each of its bytes */
	TRIAL = 64,                /* steps to measure one */
	TRIALS = 3,
};

/* Code that may be entered; limit 0: it has been unloaded. */
struct range {
	uint64_t start;
	_Atomic uint64_t limit;
};

static struct {
	struct pf_slots *_Atomic slots;  /* where bursts go; NULL: none begin, running ones end */
	_Atomic uint32_t generation;     /* of the slots: a burst of another one is over */
	_Atomic uint32_t every, periods; /* of the timer: between bursts, and gone by */
	_Atomic int inside;              /* handlers running now */
	struct range ranges[MOST_RANGES];
	size_t range_count;
	bool installed;
} steps;

/* A thread's burst. */
static __thread struct {
	struct pf_slot *slot; /* NULL: none */
	uint32_t generation;
	uint32_t traps;  /* left */
	uint64_t before; /* where the last step was taken */
	uint32_t trial;  /* steps of a trial still to come */
} burst __attribute__((tls_model("initial-exec")));

static greg_t *
flags_of(ucontext_t *context)
{
	return &context->uc_mcontext.gregs[REG_EFL];
}

/* Bytes of code from pc that may be read; 0: not to be entered. */
static size_t
room_at(uint64_t pc)
{
	size_t low = 0, high = steps.range_count;
	uint64_t limit;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (steps.ranges[middle].start <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return 0;
	limit = atomic_load_explicit(&steps.ranges[low - 1].limit, memory_order_relaxed);
	return pc < limit ? (size_t)(limit - pc) : 0;
}

static enum pf_step_code
code_at(uint64_t pc)
{
	size_t room = room_at(pc);

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
	enum pf_step_code code = code_at(pc);
	bool again = pc == burst.before; /* the same string instruction, at its next byte */

	burst.before = pc;
	burst.traps--;
	if (!again && room_at(pc))
		recorded(slot)[slot->weight++] = pc | (code == PF_INSTRUCTION_CALLS ? CALLS : 0);
	return code != PF_INSTRUCTION_ENDS && slot->weight < PF_STEPS && burst.traps > 0;
}

/* After a step: the handler runs without the flag, and so does what follows, unless it is set again. */
static void
step(ucontext_t *context)
{
	struct pf_slots *slots = atomic_load(&steps.slots);

	*flags_of(context) &= ~TRAP_FLAG;
	if (burst.trial) {
		if (--burst.trial)
			*flags_of(context) |= TRAP_FLAG;
		return;
	}
	if (!slots || burst.generation != atomic_load(&steps.generation))
		burst.slot = NULL; /* of a table that is gone */
	if (!burst.slot)
		return;
	if (record((uint64_t)context->uc_mcontext.gregs[REG_RIP]))
		*flags_of(context) |= TRAP_FLAG;
	else
		finish(slots);
}

/* Somebody else's trap ends the process, as it would have. */
static void
pass_on(siginfo_t *info)
{
	struct sigaction plain = {.sa_handler = SIG_DFL};

	sigemptyset(&plain.sa_mask);
	sigaction(SIGTRAP, &plain, NULL);
	syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), SIGTRAP, info);
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
		pass_on(info);
	atomic_fetch_sub(&steps.inside, 1);
	errno = saved_errno;
}

/* Whether these periods complete those that must lie between two bursts. */
static bool
is_due(uint32_t periods)
{
	uint32_t every = atomic_load_explicit(&steps.every, memory_order_relaxed);
	uint32_t before = atomic_fetch_add_explicit(&steps.periods, periods, memory_order_relaxed);

	return before / every != (before + periods) / every;
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
	if (sigismember(&context->uc_sigmask, SIGTRAP) || code_at(pc) == PF_INSTRUCTION_ENDS)
		return;
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
	*flags_of(context) |= TRAP_FLAG;
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
	if (sigaction(SIGTRAP, NULL, &now))
		return false;
	if (ours(&now))
		return true;
	if (steps.installed || (now.sa_flags & SA_SIGINFO) || now.sa_handler != SIG_DFL)
		return false;
	steps.installed = !sigaction(SIGTRAP, &mine, NULL);
	return steps.installed;
}

/* A debugger would get the traps. */
static bool
traced(void)
{
	char text[4096];
	const char *line;

	if (pf_host_read_file("/proc/thread-self/status", text, sizeof text) < 0)
		return false; /* nobody can say */
	line = strstr(text, "\nTracerPid:");
	return line && strtol(line + sizeof "\nTracerPid:" - 1, NULL, 10) != 0;
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
may_be_entered(const struct pf_mapping *m)
{
	return !m->retired && !m->vdso && m->file[0] == '/' && strncmp(m->file, "//", 2);
}

/* In the order of addresses, as modules->present is. */
static void
list_code(const struct pf_modules *modules)
{
	steps.range_count = 0;
	for (size_t i = 0; i < modules->present_count && steps.range_count < MOST_RANGES; i++) {
		const struct pf_mapping *m = &modules->items[modules->present[i]];
		if (!may_be_entered(m))
			continue;
		steps.ranges[steps.range_count].start = m->start;
		atomic_store(&steps.ranges[steps.range_count++].limit, m->limit);
	}
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
	if (traced())
		return refuse(stepping, "a debugger is attached");
	if (!install())
		return refuse(stepping, "the program handles SIGTRAP itself");
	stepping->nanos = measure();
	if (stepping->nanos <= 0)
		return refuse(stepping, "the processor's trap flag has no effect here");
	return true;
}

void
pf_steps_open(struct pf_stepping *stepping, struct pf_slots *slots,
    const struct pf_modules *modules, int share, int rate)
{
	double samples; /* that must go by until a burst's cost is within its share */

	*stepping = (struct pf_stepping){0};
	if (share <= 0 || !can_step(stepping))
		return;
	samples = PF_STEPS * stepping->nanos * rate / 1e9 * 100 / share;
	stepping->every = samples < 1 ? 1 : (unsigned)(samples + 1);
	stepping->on = true;
	snprintf(stepping->word, sizeof stepping->word,
	    "%d instructions, once in %u periods, %.1f us each: at most %d %% of CPU time",
	    PF_STEPS, stepping->every, stepping->nanos / 1e3, share);
	list_code(modules);
	atomic_store(&steps.every, stepping->every);
	atomic_fetch_add(&steps.generation, 1);
	atomic_store(&steps.slots, slots);
}

static bool
is_present(const struct pf_modules *modules, const struct range *range)
{
	for (size_t i = 0; i < modules->present_count; i++) {
		const struct pf_mapping *m = &modules->items[modules->present[i]];
		if (m->start == range->start && may_be_entered(m))
			return true;
	}
	return false;
}

void
pf_steps_follow(struct pf_stepping *stepping, const struct pf_modules *modules)
{
	struct sigaction now;

	if (!stepping->on)
		return;
	for (size_t i = 0; i < steps.range_count; i++)
		if (!is_present(modules, &steps.ranges[i]))
			atomic_store(&steps.ranges[i].limit, 0);
	if (traced()) {
		pf_steps_close();
		refuse(stepping, "a debugger was attached");
	} else if (sigaction(SIGTRAP, NULL, &now) || !ours(&now)) {
		pf_steps_close();
		refuse(stepping, "the program has taken SIGTRAP over");
	}
}

bool
pf_steps_close(void)
{
	static const struct timespec moment = {.tv_nsec = 200000};

	atomic_store(&steps.slots, NULL);
	atomic_fetch_add(&steps.generation, 1);
	for (int tries = 0; atomic_load(&steps.inside) > 0 && tries < 5000; tries++)
		nanosleep(&moment, NULL);
	return atomic_load(&steps.inside) == 0;
}

void
pf_steps_forked(void)
{
	atomic_store(&steps.slots, NULL);
	atomic_fetch_add(&steps.generation, 1);
	atomic_store(&steps.inside, 0);
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
