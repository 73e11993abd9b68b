/* base64.c: see base64.h. */
#include "core/base64.h"

#include <string.h>

#include "core/error.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
pf_base64_encode(struct pf_buffer *out, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;

	for (; size; at += 3, size = size > 3 ? size - 3 : 0) {
		uint32_t three = (uint32_t)at[0] << 16 | (size > 1 ? (uint32_t)at[1] << 8 : 0) |
				 (size > 2 ? at[2] : 0u);
		char four[4] = {alphabet[three >> 18], alphabet[three >> 12 & 63],
		    size > 1 ? alphabet[three >> 6 & 63] : '=',
		    size > 2 ? alphabet[three & 63] : '='};
		pf_buffer_add(out, four, 4);
	}
}

static int
value_of(char c)
{
	const char *at = c ? strchr(alphabet, c) : NULL;

	return at ? (int)(at - alphabet) : -1;
}

int
pf_base64_decode(struct pf_buffer *out, const char *text, size_t size, struct pf_error *err)
{
	if (size % 4)
		return pf_error_set(
		    err, PF_EINPUT, "base64 of %zu characters: a multiple of 4 is needed", size);
	for (size_t i = 0; i < size; i += 4) {
		uint32_t three = 0;
		int padding = i + 4 == size ? (text[i + 3] == '=') +
						  (text[i + 2] == '=' && text[i + 3] == '=')
					    : 0;
		for (int j = 0; j < 4; j++) {
			int value = j >= 4 - padding ? 0 : value_of(text[i + (size_t)j]);
			if (value < 0)
				return pf_error_set(err, PF_EINPUT,
				    "no base64: a strange character at offset %zu", i + (size_t)j);
			three = three << 6 | (uint32_t)value;
		}
		for (int j = 0; j < 3 - padding; j++)
			pf_buffer_byte(out, (uint8_t)(three >> (16 - 8 * j)));
	}
	return pf_buffer_check(out, err);
}
