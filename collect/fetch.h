/*
 * fetch.h: one GET among many: redirects followed, limits kept, an ending told.
 *
 * The same policies as the one-shot client's (net/http.h), driven by the loop. A
 * request lies in whatever asked; it is told how it ended exactly once, unless
 * it is cancelled before.
 */
#ifndef PF_COLLECT_FETCH_H
#define PF_COLLECT_FETCH_H

#include "config.h"
#include "loop.h"
#include "net/http.h"
#include "net/redirect.h"

/* How a request, or what was made of its answer, ended. Order is that of pf_outcome_name(). */
enum pf_outcome {
	PF_OUTCOME_OK,
	PF_OUTCOME_DNS,
	PF_OUTCOME_CONNECT,
	PF_OUTCOME_TLS,
	PF_OUTCOME_TIMEOUT,
	PF_OUTCOME_STALLED,
	PF_OUTCOME_CUT,
	PF_OUTCOME_TOO_BIG,
	PF_OUTCOME_AUTH,
	PF_OUTCOME_ABSENT,
	PF_OUTCOME_BUSY,
	PF_OUTCOME_WRITE_TIMEOUT,
	PF_OUTCOME_HTTP,
	PF_OUTCOME_REDIRECT,
	PF_OUTCOME_NO_PROFILE,
	PF_OUTCOME_MEMORY,
	PF_OUTCOME_STORE,
	PF_OUTCOMES
};

const char *pf_outcome_name(enum pf_outcome outcome);

struct pf_fetches;

struct pf_fetch {
	struct pf_loop *loop;
	struct pf_fetches *all;
	const struct pf_client_config *client;
	struct pf_http_limits limits;
	struct pf_redirects redirects;
	struct pf_url *url; /* owned; of the transfer at hand */
	struct pf_transfer transfer;
	struct pf_fetch *next, *previous; /* of the running ones */
	bool running;
	double deadline;
	/*
	 * Told at the end: PF_OUTCOME_OK with the answer (whatever its status) in
	 * request->transfer.answer, which may be taken; or why there is none.
	 */
	void (*done)(struct pf_fetch *request, enum pf_outcome outcome, const struct pf_error *err);
};

/* What all requests share. */
struct pf_fetches {
	struct pf_loop *loop;
	struct pf_fetch *running;
	size_t count;
	struct pf_timer tick; /* looks for bodies that stall */
};

void pf_fetches_init(struct pf_fetches *all, struct pf_loop *loop);

/*
 * Starts; request is zeroed but for `done`. client and limits are borrowed; the url
 * is copied. PF_EIO, PF_ENOMEM: it did not start, and nothing will be told.
 */
int pf_fetch_start(struct pf_fetches *all, struct pf_fetch *request, const struct pf_url *url,
    const struct pf_client_config *client, const struct pf_http_limits *limits,
    struct pf_error *err);

/* Ends it, told or not, and gives back what it holds. A zeroed request may be released. */
void pf_fetch_release(struct pf_fetches *all, struct pf_fetch *request);

/* To be called for the loop's finished transfers. */
void pf_fetch_finished(CURL *easy, CURLcode result);

#endif
