/* Views of profiles: numbers as text, names made safe, frames dropped, recursion counted once. */
#include "support/unit.h"

#include "report/graph.h"
#include "report/text.h"
#include "report/units.h"
#include "report/view.h"
#include "support/sample_profile.h"

static const char *
value(int64_t number, const char *unit, const char *target)
{
	static char text[PF_VALUE_TEXT];

	return pf_value_text(text, number, unit, target);
}

static const char *
share(int64_t part, int64_t total)
{
	static char text[PF_VALUE_TEXT];

	return pf_share_text(text, part, total);
}

static void
values_are_scaled_as_people_read_them(void **state)
{
	(void)state;

	assert_string_equal(value(0, "nanoseconds", "auto"), "0");
	assert_string_equal(value(999, "nanoseconds", "auto"), "999ns");
	assert_string_equal(value(1380000000, "nanoseconds", "auto"), "1.38s");
	assert_string_equal(value(-1500000, "nanoseconds", "auto"), "-1.50ms");
	assert_string_equal(value(1380000000, "nanoseconds", "ms"), "1380ms");
	assert_string_equal(value(7200, "seconds", "auto"), "2hrs");
	assert_string_equal(value(1536, "bytes", "auto"), "1.50kB");
	assert_string_equal(value(1536, "Bytes", "B"), "1536B");
	assert_string_equal(value(3, "count", "auto"), "3");
	assert_string_equal(value(3, "count", "count"), "3");
	assert_string_equal(value(3, "widgets", "widgets"), "3widgets");
	assert_string_equal(value(INT64_MIN, "nanoseconds", "hrs"), "-2562047.79hrs");
	assert_string_equal(pf_common_unit(10000000, 2110000000, "nanoseconds"), "s");
	assert_string_equal(pf_common_unit(370000000, 5850000000, "nanoseconds"), "ms");
	assert_string_equal(pf_common_unit(1, 10, "count"), "count");
}

static void
shares_keep_two_digits(void **state)
{
	(void)state;

	assert_string_equal(share(1, 3), "33.33%");
	assert_string_equal(share(-1, 300), " 0.33%");
	assert_string_equal(share(1, 1), "  100%");
	assert_string_equal(share(99996, 100000), "  100%");
	assert_string_equal(share(5, 0), "    0%");
	assert_string_equal(share(3, 2), "150.00%"); /* above the total of a base */
}

static void
names_cannot_end_a_script_or_a_tag(void **state)
{
	struct pf_buffer b = {.maximum = 4096};
	(void)state;

	pf_json_text(&b, "a</script>\"\\\n\xe2\x80\xa8\xff\xed\xa0\x80 \xc3\xa9");
	pf_buffer_byte(&b, 0);
	assert_string_equal((char *)b.bytes,
	    "\"a\\u003c/"
	    "script\\u003e\\u0022\\u005c\\u000a\\u2028\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
	    "\xef\xbf\xbd \xc3\xa9\"");
	pf_buffer_clear(&b);
	pf_html_text(&b, "<b a='\"'>&\xc3\xa9\xc3");
	pf_buffer_byte(&b, 0);
	assert_string_equal(
	    (char *)b.bytes, "&#60;b a=&#39;&#34;&#39;&#62;&#38;\xc3\xa9\xef\xbf\xbd");
	pf_buffer_release(&b);
}

/* One sample of the stack "main, work, malloc, brk" with drop and keep filters; leaf first below. */
static struct pf_profile *
allocation(const char *drop, const char *keep)
{
	static const char *const names[] = {"brk", "malloc", "work(int)", "main"};
	struct pf_buffer b = {.maximum = 1 << 16};
	struct pf_profile *p;

	add_string(&b, "");
	add_string(&b, "space");
	add_string(&b, "bytes");
	add_string(&b, drop);
	add_string(&b, keep);
	add_type(&b, 1, 2);
	for (uint64_t i = 0; i < 4; i++) {
		add_string(&b, names[i]);
		add_function(&b, i + 1, 5 + i, 1);
		add_location(&b, i + 1, 0, 0, i + 1, 7);
	}
	add_sample(&b, (uint64_t[]){1, 2, 3, 4}, 4, (int64_t[]){100}, 1, 1);
	add_sample(&b, (uint64_t[]){3, 3, 3, 4}, 4, (int64_t[]){10}, 1, 1);
	pf_wire_varint(&b, PF_PROFILE_DROP_FRAMES, 3);
	pf_wire_varint(&b, PF_PROFILE_KEEP_FRAMES, *keep ? 4 : 0);
	assert_int_equal(pf_profile_parse(&p, "test", b.bytes, b.size, NULL, NULL), 0);
	pf_buffer_release(&b);
	return p;
}

/* "name flat cum" of every row, in order, joined by "; ". */
static void
assert_rows(const struct pf_profile *p, const struct pf_view_options *options, const char *rows)
{
	struct pf_buffer text = {.maximum = 4096};
	struct pf_graph g;
	struct pf_view v;

	assert_int_equal(pf_view_init(&v, p, options, NULL), 0);
	assert_int_equal(pf_graph_init(&g, &v, NULL), 0);
	for (size_t i = 0; i < g.node_count; i++)
		pf_buffer_printf(&text, "%s%s %d %d", i ? "; " : "",
		    pf_frames_name(&v.frames, g.nodes[i].name), (int)g.nodes[i].flat,
		    (int)g.nodes[i].cum);
	pf_buffer_byte(&text, 0);
	assert_string_equal((char *)text.bytes, rows);
	pf_buffer_release(&text);
	pf_graph_release(&g);
	pf_view_release(&v);
}

static void
frames_that_the_profile_drops_are_charged_to_their_caller(void **state)
{
	struct pf_view_options o = {0};
	struct pf_profile *p = allocation("malloc|brk", "");
	(void)state;

	assert_rows(p, &o, "work(int) 110 110; main 0 110"); /* and recursion counts once */
	pf_profile_free(p);
	p = allocation("malloc|brk", "malloc");
	assert_rows(p, &o, "malloc 100 100; work(int) 10 110; main 0 110");
	pf_profile_free(p);
	p = allocation("main|work", ""); /* the root itself matches: nothing to charge */
	assert_rows(p, &o, "brk 100 100; work(int) 10 110; main 0 110; malloc 0 100");
	pf_profile_free(p);
	p = allocation("(unbalanced", "");
	assert_rows(p, &o, "brk 100 100; work(int) 10 110; main 0 110; malloc 0 100");
	pf_profile_free(p);
}

static void
filters_choose_samples_but_not_the_total(void **state)
{
	struct pf_profile *p = allocation("nothing", "");
	struct pf_view_options focus = {.focus = "^malloc$"}, ignore = {.ignore = "brk"};
	struct pf_error err = {0};
	struct pf_view v;
	(void)state;

	assert_rows(p, &focus, "brk 100 100; main 0 100; malloc 0 100; work(int) 0 100");
	assert_rows(p, &ignore, "work(int) 10 10; main 0 10");
	assert_int_equal(pf_view_init(&v, p, &focus, &err), 0);
	assert_int_equal(v.total, 110);
	pf_view_release(&v);
	focus.focus = "[";
	assert_int_equal(pf_view_init(&v, p, &focus, &err), PF_EUSAGE);
	assert_message_has(err, "--focus [: not a regular expression");
	pf_view_release(&v);
	pf_profile_free(p);
}

static void
values_that_add_up_beyond_64_bits_are_refused(void **state)
{
	struct pf_profile *p = allocation("nothing", "");
	struct pf_view_options o = {0};
	struct pf_error err = {0};
	struct pf_view v;
	(void)state;

	p->values[0] = INT64_MAX;
	p->values[1] = INT64_MIN;
	assert_int_equal(pf_view_init(&v, p, &o, &err), PF_EINPUT);
	assert_message_has(err, "the sum of space exceeds 64 bits");
	pf_view_release(&v);
	pf_profile_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(values_are_scaled_as_people_read_them),
	    cmocka_unit_test(shares_keep_two_digits),
	    cmocka_unit_test(names_cannot_end_a_script_or_a_tag),
	    cmocka_unit_test(frames_that_the_profile_drops_are_charged_to_their_caller),
	    cmocka_unit_test(filters_choose_samples_but_not_the_total),
	    cmocka_unit_test(values_that_add_up_beyond_64_bits_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
