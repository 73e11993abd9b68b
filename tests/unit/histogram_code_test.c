/* Encoded histograms come back as they were; text that is none is refused; pages hold any JSON; levels that change are found. */
#include "support/unit.h"

#include <math.h>
#include <string.h>

#include "core/base64.h"
#include "report/page.h"
#include "stats/change_points.h"
#include "stats/histogram_code.h"
#include "stats/random.h"

static void
bytes_survive_base64(void **state)
{
	static const char *const known[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="},
	    {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
	struct pf_buffer text = {.maximum = 1000}, back = {.maximum = 1000};
	(void)state;

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		pf_buffer_clear(&text);
		pf_buffer_clear(&back);
		pf_base64_encode(&text, known[i][0], strlen(known[i][0]));
		assert_int_equal(text.size, strlen(known[i][1]));
		assert_true(text.size == 0 || memcmp(text.bytes, known[i][1], text.size) == 0);
		assert_int_equal(
		    pf_base64_decode(&back, known[i][1], strlen(known[i][1]), NULL), 0);
		assert_int_equal(back.size, strlen(known[i][0]));
	}
	assert_int_equal(pf_base64_decode(&back, "Zg=", 3, NULL), PF_EINPUT);
	assert_int_equal(pf_base64_decode(&back, "Z*==", 4, NULL), PF_EINPUT);
	assert_int_equal(pf_base64_decode(&back, "Zg==Zg==", 8, NULL), PF_EINPUT);
	pf_buffer_release(&text);
	pf_buffer_release(&back);
}

/* The text of a histogram, NUL-terminated, to be released. */
static struct pf_buffer
encoded(const struct pf_histogram *h)
{
	struct pf_buffer text = {.maximum = 1 << 20};

	pf_histogram_encode(h, &text);
	pf_buffer_byte(&text, 0);
	assert_int_equal(pf_buffer_check(&text, NULL), 0);
	return text;
}

static void
a_histogram_comes_back_as_it_was(void **state)
{
	struct pf_histogram h, back;
	struct pf_random rng;
	struct pf_buffer text;
	(void)state;

	assert_int_equal(pf_histogram_init(&h, 1000, 3600000000000, 3, NULL), 0);
	pf_random_init(&rng, 1);
	for (int round = 0; round < 4; round++) {
		text = encoded(&h);
		assert_int_equal(strncmp((char *)text.bytes, "HISTFAAA", 8), 0);
		assert_int_equal(pf_histogram_decode(&back, (char *)text.bytes, NULL), 0);
		assert_int_equal(back.total, h.total);
		assert_int_equal(back.counts_size, h.counts_size);
		assert_memory_equal(back.counts, h.counts, h.counts_size * sizeof *h.counts);
		pf_histogram_release(&back);
		pf_buffer_release(&text);
		for (int i = 0; i < 5000; i++)
			pf_histogram_record(&h, (int64_t)(1e6 * exp(2 * pf_random_normal(&rng))));
		h.counts[pf_histogram_index(&h, 5000000)] += 1ull << (10 * round + 20);
		h.total += 1ull << (10 * round + 20);
	}
	pf_histogram_release(&h);
}

/* Cut off anywhere, or with any byte changed: an error or a histogram, never worse. */
static void
damaged_text_is_refused(void **state)
{
	struct pf_histogram h, back;
	struct pf_buffer text;
	size_t size;
	(void)state;

	assert_int_equal(pf_histogram_init(&h, 1, 1000000, 2, NULL), 0);
	for (int i = 0; i < 1000; i++)
		pf_histogram_record(&h, i * i);
	text = encoded(&h);
	size = text.size - 1;
	for (size_t i = 0; i < size; i++) {
		char saved = (char)text.bytes[i];

		text.bytes[i] = 0;
		assert_int_equal(pf_histogram_decode(&back, (char *)text.bytes, NULL), PF_EINPUT);
		for (const char *c = "A/z9="; *c; c++) {
			text.bytes[i] = (uint8_t)*c;
			if (pf_histogram_decode(&back, (char *)text.bytes, NULL) == 0)
				pf_histogram_release(&back);
		}
		text.bytes[i] = (uint8_t)saved;
	}
	assert_int_equal(pf_histogram_decode(&back, "", NULL), PF_EINPUT);
	assert_int_equal(pf_histogram_decode(&back, "SGVsbG8gd29ybGQh", NULL), PF_EINPUT);
	pf_buffer_release(&text);
	pf_histogram_release(&h);
}

static void
json_in_a_page_cannot_end_its_element(void **state)
{
	static const char json[] =
	    "{\"a\": \"</script><script>&\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa\"}";
	struct pf_buffer out = {.maximum = 1000};
	(void)state;

	pf_page_json(&out, json, strlen(json));
	pf_buffer_byte(&out, 0);
	assert_string_equal((char *)out.bytes,
	    "{\"a\": "
	    "\"\\u003c/script\\u003e\\u003cscript\\u003e\\u0026\\u2028\\u2029\xe2\x80\xaa\"}");
	pf_buffer_release(&out);
}

static void
every_part_that_pages_name_is_there_and_others_fail(void **state)
{
	static const struct pf_page_parts parts = {.subject = "x",
	    .styles = {"report.css"},
	    .body = "no-such.html",
	    .data_id = "data",
	    .scripts = {"plot.js"}};
	static const char *const named[] = {"flame.css", "flame.html", "flame.js", "report.css",
	    "plot.js", "bench.html", "bench.js", "trend.html", "trend.js"};
	struct pf_buffer out = {.maximum = 1 << 20};
	(void)state;

	for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
		const struct pf_page_file *f = pf_page_files;
		while (f->name && strcmp(f->name, named[i]) != 0)
			f++;
		assert_non_null(f->name);
		assert_true(*f->size > 100);
	}
	pf_page_open(&out, &parts, "<title>");
	assert_int_equal(pf_buffer_check(&out, NULL), PF_ENOMEM);
	pf_buffer_release(&out);
}

static void
changes_of_level_are_found_where_they_are(void **state)
{
	enum { RUNS = 90 };
	double values[RUNS];
	struct pf_change_point points[RUNS / PF_CHANGE_LEAST + 1];
	struct pf_random rng;
	size_t count, false_alarms = 0;
	(void)state;

	pf_random_init(&rng, 3);
	for (size_t i = 0; i < RUNS; i++)
		values[i] = (i < 30 ? 10 : i < 60 ? 10.5 : 9.8) + 0.1 * pf_random_normal(&rng);
	values[12] = 40; /* an outlier is no level */
	assert_int_equal(pf_change_points(values, RUNS, 0.01, 1, points, &count, NULL), 0);
	assert_int_equal(count, 2);
	assert_in_range(points[0].at, 29, 31);
	assert_in_range(points[1].at, 59, 61);
	assert_true(points[0].p <= 0.01);
	for (int trial = 0; trial < 200; trial++) {
		for (size_t i = 0; i < 30; i++)
			values[i] = pf_random_normal(&rng);
		assert_int_equal(pf_change_points(values, 30, 0.01, 1, points, &count, NULL), 0);
		false_alarms += count > 0;
	}
	assert_in_range(false_alarms, 0, 8); /* 1 % of 200, with room */
	assert_int_equal(pf_change_points(values, 0, 0.01, 1, points, &count, NULL), 0);
	assert_int_equal(count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bytes_survive_base64),
	    cmocka_unit_test(a_histogram_comes_back_as_it_was),
	    cmocka_unit_test(damaged_text_is_refused),
	    cmocka_unit_test(json_in_a_page_cannot_end_its_element),
	    cmocka_unit_test(every_part_that_pages_name_is_there_and_others_fail),
	    cmocka_unit_test(changes_of_level_are_found_where_they_are),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
