/*
 * credentials.h: who we say we are.
 *
 * Secrets come from files or the environment, are wiped when let go, appear in
 * no message, and go only to the origin (scheme, host, port) that they were
 * given for: see redirect.h.
 */
#ifndef PF_NET_CREDENTIALS_H
#define PF_NET_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>

struct pf_error;

/* Where to take them from; all may be NULL. A file beats the value of the same kind. */
struct pf_credential_sources {
	const char *bearer_token, *bearer_token_file;
	const char *username, *password, *password_file;
	const char *authorization_type; /* goes before the token instead of Bearer; or NULL */
	const char *cookie, *cookie_file;
	const char *header_file;    /* lines "Name: value"; empty lines and #comments skipped */
	const char *const *headers; /* such lines */
	size_t header_count;
};

struct pf_credentials {
	char *bearer;              /* owned, or NULL */
	char *username, *password; /* owned, both or neither */
	char **headers;            /* owned, each "Name: value" */
	size_t header_count, header_capacity;
};

/*
 * Fills a zeroed struct; empty on failure. PF_EUSAGE: two kinds at once, an
 * empty or malformed secret, a header that is not the caller's to set; PF_EIO:
 * an unreadable file; PF_ENOMEM.
 */
int pf_credentials_load(
    struct pf_credentials *c, const struct pf_credential_sources *from, struct pf_error *err);

/* Wipes and frees. */
void pf_credentials_release(struct pf_credentials *c);

static inline bool
pf_credentials_any(const struct pf_credentials *c)
{
	return c->bearer || c->username || c->header_count;
}

#endif
