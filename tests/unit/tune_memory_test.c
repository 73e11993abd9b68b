/* Memory that holds nothing: statistics of real programs under real allocators, and what was measured after a release. */
#include <math.h>

#include <profuse/tune.h>

#include "stats/trend.h"
#include "support/built_profile.h"

#define MIB 1048576LL

static struct pf_tune *
judge(const char *stats, const char *smaps)
{
	struct pf_tune *tune;
	struct pf_error err = {0};
	const char *const names[] = {stats, smaps};

	assert_int_equal(pf_tune_new(&tune, NULL, &err), 0);
	for (size_t i = 0; i < 2; i++) {
		char path[128];
		struct pf_buffer bytes;
		if (!names[i])
			continue;
		snprintf(path, sizeof path, "runtime/%s", names[i]);
		bytes = read_fixture(path);
		if (pf_tune_add(tune, names[i], bytes.bytes, bytes.size, false, &err))
			fail_msg("%s", err.message);
		pf_buffer_release(&bytes);
	}
	assert_int_equal(pf_tune_run(tune, &err), 0);
	return tune;
}

/* What the finding predicts for the idle resident set. */
static const struct pf_prediction *
idle(const struct pf_tune *tune, const struct pf_finding *finding)
{
	const struct pf_findings *f = &tune->findings;

	for (size_t i = 0; i < finding->prediction_count; i++) {
		const struct pf_prediction *p = &f->predictions[finding->first_prediction + i];
		if (strcmp(pf_said(f, p->metric), "rss_idle") == 0)
			return p;
	}
	fail_msg("no prediction");
	return NULL;
}

/* Each fixture's program then released what it could; the last column is what the kernel said after that. */
static void
what_a_release_leaves_is_predicted_within_a_tenth(void **state)
{
	static const struct {
		const char *stats, *smaps;
		double measured; /* KiB */
	} cases[] = {
	    {"glibc.malloc_info.xml", "glibc.smaps_rollup", 11948},
	    {"glibc-phases.malloc_info.xml", "glibc-phases.smaps_rollup", 140916},
	    {"tcmalloc.txt", "tcmalloc.smaps_rollup", 31192},
	    {"redis.jemalloc.txt", "redis.smaps_rollup", 47116},
	    {"jemalloc-cross.json", "jemalloc-cross.smaps_rollup", 19240},
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_tune *tune = judge(cases[i].stats, cases[i].smaps);
		const struct pf_finding *finding = find_finding(tune, "unreturned-memory");
		const struct pf_prediction *p;

		assert_non_null(finding);
		p = idle(tune, finding);
		assert_near(p->after / 1024, cases[i].measured, 0.1 * cases[i].measured);
		assert_true(
		    p->low <= cases[i].measured * 1024 && cases[i].measured * 1024 <= p->high);
		assert_true(finding->advice_count > 0);
		pf_tune_free(tune);
	}
}

/* Redis had 325 MiB of free pages by jemalloc's count; 12 of these had never been written. */
static void
pages_that_were_never_written_are_not_promised(void **state)
{
	struct pf_tune *tune = judge("redis.jemalloc.txt", "redis.smaps_rollup"), *alone;
	const struct pf_finding *finding = find_finding(tune, "unreturned-memory");
	double with = idle(tune, finding)->after;
	(void)state;

	assert_near(with / 1024, 47116, 0.03 * 47116);
	/* Redis has jemalloc's background thread, which returns it soon. */
	assert_int_equal(finding->severity, PF_SEVERITY_LOW);
	assert_int_equal(finding->confidence, PF_CONFIDENCE_MEDIUM);
	pf_tune_free(tune);
	alone = judge("redis.jemalloc.txt", NULL); /* nothing to compare with: jemalloc's word */
	finding = find_finding(alone, "unreturned-memory");
	assert_true(finding->confidence < PF_CONFIDENCE_HIGH);
	assert_true(idle(alone, finding)->after < with);
	pf_tune_free(alone);
}

static void
jemallocs_dirty_pages_are_found_with_a_setting_for_its_version(void **state)
{
	struct pf_tune *tune = judge("jemalloc.json", "jemalloc.smaps_rollup");
	const struct pf_finding *finding = find_finding(tune, "unreturned-memory");
	const struct pf_findings *f = &tune->findings;
	(void)state;

	assert_non_null(finding);
	assert_non_null(strstr(pf_said(f, f->advices[finding->first_advice].setting),
	    "background_thread:true,dirty_decay_ms:1000"));
	assert_int_equal(find_finding(tune, "fragmentation") != NULL, 0);
	pf_tune_free(tune);
}

static void
memory_between_live_objects_is_no_free_memory(void **state)
{
	struct pf_tune *tune =
	    judge("jemalloc-fragmented.json", "jemalloc-fragmented.smaps_rollup");
	const struct pf_finding *finding = find_finding(tune, "fragmentation");
	(void)state;

	assert_non_null(finding);
	assert_null(find_finding(tune, "unreturned-memory"));
	for (size_t i = 0; i < finding->prediction_count; i++)
		assert_true(tune->findings.predictions[finding->first_prediction + i].measure);
	pf_tune_free(tune);
}

static void
a_well_filled_heap_gives_no_finding(void **state)
{
	static const char *const cases[][2] = {
	    {"glibc-healthy.malloc_info.xml", "glibc-healthy.smaps_rollup"},
	    {"jemalloc-healthy.json", "jemalloc-healthy.smaps_rollup"},
	    {"mimalloc.txt", NULL}, /* it does not say what is free */
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_tune *tune = judge(cases[i][0], cases[i][1]);
		if (pf_tune_finding_count(tune))
			fail_msg("%s: %s", cases[i][0], pf_tune_finding_title(tune, 0));
		pf_tune_free(tune);
	}
}

/* What glibc has in use, free, and in blocks of their own, in MiB, and of it all what the kernel has. */
struct taken {
	int in_use, free, mmapped, anonymous;
};

static struct pf_tune *
taken_of(struct taken t)
{
	struct pf_tune *tune = new_tune();
	char text[1024];

	snprintf(text, sizeof text,
	    "<malloc version=\"1\">\n<heap nr=\"0\">\n<sizes>\n"
	    "<size from=\"1048576\" to=\"1048576\" total=\"%lld\" count=\"%d\"/>\n</sizes>\n"
	    "<total type=\"fast\" count=\"0\" size=\"0\"/>\n"
	    "<total type=\"rest\" count=\"%d\" size=\"%lld\"/>\n"
	    "<system type=\"current\" size=\"%lld\"/>\n<system type=\"max\" size=\"%lld\"/>\n"
	    "<aspace type=\"total\" size=\"%lld\"/>\n<aspace type=\"mprotect\" size=\"%lld\"/>\n"
	    "</heap>\n<total type=\"fast\" count=\"0\" size=\"0\"/>\n"
	    "<total type=\"rest\" count=\"%d\" size=\"%lld\"/>\n"
	    "<total type=\"mmap\" count=\"10\" size=\"%lld\"/>\n"
	    "<system type=\"current\" size=\"%lld\"/>\n<system type=\"max\" size=\"%lld\"/>\n"
	    "<aspace type=\"total\" size=\"%lld\"/>\n<aspace type=\"mprotect\" size=\"%lld\"/>\n"
	    "</malloc>\n",
	    t.free * MIB, t.free, t.free, t.free * MIB, (t.in_use + t.free) * MIB,
	    (t.in_use + t.free) * MIB, (t.in_use + t.free) * MIB, (t.in_use + t.free) * MIB, t.free,
	    t.free * MIB, t.mmapped * MIB, (t.in_use + t.free) * MIB, (t.in_use + t.free) * MIB,
	    (t.in_use + t.free) * MIB, (t.in_use + t.free) * MIB);
	add_text(tune, "malloc_info", text, false);
	snprintf(text, sizeof text,
	    "Name:\tservice\nTgid:\t1\nVmRSS:\t%d kB\nRssAnon:\t%d kB\nVmSwap:\t0 kB\n",
	    (t.anonymous + 4) * 1024, t.anonymous * 1024);
	if (t.anonymous)
		add_text(tune, "status", text, false);
	return tune;
}

static struct pf_tune *
judge_taken(struct taken t)
{
	struct pf_tune *tune = taken_of(t);

	run_tune(tune);
	return tune;
}

/* malloc_trim() leaves glibc's figures as they are: the kernel's say what is back already. */
static void
what_was_given_back_is_not_promised_again(void **state)
{
	static const struct {
		struct taken taken;
		int found; /* MiB, likely; 0: no finding */
		enum pf_confidence most;
	} cases[] = {
	    {{20, 230, 0, 252}, 229, PF_CONFIDENCE_HIGH},
	    {{20, 230, 0, 21}, 0, PF_CONFIDENCE_HIGH},
	    /* A part of it, and more meanwhile. */
	    {{20, 230, 0, 150}, 129, PF_CONFIDENCE_HIGH},
	    /* Great blocks that are hardly used may be what is not there. */
	    {{20, 230, 230, 250}, 114, PF_UNSURE},
	    /* Without the kernel's word nobody knows. */
	    {{20, 230, 0, 0}, 229, PF_CONFIDENCE_LOW},
	    /* So may blocks of the heap. */
	    {{200, 150, 0, 165}, 0, PF_CONFIDENCE_HIGH},
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_tune *tune = judge_taken(cases[i].taken);
		const struct pf_finding *finding = find_finding(tune, "unreturned-memory");

		assert_int_equal(is_unjudged(tune, "may be free memory that glibc keeps"),
		    !cases[i].found && cases[i].taken.in_use == 200);
		if (!cases[i].found) {
			assert_null(finding);
			pf_tune_free(tune);
			continue;
		}
		assert_non_null(finding);
		assert_near(finding->bytes_saved / (double)MIB, cases[i].found, 2);
		assert_int_equal(finding->confidence, cases[i].most);
		assert_int_equal(
		    strstr(pf_said(&tune->findings, finding->title), "resident") != NULL,
		    cases[i].taken.anonymous != 0);
		assert_int_equal(idle(tune, finding)->measure, cases[i].taken.anonymous == 0);
		pf_tune_free(tune);
	}
}

static void
add_held(struct pf_tune *tune, int64_t mib, double seconds)
{
	const struct test_row rows[] = {{"hold", {mib * 1024, mib * MIB}}, {NULL, {0}}};
	struct pf_profile *p = built_profile(&test_heap, rows);

	p->time_nanos = (int64_t)((1e9 + seconds) * 1e9);
	add_built(tune, p, "heap", false);
}

/* What is free now and was in use a moment ago is needed again: of 230 MiB, 150; of a steady process, nothing. */
static void
what_load_needs_again_is_not_free(void **state)
{
	static const struct {
		int64_t held[4];
		int found;
	} cases[] = {{{20, 170, 90, 20}, 79}, {{20, 21, 19, 20}, 229}, {{20, 238, 90, 20}, 0}};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_tune *tune = taken_of((struct taken){20, 230, 0, 252});
		const struct pf_finding *finding;

		for (size_t k = 0; k < 4; k++)
			add_held(tune, cases[i].held[k], 10 * (double)k);
		run_tune(tune);
		finding = find_finding(tune, "unreturned-memory");
		assert_int_equal(finding != NULL, cases[i].found > 0);
		if (finding)
			assert_near(finding->bytes_saved / (double)MIB, cases[i].found, 2);
		pf_tune_free(tune);
	}
}

static void
statistics_that_count_no_more_are_named(void **state)
{
	struct pf_tune *tune = taken_of((struct taken){20, 230, 0, 252});
	(void)state;

	add_fixture(tune, "runtime/glibc-healthy.malloc_info.xml", false);
	run_tune(tune);
	assert_true(is_unjudged(tune, "Of 2 statistics of an allocator the one that was given last "
				      "(glibc-healthy.malloc_info.xml) was judged"));
	pf_tune_free(tune);
}

/* Three series that rise beyond chance: one that goes on, one that is a single step, one that wanders. */
static void
a_rise_is_told_from_a_step_and_from_wandering(void **state)
{
	static const double x[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
	static const double on[] = {10, 13, 14, 16, 19, 21, 22, 26, 27, 30, 31, 34};
	static const double step[] = {
	    10, 10.3, 9.8, 10.1, 9.9, 10.2, 30.1, 29.8, 30.4, 29.9, 30.2, 30};
	static const double wanders[] = {10, 14, 19, 12, 9, 15, 22, 18, 13, 24, 21, 20};
	struct pf_trend t;
	struct pf_error err = {0};
	(void)state;

	assert_int_equal(pf_trend(x, on, 12, &t, &err), 0);
	assert_true(t.p_rising < 0.05 && pf_trend_goes_on(&t, x, 12));
	assert_int_equal(pf_trend(x, step, 12, &t, &err), 0);
	assert_true(t.p_rising < 0.05 && t.steps_p > 0.1 && !pf_trend_goes_on(&t, x, 12));
	assert_int_equal(pf_trend(x, wanders, 12, &t, &err), 0);
	assert_true(t.p_rising < 0.05 && !pf_trend_goes_on(&t, x, 12));
}

/* Short series by counting orders: of 4 values one order has no inversion and three have one. */
static void
a_trend_is_tested_exactly(void **state)
{
	static const double x[] = {1, 2, 3, 4, 5, 6, 7, 8}, up[] = {1, 3, 2, 5, 4, 6, 8, 9};
	static const double flat[] = {2, 2, 2, 2, 2, 2, 2, 2};
	struct pf_trend t;
	struct pf_error err = {0};
	(void)state;

	assert_int_equal(pf_trend(x, up, 4, &t, &err), 0);
	assert_true(t.s == 4);
	assert_near(t.p_rising, 4.0 / 24, 1e-12); /* no inversion in 1 order of 24, one in 3 */
	assert_int_equal(pf_trend(x, up, 8, &t, &err), 0);
	assert_true(t.s == 24);
	/* At most two inversions among 8!: 1 + 7 + 27 orders. */
	assert_near(t.p_rising, 35.0 / 40320, 1e-12);
	assert_near(t.slope, 1, 0.2);
	assert_true(t.low <= t.slope && t.slope <= t.high && t.low > 0);
	assert_int_equal(pf_trend(x, flat, 8, &t, &err), 0);
	assert_true(t.slope == 0 && t.p_rising == 1);
	assert_int_equal(pf_trend(x, up, 2, &t, &err), PF_EUSAGE);
	assert_int_equal(pf_trend(up, x, 8, &t, &err), PF_EINPUT);
}

/* What the kernel counts beyond all that the allocator ever asked for is mapped by somebody else. */
static void
memory_that_is_not_the_allocators_is_told(void **state)
{
	static const struct {
		long kib;
		const char *said;
	} cases[] = {{20724 + 300 * 1024, "300 MiB of the 320 MiB that are resident"},
	    {20724 + 20 * 1024, NULL}, /* less than is worth a word */
	    {21796, NULL}};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_tune *tune = new_tune();
		struct pf_error err = {0};
		char smaps[200];
		bool said = false;
		int size =
		    snprintf(smaps, sizeof smaps, "Rss: %ld kB\nPss: %ld kB\nAnonymous: %ld kB\n",
			cases[i].kib + 1024, cases[i].kib, cases[i].kib);

		add_fixture(tune, "runtime/glibc-healthy.malloc_info.xml", false);
		assert_int_equal(pf_tune_add(tune, "smaps", smaps, (size_t)size, false, &err), 0);
		run_tune(tune);
		for (uint32_t k = 1; k < tune->unjudged.count; k++) {
			const char *one = pf_strings_get(&tune->unjudged, k);

			said |= strstr(one, "are not glibc's") != NULL;
			if (strstr(one, "are not glibc's") && cases[i].said)
				assert_non_null(strstr(one, cases[i].said));
		}
		assert_int_equal(said, cases[i].said != NULL);
		pf_tune_free(tune);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_a_release_leaves_is_predicted_within_a_tenth),
	    cmocka_unit_test(pages_that_were_never_written_are_not_promised),
	    cmocka_unit_test(jemallocs_dirty_pages_are_found_with_a_setting_for_its_version),
	    cmocka_unit_test(memory_between_live_objects_is_no_free_memory),
	    cmocka_unit_test(a_well_filled_heap_gives_no_finding),
	    cmocka_unit_test(memory_that_is_not_the_allocators_is_told),
	    cmocka_unit_test(what_was_given_back_is_not_promised_again),
	    cmocka_unit_test(what_load_needs_again_is_not_free),
	    cmocka_unit_test(statistics_that_count_no_more_are_named),
	    cmocka_unit_test(a_trend_is_tested_exactly),
	    cmocka_unit_test(a_rise_is_told_from_a_step_and_from_wandering),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
