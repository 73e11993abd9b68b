/* From measured pairs to findings, gates, codes and reports, on made-up pairs; and without memory. */
#include "support/unit.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <profuse/bench_history.h>

#include "bench/bench.h"
#include "bench/report.h"
#include "support/failing_malloc.h"

enum { MOST = 12, GATES = 3, VARIANTS = 2, TEXT = 1 << 20 };

static struct pf_round rounds[MOST + VARIANTS];
static struct pf_block blocks[MOST * VARIANTS];
static struct pf_result results[VARIANTS * PF_METRICS];
static double medians[VARIANTS * PF_METRICS];
static struct pf_gate gates[GATES];
static struct pf_judgement judgements[GATES * VARIANTS];
static char before_name[] = "before", after_name[] = "after", before[] = "./old `x`",
	    after[] = "./new";

/* A command's run whose after side takes `factor` of before's CPU time, with a little noise. */
static struct pf_bench
run_of(size_t count, double factor, const char *const *texts, size_t gate_count)
{
	struct pf_bench b = {.options = PF_BENCH_OPTIONS_INIT,
	    .variants = {{.name = before_name, .command = before},
		{.name = after_name, .command = after}},
	    .variant_count = VARIANTS,
	    .seed = 7,
	    .rounds = rounds,
	    .blocks = blocks,
	    .complete = count,
	    .primary = PF_METRIC_CPU,
	    .results = results,
	    .medians = medians,
	    .gates = gates,
	    .judgements = judgements,
	    .gate_count = gate_count,
	    .elapsed = 12,
	    .machine = {.kernel = "Linux", .cpu = "Fast", .cpus = 4}};

	b.options.pairs = count;
	b.measured[PF_METRIC_CPU] = b.measured[PF_METRIC_RSS_PEAK] = b.measured[PF_METRIC_WALL] =
	    true;
	for (size_t i = 0; i < count; i++) {
		double noise = 1 + 0.001 * (double)((i * 7) % 5);
		struct pf_block *side = &blocks[i * VARIANTS];

		rounds[i] = (struct pf_round){.order = {(uint8_t)(i % 2), (uint8_t)((i + 1) % 2)}};
		side[0] = side[1] = (struct pf_block){.pressure = 0.25};
		side[0].value[PF_METRIC_CPU] = 2;
		side[1].value[PF_METRIC_CPU] = 2 * factor * noise;
		for (size_t v = 0; v < VARIANTS; v++) {
			side[v].value[PF_METRIC_RSS_PEAK] =
			    1048576 * (1 + 0.01 * (double)((i + v) % 3));
			side[v].value[PF_METRIC_WALL] = 3 + (double)((i * 3 + v * 5) % 7);
		}
	}
	for (size_t i = 0; i < gate_count; i++)
		assert_int_equal(pf_gate_parse(&gates[i], texts[i], NULL), 0);
	return b;
}

static void
a_clear_change_is_found_and_noise_is_not(void **state)
{
	struct pf_bench b = run_of(10, 0.9, NULL, 0);
	struct pf_bench_metric m;
	struct pf_error err = {0};
	(void)state;

	assert_int_equal(pf_bench_decide(&b, &err), 0);
	assert_int_equal(pf_bench_finding(&b, 1, PF_METRIC_CPU), PF_FINDING_BETTER);
	assert_string_equal(pf_bench_word(&b, 1, PF_METRIC_CPU), "faster");
	assert_int_equal(pf_bench_finding(&b, 1, PF_METRIC_RSS_PEAK), PF_FINDING_NONE);
	assert_int_equal(pf_bench_verdict(&b, &err), 0);
	assert_true(pf_bench_metric(&b, 1, "cpu", &m));
	assert_true(m.comparison.change < -0.095 && m.comparison.change > -0.1 &&
		    fabs(m.before - 2) < 1e-12);
	assert_false(pf_bench_metric(&b, 1, "p99", &m));
	assert_false(pf_bench_metric(&b, 1, "nonsense", &m));
}

static void
a_failed_gate_beats_an_inconclusive_one(void **state)
{
	static const char *const texts[] = {"wall<=+1%", "cpu<=-5%", "cpu<=1.5s"};
	struct pf_bench b = run_of(10, 0.9, texts, 3);
	struct pf_error err = {0};
	(void)state;

	assert_int_equal(pf_bench_decide(&b, &err), 0);
	assert_int_equal(pf_bench_gate_result(&b, 0), PF_GATE_UNDECIDED);
	assert_int_equal(pf_bench_gate_result(&b, 1), PF_GATE_PASSED);
	assert_int_equal(pf_bench_gate_result(&b, 2), PF_GATE_FAILED);
	assert_true(judgements[5].low > 1.79 && judgements[5].high < 1.82);
	assert_int_equal(pf_bench_verdict(&b, &err), PF_ENO);
	assert_message_has(err, "cpu<=1.5s failed");
	b.gate_count = 2;
	assert_int_equal(pf_bench_verdict(&b, &err), PF_EINCONCLUSIVE);
	assert_message_has(err, "wall<=+1% is inconclusive");
	b.gates++;
	b.judgements += VARIANTS;
	b.gate_count = 1;
	assert_int_equal(pf_bench_verdict(&b, &err), 0);
}

static void
too_few_pairs_are_inconclusive_in_words(void **state)
{
	static const char *const texts[] = {"cpu<=+5%"};
	struct pf_bench b = run_of(5, 2, texts, 1);
	struct pf_error err = {0};
	(void)state;

	assert_int_equal(pf_bench_decide(&b, &err), 0);
	assert_int_equal(pf_bench_gate_result(&b, 0), PF_GATE_UNDECIDED);
	assert_int_equal(pf_bench_finding(&b, 1, PF_METRIC_CPU), PF_FINDING_UNDECIDED);
	assert_int_equal(pf_bench_verdict(&b, &err), PF_EINCONCLUSIVE);
	assert_message_has(err, "at least 6");
}

static void
a_zero_leaves_its_metric_undecided_not_the_whole_run(void **state)
{
	struct pf_bench b = run_of(10, 0.9, NULL, 0);
	struct pf_error err = {0};
	(void)state;

	blocks[7].value[PF_METRIC_WALL] = 0;
	assert_int_equal(pf_bench_decide(&b, &err), 0);
	assert_int_equal(pf_bench_finding(&b, 1, PF_METRIC_WALL), PF_FINDING_UNDECIDED);
	assert_int_equal(pf_bench_verdict(&b, &err), 0);
	blocks[7].value[PF_METRIC_CPU] = 0;
	assert_int_equal(pf_bench_decide(&b, &err), 0);
	assert_int_equal(pf_bench_verdict(&b, &err), PF_EINCONCLUSIVE);
	assert_message_has(err, "zero");
}

/* The report in this format, as text; the caller frees. */
static char *
written(const struct pf_bench *b, enum pf_bench_format format)
{
	char path[] = "/tmp/profuse-bench-test-XXXXXX", *text = calloc(1, TEXT);
	int fd = mkstemp(path);
	FILE *f;

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(pf_bench_write(b, format, path, NULL), 0);
	f = fopen(path, "re");
	assert_non_null(f);
	assert_true(fread(text, 1, TEXT - 1, f) > 0);
	fclose(f);
	unlink(path);
	return text;
}

static void
the_table_says_metric_before_after_change_interval_and_verdict(void **state)
{
	static const char *const texts[] = {"cpu<=-5%"};
	struct pf_bench b = run_of(10, 0.9, texts, 1);
	char *text, *markdown;
	(void)state;

	blocks[4].foreign = 0.5;
	blocks[4].seconds = 2;
	assert_int_equal(pf_bench_decide(&b, NULL), 0);
	text = written(&b, PF_BENCH_TEXT);
	assert_non_null(strstr(
	    text, "Metric          Before      After   Change      95 % interval  Verdict\n"));
	assert_non_null(strstr(
	    text, "CPU time       2.000 s    1.804 s  -9.82 %  -9.91 % … -9.73 %  faster\n"));
	assert_non_null(strstr(text, "no difference shown\n"));
	assert_non_null(strstr(text, "gate cpu<=-5%: passed (-9.91 % … -9.73 %)\n"));
	assert_non_null(strstr(text, "warning: Other processes used up to 50 %"));
	assert_non_null(strstr(text, "seed 7"));
	markdown = written(&b, PF_BENCH_MARKDOWN);
	assert_non_null(strstr(markdown, "**Before** `` ./old `x` ``"));
	assert_non_null(strstr(markdown, "|---|---:|---:|---:|---:|---|\n| CPU time    |"));
	free(text);
	free(markdown);
}

static void
json_holds_every_pair_and_survives_a_command_that_is_not_utf_8(void **state)
{
	static char latin[] = "./caf\xe9";
	struct pf_bench b = run_of(6, 0.9, NULL, 0);
	json_t *root, *variant, *cpu;
	char *text;
	(void)state;

	b.variants[1].command = latin;
	assert_int_equal(pf_bench_decide(&b, NULL), 0);
	text = written(&b, PF_BENCH_JSON);
	root = json_loads(text, 0, NULL);
	assert_non_null(root);
	assert_int_equal(strncmp(text, "{\n  \"schema\": \"profuse.bench.v1\",", 33), 0);
	assert_int_equal(json_array_size(json_object_get(root, "pairs")), 6);
	variant = json_array_get(json_object_get(root, "variants"), 1);
	assert_string_equal(json_string_value(json_object_get(variant, "command")), "./caf?");
	cpu = json_object_get(json_object_get(variant, "metrics"), "cpu");
	assert_string_equal(json_string_value(json_object_get(cpu, "verdict")), "better");
	assert_int_equal(json_array_size(json_object_get(cpu, "interval")), 2);
	assert_true(json_is_null(json_object_get(variant, "latency")));
	json_decref(root);
	free(text);
}

/* The N-th allocation fails: a clear error, or the whole report all the same; nothing left allocated. */
static void
every_failed_allocation_is_reported_and_leaks_nothing(void **state)
{
	static const char *const texts[] = {"cpu<=1.5s"};
	struct pf_buffer whole = {.maximum = 1 << 20};
	unsigned long n;
	(void)state;

	for (n = 0; n < 10000; n++) {
		struct pf_bench b = run_of(10, 0.9, texts, 1);
		struct pf_buffer out = {.maximum = 1 << 20};
		struct pf_error err = {0};
		int rc;

		failing_malloc_arm(n);
		rc = pf_bench_decide(&b, &err);
		if (!rc)
			rc = pf_bench_write(&b, PF_BENCH_TEXT, "/dev/null", &err);
		if (!rc)
			rc = pf_bench_json(&b, &out, &err);
		if (!rc)
			rc = pf_buffer_check(&out, &err);
		if (n == 0) {
			whole = out;
			continue;
		}
		if (!rc &&
		    (out.size != whole.size || memcmp(out.bytes, whole.bytes, out.size) != 0))
			fail_msg("allocation %lu failing gives half a report", n);
		if (rc && (rc != PF_ENOMEM || !strstr(err.message, "out of memory")))
			fail_msg("allocation %lu failing gives %d \"%s\"", n, rc, err.message);
		pf_buffer_release(&out);
		if (failing_malloc_live() != 0)
			fail_msg(
			    "allocation %lu failing leaks %ld blocks", n, failing_malloc_live());
		if (!failing_malloc_fired())
			break;
	}
	failing_malloc_arm(0);
	pf_buffer_release(&whole);
	assert_in_range(n, 100, 9999);
}

/* A temporary file's name, the file empty; the caller unlinks and frees. */
static char *
temporary(void)
{
	char *path = strdup("/tmp/profuse-bench-test-XXXXXX");
	int fd = path ? mkstemp(path) : -1;

	assert_true(fd >= 0);
	close(fd);
	return path;
}

/* Two reports and a history: read back, they say what was measured. */
static void
earlier_results_are_compared_and_kept(void **state)
{
	struct pf_bench b = run_of(10, 0.9, NULL, 0), *compared;
	struct pf_bench_compare_options o = {0};
	struct pf_bench_trend *trend;
	struct pf_bench_metric m;
	char *report = temporary(), *history = temporary(), *base = before_name;
	(void)state;

	assert_int_equal(pf_bench_decide(&b, NULL), 0);
	assert_int_equal(pf_bench_write(&b, PF_BENCH_JSON, report, NULL), 0);
	assert_int_equal(pf_bench_compare(&compared, report, report, &o, NULL), 0);
	assert_true(pf_bench_metric(compared, 1, "cpu", &m));
	assert_true(fabs(m.comparison.change) < 1e-12 && m.comparison.p > 0.99);
	assert_string_equal(pf_bench_variant_name(compared, 1), "new");
	assert_string_equal(pf_bench_metric_name(compared, 0), "cpu");
	pf_bench_free(compared);
	o.variant = base;
	assert_int_equal(pf_bench_compare(&compared, report, report, &o, NULL), 0);
	assert_true(pf_bench_metric(compared, 1, "cpu", &m) && fabs(m.before - 2) < 1e-9);
	pf_bench_free(compared);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pf_bench_append_history(&b, history, "x", NULL), 0);
	assert_int_equal(pf_bench_trend_read(&trend, history, NULL), 0);
	assert_int_equal(pf_bench_trend_write(trend, PF_BENCH_HTML, "/dev/null", NULL), 0);
	assert_int_equal(pf_bench_trend_write(trend, PF_BENCH_HGRM, "/dev/null", NULL), PF_EUSAGE);
	pf_bench_trend_free(trend);
	unlink(report);
	unlink(history);
	free(report);
	free(history);
}

/* What reading and writing earlier results gives when the N-th allocation fails. */
static int
use_earlier_results(
    const struct pf_bench *b, const char *report, const char *history, struct pf_error *err)
{
	struct pf_bench_compare_options o = {0};
	struct pf_bench_trend *trend = NULL;
	struct pf_bench *compared = NULL;
	int rc = pf_bench_compare(&compared, report, report, &o, err);

	if (!rc)
		rc = pf_bench_write(compared, PF_BENCH_HTML, "/dev/null", err);
	pf_bench_free(compared);
	if (!rc)
		rc = pf_bench_append_history(b, "/dev/null", "x", err);
	if (!rc)
		rc = pf_bench_trend_read(&trend, history, err);
	if (!rc)
		rc = pf_bench_trend_write(trend, PF_BENCH_HTML, "/dev/null", err);
	pf_bench_trend_free(trend);
	return rc;
}

static void
earlier_results_without_memory_leak_nothing(void **state)
{
	struct pf_bench b = run_of(6, 0.9, NULL, 0);
	char *report = temporary(), *history = temporary();
	unsigned long n;
	(void)state;

	assert_int_equal(pf_bench_decide(&b, NULL), 0);
	assert_int_equal(pf_bench_write(&b, PF_BENCH_JSON, report, NULL), 0);
	for (int i = 0; i < 9; i++)
		assert_int_equal(pf_bench_append_history(&b, history, "x", NULL), 0);
	for (n = 1; n < 20000; n++) {
		struct pf_error err = {0};
		int rc;

		failing_malloc_arm(n);
		rc = use_earlier_results(&b, report, history, &err);
		if (rc && rc != PF_ENOMEM && rc != PF_EINPUT)
			fail_msg("allocation %lu failing gives %d \"%s\"", n, rc, err.message);
		if (failing_malloc_live() != 0)
			fail_msg(
			    "allocation %lu failing leaks %ld blocks", n, failing_malloc_live());
		if (!failing_malloc_fired())
			break;
	}
	failing_malloc_arm(0);
	assert_in_range(n, 500, 19999);
	unlink(report);
	unlink(history);
	free(report);
	free(history);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_clear_change_is_found_and_noise_is_not),
	    cmocka_unit_test(a_failed_gate_beats_an_inconclusive_one),
	    cmocka_unit_test(too_few_pairs_are_inconclusive_in_words),
	    cmocka_unit_test(a_zero_leaves_its_metric_undecided_not_the_whole_run),
	    cmocka_unit_test(the_table_says_metric_before_after_change_interval_and_verdict),
	    cmocka_unit_test(json_holds_every_pair_and_survives_a_command_that_is_not_utf_8),
	    cmocka_unit_test(every_failed_allocation_is_reported_and_leaks_nothing),
	    cmocka_unit_test(earlier_results_are_compared_and_kept),
	    cmocka_unit_test(earlier_results_without_memory_leak_nothing),
	};

	/* Its memory counts too. */
	json_set_alloc_funcs(malloc, free);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
