/*
 * buffer.h: a growing run of bytes with a hard maximum.
 *
 * Appending past the maximum, or without memory, makes the failure sticky:
 * a writer appends a whole record and checks once. What was appended before
 * the failure stays readable. A zeroed struct with a maximum set is empty.
 */
#ifndef PF_CORE_BUFFER_H
#define PF_CORE_BUFFER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pf_error;

struct pf_buffer {
	uint8_t *bytes; /* owned; NULL while empty */
	size_t size;
	size_t capacity;
	size_t maximum;
	bool failed;
};

#define PF_BUFFER_NO_MAXIMUM ((size_t)PTRDIFF_MAX)

void pf_buffer_init(struct pf_buffer *b, size_t maximum);
/* Frees the bytes; the buffer is empty and usable again, its maximum kept. */
void pf_buffer_release(struct pf_buffer *b);
/* Forgets the content and the failure, keeps the memory. */
void pf_buffer_clear(struct pf_buffer *b);

void pf_buffer_add(struct pf_buffer *b, const void *bytes, size_t size);
void pf_buffer_byte(struct pf_buffer *b, uint8_t byte);
void pf_buffer_string(struct pf_buffer *b, const char *string);
void pf_buffer_printf(struct pf_buffer *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A number in decimal; many times as fast as _printf. */
void pf_buffer_decimal(struct pf_buffer *b, uint64_t value);
/* `count` times the same byte. */
void pf_buffer_fill(struct pf_buffer *b, uint8_t byte, size_t count);
/* Unsigned LEB128, which is also protobuf's varint. */
void pf_buffer_uleb(struct pf_buffer *b, uint64_t value);

/* Room for `size` bytes at the end, to be filled by the caller who then adds to b->size; NULL on failure. */
uint8_t *pf_buffer_reserve(struct pf_buffer *b, size_t size);

/* 0, or PF_ENOMEM if any append failed. */
int pf_buffer_check(const struct pf_buffer *b, struct pf_error *err);

#endif
