/* server.c: see server.h. */
#include "collect/agent/server.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "collect/agent/endpoints.h"
#include "collect/agent/files.h"
#include "collect/agent/host.h"
#include "collect/agent/http.h"

#define SECOND INT64_C(1000000000)
#define FORK_PAUSE (SECOND / 4)

enum {
	REQUEST_SECONDS = 5, /* for a request to arrive whole */
	ANSWER_SECONDS = 60, /* for an answer to be taken */
	BACKLOG = 16,
	MOST_ANSWER = 257 << 20,
	YOUNG_CHECKS = 10, /* seconds in which a host may still be closing descriptors */
	OLD_CHECK = 60,
};

enum stage { UNUSED = 0, READING, SAMPLING, SENDING };

struct connection {
	enum stage stage;
	struct pf_own_fd own;
	struct pf_buffer in, out;
	size_t sent;
	int64_t deadline;          /* SAMPLING: when the profile is due */
	struct pf_request request; /* its strings are in `in` */
	struct pf_pending pending; /* SAMPLING: what */
};

static struct {
	const struct pf_config *config;
	struct pf_own_fd listener;
	struct pf_announcement announcement;
	int64_t next_try, next_check;
	int checks;
	struct connection connections[PF_CONNECTIONS];
} server = {.listener = {.fd = -1}, .announcement = {.lock = {.fd = -1}}};

void
pf_server_init(const struct pf_config *config)
{
	memset(&server, 0, sizeof server);
	server.config = config;
	server.listener = PF_OWN_FD_NONE;
	server.announcement.lock = PF_OWN_FD_NONE;
}

static void
announce(void)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof address;

	if (*server.config->run_dir &&
	    !getsockname(server.listener.fd, (struct sockaddr *)&address, &size))
		pf_announce(
		    &server.announcement, server.config->run_dir, (struct sockaddr *)&address);
}

bool
pf_server_listens_at(int fd)
{
	return fd >= 0 && fd == server.listener.fd;
}

int
pf_server_listen(void)
{
	const struct pf_config *config = server.config;
	int one = 1, error;
	int fd = socket(config->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (config->address.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
	if (bind(fd, (const struct sockaddr *)&config->address, config->address_size) ||
	    listen(fd, BACKLOG)) {
		error = errno;
		close(fd);
		return -error;
	}
	server.listener = pf_own_fd_take(fd);
	if (server.listener.fd < 0)
		return -EMFILE;
	announce();
	return 0;
}

static void
drop(struct connection *c)
{
	if (c->stage == SAMPLING)
		pf_endpoint_finish(&c->request, &c->pending, NULL);
	pf_own_fd_close(&c->own);
	pf_buffer_release(&c->in);
	pf_buffer_release(&c->out);
	c->stage = UNUSED;
}

/* A free place, if need be that of the connection whose request has been missing longest. */
static struct connection *
place(void)
{
	struct connection *oldest = NULL;

	for (int i = 0; i < PF_CONNECTIONS; i++) {
		struct connection *c = &server.connections[i];
		if (c->stage == UNUSED)
			return c;
		if (c->stage == READING && (!oldest || c->deadline < oldest->deadline))
			oldest = c;
	}
	if (oldest)
		drop(oldest);
	return oldest;
}

static void
accept_all(int64_t now)
{
	for (int i = 0; i < BACKLOG && pf_own_fd_valid(&server.listener); i++) {
		struct connection *c;
		int fd = accept4(server.listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		c = place();
		if (!c) { /* all are being answered */
			close(fd);
			continue;
		}
		memset(c, 0, sizeof *c);
		c->own = pf_own_fd_take(fd);
		if (c->own.fd < 0)
			continue;
		c->stage = READING;
		c->deadline = now + REQUEST_SECONDS * SECOND;
		pf_buffer_init(&c->in, PF_REQUEST_MAX + 1);
		pf_buffer_init(&c->out, MOST_ANSWER);
	}
}

static void
send_some(struct connection *c)
{
	while (c->sent < c->out.size) {
		ssize_t n = send(c->own.fd, c->out.bytes + c->sent, c->out.size - c->sent,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			drop(c);
			return;
		}
		c->sent += (size_t)n;
	}
	/* Unread bytes of the request would turn our close into a reset: take what is there. */
	char rest[1024];
	shutdown(c->own.fd, SHUT_WR);
	for (int i = 0; i < 64 && recv(c->own.fd, rest, sizeof rest, MSG_DONTWAIT) > 0; i++)
		continue;
	drop(c);
}

static void
begin_sending(struct connection *c, int64_t now)
{
	if (c->out.failed) {
		drop(c);
		return;
	}
	c->stage = SENDING;
	c->deadline = now + ANSWER_SECONDS * SECOND;
	send_some(c);
}

static void
answer(struct connection *c, enum pf_parse parsed, int64_t now)
{
	int seconds = 0;

	if (parsed == PF_PARSE_BAD)
		pf_http_error(&c->out, NULL, 400, "400 Bad Request");
	else if (parsed == PF_PARSE_TOO_LARGE)
		pf_http_error(&c->out, NULL, 413, "the request is larger than 24 KiB");
	else
		seconds = pf_endpoint_answer(server.config, &c->request, &c->out, &c->pending);
	if (seconds > 0) {
		c->stage = SAMPLING;
		c->deadline = pf_host_now() + seconds * SECOND; /* arming threads took time */
	} else {
		begin_sending(c, now);
	}
}

static void
read_some(struct connection *c, int64_t now)
{
	size_t room = PF_REQUEST_MAX - c->in.size;
	enum pf_parse parsed;
	uint8_t *to;
	ssize_t n;

	if (room > 4096)
		room = 4096;
	to = pf_buffer_reserve(&c->in, room + 1);
	n = to ? recv(c->own.fd, to, room, MSG_DONTWAIT) : -1;
	if (n < 0 && to && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop(c);
		return;
	}
	c->in.size += (size_t)n;
	parsed = pf_http_parse(&c->request, (char *)c->in.bytes, c->in.size);
	if (parsed != PF_PARSE_MORE)
		answer(c, parsed, now);
}

static void
handle_connection(struct connection *c, short found, int64_t now)
{
	if (!pf_own_fd_valid(&c->own)) {
		drop(c); /* the host has closed it */
	} else if (c->stage == READING && found) {
		read_some(c, now);
	} else if (c->stage == SENDING && found) {
		send_some(c);
	} else if (c->stage == SAMPLING && found) {
		drop(c); /* the client has gone away */
	} else if (c->stage == SAMPLING && now >= c->deadline) {
		c->stage = SENDING; /* the window is closed below, whatever becomes of the answer */
		pf_endpoint_finish(&c->request, &c->pending, &c->out);
		begin_sending(c, now);
	} else if (c->stage == READING && now >= c->deadline) {
		pf_http_error(&c->out, NULL, 408, "the request took too long");
		begin_sending(c, now);
	} else if (c->stage == SENDING && now >= c->deadline) {
		drop(c);
	}
}

/* Opens the listener if there is none: the port was taken, or the host has closed our descriptor. */
static void
keep_listening(int64_t now, int64_t *wake)
{
	bool may_open = *server.config->run_dir && !pf_host_confined();

	if (now >= server.next_check && server.listener.fd >= 0) {
		if (!pf_own_fd_valid(&server.listener))
			server.listener = PF_OWN_FD_NONE;
		else if (may_open && server.announcement.lock.fd >= 0 &&
			 !pf_own_fd_valid(&server.announcement.lock))
			announce();
		if (may_open)
			pf_announce_clean(server.config->run_dir);
		server.next_check = now + (server.checks++ < YOUNG_CHECKS ? 1 : OLD_CHECK) * SECOND;
	}
	if (server.listener.fd < 0 && now >= server.next_try) {
		server.next_try = now + SECOND;
		pf_server_listen();
	}
	if (server.listener.fd < 0 && server.next_try < *wake)
		*wake = server.next_try;
	else if (server.listener.fd >= 0 && server.next_check < *wake)
		*wake = server.next_check;
}

size_t
pf_server_prepare(struct pollfd *fds, int64_t now, int64_t *wake)
{
	static const short events[] = {
	    [READING] = POLLIN, [SAMPLING] = POLLRDHUP, [SENDING] = POLLOUT};
	size_t n = 1;

	if (!server.config->listen)
		return 0;
	keep_listening(now, wake);
	fds[0] = (struct pollfd){.fd = server.listener.fd, .events = POLLIN};
	for (int i = 0; i < PF_CONNECTIONS; i++) {
		struct connection *c = &server.connections[i];
		if (c->stage == UNUSED)
			continue;
		fds[n++] = (struct pollfd){.fd = c->own.fd, .events = events[c->stage]};
		if (c->deadline < *wake)
			*wake = c->deadline;
	}
	return n;
}

/* What poll has said about a descriptor. */
static short
found_for(const struct pollfd *fds, size_t count, int fd)
{
	for (size_t i = 1; i < count; i++)
		if (fds[i].fd == fd)
			return fds[i].revents;
	return 0;
}

void
pf_server_handle(const struct pollfd *fds, size_t count, int64_t now)
{
	if (count == 0)
		return;
	for (int i = 0; i < PF_CONNECTIONS; i++) {
		struct connection *c = &server.connections[i];
		short found = c->stage == UNUSED ? 0 : found_for(fds, count, c->own.fd);
		if (found || (c->stage != UNUSED && now >= c->deadline))
			handle_connection(c, found, now);
	}
	if (fds[0].fd < 0 || !fds[0].revents)
		return;
	if (!pf_own_fd_valid(&server.listener))
		server.listener = PF_OWN_FD_NONE; /* closed by the host; tried anew at once */
	else
		accept_all(now);
}

/* By a connection to ourselves, which costs no descriptor that would have to be kept. */
void
pf_server_nudge(void)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof address;
	int fd;

	if (!pf_own_fd_valid(&server.listener) ||
	    getsockname(server.listener.fd, (struct sockaddr *)&address, &size))
		return;
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (connect(fd, (const struct sockaddr *)&address, size))
		errno =
		    0; /* in progress, or refused: the poll has something to say in either case */
	close(fd);
}

void
pf_server_close(void)
{
	for (int i = 0; i < PF_CONNECTIONS; i++)
		if (server.connections[i].stage != UNUSED)
			drop(&server.connections[i]);
	if (pf_host_confined()) { /* who looks next finds that it is nobody's */
		pf_announce_forked(&server.announcement);
	} else {
		pf_announce_end(&server.announcement);
		if (*server.config->run_dir) /* children that ended by _exit left theirs */
			pf_announce_clean(server.config->run_dir);
	}
	if (pf_own_fd_valid(&server.listener))
		shutdown(server.listener.fd, SHUT_RDWR); /* ends a poll, which close would not */
	pf_own_fd_close(&server.listener);
}

void
pf_server_forked(bool tidy)
{
	for (int i = 0; i < PF_CONNECTIONS; i++) {
		struct connection *c = &server.connections[i];
		if (c->stage == UNUSED)
			continue;
		pf_own_fd_close(&c->own);
		if (tidy) {
			pf_moment_release(&c->pending.base);
			pf_buffer_release(&c->in);
			pf_buffer_release(&c->out);
		}
	}
	pf_own_fd_close(&server.listener);
	pf_announce_forked(&server.announcement);
	pf_server_init(server.config);
	server.next_try = pf_host_now() + FORK_PAUSE; /* most children end or exec at once */
}
