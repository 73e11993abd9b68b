/*
 * match.h: which of the profile's binaries is the one being converted for.
 *
 * A build id decides where both sides have one. The same file name with another
 * build id is another build of the same program: left out, unless forced. Where
 * one side has no build id the file name decides, which deserves a warning.
 */
#ifndef PF_CONVERT_MATCH_H
#define PF_CONVERT_MATCH_H

#include <stdbool.h>
#include <stdint.h>

struct pf_binary;
struct pf_stacks;
struct pf_stack_frame;
struct pf_error;

enum pf_match {
	PF_MATCH_NO,          /* another binary: libc, the kernel */
	PF_MATCH_BUILD_ID,    /* the same build */
	PF_MATCH_NAME,        /* the same file name, nothing known about the build */
	PF_MATCH_OTHER_BUILD, /* the same file name, another build: left out */
	PF_MATCH_FORCED,      /* the same, but allowed */
};

/* One decision a binary of the stacks; *matches has s->binary_count entries and is to be freed. */
int pf_match_binaries(enum pf_match **matches, const struct pf_stacks *s, const char *path,
    const char *build_id, bool allow_other_build, struct pf_error *err);

/* The decision on one, by its file name and build id ("": none). */
enum pf_match pf_match_binary(const char *filename, const char *theirs, const char *path,
    const char *build_id, bool allow_other_build);

static inline bool
pf_match_used(enum pf_match match)
{
	return match == PF_MATCH_BUILD_ID || match == PF_MATCH_NAME || match == PF_MATCH_FORCED;
}

/* Where a frame lies in the binary, as linked; false if it is not one of its addresses. */
bool pf_match_address(const struct pf_stack_frame *f, const enum pf_match *matches,
    const struct pf_binary *binary, uint64_t *address);

/* The part of a path after the last slash, and its size without a kernel's " (deleted)". */
const char *pf_file_base(const char *path, int *size);

#endif
