/* canonical.h: one order for everything in a profile. */
#ifndef PF_PROFILE_CANONICAL_H
#define PF_PROFILE_CANONICAL_H

#include "profile/model.h"

/*
 * Drops what no sample refers to and sorts the rest by content: strings,
 * mappings, functions, locations, labels and comments in place, samples by
 * setting their order, since moving them takes as much memory again. Two
 * profiles that hold the same items, each once, then encode to the same bytes.
 * `votes` (one number a mapping, or NULL: the first) says which mapping comes
 * first as the main binary: the one with most votes, kept even if unused; the
 * others are sorted. PF_ENOMEM; the profile is then only good to be freed.
 */
int pf_profile_canonicalize(struct pf_profile *p, const uint64_t *votes, struct pf_error *err);

/* sort_samples.c: the last step of it: labels in their samples, then samples. */
int pf_profile_sort_samples(struct pf_profile *p, struct pf_error *err);

#endif
