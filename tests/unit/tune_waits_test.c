/*
 * What threads of C wait for, as the agent's profiles tell it of a program without names (tests/quality/tuner/waiters.c):
 * waiting for work is healthy, waiting for a lock is not; by agents that name their own frames, and by older ones
 * whose labels must do.
 */
#include <profuse/tune.h>

#include "profile/encode.h"
#include "support/sample_profile.h"
#include "support/tuned.h"
#include "tuner/code.h"

static void
expect_none(struct pf_tune *tune)
{
	run_tune(tune);
	if (pf_tune_finding_count(tune))
		fail_msg("%s: %s", pf_tune_finding_kind(tune, 0), pf_tune_finding_title(tune, 0));
	pf_tune_free(tune);
}

/* One finding of this kind whose title begins so. */
static void
expect(struct pf_tune *tune, const char *kind, const char *title)
{
	run_tune(tune);
	assert_int_equal(pf_tune_finding_count(tune), 1);
	assert_string_equal(pf_tune_finding_kind(tune, 0), kind);
	if (strncmp(pf_tune_finding_title(tune, 0), title, strlen(title)) != 0)
		fail_msg("%s", pf_tune_finding_title(tune, 0));
	pf_tune_free(tune);
}

static void
threads_that_wait_for_work_wait_for_no_lock(void **state)
{
	static const char *const healthy[][2] = {{"tune/pool/block.pb.gz", "tune/pool/mutex.pb.gz"},
	    {"tune/pool-older/block.pb.gz", "tune/pool-older/mutex.pb.gz"}};
	(void)state;

	for (size_t i = 0; i < sizeof healthy / sizeof *healthy; i++) {
		struct pf_tune *tune = new_tune();
		add_fixture(tune, healthy[i][0], false);
		add_fixture(tune, healthy[i][1], false);
		expect_none(tune);
	}
}

static void
threads_that_wait_for_a_lock_are_found(void **state)
{
	static const struct {
		const char *fixture, *title;
	} contended[] = {{"tune/contended/block.pb.gz", "[waiters] waited "},
	    {"tune/contended/mutex.pb.gz", "Others waited "},
	    {"tune/contended-older/block.pb.gz", ""},
	    {"tune/contended-older/mutex.pb.gz", "Others waited "}};
	(void)state;

	for (size_t i = 0; i < sizeof contended / sizeof *contended; i++) {
		struct pf_tune *tune = new_tune();
		add_fixture(tune, contended[i].fixture, false);
		expect(tune, "lock-contention", contended[i].title);
	}
}

/* The pool's many long waits beside the lock's: only the lock's count. */
static void
what_waits_for_work_is_not_added_to_a_lock(void **state)
{
	struct pf_tune *tune = new_tune();
	struct pf_profile *p = read_fixture_profile("tune/pool/block.pb.gz");
	struct pf_error err = {0};
	uint32_t id;
	(void)state;

	/* A hundredth of it, at a lock: too little. */
	assert_int_equal(p->sample_count, 1);
	for (size_t i = 0; i < p->function_count; i++) {
		const char *name = pf_profile_string(p, p->functions[i].name);
		if (strcmp(name, "pthread_cond_wait") != 0)
			continue;
		assert_int_equal(
		    pf_strings_add(&p->strings, "pthread_mutex_lock", 18, &id, &err), 0);
		p->functions[i].name = id;
	}
	for (size_t i = 0; i < p->type_count; i++)
		p->values[i] /= 10000;
	add_fixture(tune, "tune/pool/block.pb.gz", false);
	add_profile(tune, p);
	pf_profile_free(p);
	expect_none(tune);
}

/* Neither names nor labels: it may be anything, so nothing is said. */
static void
waits_for_who_knows_what_are_no_finding(void **state)
{
	static const char *const unknown[] = {"tune/pool-older/block.pb.gz",
	    "tune/contended-older/block.pb.gz", "tune/contended-older/mutex.pb.gz"};
	(void)state;

	for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
		struct pf_tune *tune = new_tune();
		struct pf_profile *p = read_fixture_profile(unknown[i]);
		memset(p->label_starts, 0, (p->sample_count + 1) * sizeof *p->label_starts);
		p->label_count = 0;
		add_profile(tune, p);
		pf_profile_free(p);
		expect_none(tune);
	}
}

/* `times` as many threads as the fixture has, in one snapshot taken at `seconds`. */
static void
add_threads(struct pf_tune *tune, const char *fixture, int64_t times, int64_t seconds)
{
	struct pf_profile *p = read_fixture_profile(fixture);

	for (size_t i = 0; i < p->sample_count * p->type_count; i++)
		p->values[i] *= times;
	p->time_nanos = seconds * 1000000000;
	add_profile(tune, p);
	pf_profile_free(p);
}

static void
a_pool_is_no_leak(void **state)
{
	static const char *const pools[] = {
	    "tune/pool/threads.pb.gz", "tune/pool-older/threads.pb.gz"};
	(void)state;

	for (size_t i = 0; i < sizeof pools / sizeof *pools; i++) {
		struct pf_tune *tune = new_tune();
		add_threads(tune, pools[i], 1, 1000);
		expect_none(tune);
	}
}

/* Of main, which sleeps, and 300 that wait for work, nothing is told but what each does. */
static void
threads_that_sleep_are_told_of_those_that_sleep(void **state)
{
	struct pf_tune *tune = new_tune();
	const struct pf_evidence_stack *shown;
	const struct pf_findings *f = &tune->findings;
	(void)state;

	add_threads(tune, "tune/stuck/threads.pb.gz", 1, 1000);
	run_tune(tune);
	assert_int_equal(pf_tune_finding_count(tune), 1);
	assert_string_equal(pf_tune_finding_title(tune, 0), "601 threads are asleep in [waiters]");
	shown = &f->stacks[f->findings[0].first_stack];
	assert_int_equal(f->findings[0].stack_count, 2);
	assert_true(shown[0].value == 600 && shown[1].value == 1);
	pf_tune_free(tune);
}

/* Pollers: as many as before each time, until they become more or are thousands. */
static void
sleepers_that_stay_as_they_are_are_no_leak(void **state)
{
	static const struct {
		int64_t times, more;
		enum pf_confidence confidence;
	} told[] = {{2, 0, PF_UNSURE}, {1, 1, PF_CONFIDENCE_MEDIUM}};
	struct pf_tune *tune = new_tune();
	(void)state;

	for (int64_t i = 0; i < 6; i++)
		add_threads(tune, "tune/stuck/threads.pb.gz", 1, 1000 + 60 * i);
	expect_none(tune);
	for (size_t k = 0; k < sizeof told / sizeof *told; k++) {
		tune = new_tune();
		for (int64_t i = 0; i < 6; i++)
			add_threads(tune, "tune/stuck/threads.pb.gz",
			    told[k].times + told[k].more * i, 1000 + 60 * i);
		run_tune(tune);
		assert_non_null(find_finding(tune, "thread-leak"));
		assert_int_equal(find_finding(tune, "thread-leak")->confidence, told[k].confidence);
		pf_tune_free(tune);
	}
	tune = new_tune(); /* of one moment alone nothing is sure */
	add_threads(tune, "tune/stuck/threads.pb.gz", 1, 1000);
	run_tune(tune);
	assert_int_equal(find_finding(tune, "thread-leak")->confidence, PF_CONFIDENCE_LOW);
	assert_int_equal(find_finding(tune, "thread-leak")->severity, PF_SEVERITY_LOW);
	pf_tune_free(tune);
}

static void
thousands_that_sleep_are_severe(void **state)
{
	struct pf_tune *tune = new_tune();
	(void)state;

	add_threads(tune, "tune/stuck/threads.pb.gz", 8, 1000);
	run_tune(tune);
	assert_int_equal(pf_tune_finding_count(tune), 1);
	assert_int_equal(tune->findings.findings[0].severity, PF_SEVERITY_HIGH);
	assert_int_equal(tune->findings.findings[0].confidence, PF_CONFIDENCE_MEDIUM);
	pf_tune_free(tune);
}

/* One snapshot of very many can't tell; a series of them can. */
static void
a_pool_of_very_many_is_unsure_until_a_series_shows_it(void **state)
{
	struct pf_tune *tune = new_tune();
	(void)state;

	add_threads(tune, "tune/pool/threads.pb.gz", 5, 1000);
	run_tune(tune);
	assert_int_equal(pf_tune_finding_count(tune), 1);
	assert_string_equal(pf_tune_finding_title(tune, 0),
	    "1500 threads are waiting for another thread in [waiters]");
	assert_int_equal(tune->findings.findings[0].severity, PF_SEVERITY_MEDIUM);
	assert_int_equal(tune->findings.findings[0].confidence, PF_CONFIDENCE_LOW);
	pf_tune_free(tune);

	tune = new_tune();
	for (int64_t i = 0; i < 6; i++)
		add_threads(tune, "tune/pool/threads.pb.gz", 5, 1000 + 60 * i);
	expect_none(tune);
}

static void
threads_that_become_more_are_a_leak(void **state)
{
	struct pf_tune *tune = new_tune();
	(void)state;

	for (int64_t i = 0; i < 6; i++)
		add_threads(tune, "tune/pool/threads.pb.gz", 1 + i, 1000 + 60 * i);
	expect(tune, "thread-leak",
	    "1806 threads are waiting for another thread in [waiters], and "
	    "they become more");
}

/* Beside a base that is younger than they are, numbers that go up and down still don't rise. */
static void
a_younger_base_makes_no_trend(void **state)
{
	static const int64_t times[] = {2, 3, 1, 3};
	struct pf_tune *tune = new_tune();
	struct pf_profile *base = read_fixture_profile("tune/pool/threads.pb.gz");
	struct pf_buffer out = {.maximum = 1 << 20};
	struct pf_error err = {0};
	(void)state;

	for (size_t i = 0; i < base->sample_count * base->type_count; i++)
		base->values[i] *= 3;
	base->time_nanos = INT64_C(5000) * 1000000000;
	assert_int_equal(pf_profile_encode(base, &out, &err), 0);
	assert_int_equal(pf_tune_add(tune, "base", out.bytes, out.size, true, &err), 0);
	for (int64_t i = 0; i < 4; i++)
		add_threads(tune, "tune/pool/threads.pb.gz", times[i], 1000 + 60 * i);
	expect_none(tune);
	pf_buffer_release(&out);
	pf_profile_free(base);
}

/* Of 602 that live nobody knows who created them: whether many have ended is told by the sum over all who did. */
static void
who_ended_is_told_by_all_that_were_created(void **state)
{
	static const struct {
		int requests, pool; /* created by each */
		size_t findings;
		bool sure;
	} cases[] = {
	    {500, 601, 2, false}, {500, 101, 0, false}, {500, 250, 0, false}, {700, 1, 1, true}};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_tune *tune = new_tune();
		struct pf_error err = {0};
		char text[512];
		int size = snprintf(text, sizeof text,
		    "threadcreate profile: total %d\n%d @ 0x401001\n%d @ 0x801001\n\n"
		    "MAPPED_LIBRARIES:\n"
		    "00400000-00500000 r-xp 00000000 08:01 1 /bin/waiters\n"
		    "00800000-00900000 r-xp 00000000 08:01 2 /lib/requests.so\n",
		    cases[i].requests + cases[i].pool, cases[i].pool, cases[i].requests);

		assert_int_equal(pf_tune_add(tune, "created", text, (size_t)size, false, &err), 0);
		add_threads(tune, "tune/pool/threads.pb.gz", 2, 1000);
		run_tune(tune);
		assert_int_equal(pf_tune_finding_count(tune), cases[i].findings);
		for (size_t k = 0; k < cases[i].findings; k++) {
			assert_non_null(strstr(pf_tune_finding_title(tune, k), "created for ["));
			assert_int_equal(tune->findings.findings[k].confidence > PF_CONFIDENCE_LOW,
			    cases[i].sure);
		}
		pf_tune_free(tune);
	}
}

/* Who created the pool is no leak either, as long as they are all there. */
static void
threads_that_were_created_and_live_are_judged_by_what_they_do(void **state)
{
	struct pf_profile *p = read_fixture_profile("tune/threads/threadcreate.pb.gz");
	struct pf_tune *tune = new_tune();
	(void)state;

	/* As if the pool's program had created them. */
	assert_int_equal(
	    pf_strings_add(&p->strings, "/waiters", 8, &p->mappings[0].filename, NULL), 0);
	add_profile(tune, p);
	add_threads(tune, "tune/pool/threads.pb.gz", 900, 1000);
	run_tune(tune);
	for (size_t i = 0; i < pf_tune_finding_count(tune); i++)
		assert_null(strstr(pf_tune_finding_title(tune, i), "created"));
	pf_tune_free(tune);

	tune = new_tune();
	add_profile(tune, p);
	add_threads(tune, "tune/pool/threads.pb.gz", 1, 1000);
	run_tune(tune);
	assert_int_equal(pf_tune_finding_count(tune), 1);
	assert_non_null(strstr(pf_tune_finding_title(tune, 0), "created"));
	pf_profile_free(p);
	pf_tune_free(tune);
}

/* A fixture's threads beside its CPU profile, without the labels that say whose word they wait for. */
static void
add_without_labels(struct pf_tune *tune, const char *threads, const char *cpu)
{
	struct pf_profile *p = read_fixture_profile(threads);

	memset(p->label_starts, 0, (p->sample_count + 1) * sizeof *p->label_starts);
	p->label_count = 0;
	add_profile(tune, p);
	pf_profile_free(p);
	add_fixture(tune, cpu, false);
}

/* Who serves connections reads in the same call as who asks: the agent says which, and nothing else does. */
static void
clients_are_waited_for_by_whoever_serves_them(void **state)
{
	struct pf_tune *tune = new_tune();
	(void)state;

	add_fixture(tune, "tune/clients/threads.pb.gz", false);
	add_fixture(tune, "tune/clients/cpu.pb.gz", false);
	expect_none(tune);

	tune = new_tune();
	add_fixture(tune, "tune/backend/threads.pb.gz", false);
	add_fixture(tune, "tune/backend/cpu.pb.gz", false);
	run_tune(tune);
	assert_int_equal(find_finding(tune, "external-wait")->confidence, PF_CONFIDENCE_MEDIUM);
	pf_tune_free(tune);

	tune = new_tune();
	add_without_labels(tune, "tune/clients/threads.pb.gz", "tune/clients/cpu.pb.gz");
	run_tune(tune);
	assert_int_equal(find_finding(tune, "external-wait")->confidence, PF_CONFIDENCE_LOW);
	pf_tune_free(tune);

	tune = new_tune();
	add_without_labels(tune, "tune/backend/threads.pb.gz", "tune/backend/cpu.pb.gz");
	run_tune(tune);
	assert_int_equal(find_finding(tune, "external-wait")->confidence, PF_CONFIDENCE_LOW);
	pf_tune_free(tune);
}

/* A program that fills its pool while it is watched for a short time: not sure. */
static void
threads_that_become_more_for_a_short_time_are_told_modestly(void **state)
{
	static const int64_t fills[] = {1, 3, 3, 3, 3, 3};
	struct pf_tune *tune = new_tune();
	(void)state;

	for (int64_t i = 0; i < 6; i++)
		add_threads(tune, "tune/pool/threads.pb.gz", 1 + i, 1000 + 3 * i);
	run_tune(tune);
	assert_int_equal(pf_tune_finding_count(tune), 1);
	assert_int_equal(tune->findings.findings[0].confidence, PF_CONFIDENCE_LOW);
	pf_tune_free(tune);

	tune = new_tune();
	for (int64_t i = 0; i < 6; i++)
		add_threads(tune, "tune/pool/threads.pb.gz", fills[i], 1000 + 3 * i);
	expect_none(tune);
}

/* The label of a sample; NULL: it has none of this key. */
static struct pf_label *
label_of(struct pf_profile *p, size_t sample, const char *key)
{
	for (uint64_t i = p->label_starts[sample]; i < p->label_starts[sample + 1]; i++) {
		if (strcmp(pf_profile_string(p, p->labels[i].key), key) == 0)
			return &p->labels[i];
	}
	return NULL;
}

static uint32_t
text_of(struct pf_profile *p, const char *text)
{
	struct pf_error err = {0};
	uint32_t id;

	assert_int_equal(pf_strings_add(&p->strings, text, strlen(text), &id, &err), 0);
	return id;
}

static void
set_wait(struct pf_profile *p, size_t sample, const char *word)
{
	label_of(p, sample, "wait")->string = text_of(p, word);
}

/* The fixture's second thread waits for the seventh, which waits for a lock that it holds itself. */
static void
who_joins_a_waiter_for_its_lock_is_a_deadlock(void **state)
{
	enum { FIRST = 1, SECOND = 6 };
	static const struct {
		int64_t joined; /* since then, nanoseconds */
		enum pf_confidence confidence;
	} cases[] = {
	    {INT64_C(9000000000), PF_CONFIDENCE_HIGH}, {INT64_C(3000000000), PF_CONFIDENCE_MEDIUM}};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_tune *tune = new_tune();
		struct pf_profile *p = read_fixture_profile("tune/locked/threads.pb.gz");
		const struct pf_finding *found;

		set_wait(p, FIRST, "join");
		label_of(p, FIRST, "holder")->number = label_of(p, SECOND, "tid")->number;
		label_of(p, FIRST, "waited")->number = cases[i].joined;
		label_of(p, SECOND, "holder")->number = label_of(p, FIRST, "tid")->number;
		label_of(p, SECOND, "waited")->number = INT64_C(9000000000);
		add_profile(tune, p);
		run_tune(tune);
		found = find_finding(tune, "deadlock");
		assert_non_null(found);
		assert_non_null(strstr(
		    pf_said(&tune->findings, found->title), " waits for the end of a thread"));
		assert_int_equal(found->confidence, cases[i].confidence);
		assert_int_equal(found->caveat_count, i);
		pf_tune_free(tune);
		pf_profile_free(p);
	}
}

/* Every thread's label of this key, where it has one. */
static void
relabel(struct pf_profile *p, const char *key, const char *text, int64_t number)
{
	for (size_t i = 0; i < p->sample_count; i++) {
		struct pf_label *l = label_of(p, i, key);

		if (l && text)
			l->string = text_of(p, text);
		else if (l)
			l->number = number;
	}
}

/* 300 threads with a connection each, all idle but some, and then more of them. */
static void
threads_that_wait_for_clients_are_no_leak(void **state)
{
	struct pf_tune *tune = new_tune();
	(void)state;

	add_threads(tune, "tune/clients/threads.pb.gz", 10, 1000);
	add_fixture(tune, "tune/clients/cpu.pb.gz", false);
	expect_none(tune);

	tune = new_tune();
	for (int64_t i = 0; i < 6; i++)
		add_threads(tune, "tune/clients/threads.pb.gz", 10 + i, 1000 + 60 * i);
	add_fixture(tune, "tune/clients/cpu.pb.gz", false);
	expect_none(tune);
}

/* A pool may as well wait for work at pipes: as many as there are, they are none until they become more. */
static void
threads_that_wait_at_their_own_pipes_are_a_pool(void **state)
{
	struct pf_tune *tune = new_tune();
	struct pf_profile *p = read_fixture_profile("tune/clients/threads.pb.gz");
	(void)state;

	relabel(p, "peer", "self", 0);
	for (size_t i = 0; i < p->sample_count * p->type_count; i++)
		p->values[i] *= 10;
	add_profile(tune, p);
	expect_none(tune);

	tune = new_tune();
	for (int64_t i = 0; i < 6; i++) {
		p->time_nanos = (1000 + 60 * i) * 1000000000;
		add_profile(tune, p);
		for (size_t k = 0; k < p->sample_count * p->type_count; k++)
			p->values[k] += 2;
	}
	expect(tune, "thread-leak", "640 threads are waiting for another thread in ");
	pf_profile_free(p);
}

/* Who reads from a server for longer than a request would may have subscribed there; who connects or reads a file not. */
static void
subscribers_are_told_modestly(void **state)
{
	static const struct {
		const char *call, *peer;
		int64_t waited;
		bool sure;
	} cases[] = {
	    {"poll", "server", INT64_C(60000000000), false},
	    {"read", "server", INT64_C(60000000000), false},
	    {"read", "server", INT64_C(2000000000), false}, /* no thread serves anybody */
	    {"read", "server", INT64_C(500000000), true},
	    {"read", "file", INT64_C(60000000000), true},
	    {"connect", "server", INT64_C(60000000000), true},
	    {"sendmsg", "server", INT64_C(60000000000), true},
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_tune *tune = new_tune();
		struct pf_profile *p = read_fixture_profile("tune/backend/threads.pb.gz");
		const struct pf_finding *found;

		relabel(p, "wait", cases[i].call, 0);
		relabel(p, "peer", cases[i].peer, 0);
		relabel(p, "waited", NULL, cases[i].waited);
		add_profile(tune, p);
		pf_profile_free(p);
		add_fixture(tune, "tune/backend/cpu.pb.gz", false);
		run_tune(tune);
		found = find_finding(tune, "external-wait");
		assert_non_null(found);
		assert_int_equal(
		    found->confidence, cases[i].sure ? PF_CONFIDENCE_MEDIUM : PF_CONFIDENCE_LOW);
		assert_int_equal(
		    found->severity, cases[i].sure ? PF_SEVERITY_HIGH : PF_SEVERITY_LOW);
		pf_tune_free(tune);
	}
}

/*
 * Nobody knows who holds a lock for reading: where all others are idle and no wait is short, it is suspected. A holder
 * who is known, and is none of the threads, is of another process: workers take turns at its lock.
 */
static void
locks_that_nobody_is_known_to_hold_are_suspected_where_nothing_runs(void **state)
{
	static const struct {
		const char *other; /* what another thread does */
		int64_t waited, holder;
		bool suspected;
	} cases[] = {{"epoll_wait", INT64_C(9000000000), 0, true},
	    {"epoll_wait", INT64_C(9000000000), 1 << 30, false},
	    {"epoll_wait", INT64_C(200000000), 0, false},
	    {"running", INT64_C(9000000000), 0, false}};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_profile *p = read_fixture_profile("tune/locked/threads.pb.gz");
		struct pf_tune *tune = new_tune();
		const struct pf_finding *found;

		for (size_t k = 0; k < p->sample_count; k++) {
			struct pf_label *holder = label_of(p, k, "holder");
			if (!holder)
				continue;
			holder->number = cases[i].holder;
			label_of(p, k, "waited")->number = cases[i].waited;
			set_wait(p, k, "rwlock");
		}
		set_wait(p, 2, cases[i].other);
		add_profile(tune, p);
		run_tune(tune);
		found = find_finding(tune, "deadlock");
		assert_int_equal(found != NULL, cases[i].suspected);
		if (found)
			assert_int_equal(found->confidence, PF_UNSURE);
		pf_tune_free(tune);
		pf_profile_free(p);
	}
}

/* Gives every sample's leaf, whatever its name was, this one. */
static void
name_leaves(struct pf_profile *p, const char *name)
{
	for (size_t i = 0; i < p->sample_count; i++) {
		uint64_t line = p->line_starts[p->frames[p->frame_starts[i]]];
		p->functions[p->lines[line].function].name = text_of(p, name);
	}
}

static void
locks_that_spin_are_found_on_the_processor(void **state)
{
	struct pf_tune *tune = new_tune();
	struct pf_profile *p = read_fixture_profile("tune/recursion/cpu.pb.gz");
	const struct pf_finding *found;
	(void)state;

	name_leaves(p, "pthread_spin_lock");
	add_profile(tune, p);
	run_tune(tune);
	found = find_finding(tune, "lock-contention");
	assert_non_null(found);
	assert_int_equal(found->confidence, PF_CONFIDENCE_MEDIUM);
	assert_non_null(strstr(pf_said(&tune->findings, found->title), "spinning for locks"));
	pf_tune_free(tune);
	pf_profile_free(p);
}

/* A third of a thread that waits on average may be others' load on the machine, a seventh tells nothing. */
static void
few_that_wait_on_average_are_told_modestly(void **state)
{
	static const struct {
		int64_t times; /* as long as was waited, the profile is */
		enum pf_confidence confidence;
	} cases[] = {{3, PF_CONFIDENCE_LOW}, {7, PF_UNSURE}};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_tune *tune = new_tune();
		struct pf_profile *p = read_fixture_profile("tune/contended/block.pb.gz");

		p->duration_nanos = p->values[1] * cases[i].times;
		add_profile(tune, p);
		run_tune(tune);
		assert_int_equal(pf_tune_finding_count(tune), 1);
		assert_int_equal(tune->findings.findings[0].severity, PF_SEVERITY_LOW);
		assert_int_equal(tune->findings.findings[0].confidence, cases[i].confidence);
		pf_tune_free(tune);
		pf_profile_free(p);
	}
}

/* Of C nobody is told of Go's types, nor to share what is shared. */
static void
advice_is_of_the_language_and_the_lock(void **state)
{
	static const char *const locks[] = {"pthread_mutex_lock", "pthread_rwlock_wrlock"};
	(void)state;

	for (size_t i = 0; i < sizeof locks / sizeof *locks; i++) {
		struct pf_tune *tune = new_tune();
		struct pf_profile *p = read_fixture_profile("tune/contended/block.pb.gz");
		const struct pf_findings *f = &tune->findings;
		const char *action;

		name_leaves(p, locks[i]);
		add_profile(tune, p);
		run_tune(tune);
		assert_int_equal(f->finding_count, 1);
		action = pf_said(f, f->advices[f->findings[0].first_advice].action);
		assert_null(strstr(action, "RWMutex"));
		assert_int_equal(strstr(action, "let readers share it") != NULL, i == 0);
		pf_tune_free(tune);
		pf_profile_free(p);
	}
}

/* A profile of 10 s, of one stack of three functions, leaf first, and two types, each with its unit. */
static void
add_one(struct pf_tune *tune, const char *const *types, const char *const *functions,
    const int64_t *values)
{
	struct pf_buffer b = {.maximum = 1 << 20};
	struct pf_error err = {0};

	add_string(&b, "");
	for (size_t i = 0; i < 4; i++)
		add_string(&b, types[i]);
	for (size_t i = 0; i < 3; i++)
		add_string(&b, functions[i]);
	add_type(&b, 1, 2);
	add_type(&b, 3, 4);
	add_sample(&b, (uint64_t[]){1, 2, 3}, 3, values, 2, 1);
	for (uint64_t i = 1; i <= 3; i++) {
		add_function(&b, i, 4 + i, 0);
		add_location(&b, i, 0, 0x1000 * i, i, 0);
	}
	pf_wire_varint(&b, PF_PROFILE_DURATION_NANOS, 10000000000);
	if (pf_tune_add(tune, functions[0], b.bytes, b.size, false, &err))
		fail_msg("%s", err.message);
	pf_buffer_release(&b);
}

/* 20 s of waiting in 1,000 contentions. */
static void
add_contention(struct pf_tune *tune, const char *const *functions)
{
	static const char *const types[] = {"contentions", "count", "delay", "nanoseconds"};

	add_one(tune, types, functions, (int64_t[]){1000, 20000000000});
}

/* Of what spins only the waiting counts, and of that no more than the CPU that is used is worth. */
static void
spinning_is_weighed_by_the_cpu_that_is_used(void **state)
{
	static const char *const types[] = {"samples", "count", "cpu", "nanoseconds"};
	static const struct {
		const char *stack[3];
		int64_t samples; /* 100 of them a second, for 10 seconds */
		int severity;    /* -1: no finding */
	} cases[] = {
	    {{"tbb::detail::d0::machine_pause(int)", "tbb::detail::d1::spin_mutex::lock()", "work"},
		1000, PF_SEVERITY_HIGH},
	    {{"tbb::detail::d1::spin_mutex::lock()", "work", "main"}, 1000, -1},
	    {{"tbb::detail::d0::machine_pause(int)", "work", "main"}, 1000, -1},
	    {{"pthread_spin_lock", "work", "main"}, 1000, PF_SEVERITY_HIGH},
	    {{"pthread_spin_lock", "work", "main"}, 200, PF_SEVERITY_MEDIUM},
	    {{"pthread_spin_lock", "work", "main"}, 80, PF_SEVERITY_LOW},
	    {{"pthread_spin_lock", "work", "main"}, 20, -1},
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_tune *tune = new_tune();
		const struct pf_finding *found;

		add_one(tune, types, cases[i].stack,
		    (int64_t[]){cases[i].samples, cases[i].samples * 10000000});
		run_tune(tune);
		found = find_finding(tune, "lock-contention");
		assert_int_equal(found ? (int)found->severity : -1, cases[i].severity);
		pf_tune_free(tune);
	}
}

/* An unlock that a function ends with is a jump: the stack shows who called the function. */
static void
who_unlocks_by_a_jump_is_told_by_who_waits(void **state)
{
	static const char *const unlocks[] = {"pthread_mutex_unlock", "run_worker", "start_thread"},
				 *const below[] = {"pthread_mutex_lock", "count", "run_worker"},
				 *const itself[] = {"pthread_mutex_lock", "run_worker", "main"};
	struct pf_tune *tune = new_tune();
	(void)state;

	add_contention(tune, unlocks);
	add_contention(tune, below);
	run_tune(tune);
	assert_int_equal(pf_tune_finding_count(tune), 1);
	assert_string_equal(
	    pf_tune_finding_title(tune, 0), "Others waited 20 s for locks that count held");
	assert_int_equal(tune->findings.findings[0].confidence, PF_CONFIDENCE_MEDIUM);
	pf_tune_free(tune);

	tune = new_tune();
	add_contention(tune, unlocks);
	add_contention(tune, itself);
	run_tune(tune);
	assert_string_equal(
	    pf_tune_finding_title(tune, 0), "Others waited 20 s for locks that run_worker held");
	assert_int_equal(tune->findings.findings[0].confidence, PF_CONFIDENCE_HIGH);
	pf_tune_free(tune);
}

static void
calls_are_known_by_what_they_wait_for(void **state)
{
	static const char *const locks[] = {"pthread_mutex_lock", "pthread_mutex_timedlock",
	    "pthread_mutex_clocklock", "pthread_rwlock_rdlock", "pthread_rwlock_wrlock",
	    "pthread_rwlock_timedrdlock", "pthread_rwlock_clockwrlock", "__pthread_rwlock_rdlock",
	    "mtx_lock", "mtx_timedlock"},
				 *const unlocks[] = {"pthread_mutex_unlock",
				     "pthread_rwlock_unlock", "__pthread_rwlock_unlock",
				     "___pthread_rwlock_unlock"},
				 *const others[] = {"pthread_cond_wait", "pthread_cond_timedwait",
				     "pthread_cond_clockwait", "__pthread_cond_wait",
				     "___pthread_cond_clockwait64", "sem_wait", "sem_timedwait",
				     "sem_clockwait", "pthread_join", "cnd_wait", "thrd_join"};
	(void)state;

	for (size_t i = 0; i < sizeof locks / sizeof *locks; i++)
		assert_true(pf_code_traits(locks[i], "") & PF_CODE_LOCK_WAIT);
	for (size_t i = 0; i < sizeof unlocks / sizeof *unlocks; i++)
		assert_int_equal(pf_code_traits(unlocks[i], ""), PF_CODE_LOCK | PF_CODE_LIBRARY);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		assert_int_equal(pf_code_traits(others[i], ""), PF_CODE_CHANNEL | PF_CODE_LIBRARY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(threads_that_wait_for_work_wait_for_no_lock),
	    cmocka_unit_test(threads_that_wait_for_a_lock_are_found),
	    cmocka_unit_test(what_waits_for_work_is_not_added_to_a_lock),
	    cmocka_unit_test(waits_for_who_knows_what_are_no_finding),
	    cmocka_unit_test(a_pool_is_no_leak),
	    cmocka_unit_test(threads_that_sleep_are_told_of_those_that_sleep),
	    cmocka_unit_test(sleepers_that_stay_as_they_are_are_no_leak),
	    cmocka_unit_test(thousands_that_sleep_are_severe),
	    cmocka_unit_test(a_pool_of_very_many_is_unsure_until_a_series_shows_it),
	    cmocka_unit_test(threads_that_become_more_are_a_leak),
	    cmocka_unit_test(a_younger_base_makes_no_trend),
	    cmocka_unit_test(who_ended_is_told_by_all_that_were_created),
	    cmocka_unit_test(threads_that_were_created_and_live_are_judged_by_what_they_do),
	    cmocka_unit_test(clients_are_waited_for_by_whoever_serves_them),
	    cmocka_unit_test(threads_that_wait_for_clients_are_no_leak),
	    cmocka_unit_test(threads_that_wait_at_their_own_pipes_are_a_pool),
	    cmocka_unit_test(subscribers_are_told_modestly),
	    cmocka_unit_test(threads_that_become_more_for_a_short_time_are_told_modestly),
	    cmocka_unit_test(who_joins_a_waiter_for_its_lock_is_a_deadlock),
	    cmocka_unit_test(locks_that_nobody_is_known_to_hold_are_suspected_where_nothing_runs),
	    cmocka_unit_test(locks_that_spin_are_found_on_the_processor),
	    cmocka_unit_test(spinning_is_weighed_by_the_cpu_that_is_used),
	    cmocka_unit_test(few_that_wait_on_average_are_told_modestly),
	    cmocka_unit_test(who_unlocks_by_a_jump_is_told_by_who_waits),
	    cmocka_unit_test(advice_is_of_the_language_and_the_lock),
	    cmocka_unit_test(calls_are_known_by_what_they_wait_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
