/* The N-th allocation fails while a store is written, read, sealed and pruned: an error, no leak, nothing broken. */
#include "support/each_allocation.h"

#include "support/stored.h"
#include "support/temporary.h"

static char folder[64];

static int
read_all(struct pf_store *store, struct pf_error *err)
{
	static const char *const labels[] = {"job=api", "job=db"};
	struct pf_store_filter filter = PF_STORE_FILTER_INIT;
	struct pf_selection *selection;
	int rc;

	filter.labels = (struct pf_store_any){labels, 2};
	rc = pf_store_select(&selection, &store, 1, &filter, err);
	if (rc)
		return rc;
	for (size_t i = 0; !rc && i < pf_selection_count(selection); i++) {
		struct pf_store_entry entry;
		const void *bytes;
		size_t size;
		rc = pf_selection_entry(selection, i, &entry, err);
		if (!rc)
			rc = pf_selection_bytes(selection, i, &bytes, &size, err);
	}
	pf_selection_free(selection);
	return rc;
}

static int
use(struct pf_store *store, struct pf_error *err)
{
	struct pf_store_rule rule = {.max_age = 5};
	struct pf_store_pruned pruned;
	struct pf_store_verified verified;
	struct pf_store_entry entry;
	int rc = stored_append(store, &(struct stored){.instance = "a:1"}, &entry, NULL, err);

	if (!rc)
		rc = stored_append(store,
		    &(struct stored){.instance = "b:1", .start = NOON + 10 * SECOND}, &entry, NULL,
		    err);
	if (!rc)
		rc = pf_store_seal(store, err);
	if (!rc)
		rc = read_all(store, err);
	if (!rc)
		rc = pf_store_verify(store, false, NULL, NULL, &verified, err);
	if (!rc)
		rc = pf_store_prune(store, &rule, 1, NOON + 12 * SECOND, true, false, &pruned, err);
	return rc;
}

/* A catalog that lags behind is no failure of the store: it is said, and here counts as one. */
static void
on_warning(void *data, const char *sentence)
{
	bool *starved = data;

	*starved |= strstr(sentence, "out of memory") != NULL;
}

static int
whole_life(void *data, struct pf_error *err)
{
	struct pf_store_options options = PF_STORE_OPTIONS_INIT;
	struct pf_store *store;
	bool starved = false;
	int rc;

	(void)data;
	options.warn = on_warning;
	options.warn_data = &starved;
	rc = pf_store_create(&store, folder, &options, err);
	if (!rc)
		rc = use(store, err);
	pf_store_close(store);
	return !rc && starved ? pf_error_nomem(err) : rc;
}

static void
a_failed_allocation_is_an_error_and_no_more(void **state)
{
	struct pf_store_verified verified;
	struct pf_store *store;
	struct pf_error err;
	(void)state;

	snprintf(folder, sizeof folder, "%s", temporary_make());
	fail_each_allocation(whole_life, NULL);
	must(pf_store_create(&store, folder, NULL, &err));
	must(pf_store_verify(store, false, NULL, NULL, &verified, &err));
	assert_int_equal(verified.damaged, 0);
	pf_store_close(store);
	temporary_remove(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_failed_allocation_is_an_error_and_no_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
