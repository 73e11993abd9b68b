/*
 * json_number.c: numbers, JSON's grammar.
 *
 * Up to fifteen digits and a small exponent are exact in one multiplication or
 * division of doubles; only what is longer goes to strtod.
 */
#include "json.h"

#include <stdlib.h>

#define MOST_DIGITS 64

struct parts {
	uint64_t digits; /* the first 18 */
	int count;       /* of digits, leading zeros left out */
	int exponent;    /* of 10 */
	bool negative, whole;
};

static const char *
read_digits(const char *at, const char *end, struct parts *parts, int shift)
{
	for (; at < end && is_kind(*at, IS_DIGIT); at++) {
		if (parts->count == 0 && *at == '0') {
			parts->exponent += shift;
			continue;
		}
		if (parts->count < 18) {
			parts->digits = parts->digits * 10 + (uint64_t)(*at - '0');
			parts->exponent += shift;
		} else {
			parts->exponent += shift + 1;
		}
		parts->count++;
	}
	return at;
}

static const char *
read_exponent(const char *at, const char *end, struct parts *parts)
{
	bool negative = false;
	int exponent = 0;

	if (at < end && (*at == '+' || *at == '-'))
		negative = *at++ == '-';
	if (at == end || !is_kind(*at, IS_DIGIT))
		return NULL;
	for (; at < end && is_kind(*at, IS_DIGIT); at++) {
		if (exponent < 10000)
			exponent = exponent * 10 + (*at - '0');
	}
	parts->exponent += negative ? -exponent : exponent;
	return at;
}

/* The number's end, or NULL where there is none. */
static const char *
read_parts(const char *at, const char *end, struct parts *parts)
{
	const char *from;

	*parts = (struct parts){.whole = true};
	if (at < end && *at == '-') {
		parts->negative = true;
		at++;
	}
	from = at;
	at = read_digits(at, end, parts, 0);
	if (at == from || (*from == '0' && at - from > 1))
		return NULL;
	if (at + 1 < end && *at == '.' && is_kind(at[1], IS_DIGIT)) {
		parts->whole = false;
		at = read_digits(at + 1, end, parts, -1);
	}
	if (at < end && (*at == 'e' || *at == 'E')) {
		parts->whole = false;
		at = read_exponent(at + 1, end, parts);
	}
	return at;
}

static double
scale(const struct parts *parts)
{
	static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
	double number = (double)parts->digits;

	if (parts->exponent < 0)
		return number / powers[-parts->exponent];
	return number * powers[parts->exponent];
}

bool
json_number(const char **at, const char *end, struct value *value)
{
	const char *from = *at;
	struct parts parts;
	char copy[MOST_DIGITS + 1];
	const char *past = read_parts(from, end, &parts);
	double number;

	if (!past)
		return false;
	if (parts.whole && parts.count <= 18) {
		int64_t integer = (int64_t)parts.digits;

		*value = value_integer(parts.negative ? -integer : integer);
	} else if (parts.count <= 15 && parts.exponent >= -22 && parts.exponent <= 22) {
		number = scale(&parts);
		*value = value_real(parts.negative ? -number : number);
	} else {
		size_t size = (size_t)(past - from);

		if (size > MOST_DIGITS)
			return false;
		memcpy(copy, from, size);
		copy[size] = 0;
		*value = value_real(strtod(copy, NULL));
	}
	*at = past;
	return true;
}
