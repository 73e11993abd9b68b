/* require.h: what a fuzz target claims of what it got: where it isn't so, that is a finding. */
#ifndef TESTS_FUZZ_REQUIRE_H
#define TESTS_FUZZ_REQUIRE_H

#include <stdlib.h>

static inline void
require(int condition)
{
	if (!condition)
		abort();
}

#endif
