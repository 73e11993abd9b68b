/*
 * serve.h: the collector's own small HTTP server, run by the loop.
 *
 * libmicrohttpd with its epoll descriptor in ours. GET only. It listens on a
 * loopback address; any other needs a token, which every request must then
 * carry (Authorization: Bearer …).
 */
#ifndef PF_COLLECT_SERVE_H
#define PF_COLLECT_SERVE_H

#include "core/buffer.h"
#include "loop.h"
#include "net/tls.h"

struct pf_server;

struct pf_page {
	unsigned status;
	const char *type; /* of the content */
	struct pf_buffer body;
};

struct pf_server_options {
	const char *listen;                /* "HOST:PORT", "[::1]:PORT" or ":PORT" for loopback */
	const char *token_file;            /* NULL: no token */
	const struct pf_tls_settings *tls; /* cert_file and key_file, or neither */
	/* Fills the page for a path; status 404 for what there is not. */
	void (*page)(void *data, const char *path, struct pf_page *page);
	void *data;
};

/* PF_EUSAGE: an address that is none, or not loopback without a token; PF_EIO: in use; PF_ENOMEM. */
int pf_server_start(struct pf_server **server, struct pf_loop *loop,
    const struct pf_server_options *options, struct pf_error *err);
void pf_server_stop(struct pf_server *server);
/* The port it listens on: a "0" was chosen by the system. */
unsigned pf_server_port(const struct pf_server *server);

#endif
