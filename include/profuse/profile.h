/*
 * profuse/profile.h: reading, merging and writing profiles.
 *
 * A struct pf_profile is one profile in columns: interned strings and flat
 * arrays of samples, locations, lines, functions, mappings and labels. Every
 * reader ends in it, everything else starts from it. Handles are not shared
 * between threads without the caller's own lock; distinct handles are
 * independent.
 *
 * Read are perftools.profiles.Profile (profile.proto) and the older formats of
 * docs/formats.md, plain or gzip with any number of members; written is
 * profile.proto.
 */
#ifndef PROFUSE_PROFILE_H
#define PROFUSE_PROFILE_H

#include <stddef.h>
#include <stdint.h>

#include <profuse/error.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct pf_profile;

/* How much untrusted input may ask of us. Fill with PF_READ_OPTIONS_INIT, then change. */
struct pf_read_options {
	size_t struct_size;
	uint64_t max_size;  /* inflated bytes; default 256 MiB; UINT64_MAX: no limit */
	uint32_t max_ratio; /* inflated : compressed, once over 16 MiB; default 200; 0: no limit */
};
#define PF_READ_OPTIONS_INIT {sizeof(struct pf_read_options), (uint64_t)256 << 20, 200}

/*
 * Reads a profile from a file ("-": standard input) or from memory, where
 * `name` stands for the bytes in messages. On success *profile is a new handle,
 * to be freed by the caller; on failure NULL. options may be NULL.
 * PF_EIO unreadable; PF_EINPUT malformed, empty or over a cap, with file and
 * offset (of the inflated bytes) or line; PF_ENOMEM.
 */
int pf_profile_open(struct pf_profile **profile, const char *path,
    const struct pf_read_options *options, struct pf_error *err);
int pf_profile_parse(struct pf_profile **profile, const char *name, const void *bytes, size_t size,
    const struct pf_read_options *options, struct pf_error *err);
void pf_profile_free(struct pf_profile *profile);

/*
 * Reads a file in parts, each handed to take(): a profile with all of the
 * file's types, mappings, locations and functions, and some of its samples. A
 * file that is larger than memory is read through a window, more than once (a
 * pipe's content is kept in a temporary file for that); what is held is the
 * tables and one part. The part is only lent, and used again for the next one.
 * take() is called at least once, also where there are no samples; a code other
 * than 0 ends reading and is returned, so it should fill err. Errors as above;
 * one may be found after some parts were handed over.
 */
typedef int (*pf_profile_part_function)(
    void *data, const struct pf_profile *part, struct pf_error *err);
int pf_profile_stream(const char *path, const struct pf_read_options *options,
    pf_profile_part_function take, void *data, struct pf_error *err);

/* Sizes and header values. Strings stay owned by the profile. */
size_t pf_profile_sample_count(const struct pf_profile *profile);
size_t pf_profile_type_count(const struct pf_profile *profile);
/* The i-th sample type's name and unit, such as "cpu" and "nanoseconds". */
const char *pf_profile_type_name(const struct pf_profile *profile, size_t i);
const char *pf_profile_type_unit(const struct pf_profile *profile, size_t i);
int64_t pf_profile_time_nanos(const struct pf_profile *profile); /* since the epoch; 0: unknown */
int64_t pf_profile_duration_nanos(const struct pf_profile *profile); /* 0: unknown */
int64_t pf_profile_period(const struct pf_profile *profile);

/*
 * Writes profile.proto, gzipped, to a file (whole or not at all; "-": standard
 * output). Sequential ids from 1, default_sample_type always set: what the
 * strictest known readers want. The same profile gives the same bytes.
 */
int pf_profile_write(const struct pf_profile *profile, const char *path, struct pf_error *err);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
