/*
 * decode.c: the walk over profile.proto's top level; see decode.h.
 *
 * Messages refer forwards (samples come before the locations, strings come
 * last, and Go mixes them all), so tables are read in one walk and samples in
 * another. References between tables are taken as they stand, since writers
 * number from 1 without gaps: the greatest is remembered with its offset, and
 * checked when the walk has seen the table. Only where ids have gaps a walk
 * between the two sets the links. References of samples are resolved, and
 * refused if dangling, when they are read.
 */
#include "profile/decode.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/error.h"
#include "core/memory.h"
#include "profile/decode_private.h"

/* A key and a length, as varints, fit into this. */
enum { MOST_PREFIX = 20 };

int
pf_decoder_invalid(const struct pf_decoder *d, const uint8_t *at, struct pf_error *err,
    const char *what, uint64_t number)
{
	return pf_error_set(err, PF_EINPUT, "%s: %s %" PRIu64 " at offset %zu", d->source->name,
	    what, number, pf_decoder_offset(d, at));
}

int
pf_decoder_failed(
    const struct pf_decoder *d, const struct pf_message *message, struct pf_error *err)
{
	return pf_error_set(err, PF_EINPUT, "%s: %s at offset %zu", d->source->name,
	    message->failure, pf_decoder_offset(d, message->at));
}

int
pf_decoder_no_location(
    const struct pf_decoder *d, const uint8_t *at, uint64_t id, struct pf_error *err)
{
	return pf_decoder_invalid(d, at, err, "a sample of the unknown location", id);
}

int
pf_decoder_wrong_count(const struct pf_decoder *d, const uint8_t *start, size_t values,
    size_t types, struct pf_error *err)
{
	return pf_error_set(err, PF_EINPUT,
	    "%s: sample %zu at offset %zu has %zu values for %zu sample types", d->source->name,
	    d->sample_count, pf_decoder_offset(d, start), values, types);
}

int
pf_decoder_add_id(struct pf_decoder *d, struct pf_ids *ids, uint64_t id, const uint8_t *at,
    const char *item, struct pf_error *err)
{
	int rc = d->step == PF_DECODE_CHECK ? pf_decode_check_id(d, ids, id, err)
					    : pf_ids_add(ids, id, err);

	return rc ? pf_error_prefix(err, "%s: %s at offset %zu", d->source->name, item,
			pf_decoder_offset(d, at))
		  : 0;
}

static bool
is_message(uint32_t field)
{
	return (field >= PF_PROFILE_SAMPLE_TYPE && field <= PF_PROFILE_FUNCTION) ||
	       field == PF_PROFILE_PERIOD_TYPE;
}

/* The fields that a step has business with, as bits. */
static uint32_t
wanted(enum pf_decode_step step)
{
	switch (step) {
	case PF_DECODE_SAMPLES:
		return (uint32_t)1 << PF_PROFILE_SAMPLE;
	case PF_DECODE_LINKS:
		return (uint32_t)1 << PF_PROFILE_LOCATION;
	case PF_DECODE_CHECK_REFERENCES:
		return (uint32_t)1 << PF_PROFILE_SAMPLE | (uint32_t)1 << PF_PROFILE_LOCATION;
	case PF_DECODE_TABLES:
		return ~((uint32_t)1 << PF_PROFILE_SAMPLE);
	default:
		return ~(uint32_t)0;
	}
}

/* A sample that is for another walk. */
static void
pass_sample(struct pf_decoder *d, uint64_t size)
{
	d->sample_total++;
	d->sample_bytes += size;
}

static inline int
take_sample(struct pf_decoder *d, const struct pf_message *sample, struct pf_error *err)
{
	switch (d->step) {
	case PF_DECODE_SAMPLES:
	case PF_DECODE_ALL:
		return pf_decode_sample(d, sample->at, sample->end, err);
	case PF_DECODE_CHECK:
		return pf_decode_check_sample(d, sample->at, sample->end, err);
	case PF_DECODE_CHECK_REFERENCES:
		return pf_decode_check_references(d, PF_PROFILE_SAMPLE, *sample, err);
	default:
		pass_sample(d, (uint64_t)(sample->end - sample->at));
		return 0;
	}
}

static int
take_field(struct pf_decoder *d, struct pf_field *f, struct pf_error *err)
{
	if (is_message(f->number) && !f->is_bytes) {
		pf_message_fail(&d->file, "a message was expected");
		return pf_decoder_check(d, &d->file, err);
	}
	if (d->step == PF_DECODE_CHECK_REFERENCES)
		return pf_decode_check_references(d, f->number, f->bytes, err);
	switch (f->number) {
	case PF_PROFILE_SAMPLE:
		return take_sample(d, &f->bytes, err);
	case PF_PROFILE_LOCATION:
		return d->step == PF_DECODE_LINKS ? pf_decode_links(d, f->bytes, err)
						  : pf_decode_location(d, f->bytes, err);
	case PF_PROFILE_STRING_TABLE:
		return pf_decode_table_string(d, f, err);
	case PF_PROFILE_FUNCTION:
		return pf_decode_function(d, f->bytes, err);
	case PF_PROFILE_MAPPING:
		return pf_decode_mapping(d, f->bytes, err);
	case PF_PROFILE_SAMPLE_TYPE:
		return pf_decode_sample_type(d, f->bytes, err);
	case PF_PROFILE_PERIOD_TYPE:
		return pf_decode_value_type(d, f->bytes, &d->p->period_type, err);
	default:
		return pf_decode_scalar(d, &d->file, f, err);
	}
}

/* The window as a message. */
static void
look(struct pf_decoder *d)
{
	d->file = (struct pf_message){.at = d->source->at, .end = d->source->end};
}

/* Brings `size` bytes into the window, where the input has so many. */
static int
bring(struct pf_decoder *d, const uint8_t *at, size_t size, struct pf_error *err)
{
	int rc;

	d->source->at = at;
	rc = pf_source_need(d->source, size, err);
	look(d);
	return rc;
}

/*
 * Makes sure that the window has a whole field at the cursor, unless the file
 * ends in it. What is read here is read again: this happens once a window.
 */
static int
bring_field(struct pf_decoder *d, struct pf_error *err)
{
	struct pf_field field = {0};
	const uint8_t *start;
	int rc = bring(d, d->file.at, MOST_PREFIX, err);

	if (rc)
		return rc;
	start = d->file.at;
	d->file.failure = NULL;
	(void)pf_field_next(&d->file, &field);
	if (d->file.failure && field.is_bytes && field.value <= PF_DECODE_MOST_MESSAGE)
		return bring(d, start, MOST_PREFIX + (size_t)field.value, err);
	look(d);
	return 0;
}

static int
take_other(struct pf_decoder *d, struct pf_field *field, uint32_t mask, struct pf_error *err)
{
	if (field->is_bytes && field->value > PF_DECODE_MOST_MESSAGE)
		return pf_decoder_invalid(
		    d, d->file.at, err, "a message that is too long, in bytes", field->value);
	if (field->number < 32 && (mask >> field->number & 1))
		return take_field(d, field, err);
	if (field->number == PF_PROFILE_SAMPLE)
		/* A number is no length: it is refused when it is taken. */
		pass_sample(d, field->is_bytes ? field->value : 0);
	return 0;
}

/* Takes all whole fields of the window that the step wants; d->file stands behind the last of them. */
static int
walk_window(struct pf_decoder *d, uint32_t mask, struct pf_error *err)
{
	struct pf_message window = d->file, sample;
	struct pf_field field;
	int rc = 0;

	while (!rc) {
		/* Most fields are samples. */
		if (pf_message_skip(&window, PF_PROFILE_SAMPLE, &sample)) {
			d->file.at = window.at;
			rc = take_sample(d, &sample, err);
		} else if (pf_field_next(&window, &field)) {
			d->file.at = window.at;
			rc = take_other(d, &field, mask, err);
		} else {
			break;
		}
	}
	return rc;
}

/* What is wrong with the next field of the window. */
static int
broken_field(const struct pf_decoder *d, struct pf_error *err)
{
	struct pf_message window = d->file;
	struct pf_field field;

	(void)pf_field_next(&window, &field);
	return pf_decoder_failed(d, &window, err);
}

static int
walk(struct pf_decoder *d, enum pf_decode_step step, struct pf_error *err)
{
	uint32_t mask = wanted(step);
	int rc;

	d->step = step;
	look(d);
	rc = walk_window(d, mask, err);
	while (!rc && (d->file.at != d->file.end || !d->source->ended)) {
		const uint8_t *start;
		rc = bring_field(d, err);
		start = d->file.at;
		if (!rc)
			rc = walk_window(d, mask, err);
		if (!rc && d->file.at == start && start != d->file.end)
			rc = broken_field(d, err);
	}
	return rc;
}

static int
walk_again(struct pf_decoder *d, enum pf_decode_step step, struct pf_error *err)
{
	int rc = pf_source_rewind(d->source, err);

	return rc ? rc : walk(d, step, err);
}

/* PF_EINPUT where the greatest reference of a kind is none of `count` items. */
static int
check_reference(const struct pf_decoder *d, const struct pf_decode_reference *r, uint64_t most,
    const char *what, struct pf_error *err)
{
	if (r->greatest <= most)
		return 0;
	return pf_error_set(err, PF_EINPUT, "%s: %s %" PRIu64 " at offset %zu", d->source->name,
	    what, r->greatest, r->offset);
}

/* What can only be said at the end of a walk over tables. */
static int
check_tables(const struct pf_decoder *d, struct pf_error *err)
{
	int rc = 0;

	if (d->string_reference.greatest && d->string_reference.greatest >= d->string_count)
		rc = pf_error_set(err, PF_EINPUT, "%s: string index out of range at offset %zu",
		    d->source->name, d->string_reference.offset);
	if (!rc && !d->function_ids.scattered)
		rc = check_reference(d, &d->function_reference, d->function_ids.count,
		    "a line of the unknown function", err);
	if (!rc && d->type_count == 0)
		rc = pf_error_set(err, PF_EINPUT,
		    "%s: no sample types: this is not a pprof profile", d->source->name);
	return rc;
}

static void
forget(struct pf_decoder *d)
{
	d->string_count = d->type_count = d->sample_count = d->value_count = 0;
	d->strings_moved = d->has_time = false;
	d->string_reference = d->function_reference = d->location_reference =
	    (struct pf_decode_reference){0};
	pf_ids_clear(&d->mapping_ids);
	pf_ids_clear(&d->function_ids);
	pf_ids_clear(&d->location_ids);
}

void
pf_decode_begin(
    struct pf_decoder *d, struct pf_profile *p, struct pf_source *source, bool append_strings)
{
	d->p = p;
	d->source = source;
	d->append_strings = append_strings;
	d->sample_total = 0;
	d->sample_bytes = 0;
	d->plain = d->unusual = false;
	forget(d);
}

void
pf_decoder_release(struct pf_decoder *d)
{
	free(d->strings);
	free(d->marks);
	pf_ids_release(&d->mapping_ids);
	pf_ids_release(&d->function_ids);
	pf_ids_release(&d->location_ids);
	*d = (struct pf_decoder){0};
}

int
pf_decode_check(struct pf_decoder *d, struct pf_error *err)
{
	int rc = walk(d, PF_DECODE_CHECK, err);

	if (!rc)
		rc = check_tables(d, err);
	if (!rc && !d->location_ids.scattered)
		rc = check_reference(d, &d->location_reference, d->location_ids.count,
		    "a sample of the unknown location", err);
	if (!rc && d->sample_count && d->value_count != d->type_count)
		rc = pf_error_set(err, PF_EINPUT,
		    "%s: sample 0 at offset %zu has %zu values for %zu sample types",
		    d->source->name, d->value_offset, d->value_count, d->type_count);
	if (!rc && (d->location_ids.scattered || d->function_ids.scattered))
		rc = walk_again(d, PF_DECODE_CHECK_REFERENCES, err);
	free(d->marks);
	d->marks = NULL;
	d->plain = !rc && d->source->whole && !d->unusual && !d->location_ids.scattered &&
		   !d->function_ids.scattered && !d->mapping_ids.scattered;
	d->type_total = d->type_count;
	forget(d);
	return rc;
}

/* Links to mappings that the file does not have are none at all. */
static void
settle_mappings(struct pf_decoder *d)
{
	struct pf_profile *p = d->p;

	for (size_t i = 0; i < p->location_count; i++) {
		if (p->locations[i].mapping >= p->mapping_count)
			p->locations[i].mapping = PF_NONE;
	}
}

int
pf_decode_tables(struct pf_decoder *d, struct pf_error *err)
{
	int rc;

	d->sample_total = 0;
	d->sample_bytes = 0;
	rc = walk(d, PF_DECODE_TABLES, err);

	if (!rc)
		rc = check_tables(d, err);
	if (rc)
		return rc;
	d->type_total = d->type_count;
	pf_decode_settle_strings(d);
	settle_mappings(d);
	if (d->function_ids.scattered || d->mapping_ids.scattered) {
		d->location_count = 0;
		rc = walk_again(d, PF_DECODE_LINKS, err);
	}
	return rc;
}

int
pf_decode_all(struct pf_decoder *d, struct pf_error *err)
{
	int rc;

	d->parts = NULL;
	rc = pf_decode_reserve(d, err);
	if (!rc)
		rc = walk(d, PF_DECODE_ALL, err);
	if (rc)
		return rc;
	pf_decode_settle_strings(d);
	settle_mappings(d);
	return 0;
}

int
pf_decode_samples(struct pf_decoder *d, const struct pf_parts *parts, struct pf_error *err)
{
	int rc;

	d->parts = parts;
	rc = pf_decode_reserve(d, err);
	if (!rc)
		rc = walk(d, PF_DECODE_SAMPLES, err);
	/* An input without samples is one empty part. */
	if (!rc && parts && (d->p->sample_count || !d->sample_count))
		rc = parts->take(parts->data, d->p, err);
	return rc;
}
