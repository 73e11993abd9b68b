/*
 * event.h: what makes a thread signal itself, and how that is named.
 *
 * Two sources: a POSIX timer on the thread's own CPU clock, which every kernel
 * has and which ticks with the kernel (a signal comes at the first tick after
 * its time; the rate stays exact, because the next time is counted from the
 * last one), and perf_event_open, which also knows instructions and cycles
 * where the machine has counters and the administrator allows it.
 */
#ifndef PF_AGENT_EVENT_H
#define PF_AGENT_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum pf_event_kind { PF_EVENT_CPU, PF_EVENT_TASK_CLOCK, PF_EVENT_CYCLES, PF_EVENT_INSTRUCTIONS };

enum { PF_EVENT_RATE = 100, PF_EVENT_MOST_RATE = 1000 }; /* samples a second, where all runs well */

/* What is asked for. */
struct pf_event_wish {
	enum pf_event_kind kind;
	int rate;  /* about so many samples a second of CPU time; 0: PF_EVENT_RATE */
	int steps; /* percent of CPU time that may go into single steps (steps.h); 0: none */
};

struct pf_event {
	enum pf_event_kind kind;
	bool perf;        /* perf_event_open, else a timer */
	bool kernel_too;  /* also what the kernel does for the thread */
	int rate;         /* samples a second of CPU time; counters: at 2 GHz */
	int64_t period;   /* nanoseconds, or events */
	const char *type; /* profile.proto's second sample type and its unit */
	const char *unit;
	int steps;      /* as wished; 0 where the event counts instructions itself */
	char word[160]; /* one sentence: what was chosen, and why if not what was asked for */
};

/* The kind called `name` (cpu, task-clock, cycles, instructions); false if there is none. */
bool pf_event_named(enum pf_event_kind *kind, const char *name);

/*
 * Picks the source by trying it on the calling thread: what can't be
 * had falls back to the timer, and `word` says so.
 */
void pf_event_choose(struct pf_event *event, struct pf_event_wish wish);

/* One thread's source of signals. */
struct pf_trigger {
	pid_t thread;
	int timer;     /* kernel timer id, or -1 */
	int perf;      /* descriptor, or -1 */
	uint32_t owed; /* periods over before it was armed, to count with its first sample */
};

/*
 * Starts signalling `thread`; `fresh` says that it was born while we sample, so
 * that the CPU time it has used already counts too. 0, or a negative errno.
 */
int pf_trigger_arm(
    struct pf_trigger *t, const struct pf_event *event, pid_t thread, int signal, bool fresh);
void pf_trigger_disarm(struct pf_trigger *t);

#endif
