/*
 * builder.h: what every reader of an older format builds its profile with.
 *
 * A sample is built frame by frame, leaf first, then label by label, then
 * closed with its values. Locations are numbered in order of first appearance:
 * one for each address, one for each (function, line) where a format gives
 * names instead. Any failure leaves the profile good for pf_profile_free() only.
 *
 * A reader runs over its input once, or several times with another purpose
 * each; it is the builder that keeps more or less of what it is told.
 */
#ifndef PF_PROFILE_BUILDER_H
#define PF_PROFILE_BUILDER_H

#include "core/lines.h"
#include "core/source.h"
#include "profile/model.h"
#include "profile/parts.h"

enum pf_build {
	PF_BUILD_ALL,
	PF_BUILD_NOTHING, /* to see whether the input is well formed */
	PF_BUILD_TABLES,  /* all but samples, */
	PF_BUILD_SAMPLES, /* then the samples, handed on in parts */
};

struct pf_builder {
	struct pf_profile *p;
	enum pf_build build;
	const struct pf_parts *parts; /* with PF_BUILD_SAMPLES */
	struct pf_index locations;    /* by address, or by function and line */
	struct pf_index functions;
	uint64_t *keys; /* owned; addresses of locations, kept where a second run asks for them */
	size_t key_capacity;
	size_t pending;              /* frames of the sample being built */
	uint64_t samples, handed_on; /* closed so far, and of them handed on */
};

/* Builds on an empty profile, which stays the caller's. */
void pf_builder_init(struct pf_builder *b, struct pf_profile *p, enum pf_build build);
/* Another run over the same input, building something else. */
void pf_builder_again(struct pf_builder *b, enum pf_build build, const struct pf_parts *parts);
void pf_builder_release(struct pf_builder *b);

/* Whether the tables are still open: what says where code lies is of no interest after that. */
static inline bool
pf_builder_wants_tables(const struct pf_builder *b)
{
	return b->build == PF_BUILD_ALL || b->build == PF_BUILD_TABLES;
}

/* The next sample type; all of them before the first sample. */
int pf_builder_type(struct pf_builder *b, const char *type, const char *unit, struct pf_error *err);
int pf_builder_period(
    struct pf_builder *b, const char *type, const char *unit, int64_t period, struct pf_error *err);

/* The next frame of the sample being built. */
int pf_builder_address(struct pf_builder *b, uint64_t address, struct pf_error *err);
int pf_builder_function(struct pf_builder *b, struct pf_text name, struct pf_text file,
    int64_t line, struct pf_error *err);
/* The location of an address that a sample has, or PF_NONE. */
uint32_t pf_builder_find(const struct pf_builder *b, uint64_t address);
/* The position of a function. */
int pf_builder_intern(struct pf_builder *b, struct pf_text name, struct pf_text file,
    uint32_t *function, struct pf_error *err);
/*
 * The rest of a line, "0x401000 0x402000 …", as frames of the sample being
 * built: return addresses, so one less each.
 */
int pf_builder_callers(
    struct pf_builder *b, const struct pf_lines *lines, struct pf_text *rest, struct pf_error *err);
/* The next label of the sample being built. */
int pf_builder_number(
    struct pf_builder *b, const char *key, int64_t number, const char *unit, struct pf_error *err);
int pf_builder_text(
    struct pf_builder *b, const char *key, struct pf_text value, struct pf_error *err);

/* Drops the second frame of the sample being built if its location's address is this. */
void pf_builder_drop_second(struct pf_builder *b, uint64_t address);
/* Drops all frames of the sample being built. */
void pf_builder_drop_frames(struct pf_builder *b);

/* Ends the sample: values, one a sample type. */
int pf_builder_sample(struct pf_builder *b, const int64_t *values, struct pf_error *err);
/* Adds to the first value of the last sample; nothing where there is none. */
void pf_builder_count_last(struct pf_builder *b);
/* Gives the sample being built the frames of the one before it. */
int pf_builder_same_frames(struct pf_builder *b, struct pf_error *err);
/* Hands on what is left, once the input has ended; an input without samples is one empty part. */
int pf_builder_end(struct pf_builder *b, struct pf_error *err);

/* The string of a text, interned in the profile. */
int pf_builder_string(
    struct pf_builder *b, struct pf_text text, uint32_t *id, struct pf_error *err);

#endif
