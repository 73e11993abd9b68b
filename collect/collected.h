/*
 * collected.h: what a collection hands over, and the check that makes it worth handing over.
 *
 * Invariant of a handle that a caller sees: bytes are gzip, and profile is what
 * they decode to.
 */
#ifndef PF_COLLECT_COLLECTED_H
#define PF_COLLECT_COLLECTED_H

#include <profuse/collect.h>

#include "core/sha256.h"
#include "net/http.h"

struct pf_collected {
	struct pf_buffer bytes;
	struct pf_profile *profile;
	char *source;
	char type[32];
	uint32_t seconds;
	unsigned attempts, redirects;
	char sha256[PF_SHA256_HEX]; /* filled by pf_collect() */
};

/*
 * Takes the body of a 200 into a zeroed struct if it is a valid profile: the
 * server's own bytes where they are gzip, else compressed. PF_EINPUT: no profile.
 */
int pf_collected_take(struct pf_collected *c, struct pf_http_result *result,
    const struct pf_read_options *options, struct pf_error *err);

/* Releases what is in it. */
void pf_collected_clear(struct pf_collected *c);

#endif
