/*
 * What a live service lacks is passed over, whatever is at its root; one that takes no connections any more has gone.
 * The service is a child process of this test; it has a heap profile and nothing else.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <profuse/collect.h>

#include "support/tuned.h"

struct behaviour {
	const char *root; /* what is answered there; "": the connection is closed */
	bool ends;        /* with the first question for threads */
	bool fails;       /* to give any heap profile but the first */
	int expected;
};

static void
answer(int fd, int listener, const struct behaviour *b, const struct pf_buffer *heap)
{
	static const char none[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: "
				   "close\r\n\r\n";
	static int heaps;
	char request[4096], head[200];
	ssize_t n = recv(fd, request, sizeof request - 1, 0);
	bool threads;

	request[n > 0 ? n : 0] = '\0';
	threads = strstr(request, "/threads") != NULL;
	heaps += strstr(request, "/heap?gc=1") != NULL;
	if (b->ends && threads)
		close(listener);
	if (strstr(request, "/heap?gc=1") && !(b->fails && heaps > 1)) {
		int size = snprintf(head, sizeof head,
		    "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
		    heap->size);
		send(fd, head, (size_t)size, MSG_NOSIGNAL);
		send(fd, heap->bytes, heap->size, MSG_NOSIGNAL);
	} else if (strncmp(request, "GET / ", 6) == 0) {
		send(fd, b->root, strlen(b->root), MSG_NOSIGNAL);
	} else {
		send(fd, none, sizeof none - 1, MSG_NOSIGNAL);
	}
	shutdown(fd, SHUT_WR);
	while (recv(fd, request, sizeof request, 0) > 0)
		continue;
	close(fd);
	if (b->ends && threads)
		_exit(0);
}

static pid_t
start(const struct behaviour *b, unsigned *port)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct pf_buffer heap = read_fixture("tune/pages/heap.pb.gz");
	socklen_t size = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	pid_t service;

	assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(listener, 16), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	*port = ntohs(address.sin_port);
	service = fork();
	if (service == 0) {
		alarm(60);
		for (;;)
			answer(accept(listener, NULL, NULL), listener, b, &heap);
	}
	assert_true(service > 0);
	close(listener);
	pf_buffer_release(&heap);
	return service;
}

/* There was a heap, and of nothing else can be said that all is well. */
static void
expect_missing(struct pf_tune *tune)
{
	const char *said;

	run_tune(tune);
	said = pf_strings_get(&tune->unjudged, 1);
	assert_non_null(strstr(said, "no profile of: threads, cpu, mutex, block, frees"));
	assert_null(strstr(said, "heap"));
	assert_non_null(strstr(said, "404"));
}

static void
expect(const struct behaviour *b)
{
	struct pf_collect_options options = PF_COLLECT_OPTIONS_INIT;
	struct pf_tune *tune = new_tune();
	struct pf_error err = {0};
	char base[64];
	unsigned port;
	pid_t service = start(b, &port);
	int rc;

	options.seconds = 1;
	snprintf(base, sizeof base, "http://127.0.0.1:%u", port);
	rc = pf_tune_add_service(tune, base, &options, &err);
	kill(service, SIGKILL);
	waitpid(service, NULL, 0);
	if (rc != b->expected)
		fail_msg("%d \"%s\"", rc, err.message);
	if (rc)
		assert_non_null(strstr(err.message, "the service went away"));
	else
		expect_missing(tune);
	pf_tune_free(tune);
}

static void
whatever_is_at_its_root_it_is_there(void **state)
{
	static const struct behaviour there[] = {
	    {.root = ""},
	    {.root = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n"
		     "Connection: close\r\n\r\n"},
	};
	(void)state;

	for (size_t i = 0; i < sizeof there / sizeof *there; i++)
		expect(&there[i]);
}

static void
what_takes_no_connections_has_gone(void **state)
{
	(void)state;
	expect(&(struct behaviour){.root = "", .ends = true, .expected = PF_EIO});
}

static void
a_snapshot_that_fails_is_passed_over(void **state)
{
	(void)state;
	expect(&(struct behaviour){.root = "", .fails = true});
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(whatever_is_at_its_root_it_is_there),
	    cmocka_unit_test(what_takes_no_connections_has_gone),
	    cmocka_unit_test(a_snapshot_that_fails_is_passed_over),
	};

	unsetenv("http_proxy"); /* it is meant for the real network */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
