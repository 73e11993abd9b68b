/*
 * host_calls.c: threads that wait in system calls, ten functions deep; built with and without frame
 * pointers. Prints "ready" and sleeps until it is killed.
 */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/agent/burn.h"

static int
wait_in_poll(int fd)
{
	struct pollfd one = {.fd = fd, .events = POLLIN};

	return poll(&one, 1, -1);
}

static int
wait_in_epoll(int fd)
{
	struct epoll_event event = {.events = EPOLLIN};
	int epoll = epoll_create1(0);

	epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
	return epoll_wait(epoll, &event, 1, -1);
}

static int
wait_in_select(int fd)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(fd, &set);
	return select(fd + 1, &set, NULL, NULL, NULL);
}

static int
wait_in_fgets(int fd)
{
	char line[80];
	FILE *file = fdopen(fd, "r");

	return file && fgets(line, sizeof line, file);
}

/* One of them, from a frame with something in it. */
__attribute__((noinline)) static int
wait_for(int how)
{
	struct timespec long_time = {.tv_sec = 1000};
	volatile char room[200];
	char byte;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
		return 1;
	room[how] = 1;
	switch (how) {
	case 0:
		return read(fds[0], &byte, 1) < 0;
	case 1:
		return recv(fds[0], &byte, 1, 0) < 0;
	case 2:
		return wait_in_poll(fds[0]) + room[how];
	case 3:
		return wait_in_epoll(fds[0]) + room[how];
	case 4:
		return wait_in_select(fds[0]) + room[how];
	case 5:
		return wait_in_fgets(fds[0]) + room[how];
	case 6:
		return nanosleep(&long_time, NULL);
	default:
		return pause();
	}
}

enum { CALLS = 8 };

__attribute__((noinline)) static int
descend(int depth, int how)
{
	volatile long room[5];

	room[depth % 5] = depth;
	return (depth ? descend(depth - 1, how) : wait_for(how)) + (int)room[depth % 5];
}

__attribute__((noinline)) static void *
run(void *how)
{
	burn_sink += (uint64_t)descend(9, (int)(intptr_t)how);
	return NULL;
}

int
main(void)
{
	pthread_t thread;

	for (intptr_t i = 0; i < CALLS; i++)
		if (pthread_create(&thread, NULL, run, (void *)i))
			return 1;
	puts("ready");
	fflush(stdout);
	return descend(9, CALLS);
}
