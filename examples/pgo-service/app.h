/*
 * app.h: from a request to a response: routes, handlers, entity tags.
 *
 *   GET  /                          template "index" over all documents
 *   GET  /page/ID?template=NAME     a document, parsed from its bytes, as a page
 *   GET  /api/ID?fields=a,b&pretty  a document or some of its members as JSON
 *   GET  /search?q=WORDS&limit=N    template "search" over the hits; format=json
 *   GET  /report/NAME?where=EXPR&sort=FIELD&falling  a template over the documents that fit
 *   POST /render                    {"template": SOURCE, "data": {…}}
 *   GET  /healthz
 *
 * Query parameters are `query` in every template, all documents `documents`.
 * One app serves one thread. What one request allocates is gone before the next.
 */
#ifndef FOLIO_APP_H
#define FOLIO_APP_H

#include "http.h"

struct app;

/* To be freed; NULL after saying on standard error what is wrong with the data folder. */
struct app *app_new(const char *data_folder);
void app_free(struct app *app);

/* Appends the whole response, head and body. */
void app_respond(struct app *app, const struct request *request, struct text *out);
/* The response to what could not be parsed; it closes the connection. */
void app_refuse(unsigned status, struct text *out);

/*
 * Answers every complete request at the front of `bytes`. Returns how many
 * bytes were used up; *close is set when the connection must be closed.
 */
size_t app_exchange(struct app *app, struct slice bytes, struct text *out, bool *close);

#endif
