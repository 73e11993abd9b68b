/*
 * load_request.h: requests as bytes, from URLs and from a file.
 *
 * A request file has one request a line; empty lines and lines that start with
 * '#' are skipped:
 *
 *	/path [WEIGHT]                  GET, sent WEIGHT times as often (1)
 *	METHOD /path                    such as DELETE /item/7
 *	METHOD /path body to the line's end
 *	METHOD /path @FILE              the body is FILE, relative to the request file
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
	const char *const *headers;
	size_t header_count;
};

/* PF_EUSAGE unless each is "Name: value" on one line. */
int pf_request_check_headers(const struct pf_request_maker *maker, struct pf_error *err);

/* Builds one; its bytes are the caller's to free. PF_EINPUT for a path or method with blanks or control characters. */
int pf_request_make(struct pf_load_request *request, const struct pf_request_maker *maker,
    const char *method, const char *path, const void *body, size_t body_size, double weight,
    struct pf_error *err);

/* The same, appended to the load's requests. */
int pf_request_add(struct pf_load *load, const struct pf_request_maker *maker, const char *method,
    const char *path, const void *body, size_t body_size, double weight, struct pf_error *err);

/* Appends a file's requests. PF_EIO; PF_EINPUT with file and line. */
int pf_request_read_file(struct pf_load *load, const struct pf_request_maker *maker,
    const char *path, struct pf_error *err);

#endif
