/*
 * http.h: one GET, redirects followed, in the calling thread.
 */
#ifndef PF_NET_HTTP_H
#define PF_NET_HTTP_H

#include "net/transfer.h"

/* Called about ten times a second; true ends the request with PF_EIO "interrupted". */
typedef bool pf_http_tick(void *context, bool body_begun, size_t body_bytes);

struct pf_http_request {
	const struct pf_url *url;
	const struct pf_tls_settings *tls;
	const struct pf_credentials *credentials; /* may be NULL */
	const struct pf_proxy *proxy;             /* may be NULL: the environment's */
	struct pf_http_limits limits;
	unsigned max_redirects;
	pf_http_tick *tick; /* may be NULL */
	void *context;
};

struct pf_http_result {
	struct pf_http_answer answer;
	struct pf_url *url; /* owned: where the answer came from */
	unsigned redirects;
	bool refused;             /* nobody takes connections at the last address */
	bool credentials_dropped; /* there were some, and a redirect led to another origin */
};

/*
 * Fills a zeroed result with whatever the server finally answered, errors of
 * HTTP included: judging them is the caller's. To be released in any case.
 * PF_EIO no answer, interrupted, or a redirect that is not followed; PF_EINPUT
 * a size cap; PF_ENOMEM.
 */
int pf_http_get(
    const struct pf_http_request *request, struct pf_http_result *result, struct pf_error *err);
void pf_http_result_release(struct pf_http_result *result);

#endif
