/*
 * decode_check.c: samples read without keeping anything: whether a long profile is well formed is known before it has
 * cost memory. What they refer to may follow, so the greatest reference of each kind is noted, to be judged at the end.
 *
 * Where ids have gaps that says nothing, and keeping the ids may cost much. They leave marks in a table of fixed size
 * instead, by hash, and another walk looks for the marks of all references. A reference without a mark dangles; one
 * that finds another id's mark (one in a thousand, with 30,000 ids out of sequence) is left for the walk that keeps
 * all.
 */
#include <stdlib.h>

#include "core/error.h"
#include "core/memory.h"
#include "profile/decode_private.h"
#include "profile/packed_ids.h"

enum { NEVER_TOO_LONG = 9, MARKS = 1 << 25 };

/* The bit of an id in a table; functions and locations have different ones. */
static uint32_t
mark_of(const struct pf_decoder *d, const struct pf_ids *ids, uint64_t id)
{
	return pf_hash_pair(ids == &d->function_ids, id) % MARKS;
}

int
pf_decode_check_id(struct pf_decoder *d, struct pf_ids *ids, uint64_t id, struct pf_error *err)
{
	int rc = pf_ids_pass(ids, id, err);
	uint32_t mark;

	if (rc || !ids->scattered || ids == &d->mapping_ids)
		return rc;
	if (!d->marks && PF_CALLOC(d->marks, MARKS / 64, err))
		return PF_ENOMEM;
	mark = mark_of(d, ids, id);
	d->marks[mark / 64] |= (uint64_t)1 << mark % 64;
	return 0;
}

/* Whether an id may be one of those that were seen. */
static bool
may_be(const struct pf_decoder *d, const struct pf_ids *ids, uint64_t id)
{
	uint32_t mark;

	if (id - 1 < ids->count)
		return true;
	if (!ids->scattered || !id)
		return false;
	mark = mark_of(d, ids, id);
	return d->marks[mark / 64] >> mark % 64 & 1;
}

static int
check_frames(struct pf_decoder *d, const uint8_t *at, const uint8_t *end, struct pf_error *err)
{
	struct pf_message ids = pf_message_of(at, end);
	uint64_t greatest = 0;

	if (pf_packed_ids_within(&ids, d->location_reference.greatest))
		return 0;
	while (ids.at != ids.end) {
		const uint8_t *start = ids.at;
		uint64_t id = pf_message_varint(&ids);
		if (id == 0 && !ids.failure)
			return pf_decoder_no_location(d, ids.at, id, err);
		d->unusual |= ids.at - start > 3;
		greatest = id > greatest ? id : greatest;
	}
	pf_decoder_note(d, &d->location_reference, at, greatest);
	return pf_decoder_check(d, &ids, err);
}

static int
check_frame(struct pf_decoder *d, const uint8_t *at, uint64_t id, struct pf_error *err)
{
	pf_decoder_note(d, &d->location_reference, at, id);
	return id ? 0 : pf_decoder_no_location(d, at, id, err);
}

/* Of so few bytes that no number can be too long, each that ends one counts. */
static int
check_values(struct pf_decoder *d, const uint8_t *at, const uint8_t *end, size_t *count,
    struct pf_error *err)
{
	struct pf_message values = pf_message_of(at, end);

	if (at < end && end - at <= NEVER_TOO_LONG && end[-1] < 0x80) {
		for (; at < end; at++)
			*count += *at < 0x80;
		return 0;
	}
	for (; values.at != values.end; ++*count)
		(void)pf_message_varint(&values);
	return pf_decoder_check(d, &values, err);
}

static int
check_label(struct pf_decoder *d, const uint8_t *at, const uint8_t *end, struct pf_error *err)
{
	struct pf_message message = pf_message_of(at, end);
	struct pf_field field;

	while (pf_field_next(&message, &field)) {
		if (field.number == PF_LABEL_KEY || field.number == PF_LABEL_STRING ||
		    field.number == PF_LABEL_UNIT)
			(void)pf_decoder_string_index(d, &message, &field);
		else if (field.number == PF_LABEL_NUMBER)
			(void)pf_field_scalar(&message, &field);
	}
	return pf_decoder_check(d, &message, err);
}

/* Samples may come before their types, but all have as many values as the first. */
static int
end_sample(struct pf_decoder *d, const uint8_t *start, size_t values, struct pf_error *err)
{
	if (d->type_count && values != d->type_count)
		return pf_decoder_wrong_count(d, start, values, d->type_count, err);
	if (d->sample_count == 0) {
		d->unusual |= d->type_count == 0;
		d->value_count = values;
		d->value_offset = pf_decoder_offset(d, start);
	}
	if (values != d->value_count)
		return pf_decoder_wrong_count(d, start, values, d->value_count, err);
	d->sample_count++;
	return 0;
}

static int
check_fields(struct pf_decoder *d, struct pf_message message, size_t *values, struct pf_error *err)
{
	struct pf_field f;
	int rc = 0;

	while (!rc && pf_field_next(&message, &f)) {
		if (f.number == PF_SAMPLE_LOCATION_ID)
			rc = f.is_bytes ? check_frames(d, f.bytes.at, f.bytes.end, err)
					: check_frame(d, message.at, f.value, err);
		else if (f.number == PF_SAMPLE_VALUE && f.is_bytes)
			rc = check_values(d, f.bytes.at, f.bytes.end, values, err);
		else if (f.number == PF_SAMPLE_VALUE)
			++*values;
		else if (f.number == PF_SAMPLE_LABEL && f.is_bytes)
			rc = check_label(d, f.bytes.at, f.bytes.end, err);
		else if (f.number == PF_SAMPLE_LABEL)
			pf_message_fail(&message, "a label was expected");
	}
	return rc ? rc : pf_decoder_check(d, &message, err);
}

int
pf_decode_check_sample(
    struct pf_decoder *d, const uint8_t *start, const uint8_t *end, struct pf_error *err)
{
	struct pf_message message = pf_message_of(start, end), packed;
	size_t values = 0;
	int rc = 0;

	d->sample_total++;
	d->sample_bytes += (uint64_t)(end - start);
	/* What nearly all samples begin with. */
	if (pf_message_skip(&message, PF_SAMPLE_LOCATION_ID, &packed))
		rc = check_frames(d, packed.at, packed.end, err);
	if (!rc && pf_message_skip(&message, PF_SAMPLE_VALUE, &packed))
		rc = check_values(d, packed.at, packed.end, &values, err);
	if (!rc && message.at != end)
		rc = check_fields(d, message, &values, err);
	return rc ? rc : end_sample(d, start, values, err);
}

static int
check_locations(struct pf_decoder *d, struct pf_message ids, struct pf_error *err)
{
	if (pf_packed_ids_within(&ids, d->location_ids.count))
		return 0;
	while (ids.at != ids.end) {
		uint64_t id = pf_message_varint(&ids);
		if (!may_be(d, &d->location_ids, id))
			return pf_decoder_no_location(d, ids.at, id, err);
	}
	return 0;
}

static int
check_function(struct pf_decoder *d, struct pf_message line, struct pf_error *err)
{
	struct pf_field f;
	uint64_t id = 0;

	while (pf_field_next(&line, &f)) {
		if (f.number == PF_LINE_FUNCTION_ID)
			id = f.value;
	}
	return may_be(d, &d->function_ids, id)
		   ? 0
		   : pf_decoder_invalid(d, line.at, err, "a line of the unknown function", id);
}

int
pf_decode_check_references(
    struct pf_decoder *d, uint32_t field, struct pf_message message, struct pf_error *err)
{
	struct pf_field f;
	int rc = 0;

	while (!rc && pf_field_next(&message, &f)) {
		if (field == PF_PROFILE_LOCATION && f.number == PF_LOCATION_LINE)
			rc = check_function(d, f.bytes, err);
		else if (field != PF_PROFILE_SAMPLE || f.number != PF_SAMPLE_LOCATION_ID)
			continue;
		else if (f.is_bytes)
			rc = check_locations(d, f.bytes, err);
		else if (!may_be(d, &d->location_ids, f.value))
			rc = pf_decoder_no_location(d, message.at, f.value, err);
	}
	return rc;
}
