/*
 * store.h: the documents and templates of a data folder, read once at start.
 *
 *   DIR/documents.jsonl     one JSON object a line; its member "id" is its address
 *   DIR/templates/NAME.html
 *
 * Documents are kept as their bytes, as a database would hand them over, and
 * also parsed, for search and listings. Both are sorted by name.
 */
#ifndef FOLIO_STORE_H
#define FOLIO_STORE_H

#include "value.h"

struct stored {
	struct slice name; /* without the ending */
	struct slice source;
	struct value parsed; /* of documents */
};

struct store {
	struct arena arena; /* of everything */
	struct stored *documents, *templates;
	size_t document_count, template_count;
};

/* False says what is wrong on standard error; release in any case. */
bool store_load(struct store *store, const char *folder);
void store_release(struct store *store);
const struct stored *store_document(const struct store *store, struct slice name);
const struct stored *store_template(const struct store *store, struct slice name);

/* A whole file into the arena; at most `most` bytes. False: errno says why. */
bool read_file(const char *path, struct arena *arena, size_t most, struct slice *content);

#endif
