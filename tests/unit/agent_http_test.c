/* agent_http_test.c: the agent's reading of requests and of its environment. */
#include "support/unit.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect/agent/config.h"
#include "collect/agent/http.h"

static char bytes[PF_REQUEST_MAX + 2];

static enum pf_parse
parse(struct pf_request *request, const char *text)
{
	size_t size = strlen(text);

	assert_true(size <= PF_REQUEST_MAX);
	memcpy(bytes, text, size + 1);
	return pf_http_parse(request, bytes, size);
}

static void
a_request_is_taken_apart(void **state)
{
	struct pf_request r;
	char seconds[16];
	(void)state;

	assert_int_equal(parse(&r, "GET /debug/pprof/%70rofile?seconds=5&x=%31 HTTP/1.1\r\n"
				   "Host: localhost:2121\r\nAuthorization: bearer  abc\r\n\r\n"),
	    PF_PARSE_DONE);
	assert_string_equal(r.path, "/debug/pprof/profile");
	assert_string_equal(r.host, "localhost");
	assert_string_equal(r.token, "abc");
	assert_false(r.post || r.head || r.other);
	assert_true(pf_http_parameter(r.query, "seconds", seconds, sizeof seconds));
	assert_string_equal(seconds, "5");
	assert_true(pf_http_parameter(r.query, "x", seconds, sizeof seconds));
	assert_string_equal(seconds, "1");
	assert_false(pf_http_parameter(r.query, "second", seconds, sizeof seconds));
	assert_false(pf_http_parameter(r.query, "y", seconds, sizeof seconds));
	assert_false(pf_http_parameter("a=123456", "a", seconds, 4));
}

static void
a_body_is_waited_for(void **state)
{
	struct pf_request r;
	(void)state;

	assert_int_equal(
	    parse(&r, "POST /s HTTP/1.1\r\nContent-Length: 5\r\n\r\n0xa"), PF_PARSE_MORE);
	assert_int_equal(
	    parse(&r, "POST /s HTTP/1.1\r\nContent-Length: 5\r\n\r\n0xa+1"), PF_PARSE_DONE);
	assert_true(r.post);
	assert_string_equal(r.body, "0xa+1");
	assert_int_equal(r.body_size, 5);
	assert_int_equal(parse(&r, "GET / HTTP/1.1\r\nHost: x"), PF_PARSE_MORE);
	assert_int_equal(parse(&r, ""), PF_PARSE_MORE);
}

static void
nonsense_is_refused(void **state)
{
	static const char *const bad[] = {
	    "hello\r\n\r\n",
	    "GET\r\n\r\n",
	    "GET / HTTP/2\r\n\r\n",
	    "GET http://evil/ HTTP/1.1\r\n\r\n",
	    "GET /%zz HTTP/1.1\r\n\r\n",
	    "GET /%00 HTTP/1.1\r\n\r\n",
	    "GET /a%4 HTTP/1.1\r\n\r\n",
	    "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
	    "POST / HTTP/1.1\r\nContent-Length: 5x\r\n\r\n12345",
	    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
	};
	struct pf_request r;
	(void)state;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (parse(&r, bad[i]) != PF_PARSE_BAD)
			fail_msg("accepted: %s", bad[i]);
	assert_int_equal(
	    parse(&r, "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n"),
	    PF_PARSE_TOO_LARGE);
	memcpy(bytes, "GET /\0 HTTP/1.1", 15);
	assert_int_equal(pf_http_parse(&r, bytes, 15), PF_PARSE_BAD);
	memset(bytes, 'a', PF_REQUEST_MAX);
	assert_int_equal(pf_http_parse(&r, bytes, PF_REQUEST_MAX), PF_PARSE_TOO_LARGE);
}

static void
an_error_looks_like_go_s(void **state)
{
	struct pf_buffer out = {.maximum = 1 << 16};
	(void)state;

	pf_http_error(&out, NULL, 404, "Unknown profile");
	pf_buffer_byte(&out, 0);
	assert_int_equal(strncmp((char *)out.bytes, "HTTP/1.1 404 Not Found\r\n", 24), 0);
	assert_non_null(
	    strstr((char *)out.bytes, "\r\nContent-Type: text/plain; charset=utf-8\r\n"));
	assert_non_null(strstr((char *)out.bytes, "\r\nX-Go-Pprof: 1\r\n"));
	assert_non_null(strstr((char *)out.bytes, "\r\nContent-Length: 16\r\n"));
	assert_non_null(strstr((char *)out.bytes, "\r\n\r\nUnknown profile\n"));
	pf_buffer_release(&out);
}

static void
secrets_are_compared_whole(void **state)
{
	(void)state;
	assert_true(pf_http_same_secret("abc", "abc"));
	assert_false(pf_http_same_secret("ab", "abc"));
	assert_false(pf_http_same_secret("abcd", "abc"));
	assert_false(pf_http_same_secret("", "abc"));
}

/* Reads a configuration from these variables alone. */
static struct pf_config
configure(const char *addr, const char *port, const char *metrics, const char *token_file)
{
	struct pf_config config;

	unsetenv("PROFUSE_ADDR");
	unsetenv("PROFUSE_PORT");
	unsetenv("METRICS_PORT");
	unsetenv("PROFUSE_TOKEN_FILE");
	if (addr)
		setenv("PROFUSE_ADDR", addr, 1);
	if (port)
		setenv("PROFUSE_PORT", port, 1);
	if (metrics)
		setenv("METRICS_PORT", metrics, 1);
	if (token_file)
		setenv("PROFUSE_TOKEN_FILE", token_file, 1);
	pf_config_read(&config);
	return config;
}

static void
assert_listens(struct pf_config config, uint32_t host, uint16_t port)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&config.address;

	assert_true(config.listen);
	assert_int_equal(v4->sin_family, AF_INET);
	assert_int_equal(ntohl(v4->sin_addr.s_addr), host);
	assert_int_equal(ntohs(v4->sin_port), port);
}

static void
the_address_is_found_in_order(void **state)
{
	struct pf_config config;
	(void)state;

	assert_listens(configure(NULL, NULL, NULL, NULL), INADDR_LOOPBACK, 2121);
	assert_listens(configure(NULL, NULL, "9000", NULL), INADDR_LOOPBACK, 9000);
	assert_listens(configure(NULL, "9001", "9000", NULL), INADDR_LOOPBACK, 9001);
	assert_listens(configure("127.0.0.2:9002", "9001", "9000", NULL), 0x7f000002, 9002);
	assert_listens(configure("127.0.0.2", "9001", NULL, NULL), 0x7f000002, 9001);
	assert_listens(configure(":9003", NULL, NULL, NULL), INADDR_LOOPBACK, 9003);
	assert_listens(configure("localhost:9004", NULL, NULL, NULL), INADDR_LOOPBACK, 9004);
	assert_false(configure(NULL, "0", "9000", NULL).listen);
	assert_false(configure(NULL, NULL, "0", NULL).listen);
	config = configure(NULL, "auto", "9000", NULL);
	assert_true(config.any_port);
	assert_listens(config, INADDR_LOOPBACK, 0);
	config = configure("[::1]:9005", NULL, NULL, NULL);
	assert_true(config.listen);
	assert_int_equal(config.address.ss_family, AF_INET6);
}

static void
what_cannot_be_obeyed_is_not_listened_to(void **state)
{
	static const char *const bad[] = {"host.example:1", "127.0.0.1:70000", "127.0.0.1:-1",
	    "[::1", "[::1]x", "127.0.0.1:2121x"};
	(void)state;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (configure(bad[i], NULL, NULL, NULL).listen)
			fail_msg("listens on %s", bad[i]);
	assert_false(configure(NULL, "x", NULL, NULL).listen);
}

static void
beyond_loopback_there_must_be_a_token(void **state)
{
	char path[] = "/tmp/agent-token-XXXXXX";
	struct pf_config config;
	int fd = mkstemp(path);
	(void)state;

	assert_true(fd >= 0);
	assert_false(configure("0.0.0.0:9000", NULL, NULL, NULL).listen);
	assert_false(configure("[::]:9000", NULL, NULL, NULL).listen);
	assert_false(configure("0.0.0.0:9000", NULL, NULL, path).listen); /* empty */
	assert_int_equal(write(fd, "secret\nmore\n", 12), 12);
	config = configure("0.0.0.0:9000", NULL, NULL, path);
	assert_listens(config, INADDR_ANY, 9000);
	assert_string_equal(config.token, "secret");
	unlink(path);
	assert_false(configure(NULL, NULL, NULL, path).listen); /* asked for and missing */
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_request_is_taken_apart),
	    cmocka_unit_test(a_body_is_waited_for),
	    cmocka_unit_test(nonsense_is_refused),
	    cmocka_unit_test(an_error_looks_like_go_s),
	    cmocka_unit_test(secrets_are_compared_whole),
	    cmocka_unit_test(the_address_is_found_in_order),
	    cmocka_unit_test(what_cannot_be_obeyed_is_not_listened_to),
	    cmocka_unit_test(beyond_loopback_there_must_be_a_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
