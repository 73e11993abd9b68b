/* config_client.c: TLS, credentials, headers and proxies, for whatever is talked to. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "core/error.h"
#include "net/url.h"

#define CLIENT(MEMBER) offsetof(struct pf_client_config, MEMBER)

static void
check_readable(
    struct pf_reading *r, const struct pf_place *place, const char *key, const char *path)
{
	struct pf_place at = {.parent = place, .key = key, .node = pf_node_get(place->node, key)};

	if (path && access(path, R_OK))
		pf_problem(r, at.node ? &at : place, "%s: can't be read", path);
}

static void
read_tls(struct pf_reading *r, const struct pf_place *place, void *object)
{
#define TLS(MEMBER) offsetof(struct pf_tls_settings, MEMBER)
	static const struct pf_field fields[] = {
	    {"ca_file", PF_FIELD_PATH, TLS(ca_file)},
	    {"cert_file", PF_FIELD_PATH, TLS(cert_file)},
	    {"key_file", PF_FIELD_PATH, TLS(key_file)},
	    {"server_name", PF_FIELD_STRING, TLS(server_name)},
	    {"insecure_skip_verify", PF_FIELD_BOOL, TLS(insecure)},
	    {NULL},
	};
	struct pf_tls_settings *tls = object;

	pf_fields_read(r, place, fields, tls);
	if (tls->key_file && !tls->cert_file)
		pf_problem(r, place, "key_file without cert_file");
	check_readable(r, place, "ca_file", tls->ca_file);
	check_readable(r, place, "cert_file", tls->cert_file);
	check_readable(r, place, "key_file", tls->key_file);
}

#define SOURCE(MEMBER) offsetof(struct pf_credential_sources, MEMBER)

static void
read_basic(struct pf_reading *r, const struct pf_place *place, void *object)
{
	static const struct pf_field fields[] = {
	    {"username", PF_FIELD_STRING, SOURCE(username)},
	    {"password", PF_FIELD_STRING, SOURCE(password)},
	    {"password_file", PF_FIELD_PATH, SOURCE(password_file)},
	    {NULL},
	};
	struct pf_credential_sources *s = object;

	pf_fields_read(r, place, fields, s);
	if (!s->username)
		pf_problem(r, place, "no username");
	if (!s->password == !s->password_file)
		pf_problem(r, place, "give password_file (or password), one of them");
}

static void
read_authorization(struct pf_reading *r, const struct pf_place *place, void *object)
{
	static const struct pf_field fields[] = {
	    {"type", PF_FIELD_STRING, SOURCE(authorization_type)},
	    {"credentials", PF_FIELD_STRING, SOURCE(bearer_token)},
	    {"credentials_file", PF_FIELD_PATH, SOURCE(bearer_token_file)},
	    {NULL},
	};
	struct pf_credential_sources *s = object;

	pf_fields_read(r, place, fields, s);
	if (!s->bearer_token == !s->bearer_token_file)
		pf_problem(r, place, "give credentials_file (or credentials), one of them");
	if (s->authorization_type &&
	    strspn(s->authorization_type, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					  "0123456789-") != strlen(s->authorization_type))
		pf_problem(r, place, "type: one word, such as Bearer");
}

static void
read_proxy_url(struct pf_reading *r, const struct pf_place *place, void *object)
{
	struct pf_error err;
	struct pf_url *url;

	if (place->node->kind != PF_NODE_TEXT) {
		pf_problem(r, place, "expected the proxy's address");
		return;
	}
	if (strncmp(place->node->text, "socks5://", 9) != 0 &&
	    strncmp(place->node->text, "socks5h://", 10) != 0) {
		if (pf_url_parse(&url, place->node->text, &err))
			pf_problem(r, place, "%s", err.message);
		else
			pf_url_free(url);
	}
	*(const char **)object = place->node->text;
}

const struct pf_field pf_client_fields[] = {
    {"tls_config", PF_FIELD_CUSTOM, CLIENT(tls), .custom = read_tls},
    {"basic_auth", PF_FIELD_CUSTOM, CLIENT(sources), .custom = read_basic},
    {"authorization", PF_FIELD_CUSTOM, CLIENT(sources), .custom = read_authorization},
    {"bearer_token_file", PF_FIELD_PATH, CLIENT(sources.bearer_token_file)},
    {"headers", PF_FIELD_MAP, CLIENT(headers)},
    {"header_file", PF_FIELD_PATH, CLIENT(sources.header_file)},
    {"cookie", PF_FIELD_STRING, CLIENT(sources.cookie)},
    {"cookie_file", PF_FIELD_PATH, CLIENT(sources.cookie_file)},
    {"proxy_url", PF_FIELD_CUSTOM, CLIENT(proxy.url), .custom = read_proxy_url},
    {"no_proxy", PF_FIELD_STRING, CLIENT(proxy.no_proxy)},
    {"proxy_from_environment", PF_FIELD_BOOL, CLIENT(proxy.environment)},
    {"follow_redirects", PF_FIELD_BOOL, CLIENT(follow_redirects)},
    {NULL},
};

enum { MOST_FIELDS = 64 };

/* The lines that credentials take, out of the mapping. */
static void
write_headers(struct pf_reading *r, struct pf_client_config *c)
{
	const char **lines = pf_reading_get(r, (c->headers.count + 1) * sizeof *lines);

	for (size_t i = 0; lines && i < c->headers.count; i++) {
		const struct pf_pair *h = &c->headers.items[i];
		size_t size = strlen(h->name) + strlen(h->value) + sizeof ": ";
		char *line = pf_reading_get(r, size);
		if (!line)
			return;
		snprintf(line, size, "%s: %s", h->name, h->value);
		lines[i] = line;
	}
	c->sources.headers = lines;
	c->sources.header_count = lines ? c->headers.count : 0;
}

void
pf_client_read(struct pf_reading *r, const struct pf_place *place, const struct pf_field *own,
    void *object, size_t offset)
{
	struct pf_field all[MOST_FIELDS] = {0};
	struct pf_client_config *c = (struct pf_client_config *)((char *)object + offset);
	size_t count = 0, before = r->problems->count;
	struct pf_error err;

	c->follow_redirects = true;
	for (; own->key; own++)
		all[count++] = *own;
	for (const struct pf_field *f = pf_client_fields; f->key; f++) {
		all[count] = *f;
		all[count++].offset += offset;
	}
	pf_fields_read(r, place, all, object);
	if (c->proxy.url && c->proxy.environment)
		pf_problem(r, place, "both proxy_url and proxy_from_environment; keep one");
	write_headers(r, c);
	if (r->problems->count == before && !r->problems->fatal && pf_client_load(c, &err))
		pf_problem(r, place, "%s", err.message);
}

int
pf_client_load(struct pf_client_config *c, struct pf_error *err)
{
	struct pf_credentials fresh = {0};
	int rc = pf_credentials_load(&fresh, &c->sources, err);

	if (rc)
		return rc;
	pf_credentials_release(&c->credentials);
	c->credentials = fresh;
	return 0;
}
