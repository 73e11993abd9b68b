/* steps.c: see steps.h. */
#include "profile/steps.h"

#include <string.h>

#include "profile/model.h"

static bool
is_counted(const char *type, const char *unit, const char *what)
{
	return strcmp(type, what) == 0 && strcmp(unit, "count") == 0;
}

bool
pf_type_is_steps(const char *type, const char *unit)
{
	return is_counted(type, unit, "steps");
}

static size_t
find(const struct pf_profile *p, const char *what)
{
	size_t i = 0;

	while (i < p->type_count &&
	       !is_counted(pf_profile_type_name(p, i), pf_profile_type_unit(p, i), what))
		i++;
	return i;
}

size_t
pf_profile_find_steps(const struct pf_profile *p)
{
	return find(p, "steps");
}

bool
pf_profile_has_samples(const struct pf_profile *p)
{
	return find(p, "samples") < p->type_count;
}
