/* encode.h: the model to profile.proto bytes. */
#ifndef PF_PROFILE_ENCODE_H
#define PF_PROFILE_ENCODE_H

#include "core/buffer.h"
#include "profile/model.h"

/* Appends the profile as one profile.proto message, not compressed. PF_ENOMEM. */
int pf_profile_encode(const struct pf_profile *p, struct pf_buffer *out, struct pf_error *err);

/*
 * pf_profile_write(), spending the samples on the way: the profile has none
 * when it is done, nor after a failure. They make room for compressing.
 */
int pf_profile_write_spending(struct pf_profile *p, const char *path, struct pf_error *err);

/* encode_samples.c and encode_packed.c: the samples of a profile that holds them in columns, or packed. */
int pf_encode_samples(const struct pf_profile *p, struct pf_buffer *out, struct pf_error *err);
int pf_encode_packed(const struct pf_profile *p, struct pf_buffer *out, struct pf_error *err);

/* One sample: its frames are written by the caller, between begin and end. */
struct pf_sample_message {
	size_t frame_size; /* in bytes, as ids */
	const int64_t *values;
	size_t value_count, value_size; /* the size is found by begin */
	const uint8_t *labels;          /* encoded; not NULL */
	size_t label_size;
};

/* Where the frames go; eight bytes more than they have may be written there. NULL if there is no room: out has failed. */
uint8_t *pf_encode_sample_begin(struct pf_buffer *out, struct pf_sample_message *m);
void pf_encode_sample_end(struct pf_buffer *out, const struct pf_sample_message *m, uint8_t *to);

/* A label as a field of a sample; scratch is empty before and after. */
void pf_encode_label(const struct pf_label *l, struct pf_buffer *scratch, struct pf_buffer *out);

#endif
