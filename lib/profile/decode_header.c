/* decode_header.c: strings and scalars of profile.proto's top level; see decode_private.h. */
#include "core/error.h"
#include "core/memory.h"
#include "profile/decode_private.h"

static int
keep_string(struct pf_decoder *d, const struct pf_message *bytes, struct pf_error *err)
{
	size_t size = (size_t)(bytes->end - bytes->at);
	const char *text = (const char *)bytes->at;
	uint32_t id = 0;
	int rc = PF_GROW(d->strings, d->string_capacity, d->string_count + 1, err);

	if (!rc && size)
		rc = d->append_strings ? pf_strings_append(&d->p->strings, text, size, &id, err)
				       : pf_strings_add(&d->p->strings, text, size, &id, err);
	if (rc)
		return rc;
	d->strings_moved |= id != d->string_count;
	d->strings[d->string_count] = id;
	return 0;
}

int
pf_decode_table_string(struct pf_decoder *d, struct pf_field *field, struct pf_error *err)
{
	int rc = 0;

	if (!field->is_bytes) {
		pf_message_fail(&d->file, "a string was expected");
		return pf_decoder_check(d, &d->file, err);
	}
	if (d->string_count == 0 && field->value)
		return pf_decoder_invalid(d, field->bytes.at, err,
		    "string_table[0] is not empty: its length is", field->value);
	if (d->step != PF_DECODE_CHECK)
		rc = keep_string(d, &field->bytes, err);
	d->string_count += !rc;
	return rc;
}

static int
add_comment(struct pf_decoder *d, const uint8_t *at, uint64_t index, struct pf_error *err)
{
	struct pf_profile *p = d->p;
	int rc;

	pf_decoder_note(d, &d->string_reference, at, index);
	if (d->step == PF_DECODE_CHECK)
		return 0;
	rc = PF_GROW(p->comments, p->comment_capacity, p->comment_count + 1, err);
	if (!rc)
		p->comments[p->comment_count++] = (uint32_t)index;
	return rc;
}

static int
add_comments(
    struct pf_decoder *d, struct pf_message *file, struct pf_field *f, struct pf_error *err)
{
	int rc = 0;

	if (!f->is_bytes)
		return add_comment(d, file->at, f->value, err);
	while (!rc && f->bytes.at != f->bytes.end) {
		uint64_t index = pf_message_varint(&f->bytes);
		if (!f->bytes.failure)
			rc = add_comment(d, f->bytes.at, index, err);
	}
	return rc ? rc : pf_decoder_check(d, &f->bytes, err);
}

static int
add_time(struct pf_decoder *d, struct pf_message *file, struct pf_field *f, struct pf_error *err)
{
	if (d->has_time)
		return pf_error_set(err, PF_EINPUT,
		    "%s: a second time_nanos at offset %zu: these are concatenated profiles; merge "
		    "them instead",
		    d->source->name, pf_decoder_offset(d, file->at));
	d->has_time = true;
	d->p->time_nanos = (int64_t)pf_field_scalar(file, f);
	return pf_decoder_check(d, file, err);
}

int
pf_decode_scalar(
    struct pf_decoder *d, struct pf_message *file, struct pf_field *f, struct pf_error *err)
{
	struct pf_profile *p = d->p;

	switch (f->number) {
	case PF_PROFILE_DROP_FRAMES:
		p->drop_frames = pf_decoder_string_index(d, file, f);
		break;
	case PF_PROFILE_KEEP_FRAMES:
		p->keep_frames = pf_decoder_string_index(d, file, f);
		break;
	case PF_PROFILE_TIME_NANOS:
		return add_time(d, file, f, err);
	case PF_PROFILE_DURATION_NANOS:
		p->duration_nanos = (int64_t)pf_field_scalar(file, f);
		break;
	case PF_PROFILE_PERIOD:
		p->period = (int64_t)pf_field_scalar(file, f);
		break;
	case PF_PROFILE_COMMENT:
		return add_comments(d, file, f, err);
	case PF_PROFILE_DEFAULT_SAMPLE_TYPE:
		p->default_type = pf_decoder_string_index(d, file, f);
		break;
	case PF_PROFILE_DOC_URL:
		p->doc_url = pf_decoder_string_index(d, file, f);
		break;
	default:
		break;
	}
	return pf_decoder_check(d, file, err);
}

static void
settle(const struct pf_decoder *d, uint32_t *index)
{
	/* An empty table has no index 0 either; it means "" all the same. */
	*index = d->string_count ? d->strings[*index] : 0;
}

static void
settle_type(const struct pf_decoder *d, struct pf_value_type *type)
{
	settle(d, &type->type);
	settle(d, &type->unit);
}

void
pf_decode_settle_strings(struct pf_decoder *d)
{
	struct pf_profile *p = d->p;

	if (!d->strings_moved)
		return; /* indexes are the numbers already */
	for (size_t i = 0; i < p->type_count; i++)
		settle_type(d, &p->types[i]);
	settle_type(d, &p->period_type);
	settle(d, &p->default_type);
	settle(d, &p->drop_frames);
	settle(d, &p->keep_frames);
	settle(d, &p->doc_url);
	for (size_t i = 0; i < p->comment_count; i++)
		settle(d, &p->comments[i]);
	for (size_t i = 0; i < p->label_count; i++) {
		settle(d, &p->labels[i].key);
		settle(d, &p->labels[i].string);
		settle(d, &p->labels[i].unit);
	}
	for (size_t i = 0; i < p->mapping_count; i++) {
		settle(d, &p->mappings[i].filename);
		settle(d, &p->mappings[i].build_id);
	}
	for (size_t i = 0; i < p->function_count; i++) {
		settle(d, &p->functions[i].name);
		settle(d, &p->functions[i].system_name);
		settle(d, &p->functions[i].filename);
	}
}
