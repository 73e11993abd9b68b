/*
 * reader.h: inputs read into profiles, whole or in parts.
 *
 * A reader keeps what reading needs (the window, the inflater, tables of ids)
 * from one input to the next, so that a merge of many profiles does not ask for
 * memory again and again.
 */
#ifndef PF_PROFILE_READER_H
#define PF_PROFILE_READER_H

#include "profile/builder.h"
#include "profile/decode.h"

struct pf_reader {
	struct pf_source source;
	struct pf_decoder decoder;
	struct pf_profile *profile; /* owned; the one that parts are made of */
};

/* Allocates nothing. */
void pf_reader_init(struct pf_reader *r);
void pf_reader_release(struct pf_reader *r);

/* A file ("-": standard input), or bytes that somebody keeps; as pf_profile_open() and _parse(). */
int pf_reader_open(struct pf_reader *r, const char *path, const struct pf_read_options *options,
    struct pf_error *err);
int pf_reader_borrow(struct pf_reader *r, const char *name, const void *bytes, size_t size,
    const struct pf_read_options *options, struct pf_error *err);

/* What was opened, as a new profile of the caller's. */
int pf_reader_whole(struct pf_reader *r, struct pf_profile **profile, struct pf_error *err);
/*
 * The same in parts, as pf_profile_stream(): profile.proto always, other formats
 * where the input is too long to be held, else in one part. The profile that is
 * handed over is the reader's; its strings are good by number only.
 */
int pf_reader_parts(struct pf_reader *r, const struct pf_parts *parts, struct pf_error *err);

#endif
