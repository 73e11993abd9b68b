/* encode.h: the model to profile.proto bytes. */
#ifndef PF_PROFILE_ENCODE_H
#define PF_PROFILE_ENCODE_H

#include "core/buffer.h"
#include "profile/model.h"

/* Appends the profile as one profile.proto message, not compressed. PF_ENOMEM. */
int pf_profile_encode(const struct pf_profile *p, struct pf_buffer *out, struct pf_error *err);

#endif
