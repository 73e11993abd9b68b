/*
 * compile_expression.c: expressions, by precedence climbing.
 *
 *   value   := binary [ "?" value ":" value ]
 *   binary  := unary { operator binary }
 *   unary   := ("-" | "not") unary | primary { "." name | "[" value "]" | "|" call }
 *   primary := name | call | string | number | "(" value ")" | "[" values "]"
 *
 * `a | f(b)` means f(a, b).
 */
#include "builtins.h"
#include "compiler.h"

#define MOST_ARGUMENTS 8

struct infix {
	uint8_t op;
	uint8_t precedence; /* 0: no infix */
};

static struct infix
infix_of(int token)
{
	switch (token) {
	case TOKEN_OR:
		return (struct infix){OP_OR, 1};
	case TOKEN_AND:
		return (struct infix){OP_AND, 2};
	case TOKEN_EQUAL:
		return (struct infix){OP_EQUAL, 3};
	case TOKEN_UNEQUAL:
		return (struct infix){OP_UNEQUAL, 3};
	case TOKEN_AT_MOST:
		return (struct infix){OP_AT_MOST, 3};
	case TOKEN_AT_LEAST:
		return (struct infix){OP_AT_LEAST, 3};
	case '<':
		return (struct infix){OP_LESS, 3};
	case '>':
		return (struct infix){OP_MORE, 3};
	case TOKEN_IN:
		return (struct infix){OP_IN, 3};
	case '~':
		return (struct infix){OP_JOIN, 4};
	case '+':
		return (struct infix){OP_ADD, 5};
	case '-':
		return (struct infix){OP_SUBTRACT, 5};
	case '*':
		return (struct infix){OP_MULTIPLY, 6};
	case '/':
		return (struct infix){OP_DIVIDE, 6};
	case '%':
		return (struct infix){OP_REMAINDER, 6};
	default:
		return (struct infix){0};
	}
}

static bool
emit_constant(struct compiler *c, struct value value)
{
	uint32_t index;

	if (!add_constant(c, value, &index))
		return false;
	emit(c, (struct op){.code = OP_CONSTANT, .operand = index}, 1);
	return !c->failed;
}

static bool
compile_loop_property(struct compiler *c)
{
	static const char *const names[] = {"index", "first", "last", "count"};

	if (!c->loops)
		return compile_fail(c, "\"loop\" outside of a loop", c->lexer.token.text);
	if (!lexer_take(&c->lexer, '.'))
		return compile_fail(c, "a dot was expected", c->lexer.token.text);
	for (unsigned i = 0; i < 4; i++) {
		if (lexer_take_word(&c->lexer, names[i], strlen(names[i]))) {
			emit(c, (struct op){.code = OP_LOOP, .count = (uint8_t)i}, 1);
			return !c->failed;
		}
	}
	return compile_fail(c, "loop has index, first, last and count only", c->lexer.token.text);
}

static bool
compile_name(struct compiler *c, struct slice name)
{
	uint32_t index;

	if (SLICE_IS(name, "true") || SLICE_IS(name, "false"))
		return emit_constant(c, value_truth(name.size == 4));
	if (SLICE_IS(name, "none"))
		return emit_constant(c, NO_VALUE);
	if (SLICE_IS(name, "this")) {
		emit(c, (struct op){.code = OP_THIS}, 1);
		return !c->failed;
	}
	if (SLICE_IS(name, "loop"))
		return compile_loop_property(c);
	for (unsigned i = c->slot_count; i-- > 0;) {
		if (slice_equal(c->slots[i], name)) {
			emit(c, (struct op){.code = OP_LOCAL, .slot = (uint16_t)i}, 1);
			return !c->failed;
		}
	}
	if (!add_name(c, name, &index))
		return false;
	emit(c, (struct op){.code = OP_NAME, .operand = index}, 1);
	return !c->failed;
}

/* Values up to `closing`, which is taken; *count is added to. */
static bool
compile_values(struct compiler *c, int closing, unsigned *count)
{
	if (lexer_take(&c->lexer, closing))
		return true;
	for (;;) {
		if (!compile_value(c))
			return false;
		if (++*count > 255)
			return compile_fail(c, "too many items", c->lexer.token.text);
		if (lexer_take(&c->lexer, closing))
			return true;
		if (!lexer_take(&c->lexer, ','))
			return compile_fail(
			    c, "a comma or a closing bracket was expected", c->lexer.token.text);
	}
}

/* The call's name is past; `count` arguments are on the stack already. */
static bool
compile_call(struct compiler *c, struct slice name, unsigned count)
{
	uint32_t index;
	const struct builtin *builtin = builtin_find(name, &index);

	if (!builtin)
		return compile_fail(c, "an unknown function", name);
	if (lexer_take(&c->lexer, '(') && !compile_values(c, ')', &count))
		return false;
	if (count < builtin->least || count > builtin->most || count > MOST_ARGUMENTS)
		return compile_fail(c, "the wrong number of arguments", name);
	emit(c, (struct op){.code = OP_CALL, .count = (uint8_t)count, .operand = index},
	    1 - (int)count);
	return !c->failed;
}

static bool
compile_primary(struct compiler *c)
{
	struct token token = c->lexer.token;
	unsigned count = 0;

	switch (token.kind) {
	case TOKEN_NAME:
		lexer_next(&c->lexer);
		if (c->lexer.token.kind == '(')
			return compile_call(c, token.text, 0);
		return compile_name(c, token.text);
	case TOKEN_STRING:
		lexer_next(&c->lexer);
		return emit_constant(c, value_string(token.text));
	case TOKEN_NUMBER:
		lexer_next(&c->lexer);
		return emit_constant(c, token.number);
	case '(':
		lexer_next(&c->lexer);
		if (!compile_value(c))
			return false;
		if (!lexer_take(&c->lexer, ')'))
			return compile_fail(
			    c, "a closing bracket was expected", c->lexer.token.text);
		return true;
	case '[':
		lexer_next(&c->lexer);
		if (!compile_values(c, ']', &count))
			return false;
		emit(c, (struct op){.code = OP_LIST, .count = (uint8_t)count}, 1 - (int)count);
		return !c->failed;
	default:
		return compile_fail(c, "a value was expected", token.text);
	}
}

static bool
compile_member(struct compiler *c)
{
	struct slice name = c->lexer.token.text;
	uint32_t index;

	if (!lexer_take(&c->lexer, TOKEN_NAME))
		return compile_fail(c, "a member's name was expected", name);
	if (!add_name(c, name, &index))
		return false;
	emit(c, (struct op){.code = OP_MEMBER, .operand = index}, 0);
	return !c->failed;
}

static bool
compile_postfix(struct compiler *c)
{
	if (!compile_primary(c))
		return false;
	for (;;) {
		struct slice name;

		if (lexer_take(&c->lexer, '.')) {
			if (!compile_member(c))
				return false;
		} else if (lexer_take(&c->lexer, '[')) {
			if (!compile_value(c))
				return false;
			if (!lexer_take(&c->lexer, ']'))
				return compile_fail(
				    c, "a closing bracket was expected", c->lexer.token.text);
			emit(c, (struct op){.code = OP_INDEX}, -1);
		} else if (lexer_take(&c->lexer, '|')) {
			name = c->lexer.token.text;
			if (!lexer_take(&c->lexer, TOKEN_NAME))
				return compile_fail(c, "a function's name was expected", name);
			if (!compile_call(c, name, 1))
				return false;
		} else {
			return !c->failed;
		}
	}
}

static bool
compile_unary(struct compiler *c)
{
	bool negate = c->lexer.token.kind == '-';

	if (!negate && c->lexer.token.kind != TOKEN_NOT)
		return compile_postfix(c);
	if (++c->nesting > MOST_NESTING)
		return compile_fail(c, "nested too deeply", c->lexer.token.text);
	lexer_next(&c->lexer);
	if (!compile_unary(c))
		return false;
	c->nesting--;
	emit(c, (struct op){.code = negate ? OP_NEGATE : OP_NOT}, 0);
	return !c->failed;
}

static bool
compile_binary(struct compiler *c, unsigned least)
{
	if (!compile_unary(c))
		return false;
	for (;;) {
		struct infix infix = infix_of(c->lexer.token.kind);
		bool lazy = infix.op == OP_AND || infix.op == OP_OR;
		uint32_t jump = 0;

		if (infix.precedence < least)
			return !c->failed;
		lexer_next(&c->lexer);
		if (lazy)
			jump = emit(c, (struct op){.code = infix.op}, -1);
		if (!compile_binary(c, infix.precedence + 1u))
			return false;
		if (lazy)
			land(c, jump);
		else
			emit(c, (struct op){.code = infix.op}, -1);
	}
}

bool
compile_value(struct compiler *c)
{
	uint32_t otherwise, end;

	if (++c->nesting > MOST_NESTING)
		return compile_fail(c, "nested too deeply", c->lexer.token.text);
	if (!compile_binary(c, 1))
		return false;
	if (lexer_take(&c->lexer, '?')) {
		otherwise = emit(c, (struct op){.code = OP_JUMP_IF_FALSE}, -1);
		if (!compile_value(c))
			return false;
		end = emit(c, (struct op){.code = OP_JUMP}, -1);
		if (!lexer_take(&c->lexer, ':'))
			return compile_fail(c, "a colon was expected", c->lexer.token.text);
		land(c, otherwise);
		if (!compile_value(c))
			return false;
		land(c, end);
	}
	c->nesting--;
	return !c->failed;
}

struct code *
compile_expression(struct slice source, struct compile_error *error)
{
	struct compiler c;

	if (compiler_init(&c, source, error)) {
		source = c.code->source;
		lexer_init(&c.lexer, source.at, source.at + source.size, 1);
		if (compile_value(&c) && c.lexer.at != c.lexer.end)
			compile_fail(&c, "more follows the expression", c.lexer.token.text);
	}
	return compiler_finish(&c);
}
