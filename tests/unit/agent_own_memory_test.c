/* agent_own_memory_test.c: great blocks are mapped apart, small ones are malloc's, and either grows into the other. */
#include "support/unit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "collect/agent/own_memory.h"

enum { SMALL = 1000, GREAT = 1 << 20 };

static bool
holds(const uint8_t *p, size_t size, uint8_t byte)
{
	for (size_t i = 0; i < size; i++) {
		if (p[i] != byte)
			return false;
	}
	return true;
}

static void
blocks_keep_what_is_in_them(void **state)
{
	static const size_t sizes[] = {SMALL, GREAT, 3 * GREAT, GREAT / 2, SMALL / 2, 2 * GREAT, 1};
	uint8_t *p = pf_own_malloc(sizes[0]);
	(void)state;

	assert_non_null(p);
	memset(p, 1, sizes[0]);
	for (size_t i = 1; i < sizeof sizes / sizeof *sizes; i++) {
		size_t less = sizes[i] < sizes[i - 1] ? sizes[i] : sizes[i - 1];

		p = pf_own_realloc(p, sizes[i]);
		assert_non_null(p);
		assert_int_equal((uintptr_t)p % 16, 0);
		assert_true(holds(p, less, (uint8_t)i));
		memset(p, (int)i + 1, sizes[i]);
	}
	pf_own_free(p);
	pf_own_free(NULL);
	p = pf_own_realloc(NULL, GREAT);
	assert_non_null(p);
	pf_own_free(p);
}

static void
cleared_blocks_are_clear(void **state)
{
	(void)state;

	for (int round = 0; round < 3; round++) {
		uint8_t *great = pf_own_calloc(GREAT, 1), *small = pf_own_calloc(10, 10);

		assert_non_null(great);
		assert_non_null(small);
		assert_true(holds(great, GREAT, 0) && holds(small, 100, 0));
		memset(great, 7, GREAT);
		memset(small, 7, 100);
		pf_own_free(great);
		pf_own_free(small);
	}
}

static void
too_much_is_refused(void **state)
{
	volatile size_t most = SIZE_MAX;
	void *p = pf_own_malloc(GREAT);
	(void)state;

	assert_non_null(p);
	errno = 0;
	assert_null(pf_own_malloc(most));
	assert_int_equal(errno, ENOMEM);
	assert_null(pf_own_calloc(most / 2, 4));
	assert_null(pf_own_realloc(p, most - 10));
	pf_own_free(p);
}

/* What libc has allocated is freed by it, wherever it lies. */
static void
others_blocks_are_freed_by_malloc(void **state)
{
	static void *blocks[4096];
	(void)state;

	for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
		blocks[i] = malloc(48);
		assert_non_null(blocks[i]);
		memset(blocks[i], 0x5a, 48);
	}
	for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
		pf_own_free(blocks[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(blocks_keep_what_is_in_them),
	    cmocka_unit_test(cleared_blocks_are_clear),
	    cmocka_unit_test(too_much_is_refused),
	    cmocka_unit_test(others_blocks_are_freed_by_malloc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
