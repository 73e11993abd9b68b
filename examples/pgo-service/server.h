/* server.h: one thread, one epoll, many connections. */
#ifndef FOLIO_SERVER_H
#define FOLIO_SERVER_H

#include <stdint.h>

struct app;

/*
 * Serves until SIGTERM or SIGINT, then closes everything and returns 0. 1 when
 * it could not start, with the reason on standard error.
 */
int server_run(struct app *app, const char *host, uint16_t port);

#endif
