/*
 * holder.h: whether the thread that held a lock when a wait for it began is still there to let it go.
 *
 * A lock whose holder has ended is never free again. Its number says so, where it is no thread's any more,
 * and the lock still bears it.
 */
#ifndef PF_AGENT_HOLDER_H
#define PF_AGENT_HOLDER_H

#include "collect/agent/waits.h"

/*
 * "ended": no thread of the process, whose own lock it is; "unseen": of a lock between processes, nowhere to be seen, though
 * another pid namespace may have it; NULL: it is there, or nothing tells.
 */
const char *pf_holder_word(const struct pf_waiting *waiting);

#endif
