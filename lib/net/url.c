/* url.c: see url.h. */
#include "net/url.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "core/buffer.h"
#include "core/error.h"
#include "net/text.h"

enum { MAX_URL = 8192 };

struct pf_url {
	CURLU *handle;
	char *scheme, *host, *path, *query, *text; /* libcurl's; query may be NULL */
	char *display;                             /* ours */
	unsigned port;
};

static void
forget_parts(struct pf_url *u)
{
	char **parts[] = {&u->scheme, &u->host, &u->path, &u->query, &u->text};

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		curl_free(*parts[i]);
		*parts[i] = NULL;
	}
	free(u->display);
	u->display = NULL;
}

void
pf_url_free(struct pf_url *u)
{
	if (!u)
		return;
	forget_parts(u);
	curl_url_cleanup(u->handle);
	free(u);
}

static bool
is_number(const char *value, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (!isdigit((unsigned char)value[i]))
			return false;
	}
	return size > 0 && size < 12;
}

/* "?seconds=30&token=..." from "seconds=30&token=abc". */
static void
add_safe_query(struct pf_buffer *out, const char *query)
{
	char mark = '?';

	while (*query) {
		size_t size = strcspn(query, "&"), name = strcspn(query, "=&");
		pf_buffer_byte(out, (uint8_t)mark);
		if (name == size || is_number(query + name + 1, size - name - 1)) {
			pf_buffer_add(out, query, size);
		} else {
			pf_buffer_add(out, query, name);
			pf_buffer_string(out, "=...");
		}
		query += size + (query[size] == '&');
		mark = '&';
	}
}

static int
make_display(struct pf_url *u, struct pf_error *err)
{
	struct pf_buffer b;
	size_t room;
	int rc;

	pf_buffer_init(&b, 2 * MAX_URL);
	pf_buffer_printf(&b, "%s://%s", u->scheme, u->host);
	if (u->port != (pf_url_is_https(u) ? 443 : 80))
		pf_buffer_printf(&b, ":%u", u->port);
	pf_buffer_string(&b, u->path);
	if (u->query)
		add_safe_query(&b, u->query);
	rc = pf_buffer_check(&b, err);
	if (rc)
		goto out;
	room = b.size + sizeof "...";
	u->display = malloc(room);
	if (u->display)
		pf_text_excerpt(u->display, room, b.bytes, b.size);
	else
		rc = pf_error_nomem(err);
out:
	pf_buffer_release(&b);
	return rc;
}

/* Reads the parts anew after a change. */
static int
refresh(struct pf_url *u, struct pf_error *err)
{
	char *port = NULL;

	forget_parts(u);
	if (curl_url_get(u->handle, CURLUPART_SCHEME, &u->scheme, 0) ||
	    curl_url_get(u->handle, CURLUPART_HOST, &u->host, 0) ||
	    curl_url_get(u->handle, CURLUPART_PATH, &u->path, 0) ||
	    curl_url_get(u->handle, CURLUPART_URL, &u->text, 0) ||
	    curl_url_get(u->handle, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT))
		return pf_error_nomem(err);
	u->port = (unsigned)strtoul(port, NULL, 10);
	curl_free(port);
	if (curl_url_get(u->handle, CURLUPART_QUERY, &u->query, 0) == CURLUE_OUT_OF_MEMORY)
		return pf_error_nomem(err);
	return make_display(u, err);
}

static int
check_scheme(CURLU *handle, int code, struct pf_error *err)
{
	char *scheme = NULL;
	bool allowed;

	if (curl_url_get(handle, CURLUPART_SCHEME, &scheme, 0))
		return pf_error_nomem(err);
	allowed = strcasecmp(scheme, "http") == 0 || strcasecmp(scheme, "https") == 0;
	curl_free(scheme);
	if (!allowed)
		return pf_error_set(err, code, "the address is neither http:// nor https://");
	return 0;
}

/* Takes `text`, relative to what u has (nothing at first). The text itself may hold a secret: never shown. */
static int
take(struct pf_url *u, const char *text, unsigned flags, int code, struct pf_error *err)
{
	CURLUcode rc;

	if (strlen(text) > MAX_URL)
		return pf_error_set(err, code, "the address has more than %d bytes", MAX_URL);
	rc = curl_url_set(u->handle, CURLUPART_URL, text, flags | CURLU_DISALLOW_USER);
	if (rc == CURLUE_OUT_OF_MEMORY)
		return pf_error_nomem(err);
	if (rc == CURLUE_USER_NOT_ALLOWED)
		return pf_error_set(err, code,
		    "the address carries a user name or password; take it out and use "
		    "--username with --password-file, since addresses end up in process lists and "
		    "logs");
	if (rc == CURLUE_UNSUPPORTED_SCHEME)
		return pf_error_set(err, code, "the address is neither http:// nor https://");
	if (rc)
		return pf_error_set(err, code,
		    "the address is not a URL (%s); one looks like http://127.0.0.1:2121",
		    curl_url_strerror(rc));
	code = check_scheme(u->handle, code, err);
	return code ? code : refresh(u, err);
}

static int
url_new(struct pf_url **url, CURLU *handle, struct pf_error *err)
{
	*url = handle ? calloc(1, sizeof **url) : NULL;
	if (!*url) {
		curl_url_cleanup(handle);
		return pf_error_nomem(err);
	}
	(*url)->handle = handle;
	return 0;
}

static int
finish(struct pf_url **url, int rc)
{
	if (rc) {
		pf_url_free(*url);
		*url = NULL;
	}
	return rc;
}

int
pf_url_parse(struct pf_url **url, const char *text, struct pf_error *err)
{
	int rc = url_new(url, curl_url(), err);

	if (rc)
		return rc;
	if (!strstr(text, "://"))
		rc = pf_error_set(err, PF_EUSAGE,
		    "the address has no scheme; write it in full, such as http://127.0.0.1:2121");
	else
		rc = take(*url, text, 0, PF_EUSAGE, err);
	return finish(url, rc);
}

int
pf_url_resolve(
    struct pf_url **url, const struct pf_url *base, const char *location, struct pf_error *err)
{
	int rc = url_new(url, curl_url_dup(base->handle), err);

	if (rc)
		return rc;
	return finish(url, take(*url, location, CURLU_URLENCODE, PF_EIO, err));
}

const char *
pf_url_host(const struct pf_url *u)
{
	return u->host;
}

unsigned
pf_url_port(const struct pf_url *u)
{
	return u->port;
}

const char *
pf_url_path(const struct pf_url *u)
{
	return u->path;
}

bool
pf_url_is_https(const struct pf_url *u)
{
	return strcasecmp(u->scheme, "https") == 0;
}

bool
pf_url_is_loopback(const struct pf_url *u)
{
	unsigned char a[4];
	char end;

	return strcasecmp(u->host, "localhost") == 0 || strcmp(u->host, "[::1]") == 0 ||
	       (sscanf(u->host, "%hhu.%hhu.%hhu.%hhu%c", &a[0], &a[1], &a[2], &a[3], &end) == 4 &&
		   a[0] == 127);
}

const char *
pf_url_text(const struct pf_url *u)
{
	return u->text;
}

const char *
pf_url_display(const struct pf_url *u)
{
	return u->display;
}

bool
pf_url_same_origin(const struct pf_url *a, const struct pf_url *b)
{
	return strcasecmp(a->scheme, b->scheme) == 0 && strcasecmp(a->host, b->host) == 0 &&
	       a->port == b->port;
}

int
pf_url_set_path(struct pf_url *u, const char *path, struct pf_error *err)
{
	if (curl_url_set(u->handle, CURLUPART_PATH, path, 0))
		return pf_error_nomem(err);
	return refresh(u, err);
}

int
pf_url_add_query(struct pf_url *u, const char *name, uint64_t value, struct pf_error *err)
{
	char pair[128];

	snprintf(pair, sizeof pair, "%s=%llu", name, (unsigned long long)value);
	if (curl_url_set(u->handle, CURLUPART_QUERY, pair, CURLU_APPENDQUERY))
		return pf_error_nomem(err);
	return refresh(u, err);
}

const char *
pf_url_query(const struct pf_url *u, const char *name, size_t *size)
{
	size_t n = strlen(name);

	for (const char *at = u->query; at && *at; at += *at == '&') {
		size_t pair = strcspn(at, "&");
		if (pair > n && strncmp(at, name, n) == 0 && at[n] == '=') {
			*size = pair - n - 1;
			return at + n + 1;
		}
		at += pair;
	}
	return NULL;
}
