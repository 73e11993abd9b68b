/* canonical.h: one order for everything in a profile. */
#ifndef PF_PROFILE_CANONICAL_H
#define PF_PROFILE_CANONICAL_H

#include "profile/model.h"

/*
 * Of a profile whose samples are packed: drops what no sample refers to and
 * sorts the rest by content, strings, mappings, functions, locations, comments,
 * and the labels of each set. Samples stay where they are: what orders them is
 * set, and they are written in order (order_samples.h). Two profiles that hold
 * the same items, each once, then encode to the same bytes.
 * `votes` (one number a mapping, or NULL: the first) says which mapping comes
 * first as the main binary: the one with most votes, kept even if unused; the
 * others are sorted. PF_ENOMEM; the profile is then only good to be freed.
 */
int pf_profile_canonicalize(struct pf_profile *p, const uint64_t *votes, struct pf_error *err);

#endif
