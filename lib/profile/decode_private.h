/*
 * decode_private.h: what the parts of the decoder share: decode.c walks the
 * top level, decode_tables.c and decode_samples.c take its messages.
 */
#ifndef PF_PROFILE_DECODE_PRIVATE_H
#define PF_PROFILE_DECODE_PRIVATE_H

#include "profile/fields.h"
#include "profile/ids.h"
#include "profile/model.h"

/* A stretch of the file with fields of one number only. */
struct pf_decoder_run {
	uint32_t field; /* enum pf_profile_field, or PF_RUN_MIXED */
	const uint8_t *start, *end;
};

enum { PF_RUN_MIXED = 0, PF_DECODER_RUNS = 64 };

struct pf_decoder {
	struct pf_profile *p;
	struct pf_cursor file; /* the whole message, at its start */
	uint32_t *strings;     /* string table index to model string */
	size_t string_count, string_capacity;
	struct pf_ids mapping_ids, function_ids, location_ids;
	bool has_time;
	struct pf_decoder_run runs[PF_DECODER_RUNS]; /* the table of contents */
	size_t run_count;
};

/* PF_EINPUT "<file>: <what> <number> at offset N": for what is well formed but wrong. */
int pf_decoder_invalid(const struct pf_decoder *d, const struct pf_cursor *at, struct pf_error *err,
    const char *what, uint64_t number);
/* Puts "<file>: <item> at offset N: " before the reason already in err. */
int pf_decoder_invalid_item(
    const struct pf_decoder *d, const struct pf_cursor *at, struct pf_error *err, const char *item);

/* The model string behind a string table index; a failure of the message if out of range. */
uint32_t pf_decoder_string(
    struct pf_decoder *d, struct pf_cursor *message, const struct pf_field *field);

/* Each takes one message of the top level. */
int pf_decode_value_type(struct pf_decoder *d, struct pf_cursor message, struct pf_value_type *type,
    struct pf_error *err);
int pf_decode_sample_type(struct pf_decoder *d, struct pf_cursor message, struct pf_error *err);
int pf_decode_mapping(struct pf_decoder *d, struct pf_cursor message, struct pf_error *err);
int pf_decode_function(struct pf_decoder *d, struct pf_cursor message, struct pf_error *err);
int pf_decode_location(struct pf_decoder *d, struct pf_cursor message, struct pf_error *err);
int pf_decode_sample(struct pf_decoder *d, struct pf_cursor message, struct pf_error *err);

#endif
