/* decode_tables.c: what samples refer to: types, mappings, functions, locations; see decode_private.h. */
#include "core/memory.h"
#include "profile/decode_private.h"

int
pf_decode_value_type(struct pf_decoder *d, struct pf_message message, struct pf_value_type *type,
    struct pf_error *err)
{
	struct pf_field field;

	*type = (struct pf_value_type){0};
	while (pf_field_next(&message, &field)) {
		if (field.number == PF_VALUE_TYPE_TYPE)
			type->type = pf_decoder_string_index(d, &message, &field);
		else if (field.number == PF_VALUE_TYPE_UNIT)
			type->unit = pf_decoder_string_index(d, &message, &field);
	}
	return pf_decoder_check(d, &message, err);
}

int
pf_decode_sample_type(struct pf_decoder *d, struct pf_message message, struct pf_error *err)
{
	struct pf_profile *p = d->p;
	struct pf_value_type type;
	int rc = pf_decode_value_type(d, message, &type, err);

	d->unusual |= d->sample_count != 0;
	if (!rc)
		d->type_count++;
	if (rc || d->step == PF_DECODE_CHECK)
		return rc;
	rc = PF_GROW(p->types, p->type_capacity, p->type_count + 1, err);
	if (!rc)
		p->types[p->type_count++] = type;
	return rc;
}

int
pf_decode_mapping(struct pf_decoder *d, struct pf_message message, struct pf_error *err)
{
	const uint8_t *start = message.at;
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
			m.filename = pf_decoder_string_index(d, &message, &field);
			break;
		case PF_MAPPING_BUILD_ID:
			m.build_id = pf_decoder_string_index(d, &message, &field);
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
	rc = pf_decoder_check(d, &message, err);
	if (rc)
		return rc;
	rc = pf_decoder_add_id(d, &d->mapping_ids, id, start, "mapping", err);
	if (rc || d->step == PF_DECODE_CHECK)
		return rc;
	rc = PF_GROW(d->p->mappings, d->p->mapping_capacity, d->p->mapping_count + 1, err);
	if (!rc)
		d->p->mappings[d->p->mapping_count++] = m;
	return rc;
}

int
pf_decode_function(struct pf_decoder *d, struct pf_message message, struct pf_error *err)
{
	const uint8_t *start = message.at;
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
			f.name = pf_decoder_string_index(d, &message, &field);
			break;
		case PF_FUNCTION_SYSTEM_NAME:
			f.system_name = pf_decoder_string_index(d, &message, &field);
			break;
		case PF_FUNCTION_FILENAME:
			f.filename = pf_decoder_string_index(d, &message, &field);
			break;
		case PF_FUNCTION_START_LINE:
			f.start_line = (int64_t)pf_field_scalar(&message, &field);
			break;
		default:
			break;
		}
	}
	rc = pf_decoder_check(d, &message, err);
	if (rc)
		return rc;
	rc = pf_decoder_add_id(d, &d->function_ids, id, start, "function", err);
	if (rc || d->step == PF_DECODE_CHECK)
		return rc;
	rc = PF_GROW(d->p->functions, d->p->function_capacity, d->p->function_count + 1, err);
	if (!rc)
		d->p->functions[d->p->function_count++] = f;
	return rc;
}

/* A line; *function is its function's id. */
static int
read_line(const struct pf_decoder *d, struct pf_message message, struct pf_line *line,
    uint64_t *function, struct pf_error *err)
{
	struct pf_field field;

	*line = (struct pf_line){0};
	*function = 0;
	while (pf_field_next(&message, &field)) {
		if (field.number == PF_LINE_FUNCTION_ID)
			*function = pf_field_scalar(&message, &field);
		else if (field.number == PF_LINE_LINE)
			line->line = (int64_t)pf_field_scalar(&message, &field);
		else if (field.number == PF_LINE_COLUMN)
			line->column = (int64_t)pf_field_scalar(&message, &field);
	}
	return pf_decoder_check(d, &message, err);
}

static int
add_line(struct pf_decoder *d, struct pf_message message, struct pf_error *err)
{
	struct pf_profile *p = d->p;
	struct pf_line line;
	uint64_t function;
	int rc = read_line(d, message, &line, &function, err);

	if (rc)
		return rc;
	if (function == 0)
		return pf_decoder_invalid(
		    d, message.at, err, "a line of the unknown function", function);
	pf_decoder_note(d, &d->function_reference, message.at, function);
	if (d->step == PF_DECODE_CHECK)
		return 0;
	line.function = (uint32_t)(function - 1); /* unless ids have gaps: see pf_decode_links() */
	rc = PF_GROW(p->lines, p->line_capacity, p->line_count + 1, err);
	if (!rc)
		p->lines[p->line_count++] = line;
	return rc;
}

static int
keep_location(struct pf_decoder *d, const struct pf_location *l, struct pf_error *err)
{
	struct pf_profile *p = d->p;
	int rc = PF_GROW(p->locations, p->location_capacity, p->location_count + 1, err);

	if (!rc)
		rc = PF_GROW(p->line_starts, p->line_starts_capacity, p->location_count + 2, err);
	if (rc)
		return rc;
	p->locations[p->location_count++] = *l;
	p->line_starts[p->location_count] = p->line_count;
	return 0;
}

int
pf_decode_location(struct pf_decoder *d, struct pf_message message, struct pf_error *err)
{
	struct pf_location l = {.mapping = PF_NONE};
	const uint8_t *start = message.at;
	struct pf_field field;
	uint64_t id = 0, mapping;
	int rc = 0;

	while (!rc && pf_field_next(&message, &field)) {
		switch (field.number) {
		case PF_LOCATION_ID:
			id = pf_field_scalar(&message, &field);
			break;
		case PF_LOCATION_MAPPING_ID:
			mapping = pf_field_scalar(&message, &field);
			l.mapping = mapping - 1 < PF_NONE ? (uint32_t)(mapping - 1) : PF_NONE;
			break;
		case PF_LOCATION_ADDRESS:
			l.address = pf_field_scalar(&message, &field);
			break;
		case PF_LOCATION_LINE:
			if (!field.is_bytes)
				pf_message_fail(&message, "a line was expected");
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
		rc = pf_decoder_check(d, &message, err);
	if (!rc)
		rc = pf_decoder_add_id(d, &d->location_ids, id, start, "location", err);
	if (rc || d->step == PF_DECODE_CHECK)
		return rc;
	return keep_location(d, &l, err);
}

/* Sets the function of line `at` of the profile. */
static int
link_line(struct pf_decoder *d, struct pf_message message, uint64_t at, struct pf_error *err)
{
	struct pf_line line;
	uint64_t function;
	int rc = read_line(d, message, &line, &function, err);

	if (rc)
		return rc;
	line.function = pf_ids_find(&d->function_ids, function);
	if (line.function == PF_NONE)
		return pf_decoder_invalid(
		    d, message.at, err, "a line of the unknown function", function);
	d->p->lines[at].function = line.function;
	return 0;
}

int
pf_decode_links(struct pf_decoder *d, struct pf_message message, struct pf_error *err)
{
	size_t i = d->location_count++;
	struct pf_profile *p = d->p;
	struct pf_field field;
	uint64_t line;
	int rc = 0;

	if (i >= p->location_count)
		return pf_decoder_invalid(
		    d, message.at, err, "changed while it was read: location", i);
	line = p->line_starts[i];
	while (!rc && pf_field_next(&message, &field)) {
		if (field.number == PF_LOCATION_MAPPING_ID)
			p->locations[i].mapping =
			    pf_ids_find(&d->mapping_ids, pf_field_scalar(&message, &field));
		else if (field.number == PF_LOCATION_LINE && line < p->line_starts[i + 1])
			rc = link_line(d, field.bytes, line++, err);
	}
	return rc ? rc : pf_decoder_check(d, &message, err);
}
