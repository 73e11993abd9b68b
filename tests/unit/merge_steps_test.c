/* Steps that only some of the profiles have: zero in the others, whatever the order; all else as for any type. */
#include "support/unit.h"

#include <stdio.h>

#include "profile/encode.h"
#include "profile/merge.h"
#include "profile/stacks.h"
#include "support/each_allocation.h"
#include "support/sample_profile.h"

enum { SAMPLES = 1, CPU = 2, STEPS = 4, SPACE = 8, KINDS = 4, MOST_PROFILES = 3 };

static const char *const names[KINDS] = {"samples", "cpu", "steps", "space"};
static const char *const units[KINDS] = {"count", "nanoseconds", "count", "bytes"};

/* What the n-th sample of the p-th profile has of a kind. */
static int64_t
value_of(size_t p, size_t n, size_t kind)
{
	return (int64_t)((p + 1) * 1000 + n * 10 + kind);
}

/* A profile of so many one-frame stacks "f0", "f1", … with these sample types; with `turned` in another order. */
static struct pf_profile *
make(size_t number, unsigned kinds, size_t count, bool turned)
{
	struct pf_buffer b = {.maximum = 1 << 24};
	struct pf_error err = {0};
	struct pf_profile *p;
	char name[32];

	add_string(&b, "");
	for (size_t k = 0; k < KINDS; k++) {
		add_string(&b, names[k]);
		add_string(&b, units[k]);
	}
	for (size_t i = 0; i < KINDS; i++) {
		size_t k = turned ? KINDS - 1 - i : i;
		if (kinds >> k & 1)
			add_type(&b, 1 + 2 * k, 2 + 2 * k);
	}
	for (size_t n = 0; n < count; n++) {
		int64_t values[KINDS];
		size_t types = 0;
		for (size_t i = 0; i < KINDS; i++) {
			size_t k = turned ? KINDS - 1 - i : i;
			if (kinds >> k & 1)
				values[types++] = value_of(number, n, k);
		}
		snprintf(name, sizeof name, "f%zu", n);
		add_string(&b, name);
		add_function(&b, n + 1, 1 + 2 * KINDS + n, 10);
		add_location(&b, n + 1, 0, 0, n + 1, 11);
		add_sample(&b, (uint64_t[]){n + 1}, 1, values, types, 1);
	}
	pf_wire_varint(&b, PF_PROFILE_DURATION_NANOS, 1000);
	if (pf_profile_parse(&p, "test", b.bytes, b.size, NULL, &err))
		fail_msg("%s", err.message);
	pf_buffer_release(&b);
	return p;
}

static void
note(void *data, const char *sentence)
{
	struct pf_buffer *notes = data;

	pf_buffer_printf(notes, "%s\n", sentence);
}

/* The sum of some of the profiles in this order; NULL if it is refused. */
static struct pf_profile *
merge(struct pf_profile *const *profiles, const size_t *order, size_t n, bool scale,
    struct pf_buffer *notes, struct pf_error *err)
{
	struct pf_merge_options options = PF_MERGE_OPTIONS_INIT;
	struct pf_profile *sum = NULL;
	struct pf_merge *m;
	int rc;

	options.scale_by_duration = scale;
	options.warn = notes ? note : NULL;
	options.warn_data = notes;
	assert_int_equal(pf_merge_new(&m, &options, err), 0);
	rc = 0;
	for (size_t i = 0; !rc && i < n; i++)
		rc = pf_merge_add(m, profiles[order[i]], "p", err);
	if (!rc)
		assert_int_equal(pf_merge_finish(m, &sum, err), 0);
	pf_merge_free(m);
	return sum;
}

static const size_t orders[6][MOST_PROFILES] = {
    {0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

/* The rule in its own words: what every profile has, and steps where those without have samples. */
static unsigned
expected_kinds(const unsigned *kinds, size_t n)
{
	unsigned common = ~0U, any = 0, possible = ~0U;

	for (size_t i = 0; i < n; i++) {
		common &= kinds[i];
		any |= kinds[i];
		possible &= kinds[i] | (kinds[i] & SAMPLES ? STEPS : 0);
	}
	return common ? possible & any : 0;
}

static unsigned
kinds_of(const struct pf_profile *p)
{
	unsigned kinds = 0;

	for (size_t t = 0; t < p->type_count; t++) {
		for (size_t k = 0; k < KINDS; k++) {
			if (strcmp(pf_profile_type_name(p, t), names[k]) == 0)
				kinds |= 1U << k;
		}
	}
	return kinds;
}

static void
assert_totals(const struct pf_profile *sum, const unsigned *kinds, size_t n, size_t count)
{
	for (size_t t = 0; t < sum->type_count; t++) {
		size_t k = 0;
		int64_t total = 0, expected = 0;
		while (strcmp(pf_profile_type_name(sum, t), names[k]) != 0)
			k++;
		for (size_t i = 0; i < sum->sample_count; i++)
			total += sum->values[i * sum->type_count + t];
		for (size_t p = 0; p < n; p++) {
			for (size_t i = 0; i < count && kinds[p] >> k & 1; i++)
				expected += value_of(p, i, k);
		}
		assert_int_equal(total, expected);
	}
}

static void
assert_encoded(const struct pf_profile *sum, struct pf_buffer *bytes)
{
	struct pf_buffer again = {.maximum = 1 << 24};

	assert_int_equal(pf_profile_encode(sum, &again, NULL), 0);
	if (bytes->size) {
		assert_int_equal(again.size, bytes->size);
		assert_memory_equal(again.bytes, bytes->bytes, bytes->size);
	} else {
		pf_buffer_add(bytes, again.bytes, again.size);
	}
	pf_buffer_release(&again);
}

/* All orders of three profiles against the rule. */
static void
check_sets(const unsigned *kinds, size_t count, bool scale)
{
	struct pf_profile *in[MOST_PROFILES];
	unsigned expected = expected_kinds(kinds, MOST_PROFILES);
	struct pf_buffer bytes = {.maximum = 1 << 24};

	for (size_t p = 0; p < MOST_PROFILES; p++)
		in[p] = make(p, kinds[p], count, p == 1);
	for (size_t o = 0; o < sizeof orders / sizeof *orders; o++) {
		struct pf_error err = {0};
		struct pf_profile *sum = merge(in, orders[o], MOST_PROFILES, scale, NULL, &err);
		assert_int_equal(sum != NULL, expected != 0);
		if (!sum) {
			assert_message_has(err, "have none in common with the profiles before it");
			continue;
		}
		assert_int_equal(kinds_of(sum), expected);
		assert_int_equal(sum->sample_count, count);
		assert_totals(sum, kinds, MOST_PROFILES, count);
		assert_encoded(sum, &bytes);
		pf_profile_free(sum);
	}
	pf_buffer_release(&bytes);
	for (size_t p = 0; p < MOST_PROFILES; p++)
		pf_profile_free(in[p]);
}

static void
every_set_of_types_in_every_order_goes_by_the_rule(void **state)
{
	enum { SETS = 1 << KINDS };
	(void)state;

	for (unsigned a = 1; a < SETS; a++) {
		for (unsigned b = 1; b < SETS; b++) {
			for (unsigned c = 1; c < SETS; c++)
				check_sets((unsigned[]){a, b, c}, 2, (a ^ b ^ c) & 1);
		}
	}
}

/* Records are moved to make room for one more value, and found again afterwards. */
static void
many_samples_get_their_steps_late(void **state)
{
	(void)state;

	check_sets((unsigned[]){SAMPLES | CPU, SAMPLES | CPU, SAMPLES | CPU | STEPS}, 1000, false);
	check_sets((unsigned[]){SAMPLES | CPU | STEPS, SAMPLES | CPU, SAMPLES | CPU}, 1000, true);
}

static void
nothing_is_said_of_steps_and_they_come_last(void **state)
{
	struct pf_profile *in[] = {make(0, SAMPLES | CPU, 3, false),
	    make(1, SAMPLES | CPU | STEPS, 3, false), make(2, CPU | STEPS, 3, false)};
	struct pf_buffer notes = {.maximum = 1 << 16};
	struct pf_error err = {0};
	struct pf_profile *sum = merge(in, orders[0], 2, false, &notes, &err);
	(void)state;

	assert_int_equal(notes.size, 0);
	assert_string_equal(pf_profile_type_name(sum, 0), "samples");
	assert_string_equal(pf_profile_type_name(sum, 2), "steps");
	pf_profile_free(sum);
	/* the third says nothing of samples, so the first cannot do without steps beside it */
	sum = merge(in, orders[0], 3, false, &notes, &err);
	assert_int_equal(kinds_of(sum), CPU | STEPS);
	pf_profile_free(sum);
	pf_buffer_byte(&notes, 0);
	assert_non_null(
	    strstr((char *)notes.bytes, "left out, since not every profile has it: samples/count"));
	pf_buffer_release(&notes);
	for (size_t i = 0; i < 3; i++)
		pf_profile_free(in[i]);
}

/* A base without steps leaves those of the profile as they are; samples cancel out. */
static void
a_base_may_lack_steps(void **state)
{
	struct pf_profile *now = make(0, SAMPLES | STEPS, 2, false),
			  *before = make(0, SAMPLES, 2, false), *sum;
	struct pf_merge *m;
	(void)state;

	for (int turn = 0; turn < 2; turn++) {
		assert_int_equal(pf_merge_new(&m, NULL, NULL), 0);
		if (turn)
			assert_int_equal(pf_merge_subtract(m, before, "before", NULL), 0);
		assert_int_equal(pf_merge_add(m, now, "now", NULL), 0);
		if (!turn)
			assert_int_equal(pf_merge_subtract(m, before, "before", NULL), 0);
		assert_int_equal(pf_merge_finish(m, &sum, NULL), 0);
		assert_int_equal(kinds_of(sum), SAMPLES | STEPS);
		assert_int_equal(sum->values[0] + sum->values[2], 0);
		assert_int_equal(
		    sum->values[1] + sum->values[3], value_of(0, 0, 2) + value_of(0, 1, 2));
		pf_profile_free(sum);
		pf_merge_free(m);
	}
	pf_profile_free(now);
	pf_profile_free(before);
}

/* Two types of one name: only the first is what the agent writes, in whatever order they come. */
static void
a_second_type_of_the_name_is_like_any_other(void **state)
{
	struct pf_profile *twice = make(0, SAMPLES | STEPS | SPACE, 2, false),
			  *once = make(1, SAMPLES | STEPS, 2, false),
			  *never = make(2, SAMPLES, 2, false);
	struct pf_profile *in[] = {twice, once, never};
	struct pf_buffer bytes = {.maximum = 1 << 20};
	struct pf_error err = {0};
	(void)state;

	twice->types[2] = twice->types[1]; /* in place of space/bytes */
	for (size_t o = 0; o < sizeof orders / sizeof *orders; o++) {
		struct pf_profile *sum = merge(in, orders[o], 3, false, NULL, &err);
		assert_int_equal(sum->type_count, 2);
		assert_encoded(sum, &bytes);
		pf_profile_free(sum);
	}
	pf_buffer_release(&bytes);
	for (size_t i = 0; i < 3; i++)
		pf_profile_free(in[i]);
}

/* The stacks that are converted: the same rule, where everything else has to be the same. */
static void
stacks_are_summed_by_the_same_rule(void **state)
{
	struct pf_profile *in[] = {make(0, SAMPLES | CPU, 50, false),
	    make(1, SAMPLES | CPU | STEPS, 60, false), make(2, SAMPLES | CPU, 70, false)};
	(void)state;

	for (size_t o = 0; o < sizeof orders / sizeof *orders; o++) {
		int64_t expected[3] = {0};
		struct pf_stacks s;
		assert_int_equal(pf_stacks_init(&s, NULL), 0);
		for (size_t i = 0; i < 3; i++) {
			const struct pf_profile *p = in[orders[o][i]];
			assert_int_equal(pf_stacks_add(&s, p, "p", NULL, NULL), 0);
			for (size_t v = 0; v < p->sample_count * p->type_count; v++)
				expected[v % p->type_count] += p->values[v];
		}
		assert_int_equal(s.type_count, 3);
		assert_string_equal(pf_strings_get(&s.strings, s.types[2].type), "steps");
		for (size_t t = 0; t < 3; t++)
			assert_int_equal(pf_stacks_total(&s, t), expected[t]);
		pf_stacks_release(&s);
	}
	for (size_t i = 0; i < 3; i++)
		pf_profile_free(in[i]);
}

static void
stacks_of_other_types_are_refused(void **state)
{
	static const unsigned pairs[][2] = {{CPU, CPU | STEPS}, {CPU | STEPS, CPU},
	    {STEPS, SAMPLES}, {SAMPLES | STEPS, CPU | STEPS}, {SAMPLES, SAMPLES | CPU | STEPS},
	    {SAMPLES | SPACE, SAMPLES}};
	(void)state;

	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		struct pf_profile *a = make(0, pairs[i][0], 2, false),
				  *b = make(1, pairs[i][1], 2, false);
		struct pf_error err = {0};
		struct pf_stacks s;
		assert_int_equal(pf_stacks_init(&s, NULL), 0);
		assert_int_equal(pf_stacks_add(&s, a, "a", NULL, &err), 0);
		assert_int_equal(pf_stacks_add(&s, b, "b", NULL, &err), PF_EINPUT);
		assert_message_has(err, "b: other sample types (");
		pf_stacks_release(&s);
		pf_profile_free(a);
		pf_profile_free(b);
	}
}

static int
merge_both(void *data, struct pf_error *err)
{
	struct pf_profile **in = data, *sum = NULL;
	struct pf_merge *m;
	int rc = pf_merge_new(&m, NULL, err);

	for (size_t i = 0; !rc && i < 2; i++)
		rc = pf_merge_add(m, in[i], "p", err);
	if (!rc)
		rc = pf_merge_finish(m, &sum, err);
	pf_profile_free(sum);
	pf_merge_free(m);
	return rc;
}

static int
stack_both(void *data, struct pf_error *err)
{
	struct pf_profile **in = data;
	struct pf_stacks s;
	int rc = pf_stacks_init(&s, err);

	if (rc)
		return rc;
	for (size_t i = 0; !rc && i < 2; i++)
		rc = pf_stacks_add(&s, in[i], "p", NULL, err);
	pf_stacks_release(&s);
	return rc;
}

static void
making_room_survives_every_failed_allocation(void **state)
{
	struct pf_profile *in[] = {
	    make(0, SAMPLES | CPU, 20, false), make(1, SAMPLES | CPU | STEPS, 20, false)};
	(void)state;

	fail_each_allocation(merge_both, in);
	fail_each_allocation(stack_both, in);
	pf_profile_free(in[0]);
	pf_profile_free(in[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_set_of_types_in_every_order_goes_by_the_rule),
	    cmocka_unit_test(many_samples_get_their_steps_late),
	    cmocka_unit_test(nothing_is_said_of_steps_and_they_come_last),
	    cmocka_unit_test(a_base_may_lack_steps),
	    cmocka_unit_test(a_second_type_of_the_name_is_like_any_other),
	    cmocka_unit_test(stacks_are_summed_by_the_same_rule),
	    cmocka_unit_test(stacks_of_other_types_are_refused),
	    cmocka_unit_test(making_room_survives_every_failed_allocation),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
