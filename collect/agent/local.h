/*
 * local.h: what the agent keeps for each thread of the host.
 */
#ifndef PF_AGENT_LOCAL_H
#define PF_AGENT_LOCAL_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/* How much is to go by until the next sample. */
struct pf_countdown {
	uint64_t left;
	uint64_t period; /* the mean that it was drawn with; 0: not drawn yet */
};

/* A wait at a semaphore or condition that has ended; see turns.h. */
struct pf_turn {
	uintptr_t object; /* 0: none */
	int64_t taken;    /* CLOCK_MONOTONIC */
};

enum { PF_OPEN_TURNS = 4 };

struct pf_local {
	uint64_t left;   /* bytes to allocate before the next sample; see PF_COVERED */
	uint64_t period; /* the mean that `left` was drawn with; 0: not drawn yet */
	struct pf_countdown waits, holds; /* nanoseconds waited, and that others waited for it */
	uint64_t random;                  /* state of the generator; 0: not seeded */
	uint32_t thread;                  /* its kernel id; 0: not asked yet */
	uint32_t exempt;                  /* > 0: it does the agent's work, nothing of it counts */
	const sigset_t
	    *own_signals; /* those it blocks itself, while the agent has blocked all; else NULL */
	bool latched;     /* it holds the heap's latch, because it is forking */
	struct pf_turn
	    turns[PF_OPEN_TURNS]; /* its own that it has not passed on, the last of them */
	unsigned next_turn;
	bool has_turns; /* perhaps */
};

/* In the static block of each thread: reading it is one instruction and never allocates. */
extern __thread struct pf_local pf_local
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* The calling thread's kernel id. */
uint32_t pf_local_thread(void);
/* Its generator's state, seeded. */
uint64_t *pf_local_random(void);

#endif
