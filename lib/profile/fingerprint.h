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

/* The profiles met so far. A zeroed struct is empty. */
struct pf_fingerprints {
	struct pf_index index;
	uint64_t *items;
	size_t count, capacity;
};

/* Notes a profile; *known says whether an equal one was noted before. */
int pf_fingerprints_add(
    struct pf_fingerprints *f, const struct pf_profile *p, bool *known, struct pf_error *err);
void pf_fingerprints_release(struct pf_fingerprints *f);

#endif
