/* What a report says besides its findings: names, what shares are of, and what it could not judge and why. */
#include "support/traced.h"

/* Shares of different things say of what, and a stack that stands for several what is its own. */
static void
shares_say_what_they_are_of(void **state)
{
	struct pf_findings f;
	struct pf_error err = {0};
	char text[PF_SHARE_ROOM];
	(void)state;

	assert_int_equal(pf_findings_init(&f, &err), 0);
	pf_findings_add(&f, "a", PF_SEVERITY_HIGH, PF_CONFIDENCE_HIGH, 0);
	pf_add_stack(&f, 5, 0.5, "bytes");
	assert_string_equal(pf_stack_share_text(text, &f, &f.findings[0], &f.stacks[0]), "50.0 %");
	pf_add_stack(&f, 5, 0.25, "share_of_cpu");
	pf_set_own_share(&f, 0.125);
	assert_string_equal(pf_stack_share_text(text, &f, &f.findings[0], &f.stacks[0]),
	    "50.0 % of bytes allocated");
	assert_string_equal(pf_stack_share_text(text, &f, &f.findings[0], &f.stacks[1]),
	    "25.0 % of CPU time, of which this stack 12.5 %");
	pf_findings_release(&f);
}

static void
names_in_comments_are_names(void **state)
{
	struct pf_tune *tune = new_tune();
	const struct pf_evidence_profile *ep;
	const struct pf_finding *finding;
	(void)state;

	add_heap_text(tune, "then", 20000, 1024, true);
	add_heap_text(tune, "now", 200000, 1024, false);
	run_tune(tune);
	finding = find_finding(tune, "leak");
	assert_non_null(finding);
	assert_non_null(strstr(pf_said(&tune->findings, finding->title), "main.remember"));
	ep = pf_evidence_last(&tune->evidence, PF_PROFILE_HEAP);
	assert_int_equal(ep->p->line_count, 4);
	assert_int_equal(ep->p->lines[1].line, 277);
	assert_string_equal(
	    pf_profile_string(ep->p, ep->p->functions[ep->p->lines[1].function].name),
	    "main.remember");
	assert_string_equal(
	    pf_profile_string(ep->p, ep->p->functions[ep->p->lines[2].function].name),
	    "main.(*T[go.shape.int]).serve");
	assert_string_equal(
	    pf_profile_string(ep->p, ep->p->functions[ep->p->lines[2].function].filename),
	    "/src/b:c.go");
	pf_tune_free(tune);
}

static void
what_is_cut_off_is_said(void **state)
{
	static const char whole[] =
	    "goroutine 1 [running]:\nmain.main()\n\t/src/main.go:12 +0x2f\n";
	static const char *const trace[] = {"90->95->50 MB, 100", NULL};
	struct pf_tune *tune = new_tune();
	char cut[sizeof whole];
	(void)state;

	add_text(tune, "dump", whole, false);
	run_tune(tune);
	assert_false(is_unjudged(tune, "goroutine dump"));
	pf_tune_free(tune);
	memcpy(cut, whole, sizeof whole);
	cut[sizeof whole - 5] = '\0';
	tune = new_tune();
	add_text(tune, "dump", cut, false);
	run_tune(tune);
	assert_true(is_unjudged(tune, "The goroutine dump ends within a line"));
	pf_tune_free(tune);
	tune = tune_of_trace(trace, 0, NULL);
	assert_true(is_unjudged(tune, "The gctrace has 1 cycle,"));
	pf_tune_free(tune);
	tune = new_tune();
	add_text(tune, "trace",
	    "gc 1 @0.200s 14%: 0.1+90+0.1 ms clock, 0.2+40/160/0+0.2 ms cpu, 9->9->5 MB, 10 MB "
	    "goal, 2 P\ngc 2 @0.400s 14%: 0.1+90",
	    false);
	run_tune(tune);
	assert_true(is_unjudged(tune, "1 of 2 lines of the gctrace"));
	pf_tune_free(tune);
}

/* One goroutine for each who subscribed is no leak for all that one moment shows. */
static void
subscribers_of_one_moment_are_unsure(void **state)
{
	struct pf_buffer text = {.maximum = 1 << 20};
	struct pf_error err = {0};
	(void)state;

	pf_buffer_printf(&text, "goroutine profile: total 3000\n3000 @ 0x48b2ae 0x7b1933\n"
				"#\t0x7b1932\tmain.(*sub).listen+0x72\t/src/main.go:15\n\n");
	for (int snapshots = 1; snapshots <= 5; snapshots += 4) {
		struct pf_tune *tune = new_tune();
		const struct pf_finding *finding;

		for (int i = 0; i < snapshots; i++)
			assert_int_equal(
			    pf_tune_add(tune, "goroutine", text.bytes, text.size, false, &err), 0);
		run_tune(tune);
		finding = find_finding(tune, "goroutine-leak");
		if (snapshots == 1) {
			assert_non_null(finding);
			assert_int_equal(finding->severity, PF_SEVERITY_LOW);
			assert_int_equal(finding->confidence, PF_CONFIDENCE_LOW);
			assert_int_equal(finding->caveat_count, 1);
		} else {
			assert_null(finding); /* they stay as many as they are */
		}
		pf_tune_free(tune);
	}
	pf_buffer_release(&text);
}

/* Nobody knows whether nothing waited, or nothing was recorded. */
static void
waiting_that_was_not_recorded_is_said(void **state)
{
	struct pf_tune *tune = new_tune();
	(void)state;

	add_text(tune, "goroutine", "goroutine profile: total 1\n1 @ 0x48b2ae 0x7b1933\n\n", false);
	add_text(tune, "mutex", "--- mutex:\ncycles/second=1000000\nsampling period=0\n", false);
	run_tune(tune);
	assert_int_equal(tune->unjudged.count > 1, 1);
	assert_true(is_unjudged(tune, "SetMutexProfileFraction"));
	pf_tune_free(tune);
}

/* What C code or a mapping holds is in no profile of Go's. */
static void
memory_outside_of_go_is_said(void **state)
{
	static const char status[] =
	    "Name:\tthumbs\nTgid:\t7\nVmRSS:\t  510000 kB\nRssAnon:\t  500000 kB\n"
	    "RssFile:\t   10000 kB\nThreads:\t8\n";
	static const struct {
		const char *sys;
		bool said;
	} cases[] = {{"1.7e7", true}, {"4.9e8", false}};
	(void)state;

	for (size_t i = 0; i < 2; i++) {
		struct pf_tune *tune = new_tune();
		char text[128];

		snprintf(text, sizeof text, "go_memstats_sys_bytes %s\n", cases[i].sys);
		add_text(tune, "metrics", text, false);
		add_text(tune, "status", status, false);
		run_tune(tune);
		assert_int_equal(is_unjudged(tune, "are not of Go's runtime"), cases[i].said);
		pf_tune_free(tune);
	}
}

/* Figures of a runtime are no profile, and a snapshot beside itself is no comparison. */
static void
what_could_not_be_compared_is_no_all_clear(void **state)
{
	static const char metrics[] = "process_resident_memory_bytes 3e8\n"
				      "go_memstats_sys_bytes 3e8\n";
	struct pf_tune *tune = new_tune();
	struct pf_error err = {0};
	(void)state;

	if (pf_tune_add(tune, "metrics", metrics, strlen(metrics), false, &err))
		fail_msg("%s", err.message);
	run_tune(tune);
	assert_true(is_unjudged(tune, "No profile was given"));
	pf_tune_free(tune);

	tune = new_tune();
	add_fixture(tune, "tune/leak/heap-1.pb.gz", true);
	add_fixture(tune, "tune/leak/heap-1.pb.gz", false);
	run_tune(tune);
	assert_true(is_unjudged(tune, "are the same snapshot"));
	pf_tune_free(tune);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(shares_say_what_they_are_of),
	    cmocka_unit_test(names_in_comments_are_names),
	    cmocka_unit_test(what_is_cut_off_is_said),
	    cmocka_unit_test(subscribers_of_one_moment_are_unsure),
	    cmocka_unit_test(waiting_that_was_not_recorded_is_said),
	    cmocka_unit_test(memory_outside_of_go_is_said),
	    cmocka_unit_test(what_could_not_be_compared_is_no_all_clear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
