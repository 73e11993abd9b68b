/* load_probe.c: see load_probe.h. */
#include "bench/load_probe.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "bench/load_curl.h"
#include "bench/load_response.h"
#include "bench/run.h"

enum { PATIENCE_MS = 1000 };

/* A blocking socket, connected; -1 with errno. */
static int
connect_to(const struct addrinfo *a)
{
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};

	if (fd < 0)
		return -1;
	/* The send timeout bounds connect() as well. */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (connect(fd, a->ai_addr, a->ai_addrlen)) {
		int saved = errno == EINPROGRESS ? ETIMEDOUT : errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

/* True for a 2xx within the patience, all of it. */
static bool
ask(int fd, const struct pf_load_request *request, char reason[PF_PROBE_REASON])
{
	double end = pf_run_now() + PATIENCE_MS / 1000.0;
	struct pf_response response;
	char bytes[16384];

	pf_response_begin(&response, request->head);
	if (send(fd, request->bytes, request->size, MSG_NOSIGNAL) != (ssize_t)request->size) {
		snprintf(reason, PF_PROBE_REASON, "it takes no request: %s", strerror(errno));
		return false;
	}
	while (!response.complete && pf_run_now() < end) {
		ssize_t n = recv(fd, bytes, sizeof bytes, 0);
		if (n < 0 || !pf_response_take(&response, bytes, (size_t)n)) {
			snprintf(reason, PF_PROBE_REASON,
			    n < 0 ? "no answer: %s" : "its answer is not HTTP, or broke off%s",
			    n < 0 ? strerror(errno == EAGAIN ? ETIMEDOUT : errno) : "");
			return false;
		}
	}
	snprintf(reason, PF_PROBE_REASON,
	    response.complete ? "status %u" : "an answer that does not end",
	    pf_response_status(&response));
	return response.complete && pf_response_status(&response) / 100 == 2;
}

bool
pf_probe_ready(struct pf_load *load, char reason[PF_PROBE_REASON])
{
	if (load->tls || load->http2)
		return pf_curl_ask(load, &load->ready, PATIENCE_MS, reason, PF_PROBE_REASON);
	for (const struct addrinfo *a = load->addresses; a; a = a->ai_next) {
		int fd = connect_to(a);
		bool good;

		if (fd < 0) {
			snprintf(reason, PF_PROBE_REASON, "%s", strerror(errno));
			continue;
		}
		good = ask(fd, &load->ready, reason);
		close(fd);
		if (good) {
			load->address = a;
			return true;
		}
	}
	return false;
}

bool
pf_probe_port_taken(const struct pf_load *load)
{
	bool taken = false;

	for (const struct addrinfo *a = load->addresses; a && !taken; a = a->ai_next) {
		int fd = connect_to(a);
		taken = fd >= 0;
		if (taken)
			close(fd);
	}
	return taken;
}
