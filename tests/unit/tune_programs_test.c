/* Evidence of several programs: one is judged, the others are set aside and said to be. */
#include <stdio.h>

#include <profuse/tune.h>

#include "profile/encode.h"
#include "support/tuned.h"

/* The same with another name, or build id (NULL: its own), of its main binary. */
static void
add_renamed_as(
    struct pf_tune *tune, const char *fixture, const char *binary, const char *build, bool base)
{
	struct pf_buffer bytes = read_fixture(fixture), out = {.maximum = 1 << 20};
	struct pf_error err = {0};
	struct pf_profile *p;

	assert_int_equal(pf_profile_parse(&p, fixture, bytes.bytes, bytes.size, NULL, &err), 0);
	if (binary)
		assert_int_equal(pf_strings_add(&p->strings, binary, strlen(binary),
				     &p->mappings[0].filename, &err),
		    0);
	if (build)
		assert_int_equal(pf_strings_add(&p->strings, build, strlen(build),
				     &p->mappings[0].build_id, &err),
		    0);
	assert_int_equal(pf_profile_encode(p, &out, &err), 0);
	assert_int_equal(pf_tune_add(tune, fixture, out.bytes, out.size, base, &err), 0);
	pf_profile_free(p);
	pf_buffer_release(&bytes);
	pf_buffer_release(&out);
}

static void
add_renamed(struct pf_tune *tune, const char *fixture, const char *binary, const char *build)
{
	add_renamed_as(tune, fixture, binary, build, false);
}

static bool
is_found(const struct pf_tune *tune, const char *kind)
{
	for (size_t i = 0; i < pf_tune_finding_count(tune); i++) {
		if (strcmp(pf_tune_finding_kind(tune, i), kind) == 0)
			return true;
	}
	return false;
}

/* A heap of C++ is no evidence for the collector of a service in Go, nor a trace of Go's for a heap of C++. */
static void
the_program_with_the_most_profiles_is_judged(void **state)
{
	struct pf_tune *tune = new_tune();
	(void)state;

	add_fixture(tune, "tune/assist/cpu.pb.gz", false);
	for (int i = 1; i < 8; i++) {
		char fixture[64];
		snprintf(fixture, sizeof fixture, "tune/cpp-leak/heap-%d.pb.gz", i);
		add_fixture(tune, fixture, false);
	}
	add_fixture(tune, "tune/cache/gctrace.txt", false);
	add_fixture(tune, "tune/cache/goroutine.txt", false);
	run_tune(tune);
	assert_string_equal(tune->evidence.service, "kvcache");
	assert_true(is_found(tune, "leak"));
	assert_int_equal(pf_tune_finding_count(tune), 1);
	assert_true(
	    is_unjudged(tune, "another program than kvcache: cpu.pb.gz (gosvc), goroutine.txt."));
	assert_true(is_unjudged(tune, "kvcache is no Go program"));
	pf_tune_free(tune);
}

static void
of_equals_the_first_one_is_judged(void **state)
{
	struct pf_tune *tune = new_tune();
	(void)state;

	add_fixture(tune, "tune/assist/cpu.pb.gz", false);
	add_fixture(tune, "tune/packets/heap.pb.gz", false);
	run_tune(tune);
	assert_string_equal(tune->evidence.service, "gosvc");
	assert_true(is_found(tune, "gc-pressure"));
	assert_true(is_unjudged(tune, "another program than gosvc: heap.pb.gz (workload)."));
	for (size_t i = 0; i < tune->findings.frame_count; i++) /* no stack is another's */
		assert_null(strstr(pf_said(&tune->findings, tune->findings.frames[i]), "workload"));
	pf_tune_free(tune);

	tune = new_tune();
	add_fixture(tune, "tune/packets/heap.pb.gz", false);
	add_fixture(tune, "tune/assist/cpu.pb.gz", false);
	run_tune(tune);
	assert_string_equal(tune->evidence.service, "workload");
	assert_false(is_found(tune, "gc-pressure"));
	assert_true(is_unjudged(tune, "another program than workload: cpu.pb.gz (gosvc)."));
	pf_tune_free(tune);
}

/* A name that changed is no other program while the build id is the same, nor is a file that was replaced since. */
static void
names_alone_do_not_part_a_program(void **state)
{
	static const char *const names[] = {
	    "/srv/releases/7/go_faults", "/go_faults (deleted)", "/renamed"};
	(void)state;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct pf_tune *tune = new_tune();

		add_fixture(tune, "tune/cache/cpu.pb.gz", false);
		add_renamed(tune, "tune/cache/heap-7.pb.gz", names[i], NULL);
		add_fixture(tune, "tune/cache/gctrace.txt", false);
		run_tune(tune);
		assert_true(is_found(tune, "gc-scan"));
		assert_false(is_unjudged(tune, "program"));
		assert_false(is_unjudged(tune, "builds"));
		pf_tune_free(tune);
	}
}

static void
another_name_and_build_is_another_program(void **state)
{
	struct pf_tune *tune = new_tune();
	(void)state;

	add_fixture(tune, "tune/cache/cpu.pb.gz", false);
	add_renamed(tune, "tune/cache/heap-7.pb.gz", "/renamed", "0123");
	add_fixture(tune, "tune/cache/gctrace.txt", false); /* of either */
	run_tune(tune);
	assert_false(is_found(tune, "gc-scan"));
	assert_true(is_found(tune, "gc-pressure"));
	assert_true(is_unjudged(tune, "another program than go_faults: heap-7.pb.gz (renamed)."));
	pf_tune_free(tune);
}

static void
several_builds_of_a_program_are_told(void **state)
{
	struct pf_tune *tune = new_tune();
	(void)state;

	add_fixture(tune, "tune/cache/cpu.pb.gz", false);
	add_renamed(tune, "tune/cache/heap-7.pb.gz", NULL, "0123456789abcdef");
	run_tune(tune);
	assert_true(is_found(tune, "gc-scan"));
	assert_true(is_unjudged(tune, "several builds of go_faults ("));
	assert_true(is_unjudged(tune, "0123456789ab in heap-7.pb.gz"));
	pf_tune_free(tune);
}

/* A base of another program can't be compared; a renamed build of the same has its functions. */
static void
a_base_is_of_the_same_program(void **state)
{
	struct pf_tune *tune = new_tune();
	struct pf_error err = {0};
	(void)state;

	add_fixture(tune, "tune/packets/heap.pb.gz", true);
	add_fixture(tune, "tune/cpp-leak/heap-7.pb.gz", false);
	assert_int_equal(pf_tune_run(tune, &err), PF_EINPUT);
	assert_non_null(strstr(err.message, "another program (workload, not kvcache)"));
	pf_tune_free(tune);

	tune = new_tune(); /* one of two bases fits */
	add_fixture(tune, "tune/packets/heap.pb.gz", true);
	add_fixture(tune, "tune/cpp-leak/heap-1.pb.gz", true);
	add_fixture(tune, "tune/cpp-leak/heap-7.pb.gz", false);
	run_tune(tune);
	assert_true(is_found(tune, "leak"));
	assert_true(is_unjudged(tune, "another program than kvcache: heap.pb.gz (workload)."));
	pf_tune_free(tune);

	tune = new_tune();
	add_renamed_as(tune, "tune/cpp-leak/heap-1.pb.gz", "/opt/old-name", "0123", true);
	add_fixture(tune, "tune/cpp-leak/heap-7.pb.gz", false);
	run_tune(tune);
	assert_true(is_found(tune, "leak"));
	assert_string_equal(tune->evidence.service, "kvcache"); /* not what the base is called */
	pf_tune_free(tune);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_program_with_the_most_profiles_is_judged),
	    cmocka_unit_test(of_equals_the_first_one_is_judged),
	    cmocka_unit_test(names_alone_do_not_part_a_program),
	    cmocka_unit_test(another_name_and_build_is_another_program),
	    cmocka_unit_test(several_builds_of_a_program_are_told),
	    cmocka_unit_test(a_base_is_of_the_same_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
