/*
 * server.h: a small HTTP server for the examples in C, over libmicrohttpd: a path has a handler, which runs in one of
 * the server's threads and may wait there. The settings are those of the services in Go: HTTP_PORT, on loopback.
 */
#ifndef EXAMPLE_SERVER_H
#define EXAMPLE_SERVER_H

#include <stddef.h>

struct request {
	void *connection;
	const char *body; /* NULL without one; ends with a NUL that is not counted */
	size_t body_size;
};

/* The handler's answer: a text made by malloc, which the server frees; NULL is answered with status 500. */
typedef char *handler(const struct request *r);

struct route {
	const char *path;
	handler *handle; /* NULL ends the list */
};

/* A parameter of the query (NULL: not given), and one that is a number. */
const char *parameter(const struct request *r, const char *name);
long number(const struct request *r, const char *name, long otherwise);

/* A variable of the environment. */
const char *setting(const char *name, const char *otherwise);

/* A text for an answer, as printf() makes it. */
char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Serves until SIGTERM or SIGINT; what main returns. */
int serve(const struct route *routes, unsigned threads);

#endif
