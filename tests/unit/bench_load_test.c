/* The load's plan: URLs, request files, the schedule, and answers in pieces. */
#include "support/unit.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "bench/load.h"
#include "bench/load_response.h"
#include "bench/load_schedule.h"

static struct pf_load *
load_of(struct pf_bench_options *o, const char *const *urls, size_t count)
{
	struct pf_load *load;
	struct pf_error err = {0};

	o->urls = urls;
	o->url_count = count;
	if (pf_load_new(&load, o, NULL, 42, &err))
		fail_msg("%s", err.message);
	return load;
}

static void
refused(struct pf_bench_options o, const char *url, int code, const char *words)
{
	const char *urls[] = {url};
	struct pf_load *load;
	struct pf_error err = {0};

	o.urls = urls;
	o.url_count = 1;
	assert_int_equal(pf_load_new(&load, &o, NULL, 1, &err), code);
	assert_null(load);
	assert_message_has(err, words);
}

static struct pf_bench_options
at_rate(double rate)
{
	struct pf_bench_options o = PF_BENCH_OPTIONS_INIT;

	o.rate = rate;
	return o;
}

/* A request file with this text; the caller unlinks and frees. */
static char *
file_with(const char *text)
{
	char *path = strdup("/tmp/profuse-bench-test-XXXXXX");
	int fd = mkstemp(path);

	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	return path;
}

static void
urls_become_whole_requests(void **state)
{
	static const char *const urls[] = {
	    "http://127.0.0.1:8080/a?b=c#d", "http://127.0.0.1:8080"};
	static const char *const headers[] = {"X-Key: v"};
	struct pf_bench_options o = at_rate(10);
	struct pf_load *load;
	(void)state;

	o.headers = headers;
	o.header_count = 1;
	load = load_of(&o, urls, 2);
	assert_int_equal(load->count, 2);
	assert_true(load->even);
	assert_non_null(memmem(load->requests[0].bytes, load->requests[0].size,
	    "GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n", 43));
	assert_non_null(
	    memmem(load->requests[0].bytes, load->requests[0].size, "\r\nX-Key: v\r\n\r\n", 14));
	assert_memory_equal(load->requests[1].bytes, "GET / HTTP/1.1\r\n", 16);
	assert_memory_equal(load->ready.bytes, "GET /a?b=c HTTP", 15);
	pf_load_free(load);
}

static void
a_request_file_gives_methods_bodies_and_weights(void **state)
{
	static const char *const urls[] = {"http://[::1]:81/"};
	char *body = file_with("from a file"), text[400], *path;
	struct pf_bench_options o = at_rate(10);
	struct pf_load *load;
	const struct pf_load_request *r;
	(void)state;

	snprintf(text, sizeof text,
	    "# comment\n\n/a 3\r\n  /b\nHEAD /c\nPOST /d some text\nPUT /e @%s\nDELETE /f", body);
	path = file_with(text);
	o.load_file = path;
	load = load_of(&o, urls, 1);
	r = load->requests;
	assert_int_equal(load->count, 6);
	assert_false(load->even);
	assert_true(fabs(r[0].weight - 3) < 1e-12 && fabs(r[1].weight - 1) < 1e-12);
	assert_memory_equal(r[0].bytes, "GET /a HTTP/1.1\r\nHost: [::1]:81\r\n", 32);
	assert_true(r[2].head && r[2].repeatable && r[1].repeatable && !r[3].repeatable);
	assert_memory_equal(
	    r[3].bytes + r[3].size - 32, "\r\nContent-Length: 9\r\n\r\nsome text", 32);
	assert_memory_equal(r[4].bytes + r[4].size - 11, "from a file", 11);
	assert_memory_equal(r[5].bytes, "DELETE /f HTTP", 14);
	pf_load_free(load);
	unlink(path);
	unlink(body);
	free(path);
	free(body);
}

static void
bad_request_files_are_refused_with_their_line(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {{"/ok\nnonsense\n", ":2: "}, {"/a 0\n", "no weight"},
	    {"/a 1 2\n", "no weight"}, {"# none\n", "no request"},
	    {"POST /a @/no/such/file\n", "/no/such/file"}, {"G\tX\n", "no request"},
	    {"", "no request"}};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_bench_options o = at_rate(10);
		char *path = file_with(cases[i].text);

		o.load_file = path;
		refused(o, "http://127.0.0.1:1/", strstr(cases[i].text, "@") ? PF_EIO : PF_EINPUT,
		    cases[i].words);
		unlink(path);
		free(path);
	}
}

static void
urls_and_numbers_without_sense_are_refused(void **state)
{
	static const char *const two[] = {"http://127.0.0.1:1/", "http://127.0.0.1:2/"};
	static const char *const folded[] = {"A: b\r\nC: d"}, *const own[] = {"Content-Length: 3"};
	struct pf_bench_options o = at_rate(10);
	struct pf_load *load;
	struct pf_error err = {0};
	(void)state;

	refused(o, "ftp://x/", PF_EUSAGE, "no URL");
	refused(o, "http://", PF_EUSAGE, "no URL");
	refused(o, "http://a:99999/", PF_EUSAGE, "no URL");
	refused(o, "http://u:p@x/", PF_EUSAGE, "password");
	refused(o, "http://127.0.0.1:1/a\r\nb", PF_EUSAGE, "no URL");
	refused(at_rate(0), "http://127.0.0.1:1/", PF_EUSAGE, "--rate");
	refused(at_rate(NAN), "http://127.0.0.1:1/", PF_EUSAGE, "--rate");
	refused(at_rate(0.01), "http://127.0.0.1:1/", PF_EUSAGE, "no request at all");
	o.headers = folded;
	o.header_count = 1;
	refused(o, "http://127.0.0.1:1/", PF_EUSAGE, "Name: value");
	o.headers = own;
	refused(o, "http://127.0.0.1:1/", PF_EUSAGE, "sets this header itself");
	o.header_count = 0;
	o.urls = two;
	o.url_count = 2;
	assert_int_equal(pf_load_new(&load, &o, NULL, 1, &err), PF_EUSAGE);
	assert_message_has(err, "one service");
}

static void
even_arrivals_never_drift_and_take_urls_in_turn(void **state)
{
	static const char *const urls[] = {
	    "http://127.0.0.1:1/a", "http://127.0.0.1:1/b", "http://127.0.0.1:1/c"};
	struct pf_bench_options o = at_rate(3);
	struct pf_load *load = load_of(&o, urls, 3);
	struct pf_schedule s;
	(void)state;

	assert_int_equal(pf_schedule_init(&s, load, 1, NULL), 0);
	for (int64_t i = 0; i < 3000000; i++) {
		int64_t exact = i * 1000000000 / 3;
		if (s.due < exact - 1 || s.due > exact + 1 || s.request != (size_t)(i % 3))
			fail_msg("request %lld is due at %lld", (long long)i, (long long)s.due);
		pf_schedule_next(&s);
	}
	pf_schedule_release(&s);
	pf_load_free(load);
}

static void
random_arrivals_repeat_for_a_pair_and_keep_their_rate(void **state)
{
	static const char *const urls[] = {"http://127.0.0.1:1/"};
	struct pf_bench_options o = at_rate(1000);
	struct pf_schedule a, b, c;
	struct pf_load *load;
	int64_t before = -1;
	size_t same = 0;
	(void)state;

	o.arrivals = PF_ARRIVALS_POISSON;
	load = load_of(&o, urls, 1);
	assert_int_equal(pf_schedule_init(&a, load, 1, NULL), 0);
	assert_int_equal(pf_schedule_init(&b, load, 1, NULL), 0);
	assert_int_equal(pf_schedule_init(&c, load, 2, NULL), 0);
	for (int i = 0; i < 100000; i++) {
		assert_int_equal(a.due, b.due);
		assert_true(a.due >= before);
		before = a.due;
		same += a.due == c.due;
		pf_schedule_next(&a);
		pf_schedule_next(&b);
		pf_schedule_next(&c);
	}
	assert_true(same < 10);
	assert_true(fabs((double)a.due / 1e9 - 100) < 1.5);
	pf_load_free(load);
}

static void
weights_decide_how_often_a_request_is_sent(void **state)
{
	static const char *const urls[] = {"http://127.0.0.1:1/"};
	char *path = file_with("/a 1\n/b 7\n/c 2\n");
	struct pf_bench_options o = at_rate(10);
	size_t sent[3] = {0};
	struct pf_schedule s;
	struct pf_load *load;
	(void)state;

	o.load_file = path;
	load = load_of(&o, urls, 1);
	assert_int_equal(pf_schedule_init(&s, load, 1, NULL), 0);
	for (int i = 0; i < 100000; i++) {
		sent[s.request]++;
		pf_schedule_next(&s);
	}
	assert_in_range(sent[0], 9500, 10500);
	assert_in_range(sent[1], 69000, 71000);
	assert_in_range(sent[2], 19300, 20700);
	pf_schedule_release(&s);
	pf_load_free(load);
	unlink(path);
	free(path);
}

/* Feeds an answer in pieces of `piece` bytes, then the connection's end; returns whether it was good to its end. */
static bool
fed(struct pf_response *r, const char *text, size_t piece, bool head)
{
	size_t size = strlen(text);

	pf_response_begin(r, head);
	for (size_t at = 0; at < size && !r->complete; at += piece) {
		if (!pf_response_take(r, text + at, size - at < piece ? size - at : piece))
			return false;
	}
	return r->complete || (pf_response_take(r, NULL, 0) && r->complete);
}

static void
answers_are_understood_however_they_are_cut(void **state)
{
	static const struct {
		const char *text;
		unsigned status;
		bool keep, head;
		size_t body;
	} cases[] = {
	    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, true, false, 5},
	    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 200, true, true, 0},
	    {"HTTP/1.1 404 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", 404, false, false,
		0},
	    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: "
	     "chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
		200, true, false, 5},
	    {"HTTP/1.0 200 OK\r\n\r\nuntil the end", 200, false, false, 13},
	    {"HTTP/1.1 204 None\r\n\r\n", 204, true, false, 0},
	    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Made\r\nContent-Length: 1\r\n\r\nx", 201,
		true, false, 1},
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		for (size_t piece = 1; piece < 200; piece++) {
			struct pf_response r;
			if (!fed(&r, cases[i].text, piece, cases[i].head))
				fail_msg("case %zu in pieces of %zu", i, piece);
			assert_int_equal(pf_response_status(&r), cases[i].status);
			assert_int_equal(r.keep_alive, cases[i].keep);
			assert_int_equal(r.body, cases[i].body);
		}
	}
}

static void
broken_answers_are_told_from_whole_ones(void **state)
{
	static const char *const cases[] = {"", "SSH-2.0-OpenSSH\r\n",
	    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", "HTTP/1.1 200 OK\r\n",
	    "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"};
	struct pf_response r;
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		if (fed(&r, cases[i], 1000, false))
			fail_msg("case %zu passes for whole", i);
	}
	/* Bytes that follow the answer belong to nobody: the connection is not used again. */
	assert_true(fed(
	    &r, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n", 1000, false));
	assert_false(r.keep_alive);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(urls_become_whole_requests),
	    cmocka_unit_test(a_request_file_gives_methods_bodies_and_weights),
	    cmocka_unit_test(bad_request_files_are_refused_with_their_line),
	    cmocka_unit_test(urls_and_numbers_without_sense_are_refused),
	    cmocka_unit_test(even_arrivals_never_drift_and_take_urls_in_turn),
	    cmocka_unit_test(random_arrivals_repeat_for_a_pair_and_keep_their_rate),
	    cmocka_unit_test(weights_decide_how_often_a_request_is_sent),
	    cmocka_unit_test(answers_are_understood_however_they_are_cut),
	    cmocka_unit_test(broken_answers_are_told_from_whole_ones),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
