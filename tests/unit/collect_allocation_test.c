/*
 * The N-th allocation fails during a whole collection, ours or libcurl's, for
 * every N until none does: a clear error or an unharmed profile, no crash,
 * nothing left allocated. The service is a child process of this test.
 */
#include "support/unit.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <curl/curl.h>
#include <profuse/collect.h>

#include "core/gzip.h"
#include "net/credentials.h"
#include "support/failing_malloc.h"
#include "support/sample_profile.h"

static char base[64];
static pid_t service;

/* libcurl's copy of a string has to come from the allocator that is counted. */
static char *
counted_strdup(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = malloc(size);

	return copy ? memcpy(copy, text, size) : NULL;
}

static void *
counted_malloc(size_t size)
{
	return malloc(size);
}

static void
counted_free(void *block)
{
	free(block);
}

static void *
counted_realloc(void *block, size_t size)
{
	return realloc(block, size);
}

static void *
counted_calloc(size_t n, size_t size)
{
	return calloc(n, size);
}

static void
answer(int fd, const struct pf_buffer *body)
{
	char request[4096], head[200];
	ssize_t n = recv(fd, request, sizeof request - 1, 0);
	int size;

	request[n > 0 ? n : 0] = '\0';
	if (strstr(request, "GET /moved/"))
		size = snprintf(head, sizeof head,
		    "HTTP/1.1 302 Found\r\nLocation: /debug/pprof/heap\r\nContent-Length: "
		    "0\r\nConnection: close\r\n\r\n");
	else
		size = snprintf(head, sizeof head,
		    "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
		    body->size);
	if (n > 0 && send(fd, head, (size_t)size, MSG_NOSIGNAL) == size && !strstr(head, "302"))
		send(fd, body->bytes, body->size, MSG_NOSIGNAL);
	shutdown(fd, SHUT_WR);
	while (recv(fd, request, sizeof request, 0) > 0)
		continue;
	close(fd);
}

static int
start_service(void **state)
{
	struct pf_buffer plain = {.maximum = 1 << 20}, body = {.maximum = 1 << 20};
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	(void)state;

	unsetenv("http_proxy"); /* it is meant for the real network */
	sample_profile(&plain, 0x10000, 1);
	if (pf_gzip_deflate(&body, plain.bytes, plain.size, 6, NULL) || listener < 0 ||
	    bind(listener, (struct sockaddr *)&address, size) || listen(listener, 16) ||
	    getsockname(listener, (struct sockaddr *)&address, &size))
		return -1;
	snprintf(base, sizeof base, "http://127.0.0.1:%u", ntohs(address.sin_port));
	service = fork();
	if (service == 0) {
		alarm(60);
		for (;;)
			answer(accept(listener, NULL, NULL), &body);
	}
	close(listener);
	pf_buffer_release(&plain);
	pf_buffer_release(&body);
	return service < 0 || curl_global_init_mem(CURL_GLOBAL_DEFAULT, counted_malloc,
				  counted_free, counted_realloc, counted_strdup, counted_calloc);
}

static int
stop_service(void **state)
{
	(void)state;
	kill(service, SIGKILL);
	waitpid(service, NULL, 0);
	return 0;
}

static int
collect_once(const char *address, struct pf_error *err)
{
	struct pf_collect_options o = PF_COLLECT_OPTIONS_INIT;
	struct pf_collected *c;
	int rc;

	o.type = strstr(address, "/moved/") ? NULL : "heap";
	o.username = "ann";
	o.password = "secret";
	rc = pf_collect(&c, address, &o, err);
	if (!rc) {
		assert_int_not_equal(pf_profile_sample_count(pf_collected_profile(c)), 0);
		assert_string_equal(strrchr(pf_collected_source(c), '/'), "/heap");
	} else {
		assert_null(c);
	}
	pf_collected_free(c);
	return rc;
}

/*
 * libcurl survives some of its own failures and words others as a lost
 * connection, so a failed collection is only asked for a sentence.
 */
static void
fail_each_allocation(const char *address)
{
	unsigned long n, refused = 0;

	for (n = 1; n < 10000; n++) {
		struct pf_error err = {0};
		int rc;

		failing_malloc_arm(n);
		rc = collect_once(address, &err);
		if (failing_malloc_live() != 0)
			fail_msg(
			    "allocation %lu failing leaks %ld blocks", n, failing_malloc_live());
		if (!failing_malloc_fired()) {
			if (rc)
				fail_msg("nothing failed, but: %s", err.message);
			break;
		}
		refused += rc == PF_ENOMEM;
		if (rc && (!err.message[0] || rc != err.code || (rc != PF_ENOMEM && rc != PF_EIO)))
			fail_msg("allocation %lu failing gives %d \"%s\"", n, rc, err.message);
	}
	failing_malloc_arm(0);
	assert_in_range(n, 50, 9999);
	assert_true(refused > n / 4);
}

static void
a_collection_survives_every_failed_allocation(void **state)
{
	(void)state;
	fail_each_allocation(base);
}

static void
a_redirected_collection_survives_every_failed_allocation(void **state)
{
	char address[100];
	(void)state;

	snprintf(address, sizeof address, "%s/moved/heap", base);
	fail_each_allocation(address);
}

static void
loading_credentials_survives_every_failed_allocation(void **state)
{
	static const char path[] = "/tmp/profuse-credentials-test";
	struct pf_credential_sources sources = {.bearer_token = "token", .header_file = path};
	FILE *f = fopen(path, "w");
	unsigned long n;
	(void)state;

	assert_non_null(f);
	fputs("X-One: 1\nX-Two: 2\n", f);
	fclose(f);
	for (n = 1; n < 100; n++) {
		struct pf_credentials c = {0};
		struct pf_error err = {0};
		int rc;

		failing_malloc_arm(n);
		rc = pf_credentials_load(&c, &sources, &err);
		pf_credentials_release(&c);
		assert_int_equal(failing_malloc_live(), 0);
		assert_int_equal(rc, failing_malloc_fired() ? PF_ENOMEM : 0);
		if (!failing_malloc_fired())
			break;
	}
	failing_malloc_arm(0);
	unlink(path);
	assert_in_range(n, 4, 99);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_collection_survives_every_failed_allocation),
	    cmocka_unit_test(a_redirected_collection_survives_every_failed_allocation),
	    cmocka_unit_test(loading_credentials_survives_every_failed_allocation),
	};
	return cmocka_run_group_tests(tests, start_service, stop_service);
}
