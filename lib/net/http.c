/* http.c: the loop around one transfer after another; see http.h. */
#include "net/http.h"

#include <string.h>

#include "core/error.h"
#include "net/redirect.h"

enum { TICK_MS = 100 };

void
pf_http_result_release(struct pf_http_result *r)
{
	pf_http_answer_release(&r->answer);
	pf_url_free(r->url);
	*r = (struct pf_http_result){0};
}

/* Whether the one transfer of `multi` has ended, and how. */
static bool
ended(CURLM *multi, CURLcode *result)
{
	int left;
	CURLMsg *message = curl_multi_info_read(multi, &left);

	if (message)
		*result = message->data.result;
	return message != NULL;
}

/* Runs the transfer to its end; a stalled one counts as ended. */
static int
drive(CURLM *multi, struct pf_transfer *t, const struct pf_http_request *request, CURLcode *result,
    struct pf_error *err)
{
	CURLMcode rc = CURLM_OK;
	int running;

	while (!rc) {
		rc = curl_multi_perform(multi, &running);
		if (rc || ended(multi, result))
			break;
		if (request->tick &&
		    request->tick(request->context, t->last_byte > 0, t->answer.body.size))
			return pf_error_set(
			    err, PF_EIO, "%s: interrupted; nothing was written", t->shown);
		if (!pf_transfer_alive(t, pf_net_now())) {
			*result = CURLE_ABORTED_BY_CALLBACK;
			break;
		}
		rc = curl_multi_poll(multi, NULL, 0, TICK_MS, NULL);
	}
	if (rc == CURLM_OUT_OF_MEMORY)
		return pf_error_nomem(err);
	if (rc)
		return pf_error_set(
		    err, PF_EIO, "%s: libcurl stopped: %s", t->shown, curl_multi_strerror(rc));
	return 0;
}

static int
run(CURLM *multi, struct pf_transfer *t, const struct pf_http_request *request, bool *refused,
    struct pf_error *err)
{
	CURLcode result = CURLE_OK;
	int rc;

	if (curl_multi_add_handle(multi, t->easy))
		return pf_error_nomem(err);
	rc = drive(multi, t, request, &result, err);
	*refused = !rc && result == CURLE_COULDNT_CONNECT;
	if (!rc)
		rc = pf_transfer_finish(t, result, err);
	curl_multi_remove_handle(multi, t->easy);
	return rc;
}

/* One request without its redirects; the answer moves into `result`. */
static int
hop(CURLM *multi, const struct pf_http_request *request, struct pf_http_result *result,
    bool foreign, double deadline, struct pf_error *err)
{
	struct pf_transfer t = {0};
	struct pf_http_limits limits = request->limits;
	int rc;

	limits.timeout = deadline - pf_net_now();
	if (limits.timeout <= 0)
		return pf_error_set(err, PF_EIO,
		    "%s: out of time while following redirects; --timeout allows more",
		    pf_url_display(result->url));
	rc = pf_transfer_init(&t, result->url, request->tls, !foreign,
	    foreign ? NULL : request->credentials, request->proxy, &limits, err);
	if (!rc)
		rc = run(multi, &t, request, &result->refused, err);
	if (!rc) {
		result->answer = t.answer;
		t.answer = (struct pf_http_answer){0};
	}
	pf_transfer_release(&t);
	return rc;
}

static int
follow(CURLM *multi, const struct pf_http_request *request, struct pf_http_result *result,
    struct pf_error *err)
{
	struct pf_redirects state = {.most = request->max_redirects};
	double deadline = pf_net_now() + request->limits.timeout;
	struct pf_url *next;
	int rc;

	for (;;) {
		rc = hop(multi, request, result, state.foreign, deadline, err);
		if (rc || !pf_redirect_is(result->answer.status))
			break;
		rc = pf_redirect_follow(&next, &state, result->url, result->answer.location, err);
		if (rc)
			break;
		pf_http_answer_release(&result->answer);
		pf_url_free(result->url);
		result->url = next;
	}
	result->redirects = state.taken;
	result->credentials_dropped =
	    state.foreign && ((request->credentials && pf_credentials_any(request->credentials)) ||
				 request->tls->cert_file);
	return rc;
}

int
pf_http_get(
    const struct pf_http_request *request, struct pf_http_result *result, struct pf_error *err)
{
	CURLM *multi;
	int rc = pf_net_start(err);

	if (!rc)
		rc = pf_url_resolve(&result->url, request->url, pf_url_text(request->url), err);

	if (rc)
		return rc;
	multi = curl_multi_init();
	if (!multi)
		return pf_error_nomem(err);
	rc = follow(multi, request, result, err);
	curl_multi_cleanup(multi);
	return rc;
}
