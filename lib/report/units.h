/*
 * units.h: values and shares as people read them.
 *
 * Units and rounding are those that users of pprof know: bytes in powers of
 * 1024 (B, kB, MB, …), times in ns, us, ms, s, hrs; everything else is counted
 * as it is.
 */
#ifndef PF_REPORT_UNITS_H
#define PF_REPORT_UNITS_H

#include <stdint.h>

enum { PF_VALUE_TEXT = 48 };

/*
 * "1.38s" for 1380000000 nanoseconds. `target` is a unit ("ms", "MB"), or
 * "auto": the greatest unit that leaves at least 1. Writes at most
 * PF_VALUE_TEXT bytes and returns `out`.
 */
const char *pf_value_text(char *out, int64_t value, const char *unit, const char *target);

/* Whether values can be told in this unit: "auto", a size or a time, as people write them (MB, megabytes). NULL is no unit. */
int pf_unit_known(const char *name);

/* " 4.57%": the share of a value in a total, six characters wide, without a sign. */
const char *pf_share_text(char *out, int64_t value, int64_t total);

/* The unit in which both the smallest and the greatest of some values read well; a static string or `unit`. */
const char *pf_common_unit(int64_t smallest, int64_t greatest, const char *unit);

/* Whether values of this unit are times; then *factor is how many nanoseconds one of them has. */
int pf_unit_is_time(const char *unit, double *factor);

#endif
