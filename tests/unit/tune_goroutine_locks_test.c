/* Goroutines that wait for each other, by a dump: locks in a circle, and a lock whose holder waits at a channel. */
#include "support/labelled_profile.h"

struct party {
	const char *state, *function, *words; /* its own function, and what that was passed */
	const char
	    *lock; /* that it waits for; "": one whose address isn't printed, to read; NULL: none */
	int line;
	bool fresh; /* has just come, whatever others have waited */
};

static void
add_dump(struct pf_tune *tune, const struct party *parties, size_t count, int minutes)
{
	struct pf_buffer text = {.maximum = 1 << 20};
	struct pf_error err = {0};

	for (size_t i = 0; i < count; i++) {
		const struct party *p = &parties[i];

		pf_buffer_printf(&text, "goroutine %zu [%s", i + 7, p->state);
		if (minutes && !p->fresh)
			pf_buffer_printf(&text, ", %d minutes", minutes);
		pf_buffer_string(&text, "]:\n");
		if (p->lock && !*p->lock)
			pf_buffer_string(&text,
			    "sync.runtime_SemacquireRWMutexR(0x2faf080?, 0x0?, 0x0?)\n"
			    "\t/usr/local/go/src/runtime/sema.go:100 +0x25\n"
			    "sync.(*RWMutex).RLock(...)\n"
			    "\t/usr/local/go/src/sync/rwmutex.go:74\n");
		else if (p->lock)
			pf_buffer_printf(&text,
			    "internal/sync.(*Mutex).lockSlow(%s)\n"
			    "\t/usr/local/go/src/internal/sync/mutex.go:149 +0x15d\n",
			    p->lock);
		pf_buffer_printf(
		    &text, "%s(%s)\n\t/src/main.go:%d +0x4d\n\n", p->function, p->words, p->line);
	}
	if (pf_tune_add(tune, "dump", text.bytes, text.size, false, &err))
		fail_msg("%s", err.message);
	pf_buffer_release(&text);
}

/* The confidence of the deadlock in it; -1: none. */
static int
deadlock_in(const struct party *parties, size_t count, int minutes)
{
	struct pf_tune *tune = new_tune();
	const struct pf_finding *found;
	int confidence;

	add_dump(tune, parties, count, minutes);
	run_tune(tune);
	found = find_finding(tune, "deadlock");
	confidence = found ? (int)found->confidence : -1;
	pf_tune_free(tune);
	return confidence;
}

#define LOCKED "sync.Mutex.Lock"

static void
three_that_were_passed_each_others_locks_are_a_circle(void **state)
{
	static const struct party parties[] = {
	    {LOCKED, "main.transfer", "0xc0100, 0xc0200, 0x1", "0xc0208", 24},
	    {LOCKED, "main.transfer", "0xc0300, 0xc0100, 0x1", "0xc0108", 24},
	    {LOCKED, "main.transfer", "0xc0200, 0xc0300, 0x1", "0xc0308", 24},
	    {LOCKED, "main.balance", "0xc0100?", "0xc0108", 40},
	    {"running", "main.transfer", "0xc0400, 0xc0300, 0x1", NULL, 25},
	};
	struct party open[4];
	(void)state;

	assert_int_equal(deadlock_in(parties, 4, 0), PF_CONFIDENCE_LOW);
	assert_int_equal(deadlock_in(parties, 4, 2), PF_CONFIDENCE_MEDIUM);
	assert_int_equal(deadlock_in(parties, 5, 0), -1); /* somebody has one, and works */
	memcpy(open, parties, sizeof open);
	open[2].words = "0xc0400, 0xc0300, 0x1"; /* nobody has what the first holds up */
	assert_int_equal(deadlock_in(open, 4, 0), -1);
}

static void
who_holds_a_lock_at_a_channel_is_suspected(void **state)
{
	static const struct party parties[] = {
	    {"chan receive", "main.(*batcher).flush", "0xc0100", NULL, 36},
	    {LOCKED, "main.(*batcher).count", "0xc0900?, 0x1", "0xc0110", 27},
	    {LOCKED, "main.(*batcher).count", "0xc0100, 0x1", "0xc0110", 27},
	    {"running", "main.(*batcher).count", "0xc0900?, 0x1", NULL, 28},
	};
	struct party other[3];
	(void)state;

	assert_int_equal(deadlock_in(parties, 3, 2), PF_CONFIDENCE_MEDIUM);
	assert_int_equal(deadlock_in(parties, 3, 0), -1); /* one moment */
	assert_int_equal(deadlock_in(parties, 4, 2), -1); /* a holder at work */
	memcpy(other, parties, sizeof other);
	other[0].words = "0xd0100"; /* another one's */
	assert_int_equal(deadlock_in(other, 3, 2), -1);
	other[0] = parties[0];
	other[0].state = "select"; /* which has several ends */
	assert_int_equal(deadlock_in(other, 3, 2), -1);
}

/* Whose method it is in is mostly not printed: compilers reuse the register. */
static void
who_has_passed_the_lock_holds_it_at_the_channel(void **state)
{
	static const struct party parties[] = {
	    {"chan send", "main.(*batcher).add", "0x4d67a9?, 0x8", NULL, 47},
	    {LOCKED, "main.(*batcher).add", "0x4d67a9?, 0x9", "0xc0110", 45},
	    {LOCKED, "main.(*batcher).drain", "0xc0110", "0xc0110", 39},
	    {"chan send", "main.(*batcher).add", "0x4d67a9?, 0x8", NULL, 47},
	};
	struct party other[3];
	(void)state;

	assert_int_equal(deadlock_in(parties, 3, 2), PF_CONFIDENCE_MEDIUM);
	assert_int_equal(deadlock_in(parties, 3, 0), -1); /* one moment */
	assert_int_equal(deadlock_in(parties, 4, 2), -1); /* two, of which one has no lock */
	memcpy(other, parties, sizeof other);
	other[1].fresh = true; /* new ones still come */
	assert_int_equal(deadlock_in(other, 3, 2), PF_CONFIDENCE_MEDIUM);
	other[2].fresh = true;
	assert_int_equal(deadlock_in(other, 3, 2), -1);
	memcpy(other, parties, sizeof other);
	other[0].line = 43; /* before it takes the lock */
	assert_int_equal(deadlock_in(other, 3, 2), -1);
	other[0] = parties[0];
	other[0].function = "main.(*batcher).flush"; /* which may take no lock */
	assert_int_equal(deadlock_in(other, 3, 2), -1);
	other[0] = parties[0];
	other[0].state = "select";
	assert_int_equal(deadlock_in(other, 3, 2), -1);
}

static void
add_look(struct pf_tune *tune, int count, int64_t time)
{
	struct pf_evidence *e = &tune->evidence;
	char text[512];

	snprintf(text, sizeof text,
	    "goroutine profile: total %d\n%d @ 0x480001 0x480011\n"
	    "#\t0x480000\tsync.(*Mutex).Lock+0x10\t/src/f.go:1\n"
	    "#\t0x480010\tmain.(*batcher).count+0x10\t/src/f.go:2\n\n",
	    count, count);
	add_text(tune, "goroutine", text, false);
	e->profiles[e->profile_count - 1].time_nanos = time * 1000000000;
}

/* Goroutines at the lock in so many snapshots beside the dump: of a service that works they come and go. */
static void
snapshots_tell_whether_it_goes_on(void **state)
{
	struct party parties[] = {
	    {"chan send", "main.(*batcher).flush", "0xc0100", NULL, 36},
	    {LOCKED, "main.(*batcher).drain", "0xc0100", "0xc0110", 31}, /* one, all the time */
	    {LOCKED, "main.(*batcher).count", "0xc0100, 0x1", "0xc0110", 27},
	};
	static const int stands[] = {9, 9, 9, 12, 14}, moves[] = {9, 14, 3, 8, 14};
	static const int expected[] = {PF_CONFIDENCE_LOW, -1, PF_UNSURE};
	(void)state;

	for (int k = 0; k < 3; k++) {
		struct pf_tune *tune = new_tune();
		const struct pf_finding *found;

		for (int i = 0; i < 5; i++)
			add_look(tune, (k == 1 ? moves : stands)[i], 1000 + 10 * (int64_t)i);
		if (k == 2) { /* whose method it is in isn't printed */
			parties[0].function = "main.(*batcher).count";
			parties[0].words = "0xc0900?, 0x1";
		}
		add_dump(tune, parties, 3, 0);
		run_tune(tune);
		found = find_finding(tune, "deadlock");
		assert_int_equal(found ? (int)found->confidence : -1, expected[k]);
		pf_tune_free(tune);
	}
}

/* Readers that wait behind a writer wait for the readers before it, if that is what the writer does, too. */
static void
readers_that_hold_a_lock_for_long_are_its_holders(void **state)
{
	static const int64_t millisecond = 1000000;
	(void)state;

	for (int brief = 0; brief < 2; brief++) {
		const struct test_sample samples[] = {
		    {{"sync.(*RWMutex).Unlock", "main.setPrice.deferwrap1", "main.setPrice"},
			{1000, 10000 * millisecond}},
		    {{"sync.(*RWMutex).RUnlock", "main.scan"},
			{brief ? 4000 : 400, 8000 * millisecond}},
		    {{NULL}, {0}},
		};
		struct pf_tune *tune = new_tune();
		const struct pf_finding *found;

		add_labelled(tune, test_waits, samples, 10, 1000, false);
		run_tune(tune);
		found = find_finding(tune, "lock-contention");
		assert_non_null(found);
		assert_non_null(strstr(pf_said(&tune->findings, found->title),
		    brief ? "locks that main.setPrice held" : "locks that main.scan held"));
		pf_tune_free(tune);
	}
}

static bool
has_caveat(const struct pf_tune *tune, const struct pf_finding *finding, const char *words)
{
	const struct pf_findings *f = &tune->findings;

	for (size_t i = 0; i < finding->caveat_count; i++) {
		if (strstr(pf_said(f, f->caveats[finding->first_caveat + i]), words))
			return true;
	}
	return false;
}

/* Where writes are rare and reads many, what writers waited is little beside what the readers behind them did. */
static void
rare_writers_are_charged_with_what_readers_hold(void **state)
{
	static const int64_t millisecond = 1000000;
	static const struct {
		int count, times; /* writers that waited for readers, and how long: milliseconds */
		int window, confidence;
		const char *title, *said;
	} cases[] = {
	    {160, 4790, 5, PF_CONFIDENCE_MEDIUM, "locks that main.scan held", "4.8 s in 5 s"},
	    {160, 4790, 60, PF_CONFIDENCE_LOW, "locks that main.setPrice held",
		"how long main.scan holds"},
	    {160, 4790, 0, PF_CONFIDENCE_LOW, "locks that main.setPrice held",
		"how long main.scan holds"},
	    {1600, 4790, 5, PF_CONFIDENCE_HIGH, "locks that main.setPrice held", NULL}, /* brief */
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct test_sample samples[] = {
		    {{"sync.(*RWMutex).Unlock", "main.setPrice"}, {2880, 48700 * millisecond}},
		    {{"sync.(*RWMutex).RUnlock", "main.scan"},
			{cases[i].count, cases[i].times * millisecond}},
		    {{NULL}, {0}},
		};
		struct pf_tune *tune = new_tune();
		const struct pf_finding *found;

		add_labelled(tune, test_waits, samples, cases[i].window, 1000, false);
		run_tune(tune);
		found = find_finding(tune, "lock-contention");
		assert_non_null(found);
		assert_int_equal(found->confidence, cases[i].confidence);
		assert_non_null(strstr(pf_said(&tune->findings, found->title), cases[i].title));
		if (cases[i].said ? !has_caveat(tune, found, cases[i].said)
				  : found->caveat_count > 0)
			fail_msg("case %zu: \"%s\"", i,
			    pf_said(&tune->findings, tune->findings.caveats[found->first_caveat]));
		pf_tune_free(tune);
	}
}

/* Who waits to read has no address printed; a mutex that somebody else waits for is another lock. */
static void
two_locks_that_are_waited_for_since_minutes_are_suspected(void **state)
{
	static const struct party mutex = {LOCKED, "main.flush", "0xc0100, 0xc0200", "0xc0200",
				      196},
				  another = {LOCKED, "main.pack", "0xc0300", "0xc0300", 250},
				  reads = {"sync.RWMutex.RLock", "main.rebuild", "0xc0100, 0xc0200",
				      "", 203},
				  works = {"running", "main.work", "0xc0100", NULL, 25};
	static const struct {
		struct party parties[3];
		int minutes, confidence;
	} cases[] = {{{mutex, reads, works}, 3, PF_CONFIDENCE_LOW},
	    {{works, reads, mutex}, 1, PF_CONFIDENCE_LOW},
	    {{mutex, works, another}, 2, PF_CONFIDENCE_LOW}, {{mutex, reads, works}, 0, -1},
	    {{reads, reads, works}, 3, -1}, /* perhaps one lock, and whoever has it works */
	    {{mutex, mutex, works}, 3, -1}};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		if (deadlock_in(cases[i].parties, 3, cases[i].minutes) != cases[i].confidence)
			fail_msg("case %zu", i);
	}
}

/* A lock that is never let go is no busy one: those at it are told of once. Others may be at another. */
static void
who_waits_in_a_deadlock_is_told_of_once(void **state)
{
	enum { AT_IT = 20, OTHERS = 12 };
	struct party parties[AT_IT + OTHERS];
	(void)state;

	for (int i = 0; i < AT_IT + OTHERS; i++)
		parties[i] =
		    i < AT_IT ? (struct party){LOCKED, "main.(*batcher).add", "0x1?", "0xc0110", 45}
			      : (struct party){LOCKED, "main.(*index).put", "0x1?", "0xd0110", 9};
	for (int k = 0; k < 3; k++) {
		struct pf_tune *tune = new_tune();
		const struct pf_finding *deadlock, *lock;

		/* Without it nobody is known to hold the lock. */
		parties[0] = (struct party){
		    k == 2 ? "select" : "chan send", "main.(*batcher).add", "0x1?", NULL, 47};
		add_dump(tune, parties, k ? AT_IT + OTHERS : AT_IT, k < 2 ? 2 : 0);
		run_tune(tune);
		deadlock = find_finding(tune, "deadlock");
		lock = find_finding(tune, "lock-contention");
		assert_int_equal(!deadlock, k == 2);
		assert_int_equal(!lock, k == 0);
		if (lock) {
			assert_string_equal(pf_said(&tune->findings, lock->title),
			    k == 1
				? "12 goroutines stand at a lock in main.(*index).put at one moment"
				: "19 goroutines stand at a lock in main.(*batcher).add at one "
				  "moment");
			assert_int_equal(has_caveat(tune, lock, "in no mutex profile"), k == 1);
		}
		pf_tune_free(tune);
	}
}

static void
several_looks_are_not_one_moment(void **state)
{
	static const struct {
		int counts[4];
		const char *title;
	} cases[] = {
	    {{20, 31, 24, 22},
		"20 to 31 goroutines stood at a lock in main.(*batcher).count in each "
		"of 4 looks"},
	    {{20, 2, 24, 22},
		"20 to 24 goroutines stood at a lock in main.(*batcher).count in 3 of 4 "
		"looks"},
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_tune *tune = new_tune();
		const struct pf_finding *found;

		for (int k = 0; k < 4; k++)
			add_look(tune, cases[i].counts[k], 1000 + 10 * (int64_t)k);
		run_tune(tune);
		found = find_finding(tune, "lock-contention");
		assert_non_null(found);
		assert_string_equal(pf_said(&tune->findings, found->title), cases[i].title);
		assert_true(has_caveat(tune, found, "Looks are no rate"));
		pf_tune_free(tune);
	}
}

/* Its stacks need not have anything of main's, nor of the runtime's. */
static void
a_block_profile_alone_is_known_to_be_of_go(void **state)
{
	static const int64_t millisecond = 1000000;
	static const struct test_sample samples[] = {
	    {{"sync.(*Mutex).Lock", "example.com/shop.flush"}, {1000, 9000 * millisecond}},
	    {{NULL}, {0}, {{0}}},
	};
	struct pf_tune *tune = new_tune();
	const struct pf_finding *found;
	(void)state;

	add_labelled(tune, test_waits, samples, 10, 1000, false);
	run_tune(tune);
	found = find_finding(tune, "lock-contention");
	assert_non_null(found);
	assert_non_null(
	    strstr(pf_said(&tune->findings, tune->findings.advices[found->first_advice].how),
		"runtime.SetMutexProfileFraction"));
	pf_tune_free(tune);
}

/* Nothing tells what a channel is for: workers wait for work there, and requests may for their turn. */
static void
waits_at_channels_are_said_to_be_not_judged(void **state)
{
	static const int64_t millisecond = 1000000;
	static const char sentence[] = "Waits at channels were not judged";
#define SERVED "net/http.serverHandler.ServeHTTP"
	static const struct {
		struct test_sample sample;
		int window;
		const char *said; /* "": nothing of it */
	} cases[] = {
	    /* a channel with room for one, as a lock */
	    {{{"runtime.chansend1", "main.settle", SERVED}, {5724, 1732000 * millisecond}}, 0,
		"in 5724 waits of 303 ms on average, nearly all of it to send in main.settle"},
	    {{{"runtime.chanrecv1", "main.ask", SERVED}, {5724, 1732000 * millisecond}}, 10,
		"to receive in main.ask"},
	    {{{"runtime.chansend1", "main.produce"}, {5724, 1732000 * millisecond}}, 10,
		"to send in main.produce"},
	    {{{"runtime.chanrecv1", "main.work"}, {5724, 1732000 * millisecond}}, 0, ""}, /* idle */
	    {{{"runtime.selectgo", "main.work"}, {5724, 1732000 * millisecond}}, 0, ""},
	    {{{"sync.(*Cond).Wait", "main.work", SERVED}, {5724, 1732000 * millisecond}}, 0, ""},
	    {{{"runtime.chansend1", "main.settle", SERVED}, {57240, 1732 * millisecond}}, 10, ""},
	    {{{"runtime.chansend1", "main.settle", SERVED}, {200, 1732 * millisecond}}, 60, ""},
	    {{{"runtime.selectgo", "net/http/pprof.sleep", "main.serve", SERVED},
		 {200, 17320 * millisecond}},
		0, ""},
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct test_sample samples[] = {cases[i].sample, {{NULL}, {0}, {{0}}}};
		struct pf_tune *tune = new_tune();

		add_labelled(tune, test_waits, samples, cases[i].window, 1000, false);
		run_tune(tune);
		if (is_unjudged(tune, sentence) != (*cases[i].said != 0) ||
		    (*cases[i].said && !is_unjudged(tune, cases[i].said)))
			fail_msg("case %zu", i);
		assert_int_equal(tune->findings.finding_count, 0);
		pf_tune_free(tune);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(three_that_were_passed_each_others_locks_are_a_circle),
	    cmocka_unit_test(who_holds_a_lock_at_a_channel_is_suspected),
	    cmocka_unit_test(who_has_passed_the_lock_holds_it_at_the_channel),
	    cmocka_unit_test(snapshots_tell_whether_it_goes_on),
	    cmocka_unit_test(readers_that_hold_a_lock_for_long_are_its_holders),
	    cmocka_unit_test(rare_writers_are_charged_with_what_readers_hold),
	    cmocka_unit_test(who_waits_in_a_deadlock_is_told_of_once),
	    cmocka_unit_test(several_looks_are_not_one_moment),
	    cmocka_unit_test(a_block_profile_alone_is_known_to_be_of_go),
	    cmocka_unit_test(waits_at_channels_are_said_to_be_not_judged),
	    cmocka_unit_test(two_locks_that_are_waited_for_since_minutes_are_suspected),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
