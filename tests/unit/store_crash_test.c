/*
 * A writer is killed at every named place of the store, the first, second …
 * time it gets there. Whatever it was told is stored must be there afterwards,
 * once and readable, and the store must go on working.
 */
#include "support/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "store/entry.h"
#include "store/point.h"
#include "support/stored.h"
#include "support/temporary.h"

void __wrap_pf_store_point(const char *name);

static const char *deadly;
static unsigned lives;

void
__wrap_pf_store_point(const char *name)
{
	if (deadly && strcmp(name, deadly) == 0 && lives-- == 0)
		raise(SIGKILL);
}

enum { BATCHES = 6, PER_BATCH = 4, STORED = BATCHES * PER_BATCH };

static char folder[64];
static struct pf_error err;

/* What the child promises: a byte for each profile of the order in which they are made. */
static int promises;

static int
add_batch(struct pf_store *store, int batch)
{
	static const char *const instances[] = {"a:1", "b:1", "c:1", "d:1"};
	int rc = 0;

	for (int i = 0; !rc && i < PER_BATCH; i++) {
		struct pf_store_entry entry;
		struct stored s = {.instance = instances[i],
		    .build_id = i % 2 ? "b1" : "b2",
		    .start = NOON + (batch * HOUR / 2) + i * SECOND,
		    .size = 3000};
		rc = stored_append(store, &s, &entry, NULL, &err);
	}
	if (!rc)
		rc = pf_store_commit(store, &err);
	for (int i = 0; !rc && i < PER_BATCH; i++) {
		uint8_t number = (uint8_t)(batch * PER_BATCH + i);
		rc = write(promises, &number, 1) != 1;
	}
	return rc;
}

/* What a writer does in its life: batches, sealed now and then, and in the end the first hour is pruned. */
static int
live(void)
{
	struct pf_store_rule rule = {.max_age = 3600};
	struct pf_store_pruned pruned;
	struct pf_store *store;
	int rc = pf_store_create(&store, folder, NULL, &err);

	for (int batch = 0; !rc && batch < BATCHES; batch++) {
		rc = add_batch(store, batch);
		if (!rc && batch % 3 == 2)
			rc = pf_store_seal(store, &err);
	}
	if (!rc)
		rc = pf_store_prune(store, &rule, 1, NOON + HOUR + 3 * HOUR / 2 + 3 * SECOND / 2,
		    true, false, &pruned, &err);
	pf_store_close(store);
	return rc;
}

/* Of the profiles that may be pruned, none is missed: those collected before this one. */
enum { FIRST_KEPT = 3 * PER_BATCH + 2 };

static void
look(const bool *promised, bool pruned)
{
	struct pf_store_filter filter = PF_STORE_FILTER_INIT;
	struct pf_store_verified verified;
	struct pf_selection *selection;
	struct pf_store *store;
	bool there[STORED] = {false};

	must(pf_store_create(&store, folder, NULL, &err));
	must(pf_store_verify(store, false, NULL, NULL, &verified, &err));
	assert_int_equal(verified.damaged, 0);
	must(pf_store_select(&selection, &store, 1, &filter, &err));
	assert_int_equal(pf_selection_same(selection), 0);
	for (size_t i = 0; i < pf_selection_count(selection); i++) {
		struct pf_store_entry e;
		const void *bytes;
		size_t size;
		int64_t at;
		must(pf_selection_entry(selection, i, &e, &err));
		must(pf_selection_bytes(selection, i, &bytes, &size, &err));
		assert_int_equal(size, 3000);
		at = (e.start_nanos - NOON) / (HOUR / 2) * PER_BATCH +
		     (e.start_nanos - NOON) % (HOUR / 2) / SECOND;
		assert_in_range(at, 0, STORED - 1);
		there[at] = true;
	}
	pf_selection_free(selection);
	for (int i = pruned ? FIRST_KEPT : 0; i < STORED; i++) {
		if (promised[i] && !there[i])
			fail_msg("profile %d was promised and is not there", i);
	}
	must(add_batch(store, BATCHES));
	must(pf_store_seal(store, &err));
	must(pf_store_verify(store, false, NULL, NULL, &verified, &err));
	assert_int_equal(verified.damaged, 0);
	pf_store_close(store);
}

/* Lives until the place is reached for the `time`-th time; false: it never was. */
static bool
die_at(const char *point, unsigned time)
{
	bool promised[256] = {false};
	int ends[2], status;
	uint8_t number;
	pid_t child;

	snprintf(folder, sizeof folder, "%s", temporary_make());
	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		promises = ends[1];
		deadly = point;
		lives = time;
		_exit(live());
	}
	close(ends[1]);
	while (read(ends[0], &number, 1) == 1)
		promised[number] = true;
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	if (!WIFSIGNALED(status) && WEXITSTATUS(status) != 0)
		fail_msg("%s: the writer failed with %d", point, WEXITSTATUS(status));
	promises = open("/dev/null", O_WRONLY);
	look(promised, promised[STORED - 1]);
	close(promises);
	temporary_remove(folder);
	return WIFSIGNALED(status);
}

static void
nothing_promised_is_lost_at_any_point(void **state)
{
	static const char *const points[] = {"journal-made", "record-torn", "journal-written",
	    "journal-synced", "journal-catalogued", "segment-written", "segment-folder",
	    "segment-renamed", "segments-written", "journal-sealed", "prune-unlinked",
	    "prune-rewritten"};
	(void)state;

	for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
		unsigned time = 0;
		while (die_at(points[i], time))
			time++;
		if (time == 0)
			fail_msg("%s: never reached", points[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_promised_is_lost_at_any_point),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
