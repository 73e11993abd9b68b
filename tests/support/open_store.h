/* open_store.h: a new store around each test, in a temporary folder. */
#ifndef TESTS_OPEN_STORE_H
#define TESTS_OPEN_STORE_H

#include "support/stored.h"
#include "support/temporary.h"

static struct pf_store *store;
static struct pf_error err;
static char folder[64];

static int
set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "%s", temporary_make());
	must(pf_store_create(&store, folder, NULL, &err));
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	pf_store_close(store);
	store = NULL;
	temporary_remove(folder);
	return 0;
}

#define store_test(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)

#endif
