/* capture.c: see capture.h. */
#include "collect/agent/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <ucontext.h>
#include <unistd.h>

#include "collect/agent/host.h"
#include "collect/agent/steps.h"

static struct pf_capture *_Atomic active; /* what handlers write into */
static _Atomic int inside;                /* handlers running now */

enum { MOST_MOMENTS = 5000 }; /* that are waited for handlers */

#define COOKIE UINT64_C(0x70667573) /* marks a timer's value as ours; the thread id is below it */

/* DWARF number → place in the signal's saved registers. */
static const int saved[PF_REGISTERS] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI,
    REG_RBP, REG_RSP, REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
    REG_RIP};

void *
pf_capture_cookie(pid_t thread)
{
	return (void *)(uintptr_t)(COOKIE << 32 | (uint32_t)thread);
}

static void
capture(struct pf_capture *c, pid_t thread, uint32_t weight, ucontext_t *context)
{
	struct pf_slot *slot = pf_slots_claim(&c->slots);

	if (!slot) {
		atomic_fetch_add_explicit(&c->lost, weight, memory_order_relaxed);
		return;
	}
	for (int i = 0; i < PF_REGISTERS; i++)
		slot->registers[i] = (uint64_t)context->uc_mcontext.gregs[saved[i]];
	slot->kind = 0;
	slot->thread = thread;
	slot->weight = weight;
	slot->caller = 0;
	slot->known = PF_KNOWN_ALL;
	pf_slot_copy(slot);
	pf_slots_ready(&c->slots, slot);
	pf_steps_begin(context, weight);
}

static void
take_sample(struct pf_capture *c, const siginfo_t *info, ucontext_t *context)
{
	uint64_t value = (uint64_t)(uintptr_t)info->si_value.sival_ptr;

	if (info->si_code == SI_TIMER && value >> 32 == COOKIE)
		capture(c, (pid_t)(value & UINT32_MAX),
		    1 + (uint32_t)(info->si_overrun > 0 ? info->si_overrun : 0), context);
	else if (info->si_code >= POLL_IN && info->si_code <= POLL_HUP)
		capture(c, 0, 1, context); /* a perf event's overflow */
	else
		atomic_fetch_add_explicit(&c->foreign, 1, memory_order_relaxed);
}

static void
on_signal(int number, siginfo_t *info, void *context)
{
	int saved_errno = errno;
	struct pf_capture *c;

	atomic_fetch_add(&inside, 1);
	c = atomic_load(&active);
	if (c && number == c->signal)
		take_sample(c, info, context);
	atomic_fetch_sub(&inside, 1);
	errno = saved_errno;
}

int
pf_capture_open(struct pf_capture *c, unsigned processors)
{
	size_t count = (size_t)processors * 32;

	*c = (struct pf_capture){0};
	return pf_slots_open(&c->slots, count < 64 ? 64 : count > 1024 ? 1024 : count);
}

void
pf_capture_close(struct pf_capture *c)
{
	pf_slots_close(&c->slots);
	*c = (struct pf_capture){0};
}

static bool
ours(const struct sigaction *action)
{
	return (action->sa_flags & SA_SIGINFO) && action->sa_sigaction == on_signal;
}

/* Installs the handler if the signal has its default action; true if it did. */
static bool
take(int number)
{
	struct sigaction now, mine = {.sa_sigaction = on_signal};

	mine.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
	sigemptyset(&mine.sa_mask);
	if (sigaction(number, NULL, &now) ||
	    (!ours(&now) && ((now.sa_flags & SA_SIGINFO) || now.sa_handler != SIG_DFL)))
		return false;
	return !sigaction(number, &mine, NULL);
}

int
pf_capture_hook(struct pf_capture *c, bool real_time_too)
{
	static const int plain[] = {SIGPROF, SIGSTKFLT};
	int number = 0;

	for (size_t i = 0; i < sizeof plain / sizeof *plain && !number; i++)
		if (take(plain[i]))
			number = plain[i];
	for (int i = SIGRTMAX - 2; real_time_too && !number && i > SIGRTMIN + 4; i--)
		if (take(i))
			number = i;
	if (!number)
		return -EBUSY;
	c->signal = number;
	atomic_store(&active, c);
	return 0;
}

bool
pf_capture_hooked(const struct pf_capture *c)
{
	struct sigaction now;

	return c->signal && !sigaction(c->signal, NULL, &now) && ours(&now);
}

/* Back to the default by way of SIG_IGN, which makes the kernel drop what is pending. */
static void
give_back(int number)
{
	struct sigaction plain = {.sa_handler = SIG_IGN}, before;

	sigemptyset(&plain.sa_mask);
	if (sigaction(number, NULL, &before) || !ours(&before))
		return;
	sigaction(number, &plain, NULL);
	plain.sa_handler = SIG_DFL;
	sigaction(number, &plain, NULL);
}

/*
 * A tracer may hold a signal that was on its way when the timers ended: no longer pending, so
 * that nothing drops it, and still to come. It must not meet the default action, which ends the host.
 */
static bool
may_be_held(void)
{
	int status = pf_host_confined() ? -1 : open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	bool traced = status >= 0 && pf_host_traced(status);

	if (status >= 0)
		close(status);
	return traced;
}

void
pf_capture_unhook(struct pf_capture *c)
{
	if (!c->signal)
		return;
	if (!may_be_held()) /* else the handler stays, which does nothing without a capture */
		give_back(c->signal);
	atomic_store(&active, NULL);
	/* Where a thread is held inside (a debugger?), let it keep its slot. */
	if (!pf_host_wait(&inside, 0, MOST_MOMENTS))
		c->slots = (struct pf_slots){0};
	c->signal = 0;
}

void
pf_capture_forked(struct pf_capture *c)
{
	if (c->signal)
		give_back(c->signal);
	atomic_store(&active, NULL);
	atomic_store(&inside, 0);
	pf_capture_close(c);
}
