/* Whose agent answers, by its index page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tuner/answerer.h"

static void
another_process_of_the_service_is_refused(void **state)
{
	static const struct {
		const char *before, *after; /* the number */
		bool refused;
	} cases[] = {
	    {"/debug/pprof/ of shop, process ", " (profuse-agent 0.1.0)\n\nheap\n", false},
	    {"/debug/pprof/ of shop, process 1", " (profuse-agent 0.1.0)\n\nheap\n", true},
	    {"/debug/pprof/ of a, process 7 (b, process ", " (profuse-agent 0.1.0)\n", false},
	    {"/debug/pprof/ of shop, process 1", " (profuse-agent 0.1.0)", true},
	    {"<html><body>, process 1", " of many\n(profuse-agent 0.1.0)",
		false}, /* nobody's we know */
	    {"", "", false},
	};
	char page[200];
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_error err = {0};
		int size = snprintf(
		    page, sizeof page, "%s%d%s", cases[i].before, (int)getpid(), cases[i].after);
		int rc = pf_check_answerer(page, (size_t)size, getpid(), &err);

		assert_int_equal(rc, cases[i].refused ? PF_EINPUT : 0);
		if (rc)
			assert_non_null(strstr(err.message, "and not"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(another_process_of_the_service_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
