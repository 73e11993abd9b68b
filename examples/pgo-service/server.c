/*
 * server.c: see server.h.
 *
 * A connection reads while it has nothing to send, and is not read from while a
 * client leaves its answers lying: what waits is bounded by the largest page.
 * Signals that end the loop are let in only while it waits.
 */
#define _GNU_SOURCE /* accept4 */
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "app.h"

#define MOST_CONNECTIONS 1024
#define MOST_WAITING_OUT ((size_t)16 << 20)
#define MOST_WAITING_IN (HTTP_MOST_HEAD + HTTP_MOST_BODY)
#define IDLE_SECONDS 60
#define READ_SIZE 16384

struct connection {
	struct connection *next, *previous;
	int fd;
	bool closing; /* once everything is sent */
	bool writing; /* epoll waits for room */
	size_t sent;
	time_t last_use;
	struct text in, out;
};

struct server {
	struct app *app;
	int epoll, listener;
	struct connection *connections;
	unsigned count;
	time_t now;
};

static volatile sig_atomic_t stopped;

static void
stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static void
close_connection(struct server *server, struct connection *connection)
{
	if (connection->previous)
		connection->previous->next = connection->next;
	else
		server->connections = connection->next;
	if (connection->next)
		connection->next->previous = connection->previous;
	server->count--;
	close(connection->fd);
	text_release(&connection->in);
	text_release(&connection->out);
	free(connection);
}

static bool
watch(struct server *server, struct connection *connection, bool writing)
{
	struct epoll_event event = {.events = writing ? EPOLLOUT : EPOLLIN, .data.ptr = connection};

	if (writing == connection->writing)
		return true;
	connection->writing = writing;
	return epoll_ctl(server->epoll, EPOLL_CTL_MOD, connection->fd, &event) == 0;
}

static void
accept_one(struct server *server)
{
	int fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct connection *connection;
	struct epoll_event event = {.events = EPOLLIN};

	if (fd < 0)
		return;
	connection = server->count < MOST_CONNECTIONS ? calloc(1, sizeof *connection) : NULL;
	event.data.ptr = connection;
	if (!connection || epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
		free(connection);
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	connection->fd = fd;
	connection->last_use = server->now;
	text_init(&connection->in, MOST_WAITING_IN);
	text_init(&connection->out, MOST_WAITING_OUT);
	connection->next = server->connections;
	if (connection->next)
		connection->next->previous = connection;
	server->connections = connection;
	server->count++;
}

/* False: the connection is to be closed. */
static bool
send_out(struct server *server, struct connection *connection)
{
	struct text *out = &connection->out;

	while (connection->sent < out->size) {
		ssize_t sent = send(connection->fd, out->bytes + connection->sent,
		    out->size - connection->sent, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return (errno == EAGAIN || errno == EWOULDBLOCK) &&
			       watch(server, connection, true);
		connection->sent += (size_t)sent;
	}
	text_clear(out);
	connection->sent = 0;
	return !connection->closing && watch(server, connection, false);
}

static bool
answer(struct server *server, struct connection *connection)
{
	struct text *in = &connection->in;
	size_t used = app_exchange(server->app, (struct slice){in->bytes, in->size},
	    &connection->out, &connection->closing);

	in->size -= used;
	if (used && in->size)
		memmove(in->bytes, in->bytes + used, in->size);
	if (connection->out.failed)
		return false;
	return send_out(server, connection);
}

static bool
receive(struct server *server, struct connection *connection)
{
	struct text *in = &connection->in;
	ssize_t size;

	if (!text_reserve(in, READ_SIZE) && in->size == in->capacity)
		return false;
	in->failed = false;
	size = recv(connection->fd, in->bytes + in->size, in->capacity - in->size, 0);
	if (size < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
	if (size == 0)
		return false;
	in->size += (size_t)size;
	return answer(server, connection);
}

static void
close_idle(struct server *server)
{
	struct connection *next;

	for (struct connection *c = server->connections; c; c = next) {
		next = c->next;
		if (server->now - c->last_use > IDLE_SECONDS)
			close_connection(server, c);
	}
}

static void
serve_event(struct server *server, const struct epoll_event *event)
{
	struct connection *connection = event->data.ptr;
	bool open;

	if (!connection) {
		accept_one(server);
		return;
	}
	connection->last_use = server->now;
	/* After what waited is sent, pipelined requests that came with it are answered. */
	if (connection->writing)
		open = send_out(server, connection) &&
		       (connection->writing || answer(server, connection));
	else
		open = receive(server, connection);
	if (!open)
		close_connection(server, connection);
}

static void
loop(struct server *server, const sigset_t *unblocked)
{
	struct epoll_event events[64];
	time_t swept = 0;

	while (!stopped) {
		int count = epoll_pwait(server->epoll, events, 64, 5000, unblocked);
		struct timespec now;

		clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
		server->now = now.tv_sec;
		for (int i = 0; i < count; i++)
			serve_event(server, &events[i]);
		if (server->now - swept >= 5) {
			close_idle(server);
			swept = server->now;
		}
	}
	while (server->connections)
		close_connection(server, server->connections);
}

static int
listen_on(const char *host, uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd;

	if (inet_pton(AF_INET, host, &address.sin_addr) != 1) {
		errno = EINVAL;
		return -1;
	}
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 512) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* SIGTERM and SIGINT come only while epoll waits: no race between the check and the wait. */
static void
take_signals(sigset_t *unblocked)
{
	struct sigaction action = {.sa_handler = stop};
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGINT);
	sigprocmask(SIG_BLOCK, &blocked, unblocked);
	sigdelset(unblocked, SIGTERM);
	sigdelset(unblocked, SIGINT);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
}

int
server_run(struct app *app, const char *host, uint16_t port)
{
	struct server server = {.app = app, .epoll = -1};
	struct epoll_event event = {.events = EPOLLIN};
	sigset_t unblocked;
	int status = 1;

	take_signals(&unblocked);
	server.listener = listen_on(host, port);
	if (server.listener < 0) {
		fprintf(stderr, "folio: cannot listen on %s:%u: %s\n", host, port, strerror(errno));
		return 1;
	}
	server.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (server.epoll < 0 ||
	    epoll_ctl(server.epoll, EPOLL_CTL_ADD, server.listener, &event) < 0) {
		fprintf(stderr, "folio: epoll: %s\n", strerror(errno));
	} else {
		fprintf(stderr, "folio: listening on http://%s:%u\n", host, port);
		loop(&server, &unblocked);
		status = 0;
	}
	if (server.epoll >= 0)
		close(server.epoll);
	close(server.listener);
	return status;
}
