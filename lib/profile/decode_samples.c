/* decode_samples.c: the bulk of a profile: samples with their locations, values and labels. */
#include "core/error.h"
#include "core/memory.h"
#include "profile/decode_private.h"

/* Locations of a sample, one or many in a packed field: room for all is made at once. */
static int
add_frames(struct pf_decoder *d, struct pf_cursor ids, struct pf_error *err)
{
	struct pf_profile *p = d->p;
	int rc = PF_GROW(p->frames, p->frame_capacity, p->frame_count + pf_cursor_left(&ids), err);

	while (!rc && pf_cursor_more(&ids)) {
		uint64_t id = pf_cursor_varint(&ids);
		uint32_t location = pf_ids_find(&d->location_ids, id);
		if (location == PF_NONE && !ids.failure)
			return pf_decoder_invalid(
			    d, &ids, err, "a sample of the unknown location", id);
		p->frames[p->frame_count++] = location;
	}
	return rc ? rc : pf_cursor_check(&ids, err);
}

static int
add_frame(struct pf_decoder *d, const struct pf_cursor *message, uint64_t id, struct pf_error *err)
{
	struct pf_profile *p = d->p;
	uint32_t location = pf_ids_find(&d->location_ids, id);
	int rc;

	if (location == PF_NONE)
		return pf_decoder_invalid(d, message, err, "a sample of the unknown location", id);
	rc = PF_GROW(p->frames, p->frame_capacity, p->frame_count + 1, err);
	if (!rc)
		p->frames[p->frame_count++] = location;
	return rc;
}

static int
add_value(struct pf_decoder *d, size_t *count, uint64_t value, struct pf_error *err)
{
	struct pf_profile *p = d->p;
	size_t at = p->sample_count * p->type_count + *count;

	++*count;
	if (*count > p->type_count)
		return 0; /* counted, and refused at the sample's end */
	if (at >= p->value_capacity) {
		int rc = PF_GROW(p->values, p->value_capacity, at + 1, err);
		if (rc)
			return rc;
	}
	p->values[at] = (int64_t)value;
	return 0;
}

static int
add_label(struct pf_decoder *d, struct pf_cursor message, struct pf_error *err)
{
	struct pf_profile *p = d->p;
	struct pf_label label = {0};
	struct pf_field field;
	int rc;

	while (pf_field_next(&message, &field)) {
		if (field.number == PF_LABEL_KEY)
			label.key = pf_decoder_string(d, &message, &field);
		else if (field.number == PF_LABEL_STRING)
			label.string = pf_decoder_string(d, &message, &field);
		else if (field.number == PF_LABEL_NUMBER)
			label.number = (int64_t)pf_field_scalar(&message, &field);
		else if (field.number == PF_LABEL_UNIT)
			label.unit = pf_decoder_string(d, &message, &field);
	}
	rc = pf_cursor_check(&message, err);
	if (!rc)
		rc = PF_GROW(p->labels, p->label_capacity, p->label_count + 1, err);
	if (!rc)
		p->labels[p->label_count++] = label;
	return rc;
}

static int
add_values(struct pf_decoder *d, struct pf_cursor values, size_t *count, struct pf_error *err)
{
	int rc = 0;

	while (!rc && pf_cursor_more(&values))
		rc = add_value(d, count, pf_cursor_varint(&values), err);
	return rc ? rc : pf_cursor_check(&values, err);
}

/* A field of a sample; scalars may be packed or not, and a run may be split over several fields. */
static int
add_sample_field(struct pf_decoder *d, struct pf_cursor *message, const struct pf_field *f,
    size_t *values, struct pf_error *err)
{
	if (f->number == PF_SAMPLE_LOCATION_ID)
		return f->is_bytes ? add_frames(d, f->bytes, err)
				   : add_frame(d, message, f->value, err);
	if (f->number == PF_SAMPLE_VALUE)
		return f->is_bytes ? add_values(d, f->bytes, values, err)
				   : add_value(d, values, f->value, err);
	if (f->number == PF_SAMPLE_LABEL && f->is_bytes)
		return add_label(d, f->bytes, err);
	if (f->number == PF_SAMPLE_LABEL)
		pf_cursor_fail(message, "a label was expected");
	return 0;
}

int
pf_decode_sample(struct pf_decoder *d, struct pf_cursor message, struct pf_error *err)
{
	struct pf_cursor start = message;
	struct pf_profile *p = d->p;
	struct pf_field field;
	size_t values = 0;
	int rc = 0;

	while (!rc && pf_field_next(&message, &field))
		rc = add_sample_field(d, &message, &field, &values, err);
	if (!rc)
		rc = pf_cursor_check(&message, err);
	if (rc)
		return rc;
	if (values != p->type_count)
		return pf_error_set(err, PF_EINPUT,
		    "%s: sample %zu at offset %zu has %zu values for %zu sample types",
		    d->file.section, p->sample_count, pf_cursor_offset(&start), values,
		    p->type_count);
	rc = PF_GROW(p->frame_starts, p->frame_starts_capacity, p->sample_count + 2, err);
	if (!rc)
		rc = PF_GROW(p->label_starts, p->label_starts_capacity, p->sample_count + 2, err);
	if (rc)
		return rc;
	p->sample_count++;
	p->frame_starts[p->sample_count] = p->frame_count;
	p->label_starts[p->sample_count] = p->label_count;
	return 0;
}
