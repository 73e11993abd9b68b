/*
 * json.c: the parser. Recursive descent, at most MOST_DEPTH deep.
 *
 * Members of the list or map being read wait on one shared stack, so that each
 * is copied once, into an array of its final size.
 */
#include "json.h"

#include <stdlib.h>

#define MOST_DEPTH 64
#define MOST_WAITING 65536

struct parser {
	const char *at, *end;
	struct arena *arena;
	struct entry *waiting;
	size_t waiting_count, waiting_capacity;
	unsigned depth;
	const char *failure;
};

static bool parse_value(struct parser *p, struct value *value);

static bool
fail(struct parser *p, const char *what)
{
	if (!p->failure)
		p->failure = what;
	return false;
}

static void
skip_space(struct parser *p)
{
	while (p->at < p->end && is_kind(*p->at, IS_SPACE))
		p->at++;
}

static bool
expect(struct parser *p, char c)
{
	if (p->at == p->end || *p->at != c)
		return false;
	p->at++;
	return true;
}

static bool
push_waiting(struct parser *p, struct key key, struct value value)
{
	if (p->waiting_count == p->waiting_capacity) {
		size_t capacity = p->waiting_capacity ? p->waiting_capacity * 2 : 64;
		struct entry *waiting;

		if (capacity > MOST_WAITING)
			return fail(p, "too many members");
		waiting = arena_array(p->arena, capacity, sizeof *waiting);
		if (!waiting)
			return fail(p, "too large for the memory a request may use");
		if (p->waiting_count)
			memcpy(waiting, p->waiting, p->waiting_count * sizeof *waiting);
		p->waiting = waiting;
		p->waiting_capacity = capacity;
	}
	p->waiting[p->waiting_count++] = (struct entry){key, value};
	return true;
}

/* How many bytes the UTF-8 character at `at` has; 0 if it is none. */
static size_t
utf8_length(const char *at, const char *end)
{
	const uint8_t *b = (const uint8_t *)at;
	size_t left = (size_t)(end - at);

	if (b[0] >= 0xc2 && b[0] <= 0xdf)
		return left > 1 && (b[1] & 0xc0) == 0x80 ? 2 : 0;
	if (b[0] >= 0xe0 && b[0] <= 0xef) {
		if (left < 3 || (b[1] & 0xc0) != 0x80 || (b[2] & 0xc0) != 0x80)
			return 0;
		if ((b[0] == 0xe0 && b[1] < 0xa0) || (b[0] == 0xed && b[1] > 0x9f))
			return 0;
		return 3;
	}
	if (b[0] >= 0xf0 && b[0] <= 0xf4) {
		if (left < 4 || (b[1] & 0xc0) != 0x80 || (b[2] & 0xc0) != 0x80 ||
		    (b[3] & 0xc0) != 0x80)
			return 0;
		if ((b[0] == 0xf0 && b[1] < 0x90) || (b[0] == 0xf4 && b[1] > 0x8f))
			return 0;
		return 4;
	}
	return 0;
}

/* Moves over the string's bytes to its closing quote; says whether it has escapes. */
static bool
scan_string(struct parser *p, bool *escapes)
{
	*escapes = false;
	for (;;) {
		size_t length;

		while (p->at < p->end && !is_kind(*p->at, IS_STOP))
			p->at++;
		if (p->at == p->end || *p->at == '"')
			break;
		if (*p->at == '\\') {
			*escapes = true;
			p->at += p->end - p->at > 1 ? 2 : 1;
		} else if ((uint8_t)*p->at < 0x20) {
			return fail(p, "a control character in a string");
		} else {
			length = utf8_length(p->at, p->end);
			if (!length)
				return fail(p, "bytes that are not UTF-8");
			p->at += length;
		}
	}
	if (p->at == p->end)
		return fail(p, "a string that never ends");
	return true;
}

static int
hex_digit(char c)
{
	if (is_kind(c, IS_DIGIT))
		return c - '0';
	c = lower_of(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
read_hex4(const char *at, const char *end, uint32_t *code)
{
	*code = 0;
	if (end - at < 4)
		return false;
	for (unsigned i = 0; i < 4; i++) {
		int digit = hex_digit(at[i]);

		if (digit < 0)
			return false;
		*code = *code << 4 | (uint32_t)digit;
	}
	return true;
}

static char *
put_utf8(char *out, uint32_t code)
{
	if (code < 0x80) {
		*out++ = (char)code;
	} else if (code < 0x800) {
		*out++ = (char)(0xc0 | code >> 6);
		*out++ = (char)(0x80 | (code & 63));
	} else if (code < 0x10000) {
		*out++ = (char)(0xe0 | code >> 12);
		*out++ = (char)(0x80 | (code >> 6 & 63));
		*out++ = (char)(0x80 | (code & 63));
	} else {
		*out++ = (char)(0xf0 | code >> 18);
		*out++ = (char)(0x80 | (code >> 12 & 63));
		*out++ = (char)(0x80 | (code >> 6 & 63));
		*out++ = (char)(0x80 | (code & 63));
	}
	return out;
}

/* After "\u": one code unit, or a surrogate pair. NULL if it is neither. */
static const char *
read_unicode(const char *at, const char *end, uint32_t *code)
{
	uint32_t low;

	if (!read_hex4(at, end, code))
		return NULL;
	at += 4;
	if (*code < 0xd800 || *code > 0xdfff)
		return at;
	if (*code > 0xdbff || end - at < 6 || at[0] != '\\' || at[1] != 'u' ||
	    !read_hex4(at + 2, end, &low) || low < 0xdc00 || low > 0xdfff)
		return NULL;
	*code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
	return at + 6;
}

/* What an escape's letter means; 0: none of one character. */
static char
escaped_character(char c)
{
	switch (c) {
	case '"':
	case '\\':
	case '/':
		return c;
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	default:
		return 0;
	}
}

/* [at, end) has whole escapes only; `out` has room for as many bytes. Its new end, or NULL. */
static char *
unescape(const char *at, const char *end, char *out)
{
	for (;;) {
		const char *escape = memchr(at, '\\', (size_t)(end - at));
		size_t plain = (size_t)((escape ? escape : end) - at);
		uint32_t code;

		memcpy(out, at, plain);
		out += plain;
		if (!escape)
			return out;
		at = escape + 2;
		code = (uint8_t)escaped_character(escape[1]);
		if (!code && escape[1] == 'u')
			at = read_unicode(at, end, &code);
		else if (!code)
			return NULL;
		if (!at)
			return NULL;
		out = put_utf8(out, code);
	}
}

static bool
parse_string(struct parser *p, struct slice *string)
{
	const char *from = ++p->at;
	char *copy, *end;
	bool escapes;

	if (!scan_string(p, &escapes))
		return false;
	*string = (struct slice){from, (size_t)(p->at - from)};
	if (string->size > UINT32_MAX)
		return fail(p, "a string too long");
	p->at++;
	if (!escapes)
		return true;
	copy = arena_alloc(p->arena, string->size);
	if (!copy)
		return fail(p, "too large for the memory a request may use");
	end = unescape(from, from + string->size, copy);
	if (!end)
		return fail(p, "an escape that JSON doesn't know");
	*string = (struct slice){copy, (size_t)(end - copy)};
	return true;
}

static bool
parse_list(struct parser *p, struct value *value)
{
	size_t base = p->waiting_count;
	struct list *list;

	p->at++;
	skip_space(p);
	if (!expect(p, ']')) {
		for (;;) {
			struct value item;

			if (!parse_value(p, &item) || !push_waiting(p, (struct key){0}, item))
				return false;
			skip_space(p);
			if (expect(p, ']'))
				break;
			if (!expect(p, ','))
				return fail(p, "a comma or ] was expected");
		}
	}
	list = list_new(p->arena, p->waiting_count - base);
	if (!list)
		return fail(p, "too large for the memory a request may use");
	for (size_t i = base; i < p->waiting_count; i++)
		list->items[list->count++] = p->waiting[i].value;
	p->waiting_count = base;
	*value = (struct value){.kind = VALUE_LIST, .list = list};
	return true;
}

static bool
parse_member(struct parser *p)
{
	struct slice name;
	struct value value;

	skip_space(p);
	if (p->at == p->end || *p->at != '"')
		return fail(p, "a member's name was expected");
	if (!parse_string(p, &name))
		return false;
	skip_space(p);
	if (!expect(p, ':'))
		return fail(p, "a colon was expected");
	return parse_value(p, &value) && push_waiting(p, key_of(name), value);
}

static bool
parse_map(struct parser *p, struct value *value)
{
	size_t base = p->waiting_count;
	struct map *map;

	p->at++;
	skip_space(p);
	if (!expect(p, '}')) {
		for (;;) {
			if (!parse_member(p))
				return false;
			skip_space(p);
			if (expect(p, '}'))
				break;
			if (!expect(p, ','))
				return fail(p, "a comma or } was expected");
		}
	}
	map = map_new(p->arena, p->waiting_count - base);
	if (!map)
		return fail(p, "too large for the memory a request may use");
	for (size_t i = base; i < p->waiting_count; i++) {
		if (!map_set(map, p->arena, p->waiting[i].key, p->waiting[i].value))
			return fail(p, "too large for the memory a request may use");
	}
	p->waiting_count = base;
	*value = (struct value){.kind = VALUE_MAP, .map = map};
	return true;
}

static bool
parse_word(
    struct parser *p, const char *word, size_t size, struct value meaning, struct value *value)
{
	if ((size_t)(p->end - p->at) < size || memcmp(p->at, word, size))
		return fail(p, "a value was expected");
	p->at += size;
	*value = meaning;
	return true;
}

static bool
parse_value(struct parser *p, struct value *value)
{
	struct slice string;
	bool done;

	skip_space(p);
	if (p->at == p->end)
		return fail(p, "a value was expected");
	switch (*p->at) {
	case '"':
		if (!parse_string(p, &string))
			return false;
		*value = value_string(string);
		return true;
	case '{':
	case '[':
		if (++p->depth > MOST_DEPTH)
			return fail(p, "nested too deeply");
		done = *p->at == '{' ? parse_map(p, value) : parse_list(p, value);
		p->depth--;
		return done;
	case 't':
		return parse_word(p, "true", 4, value_truth(true), value);
	case 'f':
		return parse_word(p, "false", 5, value_truth(false), value);
	case 'n':
		return parse_word(p, "null", 4, NO_VALUE, value);
	default:
		if (!json_number(&p->at, p->end, value))
			return fail(p, "a value was expected");
		return true;
	}
}

bool
json_parse(struct slice source, struct arena *arena, struct value *value, struct json_error *error)
{
	struct parser p = {.at = source.at, .end = source.at + source.size, .arena = arena};

	if (parse_value(&p, value)) {
		skip_space(&p);
		if (p.at == p.end)
			return true;
		fail(&p, "more follows the value");
	}
	error->what = p.failure;
	error->offset = (size_t)(p.at - source.at);
	return false;
}
