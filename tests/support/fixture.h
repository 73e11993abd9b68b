/* fixture.h: opening the programs that cmake/SymbolFixtures.cmake builds. */
#ifndef TESTS_FIXTURE_H
#define TESTS_FIXTURE_H

#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "support/unit.h"
#include "symbol/binary.h"

/* The path of a fixture; good until the next call. */
static inline const char *
fixture_path(const char *name)
{
	static char path[4096];
	const char *build = getenv("PROFUSE_BUILD_DIR");

	snprintf(path, sizeof path, "%s/tests/fixtures/%s", build ? build : ".", name);
	return path;
}

static inline bool
fixture_exists(const char *name)
{
	return access(fixture_path(name), R_OK) == 0;
}

/* Opens a fixture; skips the running test where this machine could not build it. */
static inline struct pf_binary *
fixture_open(const char *name)
{
	struct pf_binary *binary = NULL;
	struct pf_error err = {0};

	if (!fixture_exists(name)) {
		print_message(
		    "skipped: %s is missing (clang-19, lld-19, gcc and binutils build it)\n", name);
		skip();
	}
	if (pf_binary_open(&binary, fixture_path(name), &err) != 0)
		fail_msg("%s", err.message);
	return binary;
}

/* The function symbol of this name. */
static inline const struct pf_symbol *
fixture_symbol(const struct pf_binary *binary, const char *name)
{
	size_t count;
	const struct pf_symbol *symbols = pf_binary_symbols(binary, &count);

	for (size_t i = 0; i < count; i++) {
		if (strcmp(symbols[i].name, name) == 0)
			return &symbols[i];
	}
	fail_msg("no symbol %s", name);
	return NULL;
}

#endif
