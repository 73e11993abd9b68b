/* redirect.c: see redirect.h. */
#include "net/redirect.h"

#include <stddef.h>

#include "core/error.h"

bool
pf_redirect_is(long status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

int
pf_redirect_follow(struct pf_url **to, struct pf_redirects *state, const struct pf_url *from,
    const char *location, struct pf_error *err)
{
	int rc;

	*to = NULL;
	if (!location)
		return pf_error_set(
		    err, PF_EIO, "%s: redirected without saying where to", pf_url_display(from));
	if (state->taken >= state->most)
		return pf_error_set(err, PF_EIO,
		    "%s: redirected once more after %u redirects; --max-redirects "
		    "allows more, or give the final address",
		    pf_url_display(from), state->taken);
	rc = pf_url_resolve(to, from, location, err);
	if (rc) {
		pf_error_prefix(
		    err, "%s: redirected to an address we don't follow", pf_url_display(from));
		return rc;
	}
	if (pf_url_is_https(from) && !pf_url_is_https(*to)) {
		rc = pf_error_set(err, PF_EIO,
		    "%s: redirected from https to plain http at %s, which is refused; "
		    "give that address yourself if it is the right one",
		    pf_url_display(from), pf_url_display(*to));
		pf_url_free(*to);
		*to = NULL;
		return rc;
	}
	state->taken++;
	if (!pf_url_same_origin(from, *to))
		state->foreign = true;
	return 0;
}
