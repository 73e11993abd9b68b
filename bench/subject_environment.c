/* subject_environment.c: see subject_environment.h. */
#include "bench/subject_environment.h"

#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "core/memory.h"

/* Replaces the variable of this name, or appends it. */
static size_t
set(char **environment, size_t count, const char *setting, size_t name_size)
{
	for (size_t i = 0; i < count; i++) {
		if (strncmp(environment[i], setting, name_size + 1) == 0) {
			environment[i] = (char *)setting;
			return count;
		}
	}
	environment[count] = (char *)setting;
	return count + 1;
}

int
pf_environment_with(
    char ***environment, const char *const *settings, size_t count, struct pf_error *err)
{
	size_t own = 0;
	int rc;

	while (environ && environ[own])
		own++;
	for (size_t i = 0; i < count; i++) {
		const char *equals = strchr(settings[i], '=');
		if (!equals || equals == settings[i])
			return pf_error_set(err, PF_EUSAGE,
			    "\"%s\" sets no variable: expected NAME=VALUE", settings[i]);
	}
	rc = PF_CALLOC(*environment, own + count + 1, err);
	if (rc)
		return rc;
	if (own)
		memcpy(*environment, environ, own * sizeof **environment);
	for (size_t i = 0; i < count; i++)
		own = set(*environment, own, settings[i],
		    (size_t)(strchr(settings[i], '=') - settings[i]));
	return 0;
}
