/* buffer.c: see buffer.h. */
#include "core/buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"

void
pf_buffer_init(struct pf_buffer *b, size_t maximum)
{
	*b = (struct pf_buffer){.maximum = maximum};
}

void
pf_buffer_release(struct pf_buffer *b)
{
	free(b->bytes);
	pf_buffer_init(b, b->maximum);
}

void
pf_buffer_clear(struct pf_buffer *b)
{
	b->size = 0;
	b->failed = false;
}

uint8_t *
pf_buffer_reserve(struct pf_buffer *b, size_t size)
{
	if (b->failed || size > b->maximum - b->size ||
	    PF_GROW(b->bytes, b->capacity, b->size + size, NULL)) {
		b->failed = true;
		return NULL;
	}
	return b->bytes + b->size;
}

void
pf_buffer_add(struct pf_buffer *b, const void *bytes, size_t size)
{
	uint8_t *to;

	if (size == 0)
		return;
	to = pf_buffer_reserve(b, size);
	if (!to)
		return;
	memcpy(to, bytes, size);
	b->size += size;
}

void
pf_buffer_byte(struct pf_buffer *b, uint8_t byte)
{
	pf_buffer_add(b, &byte, 1);
}

void
pf_buffer_string(struct pf_buffer *b, const char *string)
{
	pf_buffer_add(b, string, strlen(string));
}

void
pf_buffer_printf(struct pf_buffer *b, const char *format, ...)
{
	va_list args;
	uint8_t *to;
	int n;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	to = n < 0 ? NULL : pf_buffer_reserve(b, (size_t)n + 1);
	if (!to) {
		b->failed = true;
		return;
	}
	va_start(args, format);
	vsnprintf((char *)to, (size_t)n + 1, format, args);
	va_end(args);
	b->size += (size_t)n;
}

void
pf_buffer_decimal(struct pf_buffer *b, uint64_t value)
{
	uint8_t digits[20];
	size_t at = sizeof digits;

	do {
		digits[--at] = (uint8_t)('0' + value % 10);
		value /= 10;
	} while (value);
	pf_buffer_add(b, digits + at, sizeof digits - at);
}

void
pf_buffer_fill(struct pf_buffer *b, uint8_t byte, size_t count)
{
	uint8_t *to = pf_buffer_reserve(b, count);

	if (!to)
		return;
	memset(to, byte, count);
	b->size += count;
}

void
pf_buffer_uleb(struct pf_buffer *b, uint64_t value)
{
	uint8_t bytes[10];
	size_t n = 0;

	while (value >= 0x80) {
		bytes[n++] = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	bytes[n++] = (uint8_t)value;
	pf_buffer_add(b, bytes, n);
}

int
pf_buffer_check(const struct pf_buffer *b, struct pf_error *err)
{
	if (!b->failed)
		return 0;
	if (b->maximum != PF_BUFFER_NO_MAXIMUM && b->size + b->size / 2 >= b->maximum)
		return pf_error_set(
		    err, PF_ENOMEM, "more than the %zu bytes allowed here", b->maximum);
	return pf_error_nomem(err);
}
