/*
 * mappings.h: the mappings of a profile: those whose format says only where they are, and the program's.
 */
#ifndef PF_PROFILE_MAPPINGS_H
#define PF_PROFILE_MAPPINGS_H

#include "profile/model.h"

/*
 * Joins mappings that a loader has split, moves the main binary to the front
 * and gives each location that has an address and no mapping the one it lies
 * in; for those in none a last mapping over all addresses is appended.
 */
int pf_mappings_arrange(struct pf_profile *p, struct pf_error *err);

/* The file name of the program, whose mapping is the first, without its folder; "" where the profile names none. */
const char *pf_profile_program(const struct pf_profile *p);

#endif
