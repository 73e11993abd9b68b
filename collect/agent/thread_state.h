/*
 * thread_state.h: what the kernel says a thread of this process is doing.
 *
 * Nothing of it disturbs the thread: it is read in /proc. A thread that waits in
 * a system call has its number and arguments there, its stack pointer, and where
 * it will go on.
 */
#ifndef PF_AGENT_THREAD_STATE_H
#define PF_AGENT_THREAD_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { PF_CALL_NONE = -1, PF_CALL_RUNNING = -2 };

struct pf_thread_state {
	pid_t thread;
	char name[16];
	char letter; /* R runs or could, S sleeps, D waits for a disk or the like, T is stopped */
	long call;   /* the system call, or one of the above */
	uint64_t arguments[6]; /* of it */
	uint64_t sp, pc;       /* unless it runs */
	uint64_t slices;       /* how often it was given a processor */
};

/* False if the thread is gone or the kernel doesn't say. */
bool pf_thread_state(pid_t thread, struct pf_thread_state *state);

/* Whether there is such a thread of this process: a main thread that has ended is there still, as a zombie, and doesn't count. */
bool pf_thread_lives(pid_t thread);

/* Whether /proc has a process, or a thread of one, as a zombie, for which nobody has asked; false where it has none. */
bool pf_process_ended(pid_t process);

/* Whether the thread blocks a signal; one that is gone does. */
bool pf_thread_blocks(pid_t thread, int signal);

/* The name of a system call that threads wait in, or NULL. */
const char *pf_thread_call(long call);
/* Whether its first argument is a descriptor. */
bool pf_thread_call_has_fd(long call);

#endif
