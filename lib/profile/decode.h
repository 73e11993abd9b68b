/*
 * decode.h: profile.proto bytes to the model.
 *
 * A decoder reads its source from the current byte to the end, once for each
 * step; between two steps the source is rewound by whoever calls. Steps that
 * follow pf_decode_begin(): check (optional), tables, samples. PF_EINPUT for
 * everything that google/pprof rejects, with the offset; the profile is then
 * half filled: free or clear it.
 */
#ifndef PF_PROFILE_DECODE_H
#define PF_PROFILE_DECODE_H

#include "core/source.h"
#include "profile/fields.h"
#include "profile/ids.h"
#include "profile/model.h"
#include "profile/parts.h"

/* A single message longer than this is refused. */
enum { PF_DECODE_MOST_MESSAGE = 16 << 20 };

enum pf_decode_step {
	PF_DECODE_CHECK,
	PF_DECODE_CHECK_REFERENCES,
	PF_DECODE_TABLES,
	PF_DECODE_LINKS,
	PF_DECODE_SAMPLES,
	PF_DECODE_ALL,
};

/* The greatest reference of a kind, and where it stands. */
struct pf_decode_reference {
	uint64_t greatest;
	size_t offset;
};

/* What decoding needs besides the profile; a zeroed struct is ready, and may serve many profiles. */
struct pf_decoder {
	struct pf_profile *p;
	struct pf_source *source;
	enum pf_decode_step step;
	bool append_strings;          /* see pf_decode_begin() */
	const struct pf_parts *parts; /* NULL: samples stay in the profile */
	struct pf_message file;       /* the window; what is read of it is told to the source */
	uint32_t *strings;            /* string table index to model string */
	size_t string_count, string_capacity;
	bool strings_moved; /* not all numbers are the indexes */
	struct pf_ids mapping_ids, function_ids, location_ids;
	struct pf_decode_reference string_reference, function_reference, location_reference;
	size_t type_count, sample_count; /* so far; of the parts handed on, too */
	size_t location_count;           /* whose links are set */
	size_t sample_total;             /* of all samples, found by an earlier walk: */
	uint64_t sample_bytes;           /* how many, and how long together, */
	size_t type_total;               /* and of how many values each */
	size_t value_count;              /* of the first sample, while types are not known */
	size_t value_offset;
	uint64_t *marks; /* owned; while an input is checked: see decode_check.c */
	bool has_time;
	bool unusual; /* seen by the check: what pf_decode_all() does not know */
	bool plain;   /* checked, and good for pf_decode_all() */
};

/*
 * Begins with an empty profile. With append_strings its strings are those of
 * the file, in order and perhaps repeated: cheaper, and good for whoever only
 * looks them up by number.
 */
void pf_decode_begin(
    struct pf_decoder *d, struct pf_profile *p, struct pf_source *source, bool append_strings);
void pf_decoder_release(struct pf_decoder *d);

/* Reads all and keeps nothing: what is malformed is refused before it costs memory. */
int pf_decode_check(struct pf_decoder *d, struct pf_error *err);
/* Everything but samples. May rewind the source and read on to its end. */
int pf_decode_tables(struct pf_decoder *d, struct pf_error *err);
/*
 * Both at once, all into the profile, of an input that lies in memory and was
 * checked and found `plain`, as nearly all are: ids without gaps and of up to three
 * bytes, types before samples. Fails for lack of memory only.
 */
int pf_decode_all(struct pf_decoder *d, struct pf_error *err);
/* The samples, all into the profile or, with parts, PF_PART_SAMPLES at a time. */
int pf_decode_samples(struct pf_decoder *d, const struct pf_parts *parts, struct pf_error *err);

#endif
