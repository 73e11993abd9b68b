/*
 * load.c: keeps a service busy at a fixed rate while it is being profiled.
 *
 * Open loop: request i is due at start + i / rate, whatever the answers do, and
 * its latency counts from then. A fixed number of keep-alive connections takes
 * what is due; what finds none free waits. One thread, bounded by --seconds.
 * With --pid it says how much CPU the service used, by user and kernel.
 */
#define _GNU_SOURCE /* clock_gettime, ppoll */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "requests.h"

#define CONNECTIONS 16
#define READ_SIZE 65536
#define MOST_HEAD 4096
#define MOST_LATENCIES 4000000
#define LAST_ANSWERS 5.0 /* seconds to wait for, after the last request */

static const char usage[] =
    "usage: load --port N [--host ADDRESS] [--rate N] [--seconds N] [--pid PID] LIST\n"
    "Sends the requests of LIST (lines \"METHOD PATH [@BODY-FILE]\") over and over.\n";

struct settings {
	const char *host, *list;
	unsigned long port, rate, seconds, pid;
};

struct connection {
	int fd;
	bool busy;
	double due;  /* of the request under way */
	size_t left; /* bytes of the answer's body to come, once its head is read */
	bool head_read;
	size_t head_size;
	char head[MOST_HEAD + 1];
};

struct load {
	const struct settings *settings;
	struct request_list list;
	struct connection connections[CONNECTIONS];
	double start;
	unsigned long sent, answered, failed, total;
	float *latencies; /* seconds */
};

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int
open_connection(const struct settings *s)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)s->port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (inet_pton(AF_INET, s->host, &address.sin_addr) != 1 ||
	    connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
		close(fd);
		return -1;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	return fd;
}

static void
finish(struct load *load, struct connection *c, bool good)
{
	if (good && load->answered < MOST_LATENCIES)
		load->latencies[load->answered] = (float)(now() - c->due);
	load->answered += good;
	load->failed += !good;
	c->busy = false;
	c->head_read = false;
	c->head_size = 0;
}

/* The connection is lost, and with it its request. */
static void
give_up(struct load *load, struct connection *c)
{
	if (c->busy)
		finish(load, c, false);
	close(c->fd);
	c->fd = open_connection(load->settings);
}

static bool
send_all(int fd, struct slice bytes)
{
	while (bytes.size) {
		ssize_t sent = send(fd, bytes.at, bytes.size, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return false;
		bytes.at += sent;
		bytes.size -= (size_t)sent;
	}
	return true;
}

/* Sends whatever is due now; the seconds until the next is. */
static double
send_due(struct load *load)
{
	const struct settings *s = load->settings;

	for (size_t i = 0; i < CONNECTIONS; i++) {
		struct connection *c = &load->connections[i];
		double due = load->start + (double)load->sent / (double)s->rate;
		double wait = due - now();

		if (load->sent == load->total)
			return 1;
		if (wait > 0)
			return wait;
		if (c->busy || c->fd < 0)
			continue;
		c->busy = true;
		c->due = due;
		if (!send_all(c->fd, load->list.items[load->sent++ % load->list.count]))
			give_up(load, c);
	}
	return 1; /* all are busy: an answer wakes us */
}

/* The head is whole: its status and its body's length. */
static bool
read_head(struct connection *c, const char *end)
{
	static const char name[] = "\r\nContent-Length: ";
	const char *length = strcasestr(c->head, name);

	c->left = length && length < end ? strtoul(length + sizeof name - 1, NULL, 10) : 0;
	c->head_read = true;
	return c->head_size > 12 && c->head[9] == '2';
}

/* Takes what came; more than one answer's bytes is a failure, for none is pipelined. */
static bool
take(struct load *load, struct connection *c, const char *bytes, size_t size)
{
	while (!c->head_read && size) {
		const char *end;

		if (c->head_size == MOST_HEAD)
			return false;
		c->head[c->head_size++] = *bytes++;
		c->head[c->head_size] = 0;
		size--;
		end = c->head + c->head_size;
		if (c->head_size > 4 && !memcmp(end - 4, "\r\n\r\n", 4) && !read_head(c, end))
			return false;
	}
	if (size > c->left)
		return false;
	c->left -= size;
	if (c->head_read && c->left == 0)
		finish(load, c, true);
	return true;
}

static void
receive(struct load *load, struct connection *c)
{
	static char bytes[READ_SIZE];
	ssize_t size = recv(c->fd, bytes, sizeof bytes, MSG_DONTWAIT);

	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (size <= 0 || !c->busy || !take(load, c, bytes, (size_t)size))
		give_up(load, c);
}

static void
run(struct load *load)
{
	struct pollfd polls[CONNECTIONS];
	double end = load->start + (double)load->settings->seconds + LAST_ANSWERS;

	while (load->answered + load->failed < load->total && now() < end) {
		double wait = send_due(load);
		struct timespec timeout = {.tv_sec = (time_t)wait};

		timeout.tv_nsec = (long)((wait - (double)timeout.tv_sec) * 1e9);
		for (size_t i = 0; i < CONNECTIONS; i++)
			polls[i] = (struct pollfd){.fd = load->connections[i].fd, .events = POLLIN};
		if (ppoll(polls, CONNECTIONS, &timeout, NULL) <= 0)
			continue;
		for (size_t i = 0; i < CONNECTIONS; i++) {
			if (polls[i].revents)
				receive(load, &load->connections[i]);
		}
	}
}

/* Seconds of CPU of a process so far. False where there is no such process. */
static bool
read_cpu(unsigned long pid, double *user, double *kernel)
{
	char path[64], line[1024], *fields;
	unsigned long user_ticks, kernel_ticks;
	double tick = 1.0 / (double)sysconf(_SC_CLK_TCK);
	FILE *file;

	snprintf(path, sizeof path, "/proc/%lu/stat", pid);
	file = fopen(path, "r");
	fields = file && fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL;
	if (file)
		fclose(file);
	if (!fields || sscanf(fields + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
			   &user_ticks, &kernel_ticks) != 2)
		return false;
	*user = (double)user_ticks * tick;
	*kernel = (double)kernel_ticks * tick;
	return true;
}

static int
compare_latencies(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static void
report(const struct load *load, const double before[2])
{
	size_t count = load->answered < MOST_LATENCIES ? load->answered : MOST_LATENCIES;
	double seconds = now() - load->start, user, kernel;

	printf("%lu requests in %.1f s, %lu not answered with 2xx\n", load->answered + load->failed,
	    seconds, load->total - load->answered);
	if (count) {
		qsort(load->latencies, count, sizeof *load->latencies, compare_latencies);
		printf("latency p50 %.3f ms, p99 %.3f ms\n", load->latencies[count / 2] * 1e3,
		    load->latencies[count * 99 / 100] * 1e3);
	}
	if (load->answered && load->settings->pid &&
	    read_cpu(load->settings->pid, &user, &kernel)) {
		user -= before[0];
		kernel -= before[1];
		printf("CPU a request %.0f us user + %.0f us kernel, %.0f %% of a core\n",
		    user / (double)load->answered * 1e6, kernel / (double)load->answered * 1e6,
		    (user + kernel) / seconds * 100);
	}
}

static bool
parse_number(const char *text, unsigned long most, unsigned long *number)
{
	char *end;

	errno = 0;
	*number = strtoul(text, &end, 10);
	return !errno && end != text && !*end && *text != '-' && *number > 0 && *number <= most;
}

static bool
parse_arguments(int argc, char **argv, struct settings *s)
{
	*s = (struct settings){.host = "127.0.0.1", .rate = 1000, .seconds = 5};
	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";

		if (!strcmp(argv[i], "--host"))
			s->host = value;
		else if (!strcmp(argv[i], "--port") && parse_number(value, 65535, &s->port))
			;
		else if (!strcmp(argv[i], "--rate") && parse_number(value, 100000, &s->rate))
			;
		else if (!strcmp(argv[i], "--seconds") && parse_number(value, 3600, &s->seconds))
			;
		else if (!strcmp(argv[i], "--pid") && parse_number(value, 1ul << 30, &s->pid))
			;
		else if (argv[i][0] != '-' && !s->list) {
			s->list = argv[i];
			continue;
		} else
			return false;
		i++;
	}
	return s->list && s->port;
}

int
main(int argc, char **argv)
{
	static struct load load;
	struct settings settings;
	double cpu[2] = {0, 0};
	int status = 1;

	if (!parse_arguments(argc, argv, &settings)) {
		fputs(usage, stderr);
		return 2;
	}
	load.settings = &settings;
	load.total = settings.rate * settings.seconds;
	load.latencies = malloc(MOST_LATENCIES * sizeof *load.latencies);
	for (size_t i = 0; i < CONNECTIONS; i++)
		load.connections[i].fd = open_connection(&settings);
	if (load.connections[0].fd < 0) {
		fprintf(stderr, "load: cannot connect to %s:%lu: %s\n", settings.host,
		    settings.port, strerror(errno));
	} else if (load.latencies && request_list_load(&load.list, settings.list)) {
		if (settings.pid)
			read_cpu(settings.pid, &cpu[0], &cpu[1]);
		load.start = now();
		run(&load);
		report(&load, cpu);
		status = load.answered != load.total;
	}
	for (size_t i = 0; i < CONNECTIONS; i++) {
		if (load.connections[i].fd >= 0)
			close(load.connections[i].fd);
	}
	request_list_release(&load.list);
	free(load.latencies);
	return status;
}
