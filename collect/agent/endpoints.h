/*
 * endpoints.h: what is answered to which path under /debug/pprof/.
 */
#ifndef PF_AGENT_ENDPOINTS_H
#define PF_AGENT_ENDPOINTS_H

#include "collect/agent/config.h"
#include "collect/agent/http.h"
#include "collect/agent/profiles.h"

/*
 * Answers a request into `out`. Returns 0, or the seconds after which a profile
 * is due that has just been begun (nothing is written then).
 */
int pf_endpoint_answer(const struct pf_config *config, const struct pf_request *request,
    struct pf_buffer *out, struct pf_pending *pending);

/* Ends the profile that an endpoint has begun and writes it, or without `out` drops it. */
void pf_endpoint_finish(
    const struct pf_request *request, struct pf_pending *pending, struct pf_buffer *out);

/* The profile of an open window, compressed; 0 or a negative errno. */
int pf_endpoint_collect(int window, struct pf_buffer *out);

#endif
