/*
 * endpoint.h: from what the user names to the address of one profile.
 *
 * A base ("http://host:port", or any address that ends in "/") gets the profile's
 * path appended; any other address is one profile's own and is used as it is.
 */
#ifndef PF_COLLECT_ENDPOINT_H
#define PF_COLLECT_ENDPOINT_H

#include <stdint.h>

#include "net/url.h"

enum { PF_ENDPOINT_DEFAULT_SECONDS = 30, PF_ENDPOINT_MAX_SECONDS = 86400 };

struct pf_endpoint {
	struct pf_url *url;      /* owned */
	struct pf_url *fallback; /* owned; where the profile may be if not there; NULL: nowhere */
	char type[32];           /* cpu, heap, …, or the last part of a path that we don't know */
	uint32_t seconds;        /* the window the server will measure; 0: a snapshot */
};

/*
 * Fills a zeroed struct; empty on failure. `type` NULL: what the address says,
 * else cpu. `seconds` 0: the default of the type. PF_EUSAGE: not an address, an
 * unknown type, a type or window that contradicts the address; PF_ENOMEM.
 */
int pf_endpoint_init(struct pf_endpoint *e, const char *address, const char *type, uint32_t seconds,
    struct pf_error *err);
void pf_endpoint_release(struct pf_endpoint *e);

#endif
