/*
 * model.h: the columnar profile, as seen inside the library.
 *
 * Items are named by their position (uint32_t); ids of the file are gone. Runs
 * (a sample's locations and labels, a location's lines) are slices of one flat
 * array: item i owns [starts[i], starts[i + 1]), so each starts array has one
 * more entry than there are items. The arrays of frames and labels exist even
 * where there are none. Positions are checked when a profile is
 * read: whoever holds one may index without a check.
 */
#ifndef PF_PROFILE_MODEL_H
#define PF_PROFILE_MODEL_H

#include <stdbool.h>

#include <profuse/profile.h>

#include "core/strings.h"

struct pf_packed_samples; /* packed_samples.h */

struct pf_value_type {
	uint32_t type, unit; /* strings */
};

struct pf_mapping {
	uint64_t start, limit, offset;
	uint32_t filename, build_id; /* strings */
	bool has_functions, has_filenames, has_line_numbers, has_inline_frames;
};

struct pf_function {
	uint32_t name, system_name, filename; /* strings */
	int64_t start_line;                   /* 0: unknown */
};

struct pf_line {
	uint32_t function; /* PF_NONE: unknown */
	int64_t line, column;
};

struct pf_location {
	uint64_t address;
	uint32_t mapping; /* PF_NONE: none */
	bool folded;
};

struct pf_label {
	uint32_t key, string, unit; /* strings; string 0 means the label is the number */
	int64_t number;
};

struct pf_profile {
	struct pf_strings strings;

	struct pf_value_type *types;
	size_t type_count, type_capacity;
	uint32_t default_type; /* string; 0: the last type */

	struct pf_mapping *mappings; /* [0] is the main binary */
	size_t mapping_count, mapping_capacity;

	struct pf_function *functions;
	size_t function_count, function_capacity;

	struct pf_location *locations;
	uint64_t *line_starts; /* location_count + 1 */
	size_t location_count, location_capacity, line_starts_capacity;
	struct pf_line *lines; /* leaf-most first: the last was inlined into by all before */
	size_t line_count, line_capacity;

	size_t sample_count;
	uint64_t *frame_starts; /* sample_count + 1, into frames */
	uint32_t *frames;       /* locations, leaf first */
	int64_t *values;        /* sample_count * type_count, sample by sample */
	uint64_t *label_starts; /* sample_count + 1, into labels */
	struct pf_label *labels;
	size_t frame_count, label_count;
	size_t frame_starts_capacity, frame_capacity, value_capacity, label_starts_capacity,
	    label_capacity;

	/* Owned; of a merge's sum: its samples in place of columns. NULL: columns. */
	struct pf_packed_samples *packed;

	uint32_t drop_frames, keep_frames, doc_url; /* strings */
	int64_t time_nanos, duration_nanos, period;
	struct pf_value_type period_type;
	uint32_t *comments; /* strings */
	size_t comment_count, comment_capacity;
	const char *doubt; /* why the input may not be whole, static; NULL: no reason to think so */
	uint64_t digest;   /* over the bytes that it was read from; 0: from none */
};

/* An empty profile to build on; pf_profile_free() when done or when a later step fails. */
int pf_profile_new(struct pf_profile **profile, struct pf_error *err);
/* Makes it empty again, keeps its memory. */
void pf_profile_clear(struct pf_profile *p);

/* The sum of one type's values, or INT64_MAX or INT64_MIN where it does not fit. */
int64_t pf_profile_total(const struct pf_profile *p, size_t type);

/* Lets go of all samples and most of their memory. */
void pf_profile_drop_samples(struct pf_profile *p);

/* A string of the profile. */
static inline const char *
pf_profile_string(const struct pf_profile *p, uint32_t id)
{
	return pf_strings_get(&p->strings, id);
}

/* Whether one of its comments has these words. */
bool pf_profile_says(const struct pf_profile *p, const char *words);
/* What the agent says in each of its profiles, before its version. */
#define PF_AGENT_SAYS "agent: profuse-agent "

/* The position of the sample type of this name ("cpu", "instructions"), or PF_NONE. */
uint32_t pf_profile_find_type(const struct pf_profile *p, const char *type);

#endif
