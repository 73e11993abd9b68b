/*
 * inputs.h: the profiles of a conversion by name and content.
 */
#ifndef PF_CONVERT_INPUTS_H
#define PF_CONVERT_INPUTS_H

#include "core/sha256.h"
#include "profile/fingerprint.h"

struct pf_convert_input {
	char *name;                 /* owned; the path's last part */
	char sha256[PF_SHA256_HEX]; /* of the file as it is stored; "": not from a file */
	uint64_t size;              /* bytes of the file */
	uint64_t samples;           /* distinct stacks */
	int64_t time_nanos, duration_nanos;
};

/* A zeroed struct is empty. */
struct pf_convert_inputs {
	struct pf_convert_input *items;
	size_t count, capacity;
	struct pf_fingerprints seen;
	size_t repeated;       /* profiles that say the same as one before */
	size_t first_repeated; /* the first of them */
};

/* Notes a profile; `bytes` NULL: it was not read from a file. PF_ENOMEM. */
int pf_convert_inputs_add(struct pf_convert_inputs *inputs, const struct pf_profile *p,
    const char *path, const void *bytes, size_t size, struct pf_error *err);
void pf_convert_inputs_release(struct pf_convert_inputs *inputs);

#endif
