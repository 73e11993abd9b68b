/* The collector's policies, without clock or network: schedule, budget, breaker, doubtful clocks, hashmod. */
#include "support/unit.h"

#include <fcntl.h>
#include <math.h>
#include <unistd.h>

#include "collect/breaker.h"
#include "collect/budget.h"
#include "collect/relabel.h"
#include "collect/retention.h"
#include "collect/schedule.h"

enum { MOST = 400 };

static struct pf_candidate fleet[MOST];
static unsigned chosen_times[MOST];

static void
make_fleet(size_t n)
{
	memset(chosen_times, 0, sizeof chosen_times);
	for (size_t i = 0; i < n; i++)
		fleet[i] = (struct pf_candidate){.key = i, .last = PF_ROUND_NEW};
}

static size_t
play(size_t n, size_t k, int64_t round)
{
	size_t chosen = 0;

	pf_schedule_draw(fleet, n, k, 100, 7, round);
	for (size_t i = 0; i < n; i++) {
		if (!fleet[i].chosen)
			continue;
		chosen++;
		chosen_times[fleet[i].key]++;
		assert_true(fleet[i].offset >= 0 && fleet[i].offset < 100);
	}
	return chosen;
}

static void
every_instance_has_its_turn(void **state)
{
	(void)state;
	make_fleet(100);
	for (int64_t round = 0; round < 100; round++)
		assert_int_equal(play(100, 7, round), 7);
	/* 700 turns for 100 instances: seven each, but for the beginning */
	for (size_t i = 0; i < 100; i++)
		assert_in_range(chosen_times[i], 6, 8);
}

static void
new_instances_are_neither_favoured_nor_starved(void **state)
{
	unsigned first_round = 0;
	(void)state;

	make_fleet(200);
	for (int64_t round = 0; round < 100; round++)
		play(200, 10, round);
	memset(chosen_times, 0, sizeof chosen_times);
	for (size_t i = 200; i < 400; i++) /* the fleet doubles */
		fleet[i] = (struct pf_candidate){.key = i, .last = PF_ROUND_NEW};
	play(400, 10, 100);
	for (size_t i = 200; i < 400; i++)
		first_round += chosen_times[i];
	assert_in_range(first_round, 1, 9); /* about half of the ten, not all */
	for (int64_t round = 101; round < 180; round++)
		play(400, 10, round);
	for (size_t i = 0; i < 400; i++) /* 800 turns: two each */
		assert_in_range(chosen_times[i], 1, 3);
}

static void
the_same_seed_gives_the_same_plan(void **state)
{
	struct pf_candidate before[50];
	(void)state;

	make_fleet(50);
	play(50, 9, 3);
	memcpy(before, fleet, sizeof before);
	make_fleet(50);
	play(50, 9, 3);
	for (size_t i = 0; i < 50; i++) {
		assert_int_equal(before[i].key, fleet[i].key);
		assert_true(before[i].chosen == fleet[i].chosen);
		assert_true(!before[i].chosen || before[i].offset == fleet[i].offset);
	}
	make_fleet(50);
	pf_schedule_draw(fleet, 50, 9, 100, 8, 3);
	assert_true(memcmp(before, fleet, sizeof before) != 0);
}

static void
starts_are_spread_over_the_round(void **state)
{
	unsigned tenth[10] = {0};
	(void)state;

	make_fleet(400);
	play(400, 100, 0);
	for (size_t i = 0; i < 400; i++)
		tenth[(size_t)(fleet[i].offset / 10)] += fleet[i].chosen;
	for (size_t i = 0; i < 10; i++)
		assert_in_range(tenth[i], 9, 11);
}

static void
whoever_is_always_chosen_keeps_its_time(void **state)
{
	double offsets[30];
	(void)state;

	make_fleet(30);
	play(30, 30, 0);
	for (size_t i = 0; i < 30; i++)
		offsets[fleet[i].key] = fleet[i].offset;
	play(30, 30, 1);
	for (size_t i = 0; i < 30; i++)
		assert_true(offsets[fleet[i].key] == fleet[i].offset);
}

static void
fractions_come_out_on_average(void **state)
{
	size_t sum = 0;
	(void)state;

	for (int64_t round = 0; round < 10000; round++)
		sum += pf_schedule_count(2.3, 100, 5, round);
	assert_in_range(sum, 22700, 23300);
	assert_int_equal(pf_schedule_count(7, 5, 1, 1), 5);
	assert_int_equal(pf_schedule_count(0, 5, 1, 1), 0);
	assert_int_equal(pf_schedule_count(NAN, 5, 1, 1), 0);
}

static void
an_account_pays_no_more_than_it_earns(void **state)
{
	struct pf_account target = {0}, service = {0}, all = {0};
	struct pf_account *accounts[] = {&target, &service, &all};
	double paid = 0;
	(void)state;

	pf_account_set(&target, 0, 0.01, 6);
	pf_account_set(&service, 0, 1, 100);
	pf_account_set(&all, 0, 0.005, 3);
	for (int second = 0; second < 100000; second++) {
		if (pf_account_take(accounts, 3, second, 0.6, 0))
			paid += 0.6;
	}
	/* the fleet's account is the tightest: what it held at first, and what it earned */
	assert_true(paid <= 1.5 + 0.005 * 100000 + 1e-6);
	assert_true(paid >= 0.005 * 100000 - 0.6);
	assert_true(fabs(all.spent - paid) < 1e-6);
}

static void
a_reserve_is_left_for_triggers(void **state)
{
	struct pf_account all = {0};
	struct pf_account *accounts[] = {&all};
	(void)state;

	pf_account_set(&all, 0, 0.001, 10);
	while (pf_account_take(accounts, 1, 0, 1, 0.2))
		continue;
	assert_true(all.level >= 2 && all.level < 3);
	assert_true(pf_account_take(accounts, 1, 0, 1, 0));
}

static void
a_profile_dearer_than_the_account_waits_for_a_full_one(void **state)
{
	struct pf_account one = {0};
	struct pf_account *accounts[] = {&one};
	(void)state;

	pf_account_set(&one, 0, 0.01, 1);
	assert_false(pf_account_take(accounts, 1, 10, 5, 0));
	assert_true(pf_account_take(accounts, 1, 100, 5, 0));
	assert_false(pf_account_take(accounts, 1, 400, 5, 0));
	assert_true(pf_account_take(accounts, 1, 700, 5, 0));
}

static void
a_breaker_opens_probes_and_closes(void **state)
{
	struct pf_breaker_rule rule = {.failure_share = 0.5, .pause = 60, .least = 10};
	struct pf_breaker b = {0};
	(void)state;

	for (int i = 0; i < 9; i++) {
		assert_true(pf_breaker_allows(&b, 0));
		assert_false(pf_breaker_note(&b, &rule, 0, true));
	}
	assert_true(pf_breaker_note(&b, &rule, 0, true));
	assert_false(pf_breaker_allows(&b, 59));
	assert_true(pf_breaker_allows(&b, 60)); /* one */
	assert_false(pf_breaker_allows(&b, 60));
	assert_true(pf_breaker_note(&b, &rule, 61, true));
	assert_false(pf_breaker_allows(&b, 61 + 119)); /* twice as long */
	assert_true(pf_breaker_allows(&b, 61 + 120));
	assert_false(pf_breaker_note(&b, &rule, 200, false));
	assert_int_equal(b.state, PF_BREAKER_CLOSED);
	for (int i = 0; i < 100; i++) /* a third fails: that is tolerated */
		assert_false(pf_breaker_note(&b, &rule, 200, i % 3 == 0));
}

static void
a_leaping_clock_is_not_trusted_for_an_hour(void **state)
{
	struct pf_log log = {.fd = open("/dev/null", O_WRONLY), .least = PF_LOG_ERROR};
	struct pf_retention r = {.wall_ahead = 1000};
	(void)state;

	assert_true(pf_retention_trusts(&r, 1100, 100, &log));
	assert_true(pf_retention_trusts(&r, 1300, 200, &log)); /* adjusted by a minute and a half */
	assert_false(pf_retention_trusts(&r, 40000000, 300, &log));
	assert_false(pf_retention_trusts(&r, 40000000 + 3000, 3300, &log));
	assert_true(pf_retention_trusts(&r, 40000000 + 3700, 4000, &log));
	assert_false(pf_retention_trusts(&r, 5000, 4001, &log)); /* and back */
	close(log.fd);
}

/* Made by a real Prometheus: see tests/integration/collect_relabel.sh for all of relabelling. */
static void
hashmod_is_prometheus_own(void **state)
{
	(void)state;
	assert_int_equal(pf_hashmod("", 1000), 958);
	assert_int_equal(pf_hashmod("a:1", 8), pf_hashmod("a:1", 16) % 8);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_instance_has_its_turn),
	    cmocka_unit_test(new_instances_are_neither_favoured_nor_starved),
	    cmocka_unit_test(the_same_seed_gives_the_same_plan),
	    cmocka_unit_test(starts_are_spread_over_the_round),
	    cmocka_unit_test(whoever_is_always_chosen_keeps_its_time),
	    cmocka_unit_test(fractions_come_out_on_average),
	    cmocka_unit_test(an_account_pays_no_more_than_it_earns),
	    cmocka_unit_test(a_reserve_is_left_for_triggers),
	    cmocka_unit_test(a_profile_dearer_than_the_account_waits_for_a_full_one),
	    cmocka_unit_test(a_breaker_opens_probes_and_closes),
	    cmocka_unit_test(a_leaping_clock_is_not_trusted_for_an_hour),
	    cmocka_unit_test(hashmod_is_prometheus_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
