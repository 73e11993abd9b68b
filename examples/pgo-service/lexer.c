/* lexer.c: see lexer.h. */
#include "lexer.h"

#include "json.h"

static bool
is_name_start(char c)
{
	return is_kind(c, IS_UPPER | IS_LOWER) || c == '_';
}

static int
word_kind(struct slice word)
{
	switch (word.size) {
	case 2:
		if (SLICE_IS(word, "or"))
			return TOKEN_OR;
		return SLICE_IS(word, "in") ? TOKEN_IN : TOKEN_NAME;
	case 3:
		if (SLICE_IS(word, "and"))
			return TOKEN_AND;
		return SLICE_IS(word, "not") ? TOKEN_NOT : TOKEN_NAME;
	default:
		return TOKEN_NAME;
	}
}

static void
read_name(struct lexer *lexer)
{
	const char *from = lexer->at;

	while (lexer->at < lexer->end && is_kind(*lexer->at, IS_WORD))
		lexer->at++;
	lexer->token.text = (struct slice){from, (size_t)(lexer->at - from)};
	lexer->token.kind = word_kind(lexer->token.text);
}

static void
read_string(struct lexer *lexer)
{
	char quote = *lexer->at++;
	const char *from = lexer->at;

	while (lexer->at < lexer->end && *lexer->at != quote) {
		if (*lexer->at == '\n')
			lexer->line++;
		lexer->at++;
	}
	lexer->token.text = (struct slice){from, (size_t)(lexer->at - from)};
	lexer->token.kind = lexer->at < lexer->end ? TOKEN_STRING : TOKEN_BAD;
	if (lexer->at < lexer->end)
		lexer->at++;
}

static void
read_mark(struct lexer *lexer)
{
	static const struct {
		char marks[2];
		uint8_t kind;
	} pairs[] = {{{'=', '='}, TOKEN_EQUAL}, {{'!', '='}, TOKEN_UNEQUAL},
	    {{'<', '='}, TOKEN_AT_MOST}, {{'>', '='}, TOKEN_AT_LEAST}, {{'}', '}'}, TOKEN_END},
	    {{'%', '}'}, TOKEN_END}};
	char c = *lexer->at;

	lexer->token.text = (struct slice){lexer->at, 1};
	if (lexer->end - lexer->at > 1) {
		for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
			if (c == pairs[i].marks[0] && lexer->at[1] == pairs[i].marks[1]) {
				lexer->token.kind = pairs[i].kind;
				lexer->token.text.size = 2;
				if (lexer->token.kind != TOKEN_END)
					lexer->at += 2;
				return;
			}
		}
	}
	lexer->token.kind = memchr("+-*/%~<>?:.,|()[]=", c, 18) ? c : TOKEN_BAD;
	lexer->at++;
}

void
lexer_next(struct lexer *lexer)
{
	while (lexer->at < lexer->end && is_kind(*lexer->at, IS_SPACE)) {
		if (*lexer->at++ == '\n')
			lexer->line++;
	}
	if (lexer->at == lexer->end) {
		lexer->token = (struct token){.kind = TOKEN_END, .text = {lexer->at, 0}};
	} else if (is_name_start(*lexer->at)) {
		read_name(lexer);
	} else if (is_kind(*lexer->at, IS_DIGIT)) {
		const char *from = lexer->at;

		lexer->token.kind = json_number(&lexer->at, lexer->end, &lexer->token.number)
					? TOKEN_NUMBER
					: TOKEN_BAD;
		lexer->token.text = (struct slice){from, (size_t)(lexer->at - from)};
	} else if (*lexer->at == '"' || *lexer->at == '\'') {
		read_string(lexer);
	} else {
		read_mark(lexer);
	}
}

void
lexer_init(struct lexer *lexer, const char *at, const char *end, unsigned line)
{
	*lexer = (struct lexer){.at = at, .end = end, .line = line};
	lexer_next(lexer);
}

bool
lexer_take_word(struct lexer *lexer, const char *word, size_t size)
{
	if (lexer->token.kind != TOKEN_NAME || !slice_is(lexer->token.text, word, size))
		return false;
	lexer_next(lexer);
	return true;
}
