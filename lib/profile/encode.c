/*
 * encode.c: columns to profile.proto; see encode.h.
 *
 * Small messages are built in a scratch buffer that is cleared and reused.
 * Ids are positions plus one. default_sample_type is always written: one known
 * reader insists on it, and the last type is what its absence means to others.
 */
#include "profile/encode.h"

#include "core/error.h"
#include "core/gzip.h"
#include "core/file.h"
#include "core/wire.h"
#include "profile/fields.h"

/* Large profiles are compressed at a third of the time and seven eighths of the ratio. */
enum { LARGE = 16 << 20, LEVEL = 6, LEVEL_OF_LARGE = 1 };

struct encoder {
	const struct pf_profile *p;
	struct pf_buffer *out;
	struct pf_buffer message, nested;
};

static void
encode_type(struct encoder *e, unsigned field, const struct pf_value_type *type)
{
	pf_wire_varint(&e->message, PF_VALUE_TYPE_TYPE, type->type);
	pf_wire_varint(&e->message, PF_VALUE_TYPE_UNIT, type->unit);
	pf_wire_message(e->out, field, &e->message);
}

static void
encode_mapping(struct encoder *e, size_t i)
{
	const struct pf_mapping *m = &e->p->mappings[i];

	pf_wire_varint(&e->message, PF_MAPPING_ID, i + 1);
	pf_wire_varint(&e->message, PF_MAPPING_START, m->start);
	pf_wire_varint(&e->message, PF_MAPPING_LIMIT, m->limit);
	pf_wire_varint(&e->message, PF_MAPPING_OFFSET, m->offset);
	pf_wire_varint(&e->message, PF_MAPPING_FILENAME, m->filename);
	pf_wire_varint(&e->message, PF_MAPPING_BUILD_ID, m->build_id);
	pf_wire_varint(&e->message, PF_MAPPING_HAS_FUNCTIONS, m->has_functions);
	pf_wire_varint(&e->message, PF_MAPPING_HAS_FILENAMES, m->has_filenames);
	pf_wire_varint(&e->message, PF_MAPPING_HAS_LINE_NUMBERS, m->has_line_numbers);
	pf_wire_varint(&e->message, PF_MAPPING_HAS_INLINE_FRAMES, m->has_inline_frames);
	pf_wire_message(e->out, PF_PROFILE_MAPPING, &e->message);
}

static void
encode_location(struct encoder *e, size_t i)
{
	const struct pf_profile *p = e->p;
	const struct pf_location *l = &p->locations[i];

	pf_wire_varint(&e->message, PF_LOCATION_ID, i + 1);
	if (l->mapping != PF_NONE)
		pf_wire_varint(&e->message, PF_LOCATION_MAPPING_ID, (uint64_t)l->mapping + 1);
	pf_wire_varint(&e->message, PF_LOCATION_ADDRESS, l->address);
	for (uint64_t j = p->line_starts[i]; j < p->line_starts[i + 1]; j++) {
		pf_wire_varint(&e->nested, PF_LINE_FUNCTION_ID, (uint64_t)p->lines[j].function + 1);
		pf_wire_int64(&e->nested, PF_LINE_LINE, p->lines[j].line);
		pf_wire_int64(&e->nested, PF_LINE_COLUMN, p->lines[j].column);
		pf_wire_message(&e->message, PF_LOCATION_LINE, &e->nested);
	}
	pf_wire_varint(&e->message, PF_LOCATION_IS_FOLDED, l->folded);
	pf_wire_message(e->out, PF_PROFILE_LOCATION, &e->message);
}

static void
encode_function(struct encoder *e, size_t i)
{
	const struct pf_function *f = &e->p->functions[i];

	pf_wire_varint(&e->message, PF_FUNCTION_ID, i + 1);
	pf_wire_varint(&e->message, PF_FUNCTION_NAME, f->name);
	pf_wire_varint(&e->message, PF_FUNCTION_SYSTEM_NAME, f->system_name);
	pf_wire_varint(&e->message, PF_FUNCTION_FILENAME, f->filename);
	pf_wire_int64(&e->message, PF_FUNCTION_START_LINE, f->start_line);
	pf_wire_message(e->out, PF_PROFILE_FUNCTION, &e->message);
}

static void
encode_header(struct encoder *e)
{
	const struct pf_profile *p = e->p;
	uint32_t default_type = p->default_type;

	if (!default_type && p->type_count)
		default_type = p->types[p->type_count - 1].type;
	pf_wire_varint(e->out, PF_PROFILE_DROP_FRAMES, p->drop_frames);
	pf_wire_varint(e->out, PF_PROFILE_KEEP_FRAMES, p->keep_frames);
	pf_wire_int64(e->out, PF_PROFILE_TIME_NANOS, p->time_nanos);
	pf_wire_int64(e->out, PF_PROFILE_DURATION_NANOS, p->duration_nanos);
	if (p->period_type.type || p->period_type.unit)
		encode_type(e, PF_PROFILE_PERIOD_TYPE, &p->period_type);
	pf_wire_int64(e->out, PF_PROFILE_PERIOD, p->period);
	for (size_t i = 0; i < p->comment_count; i++)
		pf_buffer_uleb(&e->nested, p->comments[i]);
	if (p->comment_count) {
		pf_wire_bytes(e->out, PF_PROFILE_COMMENT, e->nested.bytes, e->nested.size);
		e->out->failed |= e->nested.failed;
		pf_buffer_clear(&e->nested);
	}
	pf_wire_varint(e->out, PF_PROFILE_DEFAULT_SAMPLE_TYPE, default_type);
	pf_wire_varint(e->out, PF_PROFILE_DOC_URL, p->doc_url);
}

/* What stands in front of the samples, and what behind them. */
static void
encode_types(struct encoder *e)
{
	for (size_t i = 0; i < e->p->type_count; i++)
		encode_type(e, PF_PROFILE_SAMPLE_TYPE, &e->p->types[i]);
}

static void
encode_tables(struct encoder *e)
{
	const struct pf_profile *p = e->p;

	for (size_t i = 0; i < p->mapping_count; i++)
		encode_mapping(e, i);
	for (size_t i = 0; i < p->location_count; i++)
		encode_location(e, i);
	for (size_t i = 0; i < p->function_count; i++)
		encode_function(e, i);
	for (uint32_t i = 0; i < p->strings.count; i++)
		pf_wire_bytes(e->out, PF_PROFILE_STRING_TABLE, pf_profile_string(p, i),
		    pf_strings_size(&p->strings, i));
	encode_header(e);
}

int
pf_profile_encode(const struct pf_profile *p, struct pf_buffer *out, struct pf_error *err)
{
	struct encoder e = {.p = p, .out = out};
	int rc;

	pf_buffer_init(&e.message, PF_BUFFER_NO_MAXIMUM);
	pf_buffer_init(&e.nested, PF_BUFFER_NO_MAXIMUM);
	encode_types(&e);
	rc = p->packed ? pf_encode_packed(p, out, err) : pf_encode_samples(p, out, err);
	encode_tables(&e);
	out->failed |= e.message.failed | e.nested.failed;
	pf_buffer_release(&e.message);
	pf_buffer_release(&e.nested);
	return rc ? rc : pf_buffer_check(out, err);
}

static int
write_packed(struct pf_buffer *raw, const char *path, struct pf_error *err)
{
	struct pf_buffer packed;
	int rc;

	pf_buffer_init(&packed, PF_BUFFER_NO_MAXIMUM);
	rc = pf_gzip_deflate(
	    &packed, raw->bytes, raw->size, raw->size > LARGE ? LEVEL_OF_LARGE : LEVEL, err);
	pf_buffer_release(raw);
	if (!rc)
		rc = pf_file_write(path, packed.bytes, packed.size, err);
	pf_buffer_release(&packed);
	return rc;
}

int
pf_profile_write(const struct pf_profile *p, const char *path, struct pf_error *err)
{
	struct pf_buffer raw;
	int rc;

	pf_buffer_init(&raw, PF_BUFFER_NO_MAXIMUM);
	rc = pf_profile_encode(p, &raw, err);
	if (!rc)
		rc = write_packed(&raw, path, err);
	pf_buffer_release(&raw);
	return rc;
}

int
pf_profile_write_spending(struct pf_profile *p, const char *path, struct pf_error *err)
{
	struct pf_buffer raw;
	int rc;

	pf_buffer_init(&raw, PF_BUFFER_NO_MAXIMUM);
	rc = pf_profile_encode(p, &raw, err);
	pf_profile_drop_samples(p);
	if (!rc)
		rc = write_packed(&raw, path, err);
	pf_buffer_release(&raw);
	return rc;
}
