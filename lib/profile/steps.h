/*
 * steps.h: the sample type that a profile may lack beside others that have it.
 *
 * In general a type that is not there is unknown, not zero: a profile of what is in
 * use says nothing of what was ever allocated, one of wall time nothing of CPU time.
 * "steps/count" is different. It counts what the agent saw besides its samples
 * (instructions followed one by one, PROFUSE_STEPS), nothing of the program's that
 * would be there unseen: an agent that took samples and no steps saw none. So beside
 * "samples/count" a profile without it has zero of it, and the sum of a fleet of
 * which a part takes steps keeps them. Without samples it is a type like any other.
 */
#ifndef PF_PROFILE_STEPS_H
#define PF_PROFILE_STEPS_H

#include <stdbool.h>
#include <stddef.h>

struct pf_profile;

bool pf_type_is_steps(const char *type, const char *unit);

/* Which of a profile's types is steps, the first if there are several; as many as it has types if none is. */
size_t pf_profile_find_steps(const struct pf_profile *p);
bool pf_profile_has_samples(const struct pf_profile *p);

#endif
