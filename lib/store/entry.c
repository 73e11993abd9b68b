/*
 * entry.c: see entry.h. Fields:
 *
 *	1 id · 2 start_nanos · 3 duration_nanos · 4 collected_nanos · 5 size · 6 sample_count
 *	7 type · 8 build_id · 9 trigger · 10 reason · 11 label {1 name · 2 value}, repeated
 *	12 traces: 8 bytes each, little-endian, ascending
 */
#include "store/entry.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/cursor.h"
#include "core/error.h"
#include "core/md5.h"
#include "core/memory.h"
#include "core/wire.h"

enum {
	ID = 1,
	START,
	DURATION,
	COLLECTED,
	SIZE,
	SAMPLES,
	TYPE,
	BUILD_ID,
	TRIGGER,
	REASON,
	LABEL,
	TRACES
};
enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

static const int64_t HOUR = 3600 * INT64_C(1000000000);

const char *
pf_store_label(const struct pf_store_entry *entry, const char *name)
{
	for (size_t i = 0; i < entry->label_count; i++) {
		if (strcmp(entry->labels[i].name, name) == 0)
			return entry->labels[i].value;
	}
	return "";
}

const char *
pf_store_service(const struct pf_store_entry *entry)
{
	const char *service = pf_store_label(entry, "service");

	return *service ? service : pf_store_label(entry, "job");
}

uint64_t
pf_store_trace_hash(const char *id)
{
	char lower[128];
	size_t n = 0;

	while (id[n] && n < sizeof lower) {
		lower[n] = (char)tolower((unsigned char)id[n]);
		n++;
	}
	return pf_md5_low64(lower, n);
}

int64_t
pf_store_hour(const struct pf_store_entry *entry)
{
	return entry->collected_nanos > 0 ? entry->collected_nanos / HOUR : 0;
}

unsigned
pf_store_bucket(const struct pf_store_entry *entry)
{
	const char *key = *entry->build_id ? entry->build_id : pf_store_service(entry);

	if (strcmp(entry->type, "heap") == 0)
		key = pf_store_service(entry);
	return (unsigned)(pf_md5_low64(key, strlen(key)) & 255);
}

void
pf_store_hex(char *hex, const uint8_t id[PF_STORE_ID_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < PF_STORE_ID_SIZE; i++) {
		hex[2 * i] = digits[id[i] >> 4];
		hex[2 * i + 1] = digits[id[i] & 15];
	}
	hex[(size_t)2 * PF_STORE_ID_SIZE] = '\0';
}

static void
add_string(struct pf_buffer *out, unsigned field, const char *string)
{
	if (*string)
		pf_wire_bytes(out, field, string, strlen(string));
}

static void
add_label(struct pf_buffer *out, const struct pf_store_label *label)
{
	struct pf_buffer message;

	pf_buffer_init(&message, PF_STORE_HEADER_MAX);
	pf_wire_bytes(&message, 1, label->name, strlen(label->name));
	pf_wire_bytes(&message, 2, label->value, strlen(label->value));
	pf_wire_bytes(out, LABEL, message.bytes, message.size);
	out->failed |= message.failed;
	pf_buffer_release(&message);
}

static void
add_traces(struct pf_buffer *out, const uint64_t *traces, size_t count)
{
	if (!count)
		return;
	pf_buffer_uleb(out, (uint64_t)TRACES << 3 | WIRE_BYTES);
	pf_buffer_uleb(out, 8 * count);
	for (size_t i = 0; i < count; i++) {
		for (unsigned shift = 0; shift < 64; shift += 8)
			pf_buffer_byte(out, (uint8_t)(traces[i] >> shift));
	}
}

void
pf_store_entry_encode(struct pf_buffer *out, const struct pf_store_entry *e)
{
	pf_wire_bytes(out, ID, e->id, sizeof e->id);
	pf_wire_int64(out, START, e->start_nanos);
	pf_wire_int64(out, DURATION, e->duration_nanos);
	pf_wire_int64(out, COLLECTED, e->collected_nanos);
	pf_wire_varint(out, SIZE, e->size);
	pf_wire_varint(out, SAMPLES, e->sample_count);
	add_string(out, TYPE, e->type);
	add_string(out, BUILD_ID, e->build_id);
	add_string(out, TRIGGER, e->trigger);
	add_string(out, REASON, e->reason);
	for (size_t i = 0; i < e->label_count; i++)
		add_label(out, &e->labels[i]);
	add_traces(out, e->traces, e->trace_count);
}

/* A string of the message, copied into the text: room for all of them was made before, so none moves. */
static const char *
keep(struct pf_store_parsed *p, struct pf_cursor bytes)
{
	size_t at = p->text.size, size = pf_cursor_left(&bytes);

	if (memchr(bytes.at, '\0', size))
		return "";
	pf_buffer_add(&p->text, bytes.at, size);
	pf_buffer_byte(&p->text, 0);
	return p->text.failed ? "" : (const char *)p->text.bytes + at;
}

static int
decode_label(struct pf_store_parsed *p, struct pf_cursor message, struct pf_error *err)
{
	struct pf_store_entry *e = &p->entry;
	struct pf_store_label label = {"", ""};
	int rc = PF_GROW(p->labels, p->label_capacity, e->label_count + 1, err);

	if (rc)
		return rc;
	while (pf_cursor_more(&message)) {
		uint64_t tag = pf_cursor_varint(&message);
		struct pf_cursor value = pf_cursor_slice(&message, pf_cursor_varint(&message));
		if (tag == (1 << 3 | WIRE_BYTES))
			label.name = keep(p, value);
		else if (tag == (2 << 3 | WIRE_BYTES))
			label.value = keep(p, value);
	}
	p->labels[e->label_count++] = label;
	return pf_cursor_check(&message, err);
}

static int
decode_traces(struct pf_store_parsed *p, struct pf_cursor bytes, struct pf_error *err)
{
	size_t count = pf_cursor_left(&bytes) / 8;
	int rc = PF_GROW(p->traces, p->trace_capacity, count, err);

	for (size_t i = 0; !rc && i < count; i++)
		p->traces[i] = pf_cursor_u64(&bytes);
	p->entry.trace_count = rc ? 0 : count;
	return rc;
}

static void
decode_bytes(struct pf_store_parsed *p, uint64_t field, struct pf_cursor value, int *rc,
    struct pf_error *err)
{
	struct pf_store_entry *e = &p->entry;

	switch (field) {
	case ID:
		if (pf_cursor_left(&value) == sizeof e->id)
			memcpy(e->id, value.at, sizeof e->id);
		break;
	case TYPE:
		e->type = keep(p, value);
		break;
	case BUILD_ID:
		e->build_id = keep(p, value);
		break;
	case TRIGGER:
		e->trigger = keep(p, value);
		break;
	case REASON:
		e->reason = keep(p, value);
		break;
	case LABEL:
		*rc = decode_label(p, value, err);
		break;
	case TRACES:
		*rc = decode_traces(p, value, err);
		break;
	default:
		break;
	}
}

static void
decode_number(struct pf_store_entry *e, uint64_t field, uint64_t value)
{
	switch (field) {
	case START:
		e->start_nanos = (int64_t)value;
		break;
	case DURATION:
		e->duration_nanos = (int64_t)value;
		break;
	case COLLECTED:
		e->collected_nanos = (int64_t)value;
		break;
	case SIZE:
		e->size = value;
		break;
	case SAMPLES:
		e->sample_count = value;
		break;
	default:
		break;
	}
}

int
pf_store_entry_decode(struct pf_store_parsed *p, const char *name, const void *bytes, size_t size,
    struct pf_error *err)
{
	struct pf_cursor c;
	int rc = 0;

	p->entry = (struct pf_store_entry){.type = "", .build_id = "", .trigger = "", .reason = ""};
	p->text.maximum = PF_STORE_HEADER_MAX;
	pf_buffer_clear(&p->text);
	pf_buffer_reserve(&p->text, size); /* a string's tag and length are longer than its NUL */
	pf_cursor_init(&c, name, bytes, size);
	while (!rc && pf_cursor_more(&c)) {
		uint64_t tag = pf_cursor_varint(&c);
		if ((tag & 7) == WIRE_VARINT)
			decode_number(&p->entry, tag >> 3, pf_cursor_varint(&c));
		else if ((tag & 7) == WIRE_BYTES)
			decode_bytes(
			    p, tag >> 3, pf_cursor_slice(&c, pf_cursor_varint(&c)), &rc, err);
		else if ((tag & 7) == WIRE_FIXED64)
			pf_cursor_skip(&c, 8);
		else if ((tag & 7) == WIRE_FIXED32)
			pf_cursor_skip(&c, 4);
		else
			pf_cursor_fail(&c, "unknown wire type");
	}
	if (!rc)
		rc = pf_cursor_check(&c, err);
	if (!rc)
		rc = pf_buffer_check(&p->text, err);
	p->entry.labels = p->labels;
	p->entry.traces = p->traces;
	return rc;
}

void
pf_store_parsed_release(struct pf_store_parsed *p)
{
	pf_buffer_release(&p->text);
	free(p->labels);
	free(p->traces);
	*p = (struct pf_store_parsed){0};
}
