/*
 * steps.h: what a thread executes after a sample, instruction by instruction.
 *
 * A timer's samples are time: an instruction that waits for memory collects
 * many, its neighbours few. A processor's branch records would tell what ran;
 * where there are none, the trap flag does: set when a sample's handler returns,
 * it makes the processor stop after each instruction, and a second handler writes
 * down where. A burst is PF_STEPS instructions; in it each counts the same, however
 * long it takes, and a call shows its target. (Bursty tracing, with the
 * processor in place of an instrumented copy of the code.)
 *
 * A step costs about a microsecond, on virtual machines ten to twenty, so it is
 * measured first, and only every so many samples begin a burst: stepping takes no
 * more than the share of CPU time that was asked for (PROFUSE_STEPS).
 *
 * Nothing of a burst may outlive it. The trap flag is the thread's own, kept out of
 * signal handlers by the kernel; a burst ends before an instruction that could carry the
 * flag or the thread elsewhere (a system call, reading or writing the flags, a
 * breakpoint), and where code begins that was no mapped file when sampling
 * began. A thread that blocks SIGTRAP is not stepped: the kernel would end the process. The
 * host gets SIGTRAP whenever it asks for it (hook_signal.c), after the last burst has ended; and
 * when sampling ends, unless a signal handler of the host has interrupted a burst, and will
 * come back to it: then ours stays.
 */
#ifndef PF_AGENT_STEPS_H
#define PF_AGENT_STEPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

struct pf_modules;
struct pf_slot;
struct pf_slots;

enum { PF_STEPS = 64, PF_SLOT_STEPS = 1 /* the kind of a slot that holds a burst */ };

/* How steps are being taken, for those who read the profile. */
struct pf_stepping {
	bool on;
	unsigned every; /* periods of the timer a burst */
	double nanos;   /* a step takes */
	char word[160]; /* the same as a sentence, or why there are none */
};

/*
 * Begins: bursts go into `slots`, in code that `modules` knows now. `share` of the CPU
 * time, in percent, may go into steps at this rate of samples a second.
 * stepping->on says whether it can be done.
 */
void pf_steps_open(struct pf_stepping *stepping, struct pf_slots *slots,
    const struct pf_modules *modules, int share, int rate);

/* In the handler of a sample that stands for so many periods, last: steps from here, if it is to begin a burst. */
void pf_steps_begin(ucontext_t *context, uint32_t periods);

/* From time to time: what has been unloaded is not to be entered; a debugger, or a handler of the host's, ends it. */
void pf_steps_follow(struct pf_stepping *stepping, const struct pf_modules *modules);

/* Ends all bursts. False: a thread is held in a handler (by a debugger?), so the slots must stay. */
bool pf_steps_close(void);

/* In a forked child. */
void pf_steps_forked(void);

/*
 * The host wants to set what SIGTRAP does. True: it is the default (`plain`, or it only asks), which it has
 * for all that the host can see; nothing is to be done. Else it is the host's from now on. Async-signal-safe.
 */
bool pf_steps_asked(bool plain);

/* How many instructions a slot of this kind holds. */
uint32_t pf_steps_count(const struct pf_slot *slot);
/* One of them; *caller is the call that led to it, or 0. */
uint64_t pf_steps_get(const struct pf_slot *slot, uint32_t i, uint64_t *caller);

#endif
