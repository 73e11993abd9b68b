/* Scrapes of metrics: real ones of client_golang, and what a hostile or broken service may send. */
#include <math.h>

#include "runtime/exposition.h"
#include "support/read_fixture.h"

static int
parse(struct pf_exposition *e, const char *text, struct pf_error *err)
{
	return pf_exposition_parse(e, "scrape", text, strlen(text), err);
}

static void
parse_fixture(struct pf_exposition *e, const char *name)
{
	struct pf_buffer bytes = read_fixture(name);
	struct pf_error err = {0};

	assert_true(pf_exposition_recognise(bytes.bytes, bytes.size));
	if (pf_exposition_parse(e, name, bytes.bytes, bytes.size, &err))
		fail_msg("%s", err.message);
	pf_buffer_release(&bytes);
}

static void
a_sample_has_labels_a_value_and_perhaps_a_time(void **state)
{
	static const char text[] = "# HELP a b\n# TYPE a counter\n"
				   "a{x=\"1\",y=\"q\\\"\\\\\\n\",} 12.5 1700000000123\n"
				   "b 1e3 # {trace=\"z\"} 4\n"
				   "c{} -Inf\n  d NaN\r\n\n";
	const char *const first[] = {"x", "1", NULL}, *const other[] = {"x", "2", NULL};
	const struct pf_exposition_sample *s;
	struct pf_exposition e;
	struct pf_error err = {0};
	(void)state;

	assert_int_equal(parse(&e, text, &err), 0);
	assert_int_equal(e.sample_count, 4);
	s = pf_exposition_find(&e, "a", first, NULL);
	assert_non_null(s);
	assert_true(s->value == 12.5);
	assert_true(s->has_time && s->time_millis == 1700000000123);
	assert_string_equal(pf_exposition_label(&e, s, "y"), "q\"\\\n");
	assert_string_equal(pf_exposition_label(&e, s, "z"), "");
	assert_null(pf_exposition_find(&e, "a", other, NULL));
	assert_null(pf_exposition_find(&e, "a", NULL, s));
	assert_true(pf_exposition_sum(&e, "b", NULL) == 1000);
	assert_true(isinf(pf_exposition_sum(&e, "c", NULL)));
	assert_true(isnan(pf_exposition_sum(&e, "d", NULL)));
	assert_true(isnan(pf_exposition_sum(&e, "absent", NULL)));
	assert_int_equal(pf_exposition_kind(&e, "a"), PF_EXPOSITION_COUNTER);
	assert_int_equal(pf_exposition_kind(&e, "b"), PF_EXPOSITION_UNTYPED);
	pf_exposition_release(&e);
}

static void
quoted_names_are_read_as_prometheus_3_writes_them(void **state)
{
	struct pf_exposition e;
	struct pf_error err = {0};
	(void)state;

	assert_int_equal(
	    parse(&e, "{\"my.metric\",\"odd label\"=\"v\"} 3\nhttp.requests{a=\"b\"} 4\n", &err),
	    0);
	assert_true(pf_exposition_sum(&e, "my.metric", NULL) == 3);
	assert_true(pf_exposition_sum(&e, "http.requests", NULL) == 4);
	assert_string_equal(pf_exposition_label(&e, &e.samples[0], "odd label"), "v");
	pf_exposition_release(&e);
}

static void
what_is_malformed_is_named_with_its_line(void **state)
{
	static const char *const bad[] = {"a 1\nb{x=\"1\" 2\n", "a 1\nb{x=1} 2\n", "a 1\nb{x=\"1\n",
	    "a 1\nb\n", "a 1\nb one\n", "a 1\n{x=\"1\"} 2\n", "a 1\nb 1 soon\n", "a 1\n<html>\n",
	    "a 1\nb{=\"1\"} 2\n", "a 1\nb{x=\"1\\"};
	(void)state;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct pf_exposition e;
		struct pf_error err = {0};
		if (parse(&e, bad[i], &err) != PF_EINPUT)
			fail_msg("\"%s\" was taken", bad[i]);
		assert_message_has(err, "scrape: line 2: ");
		pf_exposition_release(&e);
	}
}

static void
a_scrape_without_samples_is_an_error(void **state)
{
	struct pf_exposition e;
	struct pf_error err = {0};
	(void)state;

	assert_int_equal(parse(&e, "# TYPE a counter\n# EOF\na 1\n", &err), PF_EINPUT);
	assert_message_has(err, "no metrics");
	pf_exposition_release(&e);
	assert_false(pf_exposition_recognise("<!doctype html>", 15));
	assert_false(pf_exposition_recognise("heap profile: 1: 2 [3: 4] @ heap/1\n", 35));
	assert_true(pf_exposition_recognise("up 1\n", 5));
}

static void
series_of_a_histogram_are_summed_and_give_quantiles(void **state)
{
	const char *const one[] = {"path", "/other", NULL};
	struct pf_exposition_histogram all, part;
	struct pf_exposition e;
	struct pf_error err = {0};
	(void)state;

	parse_fixture(&e, "runtime/go-all.metrics");
	assert_int_equal(pf_exposition_kind(&e, "request_seconds"), PF_EXPOSITION_HISTOGRAM);
	assert_int_equal(pf_exposition_histogram(&e, "request_seconds", NULL, &all, &err), 0);
	assert_int_equal(pf_exposition_histogram(&e, "request_seconds", one, &part, &err), 0);
	assert_int_equal(all.count, 5);
	assert_true(all.counts[4] == 200 && part.counts[4] == 100);
	assert_true(part.counts[1] == 0 && part.counts[2] == 100);
	assert_near(part.sum, 5, 1e-9);
	/* All of /other is between 10 and 100 ms: its median is interpolated half way. */
	assert_near(pf_exposition_histogram_quantile(&part, 0.5), 0.055, 1e-9);
	assert_near(pf_exposition_histogram_quantile(&part, 1), 0.1, 1e-9);
	/* What was observed between two scrapes; never less than nothing. */
	assert_int_equal(pf_exposition_histogram_subtract(&part, &all, &err), PF_EINPUT);
	assert_message_has(err, "started anew");
	assert_int_equal(pf_exposition_histogram_subtract(&all, &part, &err), 0);
	assert_true(all.counts[4] == 100);
	pf_exposition_histogram_release(&all);
	pf_exposition_histogram_release(&part);
	assert_int_equal(pf_exposition_histogram(&e, "absent", NULL, &all, &err), PF_EINPUT);
	pf_exposition_histogram_release(&all);
	pf_exposition_release(&e);
}

static void
both_formats_of_one_service_say_the_same(void **state)
{
	struct pf_exposition text, open;
	(void)state;

	parse_fixture(&text, "runtime/go-all.metrics");
	parse_fixture(&open, "runtime/go-all.openmetrics");
	assert_int_equal(text.sample_count, open.sample_count);
	for (size_t i = 0; i < text.sample_count; i++)
		assert_string_equal(pf_strings_get(&text.strings, text.samples[i].name),
		    pf_strings_get(&open.strings, open.samples[i].name));
	assert_true(pf_exposition_sum(&open, "go_gc_gogc_percent", NULL) == 100);
	pf_exposition_release(&text);
	pf_exposition_release(&open);
}

static void
a_million_samples_of_one_name_take_linear_time(void **state)
{
	enum { SAMPLES = 1000000 };
	struct pf_buffer text = {.maximum = 64 << 20};
	const struct pf_exposition_sample *s = NULL;
	struct pf_exposition e;
	struct pf_error err = {0};
	size_t n = 0;
	(void)state;

	for (int i = 0; i < SAMPLES; i++)
		pf_buffer_string(&text, "a{b=\"c\"} 1\n");
	assert_int_equal(pf_exposition_parse(&e, "scrape", text.bytes, text.size, &err), 0);
	while ((s = pf_exposition_find(&e, "a", NULL, s)))
		n++;
	assert_int_equal(n, SAMPLES);
	pf_exposition_release(&e);
	pf_buffer_release(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_sample_has_labels_a_value_and_perhaps_a_time),
	    cmocka_unit_test(quoted_names_are_read_as_prometheus_3_writes_them),
	    cmocka_unit_test(what_is_malformed_is_named_with_its_line),
	    cmocka_unit_test(a_scrape_without_samples_is_an_error),
	    cmocka_unit_test(series_of_a_histogram_are_summed_and_give_quantiles),
	    cmocka_unit_test(both_formats_of_one_service_say_the_same),
	    cmocka_unit_test(a_million_samples_of_one_name_take_linear_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
