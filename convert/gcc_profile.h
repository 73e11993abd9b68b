/*
 * gcc_profile.h: profiles for gcc -fauto-profile.
 *
 * The file is of GCC's own making (gcov's words, read by auto-profile.cc): names,
 * then a tree for each function as in LLVM's profiles, with a place in one word,
 * line offset above and discriminator below. GCC 12 reads no discriminators, and
 * of two records for one line keeps the last, so lines are made whole here.
 * docs/convert.md describes the format.
 */
#ifndef PF_CONVERT_GCC_PROFILE_H
#define PF_CONVERT_GCC_PROFILE_H

#include "convert/functions.h"
#include "core/buffer.h"

/*
 * Fills `lines` (not initialised; to be released, also after an error) with
 * `functions`, sealed, as if there were no discriminators: a line counts as often
 * as its most frequent place, and the copies of a function inlined more than
 * once into a line are one. Sealed. PF_ENOMEM.
 */
int pf_functions_by_line(
    struct pf_functions *lines, const struct pf_functions *functions, struct pf_error *err);

/* Appends the file for sealed functions without discriminators. PF_ENOMEM. */
int pf_gcc_profile(const struct pf_functions *lines, struct pf_buffer *out, struct pf_error *err);

#endif
