/* unjudged.h: parts of what a report says was not judged. */
#ifndef PF_TUNER_UNJUDGED_H
#define PF_TUNER_UNJUDGED_H

#include "core/buffer.h"
#include "tuner/evidence.h"

struct pf_tune;

/* Statistics that were given and that nothing was made of: a base's, and older ones of an allocator. */
void pf_write_other_statistics(const struct pf_evidence *e, struct pf_buffer *out);

/* Waits at channels, where goroutines that send or serve requests wait much: nothing tells what for. PF_ENOMEM. */
int pf_write_channel_waits(
    const struct pf_evidence *e, struct pf_buffer *out, struct pf_error *err);

/*
 * How much of a profile's column has no function names, where that is much, and what would give it some. `what` is how
 * the column belongs to code: "CPU time is spent in or for". PF_ENOMEM.
 */
int pf_write_nameless(const struct pf_tune *t, const struct pf_evidence_profile *ep,
    uint32_t column, const char *what, struct pf_buffer *out, struct pf_error *err);
/* That there are no names in any profile: of those of other kinds than the above little is judged then. */
void pf_write_addresses_only(const struct pf_tune *t, struct pf_buffer *out);

#endif
