/*
 * test_server.c: a small HTTP/1.1 server for tests of bench: one thread, epoll.
 *
 *	test_server PORT [--work N] [--die-after N] [--status N] [--close-every N]
 *	            [--delay-start MS] [--stall-after N] [--fork] [--daemon] [--ignore-term] [--silent] [--leak]
 *
 * Every answer costs N rounds of arithmetic. It can die after N requests,
 * answer with another status (always 404 for /missing), close connections after N answers without
 * saying so, stop answering after N, listen late, leave the serving to a
 * forked child (with --daemon its parent ends), shrug off SIGTERM, take requests and never answer, or keep
 * connections that the client has closed.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS = 1024, REQUEST = 65536 };

struct connection {
	size_t have;
	unsigned long answers;
	char request[REQUEST];
};

static struct {
	unsigned long work, die_after, status, close_every, delay_start, stall_after;
	bool fork, daemon, ignore_term, silent, leak;
} how = {.status = 200};

static struct connection *connections[CONNECTIONS];
static volatile unsigned long sink;

static void
die(const char *what)
{
	fprintf(stderr, "test_server: %s: %s\n", what, strerror(errno));
	exit(3);
}

static int
listen_on(unsigned long port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) ||
	    bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 512))
		die("cannot listen");
	return fd;
}

/* The size of the first request, body and all, or 0 while it isn't whole. */
static size_t
request_size(const struct connection *c)
{
	const char *end = memmem(c->request, c->have, "\r\n\r\n", 4), *length;
	size_t size;

	if (!end)
		return 0;
	size = (size_t)(end - c->request) + 4;
	length = memmem(c->request, size, "Content-Length: ", 16);
	if (length)
		size += strtoul(length + 16, NULL, 10);
	return size <= c->have ? size : 0;
}

/* False when the connection is to be closed. */
static bool
answer(int fd, struct connection *c)
{
	static unsigned long served;
	char text[512];
	int size;

	if (how.silent || (how.stall_after && served >= how.stall_after))
		return true;
	for (unsigned long i = 0; i < how.work; i++)
		sink += sink * 31 + i;
	size = snprintf(text, sizeof text,
	    "HTTP/1.1 %lu Fine\r\nContent-Length: 6\r\nContent-Type: text/plain\r\n\r\nhello\n",
	    strstr(c->request, " /missing ") ? 404 : how.status);
	if (strncmp(c->request, "HEAD ", 5) == 0)
		size -= 6;
	if (send(fd, text, (size_t)size, MSG_NOSIGNAL) != size)
		return false;
	served++;
	c->answers++;
	if (how.die_after && served >= how.die_after) {
		fprintf(
		    stderr, "test_server: dying after %lu requests\nas it was told to\n", served);
		exit(7);
	}
	return !how.close_every || c->answers % how.close_every != 0;
}

static bool
serve(int fd, struct connection *c)
{
	ssize_t n = recv(fd, c->request + c->have, sizeof c->request - c->have, 0);
	size_t size;

	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	c->have += (size_t)n;
	while ((size = request_size(c)) > 0) {
		if (!answer(fd, c))
			return false;
		memmove(c->request, c->request + size, c->have - size);
		c->have -= size;
	}
	return c->have < sizeof c->request;
}

static void
accept_all(int epoll, int listener)
{
	int fd, one = 1;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
		if (fd >= CONNECTIONS || !(connections[fd] = calloc(1, sizeof *connections[fd]))) {
			close(fd);
			continue;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
	}
}

static void
loop(int listener)
{
	int epoll = epoll_create1(0);
	struct epoll_event events[64], event = {.events = EPOLLIN, .data.fd = listener};

	epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
	for (;;) {
		int n = epoll_wait(epoll, events, 64, -1);
		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;
			if (fd == listener) {
				accept_all(epoll, listener);
			} else if (!serve(fd, connections[fd])) {
				if (how.leak) {
					epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
					continue;
				}
				close(fd);
				free(connections[fd]);
				connections[fd] = NULL;
			}
		}
	}
}

static unsigned long *
number_named(const char *name)
{
	static const struct {
		const char *name;
		unsigned long *value;
	} all[] = {{"--work", &how.work}, {"--die-after", &how.die_after},
	    {"--status", &how.status}, {"--close-every", &how.close_every},
	    {"--delay-start", &how.delay_start}, {"--stall-after", &how.stall_after}};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		if (strcmp(all[i].name, name) == 0)
			return all[i].value;
	}
	fprintf(stderr, "test_server: no option %s\n", name);
	exit(2);
}

int
main(int argc, char **argv)
{
	if (argc < 2) {
		fputs("usage: test_server PORT [OPTION]...\n", stderr);
		return 2;
	}
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--fork") == 0)
			how.fork = true;
		else if (strcmp(argv[i], "--daemon") == 0)
			how.daemon = true;
		else if (strcmp(argv[i], "--ignore-term") == 0)
			how.ignore_term = true;
		else if (strcmp(argv[i], "--silent") == 0)
			how.silent = true;
		else if (strcmp(argv[i], "--leak") == 0)
			how.leak = true;
		else if (i + 1 < argc)
			*number_named(argv[i]) = strtoul(argv[i + 1], NULL, 10), i++;
	}
	if (how.ignore_term)
		signal(SIGTERM, SIG_IGN);
	usleep((useconds_t)how.delay_start * 1000);
	if (how.fork && fork() > 0)
		pause();
	if (how.daemon && fork() > 0)
		return 0;
	loop(listen_on(strtoul(argv[1], NULL, 10)));
}
