/* builtins.c: the table, and how builtins get at their arguments. */
#include "builtins.h"

const struct builtin builtins[] = {
    {"abs", 1, 1, run_abs},
    {"capitalize", 1, 1, run_capitalize},
    {"contains", 2, 2, run_contains},
    {"date", 1, 2, run_date},
    {"default", 2, 2, run_default},
    {"ends_with", 2, 2, run_ends_with},
    {"escape", 1, 1, run_escape},
    {"first", 1, 1, run_first},
    {"fixed", 1, 2, run_fixed},
    {"group", 2, 2, run_group},
    {"hash", 1, 1, run_hash},
    {"join", 1, 2, run_join},
    {"json", 1, 2, run_json},
    {"keys", 1, 1, run_keys},
    {"last", 1, 1, run_last},
    {"length", 1, 1, run_length},
    {"lower", 1, 1, run_lower},
    {"markup", 1, 1, run_markup},
    {"max", 1, 8, run_max},
    {"min", 1, 8, run_min},
    {"pad", 2, 3, run_pad},
    {"pluck", 2, 2, run_pluck},
    {"plural", 2, 3, run_plural},
    {"range", 1, 2, run_range},
    {"replace", 3, 3, run_replace},
    {"reverse", 1, 1, run_reverse},
    {"round", 1, 2, run_round},
    {"safe", 1, 1, run_safe},
    {"slice", 2, 3, run_slice},
    {"slug", 1, 1, run_slug},
    {"sort", 1, 3, run_sort},
    {"split", 2, 2, run_split},
    {"starts_with", 2, 2, run_starts_with},
    {"sum", 1, 2, run_sum},
    {"title", 1, 1, run_title},
    {"trim", 1, 1, run_trim},
    {"truncate", 2, 2, run_truncate},
    {"unique", 1, 1, run_unique},
    {"upper", 1, 1, run_upper},
    {"url", 1, 1, run_url},
    {"where", 2, 3, run_where},
    {"words", 1, 1, run_words},
    {"wrap", 2, 2, run_wrap},
};

const struct builtin *
builtin_find(struct slice name, uint32_t *index)
{
	uint32_t low = 0, high = sizeof builtins / sizeof *builtins;

	while (low < high) {
		uint32_t middle = (low + high) / 2;
		struct slice candidate = slice_of(builtins[middle].name);
		size_t shorter = name.size < candidate.size ? name.size : candidate.size;
		int order = memcmp(name.at, candidate.at, shorter);

		if (order == 0 && name.size == candidate.size) {
			*index = middle;
			return &builtins[middle];
		}
		if (order < 0 || (order == 0 && name.size < candidate.size))
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

struct value
call_fail(struct call *c, const char *what)
{
	if (!c->failure)
		c->failure = what;
	return NO_VALUE;
}

struct value
call_scratch(struct call *c, enum value_kind kind)
{
	struct value v = {.kind = kind, .size = (uint32_t)c->scratch->size};

	if (c->scratch->failed)
		return call_fail(c, "too much text");
	v.string = arena_copy(c->arena, c->scratch->bytes, c->scratch->size);
	return v.string ? v : call_fail(c, "no memory is left for the request");
}

struct slice
call_text(struct call *c, unsigned i)
{
	struct value v = c->arguments[i];

	if (value_is_text(v))
		return value_slice(v);
	text_clear(c->scratch);
	value_print(v, c->scratch);
	v = call_scratch(c, VALUE_STRING);
	return c->failure ? (struct slice){"", 0} : value_slice(v);
}

int64_t
call_integer(struct call *c, unsigned i, int64_t otherwise)
{
	if (i >= c->count)
		return otherwise;
	if (c->arguments[i].kind == VALUE_INTEGER)
		return c->arguments[i].integer;
	call_fail(c, "a whole number was expected");
	return otherwise;
}

const struct list *
call_list(struct call *c, unsigned i)
{
	static const struct list none;

	switch (c->arguments[i].kind) {
	case VALUE_LIST:
		return c->arguments[i].list;
	case VALUE_NONE:
		return &none;
	default:
		call_fail(c, "a list was expected");
		return NULL;
	}
}

struct value
call_list_value(struct call *c, struct list *list)
{
	if (!list)
		return call_fail(c, "no memory is left for the request");
	return (struct value){.kind = VALUE_LIST, .list = list};
}
