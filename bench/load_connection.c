/*
 * load_connection.c: the client's connections: open, write, read, use again.
 *
 * A connection that the service closed while it was kept is no failure: a
 * repeatable request that met it is sent once more on another one.
 */
#include "bench/load_loop.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/index.h"
#include "core/memory.h"

enum { READ_SIZE = 65536 };

static void send_or_open(struct pf_loop *loop, struct pf_connection *c);

static uint32_t
number_of(const struct pf_loop *loop, const struct pf_connection *c)
{
	return (uint32_t)(c - loop->connections);
}

static void
push_idle(struct pf_loop *loop, struct pf_connection *c)
{
	c->state = PF_CONNECTION_IDLE;
	c->next_idle = PF_NONE;
	if (loop->idle_first == PF_NONE)
		loop->idle_first = number_of(loop, c);
	else
		loop->connections[loop->idle_last].next_idle = number_of(loop, c);
	loop->idle_last = number_of(loop, c);
}

static struct pf_connection *
pop_idle(struct pf_loop *loop)
{
	struct pf_connection *c;

	if (loop->idle_first == PF_NONE)
		return NULL;
	c = &loop->connections[loop->idle_first];
	loop->idle_first = c->next_idle;
	return c;
}

/* An idle connection that goes away: rare, so a walk is fine. */
static void
unlink_idle(struct pf_loop *loop, const struct pf_connection *c)
{
	uint32_t *at = &loop->idle_first, before = PF_NONE;

	while (*at != number_of(loop, c)) {
		before = *at;
		at = &loop->connections[*at].next_idle;
	}
	*at = c->next_idle;
	if (loop->idle_last == number_of(loop, c))
		loop->idle_last = before;
}

static void
close_connection(struct pf_loop *loop, struct pf_connection *c)
{
	if (c->state == PF_CONNECTION_CLOSED)
		return;
	if (c->state == PF_CONNECTION_IDLE)
		unlink_idle(loop, c);
	close(c->fd);
	c->state = PF_CONNECTION_CLOSED;
	c->wants_write = false;
	loop->open_count--;
}

/* Takes the flight away from its connection. */
static struct pf_flight
take_flight(struct pf_loop *loop, struct pf_connection *c)
{
	c->has_flight = false;
	loop->in_flight--;
	return c->flight;
}

/* A closed connection's place is free: it takes what waits longest. */
static void
reuse_place(struct pf_loop *loop, struct pf_connection *c)
{
	if (!pf_loop_take_waiting(loop, &c->flight))
		return;
	c->has_flight = true;
	loop->in_flight++;
	send_or_open(loop, c);
}

/* The connection broke. Its request gets a second chance where that can do no harm. */
static void
lose(struct pf_loop *loop, struct pf_connection *c)
{
	bool second_chance = c->used && !c->response.begun;
	bool had = c->has_flight;
	struct pf_flight flight;

	close_connection(loop, c);
	if (!had)
		return;
	flight = take_flight(loop, c);
	if (!second_chance || !flight.request->repeatable || flight.repeated) {
		pf_loop_failed(loop, &flight);
		reuse_place(loop, c);
		return;
	}
	flight.repeated = true;
	flight.sent = 0;
	loop->result->repeated += flight.measured;
	c->flight = flight;
	c->has_flight = true;
	loop->in_flight++;
	send_or_open(loop, c);
}

static void
watch_writing(struct pf_loop *loop, struct pf_connection *c, bool writing)
{
	struct epoll_event event = {
	    .events = writing ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.u64 = number_of(loop, c)};

	if (c->wants_write == writing)
		return;
	c->wants_write = writing;
	epoll_ctl(loop->epoll, EPOLL_CTL_MOD, c->fd, &event);
}

/* Starts connecting; false when not even that works. */
static bool
open_connection(struct pf_loop *loop, struct pf_connection *c)
{
	const struct addrinfo *a = loop->load->address;
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.u64 = number_of(loop, c)};
	int one = 1;

	c->fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return false;
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if ((connect(c->fd, a->ai_addr, a->ai_addrlen) && errno != EINPROGRESS) ||
	    epoll_ctl(loop->epoll, EPOLL_CTL_ADD, c->fd, &event)) {
		close(c->fd);
		return false;
	}
	c->state = PF_CONNECTION_OPENING;
	c->wants_write = true;
	c->used = false;
	loop->open_count++;
	return true;
}

static void
write_more(struct pf_loop *loop, struct pf_connection *c)
{
	const struct pf_load_request *r = c->flight.request;
	ssize_t n = send(c->fd, r->bytes + c->written, r->size - c->written, MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		lose(loop, c);
		return;
	}
	if (n > 0)
		c->written += (size_t)n;
	watch_writing(loop, c, c->written < r->size);
}

static void
begin_request(struct pf_loop *loop, struct pf_connection *c)
{
	c->state = PF_CONNECTION_BUSY;
	c->written = 0;
	c->flight.sent = loop->now;
	pf_response_begin(&c->response, c->flight.request->head);
	write_more(loop, c);
}

/* With a flight on board: sends it if connected, else connects first. */
static void
send_or_open(struct pf_loop *loop, struct pf_connection *c)
{
	struct pf_flight flight;

	if (c->state == PF_CONNECTION_IDLE) {
		begin_request(loop, c);
		return;
	}
	if (open_connection(loop, c))
		return;
	flight = take_flight(loop, c);
	pf_loop_failed(loop, &flight);
}

static struct pf_connection *
find_closed(struct pf_loop *loop)
{
	if (loop->open_count == loop->load->connections)
		return NULL;
	for (size_t i = 0; i < loop->load->connections; i++) {
		struct pf_connection *c = &loop->connections[i];
		if (c->state == PF_CONNECTION_CLOSED && !c->has_flight)
			return c;
	}
	return NULL;
}

static bool
send_flight(struct pf_loop *loop, const struct pf_flight *flight)
{
	struct pf_connection *c = pop_idle(loop);

	if (!c)
		c = find_closed(loop);
	if (!c)
		return false;
	c->flight = *flight;
	c->has_flight = true;
	loop->in_flight++;
	send_or_open(loop, c);
	return true;
}

static int
open_all(struct pf_loop *loop, struct pf_error *err)
{
	int rc = PF_CALLOC(loop->connections, loop->load->connections, err);

	if (!rc)
		rc = PF_CALLOC(loop->buffer, READ_SIZE, err);
	for (size_t i = 0; !rc && i < loop->load->connections; i++)
		open_connection(loop, &loop->connections[i]);
	return rc;
}

/* The connection is free: it takes what waits longest, or rests. */
static void
serve_next(struct pf_loop *loop, struct pf_connection *c)
{
	if (!pf_loop_take_waiting(loop, &c->flight)) {
		watch_writing(loop, c, false);
		push_idle(loop, c);
		return;
	}
	c->has_flight = true;
	loop->in_flight++;
	begin_request(loop, c);
}

static void
finish_response(struct pf_loop *loop, struct pf_connection *c)
{
	bool reusable = c->response.keep_alive && c->written == c->flight.request->size;
	struct pf_flight flight = take_flight(loop, c);

	pf_loop_answered(loop, &flight, pf_response_status(&c->response));
	c->used = true;
	if (reusable) {
		serve_next(loop, c);
		return;
	}
	close_connection(loop, c);
	reuse_place(loop, c);
}

static void
read_more(struct pf_loop *loop, struct pf_connection *c)
{
	ssize_t n = recv(c->fd, loop->buffer, READ_SIZE, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (c->state != PF_CONNECTION_BUSY) {
		/* Bytes or an end that nobody asked for: this connection is of no use any more. */
		lose(loop, c);
		return;
	}
	if (n < 0 || !pf_response_take(&c->response, loop->buffer, (size_t)n))
		lose(loop, c);
	else if (c->response.complete)
		finish_response(loop, c);
}

static void
finish_opening(struct pf_loop *loop, struct pf_connection *c)
{
	int error = 0;
	socklen_t size = sizeof error;

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size) || error) {
		lose(loop, c);
		return;
	}
	if (c->has_flight)
		begin_request(loop, c);
	else
		serve_next(loop, c);
}

static void
take_event(struct pf_loop *loop, uint64_t number, uint32_t events)
{
	struct pf_connection *c = &loop->connections[number];

	if (c->state == PF_CONNECTION_CLOSED)
		return;
	if (c->state == PF_CONNECTION_OPENING) {
		finish_opening(loop, c);
		return;
	}
	if (events & (EPOLLIN | EPOLLERR | EPOLLHUP))
		read_more(loop, c);
	if (events & EPOLLOUT && c->state == PF_CONNECTION_BUSY &&
	    c->written < c->flight.request->size)
		write_more(loop, c);
}

static void
expire_flights(struct pf_loop *loop, int64_t due)
{
	for (size_t i = 0; i < loop->load->connections; i++) {
		struct pf_connection *c = &loop->connections[i];
		struct pf_flight flight;

		if (!c->has_flight || c->flight.due > due)
			continue;
		flight = take_flight(loop, c);
		close_connection(loop, c);
		pf_loop_timed_out(loop, &flight);
	}
}

static void
close_all(struct pf_loop *loop)
{
	for (size_t i = 0; loop->connections && i < loop->load->connections; i++)
		close_connection(loop, &loop->connections[i]);
	free(loop->connections);
	free(loop->buffer);
	loop->connections = NULL;
	loop->buffer = NULL;
}

const struct pf_transport pf_transport_plain = {
    .open = open_all,
    .send = send_flight,
    .event = take_event,
    .expire = expire_flights,
    .close = close_all,
};
