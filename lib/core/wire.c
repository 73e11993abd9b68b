/* wire.c: see wire.h. */
#include "core/wire.h"

enum { WIRE_VARINT = 0, WIRE_BYTES = 2 };

void
pf_wire_varint(struct pf_buffer *b, unsigned field, uint64_t value)
{
	if (value == 0)
		return;
	pf_buffer_uleb(b, (uint64_t)field << 3 | WIRE_VARINT);
	pf_buffer_uleb(b, value);
}

void
pf_wire_int64(struct pf_buffer *b, unsigned field, int64_t value)
{
	pf_wire_varint(b, field, (uint64_t)value);
}

void
pf_wire_bytes(struct pf_buffer *b, unsigned field, const void *bytes, size_t size)
{
	pf_buffer_uleb(b, (uint64_t)field << 3 | WIRE_BYTES);
	pf_buffer_uleb(b, size);
	pf_buffer_add(b, bytes, size);
}

void
pf_wire_message(struct pf_buffer *b, unsigned field, struct pf_buffer *message)
{
	pf_wire_bytes(b, field, message->bytes, message->size);
	b->failed |= message->failed;
	pf_buffer_clear(message);
}
