/* text.c: see text.h. */
#include "report/text.h"

#include <string.h>
#include <time.h>

/* The length of the UTF-8 character at `at`; 0 if it is none. Surrogates and overlong forms are none. */
static size_t
character_size(const uint8_t *at)
{
	uint32_t code;
	size_t n;

	if (at[0] < 0x80)
		return 1;
	n = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
	if (at[0] < 0xc2 || at[0] > 0xf4)
		return 0;
	code = at[0] & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (at[i] & 0x3f);
	}
	if ((n == 3 && (code < 0x800 || (code >= 0xd800 && code < 0xe000))) ||
	    (n == 4 && (code < 0x10000 || code > 0x10ffff)))
		return 0;
	return n;
}

static void
json_characters(struct pf_buffer *out, const char *text)
{
	const uint8_t *at = (const uint8_t *)text;

	while (*at) {
		size_t n = character_size(at);
		if (n == 0) {
			pf_buffer_string(out, "\xef\xbf\xbd");
			n = 1;
		} else if (n == 1 && (*at < 0x20 || *at == 0x7f || strchr("\"\\<>&", *at))) {
			pf_buffer_printf(out, "\\u%04x", *at);
		} else if (n == 3 && memcmp(at, "\xe2\x80\xa8", 3) == 0) {
			pf_buffer_string(out, "\\u2028");
		} else if (n == 3 && memcmp(at, "\xe2\x80\xa9", 3) == 0) {
			pf_buffer_string(out, "\\u2029");
		} else {
			pf_buffer_add(out, at, n);
		}
		at += n;
	}
}

void
pf_json_prefixed(struct pf_buffer *out, const char *prefix, const char *text)
{
	pf_buffer_byte(out, '"');
	json_characters(out, prefix);
	json_characters(out, text);
	pf_buffer_byte(out, '"');
}

void
pf_json_text(struct pf_buffer *out, const char *text)
{
	pf_json_prefixed(out, "", text);
}

void
pf_html_text(struct pf_buffer *out, const char *text)
{
	const uint8_t *at = (const uint8_t *)text;

	while (*at) {
		size_t n = character_size(at);
		if (n == 0) {
			pf_buffer_string(out, "\xef\xbf\xbd");
			n = 1;
		} else if (n == 1 && strchr("<>&\"'", *at)) {
			pf_buffer_printf(out, "&#%u;", *at);
		} else {
			pf_buffer_add(out, at, n);
		}
		at += n;
	}
}

void
pf_utc_text(char *out, size_t size, int64_t nanos)
{
	time_t seconds = (time_t)(nanos / 1000000000);
	struct tm utc;

	if (!gmtime_r(&seconds, &utc) || !strftime(out, size, "%Y-%m-%d %H:%M:%S UTC", &utc))
		*out = '\0';
}
