/* answer.c: see answer.h. */
#include "answer.h"

#include <string.h>
#include <strings.h>

#include "core/error.h"
#include "core/gzip.h"
#include "net/text.h"

enum { EXCERPT = 160 };

int
pf_answer_decode(
    struct pf_http_answer *a, const char *shown, uint32_t max_ratio, struct pf_error *err)
{
	struct pf_buffer plain;
	int rc;

	if (strcmp(a->content_encoding, "gzip") != 0 && strcmp(a->content_encoding, "x-gzip") != 0)
		return 0;
	if (!pf_gzip_is(a->body.bytes, a->body.size))
		return 0;
	pf_buffer_init(&plain, a->body.maximum);
	rc = pf_gzip_inflate(&plain, shown, a->body.bytes, a->body.size, max_ratio, err);
	if (rc && a->status != 200 && plain.size)
		rc = 0; /* an error's body is cut short by us: its beginning is all we want */
	if (rc) {
		pf_buffer_release(&plain);
		return rc;
	}
	pf_buffer_release(&a->body);
	a->body = plain;
	return 0;
}

/* Whether text of the answer's first part contains `words`, in any case. */
static bool
says(const struct pf_http_answer *a, const char *words)
{
	size_t size = a->body.size < 4096 ? a->body.size : 4096, n = strlen(words);

	for (size_t i = 0; i + n <= size; i++) {
		if (strncasecmp((const char *)a->body.bytes + i, words, n) == 0)
			return true;
	}
	return false;
}

static bool
is_busy(const struct pf_http_answer *a)
{
	if (!pf_text_is_prose(a->body.bytes, a->body.size))
		return false;
	return says(a, "profiling already in use") || says(a, "another profiler is running");
}

enum pf_answer_kind
pf_answer_classify(const struct pf_http_answer *a)
{
	if (is_busy(a) || a->status == 429 || a->status == 503)
		return PF_ANSWER_BUSY;
	if (a->status == 200)
		return PF_ANSWER_BODY;
	return a->status == 404 ? PF_ANSWER_ABSENT : PF_ANSWER_REFUSED;
}

static const char *
about_credentials(const struct pf_http_result *r, bool have)
{
	if (r->credentials_dropped)
		return "; the credentials were left behind when a redirect led to this other host: "
		       "give its address "
		       "itself if it may have them";
	if (have)
		return "; these credentials are not accepted";
	return "; it wants credentials: give --bearer-token-file, or --username with "
	       "--password-file, or a client "
	       "certificate with --cert";
}

/* What to do next about an error of HTTP. */
static const char *
advice(const struct pf_http_result *r, bool have_credentials)
{
	const struct pf_http_answer *a = &r->answer;

	if (is_busy(a))
		return "; somebody else is taking a profile of it: --retry-for waits longer";
	if (says(a, "WriteTimeout"))
		return "; this Go server ends every answer after its http.Server's WriteTimeout: "
		       "ask for fewer --seconds, "
		       "or raise that limit in the service (newer Go extends it by itself)";
	switch (a->status) {
	case 401:
	case 403:
		return about_credentials(r, have_credentials);
	case 404:
		return a->go_pprof ? "; this service has no such profile"
				   : "; is pprof served under this address, and on this port?";
	case 407:
		return "; the proxy wants credentials: see http_proxy, https_proxy and no_proxy in "
		       "the environment";
	case 408:
	case 504:
		return "; something on the way waits less than the window: ask for fewer --seconds";
	case 429:
	case 503:
		return "; it asks to come back later: --retry-for waits longer";
	default:
		return "";
	}
}

int
pf_answer_explain(const struct pf_http_result *r, bool have_credentials, struct pf_error *err)
{
	const struct pf_http_answer *a = &r->answer;
	char said[EXCERPT] = "";
	bool quote = pf_text_is_prose(a->body.bytes, a->body.size);

	if (quote)
		pf_text_excerpt(said, sizeof said, a->body.bytes, a->body.size);
	return pf_error_set(err, PF_EIO, "%s: the server answered %ld%s%s%s%s",
	    pf_url_display(r->url), a->status, said[0] ? ": \"" : "", said, said[0] ? "\"" : "",
	    advice(r, have_credentials));
}

int
pf_answer_check_body(const struct pf_http_result *r, struct pf_error *err)
{
	const struct pf_http_answer *a = &r->answer;
	const char *shown = pf_url_display(r->url);
	char said[EXCERPT];

	if (a->body.size == 0)
		return pf_error_set(
		    err, PF_EINPUT, "%s: the server answered 200 with an empty body", shown);
	if (pf_text_is_html(a->body.bytes, a->body.size))
		return pf_error_set(err, PF_EINPUT,
		    "%s: the server answered 200 with an HTML page instead of a profile: "
		    "\"%s\"; is a login or a proxy in between, or is pprof served elsewhere?",
		    shown, pf_text_excerpt(said, sizeof said, a->body.bytes, a->body.size));
	if (pf_text_is_prose(a->body.bytes, a->body.size))
		return pf_error_set(err, PF_EINPUT,
		    "%s: the server answered 200 with text instead of a profile: \"%s\"", shown,
		    pf_text_excerpt(said, sizeof said, a->body.bytes, a->body.size));
	return 0;
}
