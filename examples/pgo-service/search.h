/*
 * search.h: full-text search over the documents: an index built once, then
 * scores and a marked snippet for every hit.
 *
 * Words are runs of letters and digits, lower-cased and stemmed, so that
 * "rendering" finds "rendered". The index points into the documents' text.
 */
#ifndef FOLIO_SEARCH_H
#define FOLIO_SEARCH_H

#include "value.h"

#define LONGEST_WORD 32
#define MOST_QUERY_WORDS 16

struct stem {
	char letters[LONGEST_WORD];
	uint32_t size, hash;
};

struct query {
	struct stem words[MOST_QUERY_WORDS];
	unsigned count;
};

struct search;

/* An empty index for `documents` documents, to be freed; NULL without memory. */
struct search *search_new(size_t documents);
void search_free(struct search *search);
/* Adds every string within `v` to document `id`. False without memory. */
bool search_add(struct search *search, size_t id, struct value v);

void query_parse(struct query *query, struct slice text);
/* scores[id] of every document becomes how well it matches; 0 is not at all. */
void search_score(const struct search *search, const struct query *query, double *scores);
/* A piece of `text` around the densest matches, escaped, with <mark> around them. */
void search_snippet(const struct query *query, struct slice text, size_t width, struct text *out);

#endif
