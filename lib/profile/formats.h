/*
 * formats.h: the readers of formats other than profile.proto.
 *
 * A recogniser looks at the first bytes only and never fails; a reader is
 * called on bytes its recogniser took, builds on an empty profile and answers
 * malformed input with PF_EINPUT, naming `name` and the line or the offset.
 * docs/formats.md says what each reads.
 */
#ifndef PF_PROFILE_FORMATS_H
#define PF_PROFILE_FORMATS_H

#include "profile/model.h"

struct pf_format {
	bool (*recognise)(const uint8_t *bytes, size_t size);
	int (*read)(struct pf_profile *p, const char *name, const uint8_t *bytes, size_t size,
	    struct pf_error *err);
};

/* The format of these bytes, or NULL. */
const struct pf_format *pf_format_find(const uint8_t *bytes, size_t size);

#define PF_FORMAT(NAME)                                                                    \
	bool pf_##NAME##_recognise(const uint8_t *bytes, size_t size);                     \
	int pf_##NAME##_read(struct pf_profile *p, const char *name, const uint8_t *bytes, \
	    size_t size, struct pf_error *err)

PF_FORMAT(cpu);        /* gperftools CPU profiler */
PF_FORMAT(heap);       /* heap, growth and fragmentation texts */
PF_FORMAT(jemalloc);   /* jemalloc's heap_v2 */
PF_FORMAT(counts);     /* Go's debug=1 of goroutine, threadcreate, … */
PF_FORMAT(goroutines); /* Go's debug=2 of goroutine */
PF_FORMAT(threadz);    /* stacks of all threads */
PF_FORMAT(java);       /* heap and contention texts of Java agents */
PF_FORMAT(contention); /* lock contention, C++ and Go */

#endif
