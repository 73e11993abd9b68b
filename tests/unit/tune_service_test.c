/*
 * What a live service lacks is passed over, whatever is at its root; one that takes no connections any more has gone.
 * The service is a child process of this test; it has a heap profile and nothing else.
 */
#include <arpa/inet.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <profuse/collect.h>

#include "profile/encode.h"
#include "support/tuned.h"

struct behaviour {
	const char *root; /* what is answered there; "": the connection is closed */
	bool ends;        /* with the first question for threads */
	bool fails;       /* to give any heap profile but the first */
	bool hangs;       /* takes connections, and answers nothing */
	int expected;
	/* Of mutexes, since it began: what the first question is answered, and later ones; NULL: it has none. */
	const struct pf_buffer *first, *later;
};

static void
send_bytes(int fd, const struct pf_buffer *bytes)
{
	char head[200];
	int size = snprintf(head, sizeof head,
	    "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", bytes->size);

	send(fd, head, (size_t)size, MSG_NOSIGNAL);
	send(fd, bytes->bytes, bytes->size, MSG_NOSIGNAL);
}

static void
answer(int fd, int listener, const struct behaviour *b, const struct pf_buffer *heap)
{
	static const char none[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: "
				   "close\r\n\r\n";
	static int heaps, mutexes;
	char request[4096];
	ssize_t n = recv(fd, request, sizeof request - 1, 0);
	bool threads;

	request[n > 0 ? n : 0] = '\0';
	if (b->hangs)
		return;
	threads = strstr(request, "/threads") != NULL;
	heaps += strstr(request, "/heap?gc=1") != NULL;
	if (b->ends && threads)
		close(listener);
	if (strstr(request, "/heap?gc=1") && !(b->fails && heaps > 1)) {
		send_bytes(fd, heap);
	} else if (b->first && strstr(request, "/mutex")) {
		send_bytes(fd, mutexes++ ? b->later : b->first);
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
	assert_non_null(strstr(said, "no profile of: threads, mutex, block, cpu, frees"));
	assert_null(strstr(said, "heap"));
	assert_non_null(strstr(said, "404"));
}

static void
expect(struct pf_tune *tune, const struct behaviour *b)
{
	struct pf_collect_options options = PF_COLLECT_OPTIONS_INIT;
	struct pf_error err = {0};
	char base[64];
	unsigned port;
	pid_t service = start(b, &port);
	int rc;

	options.seconds = 1;
	options.timeout = b->hangs ? 3.5 : 0;
	snprintf(base, sizeof base, "http://127.0.0.1:%u", port);
	rc = pf_tune_add_service(tune, base, &options, &err);
	kill(service, SIGKILL);
	waitpid(service, NULL, 0);
	if (rc != b->expected)
		fail_msg("%d \"%s\"", rc, err.message);
	if (rc)
		assert_non_null(
		    strstr(err.message, b->hangs ? "no complete answer" : "the service went away"));
}

static void
expect_only(const struct behaviour *b)
{
	struct pf_tune *tune = new_tune();

	expect(tune, b);
	if (!b->expected) {
		expect_missing(tune);
		/* where there were more heap profiles than the first */
		assert_true(b->fails || tune->evidence.answered < 1);
		assert_true(!b->fails || isnan(tune->evidence.answered));
	}
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
		expect_only(&there[i]);
}

static void
what_takes_no_connections_has_gone(void **state)
{
	(void)state;
	expect_only(&(struct behaviour){.root = "", .ends = true, .expected = PF_EIO});
}

/* Its first silence is told, and not waited for again by all else that it might have had. */
static void
what_hangs_is_asked_once(void **state)
{
	time_t begun = time(NULL);
	(void)state;

	expect_only(&(struct behaviour){.hangs = true, .expected = PF_EIO});
	assert_true(time(NULL) - begun < 10);
}

static void
write_trace(const char *path, int cycles)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	for (int i = 1; i <= cycles; i++)
		fprintf(file,
		    "gc %d @%d.000s 14%%: 0.1+90+0.1 ms clock, 0.2+40/160/0+0.2 ms cpu, 90->95->50 "
		    "MB, "
		    "100 MB goal, 0 MB stacks, 0 MB globals, 2 P\n",
		    i, i);
	fclose(file);
}

/* What the service writes to its trace while it is looked at is read, too. */
static void
a_trace_is_read_to_its_end(void **state)
{
	char path[] = "/tmp/profuse-trace-XXXXXX";
	struct pf_tune *tune = new_tune();
	struct pf_error err = {0};
	int fd = mkstemp(path);
	(void)state;

	assert_true(fd >= 0);
	close(fd);
	write_trace(path, 4);
	assert_int_equal(pf_tune_add_file(tune, path, false, &err), 0);
	write_trace(path, 9);
	expect(tune, &(struct behaviour){.root = ""});
	assert_int_equal(tune->evidence.trace.count, 9);
	pf_tune_free(tune);
	unlink(path);
}

static void
a_snapshot_that_fails_is_passed_over(void **state)
{
	(void)state;
	expect_only(&(struct behaviour){.root = "", .fails = true});
}

/* The fixture's waiting at a lock, without a duration; of no program, as the heap is of another. */
static struct pf_buffer
waiting(int64_t times, int64_t part)
{
	struct pf_buffer bytes = read_fixture("tune/contended/mutex.pb.gz");
	struct pf_buffer out = {.maximum = 1 << 20};
	struct pf_error err = {0};
	struct pf_profile *p;

	assert_int_equal(pf_profile_parse(&p, "mutex", bytes.bytes, bytes.size, NULL, &err), 0);
	for (size_t i = 0; i < p->sample_count * p->type_count; i++)
		p->values[i] = p->values[i] * times / part;
	for (size_t i = 0; i < p->mapping_count; i++)
		p->mappings[i].filename = p->mappings[i].build_id = 0;
	p->duration_nanos = 0;
	assert_int_equal(pf_profile_encode(p, &out, &err), 0);
	pf_profile_free(p);
	pf_buffer_release(&bytes);
	return out;
}

/* What others waited since the service began is not told; what they wait while it is looked at is. */
static void
waiting_is_of_the_time_that_is_looked_at(void **state)
{
	static const struct {
		int64_t later; /* in hundredths of what the first question is answered */
		bool found, rate;
	} cases[] = {{200, true, true}, {100, false, false},
	    {90, true, false}}; /* began anew: since when, nobody says */
	struct pf_buffer first = waiting(1, 1);
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_buffer later = waiting(cases[i].later, 100);
		struct pf_tune *tune = new_tune();
		const struct pf_finding *finding;
		bool rate = false;

		expect(tune, &(struct behaviour){.root = "", .first = &first, .later = &later});
		run_tune(tune);
		finding = find_finding(tune, "lock-contention");
		assert_int_equal(finding != NULL, cases[i].found);
		for (size_t k = 0; finding && k < finding->number_count; k++)
			rate |= strcmp(pf_said(&tune->findings,
					   tune->findings.numbers[finding->first_number + k].name),
				    "waiting_on_average") == 0;
		assert_int_equal(rate, cases[i].rate);
		if (finding)
			assert_int_equal(finding->severity == PF_SEVERITY_LOW, !rate);
		pf_tune_free(tune);
		pf_buffer_release(&later);
	}
	pf_buffer_release(&first);
}

/* Nothing was blocked, or it is not recorded: that is no profile of locks that came later. */
static void
an_empty_block_profile_stands_in_no_mutexes_place(void **state)
{
	struct pf_buffer mutex = waiting(1, 1), block = {.maximum = 1 << 20};
	struct pf_tune *tune = new_tune();
	struct pf_error err = {0};
	struct pf_profile *p;
	(void)state;

	assert_int_equal(pf_profile_parse(&p, "mutex", mutex.bytes, mutex.size, NULL, &err), 0);
	p->sample_count = 0;
	assert_int_equal(pf_profile_encode(p, &block, &err), 0);
	pf_profile_free(p);
	assert_int_equal(pf_tune_add(tune, "mutex", mutex.bytes, mutex.size, false, &err), 0);
	assert_int_equal(
	    pf_tune_add(tune, "debug/pprof/block", block.bytes, block.size, false, &err), 0);
	run_tune(tune);
	assert_non_null(find_finding(tune, "lock-contention"));
	pf_tune_free(tune);
	pf_buffer_release(&mutex);
	pf_buffer_release(&block);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(whatever_is_at_its_root_it_is_there),
	    cmocka_unit_test(what_takes_no_connections_has_gone),
	    cmocka_unit_test(a_snapshot_that_fails_is_passed_over),
	    cmocka_unit_test(what_hangs_is_asked_once),
	    cmocka_unit_test(a_trace_is_read_to_its_end),
	    cmocka_unit_test(waiting_is_of_the_time_that_is_looked_at),
	    cmocka_unit_test(an_empty_block_profile_stands_in_no_mutexes_place),
	};

	unsetenv("http_proxy"); /* it is meant for the real network */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
