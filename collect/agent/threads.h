/*
 * threads.h: every thread of the host signals itself, also those born later.
 *
 * The kernel's list /proc/self/task is read again and again, more often while
 * threads come and go; nothing of the host's is interposed. Reading it limits
 * itself: after each look the next one waits at least 250 times as
 * long as the look took, so that a process of ten thousand threads pays no more
 * than 0.4 % of a CPU for it.
 *
 * A thread that blocks the signal is left alone, for a pending signal could
 * come out of its sigwait or signalfd: it is counted, and looked at again.
 */
#ifndef PF_AGENT_THREADS_H
#define PF_AGENT_THREADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "collect/agent/event.h"

struct pf_thread {
	struct pf_trigger trigger;
	bool seen;    /* in the present look */
	bool fresh;   /* born while we sample */
	bool blocked; /* has the signal blocked: not armed */
	bool failed;  /* could not be armed */
	uint8_t times_blocked;
};

struct pf_threads {
	struct pf_thread *items; /* owned; sorted by thread id */
	size_t count, capacity;
	struct pf_event event;
	int signal;
	pid_t except;      /* the agent's own thread */
	int64_t next_look; /* CLOCK_MONOTONIC */
	int64_t next_full;
	int64_t busy_until;
	nlink_t links;    /* of /proc/self/task: its threads */
	bool changed;     /* the last look found threads come or gone */
	size_t recheck;   /* rotates over blocked threads */
	size_t most;      /* threads seen at once */
	size_t blocked;   /* at the last look */
	size_t unsettled; /* of them: perhaps just starting or ending, to be looked at soon */
	size_t unsampled; /* of them: for longer; and those that could not be armed */
	size_t armed, most_armed;
	int arm_error; /* the last errno that arming met, or 0 */
};

void pf_threads_init(struct pf_threads *t, const struct pf_event *event, int signal, pid_t except);
/* Disarms all and frees. */
void pf_threads_release(struct pf_threads *t);
/* In a forked child: the timers are not ours, the descriptors are closed. */
void pf_threads_forked(struct pf_threads *t);

/* Looks for new and gone threads, if it is time; `first` for those that were there before. */
void pf_threads_look(struct pf_threads *t, int64_t now, bool first);

/* The periods that a thread's first sample stands for besides its own; 0 from then on. */
uint32_t pf_threads_owed(struct pf_threads *t, pid_t thread);

#endif
