/*
 * decode_private.h: what the parts of the decoder share: decode.c walks the
 * top level, decode_tables.c and decode_samples.c take its messages.
 */
#ifndef PF_PROFILE_DECODE_PRIVATE_H
#define PF_PROFILE_DECODE_PRIVATE_H

#include "profile/decode.h"

/* The offset of a byte of the window. */
static inline size_t
pf_decoder_offset(const struct pf_decoder *d, const uint8_t *at)
{
	return (size_t)(pf_source_offset(d->source) + (uint64_t)(at - d->source->at));
}

/* PF_EINPUT "<file>: <what> <number> at offset N": for what is well formed but wrong. */
int pf_decoder_invalid(const struct pf_decoder *d, const uint8_t *at, struct pf_error *err,
    const char *what, uint64_t number);

/* PF_EINPUT "<file>: <failure> at offset N" of a message that has failed. */
int pf_decoder_failed(
    const struct pf_decoder *d, const struct pf_message *message, struct pf_error *err);

static inline int
pf_decoder_check(const struct pf_decoder *d, const struct pf_message *message, struct pf_error *err)
{
	return message->failure ? pf_decoder_failed(d, message, err) : 0;
}

static inline void
pf_decoder_note(const struct pf_decoder *d, struct pf_decode_reference *r, const uint8_t *at,
    uint64_t reference)
{
	if (reference > r->greatest) {
		r->greatest = reference;
		r->offset = pf_decoder_offset(d, at);
	}
}

/*
 * A string table index as it stands in the file: the table may follow. That it
 * exists is checked at the end of the walk; pf_decoder_string() is for walks
 * that follow the one that reads the table.
 */
static inline uint32_t
pf_decoder_string_index(
    struct pf_decoder *d, struct pf_message *message, const struct pf_field *field)
{
	uint64_t index = pf_field_scalar(message, field);

	pf_decoder_note(d, &d->string_reference, message->at, index);
	return (uint32_t)index;
}

/* The model string behind a string table index; a failure of the message if out of range. */
static inline uint32_t
pf_decoder_string(struct pf_decoder *d, struct pf_message *message, const struct pf_field *field)
{
	uint64_t index = pf_field_scalar(message, field);

	if (index < d->string_count)
		return d->strings[index];
	if (!message->failure)
		pf_message_fail(message, "string index out of range");
	return 0;
}

int pf_decoder_no_location(
    const struct pf_decoder *d, const uint8_t *at, uint64_t id, struct pf_error *err);
int pf_decoder_wrong_count(const struct pf_decoder *d, const uint8_t *start, size_t values,
    size_t types, struct pf_error *err);

/* The next position for an id, as pf_ids_add(); an input that is checked is only looked through for what is wrong. */
int pf_decoder_add_id(struct pf_decoder *d, struct pf_ids *ids, uint64_t id, const uint8_t *at,
    const char *item, struct pf_error *err);

/* decode_check.c: the same without keeping the id. */
int pf_decode_check_id(struct pf_decoder *d, struct pf_ids *ids, uint64_t id, struct pf_error *err);

/* Each takes one message of the top level. */
int pf_decode_value_type(struct pf_decoder *d, struct pf_message message,
    struct pf_value_type *type, struct pf_error *err);
int pf_decode_sample_type(struct pf_decoder *d, struct pf_message message, struct pf_error *err);
int pf_decode_mapping(struct pf_decoder *d, struct pf_message message, struct pf_error *err);
int pf_decode_function(struct pf_decoder *d, struct pf_message message, struct pf_error *err);
int pf_decode_location(struct pf_decoder *d, struct pf_message message, struct pf_error *err);
/* The links of a location whose tables' ids are out of sequence, once all tables are known. */
int pf_decode_links(struct pf_decoder *d, struct pf_message message, struct pf_error *err);
int pf_decode_sample(
    struct pf_decoder *d, const uint8_t *start, const uint8_t *end, struct pf_error *err);
int pf_decode_check_sample(
    struct pf_decoder *d, const uint8_t *start, const uint8_t *end, struct pf_error *err);
/* The references of a sample or a location, once all ids have been seen. */
int pf_decode_check_references(
    struct pf_decoder *d, uint32_t field, struct pf_message message, struct pf_error *err);
/* Room for all samples at once, where they stay in the profile: growing costs touching memory again. */
int pf_decode_reserve(struct pf_decoder *d, struct pf_error *err);

/* decode_header.c: a field of the top level that is no message. */
int pf_decode_scalar(
    struct pf_decoder *d, struct pf_message *file, struct pf_field *f, struct pf_error *err);
int pf_decode_table_string(struct pf_decoder *d, struct pf_field *field, struct pf_error *err);
/* Turns string table indexes into strings of the profile, once the table is known. */
void pf_decode_settle_strings(struct pf_decoder *d);

#endif
