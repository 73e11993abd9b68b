/*
 * idle.h: since when threads have been waiting, as far as can be told from looking now and then.
 *
 * The kernel counts how often a thread was given a processor. One that waited
 * when we looked before, and has had none since, has waited all the time: that
 * is a lower bound which grows, for the price of a look a minute.
 */
#ifndef PF_AGENT_IDLE_H
#define PF_AGENT_IDLE_H

#include <stdint.h>

#include "collect/agent/thread_state.h"

/* Looks at all threads, if it is time; when to do so again. */
int64_t pf_idle_look(int64_t now);
/* Since when (CLOCK_MONOTONIC) this thread is known to wait, which it does in this state. */
int64_t pf_idle_since(const struct pf_thread_state *state, int64_t now);
/* In a forked child; `tidy`: it was consistent. */
void pf_idle_forked(bool tidy);
void pf_idle_release(void);

#endif
