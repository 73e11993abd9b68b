/* number.h: numbers as people write them in options and configurations, and those that nobody told. */
#ifndef PF_CORE_NUMBER_H
#define PF_CORE_NUMBER_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

/* A number of which NaN says that it is not known: 0 then. */
static inline double
pf_or_zero(double value)
{
	return isnan(value) ? 0 : value;
}

/* The order of two int64_t, for qsort and bsearch. */
static inline int
pf_number_order(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/*
 * A finite decimal number not below zero at the start of text, in the process's
 * locale; *rest is what follows it, such as a unit. False: there is none, and
 * *value and *rest say nothing.
 */
bool pf_number_prefix(const char *text, double *value, const char **rest);

#endif
