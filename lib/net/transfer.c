/* transfer.c: an easy handle with our limits on it; see transfer.h. */
#include "net/transfer.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/error.h"
#include "net/failure.h"

enum {
	MAX_HEADERS = 256 << 10,   /* bytes of all header lines together */
	MAX_ERROR_BODY = 16 << 10, /* of an answer that is no success only this much is read */
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static CURLcode started;

static void
start_curl(void)
{
	started = curl_global_init(CURL_GLOBAL_DEFAULT);
}

int
pf_net_start(struct pf_error *err)
{
	pthread_once(&once, start_curl);
	if (started)
		return pf_error_set(
		    err, PF_EIO, "libcurl can't start: %s", curl_easy_strerror(started));
	return 0;
}

double
pf_net_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static size_t
on_header(char *bytes, size_t size, size_t count, void *context)
{
	struct pf_transfer *t = context;

	(void)bytes;
	t->header_bytes += size * count;
	t->headers_too_big = t->header_bytes > MAX_HEADERS;
	return t->headers_too_big ? 0 : size * count;
}

static size_t
on_body(char *bytes, size_t size, size_t count, void *context)
{
	struct pf_transfer *t = context;
	struct pf_buffer *body = &t->answer.body;
	size_t n = size * count, keep = n;
	long status = 0;

	t->last_byte = pf_net_now();
	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200 && n > MAX_ERROR_BODY - body->size) {
		keep = MAX_ERROR_BODY - body->size;
		t->stop = PF_ENOUGH;
	}
	if (keep > body->maximum - body->size) {
		t->stop = PF_TOO_BIG;
		return 0;
	}
	pf_buffer_add(body, bytes, keep);
	return body->failed || t->stop ? 0 : n;
}

static int
set_headers(struct pf_transfer *t, const struct pf_credentials *credentials, struct pf_error *err)
{
	size_t count = credentials ? credentials->header_count : 0;

	for (size_t i = 0; i < count; i++) {
		struct curl_slist *longer = curl_slist_append(t->headers, credentials->headers[i]);
		if (!longer)
			return pf_error_nomem(err);
		t->headers = longer;
	}
	return 0;
}

static CURLcode
set_credentials(struct pf_transfer *t, const struct pf_credentials *credentials)
{
	CURLcode rc = curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);

	if (!rc && credentials && credentials->bearer) {
		rc = curl_easy_setopt(t->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
		rc = rc ? rc
			: curl_easy_setopt(t->easy, CURLOPT_XOAUTH2_BEARER, credentials->bearer);
	}
	if (!rc && credentials && credentials->username) {
		rc = curl_easy_setopt(t->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		rc = rc ? rc : curl_easy_setopt(t->easy, CURLOPT_USERNAME, credentials->username);
		rc = rc ? rc : curl_easy_setopt(t->easy, CURLOPT_PASSWORD, credentials->password);
	}
	return rc;
}

/* An empty passphrase makes an encrypted key an error; without one OpenSSL would ask the terminal. */
static CURLcode
set_tls(CURL *easy, const struct pf_tls_settings *tls, bool present)
{
	CURLcode rc = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, tls->insecure ? 0L : 1L);

	rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, tls->insecure ? 0L : 2L);
	rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (!rc && tls->ca_file) {
		rc = curl_easy_setopt(easy, CURLOPT_CAINFO, tls->ca_file);
		rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	if (!rc && present && tls->cert_file) {
		rc = curl_easy_setopt(easy, CURLOPT_SSLCERT, tls->cert_file);
		rc = rc ? rc
			: curl_easy_setopt(
			      easy, CURLOPT_SSLKEY, tls->key_file ? tls->key_file : tls->cert_file);
		rc = rc ? rc : curl_easy_setopt(easy, CURLOPT_KEYPASSWD, "");
	}
	return rc;
}

static CURLcode
set_limits(struct pf_transfer *t, const struct pf_http_limits *limits)
{
	CURLcode rc = curl_easy_setopt(
	    t->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(limits->connect_timeout * 1e3) + 1);

	rc = rc ? rc
		: curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, (long)(limits->timeout * 1e3) + 1);
	rc =
	    rc ? rc
	       : curl_easy_setopt(t->easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)limits->max_body);
	t->stall_timeout = limits->stall_timeout;
	t->quiet = limits->quiet;
	pf_buffer_init(&t->answer.body, limits->max_body);
	return rc;
}

static CURLcode
set_request(struct pf_transfer *t, const struct pf_url *url)
{
	CURL *e = t->easy;
	CURLcode rc = curl_easy_setopt(e, CURLOPT_URL, pf_url_text(url));

	rc = rc ? rc : curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	rc = rc ? rc : curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	rc = rc ? rc : curl_easy_setopt(e, CURLOPT_USERAGENT, "profuse/" PROFUSE_VERSION);
	rc = rc ? rc : curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	rc = rc ? rc
		: curl_easy_setopt(
		      e, CURLOPT_QUICK_EXIT, 1L); /* don't wait for a lookup that we gave up */
	rc = rc ? rc : curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->detail);
	rc = rc ? rc : curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	rc = rc ? rc : curl_easy_setopt(e, CURLOPT_HEADERDATA, t);
	rc = rc ? rc : curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	return rc ? rc : curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
}

static CURLcode
set_proxy(CURL *easy, const struct pf_proxy *proxy)
{
	CURLcode rc;

	if (!proxy || proxy->environment)
		return CURLE_OK;
	rc = curl_easy_setopt(easy, CURLOPT_PROXY, proxy->url ? proxy->url : "");
	if (!rc && proxy->no_proxy)
		rc = curl_easy_setopt(easy, CURLOPT_NOPROXY, proxy->no_proxy);
	return rc;
}

/*
 * A certificate for another name than the address's: libcurl takes the name from
 * the address, so that gets the name, the connection is led to where it was
 * going, and the server sees the host that was named.
 */
static int
set_server_name(
    struct pf_transfer *t, const struct pf_url *url, const char *name, struct pf_error *err)
{
	char line[1024];
	struct curl_slist *longer;
	CURLU *renamed = curl_url();
	char *text = NULL;
	bool bad = !renamed || curl_url_set(renamed, CURLUPART_URL, pf_url_text(url), 0) ||
		   curl_url_set(renamed, CURLUPART_HOST, name, 0) ||
		   curl_url_get(renamed, CURLUPART_URL, &text, 0) ||
		   curl_easy_setopt(t->easy, CURLOPT_URL, text);

	curl_free(text);
	curl_url_cleanup(renamed);
	snprintf(line, sizeof line, "%s:%u:%s:%u", name, pf_url_port(url), pf_url_host(url),
	    pf_url_port(url));
	t->connect_to = bad ? NULL : curl_slist_append(NULL, line);
	snprintf(line, sizeof line, "Host: %s:%u", pf_url_host(url), pf_url_port(url));
	longer = t->connect_to ? curl_slist_append(t->headers, line) : NULL;
	if (!longer)
		return pf_error_nomem(err);
	t->headers = longer;
	return curl_easy_setopt(t->easy, CURLOPT_CONNECT_TO, t->connect_to) ? pf_error_nomem(err)
									    : 0;
}

int
pf_transfer_init(struct pf_transfer *t, const struct pf_url *url, const struct pf_tls_settings *tls,
    bool present, const struct pf_credentials *credentials, const struct pf_proxy *proxy,
    const struct pf_http_limits *limits, struct pf_error *err)
{
	CURLcode rc;

	pthread_once(&once, start_curl);
	if (started)
		return pf_error_set(
		    err, PF_EIO, "libcurl can't start: %s", curl_easy_strerror(started));
	t->shown = pf_url_display(url);
	t->started = pf_net_now();
	t->easy = curl_easy_init();
	if (!t->easy)
		return pf_error_nomem(err);
	if (set_headers(t, credentials, err))
		return PF_ENOMEM;
	rc = set_limits(t, limits);
	rc = rc ? rc : set_request(t, url);
	rc = rc ? rc : set_proxy(t->easy, proxy);
	rc = rc ? rc : set_tls(t->easy, tls, present);
	if (!rc && tls->server_name && pf_url_is_https(url) &&
	    set_server_name(t, url, tls->server_name, err))
		return PF_ENOMEM;
	rc = rc ? rc : set_credentials(t, credentials);
	if (rc == CURLE_OUT_OF_MEMORY)
		return pf_error_nomem(err);
	if (rc)
		return pf_error_set(err, PF_EIO, "%s: libcurl refuses the request: %s", t->shown,
		    curl_easy_strerror(rc));
	return 0;
}

void
pf_http_answer_release(struct pf_http_answer *a)
{
	free(a->location);
	pf_buffer_release(&a->body);
	*a = (struct pf_http_answer){0};
}

void
pf_transfer_release(struct pf_transfer *t)
{
	curl_easy_cleanup(t->easy);
	for (struct curl_slist *h = t->headers; h; h = h->next)
		explicit_bzero(h->data, strlen(h->data));
	curl_slist_free_all(t->headers);
	curl_slist_free_all(t->connect_to);
	pf_http_answer_release(&t->answer);
	*t = (struct pf_transfer){0};
}

bool
pf_transfer_alive(struct pf_transfer *t, double now)
{
	double since = t->last_byte;

	if (since == 0)
		return true; /* before the body only the request's own timeout counts */
	if (since < t->started + t->quiet)
		since = t->started + t->quiet;
	if (now - since > t->stall_timeout)
		t->stop = PF_STALLED;
	return t->stop != PF_STALLED;
}

static const char *
header(CURL *easy, const char *name)
{
	struct curl_header *h;

	return curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &h) ? NULL : h->value;
}

/* A short header value in lower case, up to its parameters. */
static void
keep_header(CURL *easy, const char *name, char *to, size_t room)
{
	const char *value = header(easy, name);
	size_t n = 0;

	while (value && value[n] && value[n] != ';' && n + 1 < room) {
		to[n] = (char)tolower((unsigned char)value[n]);
		n++;
	}
	to[n] = '\0';
}

int
pf_transfer_finish(struct pf_transfer *t, CURLcode result, struct pf_error *err)
{
	struct pf_http_answer *a = &t->answer;
	const char *location;
	curl_off_t after = 0;

	if (result && t->stop != PF_ENOUGH)
		return pf_transfer_failure(t, result, err);
	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &a->status);
	curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &after);
	a->retry_after = (double)after;
	keep_header(t->easy, "Content-Type", a->content_type, sizeof a->content_type);
	keep_header(t->easy, "Content-Encoding", a->content_encoding, sizeof a->content_encoding);
	a->go_pprof = header(t->easy, "X-Go-Pprof") != NULL;
	location = header(t->easy, "Location");
	if (location) {
		a->location = malloc(strlen(location) + 1);
		if (!a->location)
			return pf_error_nomem(err);
		memcpy(a->location, location, strlen(location) + 1);
	}
	return 0;
}
