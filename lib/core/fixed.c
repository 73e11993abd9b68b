/* fixed.c: see fixed.h. Signs are taken off first: all arithmetic is on magnitudes. */
#include "core/fixed.h"

pf_int128
pf_fixed_quotient(int64_t value, uint64_t divisor)
{
	uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	pf_uint128 wide = (pf_uint128)magnitude << 64;
	pf_uint128 quotient = wide / divisor;

	if (wide % divisor >= divisor - divisor / 2)
		quotient++;
	return value < 0 ? -(pf_int128)quotient : (pf_int128)quotient;
}

/* Three 64-bit digits, the lowest first, divided in place; returns the remainder. */
static uint64_t
divide(uint64_t digits[3], uint64_t divisor)
{
	pf_uint128 rest = 0;

	for (int i = 2; i >= 0; i--) {
		rest = rest << 64 | digits[i];
		digits[i] = (uint64_t)(rest / divisor);
		rest %= divisor;
	}
	return (uint64_t)rest;
}

bool
pf_fixed_round(pf_int128 number, uint64_t factor, uint64_t divisor, int64_t *rounded)
{
	pf_uint128 magnitude = number < 0 ? 0 - (pf_uint128)number : (pf_uint128)number;
	pf_uint128 low = (pf_uint128)(uint64_t)magnitude * factor;
	pf_uint128 high = (pf_uint128)(uint64_t)(magnitude >> 64) * factor + (uint64_t)(low >> 64);
	uint64_t digits[3] = {(uint64_t)low, (uint64_t)high, (uint64_t)(high >> 64)}, result;

	divide(digits, divisor);
	if (digits[2] || digits[1] > INT64_MAX)
		return false;
	result = digits[1] + (digits[0] >> 63);
	if (result > INT64_MAX)
		return false;
	if (result == 0 && number != 0)
		result = 1;
	*rounded = number < 0 ? -(int64_t)result : (int64_t)result;
	return true;
}
