/*
 * wire.h: protobuf's wire format, writing side.
 *
 * Enough of it for profile.proto: varints, strings and nested messages whose
 * bytes were built in a buffer of their own. The agent carries this file into
 * other people's processes, so it needs nothing but libc and buffer.h.
 * Source of the format: protobuf's "Encoding" guide.
 */
#ifndef PF_CORE_WIRE_H
#define PF_CORE_WIRE_H

#include "core/buffer.h"

/* field: value; a zero value is proto3's default and is left out. */
void pf_wire_varint(struct pf_buffer *b, unsigned field, uint64_t value);
/* The same for int64: two's complement, 10 bytes when negative. */
void pf_wire_int64(struct pf_buffer *b, unsigned field, int64_t value);
/* A string, bytes or nested message; written also when empty (a repeated field's element). */
void pf_wire_bytes(struct pf_buffer *b, unsigned field, const void *bytes, size_t size);
/* A nested message that was built in a buffer of its own, which is cleared; its failure becomes b's. */
void pf_wire_message(struct pf_buffer *b, unsigned field, struct pf_buffer *message);

#endif
