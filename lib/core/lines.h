/*
 * lines.h: the only way untrusted text is read: line by line, token by token.
 *
 * Both readers walk bytes that somebody else owns and never leave them. A
 * token that is not what was asked for makes the text's failure sticky: a
 * reader takes a whole line apart and checks once. A failed text reads zeros
 * and is at its end. Numbers are checked against their type's range.
 */
#ifndef PF_CORE_LINES_H
#define PF_CORE_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pf_error;
struct pf_source;

/* A run of characters, not NUL-terminated, with the failure of whoever reads it. */
struct pf_text {
	const char *at, *end;
	const char *failure; /* NULL, or what was missing */
};

struct pf_lines {
	struct pf_text line; /* the current one, without its end ("\n", "\r\n") */
	size_t number;       /* of the current line, from 1; 0 before the first */
	uint64_t offset;     /* of the next line, from where the lines began */
	const char *at;      /* where the next line starts */
	const char *end;
	const char *section;      /* what the bytes are, for messages; outlives the cursor */
	struct pf_source *source; /* where more comes from; NULL: nowhere */
};

enum { PF_LINE_MAX = 16 << 20 }; /* a longer line ends a source with a failure */

/* Covers [bytes, bytes + size), which must outlive the lines. */
void pf_lines_init(struct pf_lines *l, const char *section, const void *bytes, size_t size);

/*
 * Covers what a source has from its current byte on; the current line (and any
 * text taken from it) is good until the next step. A failure of the source
 * ends the lines and stays with the source, for whoever owns it to ask.
 */
void pf_lines_from(struct pf_lines *l, struct pf_source *source);

/* Steps to the next line; false, with an empty line, where there is none. */
bool pf_lines_next(struct pf_lines *l);
/* The same, to the next line that is neither blank nor a comment (#). */
bool pf_lines_next_content(struct pf_lines *l);

/* PF_EINPUT "<section>: line N: <why>: "<what it says>"". */
int pf_lines_error(const struct pf_lines *l, const char *why, struct pf_error *err);
/* 0, or the error of a text that was taken from the current line. */
int pf_lines_check(const struct pf_lines *l, const struct pf_text *t, struct pf_error *err);

static inline struct pf_text
pf_text_of(const char *bytes, size_t size)
{
	bytes = bytes ? bytes : ""; /* an empty buffer has no bytes to point at */
	return (struct pf_text){.at = bytes, .end = bytes + size};
}

static inline size_t
pf_text_left(const struct pf_text *t)
{
	return (size_t)(t->end - t->at);
}

/* Stops the text with what was missing, unless it has stopped already. */
void pf_text_fail(struct pf_text *t, const char *why);

/* Without the blanks (and other ASCII white space) at both ends. */
struct pf_text pf_text_trimmed(struct pf_text t);
void pf_text_blanks(struct pf_text *t);
/* Whether the literal is next; stepped over if so. Blanks are not skipped. */
bool pf_text_skip(struct pf_text *t, const char *literal);
bool pf_text_starts(const struct pf_text *t, const char *literal);
bool pf_text_equals(const struct pf_text *t, const char *literal);
/* The literal, after any blanks; else a failure. */
void pf_text_expect(struct pf_text *t, const char *literal);
/* The place of the literal's first occurrence, or NULL. */
const char *pf_text_find(const struct pf_text *t, const char *literal);
/* The run of characters up to the next blank, after any blanks; empty at the end. */
struct pf_text pf_text_word(struct pf_text *t);

/* The next number, after any blanks: decimal with an optional minus, or hexadecimal without 0x. */
int64_t pf_text_int64(struct pf_text *t);
/* A decimal floating-point number, "NaN" or "Inf" with an optional sign, in the C locale's form. */
double pf_text_double(struct pf_text *t);
uint64_t pf_text_hex(struct pf_text *t);

#endif
