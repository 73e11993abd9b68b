/*
 * fixed.h: sums of quotients in 128-bit fixed point, rounded once at the end.
 *
 * A number is held as its 2^64-fold. Sums of such numbers do not depend on
 * their order; the error is at most 2^-65 per quotient.
 */
#ifndef PF_CORE_FIXED_H
#define PF_CORE_FIXED_H

#include <stdbool.h>
#include <stdint.h>

__extension__ typedef __int128 pf_int128;
__extension__ typedef unsigned __int128 pf_uint128;

/* value / divisor (> 0), to the nearest 2^-64, halves away from zero. */
pf_int128 pf_fixed_quotient(int64_t value, uint64_t divisor);

/*
 * number * factor / divisor (> 0), to the nearest integer, halves away from
 * zero; a number other than zero gives at least 1 or at most -1. False if it
 * does not fit.
 */
bool pf_fixed_round(pf_int128 number, uint64_t factor, uint64_t divisor, int64_t *rounded);

#endif
