/* rust_identifiers.c: names of crates, modules and functions, and what punycode makes of those beyond ASCII. */
#include "core/utf8.h"
#include "symbol/rust_private.h"

enum { MOST_CODE_POINTS = 128 };

struct pf_rust_identifier
pf_rust_identifier(struct pf_rust_reader *p)
{
	struct pf_rust_identifier id = {.encoded = take(p, 'u')};
	char c = next(p);

	if (c < '0' || c > '9')
		fail(p);
	id.size = (size_t)(c - '0');
	while (c != '0' && p->at < p->end && *p->at >= '0' && *p->at <= '9' &&
	       id.size <= (size_t)(p->end - p->at))
		id.size = id.size * 10 + (size_t)(*p->at++ - '0');
	take(p, '_'); /* between the size and what begins like a digit */
	id.text = p->at;
	if (p->failed || id.size > (size_t)(p->end - p->at)) {
		fail(p);
		id.size = 0;
	}
	p->at += id.size;
	return id;
}

/* ---- punycode, RFC 3492 with _ for its - ---- */

static uint64_t
adapt(uint64_t delta, size_t count, bool first)
{
	uint64_t k = 0;

	delta = first ? delta / 700 : delta / 2;
	delta += delta / count;
	for (; delta > 35 * 26 / 2; k += 36)
		delta /= 35;
	return k + 36 * delta / (delta + 38);
}

/* A number of variable length, added to *sum; false where it is malformed or no Unicode could need it. */
static bool
read_delta(const char **at, const char *end, uint64_t bias, uint64_t *sum)
{
	uint64_t weight = 1;

	for (uint64_t k = 36; *at < end; k += 36) {
		uint64_t least = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias, digit;
		char c = *(*at)++;

		if (c >= 'a' && c <= 'z')
			digit = (uint64_t)(c - 'a');
		else if (c >= '0' && c <= '9')
			digit = (uint64_t)(c - '0') + 26;
		else
			return false;
		*sum += digit * weight;
		if (*sum > UINT32_MAX)
			return false;
		if (digit < least)
			return true;
		weight *= 36 - least;
	}
	return false;
}

/* Code points in place of what an identifier encodes; 0 for what is malformed or too long. */
static size_t
decode(struct pf_rust_identifier id, uint32_t points[MOST_CODE_POINTS])
{
	uint64_t point = 0x80, place = 0, bias = 72;
	const char *at = id.text, *end = at + id.size;
	size_t count = 0;

	for (size_t i = id.size; i-- > 0;) {
		if (id.text[i] != '_')
			continue;
		if (i > MOST_CODE_POINTS)
			return 0;
		for (; count < i; count++)
			points[count] = (unsigned char)id.text[count];
		at += i + 1;
		break;
	}
	while (at < end) {
		uint64_t before = place;

		if (count == MOST_CODE_POINTS || !read_delta(&at, end, bias, &place))
			return 0;
		count++;
		bias = adapt(place - before, count, before == 0);
		point += place / count;
		place %= count;
		if (point > 0x10ffff)
			return 0;
		memmove(points + place + 1, points + place,
		    (count - 1 - (size_t)place) * sizeof *points);
		points[place++] = (uint32_t)point;
	}
	return count;
}

static bool
is_word(uint32_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '_';
}

static void
put_code_point(struct pf_rust_reader *p, uint32_t c)
{
	char text[4];
	size_t size = pf_utf8_write(text, c);

	if (!size || pf_utf8_is_control(c) || (c < 0x80 && !is_word(c)))
		fail(p);
	else
		put(p, text, size);
}

void
pf_rust_put_identifier(struct pf_rust_reader *p, struct pf_rust_identifier id)
{
	uint32_t points[MOST_CODE_POINTS];
	size_t count;

	if (p->silent)
		return;
	if (!id.encoded) {
		put(p, id.text, id.size);
		for (size_t i = 0; i < id.size && !p->failed; i++) {
			if (!is_word((unsigned char)id.text[i]))
				fail(p);
		}
		return;
	}
	count = decode(id, points);
	if (!count)
		fail(p);
	for (size_t i = 0; i < count && !p->failed; i++)
		put_code_point(p, points[i]);
}
