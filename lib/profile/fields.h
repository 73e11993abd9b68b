/*
 * fields.h: profile.proto's messages as (field number, value) pairs, and the
 * numbers themselves (google/pprof, proto/profile.proto).
 */
#ifndef PF_PROFILE_FIELDS_H
#define PF_PROFILE_FIELDS_H

#include "core/cursor.h"

enum pf_profile_field {
	PF_PROFILE_SAMPLE_TYPE = 1,
	PF_PROFILE_SAMPLE = 2,
	PF_PROFILE_MAPPING = 3,
	PF_PROFILE_LOCATION = 4,
	PF_PROFILE_FUNCTION = 5,
	PF_PROFILE_STRING_TABLE = 6,
	PF_PROFILE_DROP_FRAMES = 7,
	PF_PROFILE_KEEP_FRAMES = 8,
	PF_PROFILE_TIME_NANOS = 9,
	PF_PROFILE_DURATION_NANOS = 10,
	PF_PROFILE_PERIOD_TYPE = 11,
	PF_PROFILE_PERIOD = 12,
	PF_PROFILE_COMMENT = 13,
	PF_PROFILE_DEFAULT_SAMPLE_TYPE = 14,
	PF_PROFILE_DOC_URL = 15,
};

enum pf_value_type_field { PF_VALUE_TYPE_TYPE = 1, PF_VALUE_TYPE_UNIT = 2 };
enum pf_sample_field { PF_SAMPLE_LOCATION_ID = 1, PF_SAMPLE_VALUE = 2, PF_SAMPLE_LABEL = 3 };
enum pf_label_field {
	PF_LABEL_KEY = 1,
	PF_LABEL_STRING = 2,
	PF_LABEL_NUMBER = 3,
	PF_LABEL_UNIT = 4
};

enum pf_mapping_field {
	PF_MAPPING_ID = 1,
	PF_MAPPING_START = 2,
	PF_MAPPING_LIMIT = 3,
	PF_MAPPING_OFFSET = 4,
	PF_MAPPING_FILENAME = 5,
	PF_MAPPING_BUILD_ID = 6,
	PF_MAPPING_HAS_FUNCTIONS = 7,
	PF_MAPPING_HAS_FILENAMES = 8,
	PF_MAPPING_HAS_LINE_NUMBERS = 9,
	PF_MAPPING_HAS_INLINE_FRAMES = 10,
};

enum pf_location_field {
	PF_LOCATION_ID = 1,
	PF_LOCATION_MAPPING_ID = 2,
	PF_LOCATION_ADDRESS = 3,
	PF_LOCATION_LINE = 4,
	PF_LOCATION_IS_FOLDED = 5,
};

enum pf_line_field { PF_LINE_FUNCTION_ID = 1, PF_LINE_LINE = 2, PF_LINE_COLUMN = 3 };

enum pf_function_field {
	PF_FUNCTION_ID = 1,
	PF_FUNCTION_NAME = 2,
	PF_FUNCTION_SYSTEM_NAME = 3,
	PF_FUNCTION_FILENAME = 4,
	PF_FUNCTION_START_LINE = 5,
};

/* One field of a message. */
struct pf_field {
	uint32_t number;
	bool is_bytes;          /* a length-delimited one: see bytes */
	uint64_t value;         /* of any other */
	struct pf_cursor bytes; /* shares the parent's origin: offsets stay those of the file */
};

/* The next field; false at the end and on a failure, which the cursor then holds. */
bool pf_field_next(struct pf_cursor *message, struct pf_field *field);

/* The number of a scalar field; a length-delimited one is a failure of the message. */
uint64_t pf_field_scalar(struct pf_cursor *message, const struct pf_field *field);

#endif
