/* number.c: see number.h. */
#include "core/number.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

bool
pf_number_prefix(const char *text, double *value, const char **rest)
{
	char *end;

	/* strtod also takes signs, blanks and "inf" */
	if (!isdigit((unsigned char)text[0]) && text[0] != '.')
		return false;
	errno = 0;
	*value = strtod(text, &end);
	*rest = end;
	return !errno && isfinite(*value);
}
