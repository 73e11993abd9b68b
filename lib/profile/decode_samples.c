/*
 * decode_samples.c: the bulk of a profile: samples with their locations, values and labels.
 *
 * Room for what a field may hold is made once; then numbers are decoded straight
 * into the columns.
 */
#include "core/error.h"
#include "core/memory.h"
#include "profile/decode_private.h"
#include "profile/packed_ids.h"

/* Locations of a packed field. */
static inline int
add_frames(struct pf_decoder *d, const uint8_t *at, const uint8_t *end, struct pf_error *err)
{
	struct pf_message ids = pf_message_of(at, end);
	struct pf_profile *p = d->p;
	uint32_t *to;

	if (PF_GROW(p->frames, p->frame_capacity, p->frame_count + (size_t)(end - at), err))
		return PF_ENOMEM;
	to = p->frames + p->frame_count;
	if (d->plain ||
	    (!d->location_ids.scattered && pf_packed_ids_within(&ids, d->location_ids.count))) {
		to = pf_packed_ids_take(&ids, d->source->end, to);
		ids.at = ids.end;
	}
	while (ids.at != ids.end) {
		uint64_t id = pf_message_varint(&ids);
		*to = pf_ids_find(&d->location_ids, id);
		if (*to == PF_NONE)
			return ids.failure ? pf_decoder_check(d, &ids, err)
					   : pf_decoder_no_location(d, ids.at, id, err);
		to++;
	}
	p->frame_count = (size_t)(to - p->frames);
	return 0;
}

static int
add_frame(struct pf_decoder *d, const uint8_t *at, uint64_t id, struct pf_error *err)
{
	uint32_t location =
	    d->step == PF_DECODE_ALL ? (uint32_t)(id - 1) : pf_ids_find(&d->location_ids, id);
	struct pf_profile *p = d->p;
	int rc;

	if (location == PF_NONE)
		return pf_decoder_no_location(d, at, id, err);
	rc = PF_GROW(p->frames, p->frame_capacity, p->frame_count + 1, err);
	if (!rc)
		p->frames[p->frame_count++] = location;
	return rc;
}

/* Too many values are counted, and refused at the sample's end; too few, too. */
static inline void
add_value(struct pf_profile *p, size_t *count, uint64_t value)
{
	if (*count < p->type_count)
		p->values[p->sample_count * p->type_count + *count] = (int64_t)value;
	++*count;
}

static inline int
add_values(struct pf_decoder *d, const uint8_t *at, const uint8_t *end, size_t *count,
    struct pf_error *err)
{
	struct pf_message values = pf_message_of(at, end);
	int64_t *to = d->p->values + d->p->sample_count * d->p->type_count;
	size_t most = d->p->type_count, n = *count;

	for (; values.at != values.end; n++) {
		uint64_t value = pf_message_varint(&values);
		if (n < most)
			to[n] = (int64_t)value;
	}
	*count = n;
	return pf_decoder_check(d, &values, err);
}

/* The table may follow where all is read at once. */
static inline uint32_t
label_string(struct pf_decoder *d, struct pf_message *message, const struct pf_field *field)
{
	return d->step == PF_DECODE_ALL ? pf_decoder_string_index(d, message, field)
					: pf_decoder_string(d, message, field);
}

static int
add_label(struct pf_decoder *d, const uint8_t *at, const uint8_t *end, struct pf_error *err)
{
	struct pf_message message = pf_message_of(at, end);
	struct pf_profile *p = d->p;
	struct pf_label label = {0};
	struct pf_field field;
	int rc;

	while (pf_field_next(&message, &field)) {
		if (field.number == PF_LABEL_KEY)
			label.key = label_string(d, &message, &field);
		else if (field.number == PF_LABEL_STRING)
			label.string = label_string(d, &message, &field);
		else if (field.number == PF_LABEL_NUMBER)
			label.number = (int64_t)pf_field_scalar(&message, &field);
		else if (field.number == PF_LABEL_UNIT)
			label.unit = label_string(d, &message, &field);
	}
	rc = pf_decoder_check(d, &message, err);
	if (!rc)
		rc = PF_GROW(p->labels, p->label_capacity, p->label_count + 1, err);
	if (!rc)
		p->labels[p->label_count++] = label;
	return rc;
}

/* Room for the values of the next sample, and for its ends. */
static inline int
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

static inline int
end_sample(struct pf_decoder *d, const uint8_t *start, size_t values, struct pf_error *err)
{
	struct pf_profile *p = d->p;
	int rc = 0;

	if (values != p->type_count)
		return pf_decoder_wrong_count(d, start, values, p->type_count, err);
	d->sample_count++;
	p->sample_count++;
	p->frame_starts[p->sample_count] = p->frame_count;
	p->label_starts[p->sample_count] = p->label_count;
	if (d->parts && (p->sample_count >= PF_PART_SAMPLES || p->frame_count >= PF_PART_FRAMES)) {
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
	size_t values = samples * d->type_total;
	int rc;

	if (d->parts || !d->source->whole)
		return 0;
	/* A value is a byte at least: what the samples can't hold will be refused. */
	if (values > d->sample_bytes)
		values = (size_t)d->sample_bytes;
	rc = PF_GROW(p->values, p->value_capacity, values, err);
	if (!rc)
		rc = PF_GROW(p->frame_starts, p->frame_starts_capacity, samples + 1, err);
	if (!rc)
		rc = PF_GROW(p->label_starts, p->label_starts_capacity, samples + 1, err);
	return rc ? rc : PF_GROW(p->frames, p->frame_capacity, frames, err);
}

/* Fields of a sample in any form: scalars may be packed or not, and a run may be split over several fields. */
static int
decode_fields(struct pf_decoder *d, struct pf_message message, size_t *values, struct pf_error *err)
{
	struct pf_field f;
	int rc = 0;

	while (!rc && pf_field_next(&message, &f)) {
		if (f.number == PF_SAMPLE_LOCATION_ID)
			rc = f.is_bytes ? add_frames(d, f.bytes.at, f.bytes.end, err)
					: add_frame(d, message.at, f.value, err);
		else if (f.number == PF_SAMPLE_VALUE && f.is_bytes)
			rc = add_values(d, f.bytes.at, f.bytes.end, values, err);
		else if (f.number == PF_SAMPLE_VALUE)
			add_value(d->p, values, f.value);
		else if (f.number == PF_SAMPLE_LABEL && f.is_bytes)
			rc = add_label(d, f.bytes.at, f.bytes.end, err);
		else if (f.number == PF_SAMPLE_LABEL)
			pf_message_fail(&message, "a label was expected");
	}
	return rc ? rc : pf_decoder_check(d, &message, err);
}

int
pf_decode_sample(
    struct pf_decoder *d, const uint8_t *start, const uint8_t *end, struct pf_error *err)
{
	struct pf_message message = pf_message_of(start, end), packed;
	size_t values = 0;
	int rc = make_room(d->p, err);

	/* What nearly all samples begin with. */
	if (!rc && pf_message_skip(&message, PF_SAMPLE_LOCATION_ID, &packed))
		rc = add_frames(d, packed.at, packed.end, err);
	if (!rc && pf_message_skip(&message, PF_SAMPLE_VALUE, &packed))
		rc = add_values(d, packed.at, packed.end, &values, err);
	if (!rc && message.at != end)
		rc = decode_fields(d, message, &values, err);
	return rc ? rc : end_sample(d, start, values, err);
}
