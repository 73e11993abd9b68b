/* load_curl.h: one request of a load through libcurl, outside the load's own time. */
#ifndef PF_BENCH_LOAD_CURL_H
#define PF_BENCH_LOAD_CURL_H

#include "bench/load.h"

/* True for a 2xx within `patience_ms`; otherwise `reason` (size bytes) says why not. */
bool pf_curl_ask(const struct pf_load *load, const struct pf_load_request *request,
    long patience_ms, char *reason, size_t size);

#endif
