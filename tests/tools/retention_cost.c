/*
 * retention_cost [ROWS]: what it costs to ask whether anything must go, with so
 * many profiles in the catalog (a million by default), against walking over all
 * of them; and what a profile more costs. CPU time, in one run.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <profuse/store.h>

#include "core/clock.h"
#include "core/index.h"
#include "store/catalog.h"
#include "store/store_private.h"

enum { TARGETS = 2000, SIZE = 60000, TURNS = 5 };

static struct pf_error err;

static void
must(int rc)
{
	if (!rc)
		return;
	fprintf(stderr, "retention_cost: %s\n", err.message);
	exit(1);
}

static double
cpu(void)
{
	return pf_clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
}

/* The n-th profile of a fleet: all types, every fiftieth by a trigger, ten a second. */
static void
add(struct pf_catalog *c, int64_t file, uint64_t n)
{
	static const char *const types[] = {"cpu", "heap", "goroutine", "mutex"};
	char instance[32];
	struct pf_store_label labels[] = {{"instance", instance}, {"job", "api"}};
	struct pf_store_entry entry = {.start_nanos = (int64_t)n * 100000000,
	    .collected_nanos = (int64_t)n * 100000000,
	    .size = SIZE,
	    .sample_count = 100,
	    .type = types[n % 4],
	    .build_id = "0123456789abcdef0123456789abcdef01234567",
	    .trigger = n % 50 ? "" : "slow",
	    .reason = n % 50 ? "" : "http_request_duration_seconds is 0.9, above 0.5",
	    .labels = labels,
	    .label_count = 2};

	snprintf(instance, sizeof instance, "10.0.%" PRIu64 ":6060", n % TARGETS);
	for (size_t i = 0; i < PF_STORE_ID_SIZE / 8; i++) {
		uint64_t part = (uint64_t)pf_hash_u64(n * 4 + i) << 32 | pf_hash_u64(~(n * 4 + i));
		memcpy(entry.id + 8 * i, &part, 8);
	}
	must(pf_catalog_add(c, file, n * SIZE, &entry, &err));
}

/* CPU seconds for each row of so many, in transactions of a batch each. */
static double
fill(struct pf_catalog *c, int64_t file, uint64_t from, uint64_t rows)
{
	double began = cpu();

	for (uint64_t n = from; n < from + rows; n++) {
		if (n % 1000 == 0)
			must(pf_catalog_begin(c, &err));
		add(c, file, n);
		if (n % 1000 == 999)
			must(pf_catalog_end(c, 0, &err));
	}
	return (cpu() - began) / (double)rows;
}

/* All rows from the youngest on, as a policy that sums while it walks has to. */
static double
walk(struct pf_catalog *c)
{
	double began = cpu(), sum = 0;
	sqlite3_stmt *q;
	bool row = true;

	must(pf_catalog_prepare(c,
	    "SELECT id, sha, type, trigger_name, collected, size, file FROM profile"
	    " ORDER BY collected DESC, id DESC",
	    &q, &err));
	while (row) {
		must(pf_catalog_step(c, q, &row, &err));
		if (row)
			sum += (double)sqlite3_column_int64(q, 5) + pf_catalog_text(q, 2)[0];
	}
	sqlite3_finalize(q);
	return sum > 0 ? cpu() - began : 0;
}

/* The collector's turn: retention and what the store holds in all. `room` is what fits into the last class. */
static double
look(struct pf_store *store, uint64_t rows, uint64_t room, uint64_t *going)
{
	static const char *const cpu_type[] = {"cpu"};
	const struct pf_store_rule rules[] = {{.triggered = true, .max_age = 1e9},
	    {.types = {cpu_type, 1}, .max_age = 1e9, .max_bytes = rows * SIZE},
	    {.max_bytes = room}};
	struct pf_store_pruned pruned;
	uint64_t profiles, bytes;
	double began = cpu();

	must(
	    pf_store_prune(store, rules, 3, (int64_t)rows * 100000000, false, true, &pruned, &err));
	must(pf_store_totals(store, &profiles, &bytes, &err));
	*going = pruned.profiles;
	return cpu() - began;
}

static int
by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int
main(int argc, char **argv)
{
	uint64_t rows = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000, going;
	char folder[] = "/tmp/retention_cost.XXXXXX", command[64];
	double walks[TURNS], looks[TURNS], some[TURNS], with, without;
	struct pf_store *store;
	int64_t file;

	if (rows < 10000 || rows % 1000 || !mkdtemp(folder)) {
		fprintf(stderr, "usage: retention_cost [ROWS], thousands, 10000 at least\n");
		return 2;
	}
	must(pf_store_create(&store, folder, NULL, &err));
	must(pf_catalog_add_file(&store->catalog, "seg/none", &file, &err));
	with = fill(&store->catalog, file, 0, rows);
	for (int i = 0; i < TURNS; i++) {
		walks[i] = walk(&store->catalog);
		looks[i] = look(store, rows, rows * SIZE, &going);
		some[i] =
		    look(store, rows, (uint64_t)(0.73 * (double)rows) * SIZE - 1000 * SIZE, &going);
	}
	qsort(walks, TURNS, sizeof *walks, by_value);
	qsort(looks, TURNS, sizeof *looks, by_value);
	qsort(some, TURNS, sizeof *some, by_value);
	printf("%" PRIu64
	       " rows: walking over all %.3f s, asking whether something must go %.6f s (1 of "
	       "%.0f), and finding %" PRIu64 " that must %.6f s\n",
	    rows, walks[TURNS / 2], looks[TURNS / 2], walks[TURNS / 2] / looks[TURNS / 2], going,
	    some[TURNS / 2]);
	with = fill(&store->catalog, file, rows, 100000);
	sqlite3_exec(store->catalog.db,
	    "DROP TRIGGER profile_added; DROP TRIGGER profile_removed; DROP INDEX profile_class",
	    NULL, NULL, NULL);
	without = fill(&store->catalog, file, rows + 100000, 100000);
	printf("a profile more: %.1f us, %.1f us without totals and their index\n", with * 1e6,
	    without * 1e6);
	pf_store_close(store);
	snprintf(command, sizeof command, "rm -rf %s", folder);
	return system(command) != 0;
}
