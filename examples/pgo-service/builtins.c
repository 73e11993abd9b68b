/* builtins.c: the table, and how builtins get at their arguments. */
#include "builtins.h"

const struct builtin builtins[] = {
    {SLICE("abs"), 1, 1, run_abs},
    {SLICE("capitalize"), 1, 1, run_capitalize},
    {SLICE("contains"), 2, 2, run_contains},
    {SLICE("date"), 1, 2, run_date},
    {SLICE("default"), 2, 2, run_default},
    {SLICE("ends_with"), 2, 2, run_ends_with},
    {SLICE("escape"), 1, 1, run_escape},
    {SLICE("first"), 1, 1, run_first},
    {SLICE("fixed"), 1, 2, run_fixed},
    {SLICE("group"), 2, 2, run_group},
    {SLICE("hash"), 1, 1, run_hash},
    {SLICE("join"), 1, 2, run_join},
    {SLICE("json"), 1, 2, run_json},
    {SLICE("keys"), 1, 1, run_keys},
    {SLICE("last"), 1, 1, run_last},
    {SLICE("length"), 1, 1, run_length},
    {SLICE("lower"), 1, 1, run_lower},
    {SLICE("markup"), 1, 1, run_markup},
    {SLICE("max"), 1, 8, run_max},
    {SLICE("min"), 1, 8, run_min},
    {SLICE("pad"), 2, 3, run_pad},
    {SLICE("pluck"), 2, 2, run_pluck},
    {SLICE("plural"), 2, 3, run_plural},
    {SLICE("range"), 1, 2, run_range},
    {SLICE("replace"), 3, 3, run_replace},
    {SLICE("reverse"), 1, 1, run_reverse},
    {SLICE("round"), 1, 2, run_round},
    {SLICE("safe"), 1, 1, run_safe},
    {SLICE("slice"), 2, 3, run_slice},
    {SLICE("slug"), 1, 1, run_slug},
    {SLICE("sort"), 1, 3, run_sort},
    {SLICE("split"), 2, 2, run_split},
    {SLICE("starts_with"), 2, 2, run_starts_with},
    {SLICE("sum"), 1, 2, run_sum},
    {SLICE("title"), 1, 1, run_title},
    {SLICE("trim"), 1, 1, run_trim},
    {SLICE("truncate"), 2, 2, run_truncate},
    {SLICE("unique"), 1, 1, run_unique},
    {SLICE("upper"), 1, 1, run_upper},
    {SLICE("url"), 1, 1, run_url},
    {SLICE("where"), 2, 3, run_where},
    {SLICE("words"), 1, 1, run_words},
    {SLICE("wrap"), 2, 2, run_wrap},
};

const struct builtin *
builtin_find(struct slice name, uint32_t *index)
{
	uint32_t low = 0, high = sizeof builtins / sizeof *builtins;

	while (low < high) {
		uint32_t middle = (low + high) / 2;
		struct slice candidate = builtins[middle].name;
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
