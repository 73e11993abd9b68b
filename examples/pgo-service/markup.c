/* markup.c: see markup.h. Lines are sorted into blocks; a block's text goes through the inline scanner. */
#include "markup.h"

#define MOST_NESTING 6
#define MOST_MARKED 1000 /* bytes between a mark and its end */

enum line_kind {
	LINE_BLANK,
	LINE_TEXT,
	LINE_HEADING,
	LINE_BULLET,
	LINE_NUMBER,
	LINE_QUOTE,
	LINE_FENCE,
	LINE_TABLE,
	LINE_RULE,
};

struct line {
	enum line_kind kind;
	unsigned level;    /* of a heading */
	struct slice text; /* without the mark */
};

static void put_inline(struct slice text, unsigned nesting, struct text *out);

static unsigned
count_same(struct slice text, char c)
{
	unsigned count = 0;

	while (count < text.size && text.at[count] == c)
		count++;
	return count;
}

static struct slice
without(struct slice text, size_t count)
{
	return slice_trim((struct slice){text.at + count, text.size - count});
}

static struct line
read_line(struct slice text)
{
	struct line line = {.kind = LINE_TEXT, .text = slice_trim(text)};
	unsigned count;

	text = line.text;
	if (text.size == 0) {
		line.kind = LINE_BLANK;
		return line;
	}
	switch (text.at[0]) {
	case '#':
		count = count_same(text, '#');
		if (count <= 6 && count < text.size && text.at[count] == ' ')
			line = (struct line){LINE_HEADING, count, without(text, count)};
		break;
	case '-':
		count = count_same(text, '-');
		if (count == text.size && count >= 3)
			line.kind = LINE_RULE;
		else if (count == 1 && text.size > 1 && text.at[1] == ' ')
			line = (struct line){LINE_BULLET, 0, without(text, 1)};
		break;
	case '>':
		line = (struct line){LINE_QUOTE, 0, without(text, 1)};
		break;
	case '|':
		line.kind = LINE_TABLE;
		break;
	case '`':
		if (count_same(text, '`') >= 3)
			line.kind = LINE_FENCE;
		break;
	default:
		for (count = 0;
		    count < text.size && count < 3 && is_kind(text.at[count], IS_DIGIT);)
			count++;
		if (count && count + 1 < text.size && text.at[count] == '.' &&
		    text.at[count + 1] == ' ')
			line = (struct line){LINE_NUMBER, 0, without(text, count + 1)};
		break;
	}
	return line;
}

/*
 * Where `mark` comes again in `text` after `from`, with no space before it; 0:
 * nowhere within MOST_MARKED, which keeps text full of open marks from taking quadratic time.
 */
static size_t
find_closing(struct slice text, size_t from, char mark, size_t length)
{
	size_t end = text.size - from > MOST_MARKED ? from + MOST_MARKED : text.size;

	for (size_t i = from + 1; i + length <= end; i++) {
		if (text.at[i] == '\\') {
			i++;
			continue;
		}
		if (text.at[i] != mark || is_kind(text.at[i - 1], IS_SPACE))
			continue;
		if (length == 1 || text.at[i + 1] == mark)
			return i;
	}
	return 0;
}

static bool
is_safe_address(struct slice address)
{
	struct slice rest, scheme = slice_cut(address, ':', &rest);

	if (scheme.size == address.size || memchr(scheme.at, '/', scheme.size))
		return true;
	return SLICE_IS(scheme, "https") || SLICE_IS(scheme, "http") || SLICE_IS(scheme, "mailto");
}

static void
put_link(struct slice label, struct slice address, unsigned nesting, struct text *out)
{
	text_string(out, "<a href=\"");
	text_escaped(out, address.at, address.size);
	text_string(out, "\">");
	put_inline(label, nesting + 1, out);
	text_string(out, "</a>");
}

/* At a "[": the link's length, or 0 if it is none. */
static size_t
try_link(struct slice text, size_t at, unsigned nesting, struct text *out)
{
	size_t label_end = find_closing(text, at, ']', 1), end;
	struct slice address;

	if (!label_end || label_end + 1 >= text.size || text.at[label_end + 1] != '(')
		return 0;
	end = find_closing(text, label_end + 1, ')', 1);
	if (!end)
		return 0;
	address = (struct slice){text.at + label_end + 2, end - label_end - 2};
	if (!is_safe_address(address))
		return 0;
	put_link((struct slice){text.at + at + 1, label_end - at - 1}, address, nesting, out);
	return end + 1 - at;
}

/* Whether a bare address begins at an "h". */
static bool
is_address(struct slice text, size_t at)
{
	struct slice left = {text.at + at, text.size - at};

	if (left.size < 8 || left.at[1] != 't' || (at && is_kind(text.at[at - 1], IS_WORD)))
		return false;
	return !memcmp(left.at, "http://", 7) || !memcmp(left.at, "https://", 8);
}

/* A bare address at an "h": its length without what ends the sentence. */
static size_t
put_address(struct slice text, size_t at, struct text *out)
{
	struct slice left = {text.at + at, text.size - at}, address;
	size_t size = 7;

	while (size < left.size && !is_kind(left.at[size], IS_SPACE | IS_MARKED) &&
	       left.at[size] != ')')
		size++;
	while (size > 7 && memchr(".,;:!?", left.at[size - 1], 6))
		size--;
	address = (struct slice){left.at, size};
	put_link(address, address, MOST_NESTING, out);
	return size;
}

/* At a "*": the length of what is emphasised with its marks, or 0. */
static size_t
try_emphasis(struct slice text, size_t at, unsigned nesting, struct text *out)
{
	size_t marks = at + 1 < text.size && text.at[at + 1] == '*' ? 2 : 1;
	size_t from = at + marks, end;

	if (from >= text.size || is_kind(text.at[from], IS_SPACE))
		return 0;
	end = find_closing(text, from, '*', marks);
	if (!end)
		return 0;
	text_string(out, marks == 2 ? "<strong>" : "<em>");
	put_inline((struct slice){text.at + from, end - from}, nesting + 1, out);
	text_string(out, marks == 2 ? "</strong>" : "</em>");
	return end + marks - at;
}

static size_t
try_code(struct slice text, size_t at, struct text *out)
{
	const char *end = memchr(text.at + at + 1, '`', text.size - at - 1);

	if (!end)
		return 0;
	text_string(out, "<code>");
	text_escaped(out, text.at + at + 1, (size_t)(end - text.at) - at - 1);
	text_string(out, "</code>");
	return (size_t)(end - text.at) + 1 - at;
}

/* At a character that may begin something: how much was understood and put. */
static size_t
try_mark(struct slice text, size_t at, unsigned nesting, struct text *out)
{
	switch (text.at[at]) {
	case '*':
		return try_emphasis(text, at, nesting, out);
	case '`':
		return try_code(text, at, out);
	case '[':
		return try_link(text, at, nesting, out);
	case 'h':
		return put_address(text, at, out);
	case '\\':
		if (at + 1 == text.size || is_kind(text.at[at + 1], IS_WORD | IS_SPACE))
			return 0;
		text_escaped(out, text.at + at + 1, 1);
		return 2;
	default:
		return 0;
	}
}

static void
put_inline(struct slice text, unsigned nesting, struct text *out)
{
	size_t from = 0, at = 0;

	if (nesting > MOST_NESTING) {
		text_escaped(out, text.at, text.size);
		return;
	}
	while (at < text.size) {
		size_t taken;

		if (!is_kind(text.at[at], IS_INLINE)) {
			at++;
			continue;
		}
		if (text.at[at] == 'h' && !is_address(text, at)) {
			at++;
			continue;
		}
		text_escaped(out, text.at + from, at - from);
		taken = try_mark(text, at, nesting, out);
		from = at + taken;
		at += taken ? taken : 1;
	}
	text_escaped(out, text.at + from, text.size - from);
}

static void
put_table_row(struct slice row, bool head, struct text *out)
{
	struct slice cell, rest;

	row = without(row, 1);
	if (row.size && row.at[row.size - 1] == '|')
		row.size--;
	text_string(out, "<tr>");
	for (rest = row; rest.size;) {
		cell = slice_trim(slice_cut(rest, '|', &rest));
		text_string(out, head ? "<th>" : "<td>");
		put_inline(cell, 0, out);
		text_string(out, head ? "</th>" : "</td>");
	}
	text_string(out, "</tr>\n");
}

static bool
is_table_rule(struct slice row)
{
	for (size_t i = 0; i < row.size; i++) {
		if (!memchr("|-: ", row.at[i], 4))
			return false;
	}
	return true;
}

/* The lines of one block that begins with `line`; returns what follows it. */
static struct slice
put_lines(struct line line, struct slice rest, enum line_kind kind, struct text *out)
{
	bool first = true;

	while (line.kind == kind) {
		if (kind == LINE_TABLE) {
			if (!is_table_rule(line.text))
				put_table_row(line.text, first, out);
		} else if (kind == LINE_BULLET || kind == LINE_NUMBER) {
			text_string(out, "<li>");
			put_inline(line.text, 0, out);
			text_string(out, "</li>\n");
		} else {
			if (!first)
				text_char(out, '\n');
			put_inline(line.text, 0, out);
		}
		first = false;
		if (rest.size == 0)
			break;
		struct slice after, next = slice_cut(rest, '\n', &after);

		line = read_line(next);
		if (line.kind == kind)
			rest = after;
	}
	return rest;
}

static struct slice
put_code_block(struct slice rest, struct text *out)
{
	text_string(out, "<pre><code>");
	while (rest.size) {
		struct slice line = slice_cut(rest, '\n', &rest);

		if (read_line(line).kind == LINE_FENCE)
			break;
		text_escaped(out, line.at, line.size);
		text_char(out, '\n');
	}
	text_string(out, "</code></pre>\n");
	return rest;
}

static void
put_heading(const struct line *line, struct text *out)
{
	char open[] = "<h1>", close[] = "</h1>\n";

	open[2] = close[3] = (char)('0' + line->level);
	text_string(out, open);
	put_inline(line->text, 0, out);
	text_string(out, close);
}

static struct slice
put_block(struct line line, struct slice rest, struct text *out)
{
	static const struct {
		const char *open, *close;
	} tags[] = {
	    [LINE_TEXT] = {"<p>", "</p>\n"},
	    [LINE_BULLET] = {"<ul>\n", "</ul>\n"},
	    [LINE_NUMBER] = {"<ol>\n", "</ol>\n"},
	    [LINE_QUOTE] = {"<blockquote>", "</blockquote>\n"},
	    [LINE_TABLE] = {"<table>\n", "</table>\n"},
	};

	switch (line.kind) {
	case LINE_BLANK:
		return rest;
	case LINE_HEADING:
		put_heading(&line, out);
		return rest;
	case LINE_RULE:
		text_string(out, "<hr>\n");
		return rest;
	case LINE_FENCE:
		return put_code_block(rest, out);
	default:
		text_string(out, tags[line.kind].open);
		rest = put_lines(line, rest, line.kind, out);
		text_string(out, tags[line.kind].close);
		return rest;
	}
}

void
markup_to_html(struct slice source, struct text *out)
{
	while (source.size) {
		struct slice line = slice_cut(source, '\n', &source);

		source = put_block(read_line(line), source, out);
	}
}
