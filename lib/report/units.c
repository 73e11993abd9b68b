/* units.c: see units.h. */
#include "report/units.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct unit {
	const char *name;
	const char *aliases; /* lower case, no plural, each followed by a blank */
	double factor;
};

/* A kind of quantity: its units, smallest first, and the one for values below all of them. */
struct kind {
	const struct unit *units;
	int count, fallback;
};

static const struct unit sizes[] = {
    {"B", "b byte ", 1},
    {"kB", "kb kbyte kilobyte ", 1024.0},
    {"MB", "mb mbyte megabyte ", 1048576.0},
    {"GB", "gb gbyte gigabyte ", 1073741824.0},
    {"TB", "tb tbyte terabyte ", 1099511627776.0},
    {"PB", "pb pbyte petabyte ", 1125899906842624.0},
};
static const struct unit times[] = {
    {"ns", "ns nanosecond ", 1},
    {"us", "us μs microsecond ", 1e3},
    {"ms", "ms millisecond ", 1e6},
    {"s", "s sec second ", 1e9},
    {"hrs", "hr hour ", 3600e9},
};
static const struct kind kinds[] = {{sizes, 6, 0}, {times, 5, 3}};

/* Lower case, without the plural's s where more than two letters remain in question. */
static void
simplify(char *out, size_t size, const char *name)
{
	size_t n = strlen(name);

	if (n >= size)
		n = size - 1;
	for (size_t i = 0; i < n; i++)
		out[i] = (char)tolower((unsigned char)name[i]);
	if (n > 2 && out[n - 1] == 's')
		n--;
	out[n] = ' ';
	out[n + 1] = '\0';
}

static const struct unit *
find_unit(const struct kind *kind, const char *name)
{
	char wanted[34];

	simplify(wanted, sizeof wanted - 1, name);
	for (int i = 0; i < kind->count; i++) {
		const char *at = kind->units[i].aliases;
		for (; *at; at = strchr(at, ' ') + 1) {
			if (strncmp(at, wanted, strlen(wanted)) == 0)
				return &kind->units[i];
		}
	}
	return NULL;
}

static const struct unit *
greatest_below(const struct kind *kind, double value)
{
	const struct unit *found = &kind->units[kind->fallback];

	for (int i = 0; i < kind->count; i++) {
		if (value / kind->units[i].factor >= 1.0)
			found = &kind->units[i];
	}
	return found;
}

/* The value in its target unit, whose name is returned; "" for what is not worth naming. */
static const char *
scale(double value, const char *unit, const char *target, double *scaled)
{
	bool automatic = strcmp(target, "auto") == 0;

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		const struct unit *from = find_unit(&kinds[i], unit), *to;
		if (!from)
			continue;
		to = automatic ? greatest_below(&kinds[i], fabs(value) * from->factor)
			       : find_unit(&kinds[i], target);
		if (!to)
			to = &kinds[i].units[kinds[i].fallback];
		*scaled = value * from->factor / to->factor;
		return to->name;
	}
	*scaled = value;
	if (automatic || strcmp(target, "count") == 0 || strcmp(target, "sample") == 0 ||
	    strcmp(target, "unit") == 0)
		return "";
	return target;
}

int
pf_unit_known(const char *name)
{
	if (!name)
		return 0;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (find_unit(&kinds[i], name))
			return 1;
	}
	return strcmp(name, "auto") == 0 || strcmp(name, "count") == 0;
}

const char *
pf_value_text(char *out, int64_t value, const char *unit, const char *target)
{
	char number[32];
	double scaled;
	const char *name = scale((double)value, unit, target, &scaled);
	size_t n = (size_t)snprintf(number, sizeof number, "%.2f", scaled);

	if (n > 3 && strcmp(number + n - 3, ".00") == 0)
		number[n - 3] = '\0';
	if (strcmp(number, "0") == 0 || strcmp(number, "-0") == 0)
		snprintf(out, PF_VALUE_TEXT, "0");
	else
		snprintf(out, PF_VALUE_TEXT, "%s%s", number, name);
	return out;
}

const char *
pf_share_text(char *out, int64_t value, int64_t total)
{
	double share = total ? fabs((double)value / (double)total) * 100 : 0;

	if (share >= 99.95 && share <= 100.05)
		snprintf(out, PF_VALUE_TEXT, "  100%%");
	else if (share >= 1.0)
		snprintf(out, PF_VALUE_TEXT, "%5.2f%%", share);
	else
		snprintf(out, PF_VALUE_TEXT, "%5.2g%%", share);
	return out;
}

const char *
pf_common_unit(int64_t smallest, int64_t greatest, const char *unit)
{
	double unused, low = (double)smallest, high = (double)greatest;
	const char *low_unit = scale(low, unit, "auto", &unused);
	const char *high_unit = scale(high, unit, "auto", &unused);

	/* A hundred times the smallest: it may then read as 0.01 of a greater unit. */
	if (strcmp(low_unit, high_unit) != 0 && low * 100 < high)
		low_unit = scale(100 * low, unit, "auto", &unused);
	return *low_unit ? low_unit : unit;
}

int
pf_unit_is_time(const char *unit, double *factor)
{
	const struct unit *found = find_unit(&kinds[1], unit);

	if (found)
		*factor = found->factor;
	return found != NULL;
}
