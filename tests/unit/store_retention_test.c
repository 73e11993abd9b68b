/* Retention: what goes is what the policy's words say, though only the old end of each class is looked at. */
#include "support/unit.h"

#include "stats/random.h"
#include "store/entry.h"
#include "support/open_store.h"

/* A profile of the random store below; the n-th that was added. */
struct member {
	const char *type, *trigger;
	int64_t collected;
	uint64_t size;
	bool pinned, gone;
	char hex[65];
};

enum { MEMBERS = 60 };

static int
youngest_first(const void *a, const void *b)
{
	const struct member *const *x = a, *const *y = b;

	if ((*x)->collected != (*y)->collected)
		return (*x)->collected < (*y)->collected ? 1 : -1;
	return *x < *y ? 1 : -1;
}

static bool
fits(const struct pf_store_rule *rule, const struct member *m)
{
	bool any = rule->types.count == 0;

	for (size_t i = 0; i < rule->types.count; i++)
		any |= strcmp(rule->types.items[i], m->type) == 0;
	return any && (!rule->triggered || *m->trigger);
}

/* The policy as its words say it: from the youngest on, all that is too old or beyond the size of its class. */
static void
retire_by_the_book(struct member *members, const struct pf_store_rule *rules, size_t count,
    int64_t now, struct pf_store_pruned *expected)
{
	struct member *order[MEMBERS];
	uint64_t used[8] = {0};

	*expected = (struct pf_store_pruned){0};
	for (size_t i = 0; i < MEMBERS; i++)
		order[i] = &members[i];
	qsort(order, MEMBERS, sizeof *order, youngest_first);
	for (size_t i = 0; i < MEMBERS; i++) {
		struct member *m = order[i];
		size_t rule = 0;
		double age = (double)(now - m->collected) * 1e-9;

		while (rule < count && !fits(&rules[rule], m))
			rule++;
		if (m->gone || rule == count)
			continue;
		used[rule] += m->size;
		if (!(rules[rule].max_age > 0 && age > rules[rule].max_age) &&
		    !(rules[rule].max_bytes && used[rule] > rules[rule].max_bytes))
			continue;
		if (m->pinned) {
			expected->pinned++;
			continue;
		}
		m->gone = true;
		expected->profiles++;
		expected->bytes += m->size;
	}
}

static void
add_members(struct member *members, struct pf_random *random)
{
	static const char *const types[] = {"cpu", "heap", "mutex"}, *const triggers[] = {
									 "", "", "slow"};

	for (int i = 0; i < MEMBERS; i++) {
		struct member *m = &members[i];
		struct pf_store_entry entry;
		char instance[16];

		*m = (struct member){.type = types[pf_random_below(random, 3)],
		    .trigger = triggers[pf_random_below(random, 3)],
		    .collected = NOON + (int64_t)pf_random_below(random, 30) * 10 * SECOND};
		snprintf(instance, sizeof instance, "%d:1", i);
		must(stored_append(store,
		    &(struct stored){.instance = instance,
			.type = m->type,
			.trigger = *m->trigger ? m->trigger : NULL,
			.collected = m->collected,
			.size = 100 * (1 + pf_random_below(random, 10))},
		    &entry, NULL, &err));
		m->size = entry.size;
		pf_store_hex(m->hex, entry.id);
		m->pinned = pf_random_below(random, 10) == 0;
	}
	must(pf_store_commit(store, &err));
	for (int i = 0; i < MEMBERS; i++) {
		if (members[i].pinned)
			must(pf_store_pin(store, members[i].hex, true, &err));
	}
}

/* As many as are not gone, and none of those that are. */
static void
assert_left(const struct member *members)
{
	struct pf_store_filter filter = PF_STORE_FILTER_INIT;
	struct pf_selection *selection;
	uint64_t profiles, bytes, expected = 0, expected_bytes = 0;
	char hex[65];

	for (int i = 0; i < MEMBERS; i++) {
		expected += !members[i].gone;
		expected_bytes += members[i].gone ? 0 : members[i].size;
	}
	must(pf_store_select(&selection, &store, 1, &filter, &err));
	assert_int_equal(pf_selection_count(selection), expected);
	for (size_t i = 0; i < pf_selection_count(selection); i++) {
		struct pf_store_entry e;
		int k = 0;
		must(pf_selection_entry(selection, i, &e, &err));
		pf_store_hex(hex, e.id);
		while (k < MEMBERS && strcmp(members[k].hex, hex) != 0)
			k++;
		assert_true(k < MEMBERS && !members[k].gone);
	}
	pf_selection_free(selection);
	must(pf_store_totals(store, &profiles, &bytes, &err));
	assert_int_equal(profiles, expected);
	assert_int_equal(bytes, expected_bytes);
}

static void
retention_looks_at_the_old_end_only_and_removes_the_same(void **state)
{
	static const char *const cpu[] = {"cpu"}, *const both[] = {"heap", "mutex"};
	struct pf_random random;
	(void)state;

	pf_random_init(&random, 20261126);
	for (int trial = 0; trial < 12; trial++) {
		struct pf_store_rule rules[] = {
		    {.triggered = true, .max_bytes = 100 * (10 + pf_random_below(&random, 80))},
		    {.types = {cpu, 1}, .max_age = 20 + (double)pf_random_below(&random, 300)},
		    {.types = {both, 2},
			.max_age = (double)pf_random_below(&random, 2) * 150,
			.max_bytes = pf_random_below(&random, 3) * 4000}};
		struct pf_store_pruned pruned, expected;
		struct member members[MEMBERS];

		add_members(members, &random);
		for (int turn = 0; turn < 3; turn++) {
			int64_t now = NOON + (300 + turn * 60) * SECOND;
			bool dry = turn == 0;
			struct member copy[MEMBERS];

			memcpy(copy, members, sizeof copy);
			retire_by_the_book(dry ? copy : members, rules, 3, now, &expected);
			must(pf_store_prune(store, rules, 3, now, true, dry, &pruned, &err));
			assert_int_equal(pruned.profiles, expected.profiles);
			assert_int_equal(pruned.bytes, expected.bytes);
			assert_int_equal(pruned.pinned, expected.pinned);
			assert_left(members);
		}
		must(pf_store_rebuild(store, &err));
		assert_left(members);
		tear_down(NULL);
		set_up(NULL);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    store_test(retention_looks_at_the_old_end_only_and_removes_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
