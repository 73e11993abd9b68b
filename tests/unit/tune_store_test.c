/*
 * Tuning from a store: which of a selection's profiles make a report, that each
 * process is a series of its own, and that memory stays with the youngest.
 * Profiles are those of real Go programs, put into the store at times of our own.
 */
#include <profuse/store.h>
#include <profuse/tune.h>

#include "profile/encode.h"
#include "support/each_allocation.h"
#include "support/read_fixture.h"
#include "support/tuned.h"
#include "support/open_store.h"

static char noted[512]; /* the last sentence about what is left out */

/* Where a fixture goes. */
struct place {
	const char *service, *instance, *type, *build, *trigger;
	int64_t start;
};

/* Puts a fixture into the store; bytes differ by their time. */
static void
put(const char *fixture, struct place at)
{
	struct pf_store_label labels[] = {{"instance", at.instance ? at.instance : "a:1"},
	    {"job", at.service ? at.service : "shop"}};
	struct pf_store_entry entry = {.start_nanos = NOON + at.start * SECOND,
	    .collected_nanos = NOON + at.start * SECOND,
	    .type = at.type ? at.type : "heap",
	    .build_id = at.build ? at.build : "b1",
	    .trigger = at.trigger ? at.trigger : "",
	    .reason = at.trigger ? "resident is 5e+08, above 4e+08" : "",
	    .labels = labels,
	    .label_count = 2};
	struct pf_buffer bytes = read_fixture(fixture), out = {.maximum = 64 << 20};
	struct pf_profile *p;

	must(pf_profile_parse(&p, fixture, bytes.bytes, bytes.size, NULL, &err));
	p->time_nanos = entry.start_nanos;
	must(pf_profile_encode(p, &out, &err));
	must(pf_store_append(store, &entry, out.bytes, out.size, NULL, &err));
	pf_profile_free(p);
	pf_buffer_release(&bytes);
	pf_buffer_release(&out);
}

static void
note(void *context, const char *sentence)
{
	(void)context;
	snprintf(noted, sizeof noted, "%s", sentence);
}

/* Adds all that the store has to a new tuning. */
static int
add_all(struct pf_tune **tune, struct pf_error *why)
{
	struct pf_tune_selection_options o = PF_TUNE_SELECTION_OPTIONS_INIT;
	struct pf_selection *selection = NULL;
	int rc = pf_tune_new(tune, NULL, why);

	o.note = note;
	if (!rc)
		rc = pf_store_select(&selection, &store, 1, NULL, why);
	if (!rc)
		rc = pf_tune_add_selection(*tune, selection, &o, why);
	pf_selection_free(selection);
	return rc;
}

static struct pf_tune *
tuned(void)
{
	struct pf_tune *tune;

	must(pf_store_commit(store, &err));
	must(add_all(&tune, &err));
	must(pf_tune_run(tune, &err));
	return tune;
}

/* The leaking service's heaps, from snapshot `first` to `last`, ten seconds apart. */
static void
put_leak(const char *instance, const char *build, int first, int last, int64_t start)
{
	for (int i = first; i <= last; i++) {
		char name[64];
		snprintf(name, sizeof name, "tune/leak/heap-%d.pb.gz", i);
		put(name,
		    (struct place){
			.instance = instance, .build = build, .start = start + (i - first) * 100});
	}
}

static const struct pf_finding *
only_finding(const struct pf_tune *tune)
{
	assert_int_equal(pf_tune_finding_count(tune), 1);
	return &tune->findings.findings[0];
}

static double
number(const struct pf_tune *tune, const struct pf_finding *finding, const char *name)
{
	const struct pf_number *n = find_number(tune, finding, name);

	return n ? n->value : -1;
}

static void
each_process_is_a_series_of_its_own(void **state)
{
	struct pf_tune *tune;
	const struct pf_finding *leak;
	size_t whole = 0;
	(void)state;

	/* Of one instance it grows, of the other it stays: in a mixture by time neither would be seen. */
	put_leak("a:1", NULL, 0, 7, 0);
	for (int i = 0; i < 8; i++)
		put("tune/leak/heap-7.pb.gz",
		    (struct place){.instance = "b:1", .start = i * 10 + 3});
	tune = tuned();
	leak = only_finding(tune);
	assert_string_equal(leak->kind, "leak");
	assert_non_null(strstr(pf_said(&tune->findings, leak->summary), "heap of a:1 at"));
	assert_int_equal(number(tune, leak, "snapshots"), 8);
	assert_int_equal(number(tune, leak, "processes_growing"), 1);
	assert_int_equal(number(tune, leak, "processes_watched"), 2);
	assert_int_equal(leak->stack_count, 1);
	for (size_t i = 0; i < tune->evidence.profile_count; i++)
		whole += tune->evidence.profiles[i].p != NULL;
	assert_int_equal(whole, 2); /* the youngest of each */
	pf_tune_free(tune);
}

/* Go's heap profile shows the last collection, again and again: each counts once, as of when it was seen first. */
static void
snapshots_of_one_collection_count_once(void **state)
{
	struct pf_tune *tune;
	const struct pf_finding *leak;
	char name[64];
	(void)state;

	for (int i = 0; i < 7 * 5; i++) {
		snprintf(name, sizeof name, "tune/leak/heap-%d.pb.gz", i / 5);
		put(name, (struct place){.instance = "a:1", .start = i * 20});
	}
	tune = tuned();
	leak = only_finding(tune);
	assert_string_equal(leak->kind, "leak");
	assert_int_equal(number(tune, leak, "snapshots"), 7);
	assert_non_null(strstr(pf_said(&tune->findings, leak->summary), " over 600 s"));
	pf_tune_free(tune);
}

/* Too few collections say nothing of growth, however many snapshots there are. */
static void
many_snapshots_of_few_collections_are_not_judged(void **state)
{
	struct pf_tune *tune;
	bool said = false;
	char name[64];
	(void)state;

	for (int i = 0; i < 3 * 5; i++) {
		snprintf(name, sizeof name, "tune/leak/heap-%d.pb.gz", i / 5);
		put(name, (struct place){.instance = "a:1", .start = i * 20});
	}
	tune = tuned();
	for (uint32_t i = 1; i < tune->unjudged.count; i++)
		said |= strstr(pf_strings_get(&tune->unjudged, i),
			    "these 15 snapshots are of 3.") != NULL;
	assert_true(said);
	pf_tune_free(tune);
}

static void
what_leaks_in_many_processes_is_one_finding(void **state)
{
	struct pf_tune *tune;
	const struct pf_finding *leak;
	(void)state;

	put_leak("a:1", NULL, 0, 7, 0);
	put_leak("b:1", NULL, 0, 7, 5);
	put_leak("c:1", NULL, 0, 6, 2);
	tune = tuned();
	leak = only_finding(tune);
	assert_int_equal(number(tune, leak, "processes_growing"), 3);
	assert_int_equal(number(tune, leak, "processes_watched"), 3);
	assert_null(
	    strstr(pf_said(&tune->findings, leak->summary), "heap of c:1")); /* it grew less */
	pf_tune_free(tune);
}

static void
a_restart_begins_another_series(void **state)
{
	struct pf_tune *tune;
	const struct pf_finding *leak;
	(void)state;

	/* Killed for its memory again and again: each life grows, the whole is a saw. */
	for (int life = 0; life < 3; life++)
		put_leak("a:1", NULL, 0, 7, life * 1000);
	tune = tuned();
	leak = only_finding(tune);
	assert_int_equal(number(tune, leak, "processes_growing"), 3);
	assert_int_equal(number(tune, leak, "snapshots"), 8);
	assert_int_equal(leak->caveat_count, 0);
	pf_tune_free(tune);
}

static void
only_the_youngest_build_is_judged(void **state)
{
	struct pf_tune *tune;
	(void)state;

	put_leak("a:1", "0123456789abcdef", 0, 7, 0);
	for (int i = 0; i < 5; i++)
		put("tune/leak/heap-7.pb.gz",
		    (struct place){.build = "fedcba9876543210", .start = 1000 + i * 10});
	tune = tuned();
	assert_int_equal(pf_tune_finding_count(tune), 0);
	assert_int_equal(tune->stored.of_other_builds, 8);
	assert_int_equal(tune->stored.read, 5);
	assert_non_null(strstr(noted, "8 profiles are left out, of other builds"));
	assert_non_null(strstr(noted, "fedcba987654,"));
	pf_tune_free(tune);
}

static void
processor_time_is_summed_and_of_totals_the_youngest_counts(void **state)
{
	struct pf_tune *tune;
	const struct pf_evidence_profile *cpu, *locks;
	struct pf_profile *one;
	struct pf_buffer bytes = read_fixture("tune/contention/cpu.pb.gz");
	(void)state;

	for (int i = 0; i < 3; i++) {
		put("tune/contention/cpu.pb.gz",
		    (struct place){.type = "cpu", .instance = i ? "a:1" : "b:1", .start = i * 100});
		put("tune/contention/mutex.pb.gz",
		    (struct place){.type = "mutex", .start = i * 100});
	}
	tune = tuned();
	must(pf_profile_parse(&one, "cpu", bytes.bytes, bytes.size, NULL, &err));
	cpu = pf_evidence_last(&tune->evidence, PF_PROFILE_CPU);
	locks = pf_evidence_last(&tune->evidence, PF_PROFILE_LOCKS);
	assert_string_equal(cpu->name, "cpu, 3 profiles together");
	assert_int_equal(pf_profile_duration_nanos(cpu->p), 3 * pf_profile_duration_nanos(one));
	assert_int_equal(locks->time_nanos, NOON + 200 * SECOND);
	assert_int_equal(tune->evidence.profile_count, 2);
	assert_int_equal(tune->stored.instances, 2);
	pf_profile_free(one);
	pf_buffer_release(&bytes);
	pf_tune_free(tune);
}

static void
long_series_are_thinned_evenly_and_their_ends_kept(void **state)
{
	enum { PROCESSES = 40, SNAPSHOTS = 40 };
	struct pf_tune *tune;
	size_t series = 0;
	(void)state;

	for (int process = 0; process < PROCESSES; process++) {
		char instance[16];
		snprintf(instance, sizeof instance, "%d:1", process);
		/* the last eight have a snapshot less */
		for (int i = 0; i < SNAPSHOTS - (process >= PROCESSES - 8); i++)
			put("tune/healthy/heap-0.pb.gz",
			    (struct place){.instance = instance, .start = i * 60 + process});
	}
	tune = tuned();
	for (const struct pf_evidence_profile *ep = NULL;
	    (ep = pf_evidence_next_series(&tune->evidence, PF_PROFILE_HEAP, ep));) {
		const struct pf_evidence_profile *at = ep, *last = ep;
		size_t count = 0;

		for (; at; at = pf_evidence_next(&tune->evidence, at)) {
			assert_true(at == ep || at->time_nanos - last->time_nanos <= 120 * SECOND);
			last = at;
			count++;
		}
		assert_int_equal(count, 1000 / 32);
		assert_int_equal(
		    last->time_nanos - ep->time_nanos, (int64_t)(SNAPSHOTS - 1) * 60 * SECOND);
		series++;
	}
	assert_int_equal(series, 32);
	assert_int_equal(tune->stored.read, 32 * (1000 / 32));
	pf_tune_free(tune);
}

static void
a_report_is_of_one_service_and_of_something(void **state)
{
	struct pf_tune *tune;
	(void)state;

	must(pf_store_commit(store, &err));
	assert_int_equal(add_all(&tune, &err), PF_EINPUT);
	pf_tune_free(tune);
	put("tune/leak/heap-0.pb.gz", (struct place){.service = "shop"});
	put("tune/leak/heap-1.pb.gz", (struct place){.service = "mail", .start = 5});
	must(pf_store_commit(store, &err));
	assert_int_equal(add_all(&tune, &err), PF_EUSAGE);
	assert_non_null(strstr(err.message, "(shop, mail)"));
	pf_tune_free(tune);
}

static void
triggers_are_told_once_with_all_that_they_took(void **state)
{
	const struct pf_firing *f;
	struct pf_tune *tune;
	char types[64];
	(void)state;

	put("tune/leak/heap-0.pb.gz", (struct place){.start = 0});
	put("tune/leak/heap-1.pb.gz", (struct place){.start = 10, .trigger = "large"});
	put("tune/leak/goroutine-0.pb.gz",
	    (struct place){.type = "goroutine", .start = 11, .trigger = "large"});
	put("tune/leak/heap-2.pb.gz",
	    (struct place){.instance = "b:1", .start = 12, .trigger = "large"});
	put("tune/leak/heap-3.pb.gz", (struct place){.start = 13, .trigger = "huge"});
	tune = tuned();
	assert_int_equal(tune->stored.firing_count, 3);
	f = &tune->stored.firings[2]; /* the latest is the first */
	assert_int_equal(f->start_nanos, NOON + 10 * SECOND);
	assert_string_equal(pf_strings_get(&tune->stored.strings, f->trigger), "large");
	assert_string_equal(pf_strings_get(&tune->stored.strings, f->instance), "a:1");
	assert_string_equal(
	    pf_strings_get(&tune->stored.strings, f->reason), "resident is 5e+08, above 4e+08");
	pf_firing_types_text(&tune->stored, f, types, sizeof types);
	assert_true(strcmp(types, "heap, goroutine") == 0 || strcmp(types, "goroutine, heap") == 0);
	pf_tune_free(tune);
}

static int
tune_all(void *data, struct pf_error *why)
{
	static int (*const reports[])(const struct pf_tune *, struct pf_buffer *,
	    struct pf_error *) = {pf_tune_text, pf_tune_markdown, pf_tune_json, pf_tune_html};
	struct pf_tune *tune = NULL;
	int rc = add_all(&tune, why);
	(void)data;

	if (!rc)
		rc = pf_tune_run(tune, why);
	for (size_t i = 0; !rc && i < sizeof reports / sizeof *reports; i++) {
		struct pf_buffer out = {.maximum = 64 << 20};
		rc = reports[i](tune, &out, why);
		pf_buffer_release(&out);
	}
	pf_tune_free(tune);
	return rc;
}

static void
each_failed_allocation_is_told_and_leaks_nothing(void **state)
{
	(void)state;
	put_leak("a:1", "b0", 0, 1, 0);
	put_leak("a:1", NULL, 3, 6, 100);
	put_leak("a:1", NULL, 0, 3, 200);
	put("tune/leak/cpu.pb.gz", (struct place){.type = "cpu", .start = 210, .trigger = "large"});
	put("tune/leak/cpu.pb.gz", (struct place){.type = "cpu", .start = 310});
	put("tune/leak/goroutine-0.pb.gz",
	    (struct place){.type = "goroutine", .start = 310, .trigger = "large"});
	must(pf_store_commit(store, &err));
	fail_each_allocation(tune_all, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    store_test(each_process_is_a_series_of_its_own),
	    store_test(snapshots_of_one_collection_count_once),
	    store_test(many_snapshots_of_few_collections_are_not_judged),
	    store_test(what_leaks_in_many_processes_is_one_finding),
	    store_test(a_restart_begins_another_series),
	    store_test(only_the_youngest_build_is_judged),
	    store_test(processor_time_is_summed_and_of_totals_the_youngest_counts),
	    store_test(long_series_are_thinned_evenly_and_their_ends_kept),
	    store_test(a_report_is_of_one_service_and_of_something),
	    store_test(triggers_are_told_once_with_all_that_they_took),
	    store_test(each_failed_allocation_is_told_and_leaks_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
