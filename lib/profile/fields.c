/* fields.c: see fields.h. Wire types as in protobuf's "Encoding" guide; groups were never valid here. */
#include "profile/fields.h"

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

bool
pf_field_next(struct pf_cursor *message, struct pf_field *field)
{
	uint64_t key;

	if (!pf_cursor_more(message))
		return false;
	key = pf_cursor_varint(message);
	if (key >> 3 == 0 || key >> 3 > 0x1fffffff) {
		pf_cursor_fail(message, "field number out of range");
		return false;
	}
	field->number = (uint32_t)(key >> 3);
	field->is_bytes = false;
	switch (key & 7) {
	case WIRE_VARINT:
		field->value = pf_cursor_varint(message);
		break;
	case WIRE_FIXED64:
		field->value = pf_cursor_u64(message);
		break;
	case WIRE_BYTES:
		field->is_bytes = true;
		field->bytes = pf_cursor_slice(message, pf_cursor_varint(message));
		break;
	case WIRE_FIXED32:
		field->value = pf_cursor_u32(message);
		break;
	default:
		pf_cursor_fail(message, "unknown wire type");
	}
	return !message->failure;
}

uint64_t
pf_field_scalar(struct pf_cursor *message, const struct pf_field *field)
{
	if (field->is_bytes)
		return pf_cursor_fail(message, "a number was expected, not bytes");
	return field->value;
}
