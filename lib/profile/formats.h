/*
 * formats.h: the readers of formats other than profile.proto.
 *
 * A recogniser looks at the first bytes only and never fails; a reader takes a
 * source, at its start, whose first bytes its recogniser took, and tells the
 * builder what it finds. Malformed input is PF_EINPUT, naming the source and the
 * line or the offset. A reader may be run again on the rewound source; a failure
 * of the source itself is for the caller to ask. docs/formats.md says what each
 * reads.
 */
#ifndef PF_PROFILE_FORMATS_H
#define PF_PROFILE_FORMATS_H

#include "profile/builder.h"

struct pf_format {
	bool (*recognise)(const uint8_t *bytes, size_t size);
	int (*read)(struct pf_builder *b, struct pf_source *source, struct pf_error *err);
};

/*
 * The format of these bytes, or NULL. Only so many of the first are looked at, so
 * that it doesn't matter how much of an input is in memory.
 */
enum { PF_FORMAT_BYTES = 4 << 10 };
const struct pf_format *pf_format_find(const uint8_t *bytes, size_t size);

#define PF_FORMAT(NAME)                                                \
	bool pf_##NAME##_recognise(const uint8_t *bytes, size_t size); \
	int pf_##NAME##_read(struct pf_builder *b, struct pf_source *source, struct pf_error *err)

PF_FORMAT(cpu);        /* gperftools CPU profiler */
PF_FORMAT(heap);       /* heap, growth and fragmentation texts */
PF_FORMAT(jemalloc);   /* jemalloc's heap_v2 */
PF_FORMAT(counts);     /* Go's debug=1 of goroutine, threadcreate, … */
PF_FORMAT(goroutines); /* Go's debug=2 of goroutine */
PF_FORMAT(threadz);    /* stacks of all threads */
PF_FORMAT(java);       /* heap and contention texts of Java agents */
PF_FORMAT(contention); /* lock contention, C++ and Go */

#endif
