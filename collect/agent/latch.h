/*
 * latch.h: a lock for threads of the host, which must never hang because of its guest.
 *
 * Waiting is bounded (three seconds) and sleeps, so a holder of lower priority
 * gets to run. Its users block signals meanwhile, so no handler of the host can
 * come back to a lock that its own thread holds. Raw system calls, because libc's
 * mutexes may be among what we watch.
 */
#ifndef PF_AGENT_LATCH_H
#define PF_AGENT_LATCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct pf_latch {
	_Atomic uint32_t
	    word; /* 0 free, 1 held, 2 held and waited for, 3 given up until it is free */
};

/* What the thread had before pf_signals_block. */
struct pf_signals {
	uint64_t mask;
	int error;
};

/* Blocks every signal and remembers errno; async-signal-safe. */
void pf_signals_block(struct pf_signals *before);
void pf_signals_restore(const struct pf_signals *before);

/*
 * True if it is held now; false after too long a wait, and then at once for
 * everybody until the holder gives it back, if it ever does: it may have been
 * left behind by a fork that ran no handlers. Signals must be blocked.
 */
bool pf_latch_take(struct pf_latch *latch);
void pf_latch_give(struct pf_latch *latch);

#endif
