/*
 * compile_template.c: text, {{ values }} and {% statements %}:
 *
 *   {% for x in list %} … {% else %} … {% end %}      {% for k, v in map %}
 *   {% if a %} … {% elif b %} … {% else %} … {% end %}
 *   {% set x = value %}     {% include "name" with value %}     {# a comment #}
 *
 * A statement alone on its line leaves no line behind.
 */
#include "compiler.h"

/* Where a list of statements stopped. */
enum stop { STOP_FAILED, STOP_SOURCE, STOP_END, STOP_ELSE, STOP_ELIF };

static enum stop compile_body(struct compiler *c);

static const char *
source_end(const struct compiler *c)
{
	return c->code->source.at + c->code->source.size;
}

static bool
emit_text(struct compiler *c, const char *from, const char *to)
{
	struct value text = value_string((struct slice){from, (size_t)(to - from)});
	uint32_t index;

	if (from == to)
		return true;
	text.kind = VALUE_HTML;
	if (!add_constant(c, text, &index))
		return false;
	emit(c, (struct op){.code = OP_TEXT, .operand = index}, 0);
	return !c->failed;
}

/* The look-ahead token must be the tag's end; moves past it. */
static bool
end_tag(struct compiler *c, const char *closing)
{
	struct slice end = c->lexer.token.text;

	if (c->lexer.token.kind != TOKEN_END || !slice_is(end, closing, 2))
		return compile_fail(c, "the end of the tag was expected", end);
	c->lexer.at = end.at + 2;
	return true;
}

static bool
expect_end(struct compiler *c, enum stop stop)
{
	if (stop == STOP_END)
		return true;
	if (stop != STOP_FAILED)
		compile_fail(c, "{% end %} is missing", (struct slice){0});
	return false;
}

static bool
compile_if(struct compiler *c)
{
	uint32_t ends[32], end_count = 0, otherwise;
	enum stop stop;

	do {
		if (!compile_value(c) || !end_tag(c, "%}"))
			return false;
		otherwise = emit(c, (struct op){.code = OP_JUMP_IF_FALSE}, -1);
		stop = compile_body(c);
		if (stop == STOP_FAILED)
			return false;
		if (end_count == 32)
			return compile_fail(c, "too many branches", (struct slice){0});
		ends[end_count++] = emit(c, (struct op){.code = OP_JUMP}, 0);
		land(c, otherwise);
	} while (stop == STOP_ELIF);
	if (stop == STOP_ELSE) {
		if (!end_tag(c, "%}"))
			return false;
		stop = compile_body(c);
	}
	if (!expect_end(c, stop) || !end_tag(c, "%}"))
		return false;
	while (end_count)
		land(c, ends[--end_count]);
	return !c->failed;
}

static bool
compile_loop_names(struct compiler *c, unsigned *count, uint16_t *slot)
{
	struct slice names[2];

	*count = 0;
	do {
		if (*count == 2)
			return compile_fail(c, "a loop has two names at most", c->lexer.token.text);
		names[*count] = c->lexer.token.text;
		if (!lexer_take(&c->lexer, TOKEN_NAME))
			return compile_fail(c, "a name was expected", c->lexer.token.text);
		++*count;
	} while (lexer_take(&c->lexer, ','));
	if (!lexer_take(&c->lexer, TOKEN_IN))
		return compile_fail(c, "\"in\" was expected", c->lexer.token.text);
	if (!compile_value(c) || !end_tag(c, "%}") || !add_slot(c, names[0], slot))
		return false;
	return *count == 1 || add_slot(c, names[1], &(uint16_t){0});
}

static bool
compile_for(struct compiler *c)
{
	unsigned count, outer_slots = c->slot_count;
	uint32_t each, end;
	uint16_t slot;
	enum stop stop;

	if (!compile_loop_names(c, &count, &slot))
		return false;
	each = emit(c, (struct op){.code = OP_EACH, .count = (uint8_t)count, .slot = slot}, -1);
	c->loops++;
	stop = compile_body(c);
	if (stop == STOP_FAILED)
		return false;
	emit(c,
	    (struct op){
		.code = OP_NEXT, .count = (uint8_t)count, .slot = slot, .operand = each + 1},
	    0);
	c->loops--;
	c->slot_count = outer_slots;
	end = emit(c, (struct op){.code = OP_JUMP}, 0);
	land(c, each);
	if (stop == STOP_ELSE) {
		if (!end_tag(c, "%}"))
			return false;
		stop = compile_body(c);
	}
	if (!expect_end(c, stop) || !end_tag(c, "%}"))
		return false;
	land(c, end);
	return !c->failed;
}

static bool
compile_set(struct compiler *c)
{
	struct slice name = c->lexer.token.text;
	uint16_t slot = 0;
	bool known = false;

	if (!lexer_take(&c->lexer, TOKEN_NAME) || !lexer_take(&c->lexer, '='))
		return compile_fail(c, "a name and = were expected", c->lexer.token.text);
	if (!compile_value(c))
		return false;
	for (unsigned i = 0; i < c->slot_count && !known; i++) {
		known = slice_equal(c->slots[i], name);
		slot = (uint16_t)i;
	}
	if (!known && !add_slot(c, name, &slot))
		return false;
	emit(c, (struct op){.code = OP_STORE, .slot = slot}, -1);
	return end_tag(c, "%}");
}

static bool
compile_include(struct compiler *c)
{
	struct slice name = c->lexer.token.text;
	uint32_t index;

	if (!lexer_take(&c->lexer, TOKEN_STRING))
		return compile_fail(c, "a template's name in quotes was expected", name);
	if (!LEXER_TAKE_WORD(&c->lexer, "with"))
		return compile_fail(
		    c, "\"with\" and the template's data were expected", c->lexer.token.text);
	if (!add_name(c, name, &index) || !compile_value(c))
		return false;
	emit(c, (struct op){.code = OP_INCLUDE, .operand = index}, -1);
	return end_tag(c, "%}");
}

/* After "{%". STOP_SOURCE means: a statement was compiled, go on. */
static enum stop
compile_statement(struct compiler *c)
{
	bool done;

	lexer_init(&c->lexer, c->lexer.at, source_end(c), c->lexer.line);
	if (LEXER_TAKE_WORD(&c->lexer, "end"))
		return STOP_END;
	if (LEXER_TAKE_WORD(&c->lexer, "else"))
		return STOP_ELSE;
	if (LEXER_TAKE_WORD(&c->lexer, "elif"))
		return STOP_ELIF;
	if (++c->nesting > MOST_NESTING)
		done = compile_fail(c, "nested too deeply", c->lexer.token.text);
	else if (LEXER_TAKE_WORD(&c->lexer, "if"))
		done = compile_if(c);
	else if (LEXER_TAKE_WORD(&c->lexer, "for"))
		done = compile_for(c);
	else if (LEXER_TAKE_WORD(&c->lexer, "set"))
		done = compile_set(c);
	else if (LEXER_TAKE_WORD(&c->lexer, "include"))
		done = compile_include(c);
	else
		done = compile_fail(c, "an unknown statement", c->lexer.token.text);
	c->nesting--;
	return done ? STOP_SOURCE : STOP_FAILED;
}

static bool
compile_comment(struct compiler *c)
{
	const char *at = c->lexer.at, *end = source_end(c);

	while (end - at > 1 && (at[0] != '#' || at[1] != '}')) {
		if (*at++ == '\n')
			c->lexer.line++;
	}
	if (end - at < 2)
		return compile_fail(c, "a comment that never ends", (struct slice){0});
	c->lexer.at = at + 2;
	return true;
}

/* Text up to the next tag, whose first two characters are taken. 0: no tag follows. */
static char
compile_text(struct compiler *c)
{
	const char *from = c->lexer.at, *end = source_end(c), *at = from, *to;

	while (at < end && (*at != '{' || end - at < 2 || !strchr("{%#", at[1]))) {
		if (*at++ == '\n')
			c->lexer.line++;
	}
	to = at;
	if (at < end && at[1] != '{') {
		while (to > from && (to[-1] == ' ' || to[-1] == '\t'))
			to--;
		if (to > c->code->source.at && to[-1] != '\n')
			to = at;
	}
	if (!emit_text(c, from, to))
		return 0;
	c->lexer.at = at < end ? at + 2 : at;
	return at < end ? at[1] : 0;
}

static void
skip_line_end(struct compiler *c)
{
	if (c->lexer.at < source_end(c) && *c->lexer.at == '\n') {
		c->lexer.at++;
		c->lexer.line++;
	}
}

/* From c->lexer.at, which is after a tag, to a tag that the caller must understand. */
static enum stop
compile_body(struct compiler *c)
{
	if (c->lexer.at != c->code->source.at && c->lexer.at[-2] == '%')
		skip_line_end(c);
	for (;;) {
		enum stop stop;

		switch (compile_text(c)) {
		case '{':
			lexer_init(&c->lexer, c->lexer.at, source_end(c), c->lexer.line);
			if (!compile_value(c) || !end_tag(c, "}}"))
				return STOP_FAILED;
			emit(c, (struct op){.code = OP_PRINT}, -1);
			break;
		case '%':
			stop = compile_statement(c);
			if (stop != STOP_SOURCE)
				return stop;
			skip_line_end(c);
			break;
		case '#':
			if (!compile_comment(c))
				return STOP_FAILED;
			skip_line_end(c);
			break;
		default:
			return c->failed ? STOP_FAILED : STOP_SOURCE;
		}
	}
}

struct code *
compile_template(struct slice source, struct compile_error *error)
{
	struct compiler c;
	enum stop stop;

	if (compiler_init(&c, source, error)) {
		c.lexer = (struct lexer){.at = c.code->source.at, .line = 1};
		stop = compile_body(&c);
		if (stop != STOP_SOURCE && stop != STOP_FAILED)
			compile_fail(
			    &c, "end, elif or else without a beginning", (struct slice){0});
	}
	return compiler_finish(&c);
}
