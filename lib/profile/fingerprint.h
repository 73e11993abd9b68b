/* fingerprint.h: telling whether two profiles say the same. */
#ifndef PF_PROFILE_FINGERPRINT_H
#define PF_PROFILE_FINGERPRINT_H

#include "profile/model.h"

/*
 * 64 bits over everything that was read. Equal for the same file however it was
 * compressed; different files agree by chance only. No defence against somebody
 * who makes two agree on purpose.
 */
uint64_t pf_profile_fingerprint(const struct pf_profile *p);

#endif
