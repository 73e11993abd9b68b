/*
 * requests.h: lists of requests in a file, for --replay, --once and load.
 *
 * One request a line: METHOD PATH [@BODY-FILE], the file relative to the list's
 * folder. Empty lines and lines that begin with # are left out.
 */
#ifndef FOLIO_REQUESTS_H
#define FOLIO_REQUESTS_H

#include "arena.h"
#include "text.h"

struct request_list {
	struct arena arena;
	struct slice *items; /* each as its bytes go over the wire */
	size_t count;
};

/* False says on standard error what is wrong; release in any case. */
bool request_list_load(struct request_list *list, const char *path);
void request_list_release(struct request_list *list);

/* One request's bytes in the arena; body_path may be NULL. A NULL slice after saying what is wrong. */
struct slice request_compose(
    struct arena *arena, struct slice method, struct slice path, const char *body_path);

#endif
