/*
 * load_client.h: the open-loop client: one thread, epoll, a fixed schedule. It
 * speaks plain HTTP/1.1 itself; TLS and HTTP/2 through libcurl (load_curl.c).
 *
 * Each request is sent when its time comes, whatever became of those before:
 * on an idle connection, a new one, or, when all are busy, as soon as one is
 * free. Its latency counts from the time it was due, so waiting for a slow
 * service is never left out. No request is dropped: each is answered, failed or
 * timed out.
 */
#ifndef PF_BENCH_LOAD_CLIENT_H
#define PF_BENCH_LOAD_CLIENT_H

#include "bench/load.h"
#include "stats/histogram.h"

struct pf_error;

struct pf_load_result {
	/* Of the requests that were due in the measured window: */
	struct pf_histogram
	    latency; /* ns from when it was due to the answer's end; timed-out ones at their age */
	struct pf_histogram service; /* ns from when it was sent */
	struct pf_histogram lag;     /* ns from when it was due to when the client took it up */
	uint64_t requests;
	uint64_t answered;          /* with any status */
	uint64_t failed_status;     /* answered with 400 or above */
	uint64_t failed_connection; /* refused, reset, closed early, no HTTP */
	uint64_t timed_out;
	uint64_t repeated; /* sent again because a kept connection was closed; not failures */
	/* Of the window itself: */
	uint64_t completed; /* answers below 400 that ended within it */
	double seconds;
};

/* What happens around the load. Each returns 0 or ends the load with its code. */
struct pf_load_hooks {
	void *context;
	int (*window_begins)(void *context, struct pf_error *err);
	int (*window_ends)(void *context, struct pf_error *err);
	int (*watched)(void *context, struct pf_error *err); /* watch_fd became readable */
	void (*sampled)(void *context); /* about ten times a second within the window */
	int watch_fd, stop_fd;          /* or -1; stop_fd readable: PF_EINCONCLUSIVE */
};

int pf_load_result_init(struct pf_load_result *result, struct pf_error *err);
void pf_load_result_release(struct pf_load_result *result);

/*
 * Warm-up, window, and waiting for the last answers. The result is
 * added to (cleared by the caller). PF_EIO, PF_ENOMEM, or what a hook returned.
 */
int pf_load_run(const struct pf_load *load, uint64_t pair, const struct pf_load_hooks *hooks,
    struct pf_load_result *result, struct pf_error *err);

#endif
