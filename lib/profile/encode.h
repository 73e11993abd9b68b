/* encode.h: the model to profile.proto bytes. */
#ifndef PF_PROFILE_ENCODE_H
#define PF_PROFILE_ENCODE_H

#include "core/buffer.h"
#include "profile/model.h"

/* Appends the profile as one profile.proto message, not compressed. PF_ENOMEM. */
int pf_profile_encode(const struct pf_profile *p, struct pf_buffer *out, struct pf_error *err);

/*
 * pf_profile_write(), spending the samples on the way: the profile has none
 * when it is done, nor after a failure. Takes little more memory than they have
 * taken, and the time to read them once in order.
 */
int pf_profile_write_spending(struct pf_profile *p, const char *path, struct pf_error *err);

/* encode_samples.c: the samples in the order in which they are written; the second spends them. */
int pf_encode_samples(const struct pf_profile *p, struct pf_buffer *out, struct pf_error *err);
int pf_encode_samples_spending(struct pf_profile *p, struct pf_buffer *out, struct pf_error *err);

#endif
