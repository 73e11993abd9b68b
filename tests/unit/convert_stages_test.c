/* The smaller stages: matching binaries, sample types, halves, symbolized profiles, shares and the verdict. */
#include "support/unit.h"

#include <math.h>

#include "convert/enough.h"
#include "convert/halves.h"
#include "convert/line_samples.h"
#include "convert/match.h"
#include "convert/report.h"
#include "convert/sample_type.h"
#include "profile/stacks.h"

static uint32_t
text(struct pf_stacks *s, const char *string)
{
	uint32_t id;

	assert_int_equal(pf_strings_add(&s->strings, string, strlen(string), &id, NULL), 0);
	return id;
}

static void
matches_go_by_build_id_before_file_name(void **state)
{
	struct pf_stacks s;
	struct pf_stack_binary binaries[5];
	enum pf_match *m;
	(void)state;

	assert_int_equal(pf_stacks_init(&s, NULL), 0);
	binaries[0] = (struct pf_stack_binary){text(&s, "/opt/renamed"), text(&s, "aa11"), 0};
	binaries[1] = (struct pf_stack_binary){text(&s, "/usr/bin/service"), text(&s, "bb22"), 0};
	binaries[2] = (struct pf_stack_binary){text(&s, "/usr/bin/service (deleted)"), 0, 0};
	binaries[3] = (struct pf_stack_binary){text(&s, "/lib/libc.so.6"), text(&s, "cc33"), 0};
	binaries[4] = (struct pf_stack_binary){text(&s, "/usr/bin/service2"), 0, 0};
	s.binaries = binaries;
	s.binary_count = 5;
	assert_int_equal(pf_match_binaries(&m, &s, "build/service", "aa11", false, NULL), 0);
	assert_int_equal(m[0], PF_MATCH_BUILD_ID);
	assert_int_equal(m[1], PF_MATCH_OTHER_BUILD);
	assert_int_equal(m[2], PF_MATCH_NAME);
	assert_int_equal(m[3], PF_MATCH_NO);
	assert_int_equal(m[4], PF_MATCH_NO);
	free(m);
	assert_int_equal(pf_match_binaries(&m, &s, "build/service", "aa11", true, NULL), 0);
	assert_int_equal(m[1], PF_MATCH_FORCED);
	free(m);
	s.binaries = NULL;
	s.binary_count = 0;
	pf_stacks_release(&s);
}

/* Stacks with the given types and one node of values below the root. */
static void
set_types(struct pf_stacks *s, const char *const *names, const int64_t *values, size_t n)
{
	assert_int_equal(pf_stacks_init(s, NULL), 0);
	s->types = calloc(n, sizeof *s->types);
	s->values = calloc(2 * n, sizeof *s->values);
	for (size_t i = 0; i < n; i++) {
		s->types[i].type = text(s, names[i]);
		s->types[i].unit = text(s, strcmp(names[i], "cpu") == 0 ? "nanoseconds" : "count");
		s->values[n + i] = values[i];
	}
	s->type_count = n;
	s->node_count = 2;
}

static void
retired_instructions_are_preferred_and_weighed_by_samples(void **state)
{
	static const char *const names[] = {"samples", "cpu", "instructions"};
	static const int64_t values[] = {4, 40, 4000};
	struct pf_period period = {0};
	struct pf_sample_type choice;
	struct pf_error err = {0};
	struct pf_stacks s;
	(void)state;

	set_types(&s, names, values, 3);
	assert_int_equal(pf_sample_type_choose(&choice, &s, NULL, &period, NULL), 0);
	assert_true(choice.type == 2 && choice.unit == 1000 && !choice.time);
	assert_int_equal(pf_sample_type_choose(&choice, &s, "samples", &period, NULL), 0);
	assert_true(choice.type == 0 && choice.unit == 1 && choice.time);
	assert_int_equal(pf_sample_type_choose(&choice, &s, "wall", &period, &err), PF_EUSAGE);
	assert_message_has(err, "samples, cpu, instructions");
	pf_stacks_release(&s);
}

static void
cpu_time_alone_is_weighed_by_its_period(void **state)
{
	static const char *const names[] = {"cpu"};
	static const int64_t values[] = {70000000};
	struct pf_period period = {.type = "cpu", .unit = "nanoseconds", .least = 10000000};
	struct pf_sample_type choice;
	struct pf_stacks s;
	(void)state;

	set_types(&s, names, values, 1);
	assert_int_equal(pf_sample_type_choose(&choice, &s, NULL, &period, NULL), 0);
	assert_true(choice.unit == 10000000);
	pf_stacks_release(&s);
}

static void
a_heap_profile_is_refused(void **state)
{
	static const char *const names[] = {"alloc_objects", "alloc_space"};
	static const int64_t values[] = {1, 1};
	struct pf_period period = {0};
	struct pf_sample_type choice;
	struct pf_error err = {0};
	struct pf_stacks s;
	(void)state;

	set_types(&s, names, values, 2);
	assert_int_equal(pf_sample_type_choose(&choice, &s, NULL, &period, &err), PF_EINPUT);
	assert_message_has(err, "alloc_objects, alloc_space");
	pf_stacks_release(&s);
}

static void
halves_of_many_samples_agree_and_of_few_do_not(void **state)
{
	uint64_t many[100], few[100];
	double a, b;
	(void)state;

	for (size_t i = 0; i < 100; i++) {
		many[i] = 10000;
		few[i] = 1;
	}
	a = pf_halves_overlap(many, 100, 1);
	b = pf_halves_overlap(few, 100, 1);
	assert_true(a > 0.98 && a <= 1);
	assert_true(b == 0); /* a single sample is in one half only */
	assert_true(pf_halves_overlap(many, 100, 1) == a);
	assert_true(pf_halves_overlap(many, 100, 2) != a);
	assert_true(pf_halves_overlap(many, 0, 1) == 0);
}

/* main (start 10) at 12 → work (start 50, inlined helper start 3) ; values at the leaves. */
static void
set_lines(struct pf_stacks *s)
{
	static const char *const names[] = {"samples"};
	static const int64_t none[] = {0};

	set_types(s, names, none, 1);
	s->frames = calloc(5, sizeof *s->frames);
	s->frame_count = 5;
	s->frames[0] = (struct pf_stack_frame){.kind = PF_FRAME_LINE,
	    .binary = PF_NONE,
	    .function = text(s, "main"),
	    .start_line = 10,
	    .line = 12};
	s->frames[1] = (struct pf_stack_frame){.kind = PF_FRAME_LINE,
	    .binary = PF_NONE,
	    .function = text(s, "work"),
	    .start_line = 50,
	    .line = 55};
	s->frames[2] = (struct pf_stack_frame){.kind = PF_FRAME_LINE,
	    .binary = PF_NONE,
	    .function = text(s, "helper"),
	    .start_line = 3,
	    .line = 4,
	    .inlined = true};
	s->frames[3] = (struct pf_stack_frame){.kind = PF_FRAME_LINE,
	    .binary = PF_NONE,
	    .function = text(s, "unknown_start"),
	    .line = 4};
	s->frames[4] =
	    (struct pf_stack_frame){.kind = PF_FRAME_UNKNOWN, .binary = PF_NONE, .address = 1};
	free(s->nodes);
	s->nodes = calloc(6, sizeof *s->nodes);
	s->nodes[0] = (struct pf_stack_node){PF_NONE, PF_NONE};
	s->nodes[1] = (struct pf_stack_node){0, 0};
	s->nodes[2] = (struct pf_stack_node){1, 1};
	s->nodes[3] = (struct pf_stack_node){2, 2};
	s->nodes[4] = (struct pf_stack_node){1, 3};
	s->nodes[5] = (struct pf_stack_node){1, 4};
	s->node_count = 6;
	free(s->values);
	s->values = calloc(6, sizeof *s->values);
	s->values[1] = 2;
	s->values[3] = 7;
	s->values[4] = 5;
	s->values[5] = 1;
}

static void
symbolized_stacks_become_nested_profiles(void **state)
{
	struct pf_stacks s;
	struct pf_functions f;
	struct pf_line_samples l;
	const struct pf_function_node *work;
	(void)state;

	set_lines(&s);
	assert_int_equal(pf_functions_init(&f, NULL), 0);
	assert_int_equal(pf_line_samples_convert(&f, &l, &s, 0, 1, NULL), 0);
	assert_int_equal(l.used, 9);
	assert_int_equal(l.no_start_line, 5);
	assert_int_equal(l.no_lines, 1);
	assert_int_equal(f.root_count, 2);
	work = &f.nodes[f.children[0]];
	assert_string_equal(pf_strings_get(&f.names, work->name), "work");
	assert_int_equal(work->total, 7);
	assert_int_equal(work->body_count, 0); /* all of it in the inlined helper */
	assert_int_equal(work->child_count, 1);
	assert_int_equal(work->head, 7); /* the first place's count, for want of a better */
	assert_int_equal(f.nodes[f.children[work->first_child]].site.offset, 5);
	assert_int_equal(f.targets[0].count, 1); /* main's 2, shared with 7 : 5 */
	pf_functions_release(&f);
	pf_line_samples_release(&l);
	pf_stacks_release(&s);
}

static void
the_verdict_names_what_is_missing(void **state)
{
	struct pf_convert_options o = PF_CONVERT_OPTIONS_INIT;
	struct pf_report r = {.in_binary = 2000, .used = 1500, .last_nanos = 1000000000};
	struct pf_share shares[] = {{500, false}, {1500, true}};
	(void)state;

	o.now_nanos = r.last_nanos + (int64_t)86400 * 1000000000;
	pf_report_shares(&r, shares, 2);
	assert_true(
	    r.functions == 2 && r.hot_functions == 2 && r.hot_covered == 1 && r.line_share == 75);
	pf_report_judge(&r, &o, 0.9);
	assert_false(r.ready);
	assert_int_equal(r.checks[0].state, PF_CHECK_PASS);
	assert_int_equal(r.checks[1].state, PF_CHECK_FAIL);
	assert_int_equal(r.checks[2].state, PF_CHECK_PASS);
	assert_int_equal(r.checks[3].state, PF_CHECK_PASS);
	o.least_line_share = 70;
	pf_report_judge(&r, &o, 0.9);
	assert_true(r.ready);
	r.last_nanos = 0; /* an unknown age warns, no more */
	pf_report_judge(&r, &o, 0.9);
	assert_true(r.ready);
	assert_int_equal(r.checks[3].state, PF_CHECK_UNKNOWN);
	pf_report_release(&r);
}

/* So many samples, drawn among functions of which the k-th has a share of 1 / k: the overlap of their halves, a mean of some. */
static double
drawn_overlap(size_t samples)
{
	enum { FUNCTIONS = 60, DRAWS = 40 };
	double total = 0, sum = 0;
	uint64_t state = 1;

	for (size_t k = 1; k <= FUNCTIONS; k++)
		total += 1.0 / (double)k;
	for (uint64_t seed = 0; seed < DRAWS; seed++) {
		uint64_t counts[FUNCTIONS] = {0};
		for (size_t i = 0; i < samples; i++) {
			size_t k = 0;
			double at;
			state = state * 6364136223846793005 + 1442695040888963407;
			at = (double)(state >> 11) / 9007199254740992.0 * total;
			while (k + 1 < FUNCTIONS && (at -= 1.0 / (double)(k + 1)) > 0)
				k++;
			counts[k]++;
		}
		sum += pf_halves_overlap(counts, FUNCTIONS, seed);
	}
	return sum / DRAWS;
}

/* What is promised is kept: after so much more profiling the halves agree as well as was asked. */
static void
more_profiling_brings_the_overlap_that_was_asked(void **state)
{
	static const size_t firsts[] = {300, 1000, 4000};
	(void)state;

	for (size_t i = 0; i < sizeof firsts / sizeof *firsts; i++) {
		struct pf_convert_options o = PF_CONVERT_OPTIONS_INIT;
		double overlap = drawn_overlap(firsts[i]), wanted = 1 - (1 - overlap) / 3, got;
		struct pf_report r = {.in_binary = 1,
		    .used = (double)firsts[i],
		    .line_share = 100,
		    .useful_nanos = 60000000000,
		    .last_nanos = 1};
		o.least_samples = 1;
		o.least_overlap = 100 * wanted;
		pf_report_judge(&r, &o, overlap);
		got = drawn_overlap((size_t)((double)firsts[i] * (1 + pf_more_seconds(&r) / 60)));
		assert_true(fabs(got - wanted) < .03 * (1 - overlap) + .002);
		pf_report_release(&r);
	}
}

static void
too_few_samples_say_for_how_long_more_are_needed(void **state)
{
	struct pf_convert_options o = PF_CONVERT_OPTIONS_INIT;
	struct pf_report r = {.in_binary = 250,
	    .used = 250,
	    .line_share = 100,
	    .last_nanos = 1000000000,
	    .useful_nanos = 60000000000};
	(void)state;

	o.now_nanos = r.last_nanos;
	pf_report_judge(&r, &o, 0.7);
	assert_true(pf_more_seconds(&r) == 180); /* 1000 are asked for: four times as many */
	pf_note_more(&r);
	assert_int_equal(r.note_count, 1);
	assert_non_null(strstr(r.notes[0], "about 3 more minutes of profiling"));
	assert_non_null(strstr(r.notes[0], "250 samples in 60 s so far"));
	pf_report_judge(&r, &o, 0.2); /* half of what is missing: four times as many, too */
	assert_true(fabs(pf_more_seconds(&r) - 180) < 1e-9);
	pf_report_judge(&r, &o, 0);
	assert_true(pf_more_seconds(&r) < 0);
	pf_report_judge(&r, &o, 0.7);
	r.useful_nanos = 0;
	assert_true(pf_more_seconds(&r) < 0);
	pf_note_more(&r);
	assert_int_equal(r.note_count, 1);
	r.useful_nanos = 1;
	r.used = 5000;
	r.last_nanos = 1; /* old: no matter of how many */
	o.now_nanos = INT64_MAX;
	pf_report_judge(&r, &o, 0.7);
	assert_false(r.ready);
	assert_true(pf_more_seconds(&r) == 0);
	pf_report_release(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(matches_go_by_build_id_before_file_name),
	    cmocka_unit_test(retired_instructions_are_preferred_and_weighed_by_samples),
	    cmocka_unit_test(cpu_time_alone_is_weighed_by_its_period),
	    cmocka_unit_test(a_heap_profile_is_refused),
	    cmocka_unit_test(halves_of_many_samples_agree_and_of_few_do_not),
	    cmocka_unit_test(symbolized_stacks_become_nested_profiles),
	    cmocka_unit_test(the_verdict_names_what_is_missing),
	    cmocka_unit_test(more_profiling_brings_the_overlap_that_was_asked),
	    cmocka_unit_test(too_few_samples_say_for_how_long_more_are_needed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
