/* options.c: parsing by table; see options.h. */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/number.h"

static int
bad_value(struct pf_error *err, const struct cli_option *o, const char *text, const char *want)
{
	return pf_error_set(err, PF_EUSAGE, "--%s %s: expected %s", o->name, text, want);
}

struct unit {
	const char *name;
	double factor;
};

static bool
unit_factor(const struct unit *units, const char *name, double *factor)
{
	for (; units->name; units++) {
		if (strcmp(units->name, name) == 0) {
			*factor = units->factor;
			return true;
		}
	}
	return false;
}

static int
parse_scaled(const struct cli_option *o, const char *text, double *out, struct pf_error *err)
{
	static const struct unit sizes[] = {{"", 1}, {"B", 1}, {"K", 1024}, {"KiB", 1024},
	    {"M", 1048576}, {"MiB", 1048576}, {"G", 1073741824}, {"GiB", 1073741824}, {NULL, 0}};
	static const struct unit durations[] = {{"", 1}, {"s", 1}, {"ms", 1e-3}, {"us", 1e-6},
	    {"m", 60}, {"h", 3600}, {"d", 86400}, {NULL, 0}};
	static const struct unit percents[] = {{"", 1}, {"%", 1}, {NULL, 0}};
	static const struct unit plain[] = {{"", 1}, {NULL, 0}};
	const struct unit *units = plain;
	const char *want = "a number", *unit;
	double value, factor;

	if (o->kind == CLI_SIZE) {
		units = sizes;
		want = "a size such as 512, 64KiB, 256MiB or 2GiB";
	} else if (o->kind == CLI_DURATION) {
		units = durations;
		want = "a duration such as 30, 500ms, 5m or 2h";
	} else if (o->kind == CLI_PERCENT) {
		units = percents;
		want = "a percentage such as 80 or 80%";
	}
	if (!pf_number_prefix(text, &value, &unit) || !unit_factor(units, unit, &factor))
		return bad_value(err, o, text, want);
	if (o->kind == CLI_PERCENT && !*unit && value > 0 && value < 1)
		return pf_error_set(err, PF_EUSAGE,
		    "--%s %s: is that a part of 1 or of 100? Write %g%% or %g%%", o->name, text,
		    value * 100, value);
	if (o->kind == CLI_PERCENT && value > 100)
		return bad_value(err, o, text, "a part of a whole, from 0 to 100%");
	*out = value * factor;
	return 0;
}

static int
parse_count(const struct cli_option *o, const char *text, uint64_t *out, struct pf_error *err)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	if (!isdigit((unsigned char)text[0]) || *end || errno)
		return bad_value(err, o, text, "a whole number");
	return 0;
}

static int
parse_choice(const struct cli_option *o, const char *text, int *out, struct pf_error *err)
{
	size_t size = strlen(text);
	int position = 0;

	for (const char *at = o->choices; at; position++) {
		const char *bar = strchr(at, '|');
		size_t n = bar ? (size_t)(bar - at) : strlen(at);
		if (n == size && strncmp(at, text, n) == 0) {
			*out = position;
			return 0;
		}
		at = bar ? bar + 1 : NULL;
	}
	return bad_value(err, o, text, o->choices);
}

static int
append(struct cli_list *list, const char *text, struct pf_error *err)
{
	const char **items = realloc(list->items, (list->count + 1) * sizeof *items);

	if (!items)
		return pf_error_nomem(err);
	items[list->count++] = text;
	list->items = items;
	return 0;
}

int
cli_parse_value(const struct cli_option *o, const char *text, void *settings, struct pf_error *err)
{
	void *member = (char *)settings + o->offset;
	double value;
	int rc;

	switch (o->kind) {
	case CLI_FLAG:
		*(bool *)member = true;
		return 0;
	case CLI_STRING:
		*(const char **)member = text;
		return 0;
	case CLI_LIST:
		return append(member, text, err);
	case CLI_COUNT:
		return parse_count(o, text, member, err);
	case CLI_CHOICE:
		return parse_choice(o, text, member, err);
	case CLI_NUMBER:
	case CLI_PERCENT:
	case CLI_DURATION:
		return parse_scaled(o, text, member, err);
	case CLI_SIZE:
		rc = parse_scaled(o, text, &value, err);
		if (!rc && value > 9e18)
			rc = bad_value(err, o, text, "a size below 2^63");
		if (!rc)
			*(uint64_t *)member = (uint64_t)value;
		return rc;
	}
	return pf_error_set(err, PF_EUSAGE, "--%s: no such kind of option", o->name);
}

static const struct cli_option *
find_long(const struct cli_option *o, const char *name, size_t size, bool *negated)
{
	for (; o->name; o++) {
		*negated = false;
		if (strlen(o->name) == size && strncmp(o->name, name, size) == 0)
			return o;
		*negated = true;
		if (o->negatable && size == strlen(o->name) + 3 && strncmp(name, "no-", 3) == 0 &&
		    strncmp(o->name, name + 3, size - 3) == 0)
			return o;
	}
	return NULL;
}

static const struct cli_option *
find_letter(const struct cli_option *o, char letter)
{
	while (o->name && o->letter != letter)
		o++;
	return o->name ? o : NULL;
}

/* One option at argv[*i], together with its value, which may be the next word. */
static int
parse_option(const struct cli_command *c, int argc, char **argv, int *i, void *settings,
    struct pf_error *err)
{
	const char *word = argv[*i], *value = NULL;
	const struct cli_option *o;
	bool negated = false;

	if (word[1] == '-') {
		value = strchr(word, '=');
		o = find_long(c->options, word + 2,
		    value ? (size_t)(value - word - 2) : strlen(word + 2), &negated);
		value = value ? value + 1 : NULL;
	} else {
		o = find_letter(c->options, word[1]);
		value = word[2] ? word + 2 : NULL;
	}
	if (!o)
		return pf_error_set(
		    err, PF_EUSAGE, "unknown option %s; see profuse %s --help", word, c->name);
	if (o->kind == CLI_FLAG) {
		if (value)
			return pf_error_set(err, PF_EUSAGE, "--%s takes no value", o->name);
		*(bool *)((char *)settings + o->offset) = !negated;
		return 0;
	}
	if (!value) {
		if (*i + 1 >= argc)
			return pf_error_set(
			    err, PF_EUSAGE, "--%s needs a value: %s", o->name, o->argument);
		value = argv[++*i];
	}
	if (!*value)
		return pf_error_set(err, PF_EUSAGE, "--%s needs a value: %s", o->name, o->argument);
	return cli_parse_value(o, value, settings, err);
}

int
cli_parse(const struct cli_command *c, int argc, char **argv, void *settings,
    struct cli_arguments *arguments, bool *help, struct pf_error *err)
{
	bool options_end = false;

	*help = false;
	*arguments = (struct cli_arguments){.items = argv};
	if (c->settings_size)
		memcpy(settings, c->defaults, c->settings_size);
	for (int i = 0; i < argc; i++) {
		if (options_end || argv[i][0] != '-' || !argv[i][1]) {
			argv[arguments->count++] = argv[i];
		} else if (strcmp(argv[i], "--") == 0) {
			options_end = true;
		} else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			*help = true;
			return 0;
		} else {
			int rc = parse_option(c, argc, argv, &i, settings, err);
			if (rc)
				return rc;
		}
	}
	if (arguments->count < c->least_arguments || arguments->count > c->most_arguments)
		return pf_error_set(err, PF_EUSAGE, "%s arguments; usage: profuse %s %s",
		    arguments->count < c->least_arguments ? "too few" : "too many", c->name,
		    c->usage);
	return 0;
}

void
cli_settings_release(const struct cli_command *c, void *settings)
{
	for (const struct cli_option *o = c->options; o->name; o++) {
		if (o->kind == CLI_LIST) {
			struct cli_list *list = (void *)((char *)settings + o->offset);
			free(list->items);
			*list = (struct cli_list){0};
		}
	}
}
