/*
 * app_private.h: what app.c (routes, responses) and handlers.c (what the routes do) share.
 *
 * A handler fills app->body and app->type, and returns the status.
 */
#ifndef FOLIO_APP_PRIVATE_H
#define FOLIO_APP_PRIVATE_H

#include "app.h"
#include "cache.h"
#include "search.h"
#include "store.h"
#include "vm.h"

struct app {
	struct store store;
	struct search *search;
	double *scores;
	struct cache *cache;
	struct arena arena; /* of one request */
	struct text body, decoded;
	const char *type;
	struct map *globals, *query;
	struct value documents;
	struct vm vm;
};

/* The body becomes a JSON object with this reason; returns `status`. */
unsigned refuse(struct app *app, unsigned status, const char *why);
/* What snippets are cut from: the body, or whatever text is longest. */
struct slice main_text(struct value document);

unsigned handle_page(struct app *app, const struct request *request, struct slice name);
unsigned handle_api(struct app *app, const struct request *request, struct slice name);
unsigned handle_search(struct app *app, const struct request *request, struct slice name);
unsigned handle_report(struct app *app, const struct request *request, struct slice name);
unsigned handle_index(struct app *app, const struct request *request, struct slice name);
unsigned handle_render(struct app *app, const struct request *request, struct slice name);
unsigned handle_health(struct app *app, const struct request *request, struct slice name);

#endif
