/*
 * load_loop.h: the client's insides, shared by load_client.c (time) and what moves
 * requests: load_connection.c (sockets) or load_curl.c (libcurl).
 */
#ifndef PF_BENCH_LOAD_LOOP_H
#define PF_BENCH_LOAD_LOOP_H

#include "bench/load_client.h"
#include "bench/load_response.h"
#include "bench/load_schedule.h"

/* A request on its way. */
struct pf_flight {
	const struct pf_load_request *request;
	int64_t due, sent; /* absolute, monotonic ns; sent 0: not yet */
	bool measured;     /* due within the window */
	bool repeated;     /* this is the second attempt */
};

enum pf_connection_state {
	PF_CONNECTION_CLOSED,
	PF_CONNECTION_OPENING,
	PF_CONNECTION_IDLE,
	PF_CONNECTION_BUSY,
};

struct pf_connection {
	enum pf_connection_state state;
	int fd;
	bool wants_write; /* epoll is asked for EPOLLOUT too */
	bool has_flight;  /* opening ones may have one, busy ones have */
	bool used;        /* has answered before: it may turn out to have been closed */
	size_t written;
	struct pf_flight flight;
	struct pf_response response;
	uint32_t next_idle; /* in the loop's list of idle ones */
};

struct pf_loop {
	const struct pf_load *load;
	const struct pf_load_hooks *hooks;
	struct pf_load_result *result;
	struct pf_schedule schedule;
	int epoll, timer;
	int64_t armed;              /* what the timer is set to */
	int64_t now;                /* as of the last wake-up */
	int64_t start, window, end; /* of the schedule, the window; absolute ns */
	bool in_window, past_window;
	const struct pf_transport *transport;
	struct pf_curl *curl; /* load_curl.c's own; NULL with plain connections */
	struct pf_connection *connections;
	size_t open_count;              /* connections not closed */
	size_t in_flight;               /* requests with a connection */
	uint32_t idle_first, idle_last; /* first in, first out: all connections get their share */
	/* Requests that wait for a connection: a ring. */
	struct pf_flight *waiting;
	size_t waiting_first, waiting_count, waiting_capacity;
	int64_t window_began;
	size_t ticks; /* looks at timeouts within the window */
	char *buffer; /* for reading */
};

int64_t pf_loop_now(void);

/* A request's end: answered (response given), or failed in one of two ways. */
void pf_loop_answered(struct pf_loop *loop, const struct pf_flight *flight, unsigned status);
void pf_loop_failed(struct pf_loop *loop, const struct pf_flight *flight);
void pf_loop_timed_out(struct pf_loop *loop, const struct pf_flight *flight);
/* Something for a free connection to do. False when nothing waits. */
bool pf_loop_take_waiting(struct pf_loop *loop, struct pf_flight *flight);
/* PF_ENOMEM, with the flight still the caller's. */
int pf_loop_wait_in_line(
    struct pf_loop *loop, const struct pf_flight *flight, struct pf_error *err);

/* What moves requests. */
struct pf_transport {
	/* Opens what the load may use. PF_ENOMEM, PF_EIO. */
	int (*open)(struct pf_loop *loop, struct pf_error *err);
	/* Takes a flight; false when as many as allowed are on their way. */
	bool (*send)(struct pf_loop *loop, const struct pf_flight *flight);
	/* epoll has `events` for what was registered with this number. */
	void (*event)(struct pf_loop *loop, uint64_t number, uint32_t events);
	/* When it wants to be called without an event, absolute ns; may be NULL. */
	int64_t (*wakes)(const struct pf_loop *loop);
	void (*woken)(struct pf_loop *loop);
	/* Fails what was due before `due`, and closes its connections. */
	void (*expire)(struct pf_loop *loop, int64_t due);
	void (*close)(struct pf_loop *loop);
};
extern const struct pf_transport pf_transport_plain, pf_transport_curl;

#endif
