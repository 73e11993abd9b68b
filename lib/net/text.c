/* text.c: see text.h. */
#include "net/text.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "core/utf8.h"

static bool
is_space(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static size_t
skip_space(const uint8_t *bytes, size_t size)
{
	size_t at = size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

	while (at < size && is_space(bytes[at]))
		at++;
	return at;
}

bool
pf_text_is_html(const void *bytes, size_t size)
{
	const uint8_t *b = bytes;
	size_t at = skip_space(b, size);

	return at + 2 < size && b[at] == '<' && (isalpha(b[at + 1]) || b[at + 1] == '!');
}

bool
pf_text_is_prose(const void *bytes, size_t size)
{
	const uint8_t *b = bytes;
	size_t odd = 0, looked = size < 512 ? size : 512;

	for (size_t i = 0; i < looked; i++) {
		if (!b[i])
			return false;
		odd += b[i] < ' ' && !is_space(b[i]);
	}
	return looked && odd * 32 <= looked;
}

/* C0, DEL, C1, and the characters that reorder or hide text around them. */
static bool
is_unprintable(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

/* The bytes of a tag at b ("<" … ">"), with the whole content of a script or style; 0: no tag. */
static size_t
tag(const uint8_t *b, size_t left)
{
	static const char *const hidden[] = {"script", "style"};
	const uint8_t *end;

	if (left < 2 || b[0] != '<' || !(isalpha(b[1]) || b[1] == '/' || b[1] == '!'))
		return 0;
	for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++) {
		size_t n = strlen(hidden[i]);
		if (left < n + 1 || strncasecmp((const char *)b + 1, hidden[i], n) != 0)
			continue;
		for (size_t at = n + 1; at + n + 2 <= left; at++) {
			if (b[at] == '<' && b[at + 1] == '/' &&
			    strncasecmp((const char *)b + at + 2, hidden[i], n) == 0)
				return at;
		}
		return left;
	}
	end = memchr(b, '>', left);
	return end ? (size_t)(end - b) + 1 : left;
}

char *
pf_text_excerpt(char *to, size_t room, const void *bytes, size_t size)
{
	const uint8_t *b = bytes;
	bool html = pf_text_is_html(b, size), gap = false;
	size_t at = skip_space(b, size), n = 0;

	while (at < size) {
		size_t step = html ? tag(b + at, size - at) : 0;
		uint32_t point = 0;
		if (step || is_space(b[at])) {
			gap = n > 0;
			at += step ? step : 1;
			continue;
		}
		step = pf_utf8_character(b + at, size - at, &point);
		if (n + gap + (step ? step : 1) + sizeof "..." > room) {
			memcpy(to + n, "...", 3);
			n += 3;
			break;
		}
		if (gap)
			to[n++] = ' ';
		gap = false;
		if (!step || is_unprintable(point)) {
			to[n++] = '?';
		} else {
			memcpy(to + n, b + at, step);
			n += step;
		}
		at += step ? step : 1;
	}
	to[n] = '\0';
	return to;
}
