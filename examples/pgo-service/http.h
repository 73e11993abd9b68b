/*
 * http.h: HTTP/1.1, the part a service behind a proxy needs: requests with or
 * without a body of known length, keep-alive, pipelining.
 *
 * A request's slices point into the bytes it was parsed from. Chunked request
 * bodies, upgrades and trailers are refused.
 */
#ifndef FOLIO_HTTP_H
#define FOLIO_HTTP_H

#include "text.h"

#define HTTP_MOST_HEAD 8192
#define HTTP_MOST_BODY ((size_t)256 << 10)
#define HTTP_MOST_HEADERS 64

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_OTHER };

struct http_header {
	struct slice name, value;
};

struct request {
	enum http_method method;
	struct slice path;  /* as sent, without the query */
	struct slice query; /* as sent, without the question mark */
	struct slice body;
	struct http_header headers[HTTP_MOST_HEADERS];
	unsigned header_count;
	bool keep_alive;
};

enum http_parse {
	HTTP_INCOMPLETE,
	HTTP_COMPLETE,
	HTTP_BAD, /* *status is what to answer before closing */
};

/* One request from the front of `bytes`; *taken is its length when complete. */
enum http_parse http_parse(
    struct request *request, struct slice bytes, size_t *taken, unsigned *status);
/* The value of a header, or an empty slice with a NULL pointer. */
struct slice http_header(const struct request *request, const char *name);

/* Undoes %XX, and + where `form`, into `out`. False: a bad escape, or a zero byte. */
bool http_decode(struct slice encoded, bool form, struct text *out);

const char *http_reason(unsigned status);

#endif
