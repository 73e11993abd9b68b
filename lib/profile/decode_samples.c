/*
 * decode_samples.c: the bulk of a profile: samples with their locations, values and labels.
 *
 * Room for what a field may hold is made once; then numbers are decoded straight
 * into the columns.
 */
#include "core/error.h"
#include "core/memory.h"
#include "profile/decode_private.h"

static int
unknown_location(const struct pf_decoder *d, const uint8_t *at, uint64_t id,
    struct pf_error *err)
{
	return pf_decoder_invalid(d, at, err, "a sample of the unknown location", id);
}

/*
 * The id at `at`, of up to three bytes (as many must be there): nearly all ids.
 * Branches on the length cost less here than computing without them: the
 * lengths of neighbours are alike. *next is NULL for longer ones.
 */
static inline uint32_t
short_id(const uint8_t *at, const uint8_t **next)
{
	uint32_t id = at[0];

	*next = at + 1;
	if (id < 0x80)
		return id;
	id = (id & 0x7f) | (uint32_t)at[1] << 7;
	*next = at + 2;
	if (id < 0x4000)
		return id;
	*next = at[2] < 0x80 ? at + 3 : NULL;
	return (id & 0x3fff) | (uint32_t)at[2] << 14;
}

/* The greatest of the short ids that come first; 0 if one of them is 0, which no id is. */
static uint64_t
greatest_id(struct pf_message *ids)
{
	const uint8_t *at = ids->at, *end = ids->end - 2, *next;
	uint32_t greatest = 0, least = UINT32_MAX;

	while (at < end) {
		uint32_t id = short_id(at, &next);

		if (!next)
			break;
		greatest = id > greatest ? id : greatest;
		least = id < least ? id : least;
		at = next;
	}
	ids->at = at;
	return least ? greatest : 0;
}

/* Where nothing is kept: the greatest id is noted, with the offset of the field that has it. */
static int
check_frames(struct pf_decoder *d, struct pf_message ids, struct pf_error *err)
{
	const uint8_t *start = ids.at;
	uint64_t greatest = ids.end - ids.at > 2 ? greatest_id(&ids) : 0;

	if (greatest == 0 && ids.at != start)
		return unknown_location(d, start, 0, err);
	while (ids.at != ids.end) {
		uint64_t id = pf_message_varint(&ids);
		if (id == 0 && !ids.failure)
			return unknown_location(d, ids.at, id, err);
		greatest = id > greatest ? id : greatest;
	}
	pf_decoder_note(d, &d->location_reference, start, greatest);
	return pf_decoder_check(d, &ids, err);
}

/* The short ids that come first, without gaps, as positions. */
static uint32_t *
take_sequence(struct pf_message *ids, uint32_t count, uint32_t *to)
{
	const uint8_t *at = ids->at, *end = ids->end - 2, *next;

	while (at < end) {
		uint32_t id = short_id(at, &next);

		if (!next || id - 1 >= count)
			break;
		*to++ = id - 1;
		at = next;
	}
	ids->at = at;
	return to;
}

/* Locations of a packed field. */
static int
add_frames(struct pf_decoder *d, struct pf_message ids, struct pf_error *err)
{
	size_t room = d->p->frame_count + (size_t)(ids.end - ids.at);
	struct pf_profile *p = d->p;
	uint32_t *to;

	if (d->step == PF_DECODE_CHECK)
		return check_frames(d, ids, err);
	if (PF_GROW(p->frames, p->frame_capacity, room, err))
		return PF_ENOMEM;
	to = p->frames + p->frame_count;
	if (!d->location_ids.scattered && ids.end - ids.at > 2)
		to = take_sequence(&ids, d->location_ids.count, to);
	while (ids.at != ids.end) {
		uint64_t id = pf_message_varint(&ids);
		*to = pf_ids_find(&d->location_ids, id);
		if (*to == PF_NONE)
			return ids.failure ? pf_decoder_check(d, &ids, err)
					   : unknown_location(d, ids.at, id, err);
		to++;
	}
	p->frame_count = (size_t)(to - p->frames);
	return 0;
}

static int
add_frame(struct pf_decoder *d, const struct pf_message *message, uint64_t id, struct pf_error *err)
{
	struct pf_profile *p = d->p;
	uint32_t location;
	int rc;

	if (d->step == PF_DECODE_CHECK) {
		pf_decoder_note(d, &d->location_reference, message->at, id);
		return id ? 0 : unknown_location(d, message->at, id, err);
	}
	location = pf_ids_find(&d->location_ids, id);
	if (location == PF_NONE)
		return unknown_location(d, message->at, id, err);
	rc = PF_GROW(p->frames, p->frame_capacity, p->frame_count + 1, err);
	if (!rc)
		p->frames[p->frame_count++] = location;
	return rc;
}

/* Too many values are counted, and refused at the sample's end; too few, too. */
static inline void
add_value(struct pf_decoder *d, size_t *count, uint64_t value)
{
	struct pf_profile *p = d->p;

	if (*count < p->type_count && d->step != PF_DECODE_CHECK)
		p->values[p->sample_count * p->type_count + *count] = (int64_t)value;
	++*count;
}

static int
add_values(struct pf_decoder *d, struct pf_message values, size_t *count, struct pf_error *err)
{
	while (values.at != values.end)
		add_value(d, count, pf_message_varint(&values));
	return pf_decoder_check(d, &values, err);
}

static int
add_label(struct pf_decoder *d, struct pf_message message, struct pf_error *err)
{
	bool check = d->step == PF_DECODE_CHECK;
	struct pf_profile *p = d->p;
	struct pf_label label = {0};
	struct pf_field field;
	int rc;

	while (pf_field_next(&message, &field)) {
		uint32_t *string = field.number == PF_LABEL_KEY	     ? &label.key
				   : field.number == PF_LABEL_STRING ? &label.string
				   : field.number == PF_LABEL_UNIT   ? &label.unit
								     : NULL;
		if (string)
			*string = check ? pf_decoder_string_index(d, &message, &field)
					: pf_decoder_string(d, &message, &field);
		else if (field.number == PF_LABEL_NUMBER)
			label.number = (int64_t)pf_field_scalar(&message, &field);
	}
	rc = pf_decoder_check(d, &message, err);
	if (rc || check)
		return rc;
	rc = PF_GROW(p->labels, p->label_capacity, p->label_count + 1, err);
	if (!rc)
		p->labels[p->label_count++] = label;
	return rc;
}

/* A field of a sample; scalars may be packed or not, and a run may be split over several fields. */
static int
add_sample_field(struct pf_decoder *d, struct pf_message *message, const struct pf_field *f,
    size_t *values, struct pf_error *err)
{
	switch (f->number) {
	case PF_SAMPLE_LOCATION_ID:
		return f->is_bytes ? add_frames(d, f->bytes, err)
				   : add_frame(d, message, f->value, err);
	case PF_SAMPLE_VALUE:
		if (f->is_bytes)
			return add_values(d, f->bytes, values, err);
		add_value(d, values, f->value);
		return 0;
	case PF_SAMPLE_LABEL:
		if (f->is_bytes)
			return add_label(d, f->bytes, err);
		pf_message_fail(message, "a label was expected");
		return 0;
	default:
		return 0;
	}
}

/* Room for the values of the next sample, and for its ends. */
static int
make_room(struct pf_profile *p, struct pf_error *err)
{
	size_t values = (p->sample_count + 1) * p->type_count;
	int rc = PF_GROW(p->values, p->value_capacity, values, err);

	if (!rc)
		rc = PF_GROW(p->frame_starts, p->frame_starts_capacity, p->sample_count + 2, err);
	if (!rc)
		rc = PF_GROW(p->label_starts, p->label_starts_capacity, p->sample_count + 2, err);
	return rc;
}

static int
wrong_count(const struct pf_decoder *d, const uint8_t *start, size_t values, size_t types,
    struct pf_error *err)
{
	return pf_error_set(err, PF_EINPUT,
	    "%s: sample %zu at offset %zu has %zu values for %zu sample types", d->source->name,
	    d->sample_count, pf_decoder_offset(d, start), values, types);
}

/* Where nothing is kept: samples may come before their types, but all have as many values as the first. */
static int
end_checked(struct pf_decoder *d, const uint8_t *start, size_t values, struct pf_error *err)
{
	if (d->type_count && values != d->type_count)
		return wrong_count(d, start, values, d->type_count, err);
	if (d->sample_count == 0) {
		d->value_count = values;
		d->value_offset = pf_decoder_offset(d, start);
	}
	if (values != d->value_count)
		return wrong_count(d, start, values, d->value_count, err);
	d->sample_count++;
	return 0;
}

static int
end_sample(struct pf_decoder *d, const uint8_t *start, size_t values, struct pf_error *err)
{
	struct pf_profile *p = d->p;
	int rc = 0;

	if (d->step == PF_DECODE_CHECK)
		return end_checked(d, start, values, err);
	if (values != p->type_count)
		return wrong_count(d, start, values, p->type_count, err);
	d->sample_count++;
	p->sample_count++;
	p->frame_starts[p->sample_count] = p->frame_count;
	p->label_starts[p->sample_count] = p->label_count;
	if (d->parts &&
	    (p->sample_count >= PF_PART_SAMPLES || p->frame_count >= PF_PART_FRAMES)) {
		rc = d->parts->take(d->parts->data, p, err);
		p->sample_count = p->frame_count = p->label_count = 0;
	}
	return rc;
}

int
pf_decode_reserve(struct pf_decoder *d, struct pf_error *err)
{
	struct pf_profile *p = d->p;
	size_t samples = d->sample_total, frames = (size_t)(d->sample_bytes / 2);
	int rc;

	if (d->parts || !d->source->whole)
		return 0;
	rc = PF_GROW(p->values, p->value_capacity, samples * p->type_count, err);
	if (!rc)
		rc = PF_GROW(p->frame_starts, p->frame_starts_capacity, samples + 1, err);
	if (!rc)
		rc = PF_GROW(p->label_starts, p->label_starts_capacity, samples + 1, err);
	return rc ? rc : PF_GROW(p->frames, p->frame_capacity, frames, err);
}

int
pf_decode_sample(struct pf_decoder *d, struct pf_message message, struct pf_error *err)
{
	const uint8_t *start = message.at;
	struct pf_field field;
	size_t values = 0;
	int rc = d->step == PF_DECODE_CHECK ? 0 : make_room(d->p, err);

	while (!rc && pf_field_next(&message, &field))
		rc = add_sample_field(d, &message, &field, &values, err);
	if (!rc)
		rc = pf_decoder_check(d, &message, err);
	return rc ? rc : end_sample(d, start, values, err);
}
