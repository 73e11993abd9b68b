/*
 * rust_legacy.c: Rust's names before version 0 (RFC 2603 replaced them): Itanium's nested names of plain parts, of
 * which the last is a hash, with other signs than letters written as "$LT$" and "..".
 */
#include "symbol/rust_legacy.h"

#include <stdlib.h>
#include <string.h>

#include "core/utf8.h"

enum { HASH = 17 }; /* "h" and 16 digits */

/* "$u20$": a character by its number. */
static bool
put_number(struct pf_name_text *t, const char *at, size_t size)
{
	char digits[8] = "", sign[4];
	uint32_t point;

	if (size < 2 || size > 7)
		return false;
	memcpy(digits, at + 1, size - 1);
	if (strspn(digits, "0123456789abcdef") != size - 1)
		return false;
	point = (uint32_t)strtoul(digits, NULL, 16);
	size = pf_utf8_is_control(point) ? 0 : pf_utf8_write(sign, point);
	return size && pf_name_put(t, sign, size);
}

/* What stands between two dollars. */
static bool
put_escape(struct pf_name_text *t, const char *at, size_t size)
{
	static const struct {
		const char *name, *sign;
	} signs[] = {{"SP", "@"}, {"BP", "*"}, {"RF", "&"}, {"LT", "<"}, {"GT", ">"}, {"LP", "("},
	    {"RP", ")"}, {"C", ","}};

	for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
		if (strlen(signs[i].name) == size && memcmp(signs[i].name, at, size) == 0)
			return pf_name_put(t, signs[i].sign, 1);
	}
	return *at == 'u' && put_number(t, at, size);
}

static bool
put_part(struct pf_name_text *t, const char *at, size_t size)
{
	const char *end = at + size;

	at += size > 1 && at[0] == '_' && at[1] == '$'; /* so that a name begins with no dollar */
	while (at < end) {
		const char *dollar =
		    *at == '$' ? memchr(at + 1, '$', (size_t)(end - at - 1)) : NULL;
		bool path = *at == '.' && end - at > 1 && at[1] == '.';

		if (*at == '$' ? !dollar || !put_escape(t, at + 1, (size_t)(dollar - at - 1))
			       : !pf_name_put(t, path ? "::" : at, path ? 2 : 1))
			return false;
		at = dollar ? dollar + 1 : at + 1 + path;
	}
	return true;
}

static bool
is_hash(const char *at, size_t size)
{
	return size == HASH && *at == 'h' && strspn(at + 1, "0123456789abcdef") >= HASH - 1;
}

bool
pf_rust_legacy_name(const char *name, const char **end, struct pf_name_text *t)
{
	const char *at = name + 3, *stop = name + strlen(name);
	bool hashed = false;

	if (strncmp(name, "_ZN", 3) != 0)
		return false;
	while (*at != 'E') {
		char *part;
		size_t size = strtoul(at, &part, 10);

		if (*at < '1' || *at > '9' || size > (size_t)(stop - part) || hashed)
			return false;
		hashed = is_hash(part, size);
		if (!hashed && ((t->size && !pf_name_put(t, "::", 2)) || !put_part(t, part, size)))
			return false;
		at = part + size;
	}
	*end = at + 1;
	return hashed && t->size;
}
