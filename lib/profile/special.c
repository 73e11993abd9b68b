/* special.c: see special.h. The names are those of /proc/PID/maps and of perf. */
#include "profile/special.h"

#include <string.h>

static bool
starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* "perf-123.map", the file that JIT compilers list their code in, stands for that code. */
static bool
is_perf_map(const char *filename)
{
	const char *slash = strrchr(filename, '/'), *base = slash ? slash + 1 : filename;
	size_t digits;

	if (!starts_with(base, "perf-"))
		return false;
	digits = strspn(base + 5, "0123456789");
	return digits > 0 && strcmp(base + 5 + digits, ".map") == 0;
}

bool
pf_mapping_is_file(const char *filename)
{
	static const char *const others[] = {"[", "//", "/anon_hugepage", "/memfd:", "/SYSV"};

	if (!filename[0] || strcmp(filename, "/dev/zero") == 0 || is_perf_map(filename))
		return false;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		if (starts_with(filename, others[i]))
			return false;
	}
	return true;
}
