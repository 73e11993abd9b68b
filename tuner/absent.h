/*
 * absent.h: what an allocator counts as free memory and the kernel does not have: never written, or given back already.
 * No release brings it back again.
 */
#ifndef PF_TUNER_ABSENT_H
#define PF_TUNER_ABSENT_H

#include "core/buffer.h"
#include "runtime/allocator.h"
#include "tuner/evidence.h"

/* What is resident for nothing is told from so much on, and from so much of the resident set. */
#define PF_WORTH_BYTES (16 << 20)
#define PF_WORTH_SHARE 0.25

/* Bytes of what is releasable. */
struct pf_absent {
	double least, likely, most;
};

/* All 0 where the kernel says nothing of the process, or has as much as the allocator. */
struct pf_absent pf_absent_of(const struct pf_evidence *e, const struct pf_allocator_stats *a);

/* Says what of glibc's free memory may be resident or not, where nothing tells: for who found none to be given back. */
void pf_absent_write(const struct pf_evidence *e, struct pf_buffer *out);

#endif
