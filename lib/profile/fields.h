/*
 * fields.h: profile.proto's messages as (field number, value) pairs, and the
 * numbers themselves (google/pprof, proto/profile.proto).
 *
 * A message is three pointers, kept in registers by whoever reads it field by
 * field; the first failure is sticky, ends it, and is turned into a sentence
 * with the offset by the one who knows where the bytes lie. Wire types are those
 * of protobuf's "Encoding" guide; groups were never valid here.
 */
#ifndef PF_PROFILE_FIELDS_H
#define PF_PROFILE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pf_profile_field {
	PF_PROFILE_SAMPLE_TYPE = 1,
	PF_PROFILE_SAMPLE = 2,
	PF_PROFILE_MAPPING = 3,
	PF_PROFILE_LOCATION = 4,
	PF_PROFILE_FUNCTION = 5,
	PF_PROFILE_STRING_TABLE = 6,
	PF_PROFILE_DROP_FRAMES = 7,
	PF_PROFILE_KEEP_FRAMES = 8,
	PF_PROFILE_TIME_NANOS = 9,
	PF_PROFILE_DURATION_NANOS = 10,
	PF_PROFILE_PERIOD_TYPE = 11,
	PF_PROFILE_PERIOD = 12,
	PF_PROFILE_COMMENT = 13,
	PF_PROFILE_DEFAULT_SAMPLE_TYPE = 14,
	PF_PROFILE_DOC_URL = 15,
};

enum pf_value_type_field { PF_VALUE_TYPE_TYPE = 1, PF_VALUE_TYPE_UNIT = 2 };
enum pf_sample_field { PF_SAMPLE_LOCATION_ID = 1, PF_SAMPLE_VALUE = 2, PF_SAMPLE_LABEL = 3 };
enum pf_label_field {
	PF_LABEL_KEY = 1,
	PF_LABEL_STRING = 2,
	PF_LABEL_NUMBER = 3,
	PF_LABEL_UNIT = 4
};

enum pf_mapping_field {
	PF_MAPPING_ID = 1,
	PF_MAPPING_START = 2,
	PF_MAPPING_LIMIT = 3,
	PF_MAPPING_OFFSET = 4,
	PF_MAPPING_FILENAME = 5,
	PF_MAPPING_BUILD_ID = 6,
	PF_MAPPING_HAS_FUNCTIONS = 7,
	PF_MAPPING_HAS_FILENAMES = 8,
	PF_MAPPING_HAS_LINE_NUMBERS = 9,
	PF_MAPPING_HAS_INLINE_FRAMES = 10,
};

enum pf_location_field {
	PF_LOCATION_ID = 1,
	PF_LOCATION_MAPPING_ID = 2,
	PF_LOCATION_ADDRESS = 3,
	PF_LOCATION_LINE = 4,
	PF_LOCATION_IS_FOLDED = 5,
};

enum pf_line_field { PF_LINE_FUNCTION_ID = 1, PF_LINE_LINE = 2, PF_LINE_COLUMN = 3 };

enum pf_function_field {
	PF_FUNCTION_ID = 1,
	PF_FUNCTION_NAME = 2,
	PF_FUNCTION_SYSTEM_NAME = 3,
	PF_FUNCTION_FILENAME = 4,
	PF_FUNCTION_START_LINE = 5,
};

/* Bytes that are read as a message, or as packed numbers. */
struct pf_message {
	const uint8_t *at, *end;
	const char *failure; /* NULL, or why reading stopped, at `at` */
};

/* One field of a message. */
struct pf_field {
	uint32_t number;
	bool is_bytes;  /* a length-delimited one: see bytes */
	uint64_t value; /* of any other; its length */
	struct pf_message bytes;
};

static inline uint64_t
pf_message_fail(struct pf_message *m, const char *why)
{
	if (!m->failure)
		m->failure = why;
	m->end = m->at;
	return 0;
}

/* A number and where it ended; there NULL, the number is a failure: 0 truncated, 1 too long, 2 too large. */
struct pf_varint {
	uint64_t value;
	const uint8_t *next;
};

struct pf_varint pf_varint_long(const uint8_t *at, const uint8_t *end);
const char *pf_varint_failure(uint64_t failure);

/* The next varint (unsigned LEB128): at most 10 bytes, bits past 64 are a failure. */
static inline uint64_t
pf_message_varint(struct pf_message *m)
{
	const uint8_t *at = m->at;
	struct pf_varint v;

	if (m->end - at >= 2) {
		if (at[0] < 0x80) {
			m->at = at + 1;
			return at[0];
		}
		if (at[1] < 0x80) {
			m->at = at + 2;
			return (uint64_t)(at[0] & 0x7f) | (uint64_t)at[1] << 7;
		}
	}
	v = pf_varint_long(at, m->end);
	if (!v.next) {
		m->failure = m->failure ? m->failure : pf_varint_failure(v.value);
		m->end = at;
		return 0;
	}
	m->at = v.next;
	return v.value;
}

static inline struct pf_message
pf_message_of(const uint8_t *at, const uint8_t *end)
{
	return (struct pf_message){.at = at, .end = end};
}

/* The next `size` bytes, which this message steps over; empty after a failure. */
static inline struct pf_message
pf_message_slice(struct pf_message *m, uint64_t size)
{
	const uint8_t *at = m->at;

	if (size > (uint64_t)(m->end - at)) {
		pf_message_fail(m, "length past the end");
		return pf_message_of(at, at);
	}
	m->at = at + size;
	return pf_message_of(at, m->at);
}

/* Whatever pf_field_next() leaves aside. */
bool pf_field_next_rare(struct pf_message *message, struct pf_field *field);

/*
 * The next field; false at the end and on a failure, which the message then
 * holds. Varints and length-delimited fields numbered below 16 are read here:
 * that is all there is in most profiles.
 */
__attribute__((always_inline)) static inline bool
pf_field_next(struct pf_message *message, struct pf_field *field)
{
	enum { VARINT = 0, BYTES = 2 };
	uint8_t key;

	if (message->at == message->end)
		return false;
	key = *message->at;
	if (key < 8 || key >= 0x80 || ((key & 7) != VARINT && (key & 7) != BYTES)) {
		/* A copy, so that the message itself stays in registers. */
		struct pf_message copy = *message;
		bool more = pf_field_next_rare(&copy, field);
		*message = copy;
		return more;
	}
	message->at++;
	field->number = key >> 3;
	field->is_bytes = (key & 7) == BYTES;
	field->value = pf_message_varint(message);
	if (field->is_bytes)
		field->bytes = pf_message_slice(message, field->value);
	return !message->failure;
}

/*
 * Whether a length-delimited field of this number (below 16) and of less than 16
 * KiB comes next: if so, steps over it. Says nothing about what else may come.
 */
static inline bool
pf_message_skip(struct pf_message *message, uint32_t number, struct pf_message *bytes)
{
	enum { BYTES = 2 };
	const uint8_t *at = message->at;
	size_t size;

	if (message->end - at < 3 || *at != (number << 3 | BYTES))
		return false;
	size = at[1];
	at += 2;
	if (size >= 0x80) {
		if (*at >= 0x80)
			return false;
		size = (size & 0x7f) | (size_t)*at++ << 7;
	}
	if (size > (size_t)(message->end - at))
		return false;
	*bytes = pf_message_of(at, at + size);
	message->at = at + size;
	return true;
}

/* The number of a scalar field; a length-delimited one is a failure of the message. */
static inline uint64_t
pf_field_scalar(struct pf_message *message, const struct pf_field *field)
{
	if (field->is_bytes)
		return pf_message_fail(message, "a number was expected, not bytes");
	return field->value;
}

#endif
