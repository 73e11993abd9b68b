/*
 * waits.h: what threads of the host wait for, how long, and who made them wait.
 *
 * Only waits count that come about: the wrappers of hook_lock.c and hook_wait.c
 * go the straight way to libc unless a lock is taken or the call is made to
 * wait. Then the time is taken, and points on the nanoseconds that go by are
 * sampled (draw.h), as points on the bytes are for the heap.
 *
 * Who waits now, for what and since when stands in a table of its own, with the
 * registers at the call, for whoever asks what the threads do.
 *
 * A lock that is waited for keeps account of the time that its waiters lose;
 * whoever unlocks it takes the account over: that is what this holder has cost
 * the others. It is Go's mutex profile, and the wait itself Go's block profile.
 */
#ifndef PF_AGENT_WAITS_H
#define PF_AGENT_WAITS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collect/agent/local.h"
#include "collect/agent/slots.h"

enum {
	PF_WAIT_PERIOD = 100000, /* nanoseconds between sampled points, on average */
	PF_WAIT_SAMPLES = 100,   /* a second of each kind, at the highest: as in a CPU profile */
	PF_MOST_WAITING = 4096,
	PF_WATCHED_LOCKS = 1024,
};

enum pf_wait_kind {
	PF_WAIT_MUTEX,
	PF_WAIT_RWLOCK,
	PF_WAIT_CONDITION,
	PF_WAIT_SEMAPHORE,
	PF_WAIT_JOIN,
	PF_WAIT_KINDS,
};

/* "mutex", "rwlock", … */
const char *pf_wait_word(enum pf_wait_kind kind);

/* A thread that waits, for others to read while it does. */
struct pf_waiting {
	_Atomic uint32_t thread;   /* 0: nobody */
	_Atomic uint32_t sequence; /* odd while it is being written */
	uint32_t kind;
	uint32_t holder; /* who held the mutex when the wait began, or is joined; 0: not known */
	uint64_t object;
	int64_t since;   /* CLOCK_MONOTONIC */
	uint64_t caller; /* where the call returns to, in the wrapper */
	uint64_t registers[PF_REGISTERS];
};

/* One wait, on the stack of the thread that waits. */
struct pf_wait {
	struct pf_waiting *waiting; /* NULL: the table is full */
	const void *object;
	const void *caller;
	int64_t since;
	enum pf_wait_kind kind;
	bool watched; /* the lock keeps account */
};

/* Locks that are waited for, by pf_lock_place. */
extern const void *_Atomic pf_watched[PF_WATCHED_LOCKS] __attribute__((visibility("hidden")));
extern _Atomic bool pf_waits_on __attribute__((visibility("hidden")));

static inline size_t
pf_lock_place(const void *lock)
{
	return ((uintptr_t)lock >> 3) % PF_WATCHED_LOCKS;
}

/* Whether somebody may be waiting for the lock that is about to be released. */
static inline bool
pf_lock_watched(const void *lock)
{
	return atomic_load_explicit(&pf_watched[pf_lock_place(lock)], memory_order_relaxed) == lock;
}

/* Before and after a wait; `caller` is where the wrapper returns to. */
void pf_wait_begin(struct pf_wait *wait, enum pf_wait_kind kind, const void *object,
    uint32_t holder, const void *caller);
void pf_wait_end(struct pf_wait *wait);
/* After a wait that a cancellation has ended. */
void pf_wait_cancelled(void *wait);

/* Lets others read wait->waiting, whose registers the caller has filled in meanwhile. */
void pf_wait_show(struct pf_wait *wait);

/* What the waiters of a watched lock have lost since it was last released: before the next release. */
int64_t pf_lock_account(const void *lock);
/* After it, by the function that returns to `caller`. */
void pf_lock_released(enum pf_wait_kind kind, int64_t delay, const void *caller);

/* A thread is about to be created. */
void pf_thread_created(const void *caller);

/* What is known about one kind of event at one stack; or, where `exact`, at all of them, and not by samples. */
struct pf_wait_sum {
	uint32_t stack; /* PF_NONE: not known */
	uint32_t note;  /* enum pf_note */
	uint32_t kind;  /* enum pf_wait_kind */
	uint64_t samples;
	double count, delay;
	double count_variance, delay_variance; /* of sampling: pf_scale() */
	bool exact;
};

/* The agent's side, under its lock. */
int pf_waits_start(void);
void pf_waits_stop(void);
void pf_waits_noted(const struct pf_slot *slot, uint32_t stack);
/* A copy of the sums, to be freed; how many in *count. NULL without memory. */
struct pf_wait_sum *pf_waits_copy(size_t *count);
/* A consistent copy of the wait of a thread; false if it isn't in one. */
bool pf_waits_of(uint32_t thread, struct pf_waiting *copy);
/* Whether waits are counted, and since when (CLOCK_REALTIME). */
bool pf_waits_running(void);
int64_t pf_waits_began(void);
/* In a forked child: only the forking thread is left, and it doesn't wait. */
void pf_waits_forked(void);

#endif
