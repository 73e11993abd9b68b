/* The option tables: what people type, and what they are told when it is wrong. */
#include "support/unit.h"

#include "cli/options.h"

struct settings {
	bool verbose;
	const char *output;
	struct cli_list label;
	uint64_t pairs, size;
	double seconds, share;
	int format;
};

static const struct settings defaults = {.pairs = 10, .verbose = true};

static const struct cli_option options[] = {
    {"verbose", 'v', CLI_FLAG, offsetof(struct settings, verbose), NULL, "talk", NULL, true},
    {"output", 'o', CLI_STRING, offsetof(struct settings, output), "FILE", "where to", NULL, false},
    {"label", 0, CLI_LIST, offsetof(struct settings, label), "K=V", "which", NULL, false},
    {"pairs", 0, CLI_COUNT, offsetof(struct settings, pairs), "N", "how many", NULL, false},
    {"max-size", 0, CLI_SIZE, offsetof(struct settings, size), "SIZE", "cap", NULL, false},
    {"seconds", 0, CLI_DURATION, offsetof(struct settings, seconds), "T", "how long", NULL, false},
    {"share", 0, CLI_PERCENT, offsetof(struct settings, share), "PERCENT", "part", NULL, false},
    {"format", 0, CLI_CHOICE, offsetof(struct settings, format), "NAME", "form",
	"extbinary|text|folded", false},
    {NULL, 0, CLI_FLAG, 0, NULL, NULL, NULL, false},
};

static const struct cli_command command = {.name = "test",
    .usage = "[OPTION]… FILE",
    .options = options,
    .defaults = &defaults,
    .settings_size = sizeof defaults,
    .least_arguments = 1,
    .most_arguments = 2};

/* Parses the NULL-terminated words; returns the code. */
static int
parse(const char *const *words, struct settings *s, struct cli_arguments *arguments,
    struct pf_error *err)
{
	static char *argv[16];
	bool help;
	int argc = 0;

	for (; words[argc]; argc++)
		argv[argc] = (char *)(uintptr_t)words[argc];
	return cli_parse(&command, argc, argv, s, arguments, &help, err);
}

static void
options_and_arguments_may_be_mixed(void **state)
{
	const char *const words[] = {"a.pb", "--pairs=20", "-o", "out", "--no-verbose", "--seconds",
	    "500ms", "--share", "80%", "--max-size", "2MiB", "--format", "folded", "--", "-b",
	    NULL};
	struct cli_arguments arguments;
	struct pf_error err = {0};
	struct settings s;
	(void)state;

	assert_int_equal(parse(words, &s, &arguments, &err), 0);
	assert_int_equal(s.pairs, 20);
	assert_string_equal(s.output, "out");
	assert_false(s.verbose);
	assert_true(s.seconds > 0.49 && s.seconds < 0.51);
	assert_true(s.share > 79.9 && s.share < 80.1);
	assert_int_equal(s.size, 2 << 20);
	assert_int_equal(s.format, 2);
	assert_int_equal(arguments.count, 2);
	assert_string_equal(arguments.items[0], "a.pb");
	assert_string_equal(arguments.items[1], "-b");
}

static void
a_dash_alone_is_an_argument_and_lists_grow(void **state)
{
	const char *const words[] = {"-", "--label", "a=b", "--label=c=d", NULL};
	struct cli_arguments arguments;
	struct settings s;
	(void)state;

	assert_int_equal(parse(words, &s, &arguments, NULL), 0);
	assert_string_equal(arguments.items[0], "-");
	assert_int_equal(s.label.count, 2);
	assert_string_equal(s.label.items[1], "c=d");
	assert_int_equal(s.pairs, 10);
	cli_settings_release(&command, &s);
}

static void
assert_usage_error(const char *const *words, const char *part)
{
	struct cli_arguments arguments;
	struct pf_error err = {0};
	struct settings s;

	assert_int_equal(parse(words, &s, &arguments, &err), PF_EUSAGE);
	assert_message_has(err, part);
	cli_settings_release(&command, &s);
}

static void
wrong_usage_is_said_in_a_sentence(void **state)
{
	(void)state;
	assert_usage_error((const char *[]){"--colour", "x", NULL},
	    "unknown option --colour; see profuse test --help");
	assert_usage_error((const char *[]){"--pair", "3", "x", NULL}, "unknown option --pair");
	assert_usage_error((const char *[]){"x", "--pairs", NULL}, "--pairs needs a value: N");
	assert_usage_error(
	    (const char *[]){"x", "--pairs", "-3", NULL}, "--pairs -3: expected a whole number");
	assert_usage_error((const char *[]){"x", "--pairs", "99999999999999999999", NULL},
	    "expected a whole number");
	assert_usage_error((const char *[]){"x", "--seconds", "nan", NULL}, "expected a duration");
	assert_usage_error(
	    (const char *[]){"x", "--seconds", "5 years", NULL}, "expected a duration");
	assert_usage_error(
	    (const char *[]){"x", "--format", "ext", NULL}, "expected extbinary|text|folded");
	assert_usage_error((const char *[]){"x", "--share", "60 %", NULL}, "expected a percentage");
	assert_usage_error((const char *[]){"x", "--verbose=1", NULL}, "--verbose takes no value");
	assert_usage_error((const char *[]){NULL}, "too few arguments");
	assert_usage_error((const char *[]){"a", "b", "c", NULL}, "too many arguments");
}

static void
a_percentage_below_one_says_which_it_is(void **state)
{
	static const struct {
		const char *text;
		double value;
	} taken[] = {{"60", 60}, {"60%", 60}, {"1", 1}, {"0.6%", .6}, {"0", 0}, {"99.9", 99.9}};
	struct settings s;
	(void)state;

	for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
		assert_int_equal(cli_parse_value(&options[6], taken[i].text, &s, NULL), 0);
		assert_true(s.share == taken[i].value);
	}
	assert_usage_error((const char *[]){"x", "--share", "0.6", NULL},
	    "--share 0.6: is that a part of 1 or of 100? Write 60% or 0.6%");
	assert_usage_error((const char *[]){"x", "--share=.999", NULL}, "Write 99.9% or 0.999%");
}

static void
a_percentage_is_a_part_of_a_whole(void **state)
{
	static const char *const wrong[] = {"101", "120%", "100.1", "1e9%"};
	struct settings s;
	(void)state;

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_usage_error((const char *[]){"x", "--share", wrong[i], NULL},
		    "expected a part of a whole, from 0 to 100%");
	assert_usage_error((const char *[]){"x", "--share", "-5%", NULL}, "expected a percentage");
	assert_usage_error((const char *[]){"x", "--share", "inf", NULL}, "expected a percentage");
	assert_int_equal(cli_parse_value(&options[6], "100%", &s, NULL), 0);
	assert_true(s.share == 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(options_and_arguments_may_be_mixed),
	    cmocka_unit_test(a_dash_alone_is_an_argument_and_lists_grow),
	    cmocka_unit_test(wrong_usage_is_said_in_a_sentence),
	    cmocka_unit_test(a_percentage_below_one_says_which_it_is),
	    cmocka_unit_test(a_percentage_is_a_part_of_a_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
