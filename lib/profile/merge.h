/*
 * merge.h: the inside of a merge, shared by merge*.c; the contract is in
 * profuse/merge.h.
 *
 * The sum is a profile that grows, with an index over each of its tables. While
 * it grows, locations hold addresses relative to their mapping's start, and a
 * mapping's limit holds the greatest size seen; pf_merge_finish() turns both
 * back. Nothing in the sum but the numbering depends on the order of profiles.
 */
#ifndef PF_PROFILE_MERGE_H
#define PF_PROFILE_MERGE_H

#include <profuse/merge.h>

#include "core/fixed.h"
#include "profile/fingerprint.h"
#include "profile/labels.h"
#include "profile/packed_samples.h"
#include "profile/reader.h"

/* What a merge knows about a mapping besides the mapping itself. */
struct merge_mapping {
	uint64_t votes;        /* profiles whose main binary it is */
	uint64_t bare_profile; /* the profile (from 1) with unsymbolized samples in it; 0: none */
};

/* A main binary, in strings of the sum. */
struct merge_main {
	uint32_t filename, build_id;
};

/* What a merge knows about a sample type of the sum besides its name. */
struct merge_column {
	uint64_t
	    positions; /* the sum of its positions in the profiles; behind all others where it lacks */
	bool everywhere; /* every profile so far has it */
};

/* A sample type of the sum, and which of the source's it is. */
struct merge_pair {
	uint32_t ours, theirs;
};

/* A sample of the source in terms of the sum: a part of source.runs. */
struct merge_row {
	size_t sample;
	size_t run, run_size, frame_count;
	uint32_t hash;
};

enum { MERGE_BLOCK = 64 };

/* In place of a position of the sum: to be looked up with the others of its kind. */
#define MERGE_PENDING (PF_NONE - 1)

struct merge_list {
	uint32_t *items; /* owned */
	size_t count, capacity;
};

/* The profile being added: its items in terms of the sum, each looked up when first needed. */
struct merge_source {
	const struct pf_profile *p;
	const char *name;
	uint64_t ordinal;      /* from 1 */
	uint64_t sample_count; /* so far: they may come in parts */
	bool base;
	bool repeated, skipped; /* read from the same bytes as one before; therefore left out */
	uint32_t *strings, *mappings, *functions, *locations; /* owned; PF_NONE: not yet */
	struct pf_packed_id
	    *ids; /* owned; of the locations: their ids in the sum; empty: not yet */
	size_t string_count, location_count; /* when it began: nothing is added after that */
	size_t string_capacity, mapping_capacity, function_capacity, location_capacity, id_capacity;
	struct merge_pair *pairs; /* owned; the types of the sum that it has: others are zero */
	size_t pair_count, pair_capacity;
	struct merge_row rows[MERGE_BLOCK]; /* the samples at hand */
	size_t row_count;
	uint8_t *runs;           /* owned; those samples packed */
	struct pf_label *labels; /* owned; of one of them */
	size_t run_size, run_capacity, label_count, label_capacity;
	/* What those samples need and is not known yet. */
	struct merge_list wanted_strings, wanted_functions, wanted_locations;
	struct pf_line *lines; /* owned; of locations being looked up */
	size_t line_count, line_capacity;
};

struct pf_merge {
	struct pf_merge_options options;
	struct pf_label_filters filters;
	struct merge_source source;
	struct pf_reader reader; /* for files */
	struct pf_profile *sum;
	struct merge_mapping *mappings; /* beside sum->mappings */
	size_t mapping_capacity;
	struct merge_column *columns; /* beside sum->types */
	size_t column_capacity;
	uint64_t behind;            /* the sum of positions of a type that no profile so far has */
	struct pf_strings left_out; /* "type/unit" of what is not in every profile */
	struct pf_index mapping_index, function_index, location_index, sample_index,
	    label_set_index;
	struct pf_fingerprints fingerprints;
	struct merge_main *base_mains; /* owned; of what was subtracted, not all of them distinct */
	size_t base_main_count, base_main_capacity;
	uint64_t profile_count, added_count; /* all; without the subtracted ones */
	uint64_t sample_count, term_count;   /* samples read, and summed */
	uint64_t duration_sum;               /* of all profiles, with scale_by_duration */
	bool has_types, default_differs, drop_differs, keep_differs, period_differs,
	    comments_left_out;
	bool warned_unmapped;
};

/* Passes a sentence on to the caller of the library. */
void pf_merge_warn(const struct pf_merge *m, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A string of the source as one of the sum. */
int pf_merge_string(struct pf_merge *m, uint32_t string, uint32_t *merged, struct pf_error *err);

/*
 * As pf_merge_finish(), but samples stay packed (packed_samples.h): less to do,
 * and to hold, for whoever only writes.
 */
int pf_merge_settle(struct pf_merge *m, struct pf_profile **profile, struct pf_error *err);

/* merge_types.c: narrows the sum's types to those the source has too, or adds its steps to them, and fills source.pairs. */
int pf_merge_types(struct pf_merge *m, struct pf_error *err);
/* Brings the columns into their final order: by their mean position in the profiles, then by name. */
int pf_merge_order_types(struct pf_merge *m, struct pf_error *err);

/* merge_base.c: notes the main binary of a source that is subtracted; in the end warns of one of another program. */
int pf_merge_note_base(struct pf_merge *m, struct pf_error *err);
void pf_merge_judge_base(const struct pf_merge *m);

/* merge_tables.c: a build id of the source as a string of the sum. */
int pf_merge_build_id(struct pf_merge *m, uint32_t string, uint32_t *merged, struct pf_error *err);
/* An item of the source as one of the sum. */
int pf_merge_mapping(struct pf_merge *m, uint32_t mapping, uint32_t *merged, struct pf_error *err);
/* A location of the source in terms of the sum, but for its lines. */
int pf_merge_place(
    struct pf_merge *m, uint32_t location, struct pf_location *l, struct pf_error *err);
/* The sum's item that equals this one, which is in terms of the sum; added if there is none. */
uint32_t pf_merge_function_hash(const struct pf_function *f);
int pf_merge_intern_function(struct pf_merge *m, const struct pf_function *f, uint32_t hash,
    uint32_t *merged, struct pf_error *err);
uint32_t pf_merge_location_hash(
    const struct pf_location *l, const struct pf_line *lines, size_t count);
int pf_merge_intern_location(struct pf_merge *m, const struct pf_location *l,
    const struct pf_line *lines, size_t count, uint32_t hash, uint32_t *merged,
    struct pf_error *err);

/* merge_resolve.c: notes that a location of the source is needed; then looks up all that are. */
int pf_merge_want_location(struct pf_merge *m, uint32_t location, struct pf_error *err);
int pf_merge_resolve(struct pf_merge *m, struct pf_error *err);

/* With scale_by_duration, sums are fixed-point numbers of two words each, which need not lie as those do elsewhere. */
static inline pf_int128
pf_merge_scaled(const int64_t *record, size_t type)
{
	pf_int128 number;

	__builtin_memcpy(&number, record + 2 * type, sizeof number);
	return number;
}

static inline void
pf_merge_set_scaled(int64_t *record, size_t type, pf_int128 number)
{
	__builtin_memcpy(record + 2 * type, &number, sizeof number);
}

/* merge_samples.c: room for so many values in each record, of which the first `used` are kept. */
int pf_merge_widen_samples(struct pf_merge *m, size_t used, size_t room, struct pf_error *err);
/* Adds the samples that the source's profile has now; called again for each part of it. */
int pf_merge_samples(struct pf_merge *m, struct pf_error *err);
/* merge_settle.c: turns scaled sums into values and drops the samples that came to nothing. */
int pf_merge_settle_samples(struct pf_merge *m, struct pf_error *err);

/* merge_header.c: the profile's own fields. */
int pf_merge_header(struct pf_merge *m, struct pf_error *err);
void pf_merge_settle_header(struct pf_merge *m);

#endif
