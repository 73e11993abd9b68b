/* credentials.c: see credentials.h. */
#include "net/credentials.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/error.h"
#include "core/file.h"
#include "core/memory.h"

enum { MAX_SECRET = 64 << 10 };

static void
wipe(char **secret)
{
	if (*secret) {
		explicit_bzero(*secret, strlen(*secret));
		free(*secret);
	}
	*secret = NULL;
}

void
pf_credentials_release(struct pf_credentials *c)
{
	wipe(&c->bearer);
	wipe(&c->username);
	wipe(&c->password);
	for (size_t i = 0; i < c->header_count; i++)
		wipe(&c->headers[i]);
	free(c->headers);
	*c = (struct pf_credentials){0};
}

static int
copy(char **to, const char *bytes, size_t size, struct pf_error *err)
{
	*to = malloc(size + 1);
	if (!*to)
		return pf_error_nomem(err);
	memcpy(*to, bytes, size);
	(*to)[size] = '\0';
	return 0;
}

/* The file's content as a string; line ends at its end are the editor's, not the secret's. */
static int
read_secret(char **to, const char *path, struct pf_error *err)
{
	struct pf_buffer b;
	int rc;

	pf_buffer_init(&b, MAX_SECRET);
	rc = pf_file_read(path, &b, err);
	if (rc == PF_EINPUT)
		rc = pf_error_set(
		    err, PF_EUSAGE, "%s: over %d bytes; is it the right file?", path, MAX_SECRET);
	while (!rc && b.size && (b.bytes[b.size - 1] == '\n' || b.bytes[b.size - 1] == '\r'))
		b.size--;
	if (!rc && b.size == 0)
		rc = pf_error_set(err, PF_EUSAGE, "%s: empty where a secret is expected", path);
	if (!rc && memchr(b.bytes, '\0', b.size))
		rc = pf_error_set(err, PF_EUSAGE, "%s: a NUL byte where text is expected", path);
	if (!rc)
		rc = copy(to, (const char *)b.bytes, b.size, err);
	if (b.bytes)
		explicit_bzero(b.bytes, b.size);
	pf_buffer_release(&b);
	return rc;
}

/* A secret from its file or its value; `what` names it where the file does not. */
static int
take_secret(char **to, const char *path, const char *value, const char *what, struct pf_error *err)
{
	if (path)
		return read_secret(to, path, err);
	if (!*value)
		return pf_error_set(err, PF_EUSAGE, "the %s is empty", what);
	return copy(to, value, strlen(value), err);
}

static bool
has_control(const char *text, bool spaces_too)
{
	for (; *text; text++) {
		if (iscntrl((unsigned char)*text) || (spaces_too && *text == ' '))
			return true;
	}
	return false;
}

static int
load_bearer(
    struct pf_credentials *c, const struct pf_credential_sources *from, struct pf_error *err)
{
	int rc = take_secret(
	    &c->bearer, from->bearer_token_file, from->bearer_token, "bearer token", err);

	if (!rc && has_control(c->bearer, true))
		rc = pf_error_set(err, PF_EUSAGE,
		    "%s: the bearer token holds a space, line break or control "
		    "character; one token alone is expected",
		    from->bearer_token_file ? from->bearer_token_file : "environment");
	return rc;
}

static int
load_basic(struct pf_credentials *c, const struct pf_credential_sources *from, struct pf_error *err)
{
	int rc;

	if (!from->password && !from->password_file)
		return pf_error_set(err, PF_EUSAGE,
		    "a user name needs a password: give --password-file or set PROFUSE_PASSWORD");
	rc = take_secret(&c->username, NULL, from->username, "user name", err);
	if (!rc)
		rc =
		    take_secret(&c->password, from->password_file, from->password, "password", err);
	if (!rc && (strchr(c->username, ':') || has_control(c->username, false) ||
		       has_control(c->password, false)))
		rc = pf_error_set(err, PF_EUSAGE,
		    "HTTP's basic authentication can't carry a colon in the user "
		    "name, nor line breaks or control characters in it or the password");
	return rc;
}

/* Headers that say how the request is framed or where it goes: libcurl's business. */
static bool
is_reserved(const char *line, size_t name)
{
	static const char *const reserved[] = {"Host", "Content-Length", "Transfer-Encoding",
	    "Connection", "Expect", "TE", "Trailer", "Upgrade", "Accept-Encoding", "Range"};

	for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
		if (strlen(reserved[i]) == name && strncasecmp(reserved[i], line, name) == 0)
			return true;
	}
	return false;
}

static int
add_header(struct pf_credentials *c, const char *path, size_t line_number, char *line,
    struct pf_error *err)
{
	size_t name = strspn(line, "!#$%&'*+-.^_`|~0123456789"
				   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
	int rc;

	if (name == 0 || line[name] != ':' || has_control(line, false) ||
	    !line[name + 1 + strspn(line + name + 1, " ")])
		return pf_error_set(err, PF_EUSAGE,
		    "%s:%zu: not a header; a line reads \"Name: value\"", path, line_number);
	if (is_reserved(line, name))
		return pf_error_set(err, PF_EUSAGE,
		    "%s:%zu: %.*s is set by the client itself and can't be given", path,
		    line_number, (int)name, line);
	if (c->bearer || c->username) {
		if (name == strlen("Authorization") &&
		    strncasecmp(line, "Authorization", name) == 0)
			return pf_error_set(err, PF_EUSAGE,
			    "%s:%zu: Authorization is given here and as a token or password too; "
			    "keep one",
			    path, line_number);
	}
	rc = PF_GROW(c->headers, c->header_capacity, c->header_count + 1, err);
	if (!rc)
		rc = copy(&c->headers[c->header_count], line, strlen(line), err);
	if (!rc)
		c->header_count++;
	return rc;
}

/* A header of our own making, from a secret: "Cookie: …", "Authorization: TYPE …". */
static int
add_own_header(struct pf_credentials *c, const char *name, const char *secret, struct pf_error *err)
{
	size_t size = strlen(name) + strlen(secret) + 1;
	char *line = malloc(size);
	int rc;

	if (!line)
		return pf_error_nomem(err);
	snprintf(line, size, "%s%s", name, secret);
	if (has_control(line, false)) {
		rc = pf_error_set(err, PF_EUSAGE,
		    "%.*s: a line break or control character where one line is expected",
		    (int)strcspn(name, ":"), name);
	} else {
		rc = PF_GROW(c->headers, c->header_capacity, c->header_count + 1, err);
		if (!rc)
			rc = copy(&c->headers[c->header_count], line, strlen(line), err);
		c->header_count += !rc;
	}
	explicit_bzero(line, size);
	free(line);
	return rc;
}

static int
load_cookie(
    struct pf_credentials *c, const struct pf_credential_sources *from, struct pf_error *err)
{
	char *secret = NULL;
	int rc = take_secret(&secret, from->cookie_file, from->cookie, "cookie", err);

	if (!rc)
		rc = add_own_header(c, "Cookie: ", secret, err);
	wipe(&secret);
	return rc;
}

/* A token of another type than Bearer is a header that libcurl doesn't know of. */
static int
retype_token(struct pf_credentials *c, const char *type, struct pf_error *err)
{
	char name[128];
	int rc;

	snprintf(name, sizeof name, "Authorization: %s ", type);
	rc = add_own_header(c, name, c->bearer, err);
	wipe(&c->bearer);
	return rc;
}

static int
load_lines(struct pf_credentials *c, const struct pf_credential_sources *from, struct pf_error *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < from->header_count; i++) {
		char *line = NULL;
		rc = copy(&line, from->headers[i], strlen(from->headers[i]), err);
		if (!rc)
			rc = add_header(c, "headers", i + 1, line, err);
		wipe(&line);
	}
	return rc;
}

static int
load_headers(struct pf_credentials *c, const char *path, struct pf_error *err)
{
	char *text = NULL, *at, *line;
	size_t number = 0;
	int rc = read_secret(&text, path, err);

	for (at = text; !rc && at && *at;) {
		size_t size = strcspn(at, "\n");
		line = at;
		at += size + (at[size] == '\n');
		line[size] = '\0';
		number++;
		if (size && line[size - 1] == '\r')
			line[--size] = '\0';
		if (size && line[0] != '#')
			rc = add_header(c, path, number, line, err);
		explicit_bzero(line, size);
	}
	if (at)
		explicit_bzero(at, strlen(at));
	free(text);
	return rc;
}

int
pf_credentials_load(
    struct pf_credentials *c, const struct pf_credential_sources *from, struct pf_error *err)
{
	bool bearer = from->bearer_token || from->bearer_token_file;
	int rc = 0;

	if (bearer && from->username)
		return pf_error_set(
		    err, PF_EUSAGE, "both a bearer token and a user name are given; keep one");
	if (from->password_file && !from->username)
		return pf_error_set(
		    err, PF_EUSAGE, "a password file is given without a user name; add --username");
	if (bearer)
		rc = load_bearer(c, from, err);
	if (!rc && from->username)
		rc = load_basic(c, from, err);
	if (!rc && from->header_file)
		rc = load_headers(c, from->header_file, err);
	if (!rc)
		rc = load_lines(c, from, err);
	if (!rc && (from->cookie || from->cookie_file))
		rc = load_cookie(c, from, err);
	if (!rc && c->bearer && from->authorization_type &&
	    strcasecmp(from->authorization_type, "Bearer") != 0)
		rc = retype_token(c, from->authorization_type, err);
	if (rc)
		pf_credentials_release(c);
	return rc;
}
