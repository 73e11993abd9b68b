/*
 * last_call.h: who has made a call whose return address is somebody else's.
 *
 * Compilers make a jump of a function's last call: it returns to the caller's caller, and
 * the function is gone from the stack. The code tells who it was, where only one function can
 * have come there: the one that was called before the return address, or one that it jumps to
 * in the end. Where several can, or the call was made by a pointer, it is not known.
 */
#ifndef PF_AGENT_LAST_CALL_H
#define PF_AGENT_LAST_CALL_H

#include "collect/agent/unwind.h"

enum { PF_LAST_CALLS = 4 };

struct pf_last_call {
	uint64_t functions[PF_LAST_CALLS]; /* gone from the stack, leaf first */
	uint32_t count;
	bool known; /* false: one of those that the first of them, or else the caller, has called */
};

/* What was found out, by what was called. */
struct pf_last_call_seen;

/* Who was called. */
struct pf_called {
	uint64_t entry; /* the function */
	bool any;       /* or any other of its file: which one is not known */
	uint64_t below; /* the function that returns to the caller by the stack; 0: that one */
};

/*
 * By whom that was called which returns to the frame `caller`: the functions between the two. *kept is NULL before the
 * first question, and to be freed.
 */
void pf_last_call(struct pf_last_call_seen **kept, struct pf_modules *modules,
    const struct pf_frame *caller, const struct pf_called *what, int64_t now,
    struct pf_last_call *call);

#endif
