/* outside_heap.h: resident memory of C and C++ programs of which neither the allocator nor a heap profile knows. */
#ifndef PF_TUNER_OUTSIDE_HEAP_H
#define PF_TUNER_OUTSIDE_HEAP_H

#include "core/buffer.h"
#include "tuner/evidence.h"

/* A sentence, where there is much of it. */
void pf_write_outside_malloc(const struct pf_evidence *e, struct pf_buffer *out);

#endif
