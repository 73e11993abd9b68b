/* Addresses, redirects, credentials and excerpts: what may go where, and what may be shown. */
#include "support/unit.h"

#include <stdio.h>
#include <unistd.h>

#include "net/credentials.h"
#include "net/redirect.h"
#include "net/text.h"
#include "net/transfer.h"
#include "net/url.h"

static struct pf_url *
parsed(const char *text)
{
	struct pf_error err = {0};
	struct pf_url *url;

	if (pf_url_parse(&url, text, &err))
		fail_msg("%s: %s", text, err.message);
	return url;
}

static void
only_http_without_credentials_is_an_address(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
	    {"localhost:6060", "no scheme"},
	    {"", "no scheme"},
	    {"ftp://host/", "neither http"},
	    {"file:///etc/passwd", "neither http"},
	    {"gopher://host/", "neither http"},
	    {"http://", "not a URL"},
	    {"http://ann@host/", "user name or password"},
	    {"http://ann:hunter2@host/", "user name or password"},
	    {"http://host:99999/", "not a URL"},
	    {"http://host/\r\nX: y", "not a URL"},
	    {"http://ho st/", "not a URL"},
	};
	struct pf_url *url;
	(void)state;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct pf_error err = {0};
		assert_int_equal(pf_url_parse(&url, bad[i].text, &err), PF_EUSAGE);
		assert_null(url);
		assert_message_has(err, bad[i].says);
		assert_null(strstr(err.message, "ann"));
		assert_null(strstr(err.message, "hunter2"));
	}
}

static void
the_display_hides_query_values_that_are_no_numbers(void **state)
{
	struct pf_url *url = parsed("HTTP://Host:8080/a%20b?seconds=30&token=abc&flag&x=1y#part");
	(void)state;

	assert_string_equal(
	    pf_url_display(url), "http://Host:8080/a%20b?seconds=30&token=...&flag&x=...");
	assert_non_null(strstr(pf_url_text(url), "token=abc"));
	pf_url_free(url);
}

static void
an_origin_is_scheme_host_and_port(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
	    {"http://host/x", "http://HOST:80/y?z=1", true},
	    {"https://host/", "https://host:443/", true},
	    {"http://host/", "https://host/", false},
	    {"http://host/", "http://host:8080/", false},
	    {"http://host/", "http://host.evil/", false},
	    {"http://127.0.0.1/", "http://localhost/", false},
	    {"http://[::1]:1/", "http://[::1]:1/a", true},
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_url *a = parsed(cases[i].a), *b = parsed(cases[i].b);
		if (pf_url_same_origin(a, b) != cases[i].same)
			fail_msg("%s and %s", cases[i].a, cases[i].b);
		pf_url_free(a);
		pf_url_free(b);
	}
}

static void
loopback_is_known_by_its_literal_names(void **state)
{
	static const struct {
		const char *text;
		bool loopback;
	} cases[] = {{"http://localhost:1/", true}, {"http://127.9.8.7/", true},
	    {"http://[::1]/", true}, {"http://127.0.0.1.example/", false},
	    {"http://128.0.0.1/", false}, {"http://localhost.example/", false}};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_url *url = parsed(cases[i].text);
		if (pf_url_is_loopback(url) != cases[i].loopback)
			fail_msg("%s", cases[i].text);
		pf_url_free(url);
	}
}

/* The address that a redirect leads to, or the code and sentence in *err. */
static char *
followed(const char *from, const char *location, struct pf_redirects *state, struct pf_error *err)
{
	struct pf_url *base = parsed(from), *to;
	char *text = NULL;

	*err = (struct pf_error){0};
	if (pf_redirect_follow(&to, state, base, location, err))
		assert_null(to);
	else
		text = strdup(pf_url_text(to));
	pf_url_free(to);
	pf_url_free(base);
	return text;
}

static void
a_location_is_read_relative_to_its_page(void **state)
{
	static const struct {
		const char *location, *to;
	} cases[] = {
	    {"/new", "http://h:1/new"},
	    {"new?x=2", "http://h:1/a/new?x=2"},
	    {"?y=3", "http://h:1/a/b?y=3"},
	    {"//other:2/c", "http://other:2/c"},
	    {"https://other/d e", "https://other/d%20e"},
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_redirects r = {.most = 5};
		struct pf_error err;
		char *to = followed("http://h:1/a/b?x=1", cases[i].location, &r, &err);
		assert_non_null(to);
		assert_string_equal(to, cases[i].to);
		assert_int_equal(r.taken, 1);
		free(to);
	}
}

static void
only_another_origin_is_foreign_and_it_stays_so(void **state)
{
	struct pf_redirects r = {.most = 5};
	struct pf_error err;
	(void)state;

	free(followed("http://h:1/", "/x", &r, &err));
	assert_false(r.foreign);
	free(followed("http://h:1/x", "http://h:2/", &r, &err));
	assert_true(r.foreign);
	free(followed("http://h:2/", "http://h:1/back", &r, &err));
	assert_true(r.foreign);
	r = (struct pf_redirects){.most = 5};
	free(followed("http://h/", "https://h/", &r, &err));
	assert_true(r.foreign);
}

static void
dangerous_redirects_are_refused(void **state)
{
	static const struct {
		const char *from, *location, *says;
	} cases[] = {
	    {"https://h/", "http://h/", "from https to plain http"},
	    {"http://h/", "file:///etc/passwd", "neither http"},
	    {"http://h/", "javascript:alert(1)", "redirected to an address we don't follow"},
	    {"http://h/", "http://ann:hunter2@h/", "user name or password"},
	    {"http://h/", "//ann:hunter2@h/", "user name or password"},
	    {"http://h/", NULL, "without saying where"},
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_redirects r = {.most = 5};
		struct pf_error err;
		assert_null(followed(cases[i].from, cases[i].location, &r, &err));
		assert_int_equal(err.code, PF_EIO);
		assert_message_has(err, cases[i].says);
		assert_null(strstr(err.message, "hunter2"));
		assert_int_equal(r.taken, 0);
	}
}

static void
redirects_end_at_the_limit(void **state)
{
	struct pf_redirects r = {.most = 2};
	struct pf_error err;
	(void)state;

	free(followed("http://h/", "/1", &r, &err));
	free(followed("http://h/1", "/2", &r, &err));
	assert_int_equal(r.taken, 2);
	assert_null(followed("http://h/2", "/3", &r, &err));
	assert_message_has(err, "after 2 redirects");
}

static void
excerpts_are_one_clean_line(void **state)
{
	static const struct {
		const char *bytes, *shown;
	} cases[] = {
	    {"  two\r\n\twords \n", "two words"},
	    {"red \x1b[31m \x9b \x7f", "red ?[31m ? ?"},
	    {"\xc3\xa9t\xc3\xa9 \xf0\x9f\x98\x80", "\xc3\xa9t\xc3\xa9 \xf0\x9f\x98\x80"},
	    {"over\xc0\xaflong \xed\xa0\x80 cut\xe2\x82", "over??long ??? cut??"},
	    {"c1 \xc2\x9b bidi \xe2\x80\xae end", "c1 ? bidi ? end"},
	    {"<!-- x --><html><title>Sign\nin</title><script>var a = '<b>';</script><p>now",
		"Sign in now"},
	    {"a < b and <c>", "a < b and <c>"},
	    {"<p>unended <b", "unended"},
	    {"", ""},
	};
	char shown[100];
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(
		    pf_text_excerpt(shown, sizeof shown, cases[i].bytes, strlen(cases[i].bytes)),
		    cases[i].shown);
}

static void
excerpts_fit_any_room_and_never_split_a_character(void **state)
{
	static const char text[] = "ab \xc3\xa9\xe2\x82\xac d\xf0\x9f\x98\x80z end";
	(void)state;

	for (size_t room = 5; room < 40; room++) {
		char *shown = malloc(room), again[64];
		assert_non_null(shown);
		pf_text_excerpt(shown, room, text, sizeof text - 1);
		assert_true(strlen(shown) < room);
		pf_text_excerpt(again, sizeof again, shown, strlen(shown));
		assert_string_equal(again, shown);
		assert_null(strchr(shown, '?'));
		free(shown);
	}
}

static void
prose_and_html_are_told_from_bytes(void **state)
{
	(void)state;

	assert_true(pf_text_is_html(" \n<!doctype html>", 17));
	assert_true(pf_text_is_html("\xef\xbb\xbf<html>", 9));
	assert_false(pf_text_is_html("< 5 >", 5));
	assert_false(pf_text_is_html("", 0));
	assert_true(pf_text_is_prose("no profiler here\n", 17));
	assert_false(pf_text_is_prose("", 0));
	assert_false(pf_text_is_prose("\x0a\x04\x08\x01\x10\x02", 6));
	assert_false(pf_text_is_prose("abc\0def", 7));
}

/* A file with this content; its name is the caller's to unlink and free. */
static char *
file_of(const char *content)
{
	char *path = strdup("/tmp/profuse-net-test-XXXXXX");
	int fd;

	assert_non_null(path);
	fd = mkstemp(path);
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, content, strlen(content)), (ssize_t)strlen(content));
	close(fd);
	return path;
}

static int
load_headers(struct pf_credentials *c, const char *content, struct pf_error *err)
{
	char *path = file_of(content);
	int rc = pf_credentials_load(c, &(struct pf_credential_sources){.header_file = path}, err);

	unlink(path);
	free(path);
	return rc;
}

static void
a_token_file_loses_its_line_end_only(void **state)
{
	char *path = file_of("abc.DEF-1\r\n");
	struct pf_credentials c = {0};
	struct pf_error err = {0};
	(void)state;

	assert_int_equal(
	    pf_credentials_load(&c,
		&(struct pf_credential_sources){.bearer_token = "other", .bearer_token_file = path},
		&err),
	    0);
	assert_string_equal(c.bearer, "abc.DEF-1");
	assert_true(pf_credentials_any(&c));
	pf_credentials_release(&c);
	assert_false(pf_credentials_any(&c));
	unlink(path);
	free(path);
}

static void
a_header_file_gives_its_headers_in_order(void **state)
{
	struct pf_credentials c = {0};
	struct pf_error err = {0};
	(void)state;

	assert_int_equal(
	    load_headers(&c, "# ours\n\nX-Scope-OrgID: blue\r\nCookie: a=b; c=d\n", &err), 0);
	assert_int_equal(c.header_count, 2);
	assert_string_equal(c.headers[0], "X-Scope-OrgID: blue");
	assert_string_equal(c.headers[1], "Cookie: a=b; c=d");
	pf_credentials_release(&c);
}

static void
headers_that_would_break_the_request_are_refused(void **state)
{
	static const char *const bad[] = {"secret", ": secret", "X-A secret",
	    "X-A:", "X-A: \x01secret", "X A: secret", "Host: secret", "content-length: 3",
	    "Transfer-Encoding: chunked", "Connection: secret"};
	(void)state;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct pf_credentials c = {0};
		struct pf_error err = {0};
		if (load_headers(&c, bad[i], &err) != PF_EUSAGE)
			fail_msg("\"%s\" is taken", bad[i]);
		assert_message_has(err, ":1: ");
		assert_null(strstr(err.message, "secret"));
		assert_false(pf_credentials_any(&c));
	}
}

static void
basic_authentication_needs_a_name_without_a_colon(void **state)
{
	struct pf_credentials c = {0};
	struct pf_error err = {0};
	(void)state;

	assert_int_equal(
	    pf_credentials_load(
		&c, &(struct pf_credential_sources){.username = "ann", .password = "p:w"}, &err),
	    0);
	pf_credentials_release(&c);
	assert_int_equal(
	    pf_credentials_load(
		&c, &(struct pf_credential_sources){.username = "a:n", .password = "pw"}, &err),
	    PF_EUSAGE);
	assert_int_equal(
	    pf_credentials_load(
		&c, &(struct pf_credential_sources){.username = "ann", .password = "p\nw"}, &err),
	    PF_EUSAGE);
	assert_int_equal(pf_credentials_load(&c,
			     &(struct pf_credential_sources){
				 .username = "ann", .password = "pw", .bearer_token = "t"},
			     &err),
	    PF_EUSAGE);
	assert_false(pf_credentials_any(&c));
}

static void
a_pause_in_the_body_counts_only_after_the_window(void **state)
{
	struct pf_transfer t = {.started = 100, .quiet = 30, .stall_timeout = 10};
	(void)state;

	assert_true(
	    pf_transfer_alive(&t, 1000)); /* no body yet: the request's timeout is in charge */
	t.last_byte = 105;
	assert_true(pf_transfer_alive(&t, 139));
	assert_false(pf_transfer_alive(&t, 141));
	assert_int_equal(t.stop, PF_STALLED);
	t = (struct pf_transfer){
	    .started = 100, .quiet = 30, .stall_timeout = 10, .last_byte = 150};
	assert_true(pf_transfer_alive(&t, 159));
	assert_false(pf_transfer_alive(&t, 161));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_http_without_credentials_is_an_address),
	    cmocka_unit_test(the_display_hides_query_values_that_are_no_numbers),
	    cmocka_unit_test(an_origin_is_scheme_host_and_port),
	    cmocka_unit_test(loopback_is_known_by_its_literal_names),
	    cmocka_unit_test(a_location_is_read_relative_to_its_page),
	    cmocka_unit_test(only_another_origin_is_foreign_and_it_stays_so),
	    cmocka_unit_test(dangerous_redirects_are_refused),
	    cmocka_unit_test(redirects_end_at_the_limit),
	    cmocka_unit_test(excerpts_are_one_clean_line),
	    cmocka_unit_test(excerpts_fit_any_room_and_never_split_a_character),
	    cmocka_unit_test(prose_and_html_are_told_from_bytes),
	    cmocka_unit_test(a_pause_in_the_body_counts_only_after_the_window),
	    cmocka_unit_test(a_token_file_loses_its_line_end_only),
	    cmocka_unit_test(a_header_file_gives_its_headers_in_order),
	    cmocka_unit_test(headers_that_would_break_the_request_are_refused),
	    cmocka_unit_test(basic_authentication_needs_a_name_without_a_colon),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
