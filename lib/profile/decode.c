/*
 * decode.c: profile.proto to columns; see decode.h.
 *
 * Messages refer forwards (samples come before the locations, strings come
 * last), so the top level is walked in four rounds: strings; functions,
 * mappings and scalars; locations; samples. The first notes where which fields
 * stand, so the others read little but their own, and every reference is
 * resolved, and refused if dangling, the moment it is read.
 */
#include "profile/decode.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/error.h"
#include "core/memory.h"
#include "profile/decode_private.h"

/* "<file>: <what> at offset N": for what is well formed but wrong. */
int
pf_decoder_invalid(const struct pf_decoder *d, const struct pf_cursor *at, struct pf_error *err,
    const char *what, uint64_t number)
{
	return pf_error_set(err, PF_EINPUT, "%s: %s %" PRIu64 " at offset %zu", d->file.section,
	    what, number, pf_cursor_offset(at));
}

/* "<file>: <item> at offset N: <reason already in err>". */
int
pf_decoder_invalid_item(
    const struct pf_decoder *d, const struct pf_cursor *at, struct pf_error *err, const char *item)
{
	return pf_error_prefix(
	    err, "%s: %s at offset %zu", d->file.section, item, pf_cursor_offset(at));
}

/* The model string behind a string table index; the first walk has completed the table. */
uint32_t
pf_decoder_string(struct pf_decoder *d, struct pf_cursor *message, const struct pf_field *field)
{
	uint64_t index = pf_field_scalar(message, field);

	if (index < d->string_count)
		return d->strings[index];
	if (!message->failure)
		pf_cursor_fail(message, "string index out of range");
	return 0;
}

static int
add_string(struct pf_decoder *d, struct pf_field *field, struct pf_error *err)
{
	uint32_t id;
	int rc;

	if (!field->is_bytes) {
		pf_cursor_fail(&d->file, "a string was expected");
		return pf_cursor_check(&d->file, err);
	}
	if (d->string_count == 0 && pf_cursor_left(&field->bytes))
		return pf_decoder_invalid(d, &field->bytes, err,
		    "string_table[0] is not empty: its length is", pf_cursor_left(&field->bytes));
	rc = PF_GROW(d->strings, d->string_capacity, d->string_count + 1, err);
	if (!rc)
		rc = pf_strings_add(&d->p->strings, (const char *)field->bytes.at,
		    pf_cursor_left(&field->bytes), &id, err);
	if (!rc)
		d->strings[d->string_count++] = id;
	return rc;
}

static int
add_comment(struct pf_decoder *d, struct pf_cursor *file, struct pf_field *f, struct pf_error *err)
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
add_time(struct pf_decoder *d, struct pf_cursor *file, struct pf_field *f, struct pf_error *err)
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
add_scalar(struct pf_decoder *d, struct pf_cursor *file, struct pf_field *f, struct pf_error *err)
{
	struct pf_profile *p = d->p;

	switch (f->number) {
	case PF_PROFILE_DROP_FRAMES:
		p->drop_frames = pf_decoder_string(d, file, f);
		break;
	case PF_PROFILE_KEEP_FRAMES:
		p->keep_frames = pf_decoder_string(d, file, f);
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
		p->default_type = pf_decoder_string(d, file, f);
		break;
	case PF_PROFILE_DOC_URL:
		p->doc_url = pf_decoder_string(d, file, f);
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
take_field(struct pf_decoder *d, enum walk walk, struct pf_cursor *file, struct pf_field *f,
    struct pf_error *err)
{
	if (is_message(f->number) && !f->is_bytes) {
		pf_cursor_fail(file, "a message was expected");
		return pf_cursor_check(file, err);
	}
	if (walk == WALK_STRINGS)
		return f->number == PF_PROFILE_STRING_TABLE ? add_string(d, f, err) : 0;
	switch (f->number) {
	case PF_PROFILE_SAMPLE_TYPE:
		return pf_decode_sample_type(d, f->bytes, err);
	case PF_PROFILE_PERIOD_TYPE:
		return pf_decode_value_type(d, f->bytes, &d->p->period_type, err);
	case PF_PROFILE_MAPPING:
		return pf_decode_mapping(d, f->bytes, err);
	case PF_PROFILE_FUNCTION:
		return pf_decode_function(d, f->bytes, err);
	case PF_PROFILE_LOCATION:
		return pf_decode_location(d, f->bytes, err);
	case PF_PROFILE_SAMPLE:
		return pf_decode_sample(d, f->bytes, err);
	default:
		return add_scalar(d, file, f, err);
	}
}

/* Whether a walk has business with fields of this number. */
static bool
wanted(enum walk walk, uint32_t field)
{
	switch (field) {
	case PF_RUN_MIXED:
		return true;
	case PF_PROFILE_STRING_TABLE:
		return walk == WALK_STRINGS;
	case PF_PROFILE_LOCATION:
		return walk == WALK_LOCATIONS;
	case PF_PROFILE_SAMPLE:
		return walk == WALK_SAMPLES;
	default:
		return walk == WALK_TABLES;
	}
}

/*
 * The first walk reads the strings and notes where which fields stand. Writers
 * put like beside like, so a few runs cover a profile; one that has more than
 * the table holds ends in a mixed run, which every later walk reads.
 */
static void
note_field(struct pf_decoder *d, uint32_t field, const uint8_t *start, const uint8_t *end)
{
	struct pf_decoder_run *last = d->run_count ? &d->runs[d->run_count - 1] : NULL;

	if (last && last->field == field) {
		last->end = end;
	} else if (d->run_count < PF_DECODER_RUNS) {
		d->runs[d->run_count++] = (struct pf_decoder_run){field, start, end};
	} else {
		last->field = PF_RUN_MIXED;
		last->end = end;
	}
}

static int
walk_strings(struct pf_decoder *d, struct pf_error *err)
{
	struct pf_cursor file = d->file;
	const uint8_t *start = file.at;
	struct pf_field field;
	int rc = 0;

	while (!rc && pf_field_next(&file, &field)) {
		rc = take_field(d, WALK_STRINGS, &file, &field, err);
		note_field(d, field.number, start, file.at);
		start = file.at;
	}
	return rc ? rc : pf_cursor_check(&file, err);
}

static int
walk_run(
    struct pf_decoder *d, enum walk walk, const struct pf_decoder_run *run, struct pf_error *err)
{
	struct pf_cursor file = d->file;
	struct pf_field field;
	int rc = 0;

	file.at = run->start;
	file.end = run->end;
	while (!rc && pf_field_next(&file, &field)) {
		if (wanted(walk, field.number))
			rc = take_field(d, walk, &file, &field, err);
	}
	return rc ? rc : pf_cursor_check(&file, err);
}

int
pf_profile_decode(
    struct pf_profile *p, const char *name, const void *bytes, size_t size, struct pf_error *err)
{
	struct pf_decoder d = {.p = p};
	int rc;

	pf_cursor_init(&d.file, name, bytes, size);
	rc = walk_strings(&d, err);
	for (enum walk walk = WALK_TABLES; !rc && walk < WALKS; walk++) {
		for (size_t i = 0; !rc && i < d.run_count; i++) {
			if (wanted(walk, d.runs[i].field))
				rc = walk_run(&d, walk, &d.runs[i], err);
		}
	}
	if (!rc && p->type_count == 0)
		rc = pf_error_set(
		    err, PF_EINPUT, "%s: no sample types: this is not a pprof profile", name);
	free(d.strings);
	pf_ids_release(&d.mapping_ids);
	pf_ids_release(&d.function_ids);
	pf_ids_release(&d.location_ids);
	return rc;
}
