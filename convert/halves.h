/*
 * halves.h: would another sample of the same size have said the same?
 */
#ifndef PF_CONVERT_HALVES_H
#define PF_CONVERT_HALVES_H

#include <stddef.h>
#include <stdint.h>

/*
 * Splits each of n counts in two by fair coins from `seed` and returns the
 * overlap of the halves, 0 to 1: the sum over all counts of the smaller of its
 * two shares. 0 where a half is empty.
 */
double pf_halves_overlap(const uint64_t *counts, size_t n, uint64_t seed);

#endif
