/*
 * search.h: full-text search over the documents: an index built once, then
 * scores and a marked snippet for every hit.
 *
 * A document's main text is what snippets are cut from; the index knows where in
 * it each word is first.
 */
#ifndef FOLIO_SEARCH_H
#define FOLIO_SEARCH_H

#include "stem.h"
#include "value.h"

#define MOST_QUERY_WORDS 16

struct query {
	struct stem words[MOST_QUERY_WORDS];
	unsigned count;
};

struct search;

/* An empty index for `documents` documents, to be freed; NULL without memory. */
struct search *search_new(size_t documents);
void search_free(struct search *search);
/* Adds document `id`: every string within `v`, of which `main` is one. Ids rise. False without memory. */
bool search_add(struct search *search, size_t id, struct value v, struct slice main);

void query_parse(struct query *query, struct slice text);
/* scores[id] of every document becomes how well it matches; 0 is not at all. */
void search_score(const struct search *search, const struct query *query, double *scores);
/* A piece of document `id`'s main text around the densest matches, escaped, with <mark> around them. */
void search_snippet(const struct search *search, const struct query *query, size_t id,
    struct slice text, size_t width, struct text *out);

#endif
