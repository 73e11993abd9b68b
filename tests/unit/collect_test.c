/* Where profuse collect asks, what it makes of the answers, and how long it waits. */
#include "support/unit.h"

#include "collect/answer.h"
#include "collect/backoff.h"
#include "collect/endpoint.h"
#include "core/gzip.h"

static void
a_base_gets_the_profiles_path(void **state)
{
	static const struct {
		const char *address, *type;
		uint32_t seconds;
		const char *url;
	} cases[] = {
	    {"http://h:1", NULL, 0, "http://h:1/debug/pprof/profile?seconds=30"},
	    {"http://h:1/", "cpu", 5, "http://h:1/debug/pprof/profile?seconds=5"},
	    {"http://h:1", "heap", 0, "http://h:1/debug/pprof/heap"},
	    {"http://h:1", "allocs", 7, "http://h:1/debug/pprof/allocs?seconds=7"},
	    {"http://h:1", "threads", 0, "http://h:1/debug/pprof/threads"},
	    {"http://h:1/debug/pprof", "mutex", 0, "http://h:1/debug/pprof/mutex"},
	    {"http://h:1/debug/pprof/", "block", 0, "http://h:1/debug/pprof/block"},
	    {"http://h:1/pprof/", "goroutine", 0, "http://h:1/pprof/goroutine"},
	    {"http://h:1/svc/", "heap", 0, "http://h:1/svc/debug/pprof/heap"},
	    {"http://h:1/?pod=7", "heap", 3, "http://h:1/debug/pprof/heap?pod=7&seconds=3"},
	    {"http://h:1/?seconds=4", NULL, 0, "http://h:1/debug/pprof/profile?seconds=4"},
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_endpoint e = {0};
		struct pf_error err = {0};
		if (pf_endpoint_init(&e, cases[i].address, cases[i].type, cases[i].seconds, &err))
			fail_msg("%s: %s", cases[i].address, err.message);
		assert_string_equal(pf_url_text(e.url), cases[i].url);
		pf_endpoint_release(&e);
	}
}

static void
a_full_address_is_used_as_it_is(void **state)
{
	static const struct {
		const char *address, *url, *type;
		uint32_t seconds;
	} cases[] = {
	    {"http://h/debug/pprof/heap", "http://h/debug/pprof/heap", "heap", 0},
	    {"http://h/debug/pprof/heap?gc=1", "http://h/debug/pprof/heap?gc=1", "heap", 0},
	    {"http://h/x/profile?seconds=9", "http://h/x/profile?seconds=9", "cpu", 9},
	    {"http://h/x/profile", "http://h/x/profile?seconds=30", "cpu", 30},
	    {"http://h/debug/pprof/threads", "http://h/debug/pprof/threads", "threads", 0},
	    {"http://h/debug/pprof/goroutineleak", "http://h/debug/pprof/goroutineleak",
		"goroutineleak", 0},
	    {"http://h/a%2f..%00b", "http://h/a%2f..%00b", "a_2f___00b", 0},
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_endpoint e = {0};
		struct pf_error err = {0};
		if (pf_endpoint_init(&e, cases[i].address, NULL, 0, &err))
			fail_msg("%s: %s", cases[i].address, err.message);
		assert_string_equal(pf_url_text(e.url), cases[i].url);
		assert_string_equal(e.type, cases[i].type);
		assert_int_equal(e.seconds, cases[i].seconds);
		assert_null(e.fallback);
		pf_endpoint_release(&e);
	}
}

static void
threads_have_a_second_address(void **state)
{
	struct pf_endpoint e = {0};
	struct pf_error err = {0};
	(void)state;

	assert_int_equal(pf_endpoint_init(&e, "http://h/", "threads", 2, &err), 0);
	assert_string_equal(pf_url_text(e.fallback), "http://h/debug/pprof/threadcreate?seconds=2");
	pf_endpoint_release(&e);
}

static void
contradictions_are_wrong_usage(void **state)
{
	static const struct {
		const char *address, *type;
		uint32_t seconds;
		const char *says;
	} cases[] = {
	    {"http://h/", "cpus", 0, "unknown profile type cpus"},
	    {"http://h/debug/pprof/heap", "cpu", 0, "address of a heap profile"},
	    {"http://h/profile?seconds=5", NULL, 6, "keep one"},
	    {"http://h/profile?seconds=5x", NULL, 0, "whole number"},
	    {"http://h/profile?seconds=99999999999999999999", NULL, 0, "whole number"},
	    {"http://h/profile?seconds=", NULL, 0, "whole number"},
	    {"http://h/", NULL, 86401, "too long"},
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_endpoint e = {0};
		struct pf_error err = {0};
		assert_int_equal(
		    pf_endpoint_init(&e, cases[i].address, cases[i].type, cases[i].seconds, &err),
		    PF_EUSAGE);
		assert_message_has(err, cases[i].says);
		assert_null(e.url);
	}
}

static struct pf_http_answer
answer_of(long status, const char *body)
{
	struct pf_http_answer a = {.status = status};

	pf_buffer_init(&a.body, 1 << 20);
	pf_buffer_string(&a.body, body);
	assert_false(a.body.failed);
	return a;
}

static void
answers_are_sorted_by_what_may_follow(void **state)
{
	static const struct {
		long status;
		const char *body;
		enum pf_answer_kind kind;
	} cases[] = {
	    {200, "whatever", PF_ANSWER_BODY},
	    {500, "Could not enable CPU profiling: cpu profiling already in use\n", PF_ANSWER_BUSY},
	    {200, "Another profiler is running, try again later", PF_ANSWER_BUSY},
	    {503, "", PF_ANSWER_BUSY},
	    {429, "", PF_ANSWER_BUSY},
	    {404, "", PF_ANSWER_ABSENT},
	    {500, "out of disk", PF_ANSWER_REFUSED},
	    {204, "", PF_ANSWER_REFUSED},
	    {401, "", PF_ANSWER_REFUSED},
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_http_answer a = answer_of(cases[i].status, cases[i].body);
		if (pf_answer_classify(&a) != cases[i].kind)
			fail_msg("%ld \"%s\"", cases[i].status, cases[i].body);
		pf_http_answer_release(&a);
	}
}

static void
an_encoding_nobody_asked_for_is_undone_under_the_cap(void **state)
{
	struct pf_http_answer a = answer_of(200, "");
	struct pf_error err = {0};
	static const char zeros[5000];
	(void)state;

	memcpy(a.content_encoding, "gzip", sizeof "gzip");
	assert_int_equal(pf_gzip_deflate(&a.body, "profile", 7, 6, &err), 0);
	assert_int_equal(pf_answer_decode(&a, "test", 200, &err), 0);
	assert_int_equal(a.body.size, 7);
	assert_memory_equal(a.body.bytes, "profile", 7);
	pf_buffer_clear(&a.body);
	assert_int_equal(pf_gzip_deflate(&a.body, zeros, sizeof zeros, 6, &err), 0);
	a.body.maximum = 4000;
	assert_int_equal(pf_answer_decode(&a, "test", 200, &err), PF_EINPUT);
	assert_message_has(err, "--max-size");
	pf_http_answer_release(&a);
}

static void
pauses_grow_spread_and_obey_the_server(void **state)
{
	(void)state;

	for (uint64_t seed = 0; seed < 200; seed++) {
		for (unsigned attempt = 1; attempt < 40; attempt++) {
			double middle = attempt < 6 ? 0.25 * (1u << attempt) : 10;
			double delay = pf_backoff_delay(attempt, 0, seed);
			assert_true(delay >= 0.8 * middle - 1e-9 && delay <= 1.2 * middle + 1e-9 &&
				    delay <= 12.0001);
			assert_true(pf_backoff_delay(attempt, 60, seed) == 60);
		}
	}
	assert_true(pf_backoff_delay(3, 0, 1) != pf_backoff_delay(3, 0, 2));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_base_gets_the_profiles_path),
	    cmocka_unit_test(a_full_address_is_used_as_it_is),
	    cmocka_unit_test(threads_have_a_second_address),
	    cmocka_unit_test(contradictions_are_wrong_usage),
	    cmocka_unit_test(answers_are_sorted_by_what_may_follow),
	    cmocka_unit_test(an_encoding_nobody_asked_for_is_undone_under_the_cap),
	    cmocka_unit_test(pauses_grow_spread_and_obey_the_server),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
