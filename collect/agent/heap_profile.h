/*
 * heap_profile.h: the sums of heap.h as profiles.
 */
#ifndef PF_AGENT_HEAP_PROFILE_H
#define PF_AGENT_HEAP_PROFILE_H

#include "collect/agent/moment.h"
#include "core/buffer.h"

/* NULL if allocations are sampled here, else a sentence that says why not. */
const char *pf_heap_why_not(void);

/* Drains the notes and copies the sums; 0 or -ENOMEM. */
int pf_heap_moment_take(struct pf_moment *moment);

/*
 * Write what there is, less `base` if it is not NULL, as profile.proto; 0 or
 * -ENOMEM. heap and allocs are Go's: the same figures, another one shown first;
 * frees tells how long what was freed had lived, and whether the thread that
 * freed it was the one that had allocated it.
 */
int pf_heap_write(const struct pf_moment *base, struct pf_buffer *out);
int pf_heap_write_allocs(const struct pf_moment *base, struct pf_buffer *out);
int pf_heap_write_frees(const struct pf_moment *base, struct pf_buffer *out);

/* heap and allocs as the text that pprof's readers call "heapprofile", on any level. */
int pf_heap_write_text(int level, struct pf_buffer *out);

#endif
