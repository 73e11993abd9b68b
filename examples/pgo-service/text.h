/*
 * text.h: slices of bytes somebody else owns, and growing texts with a limit.
 *
 * A text's failure is sticky: a put over its limit, or one that finds no
 * memory, sets `failed` and adds nothing, and so does every put after it. A
 * page is written straight through and checked once, at its end.
 */
#ifndef FOLIO_TEXT_H
#define FOLIO_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
	const char *at;
	size_t size;
};

struct text {
	char *bytes;
	size_t size, capacity;
	size_t limit; /* bytes it may ever hold */
	bool failed;
};

/* What a character may be part of; see character_kinds. */
enum {
	IS_SPACE = 1,
	IS_DIGIT = 2,
	IS_UPPER = 4,
	IS_LOWER = 8,
	IS_WORD = 16,    /* letters, digits, underscore, and every byte of a non-ASCII letter */
	IS_MARKED = 32,  /* HTML gives it a meaning: < > & " ' */
	IS_STOP = 64,    /* not plain within a JSON string: control, quote, backslash, non-ASCII */
	IS_INLINE = 128, /* may begin an inline mark: * ` [ backslash, and the h of an address */
};
extern const uint8_t character_kinds[256];

static inline bool
is_kind(char c, unsigned kinds)
{
	return character_kinds[(uint8_t)c] & kinds;
}

static inline char
lower_of(char c)
{
	return is_kind(c, IS_UPPER) ? (char)(c + 32) : c;
}

static inline struct slice
slice_of(const char *string)
{
	return (struct slice){string, strlen(string)};
}

/* For names and words: most are short or differ early, and a loop then costs less than a call. */
static inline bool
bytes_equal(const char *a, const char *b, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (a[i] != b[i])
			return false;
	}
	return true;
}

static inline bool
slice_equal(struct slice a, struct slice b)
{
	return a.size == b.size && bytes_equal(a.at, b.at, a.size);
}

static inline bool
slice_is(struct slice a, const char *b, size_t size)
{
	return a.size == size && !memcmp(a.at, b, size);
}
/* A literal as a slice, in initialisers too. */
#define SLICE(literal) {literal, sizeof(literal) - 1}
#define SLICE_IS(slice, literal) slice_is(slice, literal, sizeof(literal) - 1)

bool slice_equal_caseless(struct slice a, struct slice b);
struct slice slice_trim(struct slice a);
/* The part before the first `mark`, which *rest then follows; everything, and an empty rest, without one. */
struct slice slice_cut(struct slice a, char mark, struct slice *rest);
/* Decimal digits only, at most `most`. False leaves *number alone. */
bool slice_number(struct slice a, uint64_t most, uint64_t *number);

void text_init(struct text *text, size_t limit);
void text_release(struct text *text);
/* Empty and unfailed again; keeps its memory. */
void text_clear(struct text *text);
/* The slow path of text_reserve(). */
bool text_grow(struct text *text, size_t more);

/* Room for `more` bytes; false is a failure. */
static inline bool
text_reserve(struct text *text, size_t more)
{
	return (more <= text->capacity - text->size && !text->failed) || text_grow(text, more);
}

static inline void
text_char(struct text *text, char c)
{
	if (text_reserve(text, 1))
		text->bytes[text->size++] = c;
}

static inline void
text_put(struct text *text, const char *bytes, size_t size)
{
	if (size == 0 || !text_reserve(text, size))
		return;
	memcpy(text->bytes + text->size, bytes, size);
	text->size += size;
}

static inline void
text_string(struct text *text, const char *string)
{
	text_put(text, string, strlen(string));
}

void text_integer(struct text *text, int64_t number);
/* The shortest form that reads back as the same number, for what people write; %.15g otherwise. */
void text_real(struct text *text, double number);
/* With `places` (0-6) digits after the point and commas between thousands. */
void text_fixed(struct text *text, double number, unsigned places);
/* As HTML text: markup characters become entities. */
void text_escaped(struct text *text, const char *bytes, size_t size);
/* As a query or path component: all but unreserved characters become %XX. */
void text_url(struct text *text, const char *bytes, size_t size);

#endif
