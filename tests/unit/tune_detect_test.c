/*
 * The detectors against profiles of real programs, each with one fault
 * (tests/peers/go_faults, tests/quality/tuner/workload.c): what must be found is found, nothing else is,
 * and the service's names don't matter.
 */
#include <profuse/tune.h>

#include "profile/encode.h"
#include "support/tuned.h"
#include "tuner/code.h"
#include "tuner/detect.h"

#define SECOND INT64_C(1000000000)

struct expected {
	const char *folder;
	const char *kinds[6]; /* in alphabetical order, NULL ends */
	const char *function; /* stands in the evidence of the first kind */
};

static const struct expected cases[] = {
    {"healthy", {NULL}, NULL}, {"leak", {"leak"}, "main.recordVisit"},
    {"churn", {"allocation-heavy", "gc-settings"}, "main.buildAnswer"},
    {"cache", {"gc-scan", "allocation-heavy", "gc-pressure", "gc-settings"}, "main.cache"},
    {"sleepers", {"goroutine-leak"}, "main.waitForRetry"},
    {"senders", {"goroutine-leak"}, "main.senders.func1.1"},
    {"contention", {"lock-contention"}, "main.updateTable"},
    /* a mutex profile with locks that a condition variable lets go */
    {"queue", {"lock-contention"}, "main.deadlockHandler"},
    {"deadlock", {"deadlock"}, "main.moveForward"}, {"relock", {"deadlock"}, "main.refreshAll"},
    {"transfer", {"deadlock"}, NULL}, /* move(x, y) and move(y, x), at the same line */
    {"handover", {"lock-contention"}, "main.refreshOne"},
    {"recursion", {"hot-recursion"}, "main.countPaths"},
    {"serialize", {"serialization", "allocation-heavy", "gc-pressure", "gc-settings"},
	"main.roundTrip"},
    {"slow", {"external-wait"}, "main.queryRemote"},
    {"backend", {"external-wait"}, "query_backend"}, {"requests", {NULL}, NULL},
    {"clients", {NULL}, NULL}, /* the same call, some functions below */
    {"mapping", {"malloc-thresholds"}, "buffers_of_one"},
    {"malloc", {"allocation-heavy"}, "table_of_one"},
    /* marking that allocations are made to do, 20 of the 26 % below mallocgc, is the collector's */
    {"assist", {"gc-pressure"}, "main.(*Catalog).Render"},
    {"crossing", {"cross-thread-frees"}, "produce"}, {"own-frees", {NULL}, NULL},
    {"threads", {"thread-leak"}, "start_worker"}, {"locked", {"deadlock"}, "deadlock_handler"},
    {"subscribers", {"goroutine-leak"}, "main.followUpdates"}, {"batches", {NULL}, NULL},
    {"arenas", {"arena-contention", "allocation-heavy"}, "packets_of_one"},
    {"arenas/wall.pb.gz", {"arena-contention"}, "packets_of_one"},
    {"arenas/cpu.pb.gz", {"arena-contention", "allocation-heavy"}, "packets_of_one"},
    {"own-arenas", {"allocation-heavy"}, "packets_of_one"}, {"own-arenas/wall.pb.gz", {NULL}, NULL},
    {"one-arena", {"arena-contention"}, "packets_of_one"}, {"many-arenas", {NULL}, NULL},
    {"one-arena/mutex.pb.gz", {"arena-contention"}, "packets_of_one"}, {"background", {NULL}, NULL},
    {"one-arena-stats", {"arena-contention"}, NULL}, {"many-arenas-stats", {NULL}, NULL},
    {"small-caches", {"arena-contention", "allocation-heavy"}, "packets_of_one"},
    {"big-caches", {"allocation-heavy"}, "packets_of_one"},
    {"packets", {"malloc-thresholds"}, "packets_of_one"}, {"small-blocks", {NULL}, NULL},
    /* a database of which every allocation is 8 KiB, and few */
    {"pages", {NULL}, NULL},
    /* what std:: allocates for it in four ways, and a cache of the same that is full */
    {"cpp-leak", {"leak"}, "AuditTrail::record"}, {"cpp-healthy", {NULL}, NULL},
    {"bounded", {"leak"},
	"gateway/spans.(*Recorder).Begin"}, /* beside a cache that has filled up */
};

/* Another letter for every letter of a name, so that none of the service's stays as it was. */
static void
rename_text(char *at, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (at[i] >= 'a' && at[i] <= 'z')
			at[i] = (char)('a' + (at[i] - 'a' + 13) % 26);
		else if (at[i] >= 'A' && at[i] <= 'Z')
			at[i] = (char)('A' + (at[i] - 'A' + 13) % 26);
	}
}

/* Of a mangled C++ name, what it is made of: each a length and as many letters. */
static void
rename_function(char *name)
{
	size_t length = strlen(name), size;
	char *at = name, *end;

	if (strncmp(name, "_Z", 2) != 0) {
		rename_text(name, length);
		return;
	}
	while (*at) {
		size = strtoul(at, &end, 10);
		if (end == at) {
			at++;
			continue;
		}
		if (size > length - (size_t)(end - name))
			return;
		rename_text(end, size);
		at = end + size;
	}
}

/* Renames the service's own functions: those that nothing is known of. */
static int
add_renamed_profile(
    struct pf_tune *tune, const char *name, const struct pf_buffer *bytes, struct pf_error *err)
{
	struct pf_buffer out = {.maximum = 64 << 20};
	struct pf_profile *p;
	uint8_t *done;
	int rc;

	if (pf_profile_parse(&p, name, bytes->bytes, bytes->size, NULL, err))
		fail_msg("%s", err->message);
	done = calloc(p->strings.count, 1);
	for (size_t i = 0; i < p->function_count; i++) {
		uint32_t id = p->functions[i].name;
		char *text = p->strings.blob + p->strings.starts[id];
		if (!done[id] && !pf_code_traits(text, ""))
			rename_function(text);
		done[id] = 1;
	}
	free(done);
	assert_int_equal(pf_profile_encode(p, &out, err), 0);
	rc = pf_tune_add(tune, name, out.bytes, out.size, false, err);
	pf_buffer_release(&out);
	pf_profile_free(p);
	return rc;
}

static void
rename_dump(struct pf_buffer *bytes)
{
	char *at = (char *)bytes->bytes, *end = at + bytes->size;

	while ((at = memmem(at, (size_t)(end - at), "main.", 5))) {
		size_t size = 0;
		while (at + size < end && !memchr("(\n ", at[size], 3))
			size++;
		rename_text(at, size);
		at += size;
	}
}

static void
add_folder(struct pf_tune *tune, const char *folder, bool renamed)
{
	const char *source = getenv("PROFUSE_SOURCE_DIR");
	struct pf_paths paths = {0};
	struct pf_error err = {0};
	char path[4096];

	assert_non_null(source);
	snprintf(path, sizeof path, "%s/tests/fixtures/tune/%s", source, folder);
	assert_int_equal(pf_paths_add(&paths, path, &err), 0);
	for (size_t i = 0; i < paths.count; i++) {
		struct pf_buffer bytes = {.maximum = 64 << 20};
		bool profile = strstr(paths.items[i], ".pb.gz") != NULL;
		int rc;

		assert_int_equal(pf_file_read(paths.items[i], &bytes, &err), 0);
		if (renamed && !profile)
			rename_dump(&bytes);
		rc = renamed && profile
			 ? add_renamed_profile(tune, paths.items[i], &bytes, &err)
			 : pf_tune_add(tune, paths.items[i], bytes.bytes, bytes.size, false, &err);
		if (rc)
			fail_msg("%s", err.message);
		pf_buffer_release(&bytes);
	}
	pf_paths_release(&paths);
}

static bool
stands_in(const struct pf_tune *tune, const struct pf_finding *finding, const char *function)
{
	const struct pf_findings *f = &tune->findings;

	for (size_t i = 0; i < finding->stack_count; i++) {
		const struct pf_evidence_stack *s = &f->stacks[finding->first_stack + i];
		for (size_t j = 0; j < s->frame_count; j++) {
			if (strcmp(pf_said(f, f->frames[s->first_frame + j]), function) == 0)
				return true;
		}
	}
	return false;
}

/* A stack that would read 0.0 % is none worth showing. */
static void
check_stacks(const struct pf_tune *tune, const char *folder)
{
	for (size_t i = 0; i < tune->findings.stack_count; i++) {
		double share = tune->findings.stacks[i].share;

		if (share < 0.0005)
			fail_msg("%s: a stack of a share of %g", folder, share);
	}
}

static void
check_case(const struct expected *c, bool renamed)
{
	struct pf_tune *tune;
	struct pf_error err = {0};
	size_t count = 0;
	char function[256];

	assert_int_equal(pf_tune_new(&tune, NULL, &err), 0);
	add_folder(tune, c->folder, renamed);
	assert_int_equal(pf_tune_run(tune, &err), 0);
	for (size_t i = 0; i < tune->evidence.profile_count; i++)
		assert_false(tune->evidence.profiles[i].apart); /* all is of one program */
	assert_false(tune->evidence.not_go);
	check_stacks(tune, c->folder);
	for (; count < 6 && c->kinds[count]; count++) {
		if (!find_finding(tune, c->kinds[count]))
			fail_msg(
			    "%s%s: no %s", c->folder, renamed ? " renamed" : "", c->kinds[count]);
	}
	for (size_t i = 0; i < pf_tune_finding_count(tune); i++) {
		bool wanted = false;
		for (size_t k = 0; k < count; k++)
			wanted |= strcmp(c->kinds[k], pf_tune_finding_kind(tune, i)) == 0;
		if (!wanted)
			fail_msg("%s: %s: %s", c->folder, pf_tune_finding_kind(tune, i),
			    pf_tune_finding_title(tune, i));
	}
	if (c->function) {
		snprintf(function, sizeof function, "%s", c->function);
		if (renamed)
			rename_text(function, strlen(function));
		if (!stands_in(tune, find_finding(tune, c->kinds[0]), function))
			fail_msg("%s: %s is not in the evidence of %s", c->folder, function,
			    c->kinds[0]);
		assert_true(find_finding(tune, c->kinds[0])->advice_count > 0);
		/* What was watched for minutes or less may be a cache that fills up; of recursion see tune_sure_test.c. */
		if (strcmp(c->kinds[0], "leak") != 0 && strcmp(c->folder, "recursion") != 0)
			assert_true(
			    find_finding(tune, c->kinds[0])->confidence >= PF_CONFIDENCE_MEDIUM);
	}
	pf_tune_free(tune);
}

static void
each_fault_is_found_and_nothing_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		check_case(&cases[i], false);
}

static void
the_services_own_names_do_not_matter(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		check_case(&cases[i], true);
}

/* ---- what weakens evidence ---- */

/* A heap profile of the leak with another time and build id, `moved` in memory. */
static void
add_moved(struct pf_tune *tune, const char *fixture, int64_t time, const char *build,
    uint64_t moved, bool base)
{
	struct pf_buffer bytes = read_fixture(fixture), out = {.maximum = 1 << 20};
	struct pf_error err = {0};
	struct pf_profile *p;

	assert_int_equal(pf_profile_parse(&p, fixture, bytes.bytes, bytes.size, NULL, &err), 0);
	p->time_nanos = time;
	for (size_t i = 0; i < p->mapping_count; i++) {
		p->mappings[i].start += moved;
		p->mappings[i].limit += moved;
	}
	for (size_t i = 0; i < p->location_count; i++)
		p->locations[i].address += moved;
	assert_int_equal(
	    pf_strings_add(&p->strings, build, strlen(build), &p->mappings[0].build_id, &err), 0);
	assert_int_equal(pf_profile_encode(p, &out, &err), 0);
	assert_int_equal(pf_tune_add(tune, fixture, out.bytes, out.size, base, &err), 0);
	pf_profile_free(p);
	pf_buffer_release(&bytes);
	pf_buffer_release(&out);
}

static void
add_changed(struct pf_tune *tune, const char *fixture, int64_t time, const char *build, bool base)
{
	add_moved(tune, fixture, time, build, 0, base);
}

static const struct pf_finding *
leak_of(struct pf_tune *tune)
{
	struct pf_error err = {0};
	const struct pf_finding *leak;

	assert_int_equal(pf_tune_run(tune, &err), 0);
	leak = find_finding(tune, "leak");
	assert_non_null(leak);
	return leak;
}

static void
two_snapshots_are_less_sure_than_a_series(void **state)
{
	struct pf_tune *tune = new_tune();
	(void)state;

	add_moved(tune, "tune/leak/heap-0.pb.gz", 1000 * SECOND, "ab", 0, true);
	add_moved(tune, "tune/leak/heap-7.pb.gz", 2000 * SECOND, "ab", 0, false);
	assert_in_range(leak_of(tune)->confidence, PF_CONFIDENCE_LOW, PF_CONFIDENCE_MEDIUM);
	assert_true(find_finding(tune, "leak")->caveat_count > 0);
	pf_tune_free(tune);
}

static void
a_clock_that_went_backwards_makes_it_unsure(void **state)
{
	struct pf_tune *tune = new_tune();
	(void)state;

	add_changed(tune, "tune/leak/heap-0.pb.gz", 2000000000LL, "ab", true);
	add_changed(tune, "tune/leak/heap-7.pb.gz", 1000000000LL, "ab", false);
	assert_int_equal(leak_of(tune)->confidence, PF_UNSURE);
	pf_tune_free(tune);
}

static void
different_builds_make_it_unsure(void **state)
{
	struct pf_tune *tune = new_tune();
	(void)state;

	add_changed(tune, "tune/leak/heap-0.pb.gz", 1000000000LL, "ab", true);
	add_changed(tune, "tune/leak/heap-7.pb.gz", 2000000000LL, "cd", false);
	assert_int_equal(leak_of(tune)->confidence, PF_UNSURE);
	pf_tune_free(tune);
}

/* The leak's eight snapshots, given in this order; snapshot i was taken at second times[i]. */
static struct pf_tune *
tune_ordered(const int *given, const int *times)
{
	struct pf_tune *tune = new_tune();
	struct pf_error err = {0};

	for (int i = 0; i < 8; i++) {
		char fixture[64];
		snprintf(fixture, sizeof fixture, "tune/leak/heap-%d.pb.gz", given[i]);
		add_changed(tune, fixture, times[given[i]] * 1000000000LL, "ab", false);
	}
	assert_int_equal(pf_tune_run(tune, &err), 0);
	return tune;
}

static const int forwards[] = {0, 1, 2, 3, 4, 5, 6, 7}, backwards[] = {7, 6, 5, 4, 3, 2, 1, 0};

/* What was ever allocated rises in the order given: the times are wrong, all of them or one. */
static void
a_series_with_a_clock_that_went_backwards_is_judged_as_it_was_given(void **state)
{
	static const int times[][8] = {
	    {80, 70, 60, 50, 40, 30, 20, 10}, {4010, 4020, 4030, 4040, 450, 4060, 4070, 4080}};
	(void)state;

	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		struct pf_tune *tune = tune_ordered(forwards, times[i]);
		const struct pf_finding *leak = find_finding(tune, "leak");

		assert_non_null(leak);
		assert_int_equal(leak->confidence, PF_UNSURE);
		assert_true(
		    is_unjudged(tune, i ? "by its time heap-4.pb.gz comes before heap-3.pb.gz"
					: "by its time heap-1.pb.gz comes before heap-0.pb.gz"));
		for (size_t n = 0; n < leak->number_count; n++)
			assert_string_not_equal(
			    pf_said(&tune->findings,
				tune->findings.numbers[leak->first_number + n].name),
			    "growth"); /* per second, of wrong seconds */
		pf_tune_free(tune);
	}
}

static void
times_that_nothing_speaks_against_decide_in_whatever_order_they_are_given(void **state)
{
	static const int times[] = {100, 200, 300, 400, 500, 600, 700, 800};
	static const int mixed[] = {0, 1, 7, 2, 3, 4, 6, 5};
	struct pf_tune *tune = tune_ordered(mixed, times);
	(void)state;

	assert_non_null(find_finding(tune, "leak"));
	assert_true(find_finding(tune, "leak")->confidence > PF_UNSURE);
	assert_false(is_unjudged(tune, "times"));
	pf_tune_free(tune);
}

/* Memory falls, by times and by the order given: no leak, and that they are of one process is no longer taken for granted. */
static void
what_was_ever_allocated_does_not_fall_in_one_process(void **state)
{
	static const int times[] = {80, 70, 60, 50, 40, 30, 20, 10};
	struct pf_tune *tune = tune_ordered(backwards, times);
	(void)state;

	assert_null(find_finding(tune, "leak"));
	assert_true(is_unjudged(tune, "what was ever allocated falls from heap-"));
	pf_tune_free(tune);
}

/* Of profiles without what was ever allocated nothing tells whether names or times are right. */
static void
times_against_the_order_given_are_told(void **state)
{
	(void)state;

	for (int turned = 0; turned < 2; turned++) {
		struct pf_tune *tune = new_tune();
		struct pf_error err = {0};

		for (int i = 0; i < 8; i++) {
			struct pf_buffer bytes, out = {.maximum = 1 << 20};
			struct pf_profile *p;
			char fixture[64];
			uint32_t column;

			snprintf(fixture, sizeof fixture, "tune/leak/heap-%d.pb.gz", i);
			bytes = read_fixture(fixture);
			assert_int_equal(
			    pf_profile_parse(&p, fixture, bytes.bytes, bytes.size, NULL, &err), 0);
			p->time_nanos = (turned ? 80 - i : 80 + i) * 1000000000LL;
			column = pf_profile_find_type(p, "alloc_space");
			assert_true(column != PF_NONE);
			assert_int_equal(
			    pf_strings_add(&p->strings, "other", 5, &p->types[column].type, &err),
			    0);
			assert_int_equal(pf_profile_encode(p, &out, &err), 0);
			assert_int_equal(
			    pf_tune_add(tune, fixture, out.bytes, out.size, false, &err), 0);
			pf_profile_free(p);
			pf_buffer_release(&bytes);
			pf_buffer_release(&out);
		}
		assert_int_equal(pf_tune_run(tune, &err), 0);
		assert_true((find_finding(tune, "leak") != NULL) == !turned);
		assert_true(
		    is_unjudged(tune, "in another order than they were given in") == turned);
		pf_tune_free(tune);
	}
}

/* Eight snapshots that rise, of which some are of a process elsewhere in memory. */
static void
snapshots_of_two_processes_are_told(void **state)
{
	(void)state;

	for (uint64_t moved = 0; moved <= 1 << 20; moved += 1 << 20) {
		struct pf_tune *tune = new_tune();
		const struct pf_finding *leak;
		size_t told = 0;

		for (int i = 0; i < 8; i++) {
			char fixture[64];
			snprintf(fixture, sizeof fixture, "tune/leak/heap-%d.pb.gz", i);
			add_moved(tune, fixture, (100 + 100 * i) * SECOND, "ab", i % 2 ? moved : 0,
			    false);
		}
		leak = leak_of(tune);
		assert_true((leak->confidence == PF_UNSURE) == (moved > 0));
		for (uint32_t i = 1; i < tune->unjudged.count; i++)
			told +=
			    strstr(pf_strings_get(&tune->unjudged, i),
				"of several (programs or libraries lie at other addresses") != NULL;
		assert_int_equal(told, moved > 0);
		pf_tune_free(tune);
	}
}

/* What was measured then and what is measured now are of two processes, and meant to be. */
static void
a_base_may_be_of_another_process(void **state)
{
	struct pf_tune *tune = new_tune();
	(void)state;

	add_moved(tune, "tune/leak/heap-0.pb.gz", 1000 * SECOND, "ab", 1 << 20, true);
	add_changed(tune, "tune/leak/heap-7.pb.gz", 2000 * SECOND, "ab", false);
	assert_true(leak_of(tune)->confidence > PF_UNSURE);
	pf_tune_free(tune);
}

static void
gogc_of_a_small_heap_is_rough_and_said_to_be(void **state)
{
	struct pf_tune *tune = new_tune();
	struct pf_error err = {0};
	struct pf_go_heap heap;
	(void)state;

	/* It ran with GOGC=25, at 2 to 3 MiB and 115 collections a second: gctrace has whole megabytes. */
	add_fixture(tune, "tune/cache/cpu.pb.gz", false);
	add_fixture(tune, "runtime/go-small.gctrace", false);
	assert_int_equal(pf_go_heap(&tune->evidence, &heap, &err), 0);
	assert_true(heap.gogc_rough && !heap.gogc_assumed);
	assert_true(heap.gogc >= 15 && heap.gogc <= 45);
	assert_int_equal(pf_tune_run(tune, &err), 0);
	assert_non_null(find_finding(tune, "gc-settings"));
	assert_true(find_finding(tune, "gc-settings")->confidence <= PF_CONFIDENCE_LOW);
	assert_true(find_finding(tune, "gc-settings")->caveat_count > 0);
	pf_tune_free(tune);
}

static void
three_snapshots_without_a_base_prove_nothing(void **state)
{
	struct pf_tune *tune = new_tune();
	struct pf_error err = {0};
	(void)state;

	add_fixture(tune, "tune/leak/heap-0.pb.gz", false);
	add_fixture(tune, "tune/leak/heap-4.pb.gz", false);
	add_fixture(tune, "tune/leak/heap-7.pb.gz", false);
	assert_int_equal(pf_tune_run(tune, &err), 0);
	assert_int_equal(pf_tune_finding_count(tune), 0);
	assert_int_equal(tune->unjudged.count, 2);
	assert_non_null(strstr(pf_strings_get(&tune->unjudged, 1), "here are 3"));
	pf_tune_free(tune);
}

static void
binaries_without_names_are_said(void **state)
{
	struct pf_tune *tune = new_tune();
	struct pf_error err = {0};
	(void)state;

	add_folder(tune, "pages", false);
	assert_int_equal(pf_tune_run(tune, &err), 0);
	assert_int_equal(tune->unjudged.count, 3); /* and that one snapshot shows no growth */
	assert_non_null(strstr(pf_strings_get(&tune->unjudged, 2), "here is 1"));
	assert_string_equal(pf_strings_get(&tune->unjudged, 1),
	    "52.8 % of the memory in use is held by code without function names ([postgres] 52.8 "
	    "%), "
	    "so what depends on who does it was not judged: --binary FILE gives names.");
	pf_tune_free(tune);
}

static void
four_snapshots_show_a_leak_with_little_confidence(void **state)
{
	struct pf_tune *tune = new_tune();
	(void)state;

	for (int i = 0; i < 8; i += 2) {
		char fixture[64];
		snprintf(fixture, sizeof fixture, "tune/leak/heap-%d.pb.gz", i);
		add_moved(tune, fixture, (100 + 100 * i) * SECOND, "ab", 0, false);
	}
	assert_int_equal(leak_of(tune)->confidence, PF_CONFIDENCE_LOW);
	pf_tune_free(tune);
}

/* The leak's first snapshot over and over, then its last one: all of the growth is one step. */
static void
what_is_loaded_once_is_no_leak(void **state)
{
	struct pf_tune *tune = new_tune();
	struct pf_error err = {0};
	char build[] = "12345678";
	(void)state;

	for (int i = 0; i < 12; i++)
		add_changed(tune, i < 7 ? "tune/leak/heap-0.pb.gz" : "tune/leak/heap-7.pb.gz",
		    (int64_t)(100 + i) * 1000000000, build, false);
	assert_int_equal(pf_tune_run(tune, &err), 0);
	assert_null(find_finding(tune, "leak"));
	pf_tune_free(tune);
}

static void
mixed_units_are_refused(void **state)
{
	struct pf_buffer bytes = read_fixture("tune/leak/heap-7.pb.gz"), out = {.maximum = 1 << 20};
	struct pf_tune *tune = new_tune();
	struct pf_error err = {0};
	struct pf_profile *p;
	(void)state;

	add_fixture(tune, "tune/leak/heap-0.pb.gz", true);
	assert_int_equal(pf_profile_parse(&p, "late", bytes.bytes, bytes.size, NULL, &err), 0);
	for (size_t i = 0; i < p->type_count; i++) {
		if (strcmp(pf_profile_type_name(p, i), "inuse_space") == 0)
			assert_int_equal(
			    pf_strings_add(&p->strings, "kilobytes", 9, &p->types[i].unit, &err),
			    0);
	}
	assert_int_equal(pf_profile_encode(p, &out, &err), 0);
	assert_int_equal(pf_tune_add(tune, "late", out.bytes, out.size, false, &err), PF_EINPUT);
	assert_message_has(err, "counts inuse_space in kilobytes");
	pf_profile_free(p);
	pf_buffer_release(&bytes);
	pf_buffer_release(&out);
	pf_tune_free(tune);
}

static void
what_is_cut_off_or_foreign_is_refused_by_name(void **state)
{
	struct pf_buffer bytes = read_fixture("tune/leak/heap-7.pb.gz");
	struct pf_tune *tune = new_tune();
	struct pf_error err = {0};
	(void)state;

	assert_int_equal(
	    pf_tune_add(tune, "cut.pb.gz", bytes.bytes, bytes.size / 2, false, &err), PF_EINPUT);
	assert_message_has(err, "cut.pb.gz");
	pf_tune_free(tune);
	tune = new_tune();
	assert_int_equal(pf_tune_add(tune, "notes.txt", "hello\n", 6, false, &err), PF_EINPUT);
	assert_message_has(err, "notes.txt");
	pf_tune_free(tune);
	tune = new_tune();
	assert_int_equal(pf_tune_run(tune, &err), PF_EINPUT);
	assert_int_equal(pf_tune_add(tune, "empty", "", 0, false, &err), PF_EINPUT);
	pf_tune_free(tune);
	pf_buffer_release(&bytes);
}

/* The leak's first heap profile without its samples. */
static void
add_emptied(struct pf_tune *tune)
{
	struct pf_buffer bytes = read_fixture("tune/leak/heap-0.pb.gz"), out = {.maximum = 1 << 20};
	struct pf_error err = {0};
	struct pf_profile *p;

	assert_int_equal(pf_profile_parse(&p, "heap", bytes.bytes, bytes.size, NULL, &err), 0);
	p->sample_count = 0;
	assert_int_equal(pf_profile_encode(p, &out, &err), 0);
	assert_int_equal(pf_tune_add(tune, "emptied.pb.gz", out.bytes, out.size, false, &err), 0);
	pf_profile_free(p);
	pf_buffer_release(&bytes);
	pf_buffer_release(&out);
}

static void
profiles_without_a_sample_are_no_all_clear(void **state)
{
	struct pf_tune *tune = new_tune();
	struct pf_error err = {0};
	(void)state;

	add_emptied(tune);
	assert_int_equal(pf_tune_run(tune, &err), PF_EINPUT);
	assert_non_null(strstr(err.message, "emptied.pb.gz has no sample"));
	pf_tune_free(tune);

	/* A base is what they are compared with, and does not make them more. */
	tune = new_tune();
	add_fixture(tune, "tune/leak/heap-7.pb.gz", true);
	add_emptied(tune);
	add_emptied(tune);
	assert_int_equal(pf_tune_run(tune, &err), PF_EINPUT);
	assert_non_null(strstr(err.message, "emptied.pb.gz and the others have no sample"));
	pf_tune_free(tune);

	/* Beside other evidence: judged is what there is. */
	tune = new_tune();
	add_fixture(tune, "tune/healthy/cpu.pb.gz", false);
	add_emptied(tune);
	assert_int_equal(pf_tune_run(tune, &err), 0);
	assert_true(is_unjudged(tune, "emptied.pb.gz has no sample"));
	pf_tune_free(tune);
}

static void
few_cpu_samples_are_said(void **state)
{
	struct pf_buffer bytes = read_fixture("tune/serialize/cpu.pb.gz"),
			 out = {.maximum = 1 << 20};
	struct pf_tune *tune = new_tune();
	struct pf_error err = {0};
	struct pf_profile *p;
	int64_t kept = 0;
	(void)state;

	assert_int_equal(pf_profile_parse(&p, "few", bytes.bytes, bytes.size, NULL, &err), 0);
	for (size_t i = 0; i < p->sample_count; i++) {
		int64_t n = kept < 60 ? p->values[i * p->type_count] : 0;
		kept += n;
		if (!n)
			memset(&p->values[i * p->type_count], 0, p->type_count * sizeof *p->values);
	}
	assert_int_equal(pf_profile_encode(p, &out, &err), 0);
	assert_int_equal(pf_tune_add(tune, "few", out.bytes, out.size, false, &err), 0);
	assert_int_equal(pf_tune_run(tune, &err), 0);
	for (size_t i = 0; i < pf_tune_finding_count(tune); i++)
		assert_int_equal(tune->findings.findings[i].confidence, PF_UNSURE);
	pf_profile_free(p);
	pf_buffer_release(&bytes);
	pf_buffer_release(&out);
	pf_tune_free(tune);
}

/* jemalloc's background threads sleep in a condition of its own, here for as long as in five minutes of Redis. */
static void
the_allocators_own_threads_wait_for_no_arena(void **state)
{
	struct pf_buffer bytes = read_fixture("tune/background/block.pb.gz"),
			 out = {.maximum = 1 << 20};
	struct pf_tune *tune = new_tune();
	struct pf_error err = {0};
	struct pf_profile *p;
	(void)state;

	assert_int_equal(pf_profile_parse(&p, "long", bytes.bytes, bytes.size, NULL, &err), 0);
	p->duration_nanos *= 15;
	for (size_t i = 0; i < p->sample_count * p->type_count; i++)
		p->values[i] *= 15;
	assert_int_equal(pf_profile_encode(p, &out, &err), 0);
	assert_int_equal(pf_tune_add(tune, "long", out.bytes, out.size, false, &err), 0);
	assert_int_equal(pf_tune_run(tune, &err), 0);
	assert_int_equal(pf_tune_finding_count(tune), 0);
	pf_profile_free(p);
	pf_buffer_release(&bytes);
	pf_buffer_release(&out);
	pf_tune_free(tune);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_allocators_own_threads_wait_for_no_arena),
	    cmocka_unit_test(each_fault_is_found_and_nothing_else),
	    cmocka_unit_test(the_services_own_names_do_not_matter),
	    cmocka_unit_test(two_snapshots_are_less_sure_than_a_series),
	    cmocka_unit_test(snapshots_of_two_processes_are_told),
	    cmocka_unit_test(a_base_may_be_of_another_process),
	    cmocka_unit_test(a_clock_that_went_backwards_makes_it_unsure),
	    cmocka_unit_test(different_builds_make_it_unsure),
	    cmocka_unit_test(a_series_with_a_clock_that_went_backwards_is_judged_as_it_was_given),
	    cmocka_unit_test(
		times_that_nothing_speaks_against_decide_in_whatever_order_they_are_given),
	    cmocka_unit_test(what_was_ever_allocated_does_not_fall_in_one_process),
	    cmocka_unit_test(times_against_the_order_given_are_told),
	    cmocka_unit_test(gogc_of_a_small_heap_is_rough_and_said_to_be),
	    cmocka_unit_test(three_snapshots_without_a_base_prove_nothing),
	    cmocka_unit_test(binaries_without_names_are_said),
	    cmocka_unit_test(four_snapshots_show_a_leak_with_little_confidence),
	    cmocka_unit_test(what_is_loaded_once_is_no_leak),
	    cmocka_unit_test(mixed_units_are_refused),
	    cmocka_unit_test(what_is_cut_off_or_foreign_is_refused_by_name),
	    cmocka_unit_test(profiles_without_a_sample_are_no_all_clear),
	    cmocka_unit_test(few_cpu_samples_are_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
