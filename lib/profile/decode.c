/*
 * decode.c: profile.proto to columns; see decode.h.
 *
 * Messages refer forwards (samples come before the locations, strings come
 * last), so the top level is walked four times: strings; functions, mappings
 * and scalars; locations; samples. Skipping a field costs two varints, and
 * every reference is resolved the moment it is read.
 */
#include "profile/decode.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/error.h"
#include "core/memory.h"
#include "profile/fields.h"
#include "profile/ids.h"

struct decoder {
	struct pf_profile *p;
	struct pf_cursor file; /* the whole message, at its start */
	uint32_t *strings;     /* string table index to model string */
	size_t string_count, string_capacity;
	struct pf_ids mapping_ids, function_ids, location_ids;
	bool has_time;
};

/* "<file>: <what> at offset N": for what is well formed but wrong. */
static int
invalid(const struct decoder *d, const struct pf_cursor *at, struct pf_error *err, const char *what,
    uint64_t number)
{
	return pf_error_set(err, PF_EINPUT, "%s: %s %" PRIu64 " at offset %zu", d->file.section,
	    what, number, pf_cursor_offset(at));
}

/* "<file>: <item> at offset N: <reason already in err>". */
static int
invalid_item(
    const struct decoder *d, const struct pf_cursor *at, struct pf_error *err, const char *item)
{
	return pf_error_prefix(
	    err, "%s: %s at offset %zu", d->file.section, item, pf_cursor_offset(at));
}

/* The model string behind a string table index; the first walk has completed the table. */
static uint32_t
string_at(struct decoder *d, struct pf_cursor *message, const struct pf_field *field)
{
	uint64_t index = pf_field_scalar(message, field);

	if (index < d->string_count)
		return d->strings[index];
	if (!message->failure)
		pf_cursor_fail(message, "string index out of range");
	return 0;
}

static int
add_string(struct decoder *d, struct pf_field *field, struct pf_error *err)
{
	uint32_t id;
	int rc;

	if (!field->is_bytes) {
		pf_cursor_fail(&d->file, "a string was expected");
		return pf_cursor_check(&d->file, err);
	}
	if (d->string_count == 0 && pf_cursor_left(&field->bytes))
		return invalid(d, &field->bytes, err, "string_table[0] is not empty: its length is",
		    pf_cursor_left(&field->bytes));
	rc = PF_GROW(d->strings, d->string_capacity, d->string_count + 1, err);
	if (!rc)
		rc = pf_strings_add(&d->p->strings, (const char *)field->bytes.at,
		    pf_cursor_left(&field->bytes), &id, err);
	if (!rc)
		d->strings[d->string_count++] = id;
	return rc;
}

static int
decode_value_type(
    struct decoder *d, struct pf_cursor message, struct pf_value_type *type, struct pf_error *err)
{
	struct pf_field field;

	*type = (struct pf_value_type){0};
	while (pf_field_next(&message, &field)) {
		if (field.number == PF_VALUE_TYPE_TYPE)
			type->type = string_at(d, &message, &field);
		else if (field.number == PF_VALUE_TYPE_UNIT)
			type->unit = string_at(d, &message, &field);
	}
	return pf_cursor_check(&message, err);
}

static int
add_type(struct decoder *d, struct pf_cursor message, struct pf_error *err)
{
	struct pf_profile *p = d->p;
	int rc = PF_GROW(p->types, p->type_capacity, p->type_count + 1, err);

	if (!rc)
		rc = decode_value_type(d, message, &p->types[p->type_count], err);
	if (!rc)
		p->type_count++;
	return rc;
}

static int
add_mapping(struct decoder *d, struct pf_cursor message, struct pf_error *err)
{
	struct pf_cursor start = message;
	struct pf_mapping m = {0};
	struct pf_field field;
	uint64_t id = 0;
	int rc;

	while (pf_field_next(&message, &field)) {
		switch (field.number) {
		case PF_MAPPING_ID:
			id = pf_field_scalar(&message, &field);
			break;
		case PF_MAPPING_START:
			m.start = pf_field_scalar(&message, &field);
			break;
		case PF_MAPPING_LIMIT:
			m.limit = pf_field_scalar(&message, &field);
			break;
		case PF_MAPPING_OFFSET:
			m.offset = pf_field_scalar(&message, &field);
			break;
		case PF_MAPPING_FILENAME:
			m.filename = string_at(d, &message, &field);
			break;
		case PF_MAPPING_BUILD_ID:
			m.build_id = string_at(d, &message, &field);
			break;
		case PF_MAPPING_HAS_FUNCTIONS:
			m.has_functions = pf_field_scalar(&message, &field) != 0;
			break;
		case PF_MAPPING_HAS_FILENAMES:
			m.has_filenames = pf_field_scalar(&message, &field) != 0;
			break;
		case PF_MAPPING_HAS_LINE_NUMBERS:
			m.has_line_numbers = pf_field_scalar(&message, &field) != 0;
			break;
		case PF_MAPPING_HAS_INLINE_FRAMES:
			m.has_inline_frames = pf_field_scalar(&message, &field) != 0;
			break;
		default:
			break;
		}
	}
	rc = pf_cursor_check(&message, err);
	if (rc)
		return rc;
	if (pf_ids_add(&d->mapping_ids, id, err))
		return invalid_item(d, &start, err, "mapping");
	rc = PF_GROW(d->p->mappings, d->p->mapping_capacity, d->p->mapping_count + 1, err);
	if (!rc)
		d->p->mappings[d->p->mapping_count++] = m;
	return rc;
}

static int
add_function(struct decoder *d, struct pf_cursor message, struct pf_error *err)
{
	struct pf_cursor start = message;
	struct pf_function f = {0};
	struct pf_field field;
	uint64_t id = 0;
	int rc;

	while (pf_field_next(&message, &field)) {
		switch (field.number) {
		case PF_FUNCTION_ID:
			id = pf_field_scalar(&message, &field);
			break;
		case PF_FUNCTION_NAME:
			f.name = string_at(d, &message, &field);
			break;
		case PF_FUNCTION_SYSTEM_NAME:
			f.system_name = string_at(d, &message, &field);
			break;
		case PF_FUNCTION_FILENAME:
			f.filename = string_at(d, &message, &field);
			break;
		case PF_FUNCTION_START_LINE:
			f.start_line = (int64_t)pf_field_scalar(&message, &field);
			break;
		default:
			break;
		}
	}
	rc = pf_cursor_check(&message, err);
	if (rc)
		return rc;
	if (pf_ids_add(&d->function_ids, id, err))
		return invalid_item(d, &start, err, "function");
	rc = PF_GROW(d->p->functions, d->p->function_capacity, d->p->function_count + 1, err);
	if (!rc)
		d->p->functions[d->p->function_count++] = f;
	return rc;
}

static int
add_line(struct decoder *d, struct pf_cursor message, struct pf_error *err)
{
	struct pf_cursor start = message;
	struct pf_profile *p = d->p;
	struct pf_line line = {0};
	struct pf_field field;
	uint64_t function = 0;
	int rc;

	while (pf_field_next(&message, &field)) {
		if (field.number == PF_LINE_FUNCTION_ID)
			function = pf_field_scalar(&message, &field);
		else if (field.number == PF_LINE_LINE)
			line.line = (int64_t)pf_field_scalar(&message, &field);
		else if (field.number == PF_LINE_COLUMN)
			line.column = (int64_t)pf_field_scalar(&message, &field);
	}
	rc = pf_cursor_check(&message, err);
	if (rc)
		return rc;
	line.function = pf_ids_find(&d->function_ids, function);
	if (line.function == PF_NONE)
		return invalid(d, &start, err, "a line of the unknown function", function);
	rc = PF_GROW(p->lines, p->line_capacity, p->line_count + 1, err);
	if (!rc)
		p->lines[p->line_count++] = line;
	return rc;
}

static int
add_location(struct decoder *d, struct pf_cursor message, struct pf_error *err)
{
	struct pf_location l = {.mapping = PF_NONE};
	struct pf_cursor start = message;
	struct pf_profile *p = d->p;
	struct pf_field field;
	uint64_t id = 0;
	int rc = 0;

	while (!rc && pf_field_next(&message, &field)) {
		switch (field.number) {
		case PF_LOCATION_ID:
			id = pf_field_scalar(&message, &field);
			break;
		case PF_LOCATION_MAPPING_ID:
			l.mapping = pf_ids_find(&d->mapping_ids, pf_field_scalar(&message, &field));
			break;
		case PF_LOCATION_ADDRESS:
			l.address = pf_field_scalar(&message, &field);
			break;
		case PF_LOCATION_LINE:
			if (!field.is_bytes)
				pf_cursor_fail(&message, "a line was expected");
			else
				rc = add_line(d, field.bytes, err);
			break;
		case PF_LOCATION_IS_FOLDED:
			l.folded = pf_field_scalar(&message, &field) != 0;
			break;
		default:
			break;
		}
	}
	if (!rc)
		rc = pf_cursor_check(&message, err);
	if (rc)
		return rc;
	if (pf_ids_add(&d->location_ids, id, err))
		return invalid_item(d, &start, err, "location");
	rc = PF_GROW(p->locations, p->location_capacity, p->location_count + 1, err);
	if (!rc)
		rc = PF_GROW(p->line_starts, p->line_starts_capacity, p->location_count + 2, err);
	if (rc)
		return rc;
	p->locations[p->location_count++] = l;
	p->line_starts[p->location_count] = p->line_count;
	return 0;
}

static int
add_frame(struct decoder *d, struct pf_cursor *message, uint64_t id, struct pf_error *err)
{
	uint32_t location = pf_ids_find(&d->location_ids, id);
	struct pf_profile *p = d->p;

	if (location == PF_NONE)
		return invalid(d, message, err, "a sample of the unknown location", id);
	if (p->frame_count == p->frame_capacity) {
		int rc = PF_GROW(p->frames, p->frame_capacity, p->frame_count + 1, err);
		if (rc)
			return rc;
	}
	p->frames[p->frame_count++] = location;
	return 0;
}

static int
add_value(struct decoder *d, size_t *count, uint64_t value, struct pf_error *err)
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
add_label(struct decoder *d, struct pf_cursor message, struct pf_error *err)
{
	struct pf_profile *p = d->p;
	struct pf_label label = {0};
	struct pf_field field;
	int rc;

	while (pf_field_next(&message, &field)) {
		if (field.number == PF_LABEL_KEY)
			label.key = string_at(d, &message, &field);
		else if (field.number == PF_LABEL_STRING)
			label.string = string_at(d, &message, &field);
		else if (field.number == PF_LABEL_NUMBER)
			label.number = (int64_t)pf_field_scalar(&message, &field);
		else if (field.number == PF_LABEL_UNIT)
			label.unit = string_at(d, &message, &field);
	}
	rc = pf_cursor_check(&message, err);
	if (!rc)
		rc = PF_GROW(p->labels, p->label_capacity, p->label_count + 1, err);
	if (!rc)
		p->labels[p->label_count++] = label;
	return rc;
}

/* A field of a sample; scalars may be packed or not, and a run may be split over several fields. */
static int
add_sample_field(struct decoder *d, struct pf_cursor *message, struct pf_field *f, size_t *values,
    struct pf_error *err)
{
	int rc = 0;

	if (f->number == PF_SAMPLE_LOCATION_ID && !f->is_bytes)
		return add_frame(d, message, f->value, err);
	if (f->number == PF_SAMPLE_VALUE && !f->is_bytes)
		return add_value(d, values, f->value, err);
	if (f->number == PF_SAMPLE_LABEL && f->is_bytes)
		return add_label(d, f->bytes, err);
	if (f->number > PF_SAMPLE_LABEL)
		return 0;
	if (!f->is_bytes) {
		pf_cursor_fail(message, "a label was expected");
		return pf_cursor_check(message, err);
	}
	while (!rc && pf_cursor_more(&f->bytes)) {
		uint64_t value = pf_cursor_varint(&f->bytes);
		if (f->bytes.failure)
			break;
		rc = f->number == PF_SAMPLE_VALUE ? add_value(d, values, value, err)
						  : add_frame(d, &f->bytes, value, err);
	}
	return rc ? rc : pf_cursor_check(&f->bytes, err);
}

static int
add_sample(struct decoder *d, struct pf_cursor message, struct pf_error *err)
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

static int
add_comment(struct decoder *d, struct pf_cursor *file, struct pf_field *f, struct pf_error *err)
{
	struct pf_profile *p = d->p;
	int rc = 0;

	do {
		if (f->is_bytes && !pf_cursor_more(&f->bytes))
			break;
		uint64_t index = f->is_bytes ? pf_cursor_varint(&f->bytes) : f->value;
		if (index >= d->string_count) {
			pf_cursor_fail(f->is_bytes ? &f->bytes : file, "string index out of range");
			break;
		}
		rc = PF_GROW(p->comments, p->comment_capacity, p->comment_count + 1, err);
		if (!rc)
			p->comments[p->comment_count++] = d->strings[index];
	} while (!rc && f->is_bytes);
	if (!rc && f->is_bytes)
		rc = pf_cursor_check(&f->bytes, err);
	return rc ? rc : pf_cursor_check(file, err);
}

static int
add_time(struct decoder *d, struct pf_cursor *file, struct pf_field *f, struct pf_error *err)
{
	if (d->has_time)
		return pf_error_set(err, PF_EINPUT,
		    "%s: a second time_nanos at offset %zu: these are concatenated profiles; merge "
		    "them instead",
		    d->file.section, pf_cursor_offset(file));
	d->has_time = true;
	d->p->time_nanos = (int64_t)pf_field_scalar(file, f);
	return 0;
}

/* What the second walk takes besides tables: scalars and strings of the top level. */
static int
add_scalar(struct decoder *d, struct pf_cursor *file, struct pf_field *f, struct pf_error *err)
{
	struct pf_profile *p = d->p;

	switch (f->number) {
	case PF_PROFILE_DROP_FRAMES:
		p->drop_frames = string_at(d, file, f);
		break;
	case PF_PROFILE_KEEP_FRAMES:
		p->keep_frames = string_at(d, file, f);
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
		return add_comment(d, file, f, err);
	case PF_PROFILE_DEFAULT_SAMPLE_TYPE:
		p->default_type = string_at(d, file, f);
		break;
	case PF_PROFILE_DOC_URL:
		p->doc_url = string_at(d, file, f);
		break;
	default:
		break;
	}
	return 0;
}

static bool
is_message(uint32_t field)
{
	return (field >= PF_PROFILE_SAMPLE_TYPE && field <= PF_PROFILE_FUNCTION) ||
	       field == PF_PROFILE_PERIOD_TYPE;
}

enum walk { WALK_STRINGS, WALK_TABLES, WALK_LOCATIONS, WALK_SAMPLES, WALKS };

static int
take_field(struct decoder *d, enum walk walk, struct pf_cursor *file, struct pf_field *f,
    struct pf_error *err)
{
	if (is_message(f->number) && !f->is_bytes) {
		pf_cursor_fail(file, "a message was expected");
		return pf_cursor_check(file, err);
	}
	if (walk == WALK_STRINGS)
		return f->number == PF_PROFILE_STRING_TABLE ? add_string(d, f, err) : 0;
	if (walk == WALK_LOCATIONS)
		return f->number == PF_PROFILE_LOCATION ? add_location(d, f->bytes, err) : 0;
	if (walk == WALK_SAMPLES)
		return f->number == PF_PROFILE_SAMPLE ? add_sample(d, f->bytes, err) : 0;
	switch (f->number) {
	case PF_PROFILE_SAMPLE_TYPE:
		return add_type(d, f->bytes, err);
	case PF_PROFILE_PERIOD_TYPE:
		return decode_value_type(d, f->bytes, &d->p->period_type, err);
	case PF_PROFILE_MAPPING:
		return add_mapping(d, f->bytes, err);
	case PF_PROFILE_FUNCTION:
		return add_function(d, f->bytes, err);
	default:
		return add_scalar(d, file, f, err);
	}
}

static int
walk_fields(struct decoder *d, enum walk walk, struct pf_error *err)
{
	struct pf_cursor file = d->file;
	struct pf_field field;
	int rc = 0;

	while (!rc && pf_field_next(&file, &field))
		rc = take_field(d, walk, &file, &field, err);
	return rc ? rc : pf_cursor_check(&file, err);
}

int
pf_profile_decode(
    struct pf_profile *p, const char *name, const void *bytes, size_t size, struct pf_error *err)
{
	struct decoder d = {.p = p};
	int rc = 0;

	pf_cursor_init(&d.file, name, bytes, size);
	for (enum walk walk = WALK_STRINGS; !rc && walk < WALKS; walk++)
		rc = walk_fields(&d, walk, err);
	if (!rc && p->type_count == 0)
		rc = pf_error_set(
		    err, PF_EINPUT, "%s: no sample types: this is not a pprof profile", name);
	free(d.strings);
	pf_ids_release(&d.mapping_ids);
	pf_ids_release(&d.function_ids);
	pf_ids_release(&d.location_ids);
	return rc;
}
