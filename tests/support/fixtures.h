/*
 * fixtures.h: every file of tests/fixtures/profiles that is a profile, one after the other.
 */
#ifndef TESTS_FIXTURES_H
#define TESTS_FIXTURES_H

#include <stdio.h>

#include "core/file.h"
#include "support/unit.h"

/* Calls with(bytes, name, data) for each. */
static inline void
for_each_fixture(
    void (*with)(const struct pf_buffer *bytes, const char *name, void *data), void *data)
{
	const char *source = getenv("PROFUSE_SOURCE_DIR");
	struct pf_paths paths = {0};
	struct pf_error err = {0};
	char folder[4096];
	size_t used = 0;

	assert_non_null(source);
	snprintf(folder, sizeof folder, "%s/tests/fixtures/profiles", source);
	if (pf_paths_add(&paths, folder, &err))
		fail_msg("%s", err.message);
	for (size_t i = 0; i < paths.count; i++) {
		const char *name = strrchr(paths.items[i], '/') + 1;
		struct pf_buffer bytes = {.maximum = 1 << 20};
		if (strstr(name, ".string"))
			continue;
		if (pf_file_read(paths.items[i], &bytes, &err))
			fail_msg("%s", err.message);
		with(&bytes, name, data);
		pf_buffer_release(&bytes);
		used++;
	}
	pf_paths_release(&paths);
	assert_in_range(used, 30, 1000);
}

#endif
