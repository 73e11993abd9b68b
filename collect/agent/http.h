/*
 * http.h: just enough HTTP/1.x to be asked for a profile.
 *
 * One request a connection, at most PF_REQUEST_MAX bytes of it; the answer says
 * how long it is and closes. Nothing of a request is trusted or kept.
 */
#ifndef PF_AGENT_HTTP_H
#define PF_AGENT_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buffer.h"

enum { PF_REQUEST_MAX = 24 << 10 };

enum pf_parse { PF_PARSE_MORE, PF_PARSE_DONE, PF_PARSE_BAD, PF_PARSE_TOO_LARGE };

struct pf_request {
	bool head, post;   /* neither: GET */
	bool other;        /* a method that we don't know */
	const char *path;  /* decoded, NUL-terminated; into the request's bytes */
	const char *query; /* as it came, "" if there is none */
	const char *body;
	size_t body_size;
	const char *token; /* after "Bearer ", or "" */
	const char *host;  /* without its port, or "" */
};

/* Takes apart what has arrived, writing NULs into it once it is whole. `bytes` has room for one more. */
enum pf_parse pf_http_parse(struct pf_request *request, char *bytes, size_t size);

/* The value of `name` in a query, copied; false if it is not there or too long. */
bool pf_http_parameter(const char *query, const char *name, char *to, size_t size);

/* Whether the two are the same, in a time that doesn't tell how much of them is. */
bool pf_http_same_secret(const char *given, const char *wanted);

/* Status line and headers; then the body, unless it is a HEAD. `type` NULL: an error as Go writes it. */
void pf_http_answer(struct pf_buffer *out, const struct pf_request *request, int status,
    const char *type, const void *body, size_t size);

/* An error: text/plain, X-Go-Pprof: 1, one line. */
void pf_http_error(
    struct pf_buffer *out, const struct pf_request *request, int status, const char *message);

#endif
