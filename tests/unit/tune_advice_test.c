/* What a finding advises fits the evidence: settings that would change nothing are not offered. */
#include <profuse/tune.h>

#include "core/memory.h"
#include "profile/encode.h"
#include "support/labelled_profile.h"
#include "support/tuned.h"

static struct pf_tune *
tuned(const char *const *fixtures)
{
	struct pf_tune *tune = new_tune();

	for (size_t i = 0; fixtures[i]; i++)
		add_fixture(tune, fixtures[i], false);
	run_tune(tune);
	return tune;
}

/* The advice of a finding whose setting begins so; NULL: none. */
static const struct pf_advice *
advised(const struct pf_tune *tune, const char *kind, const char *setting)
{
	const struct pf_finding *finding = find_finding(tune, kind);
	const struct pf_findings *f = &tune->findings;

	assert_non_null(finding);
	for (size_t i = 0; i < finding->advice_count; i++) {
		const struct pf_advice *a = &f->advices[finding->first_advice + i];
		if (strncmp(pf_said(f, a->setting), setting, strlen(setting)) == 0)
			return a;
	}
	return NULL;
}

/* A trim threshold gives back what is free at the end of the main arena, and nothing below a block that stays. */
static void
a_trim_threshold_is_advised_where_the_end_is_free(void **state)
{
	struct pf_tune *top = tuned((const char *[]){"runtime/glibc-top.malloc_info.xml", NULL});
	struct pf_tune *middle =
	    tuned((const char *[]){"runtime/glibc-middle.malloc_info.xml", NULL});
	(void)state;

	assert_non_null(advised(top, "unreturned-memory", "MALLOC_TRIM_THRESHOLD_=131072"));
	assert_non_null(advised(top, "unreturned-memory", ""));
	assert_null(advised(middle, "unreturned-memory", "MALLOC_TRIM_THRESHOLD_"));
	assert_non_null(
	    strstr(pf_said(&middle->findings, advised(middle, "unreturned-memory", "")->how),
		"malloc_trim"));
	pf_tune_free(top);
	pf_tune_free(middle);
}

/* The same profile with functions by other names. */
static struct pf_tune *
renamed(const char *fixture, const char *const (*names)[2])
{
	struct pf_buffer bytes = read_fixture(fixture), out = {.maximum = 1 << 20};
	struct pf_error err = {0};
	struct pf_profile *p;
	struct pf_tune *tune;

	assert_int_equal(pf_profile_parse(&p, fixture, bytes.bytes, bytes.size, NULL, &err), 0);
	for (size_t i = 0; i < p->function_count; i++) {
		for (size_t k = 0; names[k][0]; k++) {
			if (strcmp(pf_profile_string(p, p->functions[i].name), names[k][0]) == 0)
				assert_int_equal(
				    pf_strings_add(&p->strings, names[k][1], strlen(names[k][1]),
					&p->functions[i].name, &err),
				    0);
		}
	}
	assert_int_equal(pf_profile_encode(p, &out, &err), 0);
	assert_int_equal(pf_tune_new(&tune, NULL, &err), 0);
	assert_int_equal(pf_tune_add(tune, fixture, out.bytes, out.size, false, &err), 0);
	pf_profile_free(p);
	pf_buffer_release(&bytes);
	pf_buffer_release(&out);
	return tune;
}

static struct pf_tune *
tuned_renamed(const char *fixture, const char *const (*names)[2])
{
	struct pf_tune *tune = renamed(fixture, names);

	run_tune(tune);
	return tune;
}

/* Overloads and instances of a template share a short name: a chain of them is no recursion. */
static void
a_name_of_several_functions_is_no_recursion(void **state)
{
	static const char *const one[][2] = {
	    {"main.countPaths", "_ZN5Paths5countEi"}, {NULL, NULL}};
	static const char *const two[][2] = {{"main.countPaths", "_ZN5Paths5countEi"},
	    {"main.recursion", "_ZN5Paths5countEl"}, {NULL, NULL}};
	const char *const fixture = "tune/recursion/cpu.pb.gz";
	struct pf_tune *tune = tuned_renamed(fixture, one);
	(void)state;

	assert_non_null(find_finding(tune, "hot-recursion"));
	pf_tune_free(tune);
	tune = tuned_renamed(fixture, two);
	assert_null(find_finding(tune, "hot-recursion"));
	pf_tune_free(tune);
}

/* Thresholds decide what goes back: where a heap only grows they change nothing. */
static void
thresholds_are_advised_where_memory_goes_back(void **state)
{
	static const char *const same[][2] = {{NULL, NULL}};
	static const char *const grows[][2] = {{"__GI_madvise", "__GI_mprotect"},
	    {"shrink_heap", "grow_heap"}, {"heap_trim", "sysmalloc"}, {"_int_free", "_int_malloc"},
	    {"__GI___libc_free", "__GI___libc_malloc"}, {NULL, NULL}};
	static const char *const unmaps[][2] = {{"__GI_madvise", "__GI_munmap"},
	    {"shrink_heap", "munmap_chunk"}, {"heap_trim", "munmap_chunk"},
	    {"_int_free", "munmap_chunk"}, {NULL, NULL}};
	const char *const fixture = "tune/mapping/cpu.pb.gz";
	struct pf_tune *tune = tuned_renamed(fixture, same);
	(void)state;

	assert_non_null(advised(tune, "malloc-thresholds", "GLIBC_TUNABLES="));
	pf_tune_free(tune);
	tune = tuned_renamed(fixture, unmaps);
	assert_non_null(advised(tune, "malloc-thresholds", "GLIBC_TUNABLES="));
	pf_tune_free(tune);
	tune = tuned_renamed(fixture, grows);
	assert_null(find_finding(tune, "malloc-thresholds"));
	pf_tune_free(tune);
}

/* The mapping fixture with each block mapped, beside a heap of 1 MiB blocks, and an environment that is known. */
static struct pf_tune *
tuned_mapped(bool environment, const char *fixed)
{
	static const char *const unmaps[][2] = {{"__GI_madvise", "__GI_munmap"},
	    {"shrink_heap", "munmap_chunk"}, {"heap_trim", "munmap_chunk"},
	    {"_int_free", "munmap_chunk"}, {NULL, NULL}};
	static const char heap[] = "heap profile: 1: 1048576 [100: 104857600] @ heapprofile\n"
				   "1: 1048576 [100: 104857600] @ 0x1000\n";
	struct pf_tune *tune = renamed("tune/mapping/cpu.pb.gz", unmaps);
	struct pf_error err = {0};

	assert_int_equal(pf_tune_add(tune, "heap", heap, strlen(heap), false, &err), 0);
	tune->evidence.has_environment = environment;
	snprintf(
	    tune->evidence.fixed_threshold, sizeof tune->evidence.fixed_threshold, "%s", fixed);
	run_tune(tune);
	return tune;
}

/* glibc maps no block twice of a size that it has seen freed, unless somebody fixed the threshold: mallopt() has the last word. */
static void
who_fixed_a_threshold_has_to_let_go(void **state)
{
	struct pf_tune *tune = tuned_mapped(false, "");
	const struct pf_advice *a;
	(void)state;

	assert_non_null(strstr(
	    pf_said(&tune->findings, advised(tune, "malloc-thresholds", "")->action), "mallopt"));
	assert_non_null(advised(tune, "malloc-thresholds", "GLIBC_TUNABLES="));
	assert_true(find_finding(tune, "malloc-thresholds")->confidence == PF_CONFIDENCE_MEDIUM);
	pf_tune_free(tune);
	tune = tuned_mapped(true, "");
	assert_null(advised(tune, "malloc-thresholds", "GLIBC_TUNABLES="));
	assert_true(find_finding(tune, "malloc-thresholds")->confidence == PF_CONFIDENCE_MEDIUM);
	pf_tune_free(tune);
	tune = tuned_mapped(true, "MALLOC_MMAP_THRESHOLD_=131072");
	a = advised(tune, "malloc-thresholds", "");
	assert_non_null(
	    strstr(pf_said(&tune->findings, a->action), "Take MALLOC_MMAP_THRESHOLD_=131072 out"));
	assert_int_equal(find_finding(tune, "malloc-thresholds")->confidence, PF_CONFIDENCE_HIGH);
	pf_tune_free(tune);
}

/* What else the environment's tunables set stays, and comes back. */
static void
todays_tunables_are_kept(void **state)
{
	static const char *const same[][2] = {{NULL, NULL}};
	static const char today[] = "glibc.malloc.trim_threshold=1:glibc.malloc.tcache_count=3:"
				    "glibc.malloc.mmap_threshold=2";
	struct pf_tune *tune = renamed("tune/mapping/cpu.pb.gz", same);
	const struct pf_advice *a;
	(void)state;

	tune->evidence.has_environment = true;
	assert_int_equal(pf_copy_string(&tune->evidence.tunables, today, NULL), 0);
	run_tune(tune);
	a = advised(tune, "malloc-thresholds", "GLIBC_TUNABLES=");
	assert_string_equal(pf_said(&tune->findings, a->setting),
	    "GLIBC_TUNABLES=glibc.malloc.mmap_threshold=33554432:glibc.malloc.trim_threshold="
	    "268435456:glibc.malloc.tcache_count=3");
	assert_non_null(strstr(pf_said(&tune->findings, a->undo), today));
	pf_tune_free(tune);
}

/* What goroutines' stacks take is not what the process has in memory. */
static void
goroutines_that_end_promise_their_stacks_only(void **state)
{
	struct pf_tune *tune = tuned((const char *[]){"tune/sleepers/goroutine-7.pb.gz", NULL});
	const struct pf_finding *finding = find_finding(tune, "goroutine-leak");
	const struct pf_prediction *p;
	(void)state;

	assert_non_null(finding);
	assert_int_equal(finding->prediction_count, 1);
	p = &tune->findings.predictions[finding->first_prediction];
	assert_string_equal(pf_said(&tune->findings, p->metric), "stack_memory");
	assert_true(p->before > 0 && p->before == finding->bytes_saved);
	pf_tune_free(tune);
}

static void
assert_undo(const struct pf_tune *tune, const char *kind, const char *setting, const char *undo)
{
	const struct pf_advice *a = advised(tune, kind, setting);

	assert_non_null(a);
	assert_string_equal(pf_said(&tune->findings, a->undo), undo);
}

/* What is undone is what the service has today, where that is known. */
static void
undo_is_todays_value(void **state)
{
	static const char *const set[] = {"tune/cache/cpu.pb.gz", "tune/cache/gctrace.txt", NULL};
	struct pf_tune *tune = tuned(set);
	struct pf_buffer cpu = read_fixture(set[0]), trace = read_fixture(set[1]);
	struct pf_error err = {0};
	(void)state;

	assert_undo(tune, "gc-pressure", "GOGC=200", "unset GOGC");
	assert_undo(tune, "gc-settings", "GOGC=200", "unset GOGC");
	pf_tune_free(tune);
	/* The environment of a process says more than its trace. */
	assert_int_equal(pf_tune_new(&tune, NULL, &err), 0);
	snprintf(tune->evidence.gogc, sizeof tune->evidence.gogc, "%s", "50");
	snprintf(tune->evidence.gomemlimit, sizeof tune->evidence.gomemlimit, "%s", "1GiB");
	tune->evidence.memory_limit = 2147483648.0;
	assert_int_equal(pf_tune_add(tune, "cpu", cpu.bytes, cpu.size, false, &err), 0);
	assert_int_equal(pf_tune_add(tune, "trace", trace.bytes, trace.size, false, &err), 0);
	assert_int_equal(pf_tune_run(tune, &err), 0);
	assert_undo(tune, "gc-pressure", "GOGC=", "GOGC=50");
	assert_undo(tune, "gc-settings", "GOGC=", "GOGC=50");
	assert_undo(tune, "gc-settings", "GOMEMLIMIT=", "GOMEMLIMIT=1GiB");
	pf_tune_free(tune);
	pf_buffer_release(&cpu);
	pf_buffer_release(&trace);
}

/* Without a word of GOGC what to set is a guess, and said to be. */
static void
an_assumed_gogc_is_never_sure(void **state)
{
	struct pf_tune *alone = tuned((const char *[]){"tune/assist/cpu.pb.gz", NULL});
	struct pf_tune *told =
	    tuned((const char *[]){"tune/cache/cpu.pb.gz", "tune/cache/gctrace.txt", NULL});
	const struct pf_finding *finding = find_finding(alone, "gc-pressure");
	const struct pf_findings *f = &alone->findings;
	(void)state;

	assert_non_null(finding);
	assert_int_equal(finding->confidence, PF_CONFIDENCE_MEDIUM);
	assert_int_equal(finding->caveat_count, 1);
	assert_non_null(strstr(pf_said(f, f->caveats[finding->first_caveat]), "gctrace"));
	assert_undo(
	    alone, "gc-pressure", "GOGC=200", "GOGC as it is today; unset it where it is not set");
	assert_int_equal(find_finding(told, "gc-pressure")->confidence, PF_CONFIDENCE_HIGH);
	pf_tune_free(alone);
	pf_tune_free(told);
}

static void
a_searchs_undo_is_todays_environment(void **state)
{
	struct pf_search *s = calloc(1, sizeof *s);
	struct pf_findings f;
	struct pf_error err = {0};
	(void)state;

	assert_non_null(s);
	assert_int_equal(pf_findings_init(&f, &err), 0);
	s->count = 2;
	s->trials[1].setting.variable_count = 2;
	snprintf(s->trials[1].setting.variables[0], sizeof s->trials[1].setting.variables[0], "%s",
	    "GOGC=500");
	snprintf(s->trials[1].setting.variables[1], sizeof s->trials[1].setting.variables[1], "%s",
	    "GOMEMLIMIT=90MiB");
	s->validation_count = 1;
	s->validations[0] = (struct pf_validation){
	    .supported = true, .trial = 1, .change = -0.5, .low = -0.6, .high = -0.4};
	snprintf(s->trials[1].setting.name, sizeof s->trials[1].setting.name, "GOGC=500");
	s->weight[PF_AIM_CPU] = 1;
	s->weight[PF_AIM_RSS] = 0.5;
	s->validations[0].has_metric[PF_AIM_CPU] = s->validations[0].has_metric[PF_AIM_RSS] = true;
	s->validations[0].metric[PF_AIM_CPU].comparison.change = -0.6;
	s->validations[0].metric[PF_AIM_RSS].comparison.change = -0.25;
	assert_int_equal(setenv("GOGC", "20", 1), 0);
	assert_int_equal(unsetenv("GOMEMLIMIT"), 0);
	pf_search_finding(s, &f);
	assert_int_equal(f.advice_count, 1);
	assert_string_equal(pf_said(&f, f.advices[0].undo), "GOGC=20, unset GOMEMLIMIT");
	/* Of what the half is said with it. */
	assert_string_equal(pf_said(&f, f.findings[0].title),
	    "GOGC=500 beats today's settings by 50.0 % (cpu -60.0 %, rss_peak -25.0 %, weighted 1 "
	    ": 0.5)");
	unsetenv("GOGC");
	pf_findings_release(&f);
	free(s);
}

static const char *
risk_of(const struct pf_findings *f, size_t finding)
{
	return pf_said(f, f->advices[f->findings[finding].first_advice].risk);
}

static void
add_setting(struct pf_findings *f, const char *kind, const char *setting)
{
	pf_findings_add(f, kind, PF_SEVERITY_HIGH, PF_CONFIDENCE_HIGH, 0);
	pf_add_advice(f, (struct pf_advice){.setting = pf_say(f, "%s", setting)});
}

static void
different_values_of_a_setting_are_contrasted(void **state)
{
	struct pf_findings f;
	struct pf_error err = {0};
	(void)state;

	assert_int_equal(pf_findings_init(&f, &err), 0);
	add_setting(&f, "a", "GOGC=40");
	add_setting(&f, "b", "GOGC=430 GOMEMLIMIT=90MiB");
	add_setting(&f, "c", "GOMEMLIMIT=90MiB");
	add_setting(&f, "d", "GLIBC_TUNABLES=glibc.malloc.arena_max=2");
	add_setting(&f, "e", "GLIBC_TUNABLES=glibc.malloc.tcache_max=65536");
	add_setting(&f, "f", "MALLOC_ARENA_MAX=2");
	pf_findings_contrast(&f);
	assert_string_equal(risk_of(&f, 0),
	    "Finding 2 advises GOGC=430 instead, which takes more memory and saves more CPU: "
	    "choose one.");
	assert_string_equal(risk_of(&f, 1),
	    "Finding 1 advises GOGC=40 instead, which takes less memory and saves less CPU: "
	    "choose one.");
	assert_string_equal(risk_of(&f, 2), "");
	assert_string_equal(risk_of(&f, 3),
	    "Finding 5 sets GLIBC_TUNABLES too: what both say goes into one, with \":\" between "
	    "them.");
	assert_string_equal(risk_of(&f, 5), "");
	assert_int_equal(pf_findings_check(&f, &err), 0);
	pf_findings_release(&f);
}

/* What a library allocates for its caller goes away with the call; where there are many calls none is named. */
static void
the_call_that_allocates_is_named(void **state)
{
	static const struct {
		const char *fixture, *call;
	} cases[] = {{"tune/serialize/cpu.pb.gz", "Call encoding/json.Unmarshal less in main."},
	    {"tune/churn/cpu.pb.gz", NULL}};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_tune *tune = tuned((const char *[]){cases[i].fixture, NULL});
		const struct pf_finding *finding = find_finding(tune, "allocation-heavy");
		const struct pf_findings *f = &tune->findings;
		const char *action;

		assert_non_null(finding);
		action = pf_said(f, f->advices[finding->first_advice].action);
		if (cases[i].call)
			assert_memory_equal(action, cases[i].call, strlen(cases[i].call));
		else
			assert_memory_equal(action, "Allocate less in ", 17);
		pf_tune_free(tune);
	}
}

/* Who frees most may allocate nothing: who does, by the heap profile, is to do so less. */
static void
who_only_frees_is_not_to_allocate_less(void **state)
{
	static const char *const cpu[] = {"samples", "count", "cpu", "nanoseconds", NULL},
				 *const heap[] = {
				     "alloc_objects", "count", "alloc_space", "bytes", NULL};
	static const struct test_sample times[] = {
	    {{"operator delete", "drop", "write", "start_thread"}, {500, 5000000000}, {{0}}},
	    {{"operator new", "parse", "read", "start_thread"}, {400, 4000000000}, {{0}}},
	    {{"count", "read", "start_thread"}, {100, 1000000000}, {{0}}}, {{NULL}, {0}, {{0}}}};
	static const struct test_sample blocks[] = {
	    {{"operator new", "parse", "read", "start_thread"}, {100000, 10000000}, {{0}}},
	    {{NULL}, {0}, {{0}}}};
	(void)state;

	for (int known = 0; known < 2; known++) {
		struct pf_tune *tune = new_tune();
		const struct pf_findings *f = &tune->findings;
		const struct pf_finding *finding;

		add_labelled(tune, cpu, times, 10, 1000, false);
		if (known)
			add_labelled(tune, heap, blocks, 0, 1000, false);
		run_tune(tune);
		finding = find_finding(tune, "allocation-heavy");
		assert_non_null(finding);
		assert_non_null(strstr(pf_said(f, finding->title), "most of it for drop"));
		assert_non_null(strstr(pf_said(f, f->advices[finding->first_advice].action),
		    known ? "Allocate less in parse:" : "Allocate less in drop:"));
		pf_tune_free(tune);
	}
}

/* Mapping memory is part of allocating it; what both would save is said not to add up, beside the second. */
static void
cpu_time_that_is_counted_twice_is_said(void **state)
{
	static const struct {
		const char *kind;
		double saved;
		const char *summary;
	} cases[] = {
	    {"malloc-thresholds", 0.3, ""}, {"leak", 0, ""},
	    {"allocation-heavy", 0.2,
		"Half of it. Finding 1 counts some of the same CPU time: what both save does not "
		"add up."},
	    {"hot-recursion", 0.1, "Half of it."},
	    {"arena-contention", 0, "Half of it."}, /* promises nothing */
	};
	struct pf_findings f;
	struct pf_error err = {0};
	(void)state;

	assert_int_equal(pf_findings_init(&f, &err), 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_finding *finding =
		    pf_findings_add(&f, cases[i].kind, PF_SEVERITY_HIGH, PF_CONFIDENCE_HIGH, 0);
		finding->cpu_saved = cases[i].saved;
		finding->summary = *cases[i].summary ? pf_say(&f, "Half of it.") : 0;
	}
	pf_findings_contrast(&f);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(pf_said(&f, f.findings[i].summary), cases[i].summary);
	assert_int_equal(pf_findings_check(&f, &err), 0);
	pf_findings_release(&f);
}

/* Instead of the locks themselves, both are passed what has them 8 bytes in. */
static void
put_locks_into_objects(struct pf_buffer *bytes)
{
	static const char *const calls[][2] = {
	    {"move(0x164bb15101e0, 0x164bb15101f0)", "move(0x164bb15101d8, 0x164bb15101e8)"},
	    {"move(0x164bb15101f0, 0x164bb15101e0)", "move(0x164bb15101e8, 0x164bb15101d8)"}};

	for (size_t i = 0; i < 2; i++) {
		char *at = memmem(bytes->bytes, bytes->size, calls[i][0], strlen(calls[i][0]));

		assert_non_null(at);
		memcpy(at, calls[i][1], strlen(calls[i][1]));
	}
}

/* Whether the two that wait for each other are said to, with another goroutine asleep in this call. */
static bool
is_deadlocked_beside(const char *call, bool in_objects)
{
	const char *const fixture = "tune/transfer/goroutine.txt";
	struct pf_buffer bytes = read_fixture(fixture);
	struct pf_error err = {0};
	struct pf_tune *tune;
	char other[512];
	bool found;

	snprintf(other, sizeof other,
	    "\ngoroutine 99 [sleep]:\ntime.Sleep(0x1e8480)\n"
	    "\t/usr/local/go/src/runtime/time.go:363 +0x165\n"
	    "%s\n\t/home/build/src/store/src/godl/main.go:4 +0x40\n",
	    call);
	if (in_objects)
		put_locks_into_objects(&bytes);
	pf_buffer_add(&bytes, other, strlen(other));
	assert_int_equal(pf_tune_new(&tune, NULL, &err), 0);
	assert_int_equal(pf_tune_add(tune, fixture, bytes.bytes, bytes.size, false, &err), 0);
	assert_int_equal(pf_tune_run(tune, &err), 0);
	found = find_finding(tune, "deadlock") != NULL;
	pf_tune_free(tune);
	pf_buffer_release(&bytes);
	return found;
}

/* Somebody else in the function, or at work with one of the two, may hold what two wait for there. */
static void
who_has_company_is_not_deadlocked(void **state)
{
	struct pf_tune *tune = tuned((const char *[]){"tune/transfer/goroutine.txt", NULL});
	(void)state;

	assert_int_equal(find_finding(tune, "deadlock")->confidence, PF_CONFIDENCE_LOW);
	pf_tune_free(tune);
	assert_false(is_deadlocked_beside("main.move(0x164bb15101e0, 0x164bb15101f0)", false));
	assert_false(is_deadlocked_beside("main.(*Account).Report(0x164bb15101e0)", false));
	assert_false(is_deadlocked_beside("main.(*Account).Report(0x7, 0x164bb15101f0)", false));
	assert_true(is_deadlocked_beside("main.(*Account).Report(0x164bb1510200)", false));
	assert_false(is_deadlocked_beside("main.(*Account).Report(0x164bb15101d8)", true));
	assert_true(is_deadlocked_beside("main.(*Account).Report(0x164bb15101d0)", true));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_trim_threshold_is_advised_where_the_end_is_free),
	    cmocka_unit_test(a_name_of_several_functions_is_no_recursion),
	    cmocka_unit_test(thresholds_are_advised_where_memory_goes_back),
	    cmocka_unit_test(who_fixed_a_threshold_has_to_let_go),
	    cmocka_unit_test(todays_tunables_are_kept),
	    cmocka_unit_test(goroutines_that_end_promise_their_stacks_only),
	    cmocka_unit_test(undo_is_todays_value),
	    cmocka_unit_test(an_assumed_gogc_is_never_sure),
	    cmocka_unit_test(a_searchs_undo_is_todays_environment),
	    cmocka_unit_test(different_values_of_a_setting_are_contrasted),
	    cmocka_unit_test(cpu_time_that_is_counted_twice_is_said),
	    cmocka_unit_test(the_call_that_allocates_is_named),
	    cmocka_unit_test(who_only_frees_is_not_to_allocate_less),
	    cmocka_unit_test(who_has_company_is_not_deadlocked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
