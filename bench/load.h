/*
 * load.h: what to send where, and how often: the same for every block.
 *
 * All URLs lead to one host and port, looked up once. Requests are complete
 * byte strings, built once. Nothing here changes after pf_load_new but the
 * address that was found to answer.
 */
#ifndef PF_BENCH_LOAD_H
#define PF_BENCH_LOAD_H

#include <profuse/bench.h>

#include <netdb.h>
#include <sys/socket.h>

struct pf_load_request {
	char *bytes; /* owned: head and body */
	size_t size, body_size;
	char *method, *path; /* owned: for those who make the head themselves (load_curl.c) */
	char **headers;      /* owned: this request's own, each */
	size_t header_count;
	bool head; /* HEAD: the answer has no body */
	bool
	    repeatable; /* GET or HEAD: may be sent again when a kept connection turns out closed */
	double weight;  /* > 0 */
};

/* A request of a recorded log. */
struct pf_load_record {
	double at;        /* seconds after the first one's time, at the speed asked for */
	uint32_t request; /* which */
	uint32_t line;    /* of the log, from 0: keeps its order within one time */
};

struct pf_load {
	char host[256], port[8];
	bool tls, http2, insecure;
	const char *ca_file; /* borrowed, or NULL */
	char **headers;      /* owned, each: of every request */
	size_t header_count, header_capacity;
	bool saturate; /* no schedule: each connection sends as soon as it has its answer */
	struct pf_load_record *records; /* owned: a replay's; NULL: arrivals by rate */
	size_t record_count, record_capacity;
	struct addrinfo *addresses;       /* owned */
	const struct addrinfo *address;   /* the one that answers; at first the first */
	struct pf_load_request *requests; /* owned; at least one */
	size_t count, capacity;
	bool even;                              /* all weights alike: requests are sent in turn */
	struct pf_load_request ready;           /* what asks whether the service is ready */
	double rate, duration, warmup, timeout; /* per second, seconds */
	size_t connections;
	bool poisson;
	uint64_t seed;
};

/*
 * `origin` ("http://HOST:PORT") replaces where the URLs lead, or is NULL. What
 * the options point at must outlive the load.
 * PF_EUSAGE for URLs, headers or numbers that make no sense; PF_EINPUT a bad file; PF_EIO; PF_ENOMEM.
 */
int pf_load_new(struct pf_load **load, const struct pf_bench_options *options, const char *origin,
    uint64_t seed, struct pf_error *err);
void pf_load_free(struct pf_load *load);

#endif
