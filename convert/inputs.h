/*
 * inputs.h: the profiles of a conversion by name and content.
 */
#ifndef PF_CONVERT_INPUTS_H
#define PF_CONVERT_INPUTS_H

#include "core/sha256.h"
#include "profile/fingerprint.h"

struct pf_convert_input {
	char *name;    /* owned; the path's last part */
	char *program; /* owned; the last part of its main binary's; "" where it names none */
	/* of the file as it is stored; of what was no file: of the profile as profile.proto, not compressed */
	char sha256[PF_SHA256_HEX];
	uint64_t size;    /* bytes that the digest is of */
	uint64_t samples; /* distinct stacks */
	int64_t time_nanos, duration_nanos;
	bool repeated;  /* says the same as one before */
	bool of_binary; /* has the binary that is converted for among its own */
};

/* A zeroed struct is empty. */
struct pf_convert_inputs {
	struct pf_convert_input *items;
	size_t count, capacity;
	struct pf_fingerprints seen;
	size_t repeated;
};

/* Notes a profile; `bytes` NULL: it is no file's. PF_ENOMEM. */
int pf_convert_inputs_add(struct pf_convert_inputs *inputs, const struct pf_profile *p,
    const char *path, const void *bytes, size_t size, struct pf_error *err);
/* How many have not, and the first of them; NULL and 0: all have. Repeated ones don't count. */
const struct pf_convert_input *pf_convert_inputs_without(
    const struct pf_convert_inputs *inputs, size_t *count);
/* The sum of the durations of those that have. */
int64_t pf_convert_inputs_duration(const struct pf_convert_inputs *inputs);
/* The first that says the same as one before, or NULL. */
const struct pf_convert_input *pf_convert_inputs_repeated(const struct pf_convert_inputs *inputs);
/* The first of another program than the first that names one, which goes to *first; NULL: all are of one. */
const struct pf_convert_input *pf_convert_inputs_of_others(
    const struct pf_convert_inputs *inputs, const struct pf_convert_input **first);
void pf_convert_inputs_release(struct pf_convert_inputs *inputs);

#endif
