/*
 * agent_heap_test.c: the draws have their mean, samples stand for what they should whatever the period
 * does meanwhile, the table of live allocations finds what is in it and nothing else, and the sums come
 * out of it right.
 */
#include "support/unit.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "collect/agent/draw.h"
#include "collect/agent/heap.h"
#include "collect/agent/host.h"
#include "collect/agent/live.h"
#include "collect/agent/notes.h"
#include "core/index.h"

static void
draws_have_their_mean(void **state)
{
	uint64_t random = 12345;
	double sum = 0;
	size_t long_ones = 0, n = 1000000;
	(void)state;

	for (size_t i = 0; i < n; i++) {
		uint64_t draw = pf_draw(&random, 1000);
		assert_true(draw >= 1);
		sum += (double)draw;
		long_ones += draw > 2000;
	}
	assert_true(sum / (double)n > 996 && sum / (double)n < 1005);
	/* exp(−2) of them are over twice the mean: 135,335 of a million, ± 342 */
	assert_in_range(long_ones, 134000, 136700);
}

static void
a_sample_stands_for_one_over_its_chance(void **state)
{
	(void)state;

	assert_true(pf_scale(0, 100) == 1 && pf_scale(5, 1) == 1);
	assert_true(pf_scale(1 << 30, 1 << 10) == 1);
	double one = pf_scale(1000, 1000); /* 1 / (1 − 1/e) */
	assert_true(one > 1.581976 && one < 1.581978);
	double small = pf_scale(16, 524288); /* 32768.5 + 1/393216 */
	assert_true(small > 32768.49999 && small < 32768.50002);
	double large = pf_scale(20000, 1000);
	assert_true(large > 1.000000002 && large < 1.0000000021);
}

/* A million allocations through the countdown as the wrappers do it, with a period that changes. */
static void
totals_come_out_right(void **state)
{
	uint64_t random = 99, sizes = 7, period = 4096, left = pf_draw(&random, period),
		 drawn = period;
	double objects = 0, bytes = 0, true_bytes = 0, samples = 0;
	size_t n = 1000000;
	(void)state;

	for (size_t i = 0; i < n; i++) {
		uint64_t size = 1 + pf_random(&sizes) % (i % 100 ? 300 : 30000);
		true_bytes += (double)size;
		if (size < left) {
			left -= size;
			continue;
		}
		objects += pf_scale(size, drawn);
		bytes += pf_scale(size, drawn) * (double)size;
		samples++;
		period = i / 100000 % 2 ? 4096 : 65536;
		drawn = period;
		left = pf_draw(&random, period);
	}
	assert_true(samples > 20000);
	/* One sample in about 25 kB, 25,000 of them: 1 % of bytes is two standard errors. */
	assert_true(bytes / true_bytes > 0.98 && bytes / true_bytes < 1.02);
	assert_true(objects / (double)n > 0.93 && objects / (double)n < 1.07);
}

static void
the_gate_opens_and_closes(void **state)
{
	struct pf_gate gate;
	int64_t now = 5000000000;
	(void)state;

	pf_gate_init(&gate, 1000, 1000);
	for (int i = 0; i < 99; i++)
		pf_gate_count(&gate, now);
	assert_int_equal(gate.period, 1000);
	for (int i = 0; i < 300; i++)
		pf_gate_count(&gate, now);
	assert_int_equal(gate.period, 8000);
	for (int i = 0; i < 100000; i++)
		pf_gate_count(&gate, now);
	assert_int_equal(gate.period, 1000 << 10); /* no further */
	for (int i = 0; i < 20; i++)
		pf_gate_count(&gate, now += 150000000); /* few samples: back to its base */
	assert_int_equal(gate.period, 1000);
	assert_int_equal(gate.highest, 1000 << 10);
}

static void
the_table_finds_what_is_in_it(void **state)
{
	enum { N = 5000 };
	static struct pf_live_table table;
	static uint32_t entries[N];
	char *base = (char *)(uintptr_t)0x500000000000;
	(void)state;

	assert_int_equal(pf_live_open(&table), 0);
	assert_false(pf_live_maybe(base));
	for (int i = 0; i < N; i++)
		entries[i] = pf_live_add(&table, base + i * 1040);
	assert_int_equal(table.count, N);
	for (int i = 0; i < N; i++) {
		assert_true(pf_live_maybe(base + i * 1040));
		assert_true(pf_live_has(&table, base + i * 1040));
		assert_false(pf_live_has(&table, base + i * 1040 + 16));
		assert_int_equal(pf_live_find(&table, base + i * 1040), entries[i]);
	}
	for (int i = 0; i < N; i += 2) {
		pf_live_remove(&table, entries[i]);
		pf_live_drop(&table, entries[i]);
	}
	for (int i = 0; i < N; i++)
		assert_int_equal(pf_live_has(&table, base + i * 1040), i % 2);
	pf_live_remove(&table, entries[1]);
	pf_live_restore(&table, entries[1], base + 16);
	assert_true(pf_live_has(&table, base + 16));
	for (int i = 1; i < N; i += 2)
		pf_live_remove(&table, entries[i]);
	assert_int_equal(table.count, 0);
	for (int i = 0; i < N; i++)
		assert_false(pf_live_maybe(base + i * 1040));
	assert_true(table.used == N);
	for (int i = 0; i < N / 2; i++)
		pf_live_add(&table, base + i * 1040); /* entries that were dropped are used again */
	assert_true(table.used == N);
}

/* A block that the heap takes for sampled, from this very function. */
static __attribute__((noinline)) void
take(void *p, size_t size)
{
	pf_heap_take(p, size, 1, __builtin_return_address(0));
}

static void *
free_them(void *blocks)
{
	for (int i = 0; i < 10; i++)
		pf_heap_freed((char *)blocks + i * 4096);
	return NULL;
}

static void
sums_come_from_notes(void **state)
{
	char *blocks = (char *)(uintptr_t)0x600000000000;
	struct pf_sum *sums;
	sigset_t before, after;
	pthread_t thread;
	size_t count;
	(void)state;

	sigprocmask(SIG_BLOCK, NULL, &before);
	pf_host_init();
	assert_int_equal(pf_heap_start(PF_HEAP_PERIOD), 0);
	assert_true(pf_heap_running());
	for (int i = 0; i < 30; i++)
		take(blocks + i * 4096, 1000);
	take(blocks, 2000);                /* given out again: the first was freed unseen */
	pf_heap_freed(blocks + 20 * 4096); /* before its note is read */
	assert_true(pf_notes_drain(pf_host_now()));
	assert_false(pf_notes_drain(pf_host_now()));
	pf_heap_freed(blocks + 21 * 4096);  /* and after */
	pf_heap_freed(blocks + 100 * 4096); /* never heard of */
	assert_int_equal(pthread_create(&thread, NULL, free_them, blocks), 0);
	pthread_join(thread, NULL);
	uint32_t entry = pf_heap_detach(blocks + 25 * 4096);
	assert_true(entry != PF_NONE);
	pf_heap_settle(entry, blocks + 25 * 4096); /* the reallocation failed */
	sums = pf_heap_copy(&count);
	assert_non_null(sums);
	double allocated = 0, freed[2] = {0};
	for (size_t i = 0; i < count; i++) {
		allocated += sums[i].objects;
		for (int j = 0; j < PF_LIFETIMES; j++)
			for (int k = 0; k < 2; k++)
				freed[k] += sums[i].freed[j][k].objects;
		assert_true(!sums[i].samples || sums[i].stack != PF_NONE);
	}
	assert_true(allocated == 31 && freed[0] == 3 && freed[1] == 10);
	free(sums);
	sigprocmask(SIG_BLOCK, NULL, &after);
	assert_memory_equal(&before, &after, 8);
}

static void
without_slots_only_the_stack_is_missing(void **state)
{
	char *blocks = (char *)(uintptr_t)0x700000000000;
	struct pf_heap_facts facts;
	(void)state;

	for (int i = 0; i < 300; i++)
		take(blocks + i * 4096, 1000);
	pf_notes_drain(pf_host_now());
	pf_heap_facts(&facts);
	assert_int_equal(facts.stackless, 300 - 256);
	for (int i = 0; i < 300; i++)
		pf_heap_freed(blocks + i * 4096);
	pf_heap_facts(&facts);
	assert_int_equal(facts.live, 18); /* of the test before this one */
}

static _Atomic(char *) exchanged[64];

/* Takes blocks of its own and frees what others have left, as threads of a host do. */
static void *
take_and_free(void *blocks)
{
	uint64_t random = (uintptr_t)blocks | 1;

	for (int i = 0; i < 20000; i++) {
		char *p = (char *)blocks + i % 500 * 64 + i / 500 * 65536;
		take(p, 100);
		p = atomic_exchange(&exchanged[pf_random(&random) % 64], p);
		if (p)
			pf_heap_freed(p);
		pf_heap_freed((char *)blocks - 4096); /* nobody's */
	}
	return NULL;
}

static void
threads_share_the_table(void **state)
{
	struct pf_heap_facts before, after;
	pthread_t threads[4];
	(void)state;

	pf_heap_facts(&before);
	for (uintptr_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_and_free,
				     (void *)(0x100000000000 + (i << 36))),
		    0);
	for (int i = 0; i < 200; i++) {
		struct timespec moment = {.tv_nsec = 1000000};
		pf_notes_drain(pf_host_now());
		nanosleep(&moment, NULL);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 64; i++)
		if (exchanged[i])
			pf_heap_freed(exchanged[i]);
	pf_notes_drain(pf_host_now());
	pf_heap_facts(&after);
	assert_int_equal(after.live, before.live);
	assert_int_equal(after.untracked, before.untracked);
}

/* The first 31 allocations of the test before the last but one: a stack from its caller on. */
static void
stacks_begin_at_the_caller(void **state)
{
	const struct pf_stacks *stacks = pf_notes_stacks();
	size_t count, known = 0;
	struct pf_sum *sums = pf_heap_copy(&count);
	(void)state;

	for (size_t i = 0; i < count; i++) {
		if (sums[i].stack == PF_NONE)
			continue;
		uint64_t leaf =
		    stacks->locations[stacks->frames[stacks->items[sums[i].stack].first]].pc;
		bool first = leaf > (uintptr_t)sums_come_from_notes &&
			     leaf < (uintptr_t)sums_come_from_notes + 2048;
		bool second = leaf > (uintptr_t)without_slots_only_the_stack_is_missing &&
			      leaf < (uintptr_t)without_slots_only_the_stack_is_missing + 2048;
		assert_true(first || second);
		known++;
	}
	assert_true(known >= 3);
	free(sums);
}

static void
read_variances(double *allocated, double *freed)
{
	size_t count;
	struct pf_sum *sums = pf_heap_copy(&count);

	assert_non_null(sums);
	*allocated = *freed = 0;
	for (size_t i = 0; i < count; i++) {
		*allocated += sums[i].variance;
		*freed += sums[i].freed_variance;
	}
	free(sums);
}

/* Each stands for `scale` of its size: scale (scale − 1) size² more that the sum may be off. */
static void
sums_say_how_far_off_they_may_be(void **state)
{
	char *blocks = (char *)(uintptr_t)0x500000000000;
	double scale = pf_scale(1000, 20000), each = scale * (scale - 1) * 1e6, before[2], after[2];
	(void)state;

	read_variances(&before[0], &before[1]);
	for (int i = 0; i < 3; i++)
		pf_heap_take(blocks + i * 4096, 1000, 20000, __builtin_return_address(0));
	pf_notes_drain(pf_host_now());
	pf_heap_freed(blocks);
	read_variances(&after[0], &after[1]);
	assert_true(fabs(after[0] - before[0] - 3 * each) < 1e-6 * each);
	assert_true(fabs(after[1] - before[1] - each) < 1e-6 * each);
	for (int i = 1; i < 3; i++)
		pf_heap_freed(blocks + i * 4096);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(draws_have_their_mean),
	    cmocka_unit_test(a_sample_stands_for_one_over_its_chance),
	    cmocka_unit_test(totals_come_out_right),
	    cmocka_unit_test(the_gate_opens_and_closes),
	    cmocka_unit_test(the_table_finds_what_is_in_it),
	    cmocka_unit_test(sums_come_from_notes),
	    cmocka_unit_test(without_slots_only_the_stack_is_missing),
	    cmocka_unit_test(stacks_begin_at_the_caller),
	    cmocka_unit_test(threads_share_the_table),
	    cmocka_unit_test(sums_say_how_far_off_they_may_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
