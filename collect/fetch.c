/* fetch.c: see fetch.h. */
#include "fetch.h"

#include <string.h>

#include "core/error.h"

enum { TICK = 1, MOST_REDIRECTS = 5 };

const char *
pf_outcome_name(enum pf_outcome outcome)
{
	static const char *const names[PF_OUTCOMES] = {"ok", "dns", "connect", "tls", "timeout",
	    "stalled", "cut", "too_big", "auth", "absent", "busy", "write_timeout", "http",
	    "redirect", "no_profile", "memory", "store"};

	return names[outcome];
}

/* Looks at every running request once a second: a body that paused too long is ended. */
static void
on_tick(struct pf_timer *timer, double now)
{
	struct pf_fetches *all = PF_CONTAINER(timer, struct pf_fetches, tick);
	struct pf_fetch *next;

	for (struct pf_fetch *r = all->running; r; r = next) {
		next = r->next;
		if (!pf_transfer_alive(&r->transfer, now))
			pf_fetch_finished(r->transfer.easy, CURLE_ABORTED_BY_CALLBACK);
	}
	if (all->running)
		pf_timer_set(all->loop, timer, now + TICK, NULL);
}

void
pf_fetches_init(struct pf_fetches *all, struct pf_loop *loop)
{
	*all = (struct pf_fetches){.loop = loop, .tick.fire = on_tick};
	loop->finished = pf_fetch_finished;
}

static void
link_request(struct pf_fetches *all, struct pf_fetch *r)
{
	r->next = all->running;
	r->previous = NULL;
	if (r->next)
		r->next->previous = r;
	all->running = r;
	all->count++;
	r->running = true;
	if (!all->tick.place)
		pf_timer_set(all->loop, &all->tick, pf_net_now() + TICK, NULL);
}

static void
unlink_request(struct pf_fetches *all, struct pf_fetch *r)
{
	if (!r->running)
		return;
	if (r->previous)
		r->previous->next = r->next;
	else
		all->running = r->next;
	if (r->next)
		r->next->previous = r->previous;
	all->count--;
	r->running = false;
}

static int
start_transfer(struct pf_fetch *r, struct pf_error *err)
{
	struct pf_http_limits limits = r->limits;
	bool foreign = r->redirects.foreign;
	int rc;

	limits.timeout = r->deadline - pf_net_now();
	if (limits.timeout <= 0)
		return pf_error_set(err, PF_EIO, "%s: out of time while following redirects",
		    pf_url_display(r->url));
	rc = pf_transfer_init(&r->transfer, r->url, &r->client->tls, !foreign,
	    foreign ? NULL : &r->client->credentials, &r->client->proxy, &limits, err);
	if (rc)
		return rc;
	/*
	 * An idle connection would cost its service a descriptor from round to round. And libcurl
	 * walks over its whole cache of names whenever a transfer ends: with thousands of targets
	 * that would cost more than all the rest, so it is kept empty.
	 */
	if (curl_easy_setopt(r->transfer.easy, CURLOPT_FORBID_REUSE, 1L) ||
	    curl_easy_setopt(r->transfer.easy, CURLOPT_FRESH_CONNECT, 1L) ||
	    curl_easy_setopt(r->transfer.easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L) ||
	    curl_easy_setopt(r->transfer.easy, CURLOPT_PRIVATE, r) ||
	    curl_multi_add_handle(r->loop->multi, r->transfer.easy))
		return pf_error_nomem(err);
	return 0;
}

static void
stop_transfer(struct pf_fetch *r)
{
	if (r->transfer.easy)
		curl_multi_remove_handle(r->loop->multi, r->transfer.easy);
	pf_transfer_release(&r->transfer);
}

int
pf_fetch_start(struct pf_fetches *all, struct pf_fetch *r, const struct pf_url *url,
    const struct pf_client_config *client, const struct pf_http_limits *limits,
    struct pf_error *err)
{
	int rc;

	r->loop = all->loop;
	r->all = all;
	r->client = client;
	r->limits = *limits;
	r->deadline = pf_net_now() + limits->timeout;
	r->redirects = (struct pf_redirects){.most = client->follow_redirects ? MOST_REDIRECTS : 0};
	rc = pf_url_resolve(&r->url, url, pf_url_text(url), err);
	if (!rc)
		rc = start_transfer(r, err);
	if (rc) {
		pf_fetch_release(all, r);
		return rc;
	}
	link_request(all, r);
	return 0;
}

void
pf_fetch_release(struct pf_fetches *all, struct pf_fetch *r)
{
	unlink_request(all, r);
	stop_transfer(r);
	pf_url_free(r->url);
	r->url = NULL;
}

static enum pf_outcome
outcome_of(const struct pf_transfer *t, CURLcode result)
{
	double connected = 0;

	if (t->stop == PF_TOO_BIG || result == CURLE_FILESIZE_EXCEEDED)
		return PF_OUTCOME_TOO_BIG;
	if (t->stop == PF_STALLED)
		return PF_OUTCOME_STALLED;
	switch (result) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return PF_OUTCOME_DNS;
	case CURLE_COULDNT_CONNECT:
		return PF_OUTCOME_CONNECT;
	case CURLE_OPERATION_TIMEDOUT:
		curl_easy_getinfo(t->easy, CURLINFO_PRETRANSFER_TIME, &connected);
		return connected > 0 ? PF_OUTCOME_TIMEOUT : PF_OUTCOME_CONNECT;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CIPHER:
		return PF_OUTCOME_TLS;
	case CURLE_OUT_OF_MEMORY:
		return PF_OUTCOME_MEMORY;
	default:
		/* a client certificate that is wanted and missing cuts the connection in TLS 1.3 */
		if (strstr(t->detail, "alert") || strstr(t->detail, "certificate required"))
			return PF_OUTCOME_TLS;
		return PF_OUTCOME_CUT;
	}
}

static void
tell(struct pf_fetch *r, enum pf_outcome outcome, const struct pf_error *err)
{
	unlink_request(r->all, r);
	if (r->transfer.easy)
		curl_multi_remove_handle(r->loop->multi, r->transfer.easy);
	r->done(r, outcome, err);
}

/* Goes where the answer sends us; false: the request is over. */
static bool
follow(struct pf_fetch *r, struct pf_error *err)
{
	struct pf_url *to;

	if (pf_redirect_follow(&to, &r->redirects, r->url, r->transfer.answer.location, err))
		return false;
	stop_transfer(r);
	pf_url_free(r->url);
	r->url = to;
	return start_transfer(r, err) == 0;
}

void
pf_fetch_finished(CURL *easy, CURLcode result)
{
	struct pf_fetch *r = NULL;
	struct pf_error err = {0};
	char *private = NULL;
	int rc;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
	r = (struct pf_fetch *)(void *)private;
	rc = pf_transfer_finish(&r->transfer, result, &err);
	if (rc) {
		tell(r, rc == PF_ENOMEM ? PF_OUTCOME_MEMORY : outcome_of(&r->transfer, result),
		    &err);
	} else if (!pf_redirect_is(r->transfer.answer.status)) {
		tell(r, PF_OUTCOME_OK, &err);
	} else if (!follow(r, &err)) {
		tell(r, err.code == PF_ENOMEM ? PF_OUTCOME_MEMORY : PF_OUTCOME_REDIRECT, &err);
	}
}
