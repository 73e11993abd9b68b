/* quote.c: see quote.h. */
#include "core/quote.h"

#include "core/utf8.h"

static void
escape(struct pf_buffer *b, uint8_t c)
{
	switch (c) {
	case '"':
		pf_buffer_string(b, "\\\"");
		break;
	case '\\':
		pf_buffer_string(b, "\\\\");
		break;
	case '\n':
		pf_buffer_string(b, "\\n");
		break;
	case '\t':
		pf_buffer_string(b, "\\t");
		break;
	case '\r':
		pf_buffer_string(b, "\\r");
		break;
	default:
		pf_buffer_printf(b, "\\u%04x", c);
	}
}

static bool
needs_escape(uint8_t c)
{
	return c < 0x20 || c == '"' || c == '\\' || c == 0x7f;
}

void
pf_quote_json(struct pf_buffer *b, const char *bytes, size_t size)
{
	const uint8_t *at = (const uint8_t *)bytes, *end = at + size;
	uint32_t point;

	pf_buffer_byte(b, '"');
	while (at < end) {
		size_t step = pf_utf8_character(at, (size_t)(end - at), &point);
		if (!step)
			pf_buffer_string(b, "\xef\xbf\xbd");
		else if (needs_escape(*at))
			escape(b, *at);
		else
			pf_buffer_add(b, at, step);
		at += step ? step : 1;
	}
	pf_buffer_byte(b, '"');
}
