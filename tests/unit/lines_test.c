/* Text that is read line by line, token by token: what is taken, what stops it. */
#include "support/unit.h"

#include "core/lines.h"

static struct pf_text
text(const char *s)
{
	return pf_text_of(s, strlen(s));
}

static void
lines_come_without_their_ends_and_are_counted(void **state)
{
	const char *bytes = "one\r\n\n# comment\n  three";
	struct pf_lines l;
	(void)state;

	pf_lines_init(&l, "f", bytes, strlen(bytes));
	assert_true(pf_lines_next(&l));
	assert_true(pf_text_equals(&l.line, "one"));
	assert_true(pf_lines_next_content(&l));
	assert_true(pf_text_equals(&l.line, "  three"));
	assert_int_equal(l.number, 4);
	assert_false(pf_lines_next(&l));
	assert_int_equal(pf_text_left(&l.line), 0);
	pf_lines_init(&l, "f", bytes, 0);
	assert_false(pf_lines_next(&l));
}

static void
numbers_are_held_against_their_range(void **state)
{
	struct pf_text t = text(" 9223372036854775807 -9223372036854775808 9223372036854775808");
	(void)state;

	assert_int_equal(pf_text_int64(&t), INT64_MAX);
	assert_int_equal(pf_text_int64(&t), INT64_MIN);
	assert_null(t.failure);
	assert_int_equal(pf_text_int64(&t), 0);
	assert_string_equal(t.failure, "a number exceeds 64 bits");
	assert_int_equal(pf_text_int64(&t), 0);
	t = text("FFFFffffFFFFffff 10000000000000000");
	assert_int_equal(pf_text_hex(&t), UINT64_MAX);
	assert_int_equal(pf_text_hex(&t), 0);
	assert_string_equal(t.failure, "an address exceeds 64 bits");
	t = text("x");
	assert_int_equal(pf_text_int64(&t), 0);
	assert_string_equal(t.failure, "a number was expected");
	t = text("-");
	pf_text_int64(&t);
	assert_non_null(t.failure);
	t = text("g");
	pf_text_hex(&t);
	assert_string_equal(t.failure, "a hexadecimal number was expected");
}

static void
the_first_failure_is_kept_and_ends_the_text(void **state)
{
	struct pf_text t = text("1: x @");
	(void)state;

	assert_int_equal(pf_text_int64(&t), 1);
	pf_text_expect(&t, ":");
	pf_text_int64(&t);
	pf_text_expect(&t, "@");
	assert_string_equal(t.failure, "a number was expected");
	assert_int_equal(pf_text_left(&t), 0);
}

static void
words_and_literals_are_stepped_over(void **state)
{
	struct pf_text t = text("  first\tsecond  "), word;
	(void)state;

	word = pf_text_word(&t);
	assert_true(pf_text_equals(&word, "first"));
	word = pf_text_word(&t);
	assert_true(pf_text_equals(&word, "second"));
	word = pf_text_word(&t);
	assert_int_equal(pf_text_left(&word), 0);
	t = pf_text_trimmed(text(" \t a b \r"));
	assert_true(pf_text_equals(&t, "a b"));
	assert_false(pf_text_skip(&t, "a bc"));
	assert_true(pf_text_skip(&t, "a "));
	assert_ptr_equal(pf_text_find(&t, "b"), t.at);
	assert_null(pf_text_find(&t, "c"));
}

static void
errors_name_the_line_and_show_it_printable(void **state)
{
	const char *bytes =
	    "fine\n\x01tail \xff and much more than sixty characters of what nobody "
	    "wants to see in a message\n";
	struct pf_error err = {0};
	struct pf_lines l;
	(void)state;

	pf_lines_init(&l, "some.heap", bytes, strlen(bytes));
	pf_lines_next(&l);
	pf_lines_next(&l);
	assert_int_equal(pf_lines_error(&l, "bad", &err), PF_EINPUT);
	assert_message_has(err, "some.heap: line 2: bad: \"?tail ? and much more");
	assert_message_has(err, "...\"");
	assert_null(strstr(err.message, "wants to see"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_come_without_their_ends_and_are_counted),
	    cmocka_unit_test(numbers_are_held_against_their_range),
	    cmocka_unit_test(the_first_failure_is_kept_and_ends_the_text),
	    cmocka_unit_test(words_and_literals_are_stepped_over),
	    cmocka_unit_test(errors_name_the_line_and_show_it_printable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
