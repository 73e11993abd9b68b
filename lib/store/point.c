/* point.c: see point.h. */
#include "store/point.h"

void
pf_store_point(const char *name)
{
	(void)name;
}
