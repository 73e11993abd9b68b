/* text.c: see text.h. Buffers grow by doubling and never past their limit. */
#include "text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define C IS_STOP
#define S (IS_SPACE | IS_STOP)
#define D (IS_DIGIT | IS_WORD)
#define U (IS_UPPER | IS_WORD)
#define L (IS_LOWER | IS_WORD)
#define H (IS_WORD | IS_STOP)
const uint8_t character_kinds[256] = {
    C,
    C,
    C,
    C,
    C,
    C,
    C,
    C,
    C,
    S,
    S,
    C,
    C,
    S,
    C,
    C,
    C,
    C,
    C,
    C,
    C,
    C,
    C,
    C,
    C,
    C,
    C,
    C,
    C,
    C,
    C,
    C,
    [' '] = IS_SPACE,
    ['"'] = IS_MARKED | IS_STOP,
    ['&'] = IS_MARKED,
    ['\''] = IS_MARKED,
    ['*'] = IS_INLINE,
    ['0'] = D,
    D,
    D,
    D,
    D,
    D,
    D,
    D,
    D,
    D,
    ['<'] = IS_MARKED,
    ['>'] = IS_MARKED,
    ['A'] = U,
    U,
    U,
    U,
    U,
    U,
    U,
    U,
    U,
    U,
    U,
    U,
    U,
    U,
    U,
    U,
    U,
    U,
    U,
    U,
    U,
    U,
    U,
    U,
    U,
    U,
    ['['] = IS_INLINE,
    ['\\'] = IS_INLINE | IS_STOP,
    ['_'] = IS_WORD,
    ['`'] = IS_INLINE,
    ['a'] = L,
    L,
    L,
    L,
    L,
    L,
    L,
    L | IS_INLINE,
    L,
    L,
    L,
    L,
    L,
    L,
    L,
    L,
    L,
    L,
    L,
    L,
    L,
    L,
    L,
    L,
    L,
    L,
    [128] = H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
    H,
};

bool
slice_equal_caseless(struct slice a, struct slice b)
{
	if (a.size != b.size)
		return false;
	for (size_t i = 0; i < a.size; i++) {
		if (lower_of(a.at[i]) != lower_of(b.at[i]))
			return false;
	}
	return true;
}

struct slice
slice_trim(struct slice a)
{
	while (a.size && is_kind(a.at[0], IS_SPACE)) {
		a.at++;
		a.size--;
	}
	while (a.size && is_kind(a.at[a.size - 1], IS_SPACE))
		a.size--;
	return a;
}

struct slice
slice_cut(struct slice a, char mark, struct slice *rest)
{
	const char *found = a.size ? memchr(a.at, mark, a.size) : NULL;
	size_t size = found ? (size_t)(found - a.at) : a.size;
	size_t past = found ? size + 1 : size;

	if (rest)
		*rest = (struct slice){a.at + past, a.size - past};
	return (struct slice){a.at, size};
}

bool
slice_number(struct slice a, uint64_t most, uint64_t *number)
{
	uint64_t value = 0;

	if (a.size == 0 || a.size > 18)
		return false;
	for (size_t i = 0; i < a.size; i++) {
		if (!is_kind(a.at[i], IS_DIGIT))
			return false;
		value = value * 10 + (uint64_t)(a.at[i] - '0');
	}
	if (value > most)
		return false;
	*number = value;
	return true;
}

void
text_init(struct text *text, size_t limit)
{
	*text = (struct text){.limit = limit};
}

void
text_release(struct text *text)
{
	free(text->bytes);
	*text = (struct text){0};
}

void
text_clear(struct text *text)
{
	text->size = 0;
	text->failed = false;
}

bool
text_grow(struct text *text, size_t more)
{
	size_t capacity = text->capacity ? text->capacity : 512;
	char *bytes;

	if (text->failed)
		return false;
	if (more > text->limit - text->size) {
		text->failed = true;
		return false;
	}
	while (capacity - text->size < more)
		capacity *= 2;
	bytes = realloc(text->bytes, capacity);
	if (!bytes) {
		text->failed = true;
		return false;
	}
	text->bytes = bytes;
	text->capacity = capacity;
	return true;
}

void
text_integer(struct text *text, int64_t number)
{
	char digits[24];
	size_t at = sizeof digits;
	uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;

	do {
		digits[--at] = (char)('0' + left % 10);
		left /= 10;
	} while (left);
	if (number < 0)
		digits[--at] = '-';
	text_put(text, digits + at, sizeof digits - at);
}

/* `number`, which has at most four decimals, scaled by 10^4. */
static void
put_short_real(struct text *text, int64_t scaled)
{
	uint64_t left = scaled < 0 ? 0 - (uint64_t)scaled : (uint64_t)scaled;
	unsigned fraction = (unsigned)(left % 10000);
	unsigned divisor = 1000;

	if (scaled < 0)
		text_char(text, '-');
	text_integer(text, (int64_t)(left / 10000));
	if (fraction == 0)
		return;
	text_char(text, '.');
	while (fraction) {
		text_char(text, (char)('0' + fraction / divisor));
		fraction %= divisor;
		divisor /= 10;
	}
}

void
text_real(struct text *text, double number)
{
	char digits[40];
	int size;

	if (fabs(number) < 1e11) {
		int64_t scaled = llround(number * 1e4);

		if ((double)scaled / 1e4 == number) {
			put_short_real(text, scaled);
			return;
		}
	}
	size = snprintf(digits, sizeof digits, "%.15g", number);
	text_put(text, digits, size > 0 ? (size_t)size : 0);
}

void
text_fixed(struct text *text, double number, unsigned places)
{
	static const double scales[] = {1, 10, 100, 1e3, 1e4, 1e5, 1e6};
	char digits[48];
	size_t at = sizeof digits;
	unsigned group = 0;
	uint64_t left;

	if (places > 6)
		places = 6;
	if (!(fabs(number) < 1e12)) {
		text_real(text, number);
		return;
	}
	left = (uint64_t)llround(fabs(number) * scales[places]);
	if (number < 0 && left)
		text_char(text, '-');
	for (unsigned i = 0; i < places; i++) {
		digits[--at] = (char)('0' + left % 10);
		left /= 10;
	}
	if (places)
		digits[--at] = '.';
	do {
		if (group == 3) {
			digits[--at] = ',';
			group = 0;
		}
		digits[--at] = (char)('0' + left % 10);
		left /= 10;
		group++;
	} while (left);
	text_put(text, digits + at, sizeof digits - at);
}

static void
put_entity(struct text *text, char c)
{
	switch (c) {
	case '<':
		text_put(text, "&lt;", 4);
		break;
	case '>':
		text_put(text, "&gt;", 4);
		break;
	case '&':
		text_put(text, "&amp;", 5);
		break;
	case '"':
		text_put(text, "&quot;", 6);
		break;
	default:
		text_put(text, "&#39;", 5);
		break;
	}
}

void
text_escaped(struct text *text, const char *bytes, size_t size)
{
	size_t from = 0;

	for (size_t i = 0; i < size; i++) {
		if (!is_kind(bytes[i], IS_MARKED))
			continue;
		text_put(text, bytes + from, i - from);
		put_entity(text, bytes[i]);
		from = i + 1;
	}
	text_put(text, bytes + from, size - from);
}

static bool
is_unreserved(char c)
{
	switch (c) {
	case '-':
	case '.':
	case '_':
	case '~':
		return true;
	default:
		return is_kind(c, IS_DIGIT | IS_UPPER | IS_LOWER);
	}
}

void
text_url(struct text *text, const char *bytes, size_t size)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < size; i++) {
		uint8_t c = (uint8_t)bytes[i];

		if (is_unreserved(bytes[i])) {
			text_char(text, bytes[i]);
		} else {
			text_char(text, '%');
			text_char(text, hex[c >> 4]);
			text_char(text, hex[c & 15]);
		}
	}
}
