/* Merging profiles: what is summed, what is kept apart, what is refused, and that order never matters. */
#include "support/unit.h"

#include <stdio.h>

#include "profile/encode.h"
#include "profile/merge.h"
#include "support/sample_profile.h"

enum { BARE = 0, WITH_BUILD_ID = 1 };

/* What a merge said besides its result. */
struct notes {
	char text[4096];
	int count;
};

static void
note(void *data, const char *sentence)
{
	struct notes *notes = data;
	size_t used = strlen(notes->text);

	snprintf(notes->text + used, sizeof notes->text - used, "%s\n", sentence);
	notes->count++;
}

static struct pf_profile *
parse(struct pf_buffer *b)
{
	struct pf_error err = {0};
	struct pf_profile *p;

	if (pf_profile_parse(&p, "test", b->bytes, b->size, NULL, &err))
		fail_msg("%s", err.message);
	pf_buffer_release(b);
	return p;
}

static struct pf_profile *
make(uint64_t app_start, int with_build_id)
{
	struct pf_buffer b = {.maximum = 1 << 20};

	sample_profile(&b, app_start, with_build_id);
	return parse(&b);
}

/* A profile of one symbolized stack per value, "f0", "f1", …, labelled worker=<label> if given. */
static struct pf_profile *
make_lines(const int64_t *values, size_t n, const char *type, const char *label)
{
	struct pf_buffer b = {.maximum = 1 << 20}, m = {.maximum = 1 << 16},
			 l = {.maximum = 1 << 16};
	char name[32];

	add_string(&b, "");
	add_string(&b, type);
	add_string(&b, "count");
	add_string(&b, "worker");
	add_string(&b, label ? label : "none");
	add_type(&b, 1, 2);
	for (size_t i = 0; i < n; i++) {
		snprintf(name, sizeof name, "f%zu", i);
		add_string(&b, name);
		add_function(&b, i + 1, 5 + i, 10);
		add_location(&b, i + 1, 0, 0, i + 1, 11);
		pf_buffer_clear(&m);
		pf_wire_varint(&m, PF_SAMPLE_LOCATION_ID, i + 1);
		pf_buffer_clear(&l);
		pf_buffer_uleb(&l, (uint64_t)values[i]);
		pf_wire_bytes(&m, PF_SAMPLE_VALUE, l.bytes, l.size);
		pf_buffer_clear(&l);
		pf_wire_varint(&l, PF_LABEL_KEY, 3);
		pf_wire_varint(&l, PF_LABEL_STRING, 4);
		if (label)
			pf_wire_bytes(&m, PF_SAMPLE_LABEL, l.bytes, l.size);
		pf_wire_bytes(&b, PF_PROFILE_SAMPLE, m.bytes, m.size);
	}
	pf_buffer_release(&m);
	pf_buffer_release(&l);
	return parse(&b);
}

static struct pf_profile *
merge_all(struct pf_profile *const *profiles, size_t n, struct pf_profile *base,
    const struct pf_merge_options *options)
{
	struct pf_error err = {0};
	struct pf_profile *sum;
	struct pf_merge *m;

	assert_int_equal(pf_merge_new(&m, options, &err), 0);
	for (size_t i = 0; i < n; i++) {
		if (pf_merge_add(m, profiles[i], "p", &err))
			fail_msg("%s", err.message);
	}
	if (base && pf_merge_subtract(m, base, "base", &err))
		fail_msg("%s", err.message);
	if (pf_merge_finish(m, &sum, &err))
		fail_msg("%s", err.message);
	pf_merge_free(m);
	return sum;
}

static int
merge_fails(struct pf_profile *a, struct pf_profile *b, const struct pf_merge_options *options,
    struct pf_error *err)
{
	struct pf_merge *m;
	int rc;

	assert_int_equal(pf_merge_new(&m, options, err), 0);
	rc = pf_merge_add(m, a, "first", err);
	if (!rc)
		rc = pf_merge_add(m, b, "second", err);
	pf_merge_free(m);
	return rc;
}

/* The value of the symbolized stack of one function, summed over labels. */
static int64_t
value_of(const struct pf_profile *p, const char *function, size_t type)
{
	int64_t sum = 0;

	for (size_t i = 0; i < p->sample_count; i++) {
		uint32_t location = p->frames[p->frame_starts[i]];
		const struct pf_line *line = &p->lines[p->line_starts[location]];
		if (p->line_starts[location] < p->line_starts[location + 1] &&
		    strcmp(pf_profile_string(p, p->functions[line->function].name), function) == 0)
			sum += p->values[i * p->type_count + type];
	}
	return sum;
}

static void
assert_same_bytes(const struct pf_profile *a, const struct pf_profile *b)
{
	struct pf_buffer x = {.maximum = 1 << 20}, y = {.maximum = 1 << 20};

	assert_int_equal(pf_profile_encode(a, &x, NULL), 0);
	assert_int_equal(pf_profile_encode(b, &y, NULL), 0);
	assert_int_equal(x.size, y.size);
	assert_memory_equal(x.bytes, y.bytes, x.size);
	pf_buffer_release(&x);
	pf_buffer_release(&y);
}

static void
free_all(struct pf_profile **profiles, size_t n)
{
	for (size_t i = 0; i < n; i++)
		pf_profile_free(profiles[i]);
}

static void
processes_at_different_bases_are_one_binary(void **state)
{
	struct pf_profile *in[] = {make(0x55550000, WITH_BUILD_ID), make(0x10000, WITH_BUILD_ID)};
	struct pf_profile *sum = merge_all(in, 2, NULL, NULL);
	(void)state;

	assert_int_equal(sum->sample_count, 2);
	assert_int_equal(sum->location_count, 4);
	assert_int_equal(sum->mapping_count, 2);
	assert_int_equal(sum->mappings[0].start, 0x10000); /* the lowest seen */
	assert_string_equal(pf_profile_string(sum, sum->mappings[0].filename), "/srv/app");
	assert_string_equal(pf_profile_string(sum, sum->mappings[0].build_id), "ab12");
	assert_int_equal(sum->values[0] + sum->values[2], 6);
	assert_int_equal(sum->values[1] + sum->values[3], 60);
	assert_int_equal(sum->duration_nanos, 60000000000);
	assert_int_equal(sum->time_nanos, 1700000000000000000);
	assert_int_equal(sum->period, 10000000);
	for (size_t i = 0; i < sum->location_count; i++) {
		const struct pf_mapping *m = &sum->mappings[sum->locations[i].mapping];
		assert_in_range(sum->locations[i].address, m->start, m->limit - 1);
	}
	pf_profile_free(sum);
	free_all(in, 2);
}

static void
every_order_gives_the_same_bytes(void **state)
{
	static const size_t orders[][4] = {
	    {0, 1, 2, 3}, {3, 2, 1, 0}, {1, 3, 0, 2}, {2, 0, 3, 1}, {0, 3, 1, 2}};
	struct pf_profile *in[4] = {make(0x10000, WITH_BUILD_ID), make(0x20000, WITH_BUILD_ID),
	    make(0x30000, WITH_BUILD_ID), make(0x10000, WITH_BUILD_ID)};
	struct pf_profile *first = NULL;
	(void)state;

	in[1]->values[0] = 1000;
	in[2]->time_nanos -= 5;
	in[3]->mappings[0].filename = in[3]->mappings[1].filename; /* the same build, renamed */
	in[2]->mappings[1].limit += 100;                           /* within the same page */
	for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
		struct pf_profile *shuffled[4], *sum;
		for (size_t j = 0; j < 4; j++)
			shuffled[j] = in[orders[i][j]];
		sum = merge_all(shuffled, 4, NULL, NULL);
		if (first)
			assert_same_bytes(first, sum);
		else
			first = sum;
		if (sum != first)
			pf_profile_free(sum);
	}
	pf_profile_free(first);
	free_all(in, 4);
}

static void
a_merge_of_a_merge_is_the_merge(void **state)
{
	struct pf_profile *in[] = {make(0x10000, WITH_BUILD_ID), make(0x20000, WITH_BUILD_ID)};
	struct pf_profile *sum = merge_all(in, 2, NULL, NULL), *again;
	(void)state;

	again = merge_all(&sum, 1, NULL, NULL);
	assert_same_bytes(sum, again);
	pf_profile_free(again);
	pf_profile_free(sum);
	free_all(in, 2);
}

static void
addresses_without_build_id_merge_only_on_request(void **state)
{
	struct pf_profile *in[] = {make(0x10000, BARE), make(0x20000, BARE)}, *sum;
	struct pf_merge_options by_name = PF_MERGE_OPTIONS_INIT;
	struct notes notes = {0};
	struct pf_error err = {0};
	(void)state;

	assert_int_equal(merge_fails(in[0], in[1], NULL, &err), PF_EINPUT);
	assert_message_has(err, "second: addresses in /srv/app, which has no build id");
	by_name.merge_by_filename = true;
	by_name.warn = note;
	by_name.warn_data = &notes;
	sum = merge_all(in, 2, NULL, &by_name);
	assert_int_equal(sum->sample_count, 2);
	assert_non_null(strstr(notes.text, "/srv/app has no build id"));
	pf_profile_free(sum);
	free_all(in, 2);
}

static void
symbolized_locations_merge_without_build_id(void **state)
{
	struct pf_buffer b = {.maximum = 1 << 20};
	struct pf_profile *in[2], *sum;
	struct pf_merge_options options = PF_MERGE_OPTIONS_INIT;
	struct notes notes = {0};
	(void)state;

	for (int i = 0; i < 2; i++) {
		add_string(&b, "");
		add_string(&b, "main.work");
		add_string(&b, "/srv/app");
		add_type(&b, 1, 1);
		add_mapping(&b, 1, 0x1000, 0x2000 + 0x1000 * (uint64_t)i, 0, 2, 0);
		add_function(&b, 1, 1, 40);
		add_location(&b, 1, 1, 0x1800, 1, 42);
		add_sample(&b, (uint64_t[]){1}, 1, (int64_t[]){5 + i}, 1, 1);
		in[i] = parse(&b);
	}
	options.warn = note;
	options.warn_data = &notes;
	sum = merge_all(in, 2, NULL, &options);
	assert_int_equal(notes.count, 0);
	assert_int_equal(sum->mapping_count, 2); /* of other sizes: kept apart */
	assert_int_equal(sum->sample_count, 2);
	assert_int_equal(sum->function_count, 1);
	assert_int_equal(value_of(sum, "main.work", 0), 11);
	pf_profile_free(sum);
	sum = merge_all((struct pf_profile *[]){in[0], in[0]}, 2, NULL, NULL);
	assert_int_equal(sum->sample_count, 1);
	assert_int_equal(value_of(sum, "main.work", 0), 10);
	pf_profile_free(sum);
	free_all(in, 2);
}

static void
sums_beyond_64_bits_are_refused(void **state)
{
	struct pf_profile *a = make_lines((int64_t[]){INT64_MAX}, 1, "x", NULL);
	struct pf_profile *b = make_lines((int64_t[]){1}, 1, "x", NULL), *sum;
	struct pf_error err = {0};
	(void)state;

	assert_int_equal(merge_fails(a, b, NULL, &err), PF_EINPUT);
	assert_message_has(err, "second: sample 0: the sum of x exceeds 64 bits");
	assert_int_equal(merge_fails(b, a, NULL, &err), PF_EINPUT);
	b->values[0] = -1;
	sum = merge_all((struct pf_profile *[]){a, b}, 2, NULL, NULL);
	assert_true(sum->values[0] == INT64_MAX - 1);
	pf_profile_free(sum);
	pf_profile_free(a);
	pf_profile_free(b);
}

static void
differing_sample_types_are_intersected(void **state)
{
	struct pf_profile *both = make(0x10000, WITH_BUILD_ID), *one = make(0x10000, WITH_BUILD_ID);
	struct pf_merge_options options = PF_MERGE_OPTIONS_INIT;
	struct pf_profile *sum, *turned;
	struct notes notes = {0};
	(void)state;

	one->type_count = 1; /* keeps samples/count: rows of one value */
	one->values[1] = one->values[2];
	options.warn = note;
	options.warn_data = &notes;
	sum = merge_all((struct pf_profile *[]){both, one}, 2, NULL, &options);
	assert_int_equal(sum->type_count, 1);
	assert_string_equal(pf_profile_type_name(sum, 0), "samples");
	assert_int_equal(sum->values[0] + sum->values[1], 6);
	assert_non_null(
	    strstr(notes.text, "left out, since not every profile has it: cpu/nanoseconds"));
	turned = merge_all((struct pf_profile *[]){one, both}, 2, NULL, NULL);
	assert_same_bytes(sum, turned);
	pf_profile_free(turned);
	pf_profile_free(sum);
	pf_profile_free(both);
	pf_profile_free(one);
}

static void
no_type_in_common_is_refused(void **state)
{
	struct pf_profile *a = make_lines((int64_t[]){1}, 1, "x", NULL);
	struct pf_profile *b = make_lines((int64_t[]){1}, 1, "y", NULL);
	struct pf_error err = {0};
	(void)state;

	assert_int_equal(merge_fails(a, b, NULL, &err), PF_EINPUT);
	assert_message_has(err, "second: its sample types (y/count) have none in common");
	pf_profile_free(a);
	pf_profile_free(b);
}

static void
types_in_another_order_are_matched_by_name(void **state)
{
	struct pf_profile *a = make(0x10000, WITH_BUILD_ID), *b = make(0x10000, WITH_BUILD_ID),
			  *sum;
	struct pf_value_type first = b->types[0];
	(void)state;

	b->types[0] = b->types[1];
	b->types[1] = first;
	for (size_t i = 0; i < b->sample_count; i++) {
		int64_t value = b->values[2 * i];
		b->values[2 * i] = b->values[2 * i + 1];
		b->values[2 * i + 1] = value;
	}
	sum = merge_all((struct pf_profile *[]){a, a, b}, 3, NULL, NULL);
	assert_string_equal(
	    pf_profile_type_name(sum, 0), "samples"); /* two of three begin with it */
	assert_int_equal(sum->values[0] + sum->values[2], 9);
	assert_int_equal(sum->values[1] + sum->values[3], 90);
	pf_profile_free(sum);
	pf_profile_free(a);
	pf_profile_free(b);
}

static void
a_base_is_subtracted_and_what_cancels_is_gone(void **state)
{
	struct pf_profile *after = make_lines((int64_t[]){5, 7, 9}, 3, "x", NULL);
	struct pf_profile *before = make_lines((int64_t[]){5, 10, 1}, 3, "x", NULL), *sum;
	struct pf_merge_options labelled = PF_MERGE_OPTIONS_INIT;
	size_t bases = 0;
	(void)state;

	before->duration_nanos = 77;
	sum = merge_all(&after, 1, before, NULL);
	assert_int_equal(sum->sample_count, 2);
	assert_int_equal(value_of(sum, "f1", 0), -3);
	assert_int_equal(value_of(sum, "f2", 0), 8);
	assert_int_equal(sum->duration_nanos, 0); /* the base's does not count */
	pf_profile_free(sum);

	labelled.label_base = true;
	sum = merge_all(&after, 1, before, &labelled);
	assert_int_equal(sum->sample_count, 6);
	assert_int_equal(value_of(sum, "f0", 0), 0);
	for (size_t i = 0; i < sum->sample_count; i++)
		bases += pf_sample_is_base(sum, i);
	assert_int_equal(bases, 3);
	pf_profile_free(sum);
	pf_profile_free(after);
	pf_profile_free(before);
}

static uint32_t
string_of(struct pf_profile *p, const char *text)
{
	uint32_t id;

	assert_int_equal(pf_strings_add(&p->strings, text, strlen(text), &id, NULL), 0);
	return id;
}

/* Whether a base with this main binary is taken for one of another program than /srv/app, build ab12. */
static bool
base_is_foreign(const char *file, const char *build_id)
{
	struct pf_profile *profiles[] = {
	    make(0x10000, WITH_BUILD_ID), make(0x20000, WITH_BUILD_ID)};
	struct pf_profile *base = make(0x10000, WITH_BUILD_ID), *sum;
	struct pf_merge_options options = PF_MERGE_OPTIONS_INIT;
	struct notes notes = {0};
	bool foreign;

	options.warn = note;
	options.warn_data = &notes;
	profiles[1]->mappings[0].filename = string_of(profiles[1], "/srv/worker");
	profiles[1]->mappings[0].build_id = string_of(profiles[1], "ee01");
	base->mappings[0].filename = string_of(base, file);
	base->mappings[0].build_id = string_of(base, build_id);
	sum = merge_all(profiles, 2, base, &options);
	pf_profile_free(sum);
	pf_profile_free(base);
	free_all(profiles, 2);
	foreign = strstr(notes.text, "the base seems to be of another program") != NULL;
	assert_int_equal(notes.count, foreign);
	return foreign;
}

static void
a_base_of_another_program_is_warned_of(void **state)
{
	(void)state;

	assert_true(base_is_foreign("/srv/other", "cc03"));
	assert_true(base_is_foreign("/srv/other", ""));
	assert_false(
	    base_is_foreign("/srv/old/app", "cc03")); /* another build, what a base is for */
	assert_false(base_is_foreign("/srv/worker.new", "EE01")); /* the same, renamed */
	assert_false(base_is_foreign("/opt/worker", ""));
	assert_false(base_is_foreign("", "cc03")); /* unknown */
	assert_false(base_is_foreign("[vdso]", "cc03"));
}

/* Said once, and naming both; what the bases before it are does not matter. */
static void
the_warning_names_both_programs(void **state)
{
	struct pf_profile *p = make(0x10000, WITH_BUILD_ID), *before = make(0x10000, WITH_BUILD_ID);
	struct pf_merge_options options = PF_MERGE_OPTIONS_INIT;
	struct pf_profile *sum;
	struct notes notes = {0};
	struct pf_merge *m;
	(void)state;

	options.warn = note;
	options.warn_data = &notes;
	assert_int_equal(pf_merge_new(&m, &options, NULL), 0);
	p->digest = 0; /* no profile is given twice */
	assert_int_equal(pf_merge_subtract(m, before, "same", NULL), 0);
	before->mappings[0].filename = string_of(before, "/srv/other");
	before->mappings[0].build_id = string_of(before, "cc03");
	assert_int_equal(pf_merge_subtract(m, before, "other", NULL), 0);
	assert_int_equal(pf_merge_subtract(m, before, "other", NULL), 0);
	assert_int_equal(pf_merge_add(m, p, "p", NULL), 0);
	assert_int_equal(pf_merge_finish(m, &sum, NULL), 0);
	assert_int_equal(notes.count, 1);
	assert_non_null(strstr(
	    notes.text, "its main binary is other (build id cc03), that of the profiles app;"));
	pf_profile_free(sum);
	pf_merge_free(m);
	pf_profile_free(p);
	pf_profile_free(before);
}

static void
durations_weigh_profiles(void **state)
{
	struct pf_profile *lengthy = make_lines((int64_t[]){300, 1}, 2, "x", NULL);
	struct pf_profile *brief = make_lines((int64_t[]){10, 0}, 2, "x", NULL), *sum, *turned;
	struct pf_merge_options scaled = PF_MERGE_OPTIONS_INIT;
	struct pf_error err = {0};
	(void)state;

	scaled.scale_by_duration = true;
	lengthy->duration_nanos = 290000000000;
	brief->duration_nanos = 10000000000;
	sum = merge_all((struct pf_profile *[]){lengthy, brief}, 2, NULL, &scaled);
	/* The mean is 150 s: 300 * 150 / 290 + 10 * 150 / 10 = 305.17… */
	assert_int_equal(value_of(sum, "f0", 0), 305);
	assert_int_equal(value_of(sum, "f1", 0), 1); /* 0.517…: rounded */
	assert_int_equal(sum->duration_nanos, 300000000000);
	turned = merge_all((struct pf_profile *[]){brief, lengthy}, 2, NULL, &scaled);
	assert_same_bytes(sum, turned);
	pf_profile_free(turned);
	pf_profile_free(sum);

	lengthy->values[1] = 1;
	lengthy->duration_nanos = 100000000000000;
	brief->duration_nanos = 1;
	sum = merge_all((struct pf_profile *[]){lengthy, brief}, 2, NULL, &scaled);
	assert_int_equal(value_of(sum, "f1", 0), 1); /* half: away from zero */
	pf_profile_free(sum);

	brief->duration_nanos = 0;
	assert_int_equal(merge_fails(lengthy, brief, &scaled, &err), PF_EINPUT);
	assert_message_has(err, "second: the profile says no duration");
	pf_profile_free(lengthy);
	pf_profile_free(brief);
}

static void
equal_durations_change_nothing_and_equal_halves_cancel(void **state)
{
	struct pf_profile *a = make_lines((int64_t[]){3, 1000000007}, 2, "x", NULL);
	struct pf_profile *b = make_lines((int64_t[]){1, 5}, 2, "x", NULL), *plain, *sum;
	struct pf_merge_options scaled = PF_MERGE_OPTIONS_INIT;
	(void)state;

	scaled.scale_by_duration = true;
	a->duration_nanos = b->duration_nanos = 30000000001;
	plain = merge_all((struct pf_profile *[]){a, b}, 2, NULL, NULL);
	sum = merge_all((struct pf_profile *[]){a, b}, 2, NULL, &scaled);
	assert_same_bytes(plain, sum);
	pf_profile_free(sum);
	pf_profile_free(plain);

	a->duration_nanos = 3 * b->duration_nanos; /* 3 in 3: as much as 1 in 1 */
	sum = merge_all(&a, 1, b, &scaled);
	assert_int_equal(sum->sample_count, 1);
	assert_int_equal(value_of(sum, "f0", 0), 0);
	pf_profile_free(sum);
	pf_profile_free(a);
	pf_profile_free(b);
}

static void
labels_filter_drop_and_keep_apart(void **state)
{
	struct pf_profile *in[] = {make_lines((int64_t[]){1}, 1, "x", "a"),
	    make_lines((int64_t[]){10}, 1, "x", "b"), make_lines((int64_t[]){100}, 1, "x", NULL)};
	const char *only_a[] = {"worker=a"}, *a_or_b[] = {"worker=a", "worker=b"};
	const char *worker[] = {"worker"}, *wrong[] = {"worker"};
	struct pf_merge_options o = PF_MERGE_OPTIONS_INIT;
	struct pf_error err = {0};
	struct pf_merge *m;
	struct pf_profile *sum = merge_all(in, 3, NULL, NULL);
	(void)state;

	assert_int_equal(sum->sample_count, 3);
	pf_profile_free(sum);
	o.label_filters = only_a;
	o.label_filter_count = 1;
	sum = merge_all(in, 3, NULL, &o);
	assert_int_equal(value_of(sum, "f0", 0), 1);
	pf_profile_free(sum);
	o.label_filters = a_or_b;
	o.label_filter_count = 2;
	o.drop_labels = worker;
	o.drop_label_count = 1;
	sum = merge_all(in, 3, NULL, &o);
	assert_int_equal(sum->sample_count, 1);
	assert_int_equal(sum->values[0], 11);
	assert_int_equal(sum->label_count, 0);
	pf_profile_free(sum);
	o.label_filters = wrong;
	o.label_filter_count = 1;
	assert_int_equal(pf_merge_new(&m, &o, &err), PF_EUSAGE);
	assert_null(m);
	free_all(in, 3);
}

static void
empty_profiles_and_duplicates_are_kept_with_a_word(void **state)
{
	struct pf_profile *empty = make_lines(NULL, 0, "x", NULL), *sum;
	struct pf_profile *full = make_lines((int64_t[]){4}, 1, "x", NULL);
	struct pf_merge_options options = PF_MERGE_OPTIONS_INIT;
	struct notes notes = {0};
	(void)state;

	options.warn = note;
	options.warn_data = &notes;
	sum = merge_all(&empty, 1, NULL, &options);
	assert_int_equal(sum->sample_count, 0);
	assert_int_equal(sum->type_count, 1);
	assert_non_null(strstr(notes.text, "p: a valid profile, but without samples"));
	pf_profile_free(sum);
	sum = merge_all((struct pf_profile *[]){full, full, empty}, 3, NULL, &options);
	assert_int_equal(sum->values[0], 8);
	assert_non_null(strstr(notes.text, "p: the same profile was given before; it is summed"));
	pf_profile_free(sum);
	options.count_once = true;
	sum = merge_all((struct pf_profile *[]){full, empty, full, full}, 4, NULL, &options);
	assert_int_equal(sum->values[0], 4);
	assert_non_null(strstr(notes.text, "p: the same profile was given before; it counts once"));
	pf_profile_free(sum);
	pf_profile_free(empty);
	pf_profile_free(full);
}

static void
nothing_at_all_is_refused(void **state)
{
	struct pf_error err = {0};
	struct pf_profile *sum;
	struct pf_merge *m;
	(void)state;

	assert_int_equal(pf_merge_new(&m, NULL, NULL), 0);
	assert_int_equal(pf_merge_finish(m, &sum, &err), PF_EINPUT);
	assert_null(sum);
	pf_merge_free(m);
	pf_merge_free(NULL);
}

static void
the_main_binary_stays_first(void **state)
{
	struct pf_profile *in[] = {make(0x10000, WITH_BUILD_ID), make(0x10000, WITH_BUILD_ID)},
			  *sum;
	struct pf_mapping app;
	(void)state;

	/* Whatever the names: libc's is in front of the application's by its letters. */
	sum = merge_all(in, 2, NULL, NULL);
	assert_string_equal(pf_profile_string(sum, sum->mappings[0].filename), "/srv/app");
	pf_profile_free(sum);
	for (size_t i = 0; i < 2; i++) {
		app = in[i]->mappings[0];
		in[i]->mappings[0] = in[i]->mappings[1];
		in[i]->mappings[1] = app;
		for (size_t j = 0; j < in[i]->location_count; j++)
			in[i]->locations[j].mapping = 1 - in[i]->locations[j].mapping;
	}
	sum = merge_all(in, 2, NULL, NULL);
	assert_string_equal(pf_profile_string(sum, sum->mappings[0].filename), "/lib/libc.so.6");
	pf_profile_free(sum);
	free_all(in, 2);
}

static void
headers_that_differ_come_to_one_or_none(void **state)
{
	struct pf_profile *in[2], *sum, *turned;
	(void)state;

	for (int i = 0; i < 2; i++) {
		struct pf_buffer b = {.maximum = 1 << 20};
		add_string(&b, "");
		add_string(&b, "x");
		add_string(&b, "malloc.*");
		add_string(&b, i ? "note b" : "note a");
		add_string(&b, i ? "http://b" : "http://a");
		add_type(&b, 1, 1);
		pf_wire_varint(&b, PF_PROFILE_DROP_FRAMES, 2);
		if (i)
			pf_wire_varint(&b, PF_PROFILE_KEEP_FRAMES, 3);
		pf_wire_varint(&b, PF_PROFILE_COMMENT, 3);
		pf_wire_varint(&b, PF_PROFILE_DOC_URL, 4);
		pf_wire_varint(&b, PF_PROFILE_PERIOD, 5 + (uint64_t)i);
		in[i] = parse(&b);
	}
	sum = merge_all(in, 2, NULL, NULL);
	assert_string_equal(pf_profile_string(sum, sum->drop_frames), "malloc.*");
	assert_string_equal(pf_profile_string(sum, sum->keep_frames), "note b");
	assert_string_equal(pf_profile_string(sum, sum->doc_url), "http://a");
	assert_string_equal(pf_profile_string(sum, sum->default_type), "x");
	assert_int_equal(sum->comment_count, 2);
	assert_int_equal(sum->period, 6);
	turned = merge_all((struct pf_profile *[]){in[1], in[0]}, 2, NULL, NULL);
	assert_same_bytes(sum, turned);
	pf_profile_free(turned);
	pf_profile_free(sum);
	free_all(in, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(processes_at_different_bases_are_one_binary),
	    cmocka_unit_test(every_order_gives_the_same_bytes),
	    cmocka_unit_test(a_merge_of_a_merge_is_the_merge),
	    cmocka_unit_test(addresses_without_build_id_merge_only_on_request),
	    cmocka_unit_test(symbolized_locations_merge_without_build_id),
	    cmocka_unit_test(sums_beyond_64_bits_are_refused),
	    cmocka_unit_test(differing_sample_types_are_intersected),
	    cmocka_unit_test(no_type_in_common_is_refused),
	    cmocka_unit_test(types_in_another_order_are_matched_by_name),
	    cmocka_unit_test(a_base_is_subtracted_and_what_cancels_is_gone),
	    cmocka_unit_test(a_base_of_another_program_is_warned_of),
	    cmocka_unit_test(the_warning_names_both_programs),
	    cmocka_unit_test(durations_weigh_profiles),
	    cmocka_unit_test(equal_durations_change_nothing_and_equal_halves_cancel),
	    cmocka_unit_test(labels_filter_drop_and_keep_apart),
	    cmocka_unit_test(empty_profiles_and_duplicates_are_kept_with_a_word),
	    cmocka_unit_test(nothing_at_all_is_refused),
	    cmocka_unit_test(the_main_binary_stays_first),
	    cmocka_unit_test(headers_that_differ_come_to_one_or_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
