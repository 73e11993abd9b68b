/*
 * url.h: addresses of what we fetch, parsed by libcurl's own parser.
 *
 * The same parser judges an address and later fetches it, so the two can't
 * disagree about which host is meant. Only http and https exist here, never a
 * user name or password: those come from files (see credentials.h), as an
 * address ends up in process lists and logs.
 */
#ifndef PF_NET_URL_H
#define PF_NET_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pf_error;
struct pf_url;

/*
 * *url is a new absolute address, to be freed by the caller. PF_EUSAGE: not an
 * absolute http or https address, or one with credentials (which the message
 * never repeats); PF_ENOMEM.
 */
int pf_url_parse(struct pf_url **url, const char *text, struct pf_error *err);

/* A server's Location seen from `base`: *url is a new address. PF_EIO where pf_url_parse says PF_EUSAGE. */
int pf_url_resolve(
    struct pf_url **url, const struct pf_url *base, const char *location, struct pf_error *err);

void pf_url_free(struct pf_url *url);

/* Strings stay the url's, until it changes. The host of an IPv6 address is in brackets. */
const char *pf_url_host(const struct pf_url *url);
unsigned pf_url_port(const struct pf_url *url);
const char *pf_url_path(const struct pf_url *url);
bool pf_url_is_https(const struct pf_url *url);

/* Whether it names this machine literally: localhost, 127.x.y.z or [::1]. */
bool pf_url_is_loopback(const struct pf_url *url);

/* The whole address, for libcurl and nobody else: its query may hold a secret. */
const char *pf_url_text(const struct pf_url *url);

/* The address for messages and reports: query values other than numbers are "...". */
const char *pf_url_display(const struct pf_url *url);

/* Same scheme, host and port: what credentials are bound to. */
bool pf_url_same_origin(const struct pf_url *a, const struct pf_url *b);

/* Sets the path ("/x/y"); adds "name=value" to the query. 0 or PF_ENOMEM. */
int pf_url_set_path(struct pf_url *url, const char *path, struct pf_error *err);
int pf_url_add_query(struct pf_url *url, const char *name, uint64_t value, struct pf_error *err);

/* The raw value of a query parameter, `*size` bytes of it; NULL: not there. */
const char *pf_url_query(const struct pf_url *url, const char *name, size_t *size);

#endif
