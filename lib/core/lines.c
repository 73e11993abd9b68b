/* lines.c: see lines.h. Characters are ASCII whatever the locale says. */
#include "core/lines.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/source.h"

enum { SHOWN = 60, NUMBER_ROOM = 400 };

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

void
pf_lines_init(struct pf_lines *l, const char *section, const void *bytes, size_t size)
{
	if (!bytes)
		bytes = ""; /* nothing was read: not even a pointer that 0 may be added to */
	*l = (struct pf_lines){
	    .line = pf_text_of(bytes, 0),
	    .at = bytes,
	    .end = (const char *)bytes + size,
	    .section = section,
	};
}

void
pf_lines_from(struct pf_lines *l, struct pf_source *source)
{
	pf_lines_init(l, source->name, source->at, (size_t)(source->end - source->at));
	l->source = source;
}

/* Brings in more behind a line that the window cuts off; its end, or NULL. */
static const char *
rest_of_line(struct pf_lines *l)
{
	struct pf_source *s = l->source;
	const char *stop = NULL;

	while (!stop && !s->ended) {
		size_t known = (size_t)(l->end - l->at);
		struct pf_error err;

		s->at = (const uint8_t *)l->at;
		if (known > PF_LINE_MAX) {
			pf_error_set(&err, PF_EINPUT, "%s: line %zu: longer than %d bytes",
			    l->section, l->number + 1, PF_LINE_MAX);
			pf_source_fail(s, PF_EINPUT, &err);
		} else {
			(void)pf_source_need(s, 2 * known + 1, NULL);
		}
		l->at = (const char *)s->at;
		l->end = (const char *)s->end;
		if (!s->code)
			stop = memchr(l->at + known, '\n', (size_t)(l->end - l->at) - known);
	}
	return stop;
}

bool
pf_lines_next(struct pf_lines *l)
{
	size_t left = (size_t)(l->end - l->at);
	const char *stop = left ? memchr(l->at, '\n', left) : NULL;

	if (!stop && l->source)
		stop = rest_of_line(l);
	left = (size_t)(l->end - l->at);
	if (!left) {
		l->line = pf_text_of(l->end, 0);
		return false;
	}
	l->line = pf_text_of(l->at, stop ? (size_t)(stop - l->at) : left);
	l->at = stop ? stop + 1 : l->end;
	l->offset += (uint64_t)(l->at - l->line.at);
	l->number++;
	if (l->line.end > l->line.at && l->line.end[-1] == '\r')
		l->line.end--;
	return true;
}

bool
pf_lines_next_content(struct pf_lines *l)
{
	while (pf_lines_next(l)) {
		struct pf_text t = l->line;
		pf_text_blanks(&t);
		if (pf_text_left(&t) && *t.at != '#')
			return true;
	}
	return false;
}

int
pf_lines_error(const struct pf_lines *l, const char *why, struct pf_error *err)
{
	struct pf_text t = pf_text_trimmed(l->line);
	char shown[SHOWN + 1];
	size_t size = 0;

	for (; size < SHOWN && t.at < t.end; t.at++)
		shown[size++] = *t.at >= 0x20 && *t.at < 0x7f ? *t.at : '?';
	shown[size] = '\0';
	return pf_error_set(err, PF_EINPUT, "%s: line %zu: %s: \"%s%s\"", l->section, l->number,
	    why, shown, t.at < t.end ? "..." : "");
}

int
pf_lines_check(const struct pf_lines *l, const struct pf_text *t, struct pf_error *err)
{
	return t->failure ? pf_lines_error(l, t->failure, err) : 0;
}

void
pf_text_fail(struct pf_text *t, const char *why)
{
	if (!t->failure)
		t->failure = why;
	t->at = t->end;
}

void
pf_text_blanks(struct pf_text *t)
{
	while (t->at < t->end && is_blank(*t->at))
		t->at++;
}

struct pf_text
pf_text_trimmed(struct pf_text t)
{
	pf_text_blanks(&t);
	while (t.end > t.at && is_blank(t.end[-1]))
		t.end--;
	return t;
}

bool
pf_text_starts(const struct pf_text *t, const char *literal)
{
	size_t size = strlen(literal);

	return size <= pf_text_left(t) && memcmp(t->at, literal, size) == 0;
}

bool
pf_text_equals(const struct pf_text *t, const char *literal)
{
	return pf_text_left(t) == strlen(literal) && pf_text_starts(t, literal);
}

bool
pf_text_skip(struct pf_text *t, const char *literal)
{
	if (!pf_text_starts(t, literal))
		return false;
	t->at += strlen(literal);
	return true;
}

void
pf_text_expect(struct pf_text *t, const char *literal)
{
	pf_text_blanks(t);
	if (!pf_text_skip(t, literal))
		pf_text_fail(t, "malformed line");
}

const char *
pf_text_find(const struct pf_text *t, const char *literal)
{
	return pf_text_left(t) ? memmem(t->at, pf_text_left(t), literal, strlen(literal)) : NULL;
}

struct pf_text
pf_text_word(struct pf_text *t)
{
	struct pf_text word;

	pf_text_blanks(t);
	word = pf_text_of(t->at, 0);
	while (t->at < t->end && !is_blank(*t->at))
		t->at++;
	word.end = t->at;
	return word;
}

int64_t
pf_text_int64(struct pf_text *t)
{
	int64_t value = 0;
	bool minus;

	pf_text_blanks(t);
	minus = pf_text_skip(t, "-");
	if (t->at == t->end || *t->at < '0' || *t->at > '9') {
		pf_text_fail(t, "a number was expected");
		return 0;
	}
	for (; t->at < t->end && *t->at >= '0' && *t->at <= '9'; t->at++) {
		int digit = *t->at - '0';
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, minus ? -digit : digit, &value)) {
			pf_text_fail(t, "a number exceeds 64 bits");
			return 0;
		}
	}
	return value;
}

/* strtod of the C locale wants a string that ends: the characters that a number can have are copied. */
double
pf_text_double(struct pf_text *t)
{
	static const char characters[] = "+-.0123456789EINTYaefinty";
	locale_t c =
	    newlocale(LC_ALL_MASK, "C", (locale_t)0); /* static in the C library: not freed */
	char copy[NUMBER_ROOM + 1], *end;
	size_t size = 0;
	double value;

	pf_text_blanks(t);
	while (size < NUMBER_ROOM && t->at + size < t->end &&
	       memchr(characters, t->at[size], sizeof characters - 1)) {
		copy[size] = t->at[size];
		size++;
	}
	copy[size] = '\0';
	value = strtod_l(copy, &end, c);
	if (end == copy) {
		pf_text_fail(t, "a number was expected");
		return 0;
	}
	t->at += end - copy;
	return value;
}

uint64_t
pf_text_hex(struct pf_text *t)
{
	uint64_t value = 0;

	pf_text_blanks(t);
	if (t->at == t->end || hex_digit(*t->at) < 0) {
		pf_text_fail(t, "a hexadecimal number was expected");
		return 0;
	}
	for (; t->at < t->end && hex_digit(*t->at) >= 0; t->at++) {
		if (value >> 60) {
			pf_text_fail(t, "an address exceeds 64 bits");
			return 0;
		}
		value = value << 4 | (unsigned)hex_digit(*t->at);
	}
	return value;
}
