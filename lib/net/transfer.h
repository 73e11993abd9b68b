/*
 * transfer.h: one request, one answer, no redirects.
 *
 * A transfer is a libcurl easy handle with our limits on it: sizes, times,
 * protocols, verification. It doesn't say how it is driven: the one-shot client
 * (http.h) puts it into a multi handle of its own, a collector of thousands of
 * targets into a shared one. The transfer's address in memory must not change
 * while it runs.
 */
#ifndef PF_NET_TRANSFER_H
#define PF_NET_TRANSFER_H

#include <stdint.h>

#include <curl/curl.h>

#include "core/buffer.h"
#include "net/credentials.h"
#include "net/proxy.h"
#include "net/tls.h"
#include "net/url.h"

struct pf_http_limits {
	double connect_timeout; /* seconds; also name lookup and the TLS handshake */
	double timeout;         /* seconds for the whole request, redirects included */
	double stall_timeout;   /* a body that has begun may pause this long */
	double quiet; /* no stall is counted in the first so many seconds: the window asked for */
	size_t max_body;
};

struct pf_http_answer {
	long status;            /* 0: none came */
	char content_type[100]; /* "" where the server sent none; lower case */
	char content_encoding[32];
	char *location;        /* owned; NULL: none */
	double retry_after;    /* seconds; 0: not said */
	bool go_pprof;         /* X-Go-Pprof was set: net/http/pprof itself speaks */
	struct pf_buffer body; /* of an error only the beginning */
};

struct pf_transfer {
	CURL *easy;
	struct curl_slist *headers, *connect_to;
	struct pf_http_answer answer;
	const char *shown; /* the address for messages, borrowed from the url */
	double stall_timeout, quiet;
	double started, last_byte; /* monotonic seconds; last_byte 0: no body yet */
	size_t header_bytes;
	enum { PF_RUNNING, PF_TOO_BIG, PF_ENOUGH, PF_STALLED } stop; /* why we ended it ourselves */
	bool headers_too_big;
	char detail[CURL_ERROR_SIZE];
};

/*
 * Sets a zeroed transfer up for a GET. `credentials` may be NULL; `tls` says
 * what to trust, `present` whether to show its client certificate; `proxy` may
 * be NULL: the environment's. All must outlive the transfer. PF_ENOMEM, or
 * PF_EIO if libcurl can't start.
 */
int pf_transfer_init(struct pf_transfer *t, const struct pf_url *url,
    const struct pf_tls_settings *tls, bool present, const struct pf_credentials *credentials,
    const struct pf_proxy *proxy, const struct pf_http_limits *limits, struct pf_error *err);
void pf_transfer_release(struct pf_transfer *t);

/* Called now and then while it runs: false when the body has paused too long and the driver should end it. */
bool pf_transfer_alive(struct pf_transfer *t, double now);

/* What libcurl's final word means: 0 with t->answer filled, or a sentence. PF_EIO; PF_EINPUT for a size cap. */
int pf_transfer_finish(struct pf_transfer *t, CURLcode result, struct pf_error *err);

void pf_http_answer_release(struct pf_http_answer *a);

/* Starts libcurl once per process, from any thread; before the first transfer or multi handle. PF_EIO. */
int pf_net_start(struct pf_error *err);

/* Monotonic seconds. */
double pf_net_now(void);

#endif
