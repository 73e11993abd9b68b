/*
 * document.h: a profile as it is about to be written: a header, samples with their stacks, comments.
 *
 * Every endpoint that answers profile.proto fills one in; encode.c knows the
 * format and nothing of what is counted. Samples are asked for one by one, twice
 * (to find what occurs, then to write it), so nothing is built that the
 * counters don't hold anyway.
 */
#ifndef PF_AGENT_DOCUMENT_H
#define PF_AGENT_DOCUMENT_H

#include "collect/agent/stacks.h"
#include "core/buffer.h"

enum { PF_MOST_VALUES = 4, PF_MOST_LABELS = 12 /* all of a thread's at once */ };

struct pf_value_kind {
	const char *type, *unit;
};

struct pf_sample_label {
	const char *key;
	const char *text; /* NULL: a number */
	int64_t number;
	const char *unit; /* of the number, or NULL */
};

struct pf_sample {
	uint32_t stack; /* PF_NONE: it could not be taken */
	int64_t values[PF_MOST_VALUES];
	struct pf_sample_label labels[PF_MOST_LABELS];
	size_t label_count;
};

struct pf_document {
	struct pf_value_kind kinds[PF_MOST_VALUES];
	size_t kind_count;
	const char *chosen; /* the type that tools show unless told otherwise */
	struct pf_value_kind period_kind;
	int64_t period;
	int64_t time, duration;  /* CLOCK_REALTIME, nanoseconds */
	const char *drop_frames; /* expression for functions that tools leave out, or NULL */
	const struct pf_stacks *stacks;
	const void *source; /* for sample() */
	size_t samples;
	/* Fills in sample `i`, which is zeroed, its stack PF_NONE; false: there is nothing in it. */
	bool (*sample)(const void *source, size_t i, struct pf_sample *sample);
	struct pf_buffer comments; /* texts, each with its NUL */
};

void pf_document_init(struct pf_document *d, const struct pf_stacks *stacks);
void pf_document_release(struct pf_document *d);

/* Adds a comment "key: value". */
void pf_document_say(struct pf_document *d, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Writes it as profile.proto, not compressed; 0 or -ENOMEM. */
int pf_document_write(const struct pf_document *d, struct pf_buffer *out);

#endif
