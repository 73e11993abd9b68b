/*
 * What may not be compared, or told apart, is said to be so: sides of which one has no names, copies of one snapshot,
 * frames without a function, goroutines that stand at a lock in each look. What other evidence tells is taken from there.
 */
#include "support/tuned.h"

/* All its frames as addresses that lie nowhere. */
static void
take_names(struct pf_profile *p)
{
	p->line_count = 0;
	memset(p->line_starts, 0, (p->location_count + 1) * sizeof *p->line_starts);
	for (size_t i = 0; i < p->location_count; i++)
		p->locations[i].mapping = PF_NONE;
}

static void
add_nameless(struct pf_tune *tune, const char *fixture, bool base)
{
	struct pf_profile *p = read_fixture_profile(fixture);
	struct pf_buffer out = {.maximum = 1 << 20};
	struct pf_error err = {0};

	take_names(p);
	assert_int_equal(pf_profile_encode(p, &out, &err), 0);
	assert_int_equal(pf_tune_add(tune, "nameless", out.bytes, out.size, base, &err), 0);
	pf_buffer_release(&out);
	pf_profile_free(p);
}

/* Beside names on one side only, all of the other side would seem to have grown. */
static void
names_on_one_side_are_not_compared(void **state)
{
	(void)state;

	for (int base = 0; base < 2; base++) {
		struct pf_tune *tune = new_tune();
		add_fixture(tune, "tune/leak/heap-7.pb.gz", !base);
		add_nameless(tune, "tune/leak/heap-7.pb.gz", base);
		run_tune(tune);
		assert_null(find_finding(tune, "leak"));
		assert_true(is_unjudged(tune, "What grew since the base was not judged: nameless"));
		assert_false(is_unjudged(tune, "No finding compares"));
		assert_false(is_unjudged(tune, "as --base FILE"));
		pf_tune_free(tune);
	}
}

/* The same collection of Go's, however often: no four snapshots. */
static void
copies_show_no_growth(void **state)
{
	struct pf_tune *tune = new_tune();
	(void)state;

	for (int i = 0; i < 4; i++)
		add_fixture(tune, "tune/leak/heap-7.pb.gz", false);
	run_tune(tune);
	assert_null(find_finding(tune, "leak"));
	assert_true(is_unjudged(tune, "these 4 snapshots are of 1"));
	pf_tune_free(tune);
}

/* Frames that have neither a name nor a file are no function that calls itself. */
static void
what_has_no_name_does_not_call_itself(void **state)
{
	struct pf_tune *tune = new_tune();
	(void)state;

	add_nameless(tune, "tune/recursion/cpu.pb.gz", false);
	run_tune(tune);
	assert_null(find_finding(tune, "hot-recursion"));
	assert_true(is_unjudged(tune, "what depends on who does it was not judged"));
	pf_tune_free(tune);
}

/* The agent says which system call each thread is in: that libc's function has no name changes nothing. */
static void
calls_are_known_without_libcs_names(void **state)
{
	static const char *const fixtures[][2] = {
	    {"tune/stuck/threads.pb.gz", "threads are asleep in [waiters]"},
	    {"tune/backend/threads.pb.gz", "wait for something outside"}};
	(void)state;

	for (size_t i = 0; i < 2; i++) {
		for (int names = 1; names >= 0; names--) {
			struct pf_profile *p = read_fixture_profile(fixtures[i][0]);
			struct pf_tune *tune = new_tune();
			p->line_count = names ? p->line_count : 0;
			if (!names)
				memset(p->line_starts, 0,
				    (p->location_count + 1) * sizeof *p->line_starts);
			add_profile(tune, p);
			pf_profile_free(p);
			run_tune(tune);
			assert_int_equal(pf_tune_finding_count(tune), 1);
			if (!strstr(pf_tune_finding_title(tune, 0), fixtures[i][1]))
				fail_msg("%s", pf_tune_finding_title(tune, 0));
			pf_tune_free(tune);
		}
	}
}

/* glibc's first arena has what is free after a peak, others next to nothing: fewer of them would change nothing. */
static void
one_arena_that_is_free_is_no_matter_of_arenas(void **state)
{
	static const int kib[][2] = {{100000, 100}, {30000, 14000}};
	(void)state;

	for (size_t i = 0; i < 2; i++) {
		struct pf_buffer text = {.maximum = 1 << 16};
		struct pf_tune *tune = new_tune();
		pf_buffer_string(&text, "<malloc version=\"1\">\n");
		for (int nr = 0; nr < 6; nr++) {
			int size = kib[i][nr > 0] << 10;
			pf_buffer_printf(&text,
			    "<heap nr=\"%d\">\n<sizes>\n<unsorted from=\"1025\" to=\"90000\" "
			    "total=\"%d\" count=\"20\"/>\n</sizes>\n<total type=\"fast\" "
			    "count=\"0\" "
			    "size=\"0\"/>\n<total type=\"rest\" count=\"20\" "
			    "size=\"%d\"/>\n<system "
			    "type=\"current\" size=\"%d\"/>\n</heap>\n",
			    nr, size, size, size + 100000);
		}
		pf_buffer_string(&text, "</malloc>\n");
		add_written(tune, "malloc_info", &text);
		run_tune(tune);
		assert_int_equal(find_finding(tune, "arena-contention") != NULL, i);
		pf_tune_free(tune);
	}
}

/* Looks at goroutines of which so many stand at one lock. */
static struct pf_tune *
tune_of_looks(const int64_t *standing, size_t count)
{
	struct pf_tune *tune = new_tune();

	for (size_t k = 0; k < count; k++) {
		struct pf_profile *p = read_fixture_profile("tune/deadlock/goroutine-7.pb.gz");
		for (size_t i = 0; i < p->sample_count; i++)
			p->values[i] = p->values[i] > 5 ? standing[k] : 0;
		p->time_nanos = (int64_t)(k + 1) * 1000000000;
		add_profile(tune, p);
		pf_profile_free(p);
	}
	run_tune(tune);
	return tune;
}

static void
who_stands_at_a_lock_in_each_look_is_told(void **state)
{
	static const struct {
		int64_t standing[3];
		size_t looks;
		const char *said;
	} told[] = {{{2, 2, 2}, 3, "In each of 3 looks 2 goroutines stood at locks"},
	    {{2, 4, 3}, 3,
		"In each of 3 looks 2 to 4 goroutines stood at locks, most of them in "
		"main.moveForward"},
	    {{2, 0, 2}, 3, NULL}, {{2, 2}, 2, NULL}};
	(void)state;

	for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
		struct pf_tune *tune = tune_of_looks(told[i].standing, told[i].looks);
		if (told[i].said)
			assert_true(is_unjudged(tune, told[i].said));
		else
			assert_false(is_unjudged(tune, "stood at locks"));
		pf_tune_free(tune);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_on_one_side_are_not_compared),
	    cmocka_unit_test(copies_show_no_growth),
	    cmocka_unit_test(what_has_no_name_does_not_call_itself),
	    cmocka_unit_test(calls_are_known_without_libcs_names),
	    cmocka_unit_test(one_arena_that_is_free_is_no_matter_of_arenas),
	    cmocka_unit_test(who_stands_at_a_lock_in_each_look_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
