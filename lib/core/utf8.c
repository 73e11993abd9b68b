/* utf8.c: see utf8.h. */
#include "core/utf8.h"

size_t
pf_utf8_character(const uint8_t *b, size_t left, uint32_t *point)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = b[0] < 0x80       ? 1
		   : b[0] >> 5 == 6  ? 2
		   : b[0] >> 4 == 14 ? 3
		   : b[0] >> 3 == 30 ? 4
				     : 0;

	if (!n || n > left)
		return 0;
	*point = n == 1 ? b[0] : b[0] & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if (b[i] >> 6 != 2)
			return 0;
		*point = *point << 6 | (b[i] & 0x3f);
	}
	if (*point < least[n] || *point > 0x10ffff || (*point >= 0xd800 && *point < 0xe000))
		return 0;
	return n;
}

bool
pf_utf8_valid(const char *bytes, size_t size)
{
	uint32_t point;

	for (size_t at = 0; at < size;) {
		size_t step = pf_utf8_character((const uint8_t *)bytes + at, size - at, &point);
		if (!step)
			return false;
		at += step;
	}
	return true;
}

size_t
pf_utf8_write(char bytes[4], uint32_t point)
{
	size_t n = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;

	if ((point >= 0xd800 && point < 0xe000) || point > 0x10ffff)
		return 0;
	*bytes = (char)point;
	for (size_t i = n; n > 1 && i-- > 0; point >>= 6)
		bytes[i] = (char)(i ? 0x80 | (point & 0x3f) : (0xf00u >> n & 0xf0) | point);
	return n;
}
