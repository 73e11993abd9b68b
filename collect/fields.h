/*
 * fields.h: from a document's mapping to a struct, with every mistake noted.
 *
 * A table says which keys a mapping may have and where each value goes, as
 * options.h does for the command line. Nothing stops at the first mistake: each
 * becomes a line "FILE:LINE: path.of.the[2].key: what is wrong", and the caller
 * looks at the end whether there were any.
 */
#ifndef PF_COLLECT_FIELDS_H
#define PF_COLLECT_FIELDS_H

#include <stdint.h>

#include "core/buffer.h"
#include "document.h"

/* Mistakes found so far, and memory for what is read. */
struct pf_problems {
	const char *name;      /* of the document */
	struct pf_buffer text; /* a line each */
	size_t count;
	int fatal; /* PF_ENOMEM: reading stopped */
};

/* Where we are in the document; kept on the stack, linked to where we came from. */
struct pf_place {
	const struct pf_place *parent;
	const char *key; /* NULL: an item of a list */
	size_t index;
	const struct pf_node *node;
};

struct pf_reading {
	struct pf_pool *pool; /* what is read belongs to it */
	struct pf_problems *problems;
	const char *folder; /* relative file names are relative to it; NULL: to the current one */
};

enum pf_field_kind {
	PF_FIELD_STRING,   /* const char *; empty only where it is quoted */
	PF_FIELD_PATH,     /* const char *; relative to the document's folder */
	PF_FIELD_BOOL,     /* bool */
	PF_FIELD_COUNT,    /* uint64_t */
	PF_FIELD_DURATION, /* double, seconds: 30s, 1m30s, 500ms; a number is seconds */
	PF_FIELD_SIZE,     /* uint64_t, bytes: 512MB, 2GiB */
	PF_FIELD_SHARE,    /* double: 5% or 0.05 */
	PF_FIELD_NUMBER,   /* double */
	PF_FIELD_STRINGS,  /* struct pf_words: a list of strings, or one */
	PF_FIELD_MAP,      /* struct pf_pairs: a mapping of strings */
	PF_FIELD_CHOICE,   /* int: position among `choices` */
	PF_FIELD_CUSTOM,   /* read by `custom` */
};

struct pf_words {
	const char **items;
	size_t count;
};

struct pf_pair {
	const char *name, *value;
};

struct pf_pairs {
	struct pf_pair *items;
	size_t count;
};

struct pf_field {
	const char *key; /* NULL ends the table */
	enum pf_field_kind kind;
	size_t offset;
	const char *choices; /* "a|b|c" */
	/* Reads the value at `place` into `object`; notes mistakes. */
	void (*custom)(struct pf_reading *r, const struct pf_place *place, void *object);
};

/* Notes a mistake at a place. */
void pf_problem(struct pf_reading *r, const struct pf_place *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Reads a mapping by its table. Unknown keys, and keys given twice, are mistakes. */
void pf_fields_read(struct pf_reading *r, const struct pf_place *place,
    const struct pf_field *fields, void *object);

/* The place of a list's i-th item. */
struct pf_place pf_place_item(const struct pf_place *list, size_t i);
/* Whether it is a list; a mistake if not (null is an empty list). */
bool pf_place_is_list(struct pf_reading *r, const struct pf_place *place);

/* Memory of the pool; NULL without any, which ends the reading. */
void *pf_reading_get(struct pf_reading *r, size_t size);
char *pf_reading_copy(struct pf_reading *r, const char *text, size_t size);

/* One value; false where it is none of this kind, without noting anything. */
bool pf_parse_duration(const char *text, double *seconds);
bool pf_parse_size(const char *text, uint64_t *bytes);
bool pf_parse_share(const char *text, double *share);

#endif
