/* builtins_text.c: text in, text out. Letters beyond ASCII pass unchanged. */
#include "builtins.h"

size_t
builtin_find_text(struct slice hay, struct slice needle)
{
	const char *at = hay.at, *end;

	if (needle.size == 0)
		return 0;
	if (needle.size > hay.size)
		return SIZE_MAX;
	end = hay.at + hay.size - needle.size + 1;
	while ((at = memchr(at, needle.at[0], (size_t)(end - at)))) {
		if (!memcmp(at, needle.at, needle.size))
			return (size_t)(at - hay.at);
		if (++at == end)
			break;
	}
	return SIZE_MAX;
}

static char
upper_of(char c)
{
	return is_kind(c, IS_LOWER) ? (char)(c - 32) : c;
}

static bool
begins_with(struct slice text, struct slice part)
{
	return text.size >= part.size && bytes_equal(text.at, part.at, part.size);
}

struct value
run_upper(struct call *c)
{
	struct slice text = call_text(c, 0);

	text_clear(c->scratch);
	for (size_t i = 0; i < text.size; i++)
		text_char(c->scratch, upper_of(text.at[i]));
	return call_scratch(c, VALUE_STRING);
}

struct value
run_lower(struct call *c)
{
	struct slice text = call_text(c, 0);

	text_clear(c->scratch);
	for (size_t i = 0; i < text.size; i++)
		text_char(c->scratch, lower_of(text.at[i]));
	return call_scratch(c, VALUE_STRING);
}

struct value
run_capitalize(struct call *c)
{
	struct slice text = call_text(c, 0);

	text_clear(c->scratch);
	if (text.size)
		text_char(c->scratch, upper_of(text.at[0]));
	for (size_t i = 1; i < text.size; i++)
		text_char(c->scratch, lower_of(text.at[i]));
	return call_scratch(c, VALUE_STRING);
}

static bool
is_small_word(struct slice word)
{
	static const char words[][5] = {"a", "an", "and", "as", "at", "by", "for", "from", "in",
	    "of", "on", "or", "the", "to", "with"};

	if (word.size > 4)
		return false;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		size_t at = 0;

		while (at < word.size && lower_of(word.at[at]) == words[i][at])
			at++;
		if (at == word.size && !words[i][at])
			return true;
	}
	return false;
}

struct value
run_title(struct call *c)
{
	struct slice text = call_text(c, 0);
	size_t i = 0;

	text_clear(c->scratch);
	while (i < text.size) {
		struct slice word = {text.at + i, 0};

		if (!is_kind(text.at[i], IS_WORD)) {
			text_char(c->scratch, text.at[i++]);
			continue;
		}
		while (i < text.size && (is_kind(text.at[i], IS_WORD) || text.at[i] == '\'')) {
			word.size++;
			i++;
		}
		if (word.at == text.at || !is_small_word(word)) {
			text_char(c->scratch, upper_of(word.at[0]));
			text_put(c->scratch, word.at + 1, word.size - 1);
		} else {
			text_put(c->scratch, word.at, word.size);
		}
	}
	return call_scratch(c, VALUE_STRING);
}

struct value
run_trim(struct call *c)
{
	return value_string(slice_trim(call_text(c, 0)));
}

struct value
run_contains(struct call *c)
{
	struct slice hay, needle;

	if (c->arguments[0].kind == VALUE_LIST) {
		const struct list *list = c->arguments[0].list;

		for (size_t i = 0; i < list->count; i++) {
			if (value_equal(list->items[i], c->arguments[1]))
				return value_truth(true);
		}
		return value_truth(false);
	}
	hay = call_text(c, 0);
	needle = call_text(c, 1);
	return value_truth(builtin_find_text(hay, needle) != SIZE_MAX);
}

struct value
run_starts_with(struct call *c)
{
	struct slice text = call_text(c, 0);

	return value_truth(begins_with(text, call_text(c, 1)));
}

struct value
run_ends_with(struct call *c)
{
	struct slice text = call_text(c, 0), part = call_text(c, 1);

	if (part.size > text.size)
		return value_truth(false);
	return value_truth(bytes_equal(text.at + text.size - part.size, part.at, part.size));
}

struct value
run_escape(struct call *c)
{
	struct slice text = call_text(c, 0);

	text_clear(c->scratch);
	text_escaped(c->scratch, text.at, text.size);
	return call_scratch(c, VALUE_HTML);
}

struct value
run_safe(struct call *c)
{
	struct slice text = call_text(c, 0);

	return (struct value){.kind = VALUE_HTML, .size = (uint32_t)text.size, .string = text.at};
}

struct value
run_url(struct call *c)
{
	struct slice text = call_text(c, 0);

	text_clear(c->scratch);
	text_url(c->scratch, text.at, text.size);
	return call_scratch(c, VALUE_STRING);
}

struct value
run_slug(struct call *c)
{
	struct slice text = call_text(c, 0);
	bool gap = false;

	text_clear(c->scratch);
	for (size_t i = 0; i < text.size; i++) {
		if (!is_kind(text.at[i], IS_WORD)) {
			gap = c->scratch->size != 0;
			continue;
		}
		if (gap)
			text_char(c->scratch, '-');
		gap = false;
		text_char(c->scratch, lower_of(text.at[i]));
	}
	return call_scratch(c, VALUE_STRING);
}

struct value
run_replace(struct call *c)
{
	struct slice text = call_text(c, 0), from = call_text(c, 1), to = call_text(c, 2);
	size_t found;

	if (from.size == 0)
		return value_string(text);
	text_clear(c->scratch);
	while ((found = builtin_find_text(text, from)) != SIZE_MAX) {
		text_put(c->scratch, text.at, found);
		text_put(c->scratch, to.at, to.size);
		text.at += found + from.size;
		text.size -= found + from.size;
	}
	text_put(c->scratch, text.at, text.size);
	return call_scratch(c, VALUE_STRING);
}

/* At most `most` bytes, cut between words and never inside a UTF-8 character. */
struct value
run_truncate(struct call *c)
{
	struct slice text = call_text(c, 0);
	int64_t most = call_integer(c, 1, 0);
	size_t cut;

	if (most < 0 || (uint64_t)most >= text.size)
		return value_string(text);
	cut = (size_t)most;
	while (cut && is_kind(text.at[cut], IS_WORD))
		cut--;
	if (cut == 0) {
		cut = (size_t)most;
		while (cut && ((uint8_t)text.at[cut] & 0xc0) == 0x80)
			cut--;
	}
	while (cut && !is_kind(text.at[cut - 1], IS_WORD))
		cut--;
	text_clear(c->scratch);
	text_put(c->scratch, text.at, cut);
	text_string(c->scratch, "…");
	return call_scratch(c, VALUE_STRING);
}

struct value
run_pad(struct call *c)
{
	struct slice text = call_text(c, 0);
	int64_t width = call_integer(c, 1, 0);
	struct slice fill = c->count > 2 ? call_text(c, 2) : slice_of(" ");
	size_t missing = 0;

	if (fill.size != 1 || width < 0 || width > 1000)
		return call_fail(
		    c, "a width up to 1000 and one character to fill with were expected");
	if ((uint64_t)width > text.size)
		missing = (size_t)width - text.size;
	text_clear(c->scratch);
	while (missing--)
		text_char(c->scratch, fill.at[0]);
	text_put(c->scratch, text.at, text.size);
	return call_scratch(c, VALUE_STRING);
}

struct value
run_plural(struct call *c)
{
	bool one = value_number(c->arguments[0]) == 1;
	struct slice word = call_text(c, 1);
	struct slice many = c->count > 2 ? call_text(c, 2) : (struct slice){0};

	text_clear(c->scratch);
	value_print(c->arguments[0], c->scratch);
	text_char(c->scratch, ' ');
	if (!one && many.size) {
		text_put(c->scratch, many.at, many.size);
	} else {
		text_put(c->scratch, word.at, word.size);
		if (!one)
			text_char(c->scratch, 's');
	}
	return call_scratch(c, VALUE_STRING);
}

struct value
run_split(struct call *c)
{
	struct slice text = call_text(c, 0), by = call_text(c, 1);
	struct list *list;
	size_t count = 1;

	if (by.size != 1)
		return call_fail(c, "one character to split at was expected");
	for (size_t i = 0; i < text.size; i++)
		count += text.at[i] == by.at[0];
	list = list_new(c->arena, count);
	while (list && list->count < count) {
		struct slice rest, part = slice_cut(text, by.at[0], &rest);

		list->items[list->count++] = value_string(slice_trim(part));
		text = rest;
	}
	return call_list_value(c, list);
}

struct value
run_words(struct call *c)
{
	struct slice text = call_text(c, 0);
	int64_t count = 0;
	bool inside = false;

	for (size_t i = 0; i < text.size; i++) {
		bool word = is_kind(text.at[i], IS_WORD) || (inside && text.at[i] == '\'');

		count += word && !inside;
		inside = word;
	}
	return value_integer(count);
}

/* Lines of at most `width` bytes, broken at spaces; longer words stay whole. */
struct value
run_wrap(struct call *c)
{
	struct slice text = call_text(c, 0);
	int64_t width = call_integer(c, 1, 72);
	size_t column = 0, i = 0;

	text_clear(c->scratch);
	while (i < text.size) {
		size_t from;

		while (i < text.size && is_kind(text.at[i], IS_SPACE))
			i++;
		from = i;
		while (i < text.size && !is_kind(text.at[i], IS_SPACE))
			i++;
		if (i == from)
			break;
		if (column && column + 1 + (i - from) > (uint64_t)width) {
			text_char(c->scratch, '\n');
			column = 0;
		} else if (column) {
			text_char(c->scratch, ' ');
			column++;
		}
		text_put(c->scratch, text.at + from, i - from);
		column += i - from;
	}
	return call_scratch(c, VALUE_STRING);
}
