/*
 * look.h: a look at all threads: what each does now, with its stack, and what it waits for.
 *
 * A thread that waits is not disturbed: its stack is copied from outside and
 * unwound from the registers that its wait has left (waits.h), or from the stack
 * pointer and program counter that the kernel tells. One that runs is sent the
 * signal of a CPU sample, unless CPU samples are being taken: then its stack is
 * left to those.
 */
#ifndef PF_AGENT_LOOK_H
#define PF_AGENT_LOOK_H

#include "collect/agent/stacks.h"
#include "collect/agent/thread_state.h"
#include "collect/agent/waits.h"

/* One thread as it was found. */
struct pf_found {
	struct pf_thread_state state;
	uint32_t stack; /* PF_NONE: not taken */
	bool waits;     /* for what `wait` says; else the system call tells */
	struct pf_waiting wait;
	int64_t since; /* CLOCK_MONOTONIC; exact if `waits`, else: at least since then */
};

struct pf_look {
	struct pf_modules modules;
	struct pf_stacks stacks;
	struct pf_slot *slot;   /* owned; one stack at a time */
	struct pf_found *found; /* owned */
	size_t count, capacity;
};

/* 0 or a negative errno; to be released in any case. */
int pf_look_init(struct pf_look *look);
void pf_look_release(struct pf_look *look);

/* Says which thread is the agent's own, which is never looked at. */
void pf_look_except(pid_t agent);

/*
 * Looks at all threads, forgetting what was found before; stacks stay. Running
 * ones get `patience` nanoseconds for their stacks. 0 or a negative errno.
 */
int pf_look_at_all(struct pf_look *look, int64_t patience);

/* What a thread is doing, in a word or two: "running", "mutex", "epoll_wait", "system call 999". */
void pf_found_word(const struct pf_found *found, char *word, size_t size);

#endif
