/*
 * unlockers.h: functions that do nothing but let a lock go: the second half of a pair around libc's calls, a guard's
 * destructor. A mutex profile charges them with what their callers do under the lock.
 */
#ifndef PF_TUNER_UNLOCKERS_H
#define PF_TUNER_UNLOCKERS_H

#include "tuner/evidence.h"

/*
 * Who calls a function of a mutex profile, for the most part of what `column` charges it with, where it is such a one: it
 * never waits for a lock itself, by the block profile, and is hardly ever seen to work, by where threads spend their
 * time, while this caller is. *caller: its name, of the profile's; NULL: it is none, or nothing tells. PF_ENOMEM.
 */
int pf_unlocker_caller(const struct pf_evidence *e, const struct pf_evidence_profile *ep,
    uint32_t column, uint32_t name, const char **caller, struct pf_error *err);

#endif
