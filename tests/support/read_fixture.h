/* read_fixture.h: the bytes of a file under tests/fixtures. */
#ifndef TESTS_READ_FIXTURE_H
#define TESTS_READ_FIXTURE_H

#include <stdio.h>

#include "core/file.h"
#include "support/unit.h"

/* To be released by the caller. */
static inline struct pf_buffer
read_fixture(const char *name)
{
	const char *source = getenv("PROFUSE_SOURCE_DIR");
	struct pf_buffer bytes = {.maximum = 64 << 20};
	struct pf_error err = {0};
	char path[4096];

	assert_non_null(source);
	snprintf(path, sizeof path, "%s/tests/fixtures/%s", source, name);
	if (pf_file_read(path, &bytes, &err))
		fail_msg("%s", err.message);
	return bytes;
}

/* A size as the fixtures give it, within a rounding of its last printed digit. */
#define assert_near(VALUE, EXPECTED, WITHIN)                                             \
	do {                                                                             \
		double value_ = (VALUE), expected_ = (EXPECTED);                         \
		if (!(value_ - expected_ <= (WITHIN) && expected_ - value_ <= (WITHIN))) \
			fail_msg("%s is %.9g, not %.9g", #VALUE, value_, expected_);     \
	} while (0)

#endif
