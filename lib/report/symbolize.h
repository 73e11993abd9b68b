/*
 * symbolize.h: names for the addresses of a profile, from the binaries
 * themselves.
 */
#ifndef PF_REPORT_SYMBOLIZE_H
#define PF_REPORT_SYMBOLIZE_H

#include "profile/model.h"

/*
 * Gives every location without lines that lies in one of these binaries its
 * chain of inlined functions (DWARF), or else its symbol. A mapping belongs to
 * a binary if their build ids agree or, where one of them has none, their file
 * names. PF_EINPUT where a binary belongs to no mapping, with both build ids;
 * PF_EIO; PF_ENOMEM.
 */
int pf_profile_symbolize(
    struct pf_profile *p, const char *const *paths, size_t count, struct pf_error *err);

#endif
