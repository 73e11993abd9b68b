/* Goroutines that pile up: connections at rest, a client's that become more, and how fast, by snapshots that have times. */
#include <math.h>

#include "support/labelled_profile.h"
#include "support/tuned.h"
#include "tuner/detect.h"

/* A record of a goroutine profile's text: so many with this stack (leaf first, ends with NULL). */
static void
write_stack(struct pf_buffer *text, int count, const char *const *stack, int base)
{
	pf_buffer_printf(text, "%d @", count);
	for (int i = 0; stack[i]; i++)
		pf_buffer_printf(text, " 0x%x", base + 1 + 16 * i);
	for (int i = 0; stack[i]; i++)
		pf_buffer_printf(
		    text, "\n#\t0x%x\t%s+0x10\t/src/f.go:%d", base + 16 * i, stack[i], i + 1);
	pf_buffer_string(text, "\n\n");
}

static void
add_both(
    struct pf_tune *tune, int count, const char *const *stack, int others, const char *const *other)
{
	struct pf_buffer text = {.maximum = 1 << 16};

	pf_buffer_printf(&text, "goroutine profile: total %d\n", count + others);
	write_stack(&text, count, stack, 0x480000);
	if (others)
		write_stack(&text, others, other, 0x490000);
	add_written(tune, "goroutine", &text);
}

/* Taken at this second; 0: it does not say when. */
static void
add_goroutines(struct pf_tune *tune, int count, const char *const *stack, int64_t seconds)
{
	struct pf_evidence *e = &tune->evidence;

	add_both(tune, count, stack, 0, NULL);
	e->profiles[e->profile_count - 1].time_nanos = seconds * 1000000000;
}

static const char *const own[] = {"main.fetch.func1", NULL};

/* A dump has no time: beside a series it is no snapshot of it. */
static void
a_dump_stands_in_no_series(void **state)
{
	struct pf_tune *tune = new_tune();
	const struct pf_finding *finding;
	(void)state;

	add_goroutines(tune, 1000, own, 1000);
	add_goroutines(tune, 1150, own, 1010);
	add_goroutines(tune, 5000, own, 0);
	for (int i = 2; i < 6; i++)
		add_goroutines(tune, 1000 + 150 * i, own, 1000 + 10 * i);
	run_tune(tune);
	finding = find_finding(tune, "goroutine-leak");
	assert_non_null(finding);
	assert_non_null(find_number(tune, finding, "growth"));
	assert_true(fabs(find_number(tune, finding, "growth")->value - 15) < 0.1);
	assert_true(find_number(tune, finding, "goroutines")->value == 1750);
	for (size_t i = 0; i < finding->caveat_count; i++)
		assert_null(strstr(
		    pf_said(&tune->findings, tune->findings.caveats[finding->first_caveat + i]),
		    "no times"));
	pf_tune_free(tune);
}

/* What has no times at all rises, but not in a second. */
static void
without_times_nothing_is_said_of_seconds(void **state)
{
	struct pf_tune *tune = new_tune();
	const struct pf_finding *finding;
	(void)state;

	for (int i = 0; i < 6; i++)
		add_goroutines(tune, 1000 + 150 * i, own, 0);
	run_tune(tune);
	finding = find_finding(tune, "goroutine-leak");
	assert_non_null(finding);
	assert_null(find_number(tune, finding, "growth"));
	assert_true(finding->confidence <= PF_CONFIDENCE_LOW);
	pf_tune_free(tune);
}

static size_t
findings_of(int count, const char *const *stack)
{
	struct pf_tune *tune = new_tune();
	size_t found;

	add_goroutines(tune, count, stack, 1000);
	run_tune(tune);
	found = tune->findings.finding_count;
	pf_tune_free(tune);
	return found;
}

static const char *const sender[] = {
    "runtime.gopark", "runtime.chansend", "runtime.chansend1", "main.lookup", NULL};

/* Goroutines are counted: a steady rise is none by chance, be it of four hundredths. What comes and goes is. */
static void
a_slow_steady_rise_is_told_as_unsure(void **state)
{
	static const struct {
		int counts[6];
		int64_t apart;
		bool rises;
		const char *caveat; /* NULL: nothing is found */
	} cases[] = {
	    {{1825, 1841, 1857, 1873, 1889, 1905}, 3, true, "There are 80 more in 15 s, 4.4 %"},
	    {{1825, 1841, 1857, 1873, 1889, 1905}, 60, true, "There are 80 more in 300 s, 4.4 %"},
	    {{300, 310, 322, 330, 341, 350}, 3, true, "There are 50 more in 15 s, 17 %"},
	    {{1825, 1841, 1830, 1873, 1860, 1905}, 3, false, "they became 80 more (of 1825)"},
	    {{1825, 1841, 1830, 1820, 1829, 1825}, 3, false, "they became no more"},
	    {{1900, 1880, 1870, 1860, 1850, 1840}, 3, false, "they became no more"},
	    {{300, 310, 302, 330, 321, 350}, 3, false, NULL},
	    {{300, 302, 304, 306, 308, 310}, 3, false, NULL},
	    {{300, 300, 300, 300, 300, 340}, 3, false, NULL},
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_tune *tune = new_tune();
		const struct pf_finding *found;
		const char *title;

		for (int k = 0; k < 6; k++)
			add_goroutines(tune, cases[i].counts[k], sender, 1000 + cases[i].apart * k);
		run_tune(tune);
		found = find_finding(tune, "goroutine-leak");
		if (!found != !cases[i].caveat)
			fail_msg("case %zu: found or not", i);
		if (!found) {
			assert_true(
			    is_unjudged(tune, "Goroutines were watched for 15 s: fewer than 100"));
			pf_tune_free(tune);
			continue;
		}
		title = pf_said(&tune->findings, found->title);
		if (!is_caveat(tune, found, cases[i].caveat) ||
		    !strstr(title, "become more") != !cases[i].rises)
			fail_msg("case %zu: %s", i, title);
		assert_int_equal(found->severity, PF_SEVERITY_LOW);
		assert_int_equal(
		    found->confidence, cases[i].apart < 60 ? PF_UNSURE : PF_CONFIDENCE_LOW);
		assert_true(!cases[i].rises || found->prediction_count == 0);
		assert_true(!cases[i].rises || !is_caveat(tune, found, "became no more"));
		pf_tune_free(tune);
	}
}

/* A server that keeps a connection waits for its next request; a handler that reads a body is at work. */
static void
connections_that_are_kept_are_no_leak(void **state)
{
	static const char *const kept[] = {"internal/poll.runtime_pollWait", "net.(*conn).Read",
	    "net/http.(*connReader).Read", "bufio.(*Reader).fill", "bufio.(*Reader).Peek",
	    "net/http.(*conn).serve", NULL};
	static const char *const wrapped[] = {"internal/poll.runtime_pollWait", "net.(*conn).Read",
	    "main.(*counted).Read", "net/http.(*connReader).Read", "bufio.(*Reader).fill",
	    "bufio.(*Reader).Peek", "net/http.(*conn).serve", NULL};
	static const char *const upload[] = {"internal/poll.runtime_pollWait", "net.(*conn).Read",
	    "net/http.(*connReader).Read", "net/http.(*body).Read", "main.receive",
	    "net/http.(*conn).serve", NULL};
	static const char *const idle[] = {"internal/poll.runtime_pollWait", "net.(*conn).Read",
	    "net/http.(*persistConn).Read", "bufio.(*Reader).Peek",
	    "net/http.(*persistConn).readLoop", NULL};
	static const char *const grpc[] = {"runtime.gopark", "internal/poll.runtime_pollWait",
	    "net.(*conn).Read", "golang.org/x/net/http2.(*Framer).ReadFrame",
	    "google.golang.org/grpc/internal/transport.(*http2Server).HandleStreams",
	    "google.golang.org/grpc.(*Server).serveStreams", NULL};
	(void)state;

	assert_int_equal(findings_of(3000, kept), 0);
	assert_int_equal(findings_of(3000, wrapped), 0);
	assert_int_equal(findings_of(3000, idle), 0);
	assert_int_equal(findings_of(3000, grpc), 0);
	assert_true(findings_of(3000, upload) > 0);
}

/* Of connections that become more it is told what they wait for, and never that the runtime owns them. */
static void
a_clients_connections_that_become_more_are_told(void **state)
{
	static const char *const unread[] = {
	    "runtime.gopark", "runtime.selectgo", "net/http.(*persistConn).readLoop", NULL};
	static const char *const idle[] = {"runtime.gopark", "internal/poll.runtime_pollWait",
	    "net.(*conn).Read", "net/http.(*persistConn).Read", "bufio.(*Reader).Peek",
	    "net/http.(*persistConn).readLoop", NULL};
	static const struct {
		const char *const *stack;
		const char *action;
	} cases[] = {{unread, "Close the body"}, {idle, "share one http.Client"}};
	(void)state;

	for (size_t i = 0; i < 2; i++) {
		struct pf_tune *tune = new_tune();
		const struct pf_finding *finding;

		for (int k = 0; k < 6; k++)
			add_goroutines(tune, 300 + 100 * k, cases[i].stack, 1000 + 60 * k);
		run_tune(tune);
		finding = find_finding(tune, "goroutine-leak");
		assert_non_null(finding);
		assert_non_null(strstr(pf_said(&tune->findings, finding->title),
		    "800 connections of net/http's client are open, and they become more"));
		assert_non_null(strstr(
		    pf_said(&tune->findings, tune->findings.advices[finding->first_advice].action),
		    cases[i].action));
		pf_tune_free(tune);
		tune = new_tune();
		for (int k = 0; k < 6; k++)
			add_goroutines(tune, 2000, cases[i].stack, 1000 + 60 * k);
		run_tune(tune);
		assert_null(find_finding(tune, "goroutine-leak"));
		pf_tune_free(tune);
	}
}

/* A library's loop that waits for the network: one for each connection, unless a series shows more. */
static void
a_librarys_loops_at_rest_are_unsure(void **state)
{
	static const char *const loop[] = {"runtime.gopark", "internal/poll.runtime_pollWait",
	    "net.(*netFD).Read", "crypto/tls.(*Conn).Read", NULL};
	struct pf_tune *tune = new_tune();
	const struct pf_finding *finding;
	(void)state;

	add_goroutines(tune, 3000, loop, 1000);
	run_tune(tune);
	finding = find_finding(tune, "goroutine-leak");
	assert_non_null(finding);
	assert_int_equal(finding->severity, PF_SEVERITY_LOW);
	assert_int_equal(finding->confidence, PF_CONFIDENCE_LOW);
	assert_non_null(
	    strstr(pf_said(&tune->findings, finding->title), "crypto/tls.(*Conn).Read"));
	pf_tune_free(tune);
	tune = new_tune();
	for (int i = 0; i < 6; i++)
		add_goroutines(tune, 3000, loop, 1000 + i);
	run_tune(tune);
	assert_null(find_finding(tune, "goroutine-leak"));
	pf_tune_free(tune);
}

/* Subscribers that all get something now and then: few of them wait at that moment, and as many as before later. */
static void
subscribers_that_come_back_are_no_leak(void **state)
{
	static const char *const poll[] = {"runtime.gopark", "runtime.selectgo", "main.wait",
	    "net/http.serverHandler.ServeHTTP", "net/http.(*conn).serve", NULL};
	static const int counts[][6] = {
	    {200, 1200, 1200, 100, 1200, 1200}, {500, 1000, 100, 600, 1100, 1200}};
	(void)state;

	for (size_t k = 0; k < 2; k++) {
		struct pf_tune *tune = new_tune();

		for (int i = 0; i < 6; i++)
			add_goroutines(tune, counts[k][i], poll, 1000 + 5 * i);
		run_tune(tune);
		assert_null(find_finding(tune, "goroutine-leak"));
		pf_tune_free(tune);
	}
}

/* Workers that all wait for a database, and requests in a queue before them: these are no work of the service's. */
static void
requests_that_wait_for_their_turn_hide_nobody_who_waits_outside(void **state)
{
	static const char *const worker[] = {"runtime.gopark", "internal/poll.runtime_pollWait",
	    "net.(*conn).Read", "bufio.(*Reader).ReadString", "main.ask", "main.worker", NULL};
	static const char *const queued[] = {"runtime.gopark", "runtime.chansend",
	    "runtime.chansend1", "main.answer", "net/http.serverHandler.ServeHTTP",
	    "net/http.(*conn).serve", NULL};
	static const char *const subscribed[] = {"runtime.gopark", "runtime.chanrecv",
	    "runtime.chanrecv1", "main.events", "net/http.serverHandler.ServeHTTP",
	    "net/http.(*conn).serve", NULL};
	static const struct {
		const char *const *others;
		bool found;
	} cases[] = {{queued, true}, {subscribed, false}};
	(void)state;

	for (size_t i = 0; i < 2; i++) {
		struct pf_tune *tune = new_tune();

		add_both(tune, 8, worker, 100, cases[i].others);
		run_tune(tune);
		assert_int_equal(find_finding(tune, "external-wait") != NULL, cases[i].found);
		pf_tune_free(tune);
	}
}

/* Three that ask somebody, and requests behind them, at any time: once is no time, nor are three alone. */
static void
few_that_wait_outside_are_told_where_requests_wait_for_their_turn(void **state)
{
	static const char *const asks[] = {"runtime.gopark", "internal/poll.runtime_pollWait",
	    "net.(*conn).Read", "bufio.(*Reader).ReadString", "main.ask",
	    "net/http.serverHandler.ServeHTTP", "net/http.(*conn).serve", NULL};
	static const char *const queued[] = {"runtime.gopark", "runtime.chansend",
	    "runtime.chansend1", "main.answer", "net/http.serverHandler.ServeHTTP",
	    "net/http.(*conn).serve", NULL};
	static const struct {
		int snapshots, queued, last;
		bool found;
	} cases[] = {{5, 20, 20, true}, {1, 20, 20, false}, {5, 20, 1, false}, {5, 0, 20, false}};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_tune *tune = new_tune();
		const struct pf_finding *finding;

		for (int k = 0; k < cases[i].snapshots; k++)
			add_both(tune, 3, asks,
			    k + 1 < cases[i].snapshots ? cases[i].queued : cases[i].last, queued);
		run_tune(tune);
		finding = find_finding(tune, "external-wait");
		assert_int_equal(finding != NULL, cases[i].found);
		if (finding) {
			assert_int_equal(finding->confidence, PF_CONFIDENCE_LOW);
			assert_int_equal(finding->severity, PF_SEVERITY_MEDIUM);
			assert_int_equal(finding->advice_count, 2);
		}
		pf_tune_free(tune);
	}
}

/* Who shares a channel with many spins for its lock; a mutex has a finding of its own. */
static void
processor_time_at_the_locks_of_channels_is_told(void **state)
{
	static const char *const types[] = {"samples", "count", "cpu", "nanoseconds", NULL};
	static const struct {
		const char *inner;
		bool found;
	} cases[] = {{"runtime.chansend", true}, {"internal/sync.(*Mutex).lockSlow", false}};
	(void)state;

	for (size_t i = 0; i < 2; i++) {
		const struct test_sample samples[] = {
		    {.stack = {"runtime.procyield", "runtime.lock2", cases[i].inner, "main.relay",
			 "main.main.func1"},
			.values = {600, 6000000000}},
		    {.stack = {"runtime.memmove", "runtime.chanrecv", "main.relay",
			 "main.main.func1"},
			.values = {100, 1000000000}},
		    {.stack = {"main.work", "main.main.func1"}, .values = {300, 3000000000}},
		    {.stack = {NULL}}};
		struct pf_tune *tune = new_tune();
		const struct pf_finding *finding;

		add_labelled(tune, types, samples, 10, 1000, false);
		run_tune(tune);
		finding = find_finding(tune, "lock-contention");
		assert_int_equal(finding != NULL, cases[i].found);
		if (finding)
			assert_non_null(strstr(pf_said(&tune->findings, finding->title),
			    "60.0 % of the CPU time is spent at the locks of channels, most of it "
			    "in "
			    "main.relay"));
		pf_tune_free(tune);
	}
}

static const char *const in_select[] = {"runtime.gopark", "runtime.selectgo", "main.stream",
    "net/http.HandlerFunc.ServeHTTP", "net/http.serverHandler.ServeHTTP", "net/http.(*conn).serve",
    NULL};
static const char *const in_send[] = {"runtime.gopark", "runtime.chansend", "runtime.chansend1",
    "main.note", "net/http.serverHandler.ServeHTTP", "net/http.(*conn).serve", NULL};
static const char *const read_ahead[] = {"internal/poll.runtime_pollWait", "net.(*conn).Read",
    "net/http.(*connReader).backgroundRead", NULL};

/* Six snapshots over five minutes of what becomes more by `by` each, beside others. */
static struct pf_tune *
watch_both(const char *const *stack, const char *const *other, int by, int others)
{
	struct pf_tune *tune = new_tune();

	for (int i = 0; i < 6; i++) {
		struct pf_evidence *e = &tune->evidence;

		add_both(tune, 500 + by * i, stack, 500 + others * i, other);
		e->profiles[e->profile_count - 1].time_nanos =
		    (1000 + 60 * (int64_t)i) * 1000000000;
	}
	run_tune(tune);
	return tune;
}

/* Clients that connect again, each with a stream of its own; and such as went and left theirs behind. */
static void
what_comes_with_connections_is_no_leak(void **state)
{
	struct pf_tune *tune = watch_both(in_select, read_ahead, 300, 300);
	(void)state;

	assert_int_equal(pf_tune_finding_count(tune), 0);
	pf_tune_free(tune);
	tune = watch_both(in_select, read_ahead, 300, 2);
	assert_int_equal(find_finding(tune, "goroutine-leak")->confidence, PF_CONFIDENCE_HIGH);
	pf_tune_free(tune);
	tune = watch_both(in_send, read_ahead, 300, 300); /* for want of a reader in the service */
	assert_int_equal(find_finding(tune, "goroutine-leak")->confidence, PF_CONFIDENCE_HIGH);
	pf_tune_free(tune);
}

/* Connections whose answer somebody waits for are not at rest: who asks is told, and that it sets no deadline. */
static void
requests_without_an_answer_are_told_of_who_asks(void **state)
{
	static const char *const asks[] = {"runtime.gopark", "runtime.selectgo",
	    "net/http.(*persistConn).roundTrip", "net/http.(*Transport).roundTrip",
	    "net/http.(*Client).Do", "main.rates", "net/http.serverHandler.ServeHTTP", NULL};
	static const char *const reads[] = {"internal/poll.runtime_pollWait", "net.(*conn).Read",
	    "net/http.(*persistConn).Read", "bufio.(*Reader).Peek",
	    "net/http.(*persistConn).readLoop", NULL};
	struct pf_tune *tune = watch_both(asks, reads, 300, 300);
	const struct pf_findings *f = &tune->findings;
	size_t piles = 0;
	(void)state;

	for (size_t i = 0; i < f->finding_count; i++) {
		const struct pf_finding *finding = &f->findings[i];

		if (strcmp(finding->kind, "goroutine-leak") != 0)
			continue;
		piles++;
		assert_non_null(strstr(pf_said(f, finding->title), "main.rates"));
		assert_non_null(
		    strstr(pf_said(f, f->advices[finding->first_advice].action), "a deadline"));
	}
	assert_int_equal(piles, 1);
	pf_tune_free(tune);
}

/* Finalizers run one after the other: one that waits keeps all others from it; one that is at work does not. */
static void
a_finalizer_that_waits_is_told(void **state)
{
	static const char *const waits[] = {"runtime.gopark", "runtime.chansend",
	    "runtime.chansend1", "main.open.func1", "runtime.runFinalizers", NULL};
	static const char *const works[] = {"main.open.func1", "runtime.runFinalizers", NULL};
	(void)state;

	for (int i = 0; i < 3; i++) {
		struct pf_tune *tune = new_tune();
		const struct pf_finding *found;

		for (int k = 0; k < 5; k++)
			add_goroutines(tune, 1, i == 2 || (i && k == 3) ? works : waits,
			    1000 + 10 * (int64_t)k);
		run_tune(tune);
		found = find_finding(tune, "goroutine-leak");
		assert_int_equal(found != NULL, !i);
		if (found)
			assert_non_null(strstr(pf_said(&tune->findings, found->title),
			    "The finalizer main.open.func1 waits"));
		pf_tune_free(tune);
	}
}

/* Subscribers that stay as many as they are wait for what comes; who waits to send is held up, or forgotten. */
static void
senders_that_become_no_more_are_told_as_unsure(void **state)
{
	static const char *const sends[] = {
	    "runtime.gopark", "runtime.chansend", "runtime.chansend1", "main.ask.func1", NULL};
	static const char *const receives[] = {
	    "runtime.gopark", "runtime.chanrecv", "runtime.chanrecv1", "main.listen.func1", NULL};
	(void)state;

	for (int receive = 0; receive <= 1; receive++) {
		struct pf_tune *tune = new_tune();
		const struct pf_finding *found;

		for (int64_t k = 0; k < 5; k++)
			add_goroutines(tune, 3000, receive ? receives : sends, 1000 + 60 * k);
		run_tune(tune);
		found = find_finding(tune, "goroutine-leak");
		assert_int_equal(found != NULL, !receive);
		if (found) {
			assert_int_equal(found->confidence, PF_UNSURE);
			assert_int_equal(found->severity, PF_SEVERITY_LOW);
		}
		pf_tune_free(tune);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_slow_steady_rise_is_told_as_unsure),
	    cmocka_unit_test(a_dump_stands_in_no_series),
	    cmocka_unit_test(without_times_nothing_is_said_of_seconds),
	    cmocka_unit_test(connections_that_are_kept_are_no_leak),
	    cmocka_unit_test(a_clients_connections_that_become_more_are_told),
	    cmocka_unit_test(a_librarys_loops_at_rest_are_unsure),
	    cmocka_unit_test(processor_time_at_the_locks_of_channels_is_told),
	    cmocka_unit_test(subscribers_that_come_back_are_no_leak),
	    cmocka_unit_test(requests_that_wait_for_their_turn_hide_nobody_who_waits_outside),
	    cmocka_unit_test(few_that_wait_outside_are_told_where_requests_wait_for_their_turn),
	    cmocka_unit_test(a_finalizer_that_waits_is_told),
	    cmocka_unit_test(what_comes_with_connections_is_no_leak),
	    cmocka_unit_test(requests_without_an_answer_are_told_of_who_asks),
	    cmocka_unit_test(senders_that_become_no_more_are_told_as_unsure),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
