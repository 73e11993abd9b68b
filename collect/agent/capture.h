/*
 * capture.h: what the signal handler does.
 *
 * It takes a slot, copies registers and stack into it (slots.h), and returns:
 * no lock, no allocation, no libc state but errno, which it restores.
 */
#ifndef PF_AGENT_CAPTURE_H
#define PF_AGENT_CAPTURE_H

#include <signal.h>

#include "collect/agent/slots.h"

struct pf_capture {
	struct pf_slots slots;
	_Atomic uint64_t lost;    /* periods without a free slot */
	_Atomic uint64_t foreign; /* signals of this number that were not ours */
	int signal;               /* the number in use; 0: none */
};

/* Maps the table of slots for this many processors. 0 or a negative errno. */
int pf_capture_open(struct pf_capture *c, unsigned processors);

/*
 * Takes the first signal of the wanted kind that the host leaves at its
 * default: SIGPROF, SIGSTKFLT, and, where queued signals are harmless (timers),
 * the highest free real-time ones. 0, or -EBUSY. After a call c->signal is set
 * and the handler writes into `c` until pf_capture_unhook or another hook.
 */
int pf_capture_hook(struct pf_capture *c, bool real_time_too);

/* Whether the handler is still the one installed for c->signal. */
bool pf_capture_hooked(const struct pf_capture *c);

/*
 * Gives the signal back, after its sources are gone: what is still pending is
 * thrown away, then the default is restored; a handler the host has put there
 * meanwhile stays. Waits for handlers that are still running.
 */
void pf_capture_unhook(struct pf_capture *c);

/* Unmaps the slots; must be unhooked. */
void pf_capture_close(struct pf_capture *c);

/* In a forked child: forget the handler and the slots, which are the parent's. */
void pf_capture_forked(struct pf_capture *c);

/* What the sigev_value of a thread's timer must be for its signals to count as ours. */
void *pf_capture_cookie(pid_t thread);

#endif
