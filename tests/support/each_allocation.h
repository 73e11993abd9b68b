/* each_allocation.h: doing something under every failed allocation in turn. */
#ifndef TESTS_EACH_ALLOCATION_H
#define TESTS_EACH_ALLOCATION_H

#include "support/failing_malloc.h"
#include "support/unit.h"

/* Runs work(data) under every N; it returns a code and must leave nothing allocated. */
static inline void
fail_each_allocation(int (*work)(void *data, struct pf_error *err), void *data)
{
	unsigned long n;

	for (n = 1; n < 100000; n++) {
		struct pf_error err = {0};
		int rc;

		failing_malloc_arm(n);
		rc = work(data, &err);
		if (failing_malloc_live() != 0)
			fail_msg(
			    "allocation %lu failing leaks %ld blocks", n, failing_malloc_live());
		if (!failing_malloc_fired()) {
			assert_int_equal(rc, 0);
			break;
		}
		if (rc != PF_ENOMEM || !strstr(err.message, "out of memory"))
			fail_msg("allocation %lu failing gives %d \"%s\"", n, rc, err.message);
	}
	failing_malloc_arm(0);
	assert_in_range(n, 2, 99999);
}

#endif
