/*
 * holders.h: what threads do who may hold a lock that others wait for, from the agent's looks at all
 * threads: at one moment (`threads`), or over a window (wall-clock time).
 */
#ifndef PF_TUNER_HOLDERS_H
#define PF_TUNER_HOLDERS_H

#include "tuner/sites.h"

/*
 * Whether the thread for which others wait at a lock does nothing itself, inside of a function, but wait for a client or
 * for the program's own work, and nobody else is at work in there: it is its turn, as with "leader and
 * followers", and nobody loses anything.
 */
int pf_holders_are_idle(
    const struct pf_evidence *e, const char *function, bool *idle, struct pf_error *err);

/*
 * In which call the only thread is that is inside of a function and waits for no lock while others do, by looks where
 * they agree; else in which those are that are inside of it and wait for no lock, by wall-clock time.
 */
struct pf_holders_call {
	const char *word; /* "fsync", "recv" …; NULL: in none for half of the time and more */
	size_t looks, of; /* where looks agree; else 0, and: */
	double share;     /* of the time */
	bool asked;       /* for the most part it is another server's answer that they wait for */
};
int pf_holders_call(const struct pf_evidence *e, const char *function, struct pf_holders_call *call,
    struct pf_error *err);

/*
 * Where the thread stood, look by look, that held the lock for which most waited: in which function
 * that `owner` had called, or else its caller.
 */
struct pf_holders_place {
	const char *function; /* in most looks; NULL: none is known */
	size_t looks, of;
};
int pf_holders_place(const struct pf_evidence *e, const char *owner, const char *caller,
    struct pf_holders_place *place, struct pf_error *err);

#endif
