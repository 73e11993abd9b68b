/*
 * noise.h: the functions that a report is not about, as expressions for a
 * profile's drop_frames and keep_frames.
 *
 * They must be understood as POSIX extended and as RE2 expressions alike, and
 * are matched against whole function names. A frame that matches is dropped
 * with all it called, so that memory or waiting is charged to whoever asked.
 */
#ifndef PF_PROFILE_NOISE_H
#define PF_PROFILE_NOISE_H

#include "profile/builder.h"

enum pf_noise {
	PF_NOISE_HEAP,  /* allocators, and Go's runtime */
	PF_NOISE_LOCKS, /* unlocking, and what records it */
	PF_NOISE_CPU,   /* a profiler's signal handler */
};

/* Sets what the profile being built is not about. */
int pf_noise_set(struct pf_builder *b, enum pf_noise noise, struct pf_error *err);

#endif
