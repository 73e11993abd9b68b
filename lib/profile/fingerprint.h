/* fingerprint.h: telling whether two profiles say the same. */
#ifndef PF_PROFILE_FINGERPRINT_H
#define PF_PROFILE_FINGERPRINT_H

#include "profile/model.h"

/* The profiles met so far. A zeroed struct is empty. */
struct pf_fingerprints {
	struct pf_index index;
	uint64_t *items;
	size_t count, capacity;
};

/*
 * Notes a profile; *known says whether an equal one was noted before: one read
 * from the same bytes, however they were compressed. Different ones agree by
 * chance only (64 bits). What was read from no bytes equals nothing.
 */
int pf_fingerprints_add(
    struct pf_fingerprints *f, const struct pf_profile *p, bool *known, struct pf_error *err);
void pf_fingerprints_release(struct pf_fingerprints *f);

#endif
