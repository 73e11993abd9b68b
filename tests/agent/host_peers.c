/*
 * host_peers.c: threads that wait in the same calls for different people: clients, servers, their own
 * process, and sockets of pairs, of which nobody can tell. Prints "ready" and sleeps until it is killed.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/agent/burn.h"

/* Both ends of a connection over loopback, in this order: the listener's, the accepted, the one that connected. */
static int
connect_tcp(int fd[3])
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof a;

	fd[0] = socket(AF_INET, SOCK_STREAM, 0);
	fd[2] = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(fd[0], (struct sockaddr *)&a, size) || listen(fd[0], 8) ||
	    getsockname(fd[0], (struct sockaddr *)&a, &size) ||
	    connect(fd[2], (struct sockaddr *)&a, size))
		return -1;
	fd[1] = accept(fd[0], NULL, NULL);
	return fd[1];
}

/* The same in the abstract namespace. */
static int
connect_local(int fd[3])
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	socklen_t size = offsetof(struct sockaddr_un, sun_path) + 1 +
			 (socklen_t)snprintf(
			     a.sun_path + 1, sizeof a.sun_path - 1, "host_peers-%d", (int)getpid());

	fd[0] = socket(AF_UNIX, SOCK_STREAM, 0);
	fd[2] = socket(AF_UNIX, SOCK_STREAM, 0);
	if (bind(fd[0], (struct sockaddr *)&a, size) || listen(fd[0], 8) ||
	    connect(fd[2], (struct sockaddr *)&a, size))
		return -1;
	fd[1] = accept(fd[0], NULL, NULL);
	return fd[1];
}

__attribute__((noinline)) static void
read_one(int fd)
{
	char bytes[8]; /* what an eventfd wants */

	burn_sink += (uint64_t)read(fd, bytes, sizeof bytes);
}

__attribute__((noinline)) static void
poll_two(int fd, int other)
{
	struct pollfd polled[] = {{.fd = fd, .events = POLLIN}, {.fd = other, .events = POLLIN}};

	burn_sink += (uint64_t)poll(polled, 2, -1);
}

static int tcp[3], told[3], local[3], jobs[2], pair[2], wake[2], event;
static int other_local[3], other_pair[2]; /* another process listens, or has made it */

static int
make_others(void *unused)
{
	(void)unused;
	return socketpair(AF_UNIX, SOCK_STREAM, 0, other_pair) || connect_local(other_local) < 0;
}

/* A server that has spoken since it was asked, by several of the kernel's ticks. */
static int
be_told(void)
{
	char byte = 0;

	if (connect_tcp(told) < 0 || write(told[2], &byte, 1) != 1)
		return -1;
	usleep(100000);
	return write(told[1], &byte, 1) == 1 && read(told[2], &byte, 1) == 1 ? 0 : -1;
}

/* By a process that shares this one's memory and descriptors, and ends. */
static int
have_others_made(void)
{
	static _Alignas(16) char stack[1 << 16];
	int status;
	pid_t other = clone(make_others, stack + sizeof stack,
	    CLONE_VM | CLONE_FILES | CLONE_VFORK | SIGCHLD, NULL);

	return other < 0 || waitpid(other, &status, 0) != other || status;
}

#define WAITER(NAME, CALL)                                        \
	__attribute__((noinline)) static void *NAME(void *unused) \
	{                                                         \
		CALL;                                             \
		burn_sink++;                                      \
		return unused;                                    \
	}

WAITER(of_client, read_one(tcp[1]))
WAITER(of_server, read_one(tcp[2]))
WAITER(of_publisher, read_one(told[2]))
WAITER(of_local_client, read_one(local[1]))
WAITER(of_jobs, read_one(jobs[0]))
WAITER(of_event, read_one(event))
WAITER(of_pair, read_one(pair[0]))
WAITER(of_other_pair, read_one(other_pair[0]))
WAITER(of_local_server, read_one(other_local[2]))
WAITER(of_newcomer, burn_sink += (uint64_t)accept(tcp[0], NULL, NULL))
WAITER(of_polled_server, poll_two(tcp[2], wake[0]))
WAITER(of_polled_client, poll_two(tcp[1], tcp[2]))

int
main(void)
{
	static void *(*const waiters[])(void *) = {of_client, of_server, of_publisher,
	    of_local_client, of_jobs, of_event, of_pair, of_other_pair, of_local_server,
	    of_newcomer, of_polled_server, of_polled_client};
	pthread_t thread;

	event = eventfd(0, 0);
	if (connect_tcp(tcp) < 0 || be_told() || connect_local(local) < 0 || pipe(jobs) ||
	    pipe(wake) || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) || event < 0 ||
	    have_others_made())
		return 1;
	for (size_t i = 0; i < sizeof waiters / sizeof *waiters; i++)
		if (pthread_create(&thread, NULL, waiters[i], NULL))
			return 1;
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
