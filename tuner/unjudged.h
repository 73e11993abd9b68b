/* unjudged.h: parts of what a report says was not judged. */
#ifndef PF_TUNER_UNJUDGED_H
#define PF_TUNER_UNJUDGED_H

#include "core/buffer.h"
#include "tuner/evidence.h"

/* Statistics that were given and that nothing was made of: a base's, and older ones of an allocator. */
void pf_write_other_statistics(const struct pf_evidence *e, struct pf_buffer *out);

#endif
