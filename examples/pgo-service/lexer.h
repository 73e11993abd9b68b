/*
 * lexer.h: the words of expressions.
 *
 * The lexer holds one token of look-ahead. A string's text points into the
 * source; strings have no escapes, but two kinds of quotes.
 */
#ifndef FOLIO_LEXER_H
#define FOLIO_LEXER_H

#include "value.h"

enum token_kind {
	TOKEN_END, /* of the source, or of the tag: %} or }} */
	TOKEN_NAME,
	TOKEN_STRING,
	TOKEN_NUMBER,
	TOKEN_AND,
	TOKEN_OR,
	TOKEN_NOT,
	TOKEN_IN,
	TOKEN_EQUAL,
	TOKEN_UNEQUAL,
	TOKEN_AT_MOST,
	TOKEN_AT_LEAST,
	TOKEN_BAD,
	/* Single characters are their own kind. */
};

struct token {
	int kind;
	struct slice text;
	struct value number;
};

struct lexer {
	const char *at, *end; /* after the look-ahead token */
	unsigned line;
	struct token token;
};

/* Starts at `at` and reads the first token. */
void lexer_init(struct lexer *lexer, const char *at, const char *end, unsigned line);
void lexer_next(struct lexer *lexer);
/* True, and past it, if the token is of this kind. */
static inline bool
lexer_take(struct lexer *lexer, int kind)
{
	if (lexer->token.kind != kind)
		return false;
	lexer_next(lexer);
	return true;
}

bool lexer_take_word(struct lexer *lexer, const char *word, size_t size);
#define LEXER_TAKE_WORD(lexer, word) lexer_take_word(lexer, word, sizeof(word) - 1)

#endif
