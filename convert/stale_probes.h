/*
 * stale_probes.h: profiles by pseudo-probes against a newer build; see stale.h.
 *
 * A probe's number means the same as long as the checksum of its function's
 * control flow graph is the same: that is all that the compiler asks, for each
 * function of the profile by itself. Descriptors are made before anything is
 * inlined or removed, so one that is missing is of a function that is gone from
 * the source.
 */
#ifndef PF_CONVERT_STALE_PROBES_H
#define PF_CONVERT_STALE_PROBES_H

#include "convert/stale.h"

/*
 * Fills in the functions of `s`, with what each lost; the state is that of
 * those that lost nothing. Places inlined into a function that does not fit are
 * lost with it, for its reason. PF_EINPUT where the newer binary has no probes,
 * or unreadable ones; PF_ENOMEM.
 */
int pf_stale_by_probes(struct pf_staleness *s, const struct pf_functions *profile,
    struct pf_binary *newer, struct pf_error *err);

#endif
