/*
 * unsample.h: from sampled allocations to all of them, and back.
 *
 * An allocator that takes a sample every `rate` bytes on average (a Poisson
 * process) sees an object of s bytes with probability 1 - exp(-s / rate). A
 * figure that rests on n samples has a relative error of about 1 / sqrt(n).
 */
#ifndef PF_PROFILE_UNSAMPLE_H
#define PF_PROFILE_UNSAMPLE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Replaces counted objects and their bytes by the estimate of all, rounded
 * towards zero; a rate up to 1 means that everything was counted. False, with
 * both untouched, if the estimate exceeds 64 bits.
 */
bool pf_unsample(int64_t *objects, int64_t *bytes, int64_t rate);

/* How many samples stand behind such an estimate; its relative error is 1 / sqrt of that. */
double pf_unsampled_samples(int64_t objects, int64_t bytes, int64_t rate);

#endif
