/*
 * load_response.h: an HTTP/1.1 answer as it trickles in: its status and its
 * end. The body is counted and thrown away.
 */
#ifndef PF_BENCH_LOAD_RESPONSE_H
#define PF_BENCH_LOAD_RESPONSE_H

#include <http_parser.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PF_RESPONSE_MAXIMUM ((uint64_t)1 << 30)

struct pf_response {
	http_parser parser;
	bool head;  /* it answers a HEAD: no body follows */
	bool begun; /* some byte has come */
	bool complete;
	bool keep_alive; /* once complete: the connection may be used again */
	uint64_t body;   /* bytes so far */
};

/* Ready for the next answer. */
void pf_response_begin(struct pf_response *response, bool head);

/*
 * Takes bytes as they came; size 0 is the end of the connection. False when
 * they are no HTTP, too much, or go on after the end.
 */
bool pf_response_take(struct pf_response *response, const char *bytes, size_t size);

static inline unsigned
pf_response_status(const struct pf_response *response)
{
	return response->parser.status_code;
}

#endif
