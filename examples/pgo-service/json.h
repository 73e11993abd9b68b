/*
 * json.h: JSON text into values and back.
 *
 * Strings without escapes point into the text that was parsed, which must
 * outlive the values. Depth and size are bounded, UTF-8 is checked.
 */
#ifndef FOLIO_JSON_H
#define FOLIO_JSON_H

#include "value.h"

struct json_error {
	const char *what; /* a phrase: "a comma or ] was expected" */
	size_t offset;
};

/* One JSON value with nothing but space around it. False fills *error. */
bool json_parse(
    struct slice source, struct arena *arena, struct value *value, struct json_error *error);

/* indent 0: one line. HTML is written as a string. */
void json_write(struct value v, unsigned indent, struct text *out);

/* A JSON number at *at, which is moved past it; templates share it. False: there is none, or it is too long. */
bool json_number(const char **at, const char *end, struct value *value);

#endif
