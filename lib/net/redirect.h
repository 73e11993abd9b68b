/*
 * redirect.h: where an answer may send us, and what we take along.
 *
 * Policy only, no transfer: the one-shot loop and a loop over thousands of
 * transfers decide alike. Credentials and the client certificate stay with the
 * origin they were given for; once dropped they stay dropped, as a foreign
 * origin chose the rest of the way.
 */
#ifndef PF_NET_REDIRECT_H
#define PF_NET_REDIRECT_H

#include <stdbool.h>

#include "net/url.h"

struct pf_redirects {
	unsigned taken, most;
	bool foreign; /* the origin has changed on the way: no credentials from here on */
};

/* Whether this status sends a GET elsewhere: 301, 302, 303, 307, 308. */
bool pf_redirect_is(long status);

/*
 * Decides about one redirect from `from` to a server's `location` (NULL: none
 * given). *to is the new address, owned by the caller, and `state` is brought up
 * to date. PF_EIO: too many, https to http, an address that is none or carries
 * credentials.
 */
int pf_redirect_follow(struct pf_url **to, struct pf_redirects *state, const struct pf_url *from,
    const char *location, struct pf_error *err);

#endif
