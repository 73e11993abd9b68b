/* decode.h: profile.proto bytes to the model. */
#ifndef PF_PROFILE_DECODE_H
#define PF_PROFILE_DECODE_H

#include "profile/model.h"

/*
 * Decodes one inflated profile.proto message into an empty profile. `name`
 * stands for the bytes in messages. PF_EINPUT for everything that google/pprof
 * rejects, with the offset; the profile is then half filled: free it.
 */
int pf_profile_decode(
    struct pf_profile *p, const char *name, const void *bytes, size_t size, struct pf_error *err);

#endif
