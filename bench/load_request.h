/*
 * load_request.h: requests as bytes, from URLs and from a file.
 *
 * A request file has one request a line; empty lines and lines that start with
 * '#' are skipped, "Name: value" after a blank is a header of the request before:
 *
 *	/path [WEIGHT]                  GET, sent WEIGHT times as often (1)
 *	METHOD /path                    such as DELETE /item/7
 *	METHOD /path body to the line's end
 *	METHOD /path @FILE              the body is FILE, relative to the request file
 *	xWEIGHT METHOD /path …          any of these with a weight
 *	    Content-Type: text/plain
 */
#ifndef PF_BENCH_LOAD_REQUEST_H
#define PF_BENCH_LOAD_REQUEST_H

#include "bench/load.h"

enum {
	PF_REQUEST_BODY_MAXIMUM = 16 << 20,
	PF_REQUEST_FILE_MAXIMUM = 64 << 20,
	PF_REQUESTS_MAXIMUM = 1000000,
};

struct pf_request_maker {
	const char *host, *port;
	const struct pf_load *load; /* whose headers each request gets */
};

/* A request in words; what is zero is left out. */
struct pf_request_text {
	const char *method; /* NULL: GET */
	const char *path;
	const void *body; /* NULL: none */
	size_t body_size;
	double weight; /* 0: 1 */
	const char *const *headers;
	size_t header_count;
};

/*
 * Adds to the load's headers: each is "Name: value" on one line, or "@FILE" with
 * such a line after line. PF_EUSAGE for what is none, or a header that bench sets itself.
 */
int pf_request_take_headers(
    struct pf_load *load, const char *const *headers, size_t count, struct pf_error *err);

/* Builds one, to be released. PF_EINPUT for a path or method with blanks or control characters. */
int pf_request_make(struct pf_load_request *request, const struct pf_request_maker *maker,
    const struct pf_request_text *text, struct pf_error *err);
void pf_request_release(struct pf_load_request *request);

/* The same, appended to the load's requests. */
int pf_request_add(struct pf_load *load, const struct pf_request_maker *maker,
    const struct pf_request_text *text, struct pf_error *err);

/*
 * Adds what "METHOD", "/path" and the rest of a line say; `rest` is the body, or
 * "@FILE" for one beside the file `list`.
 */
int pf_request_add_words(struct pf_load *load, const struct pf_request_maker *maker,
    const char *list, const char *method, const char *path, const char *rest, double weight,
    const char *const *headers, size_t header_count, struct pf_error *err);

/* Ends the first word with a NUL and returns what follows the blanks after it. */
char *pf_request_cut_word(char *line);

/* Appends a file's requests. PF_EIO; PF_EINPUT with file and line. */
int pf_request_read_file(struct pf_load *load, const struct pf_request_maker *maker,
    const char *path, struct pf_error *err);

#endif
