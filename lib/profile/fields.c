/* fields.c: the rare paths of fields.h. */
#include "profile/fields.h"

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };
enum { TRUNCATED, TOO_LONG, TOO_LARGE };

struct pf_varint
pf_varint_long(const uint8_t *at, const uint8_t *end)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte;
		if (at == end)
			return (struct pf_varint){.value = TRUNCATED};
		byte = *at++;
		if (shift == 63 && byte > 1)
			return (struct pf_varint){.value = byte < 0x80 ? TOO_LARGE : TOO_LONG};
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return (struct pf_varint){value, at};
	}
	return (struct pf_varint){.value = TOO_LONG};
}

const char *
pf_varint_failure(uint64_t failure)
{
	return failure == TRUNCATED  ? "truncated varint"
	       : failure == TOO_LONG ? "varint over 10 bytes"
				     : "varint over 64 bits";
}

static uint64_t
little_endian(struct pf_message *m, size_t size)
{
	struct pf_message bytes = pf_message_slice(m, size);
	uint64_t value = 0;

	if (bytes.at == bytes.end)
		return 0;
	while (size--)
		value = value << 8 | bytes.at[size];
	return value;
}

bool
pf_field_next_rare(struct pf_message *message, struct pf_field *field)
{
	uint64_t key = pf_message_varint(message);

	if (message->failure)
		return false;
	if (key >> 3 == 0 || key >> 3 > 0x1fffffff) {
		pf_message_fail(message, "field number out of range");
		return false;
	}
	field->number = (uint32_t)(key >> 3);
	field->is_bytes = false;
	switch (key & 7) {
	case WIRE_VARINT:
		field->value = pf_message_varint(message);
		break;
	case WIRE_FIXED64:
		field->value = little_endian(message, 8);
		break;
	case WIRE_BYTES:
		field->is_bytes = true;
		field->value = pf_message_varint(message);
		field->bytes = pf_message_slice(message, field->value);
		break;
	case WIRE_FIXED32:
		field->value = little_endian(message, 4);
		break;
	default:
		pf_message_fail(message, "unknown wire type");
	}
	return !message->failure;
}
